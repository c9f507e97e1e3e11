use std::num::NonZeroUsize;

use proptest::prelude::*;
use thingprint_flow::{DeviceId, MacAddr, Timestamp};
use thingprint_instance::{Bag, BagName, Bags, Counts, Instance, Kind, Label, Labeled, Spreads};

use super::*;
use crate::guard::BagUnits;
use crate::options::{Recipe, Stage0Backend, Stage1Backend, TrainOptions, Unseen};

fn instance(seed: u64) -> Instance {
    let bag = |words: u64| -> Bag {
        (0..words % 4).map(|word| (format!("w{}", (seed + word) % 7), word + 1)).collect()
    };
    let number = |step: u64| (!seed.is_multiple_of(step)).then(|| (seed % step) as f64);
    Instance {
        device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, 1])),
        window_start: Timestamp::default(),
        window_s: 3_600.0,
        capture: None,
        attributes: EvidenceSet::paper().numbers().zip([3, 5, 7, 11, 13, 17].map(number)).collect(),
        bags: Bags::from([
            (BagName::PORTS, bag(seed)),
            (BagName::DOMAINS, bag(seed / 3)),
            (BagName::CIPHER_SUITES, bag(seed / 5)),
        ]),
        counts: Counts::default(),
        spread: Spreads::new(),
    }
}

fn rows() -> Vec<Labeled> {
    let label = |seed: u64| {
        let (class, kind) = [("a", Kind::Iot), ("b", Kind::Iot), ("c", Kind::NonIot)][(seed % 3) as usize];
        Label::new(class, kind)
    };
    (0..60).map(|seed| Labeled { instance: instance(seed), label: Some(label(seed)) }).collect()
}

fn model(options: TrainOptions) -> Model {
    let options = TrainOptions { trees: 3, ..options };
    let extraction = [("window".to_owned(), "1h".to_owned())].into();
    Model::fit(&rows(), &options, NonZeroUsize::MIN).unwrap().with_extraction(extraction)
}

fn models() -> [Model; 4] {
    [
        model(TrainOptions::default()),
        model(TrainOptions::of(Recipe::Best)),
        model(TrainOptions {
            stage0: Stage0Backend::Linfa,
            stage1: Stage1Backend::Smartcore,
            ..TrainOptions::default()
        }),
        model(TrainOptions {
            unseen: Unseen::Ignore,
            scenario: crate::Scenario::LowMedium,
            ..TrainOptions::default()
        }),
    ]
}

fn written(model: &Model) -> Vec<u8> {
    let mut bytes = Vec::new();
    model.write_to(&mut bytes).unwrap();
    bytes
}

/// A file with this body, and lengths and checksum that fit.
fn file_of(body: &[u8]) -> Vec<u8> {
    let compressed = zstd::encode_all(body, 1).unwrap();
    let sizes = sizes(body.len() as u64, compressed.len() as u64);
    [&MAGIC[..], &sizes, &checksum(&sizes, &compressed), &compressed].concat()
}

/// Uses a model in every way, so that whatever it could stumble over is met.
fn use_it(model: &Model) {
    for seed in 0..20 {
        let instance = instance(seed);
        let prediction = model.predict(&instance);
        assert!(prediction.distribution.iter().all(|probability| !probability.is_nan()));
        model.explain(&[&instance], None).unwrap();
    }
    written(model);
}

fn check_refused(bytes: &[u8], expected: &str) {
    let error = Model::read_from(bytes, "home.model").unwrap_err().to_string();
    assert_eq!(error, format!("home.model: {expected}"));
}

#[test]
fn a_model_comes_back_as_it_was() {
    for model in models() {
        let bytes = written(&model);
        let read = Model::read_from(&*bytes, "home.model").unwrap();
        assert_eq!(read, model);
        assert_eq!(written(&read), bytes);
        use_it(&read);
    }
}

#[test]
fn foreign_files_are_refused() {
    check_refused(b"", "not a thingprint model");
    check_refused(b"\x89TPM", "not a thingprint model");
    check_refused(b"device,window_start,window_s\n", "not a thingprint model");
}

#[test]
fn files_of_other_versions_are_refused() {
    let mut bytes = written(&model(TrainOptions::default()));
    bytes[8] = 1;
    check_refused(
        &bytes,
        "unsupported format version 1: this program reads versions 2 to 5; train the model again",
    );
    bytes[8] = 6;
    let later = "unsupported format version 6: this program reads versions 2 to 5; use the program that wrote it, or a later one";
    check_refused(&bytes, later);
}

fn file_of_version(version: u16, body: &[u8]) -> Vec<u8> {
    let compressed = zstd::encode_all(body, 1).unwrap();
    let mut sizes = sizes(body.len() as u64, compressed.len() as u64);
    sizes[..2].copy_from_slice(&version.to_le_bytes());
    [&MAGIC[..], &sizes, &checksum(&sizes, &compressed), &compressed].concat()
}

