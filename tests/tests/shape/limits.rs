//! `docs/limits.md` names every cap of the code, with its value.

use std::collections::BTreeSet;
use std::fs;

use crate::tree::{TextFile, root, rust_files, text_files};

const PAGE: &str = "docs/limits.md";

/// Where the modules of the Python package are.
const PYTHON: &str = "crates/thingprint-python/python/thingprint";

/// How constants begin that are caps.
const PREFIXES: [&str; 4] = ["MAX_", "MOST_", "LONGEST_", "LARGEST_"];

/// How fields of options begin that are caps; others may be listed as well.
const FIELD_PREFIX: &str = "max_";

/// Types of constants that are no caps: numbers of a calculation.
const OTHER_TYPES: [&str; 2] = ["f64", "Self"];

/// A constant, or a field with its default.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cap {
    /// The file as the page names it.
    file: String,
    name: String,
    /// `None` where it follows from other constants.
    value: Option<u64>,
}

#[test]
fn every_cap_is_listed_with_its_value() {
    let of_python = python_caps();
    assert!(of_python.iter().any(|cap| cap.name == "MOST_SHARES"), "{of_python:?}");
    let caps: Vec<Cap> = rust_files().iter().flat_map(caps).chain(of_python).collect();
    let page = text_files().into_iter().find(|file| file.path == PAGE).unwrap();
    let listed = listed(&page.text);
    let is_listed: BTreeSet<(&str, &str)> =
        listed.iter().map(|cap| (cap.file.as_str(), cap.name.as_str())).collect();
    let missing = caps.iter().filter(|cap| is_cap(&cap.name) && !is_listed.contains(&(&cap.file, &cap.name)));
    let missing: Vec<String> = missing.map(|cap| format!("{} {} is missing", cap.file, cap.name)).collect();
    let wrong: Vec<String> = listed.iter().filter_map(|listed| fault(listed, &caps)).collect();
    assert_eq!((missing, wrong), (Vec::new(), Vec::new()), "{PAGE}");
    assert!(listed.len() > 100, "only {} caps are read from {PAGE}", listed.len());
}

/// What is wrong with a row of the page.
fn fault(listed: &Cap, caps: &[Cap]) -> Option<String> {
    let Cap { file, name, value } = listed;
    let there: Vec<_> = caps.iter().filter(|cap| cap.file == *file && cap.name == *name).collect();
    if there.is_empty() {
        return Some(format!("{file} {name} is not there"));
    }
    let is_right = there.iter().any(|cap| cap.value.is_none() || cap.value == *value);
    (!is_right).then(|| format!("{file} {name}: {value:?} is listed, and the code has {there:?}"))
}

fn is_cap(name: &str) -> bool {
    let public = name.trim_start_matches('_');
    PREFIXES.iter().any(|prefix| public.starts_with(prefix)) || name.starts_with(FIELD_PREFIX)
}

/// The constants, and the fields with numbers, of a file of a crate.
fn caps(file: &TextFile) -> Vec<Cap> {
    let Some(name) = page_name(&file.path) else { return Vec::new() };
    let lines = file.text.lines().map(str::trim).take_while(|line| !line.starts_with("mod tests"));
    let cap = |(cap, value): (&str, Option<u64>)| Cap { file: name.clone(), name: cap.to_owned(), value };
    lines.flat_map(|line| constant(line).into_iter().chain(fields(line))).map(cap).collect()
}

/// The constants of the modules of the Python package, whose names may begin with an underscore.
fn python_caps() -> Vec<Cap> {
    let mut caps = Vec::new();
    for entry in fs::read_dir(root().join(PYTHON)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "py") {
            continue;
        }
        let file = format!("python/{}", path.file_name().unwrap().to_string_lossy());
        let text = fs::read_to_string(&path).unwrap();
        let constants = text.lines().filter_map(|line| line.split_once(" = "));
        let constants =
            constants.filter(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
        caps.extend(constants.map(|(name, expression)| Cap {
            file: file.clone(),
            name: name.to_owned(),
            value: value(expression),
        }));
    }
    caps
}

/// A file as the page names it: `flow/capture/reader.rs`; tests have no caps.
fn page_name(path: &str) -> Option<String> {
    let (package, file) = path.strip_prefix("crates/")?.split_once("/src/")?;
    let is_test = file == "tests.rs" || file.ends_with("/tests.rs") || file.contains("tests/");
    let package = package.strip_prefix("thingprint-").unwrap_or(package);
    (!is_test).then(|| format!("{package}/{file}"))
}

fn constant(line: &str) -> Option<(&str, Option<u64>)> {
    let (before, rest) = line.split_once("const ")?;
    let (name, rest) = rest.split_once(": ")?;
    let (of_type, expression) = rest.strip_suffix(';')?.split_once(" = ")?;
    let is_one = (before.is_empty() || before.starts_with("pub")) && !OTHER_TYPES.contains(&of_type);
    is_one.then(|| (name, value(expression)))
}

