//! What `audit` writes, held against schemas: the published one of SARIF 2.1.0, and the form that was agreed on for JSON.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::stage_with_unsafe_home;

/// A package of which the schema is a part, and where it is in it. Nothing of it is compiled: it is a dependency on a
/// platform alone on which nobody runs these tests.
const PACKAGE: &str = "serde-sarif";
const SCHEMA: &str = "src/schema.json";
const PLATFORM: &str = "x86_64-unknown-none";

/// The schema of SARIF 2.1.0 that OASIS publishes; cargo knows where it is, and fetches it where it is not yet there.
fn schema_of_sarif() -> Value {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", PLATFORM]);
    let output = cargo.arg("--manifest-path").arg(manifest).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == PACKAGE).unwrap();
    let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
    let mut schema: Value = serde_json::from_slice(&fs::read(folder.join(SCHEMA)).unwrap()).unwrap();
    let id = schema["$id"].as_str().unwrap();
    assert!(id.ends_with("/oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json"), "{id}");
    // Its pattern of languages has a bracket too many, which only ECMAScript takes; no language is written here.
    for definition in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][definition]["properties"]["language"];
        assert!(language.as_object_mut().unwrap().remove("pattern").is_some());
    }
    schema
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
}

/// What is wrong with a document, with the place of each fault.
fn faults(validator: &Validator, document: &Value) -> Vec<String> {
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_log_keeps_to_the_published_schema_of_sarif() {
    let stage = stage_with_unsafe_home();
    stage.ok("audit home.pcap --labels labels.csv --mud-out mud");
    let with_profile = "--labels labels.csv --mud keeps-all=mud/ntp-001-old-client.json";
    let log = stage.ok(&format!("audit home.pcap {with_profile} --format sarif")).json();
    let validator = validator(&schema_of_sarif());
    assert_eq!(faults(&validator, &log), [""; 0]);
    let run = &log["runs"][0];
    let ids = |list: &Value, id: &str| -> BTreeSet<String> {
        list.as_array().unwrap().iter().map(|entry| entry[id].as_str().unwrap().to_owned()).collect()
    };
    let rules = ids(&run["tool"]["driver"]["rules"], "id");
    assert_eq!(
        (ids(&run["results"], "ruleId"), rules.contains("MUD-001")),
        (rules, true),
        "each rule is broken"
    );

    let check = |place: &str, wrong: Value| {
        let mut log = log.clone();
        *log.pointer_mut(place).unwrap() = wrong;
        assert!(!faults(&validator, &log).is_empty(), "{place} is wrong and nothing is said");
    };
    check("/version", "2.0.0".into());
    check("/$schema", "no address".into());
    check("/runs/0/tool", json!({}));
    check("/runs/0/tool/driver/rules/0/help", "a text".into());
    check("/runs/0/results/0/level", "fatal".into());
    check("/runs/0/results/0/message", json!({}));
    check("/runs/0/results/0/ruleIndex", "0".into());
    check("/runs/0/results/0/locations/0/logicalLocations/0/kind", 1.into());
    check("/runs/0/results/0/partialFingerprints/finding~1v1", Value::Null);
    check("/runs/0/results/0", json!({ "severity": "error", "message": { "text": "unknown member" } }));
}

/// The members that others rely on; there may be more beside them.
fn schema_of_json() -> Value {
    let text = json!({ "type": "string", "minLength": 1 });
    let count = json!({ "type": "integer", "minimum": 0 });
    let flows = json!({
        "type": "object",
        "required": ["standard", "other"],
        "additionalProperties": false,
        "properties": { "standard": count, "other": count },
    });
    let finding = json!({
        "type": "object",
        "required": ["rule", "severity", "flows", "total", "seen", "expected", "reference"],
        "properties": {
            "rule": { "type": "string", "pattern": "^[A-Z]+-[0-9]{3}$" },
            "severity": { "enum": ["note", "warning", "error"] },
            "flows": { "type": "integer", "minimum": 1 },
            "total": { "type": "integer", "minimum": 1 },
            "seen": text,
            "expected": text,
            "reference": text,
            "cipher_suite": { "type": "string", "pattern": "^0x([0-9a-f]{4}|[0-9a-f]{6})$" },
            "grade": { "enum": ["insecure", "weak", "secure", "recommended", null] },
            "recommended": { "enum": ["Y", "N", "D", null] },
        },
        "dependentRequired": { "cipher_suite": ["grade", "recommended"] },
    });
    let device = json!({
        "type": "object",
        "required": ["device", "label", "protocols", "findings"],
        "properties": {
            "device": text,
            "label": { "type": ["string", "null"] },
            "protocols": { "type": "object", "additionalProperties": flows },
            "findings": { "type": "array", "items": finding },
        },
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["policy", "devices"],
        "properties": { "policy": text, "devices": { "type": "array", "minItems": 1, "items": device } },
    })
}

#[test]
fn the_json_has_the_form_that_was_agreed_on_by_every_policy() {
    let stage = stage_with_unsafe_home();
    let validator = validator(&schema_of_json());
    for policy in ["bcp2026", "paper2024", "strict"] {
        for labels in ["", "--labels labels.csv"] {
            let audit = stage.ok(&format!("audit home.pcap --policy {policy} {labels} --format json")).json();
            assert_eq!((faults(&validator, &audit), &audit["policy"]), (vec![], &policy.into()));
            let devices = audit["devices"].as_array().unwrap();
            let is_labelled = |device: &Value| device["class"] == "device" && !labels.is_empty();
            assert!(devices.iter().all(|device| device["label"].is_null() != is_labelled(device)));
            let findings: Vec<&Value> =
                devices.iter().flat_map(|device| device["findings"].as_array().unwrap()).collect();
            let of_suites = findings.iter().filter(|finding| finding["grade"].is_string());
            assert!(of_suites.count() >= 3, "{policy}");
            assert!(findings.iter().all(|it| it["flows"].as_u64() <= it["total"].as_u64()));
            assert_eq!(
                audit["dropped"],
                json!({
                    "devices": 0, "messages": 0, "findings": 0, "fingerprint_values": 0, "mud_flows": 0, "mud_names": 0,
                    "mud_controllers": 0, "mud_address_flows": 0
                })
            );
            assert_eq!(audit["left_out"], json!({ "devices": [], "others": {} }));
        }
    }
    let mut audit = stage.ok("audit home.pcap --format json").json();
    audit["devices"][1]["findings"][0]["total"] = "12".into();
    assert_eq!(faults(&validator, &audit).len(), 1);
}
