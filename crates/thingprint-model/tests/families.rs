//! Families that labels give, on a few windows made by hand.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::num::NonZeroUsize;

use thingprint_flow::{DeviceId, MacAddr, Timestamp};
use thingprint_instance::{Attributes, Bag, BagName, Bags, Counts, Instance, Kind, Label, Labeled, Spreads};
use thingprint_model::{Acceptance, Evaluation, Model, ModelError, Recipe, TrainOptions};

const HOUR_NS: i64 = 3_600_000_000_000;

fn window(unit: u8, hour: u8, organisations: &[&str]) -> Instance {
    let words: Bag = organisations.iter().map(|word| ((*word).to_owned(), 4)).collect();
    let ports: Bag = [("443".to_owned(), u64::from(hour) + 1)].into();
    Instance {
        device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, unit])),
        window_start: Timestamp::from_nanos(i64::from(hour) * HOUR_NS),
        window_s: 3600.0,
        capture: None,
        attributes: Attributes::default(),
        bags: [(BagName::ORGANISATIONS, words), (BagName::PORTS, ports)].into_iter().collect::<Bags>(),
        counts: Counts::default(),
        spread: Spreads::default(),
    }
}

/// Eight hours of a device of a class.
fn device(class: &str, family: Option<&str>, unit: u8, organisations: &[&str]) -> Vec<Labeled> {
    let label = Label { family: family.map(str::to_owned), ..Label::new(class, Kind::Iot) };
    let row = |hour| Labeled { instance: window(unit, hour, organisations), label: Some(label.clone()) };
    (0..8).map(row).collect()
}

fn rows() -> Vec<Labeled> {
    [
        device("acme cam", Some("Acme"), 1, &["acme.com", "acmecam.net", "amazonaws.com"]),
        device("acme plug", Some("Acme"), 2, &["acme.com", "plugs.org"]),
        device("bolt lock", Some("Bolt"), 3, &["bolt.io", "ntp.org"]),
        device("radio", None, 4, &["radio.fm"]),
        device("corex hub", Some("Corex"), 5, &["corex.net"]),
        device("dyna bulb", Some("Dyna"), 6, &["dyna.eu"]),
    ]
    .concat()
}

fn fit(rows: &[Labeled]) -> Result<Model, ModelError> {
    Model::fit(rows, &TrainOptions { trees: 10, ..TrainOptions::of(Recipe::Best) }, NonZeroUsize::MIN)
}

#[test]
fn labels_give_families_that_a_model_file_keeps() {
    let model = fit(&rows()).unwrap();
    let families = model.families();
    let names: Vec<(&str, bool, usize)> =
        families.iter().map(|family| (&*family.name, family.is_given, family.classes.len())).collect();
    assert_eq!(names, [("Acme", true, 2), ("Bolt", true, 1), ("Corex", true, 1), ("Dyna", true, 1)]);
    let mut file = Vec::new();
    model.write_to(&mut file).unwrap();
    assert_eq!(Model::read_from(&*file, "x").unwrap(), model);
}

#[test]
fn a_family_has_the_probability_of_all_its_classes() {
    let model = fit(&rows()).unwrap();
    let family = |class| model.family_of(&[0.5, 0.25, 0.125, 0.0, 0.0, 0.125], class);
    let acme = family("acme plug").unwrap();
    assert_eq!((&*acme.family, acme.confidence.to_bits()), ("Acme", 0.75_f64.to_bits()));
    assert_eq!((family("radio"), family("nobody")), (None, None));
}

#[test]
fn names_point_to_the_family_of_a_stranger() {
    let model = fit(&rows()).unwrap();
    let named = |organisations: &[&str]| {
        model
            .family_by_names(&[&window(9, 3, organisations)])
            .map(|found| (found.family.to_string(), found.words))
    };
    assert_eq!(named(&["acme.com", "new.example"]), Some(("Acme".to_owned(), vec!["acme.com".to_owned()])));
    assert_eq!(named(&["bolt.io"]).unwrap().0, "Bolt");
    assert_eq!(named(&["amazonaws.com", "ntp.org"]), None, "shared clouds name nobody");
    assert_eq!(named(&["radio.fm"]), None, "the class has no family");
    assert_eq!(named(&["acme.com", "bolt.io"]), None, "neither is clearly ahead");
    assert_eq!(model.family_by_names(&[]), None);
}

#[test]
fn a_class_of_two_families_is_refused() {
    let rows = [rows(), device("radio", Some("Waves"), 7, &["radio.fm"])].concat();
    fit(&rows).unwrap();
    let rows = [rows, device("radio", Some("Tides"), 8, &["radio.fm"])].concat();
    let error = fit(&rows).unwrap_err();
    assert_eq!(
        error.to_string(),
        "class 'radio' has the families 'Waves' and 'Tides': give it one family in the label file"
    );
}

#[test]
fn an_answer_of_the_same_family_counts_for_the_family() {
    let model = fit(&rows()).unwrap();
    let asked = device("acme tube", Some("Acme"), 9, &["acme.com", "plugs.org"]);
    let answers = model.answers(&asked, &Acceptance::default(), NonZeroUsize::MIN);
    let evaluation = Evaluation::of(&[model.tested(1, answers)], 0.8).unwrap();
    assert_eq!((evaluation.measures.accuracy, evaluation.measures.family_accuracy), (0.0, Some(1.0)));
    let without: Vec<Labeled> = rows()
        .into_iter()
        .map(|row| {
            let label = row.label.map(|label| Label { family: None, ..label });
            Labeled { label, ..row }
        })
        .collect();
    let model = fit(&without).unwrap();
    let answers = model.answers(&without, &Acceptance::default(), NonZeroUsize::MIN);
    let evaluation = Evaluation::of(&[model.tested(1, answers)], 0.8).unwrap();
    assert_eq!((evaluation.measures.accuracy, evaluation.measures.family_accuracy), (1.0, None));
}
