//! The page about policies says what the program does.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fmt::Write as _;
use std::path::Path;

use thingprint_audit::{Policy, Rule, Severity};

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policies.md")).unwrap()
}

/// What stands between the marks of a name, without the line of the first.
fn part<'a>(page: &'a str, name: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("<!-- {name}:begin")).unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    rest.split_once(&format!("<!-- {name}:end")).unwrap().0
}

#[test]
fn the_page_has_the_values_of_every_rule() {
    let mut table = "| rule | looks at | values |\n|---|---|---|\n".to_owned();
    for rule in Rule::all() {
        let _ = writeln!(table, "| {} | {} | {} |", rule.id, rule.title, rule.values());
    }
    assert_eq!(part(&page(), "values"), table);
}

#[test]
fn the_example_of_the_page_is_a_policy() {
    let page = page();
    let text = part(&page, "example").trim_start_matches("```toml\n").trim_end().trim_end_matches("```");
    let policy = Policy::from_toml("office.toml", text).unwrap();
    assert_eq!((policy.name(), policy.unanswered()), ("office", Some(Severity::Note)));
    assert_eq!(policy.rules().map(|rule| rule.id).collect::<Vec<_>>(), ["SSDP-003", "TLS-001"]);
    assert_eq!(policy.expected("SSDP-003"), Some("few hops"));
    assert_eq!(policy.expected("TLS-001"), Some("TLSv12, TLSv13"));
    assert_eq!(policy.values_of("SSDP-003", Severity::Warning).as_deref(), Some("3-4"));
}

#[test]
fn the_text_of_a_built_in_policy_can_be_given_back() {
    for name in Policy::names() {
        let copy = Policy::from_toml("copy.toml", Policy::built_in_text(name).unwrap()).unwrap();
        assert_eq!(copy.name(), name);
    }
    assert_eq!(Policy::built_in_text("lenient"), None);
}
