use thingprint_flow::{DeviceId, MacAddr, Timestamp};
use thingprint_instance::{Kind, Label};

use super::*;
use crate::classes::Classes;
use crate::evaluation::{Answer, TestedFold};
use crate::prediction::Prediction;

fn key(device: u8, hour: i64, truth: &str) -> WindowKey {
    WindowKey {
        device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, device])),
        window_start: Timestamp::from_seconds(3_600 * hour),
        capture: None,
        fold: 1,
        truth: truth.into(),
    }
}

/// Answers of two classes for windows of a device and an hour, with this seed.
fn seeded(seed: u64, said: &[(u8, i64, &str, f64)]) -> WindowAnswers {
    let mut answers = WindowAnswers::default();
    add(&mut answers, seed, said);
    answers
}

fn add(answers: &mut WindowAnswers, seed: u64, said: &[(u8, i64, &str, f64)]) {
    let labels: Vec<Label> = ["a", "b"].map(|name| Label::new(name, Kind::Iot)).into();
    let classes = Classes::of(&labels).unwrap();
    let answer = |&(device, hour, truth, p): &(u8, i64, &str, f64)| {
        let prediction = Prediction {
            device: key(device, hour, truth).device,
            window_start: key(device, hour, truth).window_start,
            stage0: std::collections::BTreeMap::new(),
            class: if p >= 0.5 { "a".into() } else { "b".into() },
            confidence: p.max(1.0 - p),
            likeness: None,
            distribution: vec![p, 1.0 - p],
        };
        Answer { capture: None, truth: truth.into(), prediction, failed: Vec::new(), is_in_family: None }
    };
    // Priors of 1/2 each.
    answers.extend(&[TestedFold { fold: 1, seed, classes, answers: said.iter().map(answer).collect() }]);
}

fn answers(said: &[(u8, i64, &str, f64)]) -> WindowAnswers {
    seeded(1, said)
}

fn compare(first: &WindowAnswers, second: &WindowAnswers, jobs: usize) -> Comparison {
    Comparison::of(first, second, 1, NonZeroUsize::new(jobs).unwrap()).unwrap()
}

#[test]
fn windows_are_paired_and_the_others_counted() {
    let first = answers(&[(1, 0, "a", 0.9), (1, 1, "a", 0.4), (1, 2, "a", 0.8), (2, 0, "b", 0.9)]);
    let second =
        answers(&[(1, 0, "a", 0.3), (1, 1, "a", 0.2), (1, 2, "a", 0.9), (3, 0, "b", 0.9), (3, 1, "b", 0.9)]);
    let found = compare(&first, &second, 1);
    assert_eq!((found.pairs, found.unpaired, found.unpaired_other), (3, 1, 2));
    assert_eq!((found.both_right, found.right, found.right_other, found.both_wrong), (1, 1, 0, 1));
    assert!((found.accuracy.difference - 1.0 / 3.0).abs() < 1e-12, "{found:?}");
    // Squared errors 0.02, 0.72 and 0.08 by 3 · 0.5, and 0.98, 1.28 and 0.02.
    let rrse = found.rrse.unwrap();
    assert!((rrse.value - 100.0 * (0.82 / 1.5_f64).sqrt()).abs() < 1e-9, "{rrse:?}");
    assert!((rrse.other - 100.0 * (2.28 / 1.5_f64).sqrt()).abs() < 1e-9, "{rrse:?}");
    assert_eq!((found.device_days, found.accuracy.low, rrse.high), (1, None, None));
    assert!(Comparison::of(&first, &answers(&[(9, 0, "a", 0.9)]), 1, NonZeroUsize::MIN).is_none());
}

#[test]
fn the_label_and_the_fold_are_part_of_a_window() {
    let first = answers(&[(1, 0, "a", 0.9)]);
    assert!(Comparison::of(&first, &answers(&[(1, 0, "b", 0.9)]), 1, NonZeroUsize::MIN).is_none());
    let mut other_fold = WindowAnswers::default();
    assert!(other_fold.insert(WindowKey { fold: 2, ..key(1, 0, "a") }, 1, "a", [("a", 1.0)]));
    assert!(Comparison::of(&first, &other_fold, 1, NonZeroUsize::MIN).is_none());
    assert_eq!(compare(&other_fold, &other_fold, 1).rrse, None);
}

