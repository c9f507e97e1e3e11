#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use thingprint_model::{Scenario, Split};

use super::*;

const HEAD: &str = "name = 'x'\ntitle = 't'\nplace = 'p'\nasks = 'a'\nfound = 'f'\nmisleads = 'm'\n";

fn definition(rest: &str) -> Result<Definition, ExperimentError> {
    Definition::from_toml("x.toml", &format!("{HEAD}{rest}"))
}

fn refused(rest: &str, expected: &[&str]) {
    let problem = definition(rest).unwrap_err().to_string();
    for part in expected {
        assert!(problem.contains(part), "'{part}' is not in: {problem}");
    }
}

#[test]
fn what_is_not_given_has_its_default() {
    let text = "data = ['a']\nseeds = [1]\n[analysis.scenarios]\nscenarios = ['final']\n";
    let Analysis::Scenarios(scenarios) = definition(text).unwrap().analysis else {
        unreachable!("as written")
    };
    assert_eq!(scenarios.split, Split::Random(0.7));
    assert!((scenarios.threshold - 0.8).abs() < f64::EPSILON);
    assert_eq!(scenarios.scenarios, [Scenario::Final]);
}

#[test]
fn errors_name_file_line_and_field() {
    let unknown = "data = ['a']\nseeds = [1]\n[analysis.scenarios]\nscenarios = ['final']\ncolour = 1\n";
    refused(unknown, &["x.toml", "line 11", "colour"]);
    refused("data = ['a']\nseeds = [1]\n[analysis.guess]\n", &["x.toml", "line 9", "guess"]);
    let split = "data = ['a']\nseeds = [1]\n[analysis.merits]\nsplit = 'half'\n";
    refused(split, &["line 10", "split = half"]);
    refused("data = ['a']\nseeds = [1]\n", &["x.toml", "analysis"]);
}

#[test]
fn values_that_make_no_sense_are_refused() {
    let merits = "\n[analysis.merits]\n";
    refused(&format!("data = []\nseeds = [1]{merits}"), &["field 'data'"]);
    refused(&format!("data = ['../a']\nseeds = [1]{merits}"), &["field 'data'"]);
    refused(&format!("data = ['a']\nseeds = [1, 1]{merits}"), &["field 'seeds'"]);
    let extraction = format!("data = ['a']\nseeds = [1]\n[extraction]\noptions = 'window=often'{merits}");
    refused(&extraction, &["field 'extraction'", "often"]);
    let base = "data = ['a']\nseeds = [1]\n";
    refused(&format!("{base}[analysis.scenarios]\nscenarios = []\n"), &["analysis.scenarios"]);
    let training = "[analysis.scenarios]\nscenarios = ['final']\ntraining = { trees = 0 }\n";
    refused(&format!("{base}{training}"), &["analysis.training", "trees = 0"]);
    let seed = "[analysis.scenarios]\nscenarios = ['final']\ntraining = { seed = 7 }\n";
    refused(&format!("{base}{seed}"), &["analysis.training", "'seeds'"]);
    refused(&format!("{base}[analysis.training-time]\ndays = [2, 1]\n"), &["analysis.days"]);
    let expectation = "[analysis.merits]\n[[expect]]\nscenario = 'final'\nmetric = 'accuracy'\n";
    refused(&format!("{base}{expectation}"), &["expect[0].paper"]);
    refused(&format!("{base}{expectation}low = 2\nhigh = 1\n"), &["expect[0].low", "2 is above high = 1"]);
    refused(&format!("{base}{expectation}paper = 1\n"), &["expect[0].place"]);
    refused(&format!("{base}{expectation}low = 1\ndata = ['b']\n"), &["expect[0].data", "b is none"]);
}

#[test]
fn each_table_of_instances_is_asked_for_once() {
    let text = "data = ['a', 'b']\nseeds = [1]\n[extraction]\npreset = 'joy'\n[analysis.scenarios]\n\
                scenarios = ['final']\n[[analysis.scenarios.variant]]\nname = 'joy'\n\
                extraction = { preset = 'joy' }\n[[analysis.scenarios.variant]]\nname = 'default'\n\
                extraction = { options = 'rate=sum' }\n";
    let definition = definition(text).unwrap();
    let needs = |overrides| -> Vec<String> {
        definition.needs("a", overrides).unwrap().iter().map(ToString::to_string).collect()
    };
    let [joy, default] = &needs("")[..] else { unreachable!("two extractions") };
    assert!(joy.contains("size=payload") && joy.contains("cut_after="), "{joy}");
    assert_eq!(default, "a (rate=sum)");
    let overridden = needs("window=capture");
    assert!(overridden.iter().all(|need| need.contains("window=capture")), "{overridden:?}");
    assert_eq!((definition.run_name("a"), definition.run_name("b")), ("x".to_owned(), "x-b".to_owned()));
}

#[test]
fn each_attack_is_a_table_of_its_own() {
    let attack = |rate: u32| {
        format!(
            "[[analysis.attacks.attack]]\nkind = 'tcp-syn'\nrate_pps = {rate}\ntarget = 'c'\nport = 80\nhours = 2\n"
        )
    };
    let base = "data = ['a']\nseeds = [1]\n[analysis.attacks]\n";
    let needs = definition(&format!("{base}{}{}", attack(1), attack(10))).unwrap().needs("a", "").unwrap();
    let texts: Vec<String> = needs.iter().map(ToString::to_string).collect();
    let expected = [
        "a (default)",
        "a under tcp-syn at 1/s on port 80 of c for 2 h (default)",
        "a under tcp-syn at 10/s on port 80 of c for 2 h (default)",
    ];
    assert_eq!(texts, expected);
    refused(&format!("{base}{}{}", attack(1), attack(1)), &["analysis.attack"]);
    refused(&format!("{base}{}", attack(0)), &["analysis.attack"]);
}

#[test]
fn bands_are_for_the_data_sets_that_they_name() {
    let band = Expectation {
        scenario: "final".to_owned(),
        metric: "accuracy".to_owned(),
        paper: None,
        place: None,
        low: Some(0.9),
        high: None,
        data: Some(vec!["a".to_owned()]),
        why: None,
    };
    assert_eq!(band.is_met("a", 0.9), Some(true));
    assert_eq!(band.is_met("a", 0.89), Some(false));
    assert_eq!(band.is_met("b", 0.5), None);
    assert_eq!(Expectation { data: None, low: None, ..band }.is_met("b", 0.5), None);
}
