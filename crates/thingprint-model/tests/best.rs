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
