use std::num::NonZeroUsize;

use thingprint_flow::{DeviceId, MacAddr, Timestamp};
use thingprint_instance::{
    Attributes, Bag, BagName, Bags, Counts, EvidenceSet, Instance, Kind, Label, Spreads,
};

use super::*;
use crate::joint::{JointParts, Rows};

fn evidence() -> EvidenceSet {
    EvidenceSet::from(BagName::PORTS).with(BagName::DOMAINS.into())
}

fn instance(hour: i64, ports: &[(&str, u64)], domains: Option<&[(&str, u64)]>) -> Instance {
    let bag =
        |words: &[(&str, u64)]| -> Bag { words.iter().map(|&(word, n)| (word.to_owned(), n)).collect() };
    let mut bags = Bags::from([(BagName::PORTS, bag(ports))]);
    if let Some(domains) = domains {
        bags.insert(BagName::DOMAINS, bag(domains));
    }
    Instance {
        device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, 1])),
        window_start: Timestamp::from_seconds(hour * 3_600),
        window_s: 3_600.0,
        capture: None,
        attributes: Attributes::default(),
        bags,
        counts: Counts::default(),
        spread: Spreads::new(),
    }
}

fn shares(words: &[&Instance]) -> Vec<Shares> {
    let lexicon = Lexicon::of(evidence(), &words.iter().copied());
    words.iter().map(|instance| Shares::of(&lexicon.window(instance))).collect()
}

fn assert_close(left: f64, right: f64) {
    assert!((left - right).abs() < 1e-6, "{left} is not {right}");
}

#[test]
fn affinities_worked_by_hand() {
    // Weights 1 and 3: shares 1/4 and 3/4. Against 53 alone: √(1/4 · 1).
    let (mixed, alone) =
        (instance(0, &[("53", 1), ("443", 7)], Some(&[])), instance(0, &[("53", 5)], Some(&[])));
    let named = instance(0, &[("53", 1)], Some(&[("a.example", 1)]));
    let bare = instance(0, &[("53", 1)], None);
    let all = shares(&[&mixed, &alone, &named, &bare]);
    let check = |a: usize, b: usize, expected: f64| {
        assert_close(all[a].affinity(&all[b]).unwrap(), expected);
        assert_close(all[b].affinity(&all[a]).unwrap(), expected);
    };
    check(0, 0, 1.0);
    // Both have no name, which counts 1.
    check(0, 1, f64::midpoint(0.5, 1.0));
    check(1, 2, f64::midpoint(1.0, 0.0));
    // A bag that is absent is not compared.
    check(0, 3, 0.5);
}

#[test]
fn words_that_training_never_saw_take_their_share() {
    let known = instance(0, &[("53", 1)], None);
    let lexicon = Lexicon::of(evidence(), &std::iter::once(&known));
    let of = |instance: &Instance| Shares::of(&lexicon.window(instance));
    let strange = instance(0, &[("53", 1), ("8883", 7)], None);
    assert_close(of(&known).affinity(&of(&strange)).unwrap(), 0.5);
}

/// Windows of two classes in turn: one always the same, one whose every tenth window is half strange to the others.
fn parts(count: i64) -> (JointParts, Vec<Instance>) {
    let label = |class: &str| Label::new(class, Kind::Iot);
    let labels = [label("plug"), label("camera")];
    let window = |hour: i64| match hour % 2 {
        0 => instance(hour, &[("53", 1)], Some(&[("plug.example", 1)])),
        _ if hour % 20 == 1 => instance(hour, &[("443", 1), (&format!("{hour}"), 1)], Some(&[])),
        _ => instance(hour, &[("443", 1)], Some(&[])),
    };
    let windows: Vec<Instance> = (0..count).map(window).collect();
    let rows: Vec<_> = windows.iter().enumerate().map(|(at, window)| (window, &labels[at % 2])).collect();
    let row_classes: Vec<u16> = (0..rows.len()).map(|at| u16::from(at % 2 == 0)).collect();
    let rows = Rows { labelled: &rows, row_classes: &row_classes, classes: 2 };
    (JointParts::fit(rows, evidence(), Vec::new(), NonZeroUsize::MIN), windows)
}

#[test]
fn likeness_is_0_where_a_window_is_as_usual() {
    let (parts, windows) = parts(400);
    let likeness = parts.likeness.unwrap();
    let of = |instance: &Instance, class: usize| {
        likeness.of(&Shares::of(&parts.lexicon.window(instance)), class).unwrap()
    };
    assert_close(of(&windows[0], 1), 0.0);
    assert_close(of(&windows[3], 0), 0.0);
    assert!(of(&windows[0], 0) < likeness.thresholds.one_percent);
    let stranger = instance(9, &[("9999", 3)], Some(&[("elsewhere.example", 1)]));
    assert!(of(&stranger, 0) < likeness.thresholds.day && of(&stranger, 1) < likeness.thresholds.day);
    assert!(likeness.thresholds.one_percent <= likeness.thresholds.five_percent);
    assert!(likeness.classes.iter().all(|class| class.references.len() == MAX_REFERENCES));
}

/// Nothing is known of what is usual for a class when each has one window.
#[test]
fn a_single_window_of_each_class_gives_no_likeness() {
    assert!(parts(2).0.likeness.is_none());
    assert!(parts(3).0.likeness.is_some());
}
