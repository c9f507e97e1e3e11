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
        assert_close(all[a].spread().affinity(&all[b]).unwrap(), expected);
        assert_close(all[b].spread().affinity(&all[a]).unwrap(), expected);
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
    assert_close(of(&known).spread().affinity(&of(&strange)).unwrap(), 0.5);
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
    (JointParts::fit(rows, evidence(), Vec::new(), NonZeroUsize::MIN).0, windows)
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

/// Twenty windows of a class: all with a port, three with another, two with a third.
fn kept() -> Vec<Instance> {
    let window = |at: i64| match at {
        0..3 => instance(at, &[("53", 1), ("123", 1)], Some(&[])),
        3..5 => instance(at, &[("53", 1), ("9999", 1)], Some(&[])),
        _ => instance(at, &[("53", 1)], Some(&[("a.example", 1)])),
    };
    (0..20).map(window).collect()
}

#[test]
fn familiarity_worked_by_hand() {
    let kept = kept();
    let lexicon = Lexicon::of(evidence(), &kept.iter());
    let of = |instance: &Instance| Shares::of(&lexicon.window(instance));
    let references: Vec<Shares> = kept.iter().map(of).collect();
    let class = ClassLikeness { references, norm: Norm { median: 1.0, sigma: 1.0 } };
    let thresholds = LikenessThresholds { five_percent: 0.0, one_percent: 0.0, day: 0.0 };
    let likeness = Likeness { classes: vec![class], thresholds };
    let check = |ports: &[(&str, u64)], domains: Option<&[(&str, u64)]>, expected: Option<f64>| {
        let found = likeness.familiarity(&of(&instance(0, ports, domains)), 0);
        match (found, expected) {
            (Some(found), Some(expected)) => assert_close(found, expected),
            other => assert_eq!(other.0, other.1),
        }
    };
    // A bag without words so far is held against nothing.
    check(&[("53", 1)], Some(&[]), Some(1.0));
    check(&[("123", 3)], None, Some(1.0));
    // Weights 1 and 3: two of twenty windows are a tenth, and not more.
    check(&[("53", 1), ("9999", 7)], Some(&[]), Some(0.25));
    // A word that training never saw has its weight as well; the mean over bags.
    check(&[("53", 1), ("77", 7)], Some(&[("a.example", 5)]), Some(f64::midpoint(0.25, 1.0)));
    check(&[], Some(&[]), None);
    assert_eq!(likeness.familiarity(&of(&kept[0]), 1), None, "there is no such class");
}

#[test]
fn what_a_window_lacks_makes_it_less_like_and_no_less_familiar() {
    let rows = |at: i64| {
        let ports = [("53", 1), ("123", 1), ("443", 7)];
        instance(at, &ports, Some(&[("a.example", 3), ("b.example", 1)]))
    };
    let label = Label::new("plug", Kind::Iot);
    let windows: Vec<Instance> = (0..60).map(rows).collect();
    let labelled: Vec<_> = windows.iter().map(|window| (window, &label)).collect();
    let rows = Rows { labelled: &labelled, row_classes: &[0; 60], classes: 1 };
    let (parts, familiarity) = JointParts::fit(rows, evidence(), Vec::new(), NonZeroUsize::MIN);
    let (likeness, familiarity) = (parts.likeness.unwrap(), familiarity.unwrap());
    let of = |instance: &Instance| Shares::of(&parts.lexicon.window(instance));
    let least = familiarity.least(0, familiarity.thresholds.five_percent).unwrap();
    let begun = of(&instance(9, &[("123", 1)], Some(&[])));
    assert!(likeness.of(&begun, 0).unwrap() < likeness.thresholds.one_percent);
    assert!(likeness.familiarity(&begun, 0).unwrap() >= least, "{least}");
    let stranger = of(&instance(9, &[("123", 1)], Some(&[("elsewhere.example", 1)])));
    assert!(likeness.familiarity(&stranger, 0).unwrap() < least);
}
