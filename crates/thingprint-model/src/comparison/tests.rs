use std::sync::Arc;

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

/// Answers of two classes for windows of a device and an hour.
fn answers(said: &[(u8, i64, &str, f64)]) -> WindowAnswers {
    let mut answers = WindowAnswers::new(["a", "b"].map(Arc::from));
    for &(device, hour, truth, p) in said {
        // Priors of 1/2 each.
        answers.add(key(device, hour, truth), [("a", p), ("b", 1.0 - p)]).prior_error += 0.5;
    }
    answers
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
    // One day alone says nothing of other days.
    assert_eq!((found.device_days, found.accuracy.low, rrse.high), (1, None, None));
    assert!(Comparison::of(&first, &answers(&[(9, 0, "a", 0.9)]), 1, NonZeroUsize::MIN).is_none());
}

#[test]
fn the_label_and_the_fold_are_part_of_a_window() {
    let first = answers(&[(1, 0, "a", 0.9)]);
    assert!(Comparison::of(&first, &answers(&[(1, 0, "b", 0.9)]), 1, NonZeroUsize::MIN).is_none());
    let mut other_fold = WindowAnswers::new(["a".into()]);
    other_fold.insert(WindowKey { fold: 2, ..key(1, 0, "a") }, [("a", 1.0)]);
    assert!(Comparison::of(&first, &other_fold, 1, NonZeroUsize::MIN).is_none());
    assert_eq!(compare(&other_fold, &other_fold, 1).rrse, None);
}

#[test]
fn seeds_are_one_answer_by_their_mean() {
    // 0.9, 0.2 and 0.6 are right twice of three, and their mean 0.5667 is right.
    let three = answers(&[(1, 0, "a", 0.9), (1, 0, "a", 0.2), (1, 0, "a", 0.6)]);
    assert_eq!(three.len(), 1);
    let found = compare(&three, &answers(&[(1, 0, "a", 0.4)]), 1);
    assert_eq!((found.pairs, found.right), (1, 1));
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
    let answers = answers(&[(1, 0, "a", 0.9), (1, 30, "b", 0.9), (2, 0, "b", 0.1)]);
    let found = compare(&answers, &answers, 2);
    assert_eq!((found.accuracy.low, found.accuracy.high), (Some(0.0), Some(0.0)));
    assert!((found.mcnemar.p - 1.0).abs() < 1e-12, "{found:?}");
}

#[test]
fn classes_of_later_folds_find_their_places() {
    let fold = |seed: u64, names: &[&str], distribution: &[f64]| {
        let labels = names.iter().map(|name| Label::new(*name, Kind::Iot));
        let classes = Classes::of(&labels.collect::<Vec<_>>()).unwrap();
        let prediction = Prediction {
            device: key(1, 0, "b").device,
            window_start: Timestamp::from_seconds(0),
            stage0: std::collections::BTreeMap::new(),
            class: classes.name(0),
            confidence: distribution[0],
            likeness: None,
            distribution: distribution.to_vec(),
        };
        let answer =
            Answer { capture: None, truth: "b".into(), prediction, failed: Vec::new(), is_in_family: None };
        TestedFold { fold: 1, seed, classes, answers: vec![answer] }
    };
    // The means are 0.35 for a, 0.55 for b and 0.1 for c.
    let folds = [fold(1, &["b", "c"], &[0.8, 0.2]), fold(2, &["a", "b"], &[0.7, 0.3])];
    let mut answers = WindowAnswers::of(&folds[..1]);
    answers.extend(&folds[1..]);
    let found = compare(&answers, &WindowAnswers::of(&folds), 1);
    assert_eq!((found.pairs, found.both_right), (1, 1));
    let rrse = found.rrse.unwrap();
    assert!((rrse.value - rrse.other).abs() < 1e-12, "{rrse:?}");
    // Model: 0.35² + 0.45² + 0.1². Priors of b are 1/2 in both: 1/2 each.
    assert!((rrse.value - 100.0 * (0.335 / 0.5_f64).sqrt()).abs() < 1e-9, "{rrse:?}");
}
