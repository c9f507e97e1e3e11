//! The whole classifier on a seeded set of 29 classes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "../benches/synthetic/mod.rs"]
mod synthetic;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use thingprint_instance::{Attribute, Bag, BagName, Bags, Instance, Kind, Label, Labeled};
use thingprint_model::{
    Acceptance, Evaluation, Measures, Model, ModelError, Prediction, Scenario, Split, Stage0Backend,
    Stage1Backend, TrainOptions,
};

fn jobs(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

fn fit(rows: &[Labeled], options: &TrainOptions) -> Model {
    Model::fit(rows, options, jobs(2)).unwrap()
}

fn small(options: TrainOptions) -> TrainOptions {
    TrainOptions { trees: 10, ..options }
}

fn predict(model: &Model, rows: &[Labeled]) -> Vec<Prediction> {
    let instances: Vec<&Instance> = rows.iter().map(|row| &row.instance).collect();
    model.predict_all(&instances, jobs(2))
}

fn evaluate(model: &Model, rows: &[Labeled]) -> Measures {
    let answers = model.answers(rows, &Acceptance::default(), jobs(2));
    Evaluation::of(&[model.tested(1, answers)], 0.8).unwrap().measures
}

fn check_accuracy(options: TrainOptions, least: f64) {
    let rows = synthetic::instances(3_000, 1);
    let (train, test) = rows.split_at(2_100);
    let evaluation = evaluate(&fit(train, &small(options)), test);
    assert!(evaluation.accuracy >= least, "{} with {options:?}", evaluation.accuracy);
    assert!(evaluation.rrse < 100.0, "{} with {options:?}", evaluation.rrse);
}

#[test]
fn every_back_end_tells_the_classes_apart() {
    for &stage0 in Stage0Backend::ALL {
        for &stage1 in Stage1Backend::ALL {
            check_accuracy(TrainOptions { stage0, stage1, ..TrainOptions::default() }, 0.95);
        }
    }
}

#[test]
fn every_scenario_tells_some_apart() {
    let least = [
        ("ports", 0.7),
        ("domains", 0.7),
        ("ciphers", 0.6),
        ("low", 0.6),
        ("low-medium", 0.9),
        ("stage0", 0.95),
    ];
    for (scenario, least) in least {
        check_accuracy(
            TrainOptions { scenario: scenario.parse().unwrap(), ..TrainOptions::default() },
            least,
        );
    }
}

#[test]
fn stage_1_can_learn_from_outputs_out_of_fold() {
    let rows = synthetic::instances(1_500, 1);
    let in_sample = fit(&rows, &small(TrainOptions::default()));
    let options = small(TrainOptions { out_of_fold: Some(5), ..TrainOptions::default() });
    let out_of_fold = fit(&rows, &options);
    assert_ne!(in_sample.forest(), out_of_fold.forest());
    assert_eq!(out_of_fold, fit(&rows, &options));
    check_accuracy(TrainOptions { out_of_fold: Some(5), ..TrainOptions::default() }, 0.95);
}

#[test]
fn trees_that_are_grown_apart_are_those_of_one_forest() {
    let rows = synthetic::instances(600, 1);
    for options in [TrainOptions::default(), TrainOptions { out_of_fold: Some(3), ..TrainOptions::default() }]
    {
        let options = small(options);
        let whole = fit(&rows, &options);
        for cuts in [&[0, 10][..], &[0, 1, 10], &[0, 3, 4, 9, 10], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] {
            let grown = |cut: &[u32]| Model::fit_trees(&rows, &options, cut[0]..cut[1], jobs(2)).unwrap();
            let joined = Model::join(cuts.windows(2).map(grown)).unwrap();
            assert_eq!(joined, whole, "{cuts:?}");
            let bytes = |model: &Model| {
                let mut bytes = Vec::new();
                model.write_to(&mut bytes).unwrap();
                bytes
            };
            assert_eq!(bytes(&joined), bytes(&whole));
        }
    }
}

#[test]
fn what_is_not_of_one_forest_is_not_joined() {
    let rows = synthetic::instances(300, 1);
    let options = small(TrainOptions::default());
    let grow = |options: &TrainOptions, trees| Model::fit_trees(&rows, options, trees, jobs(2));
    let grown = |trees| grow(&options, trees).unwrap();
    let other = TrainOptions { seed: 2, ..options };
    let joined = |models: Vec<Model>| Model::join(models).map_err(|error| error.to_string());
    assert!(joined(vec![grown(0..4), grown(4..9)]).unwrap_err().contains("missing"));
    assert!(joined(vec![grown(0..6), grown(4..10)]).unwrap_err().contains("more than once"));
    assert!(joined(vec![grown(0..4), grow(&other, 4..10).unwrap()]).unwrap_err().contains("other instances"));
    assert!(joined(Vec::new()).is_err());
    for trees in [3..3, 4..11, 10..12] {
        assert!(matches!(grow(&options, trees), Err(ModelError::Option { option: "trees", .. })));
    }
    let smartcore = TrainOptions { stage1: Stage1Backend::Smartcore, ..options };
    assert!(grow(&smartcore, 0..4).is_err());
    // Where a stage-0 answers alone there are no trees, and nothing to divide.
    let alone = small(TrainOptions { scenario: "stage0".parse().unwrap(), ..TrainOptions::default() });
    assert_eq!(
        joined(vec![grow(&alone, 0..4).unwrap(), grow(&alone, 4..10).unwrap()]).unwrap(),
        fit(&rows, &alone)
    );
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let rows = synthetic::instances(1_000, 1);
    let instances: Vec<&Instance> = rows.iter().map(|row| &row.instance).collect();
    for stage1 in [Stage1Backend::Forest, Stage1Backend::Smartcore] {
        let options = small(TrainOptions { stage1, out_of_fold: Some(3), ..TrainOptions::default() });
        let one = Model::fit(&rows, &options, jobs(1)).unwrap();
        let many = Model::fit(&rows, &options, jobs(5)).unwrap();
        assert_eq!(one, many);
        assert_eq!(one.predict_all(&instances, jobs(1)), many.predict_all(&instances, jobs(7)));
    }
}

#[test]
fn the_seed_decides() {
    let rows = synthetic::instances(500, 1);
    let model = |seed| fit(&rows, &small(TrainOptions { seed, ..TrainOptions::default() }));
    assert_eq!(model(1), model(1));
    assert_ne!(model(1).forest(), model(2).forest());
}

#[test]
fn rows_without_a_label_are_left_out() {
    let mut rows = synthetic::instances(400, 1);
    let labelled = fit(&rows[..300], &small(TrainOptions::default()));
    for row in &mut rows[300..] {
        row.label = None;
    }
    assert_eq!(fit(&rows, &small(TrainOptions::default())), labelled);
    assert_eq!(labelled.classes().instances(), 300);
}

#[test]
fn a_prediction_shows_what_the_scenario_looks_at() {
    let rows = synthetic::instances(400, 1);
    let check = |scenario, expected: [bool; 3]| {
        let model = fit(&rows, &small(TrainOptions { scenario, ..TrainOptions::default() }));
        let prediction = model.predict(&rows[7].instance);
        let bags = [BagName::PORTS, BagName::DOMAINS, BagName::CIPHER_SUITES];
        assert_eq!(bags.map(|bag| prediction.stage0.contains_key(&bag)), expected, "{scenario}");
        assert!((prediction.distribution.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(model.forest().is_some(), model.options().inputs().is_some());
    };
    check(Scenario::Final, [true; 3]);
    check(Scenario::Low, [false; 3]);
    check(Scenario::LowMedium, [true, false, false]);
    check(Scenario::Ciphers, [false, false, true]);
}

/// Bags that are looked at have to be there, whether for training or for an answer; numbers may be absent.
#[test]
fn instances_without_the_evidence_are_refused() {
    let rows = synthetic::instances(400, 1);
    let mut lacking = rows.clone();
    for row in &mut lacking {
        let ports = row.instance.bags.get(BagName::PORTS).cloned().unwrap();
        row.instance.bags = Bags::from([(BagName::PORTS, ports)]);
    }
    let fit = |rows: &[Labeled], options: &TrainOptions| Model::fit(rows, options, jobs(2));
    let expected = "the classifier looks at evidence that these instances lack: domains,cipher_suites; extract them \
                    with it";
    let error = fit(&lacking, &small(TrainOptions::default())).unwrap_err().to_string();
    assert_eq!(error, expected);
    let model = fit(&rows, &small(TrainOptions::default())).unwrap();
    assert!(model.check_evidence(rows.iter().map(|row| &row.instance)).is_ok());
    let error = model.check_evidence(lacking[399..].iter().map(|row| &row.instance)).unwrap_err();
    assert_eq!(error.to_string(), expected);
    let ports =
        fit(&lacking, &small(TrainOptions { scenario: Scenario::LowMedium, ..TrainOptions::default() }));
    let mut row = lacking[0].clone();
    row.instance.attributes.set(Attribute::SLEEP_TIME_S, None);
    assert!(ports.unwrap().check_evidence([&row.instance]).is_ok());
}

/// Evidence beyond the paper's goes the same way: chosen, it is learned from; not chosen, it changes nothing.
#[test]
fn the_evidence_is_what_was_chosen() {
    let rows = synthetic::instances(400, 1);
    let chosen = TrainOptions { evidence: "ports,flow_rate_bps".parse().unwrap(), ..TrainOptions::default() };
    let model = fit(&rows, &small(chosen));
    assert_eq!(model.evidence(), chosen.evidence);
    let inputs = model.options().inputs().unwrap();
    let inputs: Vec<String> = inputs.iter().map(ToString::to_string).collect();
    assert_eq!(inputs, ["ports_class", "ports_confidence", "flow_rate_bps"]);
    let mut other = rows[7].clone();
    other.instance.bags.insert(BagName::DOMAINS, Bag::from([("elsewhere.example".to_owned(), 9)]));
    other.instance.attributes.set(Attribute::NTP_INTERVAL_S, Some(1e9));
    assert_eq!(model.predict(&other.instance), model.predict(&rows[7].instance));
    let none = TrainOptions { evidence: BagName::PORTS.into(), scenario: Scenario::Low, ..chosen };
    let error = Model::fit(&rows, &none, jobs(1)).unwrap_err().to_string();
    assert_eq!(error, "unsupported evidence 'ports': expected something that the scenario looks at");
}

#[test]
fn a_stage_0_alone_gives_its_verdict() {
    let rows = synthetic::instances(400, 1);
    let model = fit(&rows, &TrainOptions { scenario: Scenario::Domains, ..TrainOptions::default() });
    let prediction = model.predict(&rows[11].instance);
    let verdict = &prediction.stage0[&BagName::DOMAINS];
    assert_eq!((&verdict.class, verdict.confidence), (&prediction.class, prediction.confidence));
}

#[test]
fn a_device_is_what_its_windows_say_together() {
    let rows = synthetic::instances(400, 1);
    let model = fit(&rows, &small(TrainOptions::default()));
    let predictions = predict(&model, &rows);
    let verdicts = model.device_verdicts(&predictions);
    assert_eq!(verdicts.len(), 29);
    assert!(verdicts.is_sorted_by_key(|verdict| verdict.device));
    for verdict in &verdicts {
        let windows: Vec<_> =
            predictions.iter().filter(|prediction| prediction.device == verdict.device).collect();
        assert_eq!(verdict.windows, windows.len() as u64);
        let class = model.classes().number(&verdict.class).unwrap();
        let mean =
            windows.iter().map(|window| window.distribution[class]).sum::<f64>() / windows.len() as f64;
        assert!((mean - verdict.confidence).abs() < 1e-12);
        assert!(verdict.distribution.iter().all(|&other| other <= verdict.confidence + 1e-12));
    }
}

#[test]
fn an_answer_is_accepted_from_its_threshold_on() {
    let rows = synthetic::instances(400, 1);
    let mut prediction = fit(&rows, &small(TrainOptions::default())).predict(&rows[0].instance);
    prediction.confidence = 0.8;
    assert_eq!(prediction.accept(0.8), Some(&*prediction.class));
    assert_eq!(prediction.accept(0.81), None);
    // Eight times a tenth, summed up, is a little less than 0.8.
    prediction.confidence = (0..8).map(|_| 0.1).sum();
    assert_eq!(prediction.accept(0.8), Some(&*prediction.class));
}

#[test]
fn splits_and_models_go_together() {
    let rows = synthetic::instances(600, 1);
    let partition = "random=0.7".parse::<Split>().unwrap().apply(&rows, 1).unwrap().into_first();
    let options = small(TrainOptions::default());
    let model = Model::fit(partition.train.iter().map(|&at| &rows[at]), &options, jobs(1)).unwrap();
    assert_eq!(model.classes().instances(), 420);
}

#[test]
fn merits_rank_the_inputs() {
    let rows = synthetic::instances(600, 1);
    let merits = fit(&rows, &small(TrainOptions::default())).merits(&rows).unwrap();
    assert_eq!(merits.len(), 12);
    assert!(merits.is_sorted_by(|a, b| a.merit >= b.merit));
    assert_eq!(merits[0].input.to_string(), "ports_class");
}

fn check_error(rows: &[Labeled], options: &TrainOptions, expected: &str) {
    let error = Model::fit(rows, options, jobs(1)).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

fn relabelled(label: impl Fn(usize) -> Option<Label>) -> Vec<Labeled> {
    let mut rows = synthetic::instances(40, 1);
    for (at, row) in rows.iter_mut().enumerate() {
        row.label = label(at);
    }
    rows
}

#[test]
fn what_cannot_be_learned_is_told() {
    let label = |class: &str, kind| Some(Label::new(class, kind));
    let default = TrainOptions::default();
    check_error(
        &relabelled(|_| None),
        &default,
        "no instance has a label: extract instances with a label file",
    );
    check_error(&[], &default, "no instance has a label: extract instances with a label file");
    check_error(
        &relabelled(|_| label("plug", Kind::Iot)),
        &default,
        "all labelled instances have the class 'plug': label devices of at least two classes",
    );
    let kinds = [Kind::Iot, Kind::NonIot];
    check_error(
        &relabelled(|at| label("plug", kinds[at % 2])),
        &default,
        "class 'plug' is iot on some instances and non-iot on others: give it one kind in the label file",
    );
}

#[test]
fn options_out_of_range_are_refused() {
    let rows = synthetic::instances(40, 1);
    let default = TrainOptions::default;
    check_error(&rows, &TrainOptions { trees: 0, ..default() }, "unsupported trees '0': expected 1 to 10000");
    check_error(
        &rows,
        &TrainOptions { attributes_per_node: Some(0), ..default() },
        "unsupported attributes_per_node '0': expected at least 1",
    );
    check_error(
        &rows,
        &TrainOptions { out_of_fold: Some(1), ..default() },
        "unsupported out_of_fold '1': expected 2 to 1000 folds",
    );
}

#[test]
fn options_are_read_strictly() {
    let read = |json: &str| serde_json::from_str::<TrainOptions>(json);
    assert_eq!(read("{}").unwrap(), TrainOptions::default());
    let options = read(r#"{"scenario": "low-medium", "stage1": "smartcore", "out_of_fold": 10}"#).unwrap();
    assert_eq!((options.scenario, options.out_of_fold), (Scenario::LowMedium, Some(10)));
    let error = read(r#"{"tree": 10}"#).unwrap_err().to_string();
    assert!(error.contains("unknown field `tree`"), "{error}");
}

#[test]
fn instances_extracted_in_another_way_are_refused() {
    let rows = synthetic::instances(60, 1);
    let options = |window: &str| -> BTreeMap<String, String> {
        [("window".to_owned(), window.to_owned()), ("sizes".to_owned(), "ip".to_owned())].into()
    };
    let model = fit(&rows, &small(TrainOptions::default())).with_extraction(options("1h"));
    model.check_extraction(&options("1h")).unwrap();
    model.check_extraction(&BTreeMap::new()).unwrap();
    let error = model.check_extraction(&options("15m")).unwrap_err();
    assert!(matches!(error, ModelError::Misfit { .. }));
    assert_eq!(
        error.to_string(),
        "the model was trained with window = 1h, but these instances have window = 15m: \
         extract them in the same way"
    );
}