/// The fields with numbers of a line: `max_words: 1 << 14,`, or several in braces.
fn fields(line: &str) -> Vec<(&str, Option<u64>)> {
    let inside = line.split_once("{ ").map_or(line, |(_, inside)| inside);
    let inside = inside.trim_end_matches(['}', ' ', ',']);
    let is_constant = |text: &str| text.len() > 1 && text.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let fields = inside.split(", ").filter_map(|part| part.split_once(": "));
    let fields = fields.map(|(name, expression)| (name, value(expression), is_constant(expression)));
    let fields = fields.filter(|(_, value, is_constant)| value.is_some() || *is_constant);
    fields.map(|(name, value, _)| (name, value)).collect()
}

/// What an expression of numbers, shifts and products comes to; times are in seconds.
fn value(expression: &str) -> Option<u64> {
    for (call, seconds) in
        [("Duration::from_secs(", 1), ("Duration::from_mins(", 60), ("Duration::from_hours(", 3600)]
    {
        if let Some(number) = expression.strip_prefix(call) {
            return Some(value(number.strip_suffix(')')?)? * seconds);
        }
    }
    if let Some((left, right)) = expression.rsplit_once(" + ") {
        return Some(value(left)? + value(right)?);
    }
    if let Some((left, right)) = expression.split_once(" << ") {
        return value(left)?.checked_shl(value(right)?.try_into().ok()?);
    }
    if let Some((left, right)) = expression.split_once(" * ") {
        return Some(value(left)? * value(right)?);
    }
    let number = expression.trim_matches(['(', ')']).replace('_', "");
    match number.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None if number == expression.replace('_', "") => number.parse().ok(),
        None => value(&number),
    }
}

/// The caps that the rows of the page name: "`flow/packet.rs` `MOST_OPTIONS` | 12".
fn listed(page: &str) -> Vec<Cap> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    rows.flat_map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let pairs = cells.windows(2).filter_map(|pair| match pair {
            [names, value] if names.contains(".rs` `") || names.contains(".py` `") => {
                Some((*names, stated(value)))
            }
            _ => None,
        });
        pairs
            .flat_map(|(names, value)| {
                let spans: Vec<&str> = names.split('`').skip(1).step_by(2).collect();
                let caps = spans.chunks_exact(2).filter_map(|pair| match pair {
                    [file, name] => Some(Cap { file: (*file).to_owned(), name: (*name).to_owned(), value }),
                    _ => None,
                });
                caps.collect::<Vec<_>>()
            })
            .collect::<Vec<_>>()
    })
    .collect()
}

/// What a cell states: `65,536`, `64 MiB`, `1 min`.
fn stated(cell: &str) -> Option<u64> {
    let mut words = cell.split(' ');
    let number: u64 = words.next()?.replace(',', "").parse().ok()?;
    let unit = match words.next() {
        None | Some("s") => 1,
        Some("KiB") => 1 << 10,
        Some("MiB") => 1 << 20,
        Some("GiB") => 1 << 30,
        Some("min") => 60,
        Some("h") => 3600,
        Some(_) => return None,
    };
    Some(number * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_from_code_and_from_the_page() {
        for (code, page, expected) in [
            ("65_536", "65,536", 65_536),
            ("1 << 16", "64 KiB", 65_536),
            ("(1 << 14) + 2048", "18 KiB", 18_432),
            ("64 * 1024 * 1024", "64 MiB", 67_108_864),
            ("Duration::from_mins(10)", "10 min", 600),
            ("0x000f_ffff", "1,048,575", 1_048_575),
        ] {
            assert_eq!((value(code), stated(page)), (Some(expected), Some(expected)), "{code}");
        }
        assert_eq!(value("2 * MOST_RUNS"), None);
    }

    #[test]
    fn caps_of_code_and_page_are_found() {
        let code = "const MOST_FRAMES: usize = 1 << 16;\n    Self { datagrams: 1024, bytes: 16 * 1024 }\n\
                    max_words: 8,\nmod tests {\nconst MOST_TESTS: usize = 1;";
        let file = TextFile {
            path: "crates/thingprint-flow/src/decode/copies.rs".to_owned(),
            text: code.to_owned(),
        };
        let found: Vec<_> = caps(&file).into_iter().map(|cap| (cap.name, cap.value)).collect();
        let expected = [("MOST_FRAMES", 65_536), ("datagrams", 1024), ("bytes", 16_384), ("max_words", 8)];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), Some(value))));
        let cap = |name: &str| Cap {
            file: "flow/decode/copies.rs".to_owned(),
            name: name.to_owned(),
            value: Some(9),
        };
        let row =
            "| frames | `flow/decode/copies.rs` `MOST_FRAMES`, `flow/decode/copies.rs` `MOST` | 9 | in all |";
        assert_eq!(listed(row), [cap("MOST_FRAMES"), cap("MOST")]);
        assert!(fault(&cap("MOST_FRAMES"), &caps(&file)).is_some_and(|fault| fault.contains("65536")));
        assert!(fault(&cap("MOST"), &caps(&file)).is_some_and(|fault| fault.ends_with("is not there")));
    }
}
