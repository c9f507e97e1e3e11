//! The log in SARIF 2.1.0: what the standard demands beyond its schema, which the tests of the command look after.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use thingprint_audit::{Audit, Auditor, Policy, Rule, Severity, sarif};
use thingprint_flow::{Capture, Flow, FlowOptions, Trace, TraceOptions, Tracker};
use thingprint_protocol::{Detector, Engine, Heard};
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
    let detector = Detector::collecting(&engine, |flow: Flow<Heard>| auditor.flow(&engine, &flow));
    let mut tracker = Tracker::new(FlowOptions::default(), detector);
    while let Some(packet) = trace.next_packet() {
        tracker.push(&packet);
    }
    let devices = tracker.finish().devices;
    auditor.finish(&devices, &BTreeMap::new())
}

/// Whether a message has neither placeholders (§3.11.5) nor links (§3.11.6).
fn is_plain(text: &str) -> bool {
    let mut rest = text.replace("\\\\", "").replace("\\[", "").replace("\\]", "");
    rest = rest.replace("{{", "").replace("}}", "");
    !rest.contains(['[', ']', '{', '}', '\\'])
}

#[test]
fn results_lead_to_their_rules_and_can_be_told_apart() {
    let policy = Policy::built_in("bcp2026").unwrap();
    let audit = audit(&policy);
    let log = serde_json::to_value(sarif::log(&audit, &policy, Vec::new())).unwrap();
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), Rule::all().len());
    for (entry, rule) in rules.iter().zip(Rule::all()) {
        let help = entry["help"]["text"].as_str().unwrap();
        let (why, example, remediation) = (rule.why, rule.example, rule.remediation);
        assert!(
            help.starts_with(&format!("Why: {why}\n\nExample: {example}\n\nRemediation: {remediation}\n\n")),
            "{help}"
        );
        assert!(is_plain(help) && help.contains("Accepted: ") && help.contains("Reference: "), "{help}");
    }
    let results = log["runs"][0]["results"].as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(is_plain(result["message"]["text"].as_str().unwrap()), "{result}");
        assert!(result["properties"]["flows"].as_u64() <= result["properties"]["total"].as_u64());
        assert_eq!(result["occurrenceCount"], result["properties"]["flows"]);
        let is_of_suite = ["TLS-003", "TLS-004"].map(Into::into).contains(&result["ruleId"]);
        let findings = result["properties"]["findings"].as_array().unwrap();
        assert!(!findings.is_empty());
        assert!(findings.iter().all(|finding| finding["grade"].is_string() == is_of_suite), "{result}");
    }
    let marks: BTreeSet<&str> =
        results.iter().map(|result| result["partialFingerprints"]["finding/v1"].as_str().unwrap()).collect();
    assert_eq!(marks.len(), results.len());
    let listed = results.iter().map(|result| result["properties"]["findings"].as_array().unwrap().len());
    assert_eq!(listed.sum::<usize>(), audit.at_or_over(Severity::Note).count());
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
    let address = device.device.to_string();
    let log = serde_json::to_value(sarif::log(&audit, &policy, Vec::new())).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let mark = |result: &Value| result["partialFingerprints"]["finding/v1"].as_str().unwrap().to_owned();
    let marks: BTreeSet<String> = results.iter().map(mark).collect();
    assert_eq!(marks.len(), results.len());
    assert_eq!(marks.iter().filter(|mark| mark.starts_with(&address)).count(), 2);
}

/// As in tables: many suites of one grade are one result, whose fingerprint does not change with one more of them.
#[test]
fn suites_of_one_grade_are_one_result_that_lists_them() {
    let policy = Policy::built_in("bcp2026").unwrap();
    let mut audit = audit(&policy);
    audit.devices.retain(|device| device.findings.iter().any(|finding| finding.suite.is_some()));
    audit.devices.truncate(1);
    let device = &mut audit.devices[0];
    device.findings.retain(|finding| finding.suite.is_some());
    device.findings.truncate(1);
    let results = |audit: &Audit| -> Vec<Value> {
        let log = serde_json::to_value(sarif::log(audit, &policy, Vec::new())).unwrap();
        log["runs"][0]["results"].as_array().unwrap().clone()
    };
    let [one] = &results(&audit)[..] else { panic!("one result") };
    let device = &mut audit.devices[0];
    let mut other = device.findings[0].clone();
    other.seen = "another of this grade".to_owned();
    other.flows += 2;
    other.total += 2;
    other.example.capture = Some("later.pcap".to_owned());
    device.findings.push(other);
    let [two] = &results(&audit)[..] else { panic!("one result") };
    assert_eq!(one["partialFingerprints"], two["partialFingerprints"]);
    assert_eq!(one["properties"]["findings"].as_array().unwrap().len(), 1);
    assert_eq!(two["properties"]["findings"].as_array().unwrap().len(), 2);
    let flows = |result: &Value| result["occurrenceCount"].as_u64().unwrap();
    assert_eq!(flows(two), flows(one) + 2);
    assert_eq!(one.get("relatedLocations"), None);
    let place = |location: &Value| location["physicalLocation"]["artifactLocation"]["uri"].clone();
    let related: Vec<Value> = two["relatedLocations"].as_array().unwrap().iter().map(place).collect();
    assert_eq!((place(&two["locations"][0]), related), ("capture".into(), vec!["later.pcap".into()]));
    // A later audit knows each of them again, and an earlier log of single results as well.
    let log = serde_json::to_string(&sarif::log(&audit, &policy, Vec::new())).unwrap();
    let known = thingprint_audit::KnownFindings::from_sarif(&log).unwrap();
    assert_eq!(audit.clone().set_aside(&known, &policy, None).known, 2);
}