/// Files of version 2 say nothing of a recipe, since there was the paper's alone.
#[test]
fn files_of_version_2_hold_models_of_the_paper() {
    let model = Model { given: Vec::new(), ..model(TrainOptions { seed: 7, ..TrainOptions::default() }) };
    let needs = postcard::to_stdvec(&Needs::of(&model)).unwrap();
    let body = postcard::to_extend(&FormerModel::from(model.clone()), needs).unwrap();
    let read = Model::read_from(&*file_of_version(2, &body), "home.model").unwrap();
    assert_eq!(read, model);
    assert_eq!(read.options().recipe, Recipe::Paper);
}

#[test]
fn files_of_version_4_know_nothing_of_windows_under_way() {
    let model = model(TrainOptions::of(Recipe::Best));
    assert!(model.familiarity.is_some());
    let model = Model { familiarity: None, ..model };
    let body = encode(&model).unwrap();
    let (familiarity, body) = body.split_last().unwrap();
    assert_eq!(*familiarity, 0, "none at the end");
    let read = Model::read_from(&*file_of_version(4, body), "home.model").unwrap();
    assert_eq!(read, model);
}

#[test]
fn files_of_version_3_have_no_given_families() {
    let model = Model { given: Vec::new(), familiarity: None, ..model(TrainOptions::of(Recipe::Best)) };
    let body = encode(&model).unwrap();
    let body = body.strip_suffix(&[0, 0]).expect("an empty list and no familiarity at the end");
    let read = Model::read_from(&*file_of_version(3, body), "home.model").unwrap();
    assert_eq!(read, model);
}

#[test]
fn a_file_names_the_evidence_that_its_model_needs() {
    let options =
        TrainOptions { evidence: "domains,sleep_time_s".parse().unwrap(), ..TrainOptions::default() };
    let body = encode(&model(options)).unwrap();
    let names = postcard::to_stdvec(&["sleep_time_s", "domains"].as_slice()).unwrap();
    assert!(body.starts_with(&names));
    let with_names = |names: &[&str]| {
        let front = postcard::to_stdvec(names).unwrap();
        file_of(&[&front, body.strip_prefix(&*names_of(&body)).unwrap()].concat())
    };
    check_refused(
        &with_names(&["sleep_time_s", "telepathy"]),
        "looks at evidence that this program does not know: telepathy",
    );
    check_refused(&with_names(&["domains"]), "damaged: its list of evidence does not fit its scenario");
}

/// An unknown bag that was refused is unknown all the same, and not damage.
#[test]
fn a_file_names_the_bags_that_were_refused() {
    let evidence = EvidenceSet::paper();
    let mut model = model(TrainOptions { evidence, ..TrainOptions::of(Recipe::Best) });
    let units = &mut model.joint.as_mut().unwrap().units;
    units.push(BagUnits { bag: BagName::SERVED_PORTS, is_refused: true, ..units[0].clone() });
    let names: Vec<&str> = evidence.with(BagName::SERVED_PORTS.into()).names().collect();
    let body = encode(&model).unwrap();
    assert!(body.starts_with(&postcard::to_stdvec(&names).unwrap()));
    assert_eq!(Model::read_from(&*written(&model), "home.model").unwrap(), model);
}

/// The part of a body that names evidence.
fn names_of(body: &[u8]) -> Vec<u8> {
    let (_, model): (Needs, _) = postcard::take_from_bytes(body).unwrap();
    body[..body.len() - model.len()].to_vec()
}

#[test]
fn cut_files_are_refused_wherever_they_are_cut() {
    let bytes = written(&model(TrainOptions::default()));
    for length in 0..bytes.len() {
        let error = Model::read_from(&bytes[..length], "home.model").unwrap_err().to_string();
        let expected = if length < MAGIC.len() { "not a thingprint model" } else { "truncated" };
        assert!(error.contains(expected), "{length}: {error}");
    }
}

#[test]
fn files_that_go_on_are_refused() {
    let mut bytes = written(&model(TrainOptions::default()));
    bytes.push(0);
    check_refused(&bytes, "unexpected bytes after the end of the model");
}

#[test]
fn every_flipped_byte_is_noticed() {
    let bytes = written(&model(TrainOptions::default()));
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        assert!(Model::read_from(&*damaged, "home.model").is_err(), "byte {at}");
    }
}

