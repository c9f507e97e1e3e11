use thingprint_flow::{DeviceId, MacAddr, Timestamp};
use thingprint_instance::{Kind, Label};

use super::*;
use crate::classes::{Classes, most_likely};
use crate::doubt::Test;
use crate::prediction::Prediction;

/// Class a with three training instances, class b with one.
fn classes() -> Classes {
    let labels = ["a", "a", "b", "a"].map(|class| Label::new(class, Kind::Iot));
    Classes::of(&labels).unwrap()
}

fn prediction(distribution: [f64; 2], hour: i64) -> Prediction {
    let class = most_likely(&distribution);
    Prediction {
        device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, 1])),
        window_start: Timestamp::from_seconds(3_600 * hour),
        stage0: std::collections::BTreeMap::new(),
        class: classes().name(class),
        confidence: distribution[class],
        likeness: None,
        distribution: distribution.to_vec(),
    }
}

/// A fold with an answer for each hour.
fn fold((number, seed): (u32, u64), answers: &[([f64; 2], &str)], threshold: f64) -> TestedFold {
    let answer = |(hour, &(distribution, truth)): (i64, &([f64; 2], &str))| {
        let prediction = prediction(distribution, 100 * i64::from(number) + hour);
        let failed = if prediction.confidence < threshold { vec![Test::Confidence] } else { Vec::new() };
        Answer { capture: None, truth: truth.into(), prediction, failed, is_in_family: None }
    };
    TestedFold { fold: number, seed, classes: classes(), answers: (0..).zip(answers).map(answer).collect() }
}

fn evaluate(answers: &[([f64; 2], &str)], threshold: f64) -> Evaluation {
    Evaluation::of(&[fold((1, 1), answers, threshold)], threshold).unwrap()
}

fn assert_close(left: f64, right: f64) {
    assert!((left - right).abs() < 1e-12, "{left} is not {right}");
}

#[test]
fn rrse_worked_by_hand() {
    // Priors (1 + 3) / (2 + 4) and (1 + 1) / (2 + 4).
    // Model: 0.2² + 0.2² + 0.6² + 0.6² = 0.8. Prior: 2 · (1/3)² + 2 · (2/3)² = 10/9.
    let evaluation = evaluate(&[([0.8, 0.2], "a"), ([0.6, 0.4], "b")], 0.8);
    assert_close(evaluation.measures.rrse, 100.0 * (0.8 * 9.0 / 10.0_f64).sqrt());
}

