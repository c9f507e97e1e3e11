//! The tables of `docs/cipher-suites.md`: made from the grades, and read back from the page.
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use thingprint_audit::{Flaw, Grade, Recommended, Suite};

/// Codes that the protocol paper did not count: registered later, or without an RFC.
pub(crate) const NOT_IN_THE_PAPER: [u16; 6] = [0x006e, 0x006f, 0x0070, 0x0071, 0x1306, 0x1307];

/// Grades by code, as words.
pub(crate) type Grades = BTreeMap<u16, String>;

/// Where the page is.
pub(crate) fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cipher-suites.md")
}

/// The table of a name, between its two marks.
pub(crate) fn table<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&begin(name))?;
    rest.split_once(END).map(|(table, _)| table)
}

/// The page with another table of that name.
pub(crate) fn with_table(page: &str, name: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(&begin(name))?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{}{table}{END}{after}", begin(name)))
}

/// The cells of a table's rows, without the two lines of its head.
pub(crate) fn rows(table: &str) -> Vec<Vec<&str>> {
    table.lines().filter(|line| line.starts_with('|')).skip(2).map(row).collect()
}

fn row(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

/// What makes a suite insecure or weak, and how many registered suites have it.
pub(crate) fn flaws() -> String {
    let mut table = "| Weakness | Grade | Registered suites |\n|---|---|---:|\n".to_owned();
    for flaw in Flaw::ALL {
        let grade = if flaw.is_broken() { Grade::Insecure } else { Grade::Weak };
        let count = graded().filter(|suite| suite.flaws.contains(&flaw)).count();
        let _ = writeln!(table, "| {} | {grade} | {count} |", flaw.as_str());
    }
    table
}

/// How many suites have each grade.
pub(crate) fn counts() -> String {
    let mut table =
        "| Grade | Codes of the paper | Registered | Y | N | D | Forbidden by RFC 10015 | Of drafts |\n\
                     |---|---:|---:|---:|---:|---:|---:|---:|\n"
            .to_owned();
    for grade in Grade::ALL {
        let _ = writeln!(table, "| {grade} | {} |", cells(|suite| suite.grade == Some(grade)));
    }
    let _ = writeln!(table, "| all | {} |", cells(|_| true));
    table
}

/// Every suite whose grade is another than in 2021.
pub(crate) fn differences(then: &Grades) -> String {
    let mut table = "| Code | Name | Ours | 2021 | By which criterion |\n|---|---|---|---|---|\n".to_owned();
    for suite in graded() {
        let Some(grade_then) = then.get(&suite.code).filter(|then| **then != grade(suite)) else { continue };
        let _ = writeln!(
            table,
            "| {:04x} | {} | {} | {grade_then} | {} |",
            suite.code,
            suite.name,
            grade(suite),
            criterion(suite)
        );
    }
    table
}

/// Every suite that the list of 2021 lacks.
pub(crate) fn absences(then: &Grades) -> String {
    let mut table = "| Code | Name | Ours | By which criterion |\n|---|---|---|---|\n".to_owned();
    for suite in Suite::all().iter().filter(|suite| !then.contains_key(&suite.code)) {
        let _ = writeln!(
            table,
            "| {:04x} | {} | {} | {} |",
            suite.code,
            suite.name,
            grade(suite),
            criterion(suite)
        );
    }
    table
}

/// A suite's grade, as a word.
pub(crate) fn grade(suite: &Suite) -> &'static str {
    suite.grade.map_or("signal", Grade::as_str)
}

/// What a suite has its grade by.
pub(crate) fn criterion(suite: &Suite) -> String {
    match suite.grade {
        None => "no suite".to_owned(),
        Some(Grade::Recommended) => "no flaw, keys of TLS 1.3 or ECDHE".to_owned(),
        Some(Grade::Secure) if suite.is_dhe => "no flaw, keys from a finite field (DHE)".to_owned(),
        Some(Grade::Secure) => "no flaw, other keys".to_owned(),
        Some(_) => suite.flaws.iter().map(|flaw| flaw.as_str()).collect::<Vec<_>>().join(", "),
    }
}

const END: &str = "<!-- end -->";

fn begin(name: &str) -> String {
    format!("<!-- table: {name} -->\n")
}

/// The registered suites, without signals.
fn graded() -> impl Iterator<Item = &'static Suite> {
    Suite::all().iter().filter(|suite| suite.grade.is_some())
}

/// A row of counts.
fn cells(is_meant: impl Fn(&Suite) -> bool) -> String {
    let count =
        |is_of: &dyn Fn(&Suite) -> bool| graded().filter(|suite| is_meant(suite) && is_of(suite)).count();
    let drafts = Suite::unregistered().iter().filter(|suite| is_meant(suite)).count();
    let counts = [
        count(&|suite| !NOT_IN_THE_PAPER.contains(&suite.code)),
        count(&|_| true),
        count(&|suite| suite.recommended == Recommended::Y),
        count(&|suite| suite.recommended == Recommended::N),
        count(&|suite| suite.recommended == Recommended::D),
        count(&Suite::has_obsolete_keys),
        drafts,
    ];
    counts.map(|count| count.to_string()).join(" | ")
}
