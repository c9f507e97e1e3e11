//! Findings that somebody knows: of an earlier audit, and those that a policy suppresses.

use std::fs;

use serde_json::json;

use super::{devices, findings, stage_with_unsafe_home, verdict};

#[test]
fn known_findings_stay_out_and_new_ones_do_not() {
    let stage = stage_with_unsafe_home();
    stage.ok("audit home.pcap --labels labels.csv --sarif all.sarif");
    let nothing = stage
        .ok("audit home.pcap --labels labels.csv --known-findings all.sarif --fail-on note --format json");
    let audit = nothing.json();
    assert!(devices(&audit).values().all(|device| findings(device).is_empty()));
    let all = audit["set_aside"]["known"].as_u64().unwrap();
    assert!(all >= 20, "{all}");
    assert!(
        nothing.stderr.contains(&format!("{all} findings of an earlier audit left out")),
        "{}",
        nothing.stderr
    );
    // Of one device alone, what the others did is new.
    stage.ok("audit home.pcap --labels labels.csv --device http-002-basic --sarif one.sarif");
    let said = stage
        .run("audit home.pcap --labels labels.csv --known-findings one.sarif --fail-on error --format json");
    assert_eq!(said.status, 3);
    let audit = said.json();
    assert_eq!(audit["set_aside"]["known"], 1);
    assert_eq!(verdict(devices(&audit)["http-002-basic"]), []);
    fs::write(stage.path("bad.sarif"), "{}").unwrap();
    stage.fails(
        "audit home.pcap --known-findings bad.sarif",
        1,
        &["bad.sarif", "no 'runs'", "audit --sarif"],
    );
}

#[test]
fn an_audit_can_be_of_some_devices() {
    let stage = stage_with_unsafe_home();
    let one = stage.ok("audit home.pcap --labels labels.csv --device http-002-basic --format json").json();
    assert_eq!(one["devices"].as_array().unwrap().len(), 1);
    assert_eq!(verdict(devices(&one)["http-002-basic"]), [("HTTP-002", "warning")]);
    let two =
        "audit home.pcap --labels labels.csv --device keeps-all --device A8:40:7C:20:00:07 --format json";
    assert_eq!(stage.ok(two).json()["devices"].as_array().unwrap().len(), 2);
    stage.fails("audit home.pcap --device keeps-all", 2, &["'keeps-all'", "--labels"]);
}

#[test]
fn a_policy_suppresses_with_a_reason_until_a_day() {
    let stage = stage_with_unsafe_home();
    let policy = stage.ok("audit --policy-show bcp2026").stdout;
    let suppress = |until: &str| {
        let table = format!(
            "\n[[suppress]]\nrule = \"HTTP-002\"\ndevice = \"http-002-basic\"\nseen = \"Basic\"\nreason = \"replaced in spring\"\nuntil = \"{until}\"\n"
        );
        fs::write(stage.path("own.toml"), policy.clone() + &table).unwrap();
        stage.ok("audit home.pcap --labels labels.csv --policy own.toml --format json")
    };
    // The home is of 2024-06-03.
    let acting = suppress("2024-06-03");
    assert_eq!(verdict(devices(&acting.json())["http-002-basic"]), []);
    let entry =
        json!({ "rule": "HTTP-002", "reason": "replaced in spring", "until": "2024-06-03", "findings": 1 });
    assert_eq!(acting.json()["set_aside"]["suppressed"], json!([entry]));
    assert!(acting.stderr.contains("1 finding of HTTP-002 suppressed until 2024-06-03: replaced in spring"));
    let over = suppress("2024-06-02");
    assert_eq!(verdict(devices(&over.json())["http-002-basic"]), [("HTTP-002", "warning")]);
    assert!(
        over.stderr.contains("warning: the suppression of HTTP-002 ended on 2024-06-02"),
        "{}",
        over.stderr
    );
}