#[test]
fn a_class_seen_only_in_the_test_is_wrong_and_enters_the_rrse() {
    // With c, K = 3: priors 4/7, 2/7 and 1/7. Model: 0.08 for a; 0.3² + 0.7² + 1 for c.
    // Prior: (3/7)² + (2/7)² + (1/7)² for a; (4/7)² + (2/7)² + (6/7)² for c.
    let evaluation = evaluate(&[([0.8, 0.2], "a"), ([0.3, 0.7], "c")], 0.8);
    assert_close(evaluation.measures.accuracy, 0.5);
    assert_close(
        evaluation.measures.rrse,
        100.0 * ((0.08 + 0.09 + 0.49 + 1.0) * 49.0 / (14.0 + 56.0_f64)).sqrt(),
    );
    assert_eq!(evaluation.classes.iter().map(|name| &**name).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(evaluation.confusion, [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
}

#[test]
fn the_cells_of_table_2() {
    let evaluation = evaluate(
        &[([0.9, 0.1], "a"), ([0.7, 0.3], "a"), ([0.4, 0.6], "a"), ([0.2, 0.8], "a"), ([0.0, 1.0], "b")],
        0.8,
    );
    let [a, b] = &evaluation.per_class[..] else { unreachable!("there are two classes") };
    assert_eq!(a.instances, 4);
    assert_close(a.correct.unwrap(), 0.5);
    assert_close(a.confidence.unwrap(), 0.8);
    assert_close(a.precision.unwrap(), 1.0);
    let [mistake] = &a.mistaken_for[..] else { unreachable!("a was mistaken for b") };
    assert_eq!(&*mistake.class, "b");
    assert_close(mistake.share, 0.5);
    assert_close(mistake.confidence, 0.7);
    assert_close(b.precision.unwrap(), 1.0 / 3.0);
    assert!(b.mistaken_for.is_empty());
    // F1 of a: 2 · 2 / (4 + 2); of b: 2 · 1 / (1 + 3).
    assert_close(evaluation.measures.macro_f1, f64::midpoint(2.0 / 3.0, 0.5));
    // Accepted: 0.9 and 1.0 right, 0.8 wrong.
    assert_close(evaluation.measures.coverage, 0.6);
    assert_close(evaluation.measures.accepted_accuracy.unwrap(), 2.0 / 3.0);
    assert_eq!(evaluation.instances, 5);
}

#[test]
fn a_class_that_does_not_occur_counts_for_nothing() {
    let evaluation = evaluate(&[([0.9, 0.1], "a")], 0.95);
    assert_eq!((evaluation.per_class[1].correct, evaluation.per_class[1].f1), (None, None));
    assert_close(evaluation.measures.macro_f1, 1.0);
    assert_eq!(evaluation.measures.accepted_accuracy, None);
}

#[test]
fn nothing_cannot_be_evaluated() {
    let error = Evaluation::of(&[fold((1, 1), &[], 0.8)], 0.8).unwrap_err();
    assert_eq!(error.to_string(), "no instance has a label: evaluation needs labelled instances");
}

#[test]
fn fields_have_the_names_that_results_use() {
    let json = serde_json::to_value(evaluate(&[([0.9, 0.1], "a")], 0.8)).unwrap();
    for field in [
        "accuracy",
        "rrse",
        "instances",
        "macro_f1",
        "coverage",
        "accepted_accuracy",
        "per_class",
        "confusion",
        "classes",
    ] {
        assert!(json.get(field).is_some(), "{field}");
    }
}

#[test]
fn counts_are_whole_numbers_where_they_can_be() {
    let json = serde_json::to_value(evaluate(&[([0.9, 0.1], "a")], 0.8)).unwrap();
    assert_eq!(json["confusion"], serde_json::json!([[1, 0], [0, 0]]));
    assert!(json["sd"].is_null() && json["per_class"][0]["recall"].is_number(), "{json}");
}

#[test]
fn folds_are_pooled_and_each_is_compared_with_its_own_priors() {
    let other = Classes::of(&["a", "b"].map(|class| Label::new(class, Kind::Iot))).unwrap();
    let second = TestedFold { classes: other, ..fold((2, 1), &[([0.6, 0.4], "b")], 0.8) };
    let evaluation = Evaluation::of(&[fold((1, 1), &[([0.8, 0.2], "a")], 0.8), second], 0.8).unwrap();
    // Priors 4/6 and 2/6 for the first: 2/9 for a. Priors 1/2 and 1/2 for the second: 1/2 for b.
    assert_close(evaluation.measures.rrse, 100.0 * ((0.08 + 0.72) / (2.0 / 9.0 + 0.5_f64)).sqrt());
    assert_close(evaluation.measures.accuracy, 0.5);
    let folds: Vec<_> =
        evaluation.folds.iter().map(|fold| (fold.fold, fold.instances, fold.trained_on)).collect();
    assert_eq!(folds, [(Some(1), 1, 4.0), (Some(2), 1, 2.0)]);
    assert_close(evaluation.folds[0].measures.accuracy, 1.0);
    assert_eq!(evaluation.sd, None);
    assert_eq!((evaluation.instances, evaluation.by_seed.len()), (2, 1));
}

#[test]
fn more_seeds_are_not_more_instances() {
    let answers = [([0.9, 0.1], "a"), ([0.7, 0.3], "b")];
    let seeds = [
        fold((1, 1), &answers, 0.8),
        fold((1, 2), &answers, 0.8),
        fold((1, 3), &[([0.9, 0.1], "a"), ([0.4, 0.6], "b")], 0.8),
    ];
    let evaluation = Evaluation::of(&seeds, 0.8).unwrap();
    assert_eq!(evaluation.instances, 2);
    // Accuracies 1/2, 1/2 and 1: mean 2/3, deviation √(1/12).
    assert_close(evaluation.measures.accuracy, 2.0 / 3.0);
    assert_close(evaluation.sd.unwrap().accuracy, (1.0 / 12.0_f64).sqrt());
    assert_eq!(evaluation.per_class.iter().map(|class| class.instances).collect::<Vec<_>>(), [1, 1]);
    assert_close(evaluation.confusion[1][0], 2.0 / 3.0);
    assert_close(evaluation.per_class[1].recall.unwrap(), 1.0 / 3.0);
    assert_close(evaluation.calibration.iter().map(|bin| bin.instances).sum(), 2.0);
    // A window that one seed alone tested counts as much as any other.
    let more = Evaluation::of(&[fold((1, 1), &answers, 0.8), fold((1, 2), &answers[..1], 0.8)], 0.8).unwrap();
    assert_eq!(more.instances, 2);
    assert_eq!(more.confusion, [[1.0, 0.0], [1.0, 0.0]]);
}

#[test]
fn likeness_and_confidence_both_accept() {
    let mut fold = fold((1, 1), &[([0.9, 0.1], "a"), ([1.0, 0.0], "b"), ([0.6, 0.4], "a")], 0.8);
    fold.answers[1].failed.push(Test::Likeness);
    let Measures { coverage, accepted_accuracy, confident_coverage, confident_accuracy, .. } =
        Evaluation::of(&[fold], 0.8).unwrap().measures;
    assert_close(coverage, 1.0 / 3.0);
    assert_close(accepted_accuracy.unwrap(), 1.0);
    assert_close(confident_coverage, 2.0 / 3.0);
    assert_close(confident_accuracy.unwrap(), 0.5);
}

#[test]
fn sets_cover_the_worst_class_least() {
    let evaluation =
        evaluate(&[([0.97, 0.03], "a"), ([0.9, 0.1], "a"), ([0.97, 0.03], "b"), ([0.5, 0.5], "b")], 0.8);
    // Sets of 1, 2, 1 and 2 classes; the third lacks b.
    assert_close(evaluation.measures.set_size, 1.5);
    assert_close(evaluation.measures.set_coverage, 0.75);
    assert_close(evaluation.measures.set_coverage_worst, 0.5);
    let stranger = evaluate(&[([0.5, 0.5], "c")], 0.8);
    assert_close(stranger.measures.set_coverage, 0.0);
}
