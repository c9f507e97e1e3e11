use super::*;
use crate::outcome::Section;

const DEFINITION: &str = "name = 'x'\ntitle = 'A title'\nplace = 'Table 2'\nasks = 'Is it?'\nfound = 'It is.'\n\
    misleads = 'By | far.'\ndata = ['home']\nseeds = [1, 2]\n[analysis.scenarios]\nscenarios = ['ports', 'final']\n\
    [[expect]]\nscenario = 'final'\nmetric = 'accuracy'\npaper = 0.9988\nplace = 'Table 2'\nlow = 0.9\n\
    [[expect]]\nscenario = 'final'\nmetric = 'rrse'\nhigh = 1\n\
    [[expect]]\nscenario = 'ports'\nmetric = 'accuracy'\nlow = 0\n";

fn outcome() -> Outcome {
    let mut outcome = Outcome { absent: vec!["Ghost".to_owned()], ..Outcome::default() };
    outcome.metrics.insert("final", "accuracy", &[0.9, 1.0]);
    outcome.metrics.insert("final", "rrse", &[5.0, 5.0]);
    let mut table = Table::new([Column::texts("class"), Column::percent("share", 1)]);
    table.add([Cell::from("a|b"), Cell::from(0.5)]);
    outcome.sections.push(Section {
        name: "classes".to_owned(),
        heading: "Classes".to_owned(),
        prose: "What is seen.".to_owned(),
        table,
        chart: None,
    });
    outcome
}

fn files(is_simulated: bool) -> Vec<ResultFile> {
    let definition = Definition::from_toml("x.toml", DEFINITION).unwrap();
    let source = DataSource { dataset: "home".to_owned(), is_simulated, description: "A home.".to_owned() };
    let outcome = outcome();
    let environment = "thingprint 0.1.0\n";
    Report {
        definition: &definition,
        source: &source,
        read: "12 hours",
        outcome: &outcome,
        environment,
        machine: &Machine::default(),
    }
    .files()
    .unwrap()
}

fn file(files: &[ResultFile], name: &str) -> String {
    files.iter().find(|file| file.name == name).unwrap().text.clone()
}

#[test]
fn the_numbers_have_the_shape_that_notebooks_read() {
    let json: serde_json::Value = serde_json::from_str(&file(&files(true), "metrics.json")).unwrap();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["dataset", "expectations", "experiment", "scenarios", "seeds", "simulated"]);
    assert_eq!(json["experiment"], "x");
    assert_eq!(json["dataset"], "home");
    assert_eq!(json["seeds"], serde_json::json!([1, 2]));
    assert_eq!(json["scenarios"]["final"]["rrse"], serde_json::json!({ "mean": 5.0, "sd": 0.0 }));
    let sd = json["scenarios"]["final"]["accuracy"]["sd"].as_f64().unwrap();
    // Two values, 0.05 on either side of the mean: the root of 2 * 0.05 * 0.05 / 1.
    assert!((sd - 0.005_f64.sqrt()).abs() < 1e-12, "{sd}");
    for summary in json["scenarios"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|metrics| metrics.as_object().unwrap().values())
    {
        assert_eq!(summary.as_object().unwrap().keys().collect::<Vec<_>>(), ["mean", "sd"]);
    }
    assert_eq!(json["expectations"][0]["in_band"], true);
    assert_eq!(json["expectations"][1]["in_band"], false);
    // There is a band, and no number.
    assert_eq!(json["expectations"][2]["in_band"], false);
    assert_eq!(json["expectations"][2]["found"], serde_json::Value::Null);
}

#[test]
fn paper_and_run_stand_side_by_side() {
    let report = file(&files(false), "report.md");
    assert!(
        report.contains(
            "| final | accuracy | 0.9988 | 0.9500 | 0.0707 | 2 seeds | at least 0.9 | in the band | Table 2 | - |"
        ),
        "{report}"
    );
    assert!(
        report.contains("| final | rrse | - | 5.0000 | 0.0000 | 2 seeds | at most 1 | OUTSIDE | - | - |"),
        "{report}"
    );
    assert!(
        report.contains("| ports | accuracy | - | - | - | - | at least 0 | not measured | - | - |"),
        "{report}"
    );
    assert!(report.contains("| a\\|b | 50.0 % |"), "{report}");
}

#[test]
fn simulated_data_are_called_so() {
    let (simulated, captured) = (files(true), files(false));
    for name in ["report.md", "report.html"] {
        assert!(file(&captured, name).contains("Read: 12 hours."), "{name}");
        assert!(file(&captured, name).contains("1 are not in these data: Ghost."), "{name}");
        assert!(file(&simulated, name).contains("Simulated data"), "{name}");
        assert!(!file(&captured, name).contains("Simulated data"), "{name}");
    }
}

#[test]
fn the_same_outcome_gives_the_same_bytes() {
    let names: Vec<String> = files(true).into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["report.md", "report.html", "metrics.json", "environment.txt", "classes.csv"]);
    assert_eq!(files(true), files(true));
}

#[test]
fn a_band_that_is_missed_is_reported() {
    let definition = Definition::from_toml("x.toml", DEFINITION).unwrap();
    let source = DataSource { dataset: "home".to_owned(), is_simulated: true, description: String::new() };
    let machine = Machine::default();
    let (missed, nothing) = (outcome(), Outcome::default());
    let report = |outcome| Report {
        definition: &definition,
        source: &source,
        read: "12 hours",
        outcome,
        environment: "",
        machine: &machine,
    };
    assert_eq!(report(&missed).is_as_expected(), Some(false));
    assert_eq!(report(&missed).misses(), ["final rrse", "ports accuracy (not measured)"]);
    // What was not measured is not as expected.
    assert_eq!(report(&nothing).is_as_expected(), Some(false));
    assert_eq!(report(&nothing).misses().len(), 3);
}

#[test]
fn what_is_better_than_the_paper_is_outside_too() {
    let text = DEFINITION.replace("high = 1", "paper = 20\nplace = 'Table 2'\nband = 'paper'");
    let definition = Definition::from_toml("x.toml", &text).unwrap();
    let source = DataSource { dataset: "home".to_owned(), is_simulated: true, description: String::new() };
    let outcome = outcome();
    let report = Report {
        definition: &definition,
        source: &source,
        read: "12 hours",
        outcome: &outcome,
        environment: "",
        machine: &Machine::default(),
    };
    assert_eq!(report.misses(), ["final rrse (better than the paper's)", "ports accuracy (not measured)"]);
    let files = report.files().unwrap();
    let page = file(&files, "report.md");
    assert!(page.contains("| 10 to 40 | OUTSIDE: better than the paper's |"), "{page}");
    assert!(page.contains("easier than the paper's trace"), "{page}");
}
