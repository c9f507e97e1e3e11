//! The log in SARIF 2.1.0: what the standard demands of the objects that are written.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use thingprint_audit::{Audit, Auditor, Policy, Rule, Severity, sarif};
use thingprint_flow::{Capture, Flow, FlowOptions, Trace, TraceOptions, Tracker};
use thingprint_protocol::{Engine, Heard, Listener};
use thingprint_sim::{CaptureReader, Simulation, SimulationOptions, unsafe_home};

fn audit(policy: &Policy) -> Audit {
    let options = SimulationOptions { duration_s: 700, ..SimulationOptions::default() };
    let open = move || {
        let simulation = Simulation::new(&unsafe_home().unwrap(), options).unwrap();
        Ok(Box::new(CaptureReader::new(simulation)) as _)
    };
    let mut trace = Trace::new(vec![Capture::new("the home", open)], TraceOptions::default());
    let engine = Engine::default();
    let mut auditor = Auditor::new(policy.clone());
    let listener = Listener::new(&engine, |flow: Flow<Heard>| auditor.flow(&engine, &flow));
    let mut tracker = Tracker::new(FlowOptions::default(), listener);
    while let Some(packet) = trace.next_packet() {
        tracker.push(&packet);
    }
    let devices = tracker.finish().devices;
    auditor.finish(&devices, &BTreeMap::new())
}

/// Checks that an object has these members and no others; its members.
fn object<'a>(value: &'a Value, members: &[&str]) -> &'a Map<String, Value> {
    let object = value.as_object().unwrap();
    let found: BTreeSet<&str> = object.keys().map(String::as_str).collect();
    assert_eq!(found, members.iter().copied().collect::<BTreeSet<_>>());
    object
}

/// Checks a message or a multi-format message: it has a text (§3.11.7, §3.12.3).
fn check_text(value: &Value) {
    assert!(!object(value, &["text"])["text"].as_str().unwrap().is_empty());
}

/// Whether a message has neither placeholders (§3.11.5) nor links (§3.11.6).
fn is_plain(text: &str) -> bool {
    let mut rest = text.replace("\\\\", "").replace("\\[", "").replace("\\]", "");
    rest = rest.replace("{{", "").replace("}}", "");
    !rest.contains(['[', ']', '{', '}', '\\'])
}

/// Checks the rules of a driver (§3.49); their ids.
fn check_rules(rules: &[Value]) -> Vec<&str> {
    let check = |rule| {
        let rule = object(rule, &["id", "shortDescription", "fullDescription", "help"]);
        for field in ["shortDescription", "fullDescription", "help"] {
            check_text(&rule[field]);
        }
        rule["id"].as_str().unwrap()
    };
    let ids: Vec<&str> = rules.iter().map(check).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    ids
}

/// Checks a result (§3.27); its fingerprint.
fn check_result<'a>(result: &'a Value, rules: &[&str]) -> &'a str {
    let members =
        ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints", "properties"];
    let result = object(result, &members);
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(rules[index], result["ruleId"]);
    assert!(["note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
    check_text(&result["message"]);
    assert!(is_plain(result["message"]["text"].as_str().unwrap()), "{result:?}");
    let properties = object(&result["properties"], &["by", "flows", "total", "seen", "example"]);
    assert!(["device", "peer"].contains(&properties["by"].as_str().unwrap()));
    assert!(
        properties["flows"].as_u64() > Some(0)
            && properties["flows"].as_u64() <= properties["total"].as_u64()
    );
    let [location] = &result["locations"].as_array().unwrap()[..] else { panic!("one location") };
    let [place] = &object(location, &["logicalLocations"])["logicalLocations"].as_array().unwrap()[..] else {
        panic!("one place")
    };
    let place = object(place, &["name", "fullyQualifiedName", "kind"]);
    assert!(place.values().all(|text| !text.as_str().unwrap().is_empty()));
    object(&result["partialFingerprints"], &["finding/v1"])["finding/v1"].as_str().unwrap()
}

#[test]
fn the_log_has_the_form_of_the_standard() {
    let policy = Policy::built_in("bcp2026").unwrap();
    let audit = audit(&policy);
    let log = serde_json::to_value(sarif::log(&audit, &policy, Vec::new())).unwrap();
    let log = object(&log, &["$schema", "version", "runs"]);
    assert_eq!(log["version"], "2.1.0");
    let [run] = &log["runs"].as_array().unwrap()[..] else { panic!("one run") };
    let run = object(run, &["tool", "results", "properties"]);
    assert_eq!(run["properties"]["policy"], "bcp2026");
    let driver = object(&object(&run["tool"], &["driver"])["driver"], &["name", "semanticVersion", "rules"]);
    assert_eq!(driver["name"], "thingprint");
    let rules = check_rules(driver["rules"].as_array().unwrap());
    assert_eq!(rules.len(), Rule::all().len());
    let results = run["results"].as_array().unwrap();
    let fingerprints: BTreeSet<&str> = results.iter().map(|result| check_result(result, &rules)).collect();
    assert_eq!(
        (fingerprints.len(), results.len()),
        (results.len(), audit.at_or_over(Severity::Note).count())
    );
    assert!(results.len() >= Rule::all().len());
}

#[test]
fn the_same_audit_gives_the_same_bytes() {
    let policy = Policy::built_in("strict").unwrap();
    let log = || serde_json::to_string(&sarif::log(&audit(&policy), &policy, Vec::new())).unwrap();
    assert_eq!(log(), log());
}

#[test]
fn what_a_device_sends_is_no_link_and_a_rule_that_is_unknown_has_no_index() {
    let policy = Policy::built_in("bcp2026").unwrap();
    let mut audit = audit(&policy);
    let device = audit.devices.iter_mut().find(|device| !device.findings.is_empty()).unwrap();
    device.label = Some("lamp {1}".to_owned());
    device.findings.truncate(1);
    device.findings[0].seen = "[pay](https://evil.example) {0} \\".to_owned();
    device.findings[0].rule = "OWN-001";
    audit.devices.retain(|device| device.label.is_some());
    let log = serde_json::to_value(sarif::log(&audit, &policy, Vec::new())).unwrap();
    let [result] = &log["runs"][0]["results"].as_array().unwrap()[..] else { panic!("one result") };
    let text = result["message"]["text"].as_str().unwrap();
    assert!(is_plain(text) && text.contains("\\[pay\\](https://evil.example) {{0}} \\\\"), "{text}");
    assert!(text.contains("lamp {{1}}"));
    assert_eq!(result.get("ruleIndex"), None);
    assert_eq!(result["properties"]["seen"], "[pay](https://evil.example) {0} \\");
}

#[test]
fn the_same_value_with_an_answer_and_without_is_two_results() {
    let policy = Policy::built_in("bcp2026").unwrap();
    let mut audit = audit(&policy);
    let device = audit.devices.iter_mut().find(|device| device.findings.len() == 1).unwrap();
    let mut other = device.findings[0].clone();
    other.severity = Severity::Note;
    device.findings.push(other);
    let count = audit.at_or_over(Severity::Note).count();
    let log = serde_json::to_value(sarif::log(&audit, &policy, Vec::new())).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let mark = |result: &Value| result["partialFingerprints"]["finding/v1"].as_str().unwrap().to_owned();
    assert_eq!(results.iter().map(mark).collect::<BTreeSet<_>>().len(), count);
}
