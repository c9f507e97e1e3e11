use std::num::NonZeroUsize;

use thingprint_flow::{DeviceId, MacAddr, Timestamp};
use thingprint_instance::{Bag, BagName, Bags, Counts, EvidenceSet, Instance, Spreads};
use thingprint_model::{FORMAT_VERSION, MAGIC, Model};

/// Magic, version, two lengths, checksum.
const HEADER_BYTES: usize = 8 + 2 + 8 + 8 + 32;
const WHOLE: u8 = 1;

/// Reads bytes as a model file, or as the body of one whose lengths and checksum fit, since no fuzzer finds a
/// checksum.
///
/// A model that is read classifies any instance, and comes back as it was when written.
pub fn model_files(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    let file = if kind & WHOLE == 0 { file_of(bytes) } else { bytes.to_vec() };
    match Model::read_from(&*file, "fuzz.model") {
        Ok(model) => use_model(&model),
        Err(error) => assert!(error.to_string().starts_with("fuzz.model: ")),
    }
}

/// What [`model_files`] reads, for seeds: the body of a model file.
pub fn body_of(file: &[u8]) -> Option<Vec<u8>> {
    let body = zstd::decode_all(file.get(HEADER_BYTES..)?).ok()?;
    Some([&[0][..], &body].concat())
}

fn file_of(body: &[u8]) -> Vec<u8> {
    let compressed = zstd::encode_all(body, 1).unwrap_or_default();
    let lengths = [compressed.len() as u64, body.len() as u64].map(u64::to_le_bytes).concat();
    let sizes = [&FORMAT_VERSION.to_le_bytes()[..], &lengths].concat();
    let checksum = blake3::Hasher::new().update(&sizes).update(&compressed).finalize();
    [&MAGIC[..], &sizes, checksum.as_bytes(), &compressed].concat()
}

fn use_model(model: &Model) {
    let instances: Vec<Instance> = (0..4).map(instance).collect();
    let instances: Vec<&Instance> = instances.iter().collect();
    for prediction in model.predict_all(&instances, NonZeroUsize::MIN) {
        assert!(!prediction.distribution.iter().any(|share| share.is_nan()), "{prediction:?}");
    }
    let _ = model.explain(&instances, None);
    let mut file = Vec::new();
    assert!(model.write_to(&mut file).is_ok());
    let again = Model::read_from(&*file, "again.model");
    assert!(again.is_ok(), "what is written can be read");
}

/// Instances with known and unknown words, and with numbers left out.
fn instance(seed: u8) -> Instance {
    let number = |step: u8| (!seed.is_multiple_of(step)).then(|| f64::from(seed) * f64::from(step));
    let bag = |words: [&str; 2]| -> Bag {
        words
            .into_iter()
            .take(usize::from(seed % 3))
            .map(|word| (word.to_owned(), u64::from(seed) + 1))
            .collect()
    };
    Instance {
        device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, 1])),
        window_start: Timestamp::default(),
        window_s: 3_600.0,
        capture: None,
        attributes: EvidenceSet::paper().numbers().zip([2, 3, 2, 3, 2, 3].map(number)).collect(),
        bags: Bags::from([
            (BagName::PORTS, bag(["53", "443"])),
            (BagName::DOMAINS, bag(["time.example", "w1"])),
            (BagName::CIPHER_SUITES, bag(["1301-1302", "w2"])),
        ]),
        counts: Counts::default(),
        spread: Spreads::new(),
    }
}
