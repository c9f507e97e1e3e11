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
    refused(split, &["line 10", "split 'half'"]);
    refused("data = ['a']\nseeds = [1]\n", &["x.toml", "analysis"]);
}

#[test]
fn unsupported_values_are_refused() {
    let merits = "\n[analysis.merits]\n";
    refused(&format!("data = []\nseeds = [1]{merits}"), &["field 'data'"]);
    refused(&format!("data = ['../a']\nseeds = [1]{merits}"), &["field 'data'"]);
    refused(&format!("data = ['a']\nseeds = [1, 1]{merits}"), &["field 'seeds'"]);
    let extraction = format!("data = ['a']\nseeds = [1]\n[extraction]\noptions = 'window=often'{merits}");
    refused(&extraction, &["field 'extraction'", "often"]);
    let base = "data = ['a']\nseeds = [1]\n";
    refused(&format!("{base}[analysis.scenarios]\nscenarios = []\n"), &["analysis.scenarios"]);
    let training = "[analysis.scenarios]\nscenarios = ['final']\ntraining = { trees = 0 }\n";
    refused(&format!("{base}{training}"), &["analysis.training", "trees '0'"]);
    let seed = "[analysis.scenarios]\nscenarios = ['final']\ntraining = { seed = 7 }\n";
    refused(&format!("{base}{seed}"), &["analysis.training", "'seeds'"]);
    refused(&format!("{base}[analysis.training-time]\ndays = [2, 1]\n"), &["analysis.days"]);
    let expectation =
        "[analysis.scenarios]\nscenarios = ['final']\n[[expect]]\nscenario = 'final'\nmetric = 'accuracy'\n";
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
        band: None,
        low: Some(0.9),
        high: None,
        data: Some(vec!["a".to_owned()]),
        why: None,
    };
    let on_a = band.band_on("a").unwrap();
    assert!(on_a.holds(0.9) && !on_a.holds(0.89));
    assert_eq!(band.band_on("b"), None);
    assert_eq!(Expectation { data: None, low: None, ..band }.band_on("b"), None);
}

#[test]
fn bands_around_the_paper_s_value_follow_one_rule() {
    let around = |metric: &str, paper: f64| {
        let text = format!(
            "data = ['a']\nseeds = [1]\n[analysis.scenarios]\nscenarios = ['final']\n[[expect]]\nscenario = 'final'\n\
             metric = '{metric}'\npaper = {paper}\nplace = 'p'\nband = 'paper'\n"
        );
        let band = definition(&text).unwrap().expectations[0].band_on("a").unwrap();
        (band.low.unwrap(), band.high.unwrap())
    };
    // Shares: five points to either side, and no further than shares go.
    assert_eq!(around("accuracy", 0.5), (0.45, 0.55));
    assert_eq!(around("accuracy", 0.9988), (0.9988 - 0.05, 1.0));
    assert_eq!(around("correct[bulb]", 0.0), (0.0, 0.05));
    // Anything else: half to double.
    assert_eq!(around("rrse", 5.0), (2.5, 10.0));
}

#[test]
fn what_is_better_than_the_paper_s() {
    let with = |metric: &str, paper: Option<f64>| Expectation {
        scenario: "final".to_owned(),
        metric: metric.to_owned(),
        paper,
        place: None,
        band: None,
        low: None,
        high: None,
        data: None,
        why: None,
    };
    assert!(with("rrse", Some(5.0)).is_better(1.0) && !with("rrse", Some(5.0)).is_better(9.0));
    assert!(with("accuracy", Some(0.9)).is_better(0.99) && !with("accuracy", Some(0.9)).is_better(0.8));
    assert!(!with("rrse", None).is_better(1.0) && !with("instances", Some(5.0)).is_better(9.0));
    assert_eq!(with("correct[Ring Door Bell]", None).class(), Some("Ring Door Bell"));
    assert_eq!(with("accuracy", None).class(), None);
}

#[test]
fn expectations_of_what_is_not_measured_are_refused() {
    let refuse = |analysis: &str, scenario: &str, metric: &str, expected: &[&str]| {
        let expect = format!("[[expect]]\nscenario = '{scenario}'\nmetric = '{metric}'\nlow = 0\n");
        refused(&format!("data = ['a']\nseeds = [1]\n{analysis}{expect}"), expected);
    };
    let scenarios = "[analysis.scenarios]\nscenarios = ['ports', 'final']\n";
    refuse(scenarios, "fnial", "accuracy", &["expect[0].scenario", "'fnial'", "ports, final"]);
    refuse(scenarios, "final", "acuracy", &["expect[0].metric", "'acuracy'"]);
    refuse(scenarios, "final", "correct[]", &["expect[0].metric"]);
    let variant = format!("{scenarios}[[analysis.scenarios.variant]]\nname = 'joy'\n");
    refuse(&variant, "final", "accuracy", &["expect[0].scenario", "joy/ports, joy/final"]);
    refuse("[analysis.training-time]\ndays = [1, 2]\n", "4-days", "accuracy", &["expect[0].scenario"]);
    refuse("[analysis.merits]\n", "rank", "ports_confidence", &["expect[0].metric"]);
    refuse("[analysis.leave-one-out]\n", "final", "accuracy", &["expect[0].metric"]);
    refuse("[analysis.worked]\nbag = 'ports'\n", "ports", "Pr(53|x)", &["expect[0].metric"]);
    let characterise = "[analysis.characterise]\nmost_classes = 1\nmost_words = 1\n";
    refuse(characterise, "all", "empty_ports", &["expect[0].metric"]);
    refuse(characterise, "bulb", "mode_flow_colour", &["expect[0].metric"]);
    let by_rule = "[[expect]]\nscenario = 'final'\nmetric = 'rrse'\nband = 'paper'\nlow = 1\n";
    refused(&format!("data = ['a']\nseeds = [1]\n{scenarios}{by_rule}"), &["expect[0].band"]);
}

#[test]
fn all_missing_and_unknown_fields_are_named_at_once() {
    let text = "name = 'x'\ntitle = 7\ncolour = 1\nseeds = [1]\n[analysis.scenarios]\nscenarios = ['final']\nsize = 1\n\
                weight = 2\n[[expect]]\nscenario = 'final'\n[[expect]]\nmetric = 'accuracy'\nhue = 1\n";
    let problem = Definition::from_toml("x.toml", text).unwrap_err().to_string();
    for part in [
        "x.toml: field 'title': invalid type: integer `7`, expected a string; expected a text",
        "field 'place': missing, expected a text",
        "field 'asks': missing",
        "field 'found': missing",
        "field 'misleads': missing",
        "field 'data': missing, expected a list of names of data sets",
        "field 'analysis.scenarios.size': unknown field `size`",
        "field 'analysis.scenarios.weight': unknown field `weight`",
        "field 'expect[0]': missing field `metric`",
        "field 'expect[1].hue': unknown field `hue`",
        "field 'expect[1]': missing field `scenario`",
        "field 'colour': unknown, expected one of name, title",
    ] {
        assert!(problem.contains(part), "'{part}' is not in: {problem}");
    }
}

#[test]
fn every_field_is_in_the_list_of_fields() {
    let error = toml::from_str::<Definition>("zz = 1\n").unwrap_err();
    let known: Vec<&str> = error.message().split('`').skip(3).step_by(2).collect();
    let fields: Vec<&str> = FIELDS.iter().map(|field| field.name).collect();
    assert_eq!(known, fields);
}
