//! Our grades against those that ciphersuite.info gave in 2021, where that list is at hand.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use thingprint_audit::{Flaw, Grade, Suite};

/// Why a grade of 2021 differs from ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// Keys of RSA, PSK or static Diffie-Hellman were no flaw where the rest was good.
    ForwardSecrecy,
    /// Cipher block chaining was no flaw where the hash was good.
    Cbc,
    /// Ephemeral finite-field Diffie-Hellman was recommended.
    Dhe,
}

/// The grades of 2021 by code.
fn grades_of_2021() -> Option<BTreeMap<u16, String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/reference/ciphersuite_info_api_2021.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: no list of grades beside the workspace");
        return None;
    };
    let list: Value = serde_json::from_str(&text).unwrap();
    let entry = |entry: &Value| {
        let suite = entry.as_object().unwrap().values().next().unwrap().clone();
        let byte = |name: &str| {
            u16::from_str_radix(suite[name].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
        };
        (byte("hex_byte_1") << 8 | byte("hex_byte_2"), suite["security"].as_str().unwrap().to_owned())
    };
    Some(list["ciphersuites"].as_array().unwrap().iter().map(entry).collect())
}

fn cause(suite: &Suite) -> Option<Cause> {
    if suite.flaws.contains(&Flaw::NoForwardSecrecy) {
        Some(Cause::ForwardSecrecy)
    } else if suite.flaws.contains(&Flaw::Cbc) {
        Some(Cause::Cbc)
    } else {
        suite.is_dhe.then_some(Cause::Dhe)
    }
}

#[test]
fn every_difference_from_2021_has_a_cause() {
    let Some(then) = grades_of_2021() else { return };
    assert_eq!(then.len(), 337);
    let mut differences: BTreeMap<(Cause, String, Grade), usize> = BTreeMap::new();
    for (code, grade_then) in &then {
        let suite = Suite::of(*code).unwrap();
        let grade = suite.grade.unwrap();
        if grade.as_str() != grade_then {
            let cause = cause(suite).unwrap_or_else(|| panic!("{}: {grade_then}, now {grade}", suite.name));
            *differences.entry((cause, grade_then.clone(), grade)).or_default() += 1;
        }
    }
    let expected = [
        ((Cause::ForwardSecrecy, "secure".to_owned(), Grade::Weak), 46),
        ((Cause::Cbc, "secure".to_owned(), Grade::Weak), 36),
        ((Cause::Dhe, "recommended".to_owned(), Grade::Secure), 26),
    ];
    assert_eq!(differences, BTreeMap::from(expected));
}

#[test]
fn suites_that_the_list_of_2021_lacks_came_later_or_are_no_suites() {
    let Some(then) = grades_of_2021() else { return };
    let missing: Vec<&str> =
        Suite::all().iter().filter(|suite| !then.contains_key(&suite.code)).map(|suite| suite.name).collect();
    let is_of = |part: &'static str| missing.iter().filter(move |name| name.contains(part)).count();
    let counts =
        ["SCSV", "ASCON", "AEGIS", "SM4", "GOST", "TLS_SHA256_SHA256", "TLS_SHA384_SHA384"].map(is_of);
    assert_eq!((counts, missing.len()), ([2, 4, 2, 2, 7, 1, 1], 19), "{missing:?}");
}
