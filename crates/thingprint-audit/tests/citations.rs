//! The page on what the policies cite, against the policies.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;
use std::path::Path;

use thingprint_audit::Policy;

/// The references in the first column of the page's table.
fn listed() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/best-practice.md");
    let page = std::fs::read_to_string(path).unwrap();
    let rows =
        page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next().map(str::to_owned));
    rows.filter(|reference| reference != "Reference").collect()
}

fn cited(policies: &[&str]) -> BTreeSet<String> {
    let policies = policies.iter().map(|name| Policy::built_in(name).unwrap());
    let of_policy = |policy: Policy| {
        let references = policy.rules().flat_map(|rule| policy.all_references(rule.id));
        references.map(str::to_owned).collect::<Vec<_>>()
    };
    policies.flat_map(of_policy).collect()
}

#[test]
fn the_page_lists_every_reference_and_no_other() {
    let is_judgement = |reference: &String| reference.starts_with("thingprint (own judgement: ");
    let documents: BTreeSet<String> =
        cited(&["bcp2026", "strict"]).into_iter().filter(|reference| !is_judgement(reference)).collect();
    assert_eq!(listed(), documents);
}

/// A document without a section could be cited unread.
#[test]
fn every_reference_has_a_section_or_is_a_judgement_or_a_registry() {
    for reference in cited(&["bcp2026", "strict", "paper2024"]) {
        let has_place = [" §", "thingprint (own judgement: ", "Registry)", "TLS Cipher Suites of IANA"]
            .iter()
            .any(|place| reference.contains(place));
        assert!(has_place, "{reference}");
        assert!(!reference.contains("; "), "{reference}: results join references with this");
    }
}