#[test]
fn answers_are_paired_by_seed_and_windows_count_once() {
    // With seeds 1, 2 and 3 two answers of three are right; the other file has seeds 2 and 4.
    let mut three = WindowAnswers::default();
    for (seed, p) in [(1, 0.9), (2, 0.2), (3, 0.6)] {
        add(&mut three, seed, &[(1, 0, "a", p)]);
    }
    let mut other = seeded(2, &[(1, 0, "a", 0.7)]);
    add(&mut other, 4, &[(1, 0, "a", 0.1)]);
    let found = compare(&three, &other, 1);
    // Seed 2 alone is in common: 0.2 is wrong, 0.7 is right.
    assert_eq!((found.pairs, found.seeds.clone(), found.right_other), (1, vec![2], 1));
    assert_eq!((found.accuracy.value, found.accuracy.other), (0.0, 1.0));
    let rrse = found.rrse.unwrap();
    assert!((rrse.value - 100.0 * (1.28 / 0.5_f64).sqrt()).abs() < 1e-9, "{rrse:?}");
    // Against itself a window is right with two seeds of three: no ensemble of three models answers.
    let same = compare(&three, &three, 1);
    assert_eq!((same.pairs, same.both_right, same.seeds.clone()), (1, 1, vec![1, 2, 3]));
    assert!((same.accuracy.value - 2.0 / 3.0).abs() < 1e-12, "{same:?}");
}

#[test]
fn windows_of_other_seeds_do_not_pair() {
    // As under random splits: each seed tests other windows.
    let mut first = seeded(1, &[(1, 0, "a", 0.9), (1, 1, "a", 0.9)]);
    add(&mut first, 2, &[(1, 2, "a", 0.9)]);
    let mut second = seeded(1, &[(1, 0, "a", 0.1), (1, 2, "a", 0.1)]);
    add(&mut second, 2, &[(1, 1, "a", 0.1)]);
    let found = compare(&first, &second, 1);
    assert_eq!((found.pairs, found.unpaired, found.unpaired_other, found.right), (1, 2, 2, 1));
    assert_eq!(found.seeds, [1]);
    let alone = seeded(3, &[(1, 0, "a", 0.9)]);
    assert!(!first.has_seed_in_common(&alone) && first.has_seed_in_common(&second));
    assert!(Comparison::of(&first, &alone, 1, NonZeroUsize::MIN).is_none());
}

#[test]
fn more_right_seeds_decide_a_window() {
    let sides = |first: [f64; 2], second: [f64; 2]| {
        let of = |[one, two]: [f64; 2]| {
            let mut answers = seeded(1, &[(1, 0, "a", one)]);
            add(&mut answers, 2, &[(1, 0, "a", two)]);
            answers
        };
        let found = compare(&of(first), &of(second), 1);
        [found.both_right, found.right, found.right_other, found.both_wrong]
    };
    assert_eq!(sides([0.9, 0.9], [0.9, 0.1]), [0, 1, 0, 0]);
    assert_eq!(sides([0.1, 0.1], [0.1, 0.9]), [0, 0, 1, 0]);
    assert_eq!(sides([0.9, 0.1], [0.1, 0.9]), [1, 0, 0, 0]);
    assert_eq!(sides([0.1, 0.1], [0.1, 0.1]), [0, 0, 0, 1]);
}

#[test]
fn one_model_pairs_with_every_seed() {
    let mut seeds = seeded(1, &[(1, 0, "a", 0.9)]);
    add(&mut seeds, 2, &[(1, 0, "a", 0.1)]);
    let fold = |seed: u64| {
        let labels = [Label::new("a", Kind::Iot), Label::new("b", Kind::Iot)];
        let prediction = Prediction {
            device: key(1, 0, "a").device,
            window_start: Timestamp::from_seconds(0),
            stage0: std::collections::BTreeMap::new(),
            class: "a".into(),
            confidence: 0.9,
            likeness: None,
            distribution: vec![0.9, 0.1],
        };
        let answer =
            Answer { capture: None, truth: "a".into(), prediction, failed: Vec::new(), is_in_family: None };
        TestedFold { fold: 1, seed, classes: Classes::of(&labels).unwrap(), answers: vec![answer] }
    };
    let (model, other) = (WindowAnswers::of_model(&fold(7)), WindowAnswers::of_model(&fold(8)));
    let found = compare(&model, &seeds, 1);
    assert_eq!((found.seeds.clone(), found.accuracy.value, found.accuracy.other), (vec![1, 2], 1.0, 0.5));
    assert_eq!(compare(&seeds, &model, 1).right_other, 1);
    assert_eq!(compare(&model, &other, 1).both_right, 1);
}

#[test]
fn a_foreign_answer_is_judged_by_its_class() {
    // A class in ties or against its own probabilities: the class decides.
    let mut foreign = WindowAnswers::default();
    assert!(foreign.insert(key(1, 0, "b"), 1, "b", [("a", 0.6), ("b", 0.4)]));
    let found = compare(&answers(&[(1, 0, "b", 0.9)]), &foreign, 1);
    assert_eq!((found.right_other, found.accuracy.other), (1, 1.0));
}

