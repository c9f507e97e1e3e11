use std::fs;

use super::{MODEL_SCHEMA, Model};
use crate::ModelSet;

/// The JSON Schema of a model as the types say it now.
fn generated() -> String {
    let schema = schemars::schema_for!(Model);
    format!("{}\n", serde_json::to_string_pretty(&schema).unwrap())
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let hint = "cargo test -p thingprint-protocol -- --ignored the_schema_is_written";
    assert!(MODEL_SCHEMA == generated(), "models/schema.json is stale: run `{hint}`");
}

#[test]
#[ignore = "writes models/schema.json"]
fn the_schema_is_written() {
    fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/models/schema.json"), generated()).unwrap();
}

#[test]
fn models_come_back_equal_from_json() {
    for model in ModelSet::built_in_models() {
        let text = serde_json::to_string(&model).unwrap();
        assert_eq!(Model::from_json(&text).unwrap(), model);
    }
}

#[test]
fn every_part_may_be_missing() {
    for text in [
        "{}",
        r#"{"info": {}, "metadata": {}, "contents": {}, "attributes": []}"#,
        r#"{"contents": {"request": {}}}"#,
    ] {
        assert_eq!(Model::from_json(text).unwrap().name(), "unnamed", "{text}");
    }
}

#[test]
fn what_the_schema_does_not_know_is_refused_with_its_place() {
    let check = |text: &str, expected: &str| {
        assert_eq!(Model::from_json(text).unwrap_err().to_string(), expected, "{text}");
    };
    check(
        r#"{"info": {"abbreviation": "x"}, "ports": [80]}"#,
        "model x, line 1, column 39: unknown field `ports`, expected one of `$schema`, `info`, `metadata`, \
         `contents`, `opening`, `attributes`",
    );
    check(
        r#"{"contents": {"request": {"matchers": [{"id": "1", "type": "byteseek", "pattern": "16"}]}}}"#,
        "model unnamed, line 1, column 69: unknown variant `byteseek`, expected one of `string`, `byte`, \
         `statistical`",
    );
    check(
        r#"{"metadata": {"server-ports": [{"ip-protocol": "tcp", "port": 65536}]}}"#,
        "model unnamed, line 1, column 67: invalid value: integer `65536`, expected u16",
    );
    check("{", "model unnamed, line 1, column 1: EOF while parsing an object");
}
