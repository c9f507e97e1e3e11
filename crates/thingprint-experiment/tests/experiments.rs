//! The definitions and data sets of the repository can be read.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use thingprint_experiment::{Analysis, Dataset, Definition};

/// Data sets that a simulator plays, whose files it reads itself.
const SIMULATED: [&str; 2] = ["home", "unsw28"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn definitions() -> Vec<(PathBuf, Definition)> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(root().join("experiments")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let definition = Definition::from_toml(&path.display().to_string(), &text).unwrap();
        (path, definition)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn every_definition_is_read_and_named_after_its_file() {
    let definitions = definitions();
    assert!(definitions.len() >= 17, "{} definitions", definitions.len());
    for (path, definition) in definitions {
        assert_eq!(path.file_stem().unwrap().to_str().unwrap(), definition.name);
    }
}

#[test]
fn every_data_set_is_described() {
    let named: BTreeSet<String> =
        definitions().into_iter().flat_map(|(_, definition)| definition.data).collect();
    let captured: BTreeSet<String> =
        named.into_iter().filter(|name| !SIMULATED.contains(&name.as_str())).collect();
    assert_eq!(captured.iter().collect::<Vec<_>>(), ["homes", "sentinel", "unsw2016"]);
    for name in captured {
        let path = root().join("datasets").join(&name).join("dataset.toml");
        let dataset = Dataset::from_toml(&name, &fs::read_to_string(path).unwrap()).unwrap();
        assert!(dataset.obtain.contains(&format!("--data {name}=")), "{name} does not say how to give it");
    }
}

/// The paper's own public weeks come right after the simulation that stands in for the rest.
#[test]
fn whatever_runs_on_captured_homes_runs_on_the_public_weeks() {
    let homes = |definition: &Definition| definition.data.iter().any(|name| name == "homes");
    let definitions = definitions();
    let on_homes: Vec<_> = definitions.iter().filter(|(_, definition)| homes(definition)).collect();
    assert!(on_homes.len() >= 15, "{} definitions", on_homes.len());
    for (_, definition) in on_homes {
        // The simulated testbed has one unit of each device.
        let first = if definition.name == "unseen-units" { "sentinel" } else { "unsw28" };
        assert_eq!(definition.data[..2], [first, "unsw2016"], "{}", definition.name);
    }
}

/// What the committed results hold: a band on a number that no run has would never be judged.
#[test]
fn every_band_is_on_a_number_that_is_measured() {
    let mut judged = 0;
    for (_, definition) in definitions() {
        for dataset in &definition.data {
            let path = root().join("results").join(definition.run_name(dataset)).join("metrics.json");
            let Ok(text) = fs::read_to_string(path) else { continue };
            let metrics: serde_json::Value = serde_json::from_str(&text).unwrap();
            if metrics["dataset"] != **dataset {
                continue;
            }
            for expectation in definition.expectations.iter().filter(|one| one.band_on(dataset).is_some()) {
                let found = &metrics["scenarios"][&expectation.scenario][&expectation.metric]["mean"];
                let name = format!("{}: {} {}", definition.name, expectation.scenario, expectation.metric);
                assert!(found.is_number(), "{name} is not measured on {dataset}");
                judged += 1;
            }
        }
    }
    assert!(judged > 40, "{judged} bands");
}

#[test]
fn every_value_of_the_paper_has_its_place() {
    let mut values = 0;
    for (_, definition) in definitions() {
        values += definition.expectations.iter().filter(|expectation| expectation.paper.is_some()).count();
        if let Analysis::Scenarios(scenarios) = &definition.analysis
            && definition.name == "table2"
        {
            assert_eq!(scenarios.paper.len(), 5);
            assert!(scenarios.paper.values().all(|classes| classes.len() == 29));
        }
    }
    assert!(values > 60, "{values} values of the paper");
}
