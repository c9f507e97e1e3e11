//! Our grades and names against lists of others, where those are at hand, and against our page on them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod suites_page;

use std::io::Write as _;
use std::path::Path;

use serde_json::Value;
use suites_page::Grades;
use thingprint_audit::{Flaw, Grade, Suite};

/// A file beside the workspace.
fn reference(name: &str) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/reference");
    let text = std::fs::read_to_string(folder.join(name)).ok();
    if text.is_none() {
        skip(name);
    }
    text
}

/// Says that a test is skipped, past the harness, which hides what a passing test prints.
fn skip(missing: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(std::io::stderr(), "skipped {test}: no {missing} beside the checkout");
}

/// The grades that ciphersuite.info gave in 2021.
fn grades_of_2021() -> Option<Grades> {
    let list: Value = serde_json::from_str(&reference("ciphersuite_info_api_2021.json")?).unwrap();
    let entry = |entry: &Value| {
        let suite = entry.as_object().unwrap().values().next().unwrap().clone();
        let byte = |name: &str| {
            u16::from_str_radix(suite[name].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
        };
        (byte("hex_byte_1") << 8 | byte("hex_byte_2"), suite["security"].as_str().unwrap().to_owned())
    };
    Some(list["ciphersuites"].as_array().unwrap().iter().map(entry).collect())
}

fn page() -> String {
    std::fs::read_to_string(suites_page::path()).unwrap()
}

#[test]
fn the_page_counts_what_the_code_grades() {
    let page = page();
    assert_eq!(suites_page::table(&page, "flaws"), Some(suites_page::flaws().as_str()));
    assert_eq!(suites_page::table(&page, "counts"), Some(suites_page::counts().as_str()));
}

/// Without the list of 2021, too: what the page says of us is what the code says.
#[test]
fn the_page_names_and_grades_each_suite_as_the_code_does() {
    let page = page();
    let check = |table: &str, expected: usize, columns: usize| {
        let rows = suites_page::rows(suites_page::table(&page, table).unwrap());
        assert_eq!(rows.len(), expected, "{table}");
        for row in rows {
            assert_eq!(row.len(), columns, "{row:?}");
            let suite = Suite::of(u16::from_str_radix(row[0], 16).unwrap()).unwrap();
            assert_eq!((row[1], row[2]), (suite.name, suites_page::grade(suite)));
            assert_eq!(*row.last().unwrap(), suites_page::criterion(suite), "{}", suite.name);
        }
    };
    check("differences", 108, 5);
    check("absences", 19, 4);
}

#[test]
fn the_page_has_every_difference_from_2021() {
    let Some(then) = grades_of_2021() else { return };
    assert_eq!(then.len(), 337);
    let page = page();
    assert_eq!(suites_page::table(&page, "differences"), Some(suites_page::differences(&then).as_str()));
    assert_eq!(suites_page::table(&page, "absences"), Some(suites_page::absences(&then).as_str()));
}

/// Writes the tables of the page anew: `cargo test -p thingprint-audit --test grades -- --ignored`.
#[test]
#[ignore = "it changes the page"]
fn write_the_page() {
    let Some(then) = grades_of_2021() else { return };
    let tables = [
        ("flaws", suites_page::flaws()),
        ("counts", suites_page::counts()),
        ("differences", suites_page::differences(&then)),
        ("absences", suites_page::absences(&then)),
    ];
    let mut page = page();
    for (name, table) in tables {
        page = suites_page::with_table(&page, name, &table).unwrap();
    }
    std::fs::write(suites_page::path(), page).unwrap();
}

/// Three criteria differ, and each goes one way alone.
#[test]
fn every_difference_from_2021_has_a_cause() {
    let Some(then) = grades_of_2021() else { return };
    let (mut keys, mut chaining, mut finite_fields) = (0, 0, 0);
    for suite in Suite::all() {
        let Some((grade_then, grade)) = then.get(&suite.code).zip(suite.grade) else { continue };
        if grade_then == grade.as_str() {
            continue;
        }
        match (grade_then.as_str(), grade) {
            ("secure", Grade::Weak) if suite.flaws.contains(&Flaw::NoForwardSecrecy) => keys += 1,
            ("secure", Grade::Weak) if suite.flaws == [Flaw::Cbc] => chaining += 1,
            ("recommended", Grade::Secure) if suite.is_dhe => finite_fields += 1,
            _ => panic!("{}: {grade_then}, now {grade}", suite.name),
        }
    }
    assert_eq!((keys, chaining, finite_fields), (46, 36, 26));
}

/// The registry as it was in 2015, to which somebody added the suites with `ChaCha20`.
#[test]
fn names_are_those_of_the_registry_in_2015() {
    let Some(list) = reference("iana_tls-parameters-4.csv") else { return };
    let mut unregistered = Vec::new();
    let mut registered = 0;
    for line in list.lines() {
        // "0xC0,0x2F",TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,Y,[RFC5289]
        let Some((code, rest)) = line.strip_prefix('"').and_then(|line| line.split_once("\",")) else {
            continue;
        };
        let Some(name) = rest.split(',').next().filter(|name| name.starts_with("TLS_")) else { continue };
        let code = u16::from_str_radix(&code.replace("0x", "").replace(',', ""), 16).unwrap();
        let suite = Suite::of(code).unwrap_or_else(|| panic!("{code:04x} {name}"));
        assert_eq!(suite.name, name.trim(), "{code:04x}");
        if Suite::all().contains(suite) {
            registered += 1;
        } else {
            unregistered.push(code);
        }
    }
    assert_eq!((registered, unregistered), (324, vec![0x0062, 0x0063, 0x0064, 0x0065, 0x0066]));
}