#[test]
fn repeated_answers_are_left_out_and_counted() {
    let twice = answers(&[(1, 0, "a", 0.9), (1, 0, "a", 0.1)]);
    assert_eq!((twice.len(), twice.repeated()), (1, 1));
    let found = compare(&twice, &answers(&[(1, 0, "a", 0.9)]), 1);
    assert_eq!((found.repeated, found.repeated_other, found.both_right), (1, 0, 1));
    let mut foreign = WindowAnswers::default();
    assert!(foreign.insert(key(1, 0, "a"), 1, "a", [("a", 1.0)]));
    assert!(!foreign.insert(key(1, 0, "a"), 1, "b", [("b", 1.0)]));
    assert_eq!(foreign.repeated(), 1);
}

#[test]
fn few_days_have_no_interval() {
    let days = |count: u8| {
        let said: Vec<_> =
            (0..count).map(|device| (device, 0, "a", if device < 5 { 0.9 } else { 0.1 })).collect();
        let found = compare(&answers(&said), &answers(&said), 1);
        (found.device_days, found.accuracy.low.is_some(), found.rrse.unwrap().high.is_some())
    };
    assert_eq!(days(9), (9, false, false));
    assert_eq!(days(10), (10, true, true));
}

#[test]
fn intervals_draw_whole_days_and_do_not_depend_on_threads() {
    // Ten devices with a day each of 24 equal hours: the first is right on eight of them, the second on six.
    let said = |right: u8| -> Vec<(u8, i64, &str, f64)> {
        let of_device =
            |device| (0..24).map(move |hour| (device, hour, "a", if device < right { 0.9 } else { 0.1 }));
        (0..10).flat_map(of_device).collect()
    };
    let (first, second) = (answers(&said(8)), answers(&said(6)));
    let found = compare(&first, &second, 1);
    assert_eq!(found, compare(&first, &second, 7));
    assert_eq!((found.pairs, found.device_days, found.resamples), (240, 10, RESAMPLES));
    assert_eq!(found.mcnemar.test, McNemarTest::ChiSquareCorrected);
    // A day is drawn or is not: the difference is a multiple of a tenth. Of ten draws with a chance of 2/10 each, none has
    // 11 % and at most one 38 %, and 5 or fewer 99.4 %: the interval of 95 % is 0 to 0.5.
    let Contrast { difference, low, high, .. } = found.accuracy;
    assert!((difference - 0.2).abs() < 1e-12);
    assert!(low.unwrap().abs() < 1e-12 && (high.unwrap() - 0.5).abs() < 1e-12, "{found:?}");
    let other = Comparison::of(&first, &second, 2, NonZeroUsize::MIN).unwrap();
    assert_eq!(found.accuracy.difference.to_bits(), other.accuracy.difference.to_bits());
}

#[test]
fn equal_answers_do_not_differ() {
    let said: Vec<_> = (0..12).map(|device| (device, 0, "b", f64::from(device) / 12.0)).collect();
    let answers = answers(&said);
    let found = compare(&answers, &answers, 2);
    assert_eq!((found.accuracy.low, found.accuracy.high), (Some(0.0), Some(0.0)));
    assert!((found.mcnemar.p - 1.0).abs() < 1e-12, "{found:?}");
}

#[test]
fn seeds_with_other_classes_are_averaged() {
    let fold = |seed: u64, names: &[&str], distribution: &[f64]| {
        let labels = names.iter().map(|name| Label::new(*name, Kind::Iot));
        let classes = Classes::of(&labels.collect::<Vec<_>>()).unwrap();
        let prediction = Prediction {
            device: key(1, 0, "b").device,
            window_start: Timestamp::from_seconds(0),
            stage0: std::collections::BTreeMap::new(),
            class: classes.name(usize::from(distribution[1] > distribution[0])),
            confidence: distribution[0].max(distribution[1]),
            likeness: None,
            distribution: distribution.to_vec(),
        };
        let answer =
            Answer { capture: None, truth: "b".into(), prediction, failed: Vec::new(), is_in_family: None };
        TestedFold { fold: 1, seed, classes, answers: vec![answer] }
    };
    let folds = [fold(1, &["b", "c"], &[0.8, 0.2]), fold(2, &["a", "b"], &[0.7, 0.3])];
    let mut answers = WindowAnswers::of(&folds[..1]);
    answers.extend(&folds[1..]);
    let found = compare(&answers, &WindowAnswers::of(&folds), 1);
    assert_eq!((found.pairs, found.both_right), (1, 1));
    assert!((found.accuracy.value - 0.5).abs() < 1e-12);
    let rrse = found.rrse.unwrap();
    assert!((rrse.value - rrse.other).abs() < 1e-12, "{rrse:?}");
    // Of b, 0.8 of two and 0.3 of two: 0.08 and 0.98, the mean is 0.53. Priors of b are 1/2 in both: 1/2 each.
    assert!((rrse.value - 100.0 * (0.53 / 0.5_f64).sqrt()).abs() < 1e-9, "{rrse:?}");
}
