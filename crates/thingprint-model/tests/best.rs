//! The recipe `best` on a seeded set of 29 classes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "../benches/synthetic/mod.rs"]
mod synthetic;

use std::num::NonZeroUsize;

use thingprint_instance::{BagName, Bags, EvidenceSet, Instance, Labeled};
use thingprint_model::{Model, ModelError, Prediction, Recipe, TrainOptions};

fn fit(rows: &[Labeled], options: TrainOptions) -> Model {
    Model::fit(rows, &TrainOptions { trees: 10, ..options }, NonZeroUsize::MIN).unwrap()
}

fn best() -> TrainOptions {
    TrainOptions::of(Recipe::Best)
}

fn predict(model: &Model, rows: &[Labeled]) -> Vec<Prediction> {
    let instances: Vec<&Instance> = rows.iter().map(|row| &row.instance).collect();
    model.predict_all(&instances, NonZeroUsize::MIN)
}

/// Takes all bags out but these.
fn with_bags(row: &Labeled, bags: &[BagName]) -> Labeled {
    let kept = bags.iter().filter_map(|bag| Some((*bag, row.instance.bags.get(*bag)?.clone())));
    let mut row = row.clone();
    row.instance.bags = kept.collect();
    row
}

#[test]
fn the_paper_s_recipe_is_the_default_and_has_its_evidence() {
    assert_eq!(TrainOptions::default(), TrainOptions::of(Recipe::Paper));
    assert_eq!(TrainOptions::of(Recipe::Paper).evidence, EvidenceSet::paper());
    assert_eq!(best().evidence, EvidenceSet::trained_on());
}

#[test]
fn a_bag_that_no_instance_has_is_not_looked_at() {
    let rows: Vec<_> = synthetic::instances(400, 1);
    let rows: Vec<_> = rows.iter().map(|row| with_bags(row, &[BagName::PORTS, BagName::DOMAINS])).collect();
    let model = fit(&rows, best());
    assert_eq!(model.evidence().bags().collect::<Vec<_>>(), [BagName::PORTS, BagName::DOMAINS]);
    assert_eq!(model.evidence().numbers().count(), 6);
}

#[test]
fn a_bag_that_an_instance_lacks_says_nothing() {
    let rows = synthetic::instances(600, 1);
    let model = fit(&rows, best());
    let lacking = with_bags(&rows[7], &[BagName::DOMAINS]);
    model.check_evidence([&lacking.instance]).unwrap();
    let prediction = model.predict(&lacking.instance);
    assert_eq!(prediction.stage0.keys().copied().collect::<Vec<_>>(), [BagName::DOMAINS]);
    let mut empty = lacking.clone();
    empty.instance.bags.insert(BagName::PORTS, thingprint_instance::Bag::new());
    assert_ne!(model.predict(&empty.instance).distribution, prediction.distribution);
    let none = with_bags(&rows[7], &[]);
    let error = model.check_evidence([&none.instance]).unwrap_err();
    assert!(
        matches!(error, ModelError::MissingEvidence { missing } if missing.bags().count() == 3),
        "{error}"
    );
}

/// Half of the rows lack a bag by which the classes are told apart; the model learns from both halves.
#[test]
fn rows_with_different_bags_train_one_model() {
    let mut rows = synthetic::instances(1_200, 1);
    for row in rows.iter_mut().step_by(2) {
        *row = with_bags(row, &[BagName::PORTS, BagName::CIPHER_SUITES]);
    }
    let (train, test) = rows.split_at(1_000);
    let predictions = predict(&fit(train, best()), test);
    let is_right =
        |(prediction, row): &(&Prediction, &Labeled)| *prediction.class == *row.label.as_ref().unwrap().class;
    let right = predictions.iter().zip(test).filter(is_right).count();
    assert!(right > 180, "{right} of 200");
}

#[test]
fn distributions_sum_to_1() {
    let rows = synthetic::instances(600, 1);
    for prediction in predict(&fit(&rows, best()), &rows) {
        assert!((prediction.distribution.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
    let alone = Bags::from([]);
    let mut bare = rows[3].clone();
    bare.instance.bags = alone;
    let prediction = fit(&rows, best()).predict(&bare.instance);
    assert!((prediction.distribution.iter().sum::<f64>() - 1.0).abs() < 1e-12);
}

#[test]
fn words_speak_for_and_against_in_nats() {
    let rows = synthetic::instances(600, 1);
    let model = fit(&rows, best());
    let windows: Vec<&Instance> = rows[100..110].iter().map(|row| &row.instance).collect();
    let explanation = model.explain(&windows[..1], None).unwrap();
    let joint = explanation.joint.unwrap();
    assert_ne!(joint.rival, explanation.class);
    assert!(joint.nats > 0.0);
    let sum = |evidence: &thingprint_model::BagNats| {
        evidence.words.iter().map(|word| word.contribution).sum::<f64>()
    };
    let total: f64 = joint.bags.iter().map(sum).sum();
    assert!((total - joint.nats).abs() < 1e-9);
    for bag in &joint.bags {
        let words = windows[0].bags.get(bag.bag).unwrap();
        assert_eq!(words.len(), bag.words.len() + bag.unseen.len());
        assert!(bag.words.iter().all(|word| words[&word.word] as f64 == word.count));
        assert!(bag.words.is_sorted_by(|a, b| a.contribution.abs() >= b.contribution.abs()));
    }
    let against = model.explain(&windows[..1], Some(&joint.rival)).unwrap().joint.unwrap();
    assert_eq!(against.rival, explanation.class);
    assert!((against.nats + joint.nats).abs() < 1e-9);
    assert!(fit(&rows, TrainOptions::default()).explain(&windows, None).unwrap().joint.is_none());
}

/// A window of a known device in which nothing but its names is as it was: the two stages weigh what is strange, too.
#[test]
fn the_blend_holds_on_to_what_it_knows() {
    let rows = synthetic::instances(1_500, 1);
    let (train, test) = rows.split_at(700);
    let mean = |options| {
        let model = fit(train, options);
        let truth = |row: &Labeled| model.classes().number(&row.label.as_ref().unwrap().class).unwrap();
        let changed: Vec<Labeled> = test.iter().map(with_strange_ports).collect();
        let predictions = predict(&model, &changed);
        let of_truth = predictions.iter().zip(test).map(|(said, row)| said.distribution[truth(row)]);
        of_truth.sum::<f64>() / test.len() as f64
    };
    let (paper, best) = (mean(TrainOptions::default()), mean(best()));
    assert!(best > paper + 0.01, "{best} against {paper}");
}

fn with_strange_ports(row: &Labeled) -> Labeled {
    let mut row = row.clone();
    let ports = (0..6).map(|port| (format!("{}", 50_000 + port), 7));
    row.instance.bags.insert(BagName::PORTS, ports.collect());
    row
}
