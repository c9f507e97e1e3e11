//! What a model says spoke for a class and what against it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "../benches/synthetic/mod.rs"]
mod synthetic;

use std::num::NonZeroUsize;

use thingprint_instance::{Attribute, Bag, BagName, Bags, Instance, Kind, Label, Labeled};
use thingprint_model::{Explanation, InputValue, Model, Scenario, Stage1Backend, TrainOptions};

fn fit(rows: &[Labeled], options: TrainOptions) -> Model {
    Model::fit(rows, &TrainOptions { trees: 10, ..options }, NonZeroUsize::MIN).unwrap()
}

fn assert_close(left: f64, right: f64) {
    assert!((left - right).abs() < 1e-9, "{left} is not {right}");
}

fn check_sum(explanation: &Explanation) {
    let contributions = explanation.inputs.iter().map(|input| input.contribution).sum::<f64>();
    assert_close(explanation.base.unwrap() + contributions, explanation.confidence);
    assert!(explanation.inputs.is_sorted_by(|a, b| a.contribution.abs() >= b.contribution.abs()));
}

#[test]
fn contributions_add_up_to_the_confidence() {
    let rows = synthetic::instances(600, 1);
    let windows: Vec<&Instance> = rows[100..130].iter().map(|row| &row.instance).collect();
    for scenario in [Scenario::Final, Scenario::Low, Scenario::Stage0] {
        let model = fit(&rows, TrainOptions { scenario, ..TrainOptions::default() });
        check_sum(&model.explain(&windows, None).unwrap());
        check_sum(&model.explain(&windows[..1], Some("class-03")).unwrap());
    }
}

#[test]
fn smartcores_votes_begin_at_their_share_of_leaves() {
    let rows = synthetic::instances(600, 1);
    let model = fit(&rows, TrainOptions { stage1: Stage1Backend::Smartcore, ..TrainOptions::default() });
    check_sum(&model.explain(&[&rows[3].instance], None).unwrap());
}

/// Two plugs that only their words tell apart, with other numbers than a camera's.
fn home() -> Vec<Labeled> {
    let mut rows = synthetic::instances(90, 1);
    for (at, row) in rows.iter_mut().enumerate() {
        let (class, port, volume) =
            [("camera", "443", 1e6), ("plug", "8777", 10.0), ("switch", "53", 10.0)][at % 3];
        row.label = Some(Label::new(class, Kind::Iot));
        let ports = [(port.to_owned(), 2), ("123".to_owned(), 1)].into();
        row.instance.bags = Bags::from([
            (BagName::PORTS, ports),
            (BagName::DOMAINS, Bag::new()),
            (BagName::CIPHER_SUITES, Bag::new()),
        ]);
        row.instance.attributes = [(Attribute::FLOW_VOLUME_BYTES, Some(volume))].into_iter().collect();
    }
    rows
}

#[test]
fn the_word_that_tells_comes_first() {
    let rows = home();
    let model = fit(&rows, TrainOptions { scenario: Scenario::Ports, ..TrainOptions::default() });
    let explanation = model.explain(&[&rows[1].instance], None).unwrap();
    assert_eq!((&*explanation.class, explanation.base), ("plug", None));
    let [ports] = &explanation.bags[..] else { unreachable!("the scenario looks at one bag") };
    // V = 5: 123, 443, 53, 8777 and others; each class has 90 tokens, 60 of them of its own port.
    let [own, shared] = &ports.words[..] else { unreachable!("there are two words") };
    assert_eq!((&*ports.rival, &*own.word, &*shared.word), ("camera", "8777", "123"));
    assert_close(own.contribution, 2.0 * (61.0_f64 / 1.0).ln());
    assert_close(own.count, 2.0);
    assert_close(shared.contribution, 0.0);
    // Prior, words and the rival's share make up the posterior odds.
    let posterior = &model.predict(&rows[1].instance).distribution;
    let sum = ports.prior + ports.words.iter().map(|word| word.contribution).sum::<f64>();
    assert_close(sum, (posterior[1] / posterior[0]).ln());
}

#[test]
fn values_are_told_with_what_they_contribute() {
    let rows = home();
    let model = fit(&rows, TrainOptions::default());
    let windows = [&rows[0].instance, &rows[3].instance];
    let explanation = model.explain(&windows, Some("camera")).unwrap();
    assert_eq!((explanation.windows, &*explanation.class), (2, "camera"));
    let value =
        |name: &str| explanation.inputs.iter().find(|input| input.input == name).unwrap().value.clone();
    assert_eq!(value("flow_volume_bytes"), Some(InputValue::Number(1e6)));
    assert_eq!(value("flow_rate_bps"), None);
    assert_eq!(value("ports_class"), Some(InputValue::Class("camera".into())));
    let against = model.explain(&windows, Some("plug")).unwrap();
    assert!(against.inputs[0].contribution < 0.0);
}

#[test]
fn only_known_classes_and_given_windows_can_be_explained() {
    let rows = home();
    let model = fit(&rows, TrainOptions::default());
    let error = model.explain(&[&rows[0].instance], Some("kettle")).unwrap_err();
    assert_eq!(error.to_string(), "unknown class 'kettle': the model was not trained on it");
    assert!(model.explain(&[], None).is_err());
}