#[test]
fn sizes_are_not_believed() {
    let header = |compressed: u64, body: u64| {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(sizes(body, compressed));
        bytes.extend([0; CHECKSUM_LEN]);
        bytes
    };
    check_refused(
        &header(u64::MAX, 1),
        "too large: 18446744073709551615 bytes, at most 268435456 are supported",
    );
    check_refused(
        &header(MAX_BYTES, MAX_BYTES + 1),
        "too large: 268435457 bytes, at most 268435456 are supported",
    );
    check_refused(
        &header(1_000, SMALL_BODY + 1),
        "too large: 33554433 bytes, at most 33554432 are supported",
    );
    check_refused(
        &header(1_000_000, MAX_BYTES),
        "too large: 268435456 bytes, at most 200000000 are supported",
    );
    check_refused(&header(MAX_BYTES, 1), "truncated: 0 of 268435456 bytes");
}

/// A sound file but for its first vocabulary, whose words are this many empty ones.
fn file_of_empty_words(words: u32) -> Vec<u8> {
    let model = model(TrainOptions::default());
    let body = encode(&model).unwrap();
    let vocabulary = postcard::to_stdvec(model.bag(BagName::PORTS).unwrap().vocabulary()).unwrap();
    let at = body.windows(vocabulary.len()).position(|part| part == vocabulary).unwrap();
    let others = &vocabulary[vocabulary.len() - 1..];
    let front = [&body[..at], &postcard::to_stdvec(&words).unwrap()].concat();
    let back = [others, &body[at + vocabulary.len()..]].concat();
    let body = front.chain(std::io::repeat(0).take(u64::from(words))).chain(&*back);
    let compressed = zstd::encode_all(body, 1).unwrap();
    let sizes = sizes(front.len() as u64 + u64::from(words) + back.len() as u64, compressed.len() as u64);
    [&MAGIC[..], &sizes, &checksum(&sizes, &compressed), &compressed].concat()
}

#[test]
fn a_small_file_of_a_billion_empty_words_is_refused() {
    let bytes = file_of_empty_words(1 << 30);
    assert!(bytes.len() < 200_000, "{}", bytes.len());
    let error = Model::read_from(&*bytes, "home.model").unwrap_err().to_string();
    assert!(error.starts_with("home.model: too large: 10737"), "{error}");
    assert!(error.ends_with("bytes, at most 33554432 are supported"), "{error}");
}

#[test]
fn empty_words_are_refused_where_the_sizes_fit() {
    Model::read_from(&*file_of_empty_words(0), "home.model").unwrap_err();
    for words in [2, 1 << 20, 1 << 24] {
        let bytes = file_of_empty_words(words);
        check_refused(&bytes, "damaged: a list in it is too long or out of order");
    }
}

#[test]
fn what_would_not_be_read_is_not_written() {
    assert_eq!(check_sizes(SMALL_BODY, 1), Ok(()));
    assert_eq!(check_sizes(MAX_BYTES, MAX_BYTES), Ok(()));
    let words = "w".repeat(usize::try_from(SMALL_BODY).unwrap() + 1);
    let model = model(TrainOptions::default()).with_extraction([("window".to_owned(), words)].into());
    let error = model.write_to(std::io::sink()).unwrap_err().to_string();
    assert!(error.ends_with("but at most 33554432 can be read"), "{error}");
}

#[test]
fn long_bodies_that_do_not_pack_well_are_read() {
    // Longer than the window of the compression, so that the window that unpacking allows is tried.
    let mut random = crate::random::Generator::new(1, crate::random::Purpose::Tree(0));
    let noise: String = (0..1 << 23).map(|_| char::from_u32(48 + random.below(64)).unwrap()).collect();
    let model = model(TrainOptions::default()).with_extraction([("noise".to_owned(), noise)].into());
    assert_eq!(Model::read_from(&*written(&model), "home.model").unwrap(), model);
}

#[test]
fn a_body_longer_than_promised_is_not_unpacked() {
    let compressed = zstd::encode_all(&vec![0; 1 << 20][..], 1).unwrap();
    let sizes = sizes(10, compressed.len() as u64);
    let bytes = [&MAGIC[..], &sizes, &checksum(&sizes, &compressed), &compressed].concat();
    check_refused(&bytes, "damaged: its body is not as long as promised");
}

#[test]
fn a_reader_that_fails_is_told_of() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let error = Model::read_from(Broken, "home.model").unwrap_err().to_string();
    assert_eq!(error, "home.model: unreadable: the disk is gone");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), magic in any::<bool>()) {
        let bytes = if magic { [&MAGIC[..], &[FORMAT_VERSION.to_le_bytes()[0], 0], &bytes].concat() } else { bytes };
        prop_assert!(Model::read_from(&*bytes, "home.model").is_err());
        // And as a body behind a header that fits.
        if let Ok(model) = Model::read_from(&*file_of(&bytes), "home.model") {
            use_it(&model);
        }
    }

    #[test]
    fn a_body_changed_on_purpose_is_refused_or_can_be_used(
        which in 0..3_usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut body = encode(&models()[which]).unwrap();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Ok(model) = Model::read_from(&*file_of(&body), "home.model") {
            use_it(&model);
        }
    }
}
