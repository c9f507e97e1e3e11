//! The model file: a fixed header, then a zstd-compressed postcard body: the names of the evidence that the model looks
//! at, and the model.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | magic |
//! | 2 | format version, little-endian like all numbers here |
//! | 8 | length of the compressed body |
//! | 8 | length of the body |
//! | 32 | BLAKE3 of everything behind the magic but itself |
//! | | compressed body |
use std::borrow::Cow;
use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use thingprint_instance::EvidenceSet;

use crate::error::{FileFault, ModelError};
use crate::model::Model;
use crate::sequence;

mod former;

use former::FormerModel;

/// First bytes of a model file. The first has its high bit set and a line end follows, so that no text begins like
/// this and a copy made as text is told apart.
pub const MAGIC: [u8; 8] = *b"\x89TPM\r\n\x1a\n";

/// Format version that is written. Versions 2 to 4 are read as well: 4 knew nothing of windows under way, 3 had no families
/// that labels gave, 2 no recipe, so that its models are the paper's. Version 1 had a place for each of three bags.
pub const FORMAT_VERSION: u16 = 5;

/// Oldest format version that is read.
const OLDEST_VERSION: u16 = 2;

/// Most bytes that a model may take, compressed or not. A model takes up to twelve times its body in memory.
///
/// 100 trees on 35,000 instances take 0.4 MB where classes are easily told apart, and 30 MB where nothing tells them
/// apart, so that each row has its leaf.
pub const MAX_BYTES: u64 = 1 << 28;

/// How many bytes of body each compressed byte may stand for. Models come to between 1.4 and 6; dense
/// word probabilities of linfa, of which most repeat, to about as many as there are classes.
const MAX_RATIO: u64 = 200;

/// Bodies up to this length are read however well they compress, such as linfa's of 500 classes and 5,000 words.
const SMALL_BODY: u64 = 1 << 25;

/// Most names of evidence in a file.
const MAX_NEEDS: usize = 64;

/// Compression level: beyond it files hardly shrink, and writing takes far longer.
const COMPRESSION_LEVEL: i32 = 6;

/// Binary logarithm of the longest distance between repeats in a compressed body, which unpacking keeps in memory:
/// more than [`COMPRESSION_LEVEL`] asks for.
const MAX_WINDOW_LOG: u32 = 23;

/// Version, compressed length and length.
const SIZES_LEN: usize = 18;
const CHECKSUM_LEN: usize = 32;

impl Model {
    /// Writes the model; fails when it is too large to be read again.
    pub fn write_to(&self, mut writer: impl Write) -> Result<(), ModelError> {
        let body = encode(self).map_err(ModelError::Encode)?;
        let compressed = zstd::encode_all(&*body, COMPRESSION_LEVEL).map_err(ModelError::Write)?;
        check_sizes(body.len() as u64, compressed.len() as u64)
            .map_err(|(size, most)| ModelError::TooLarge { size, most })?;
        let sizes = sizes(body.len() as u64, compressed.len() as u64);
        let checksum = checksum(&sizes, &compressed);
        for part in [&MAGIC[..], &sizes, &checksum, &compressed] {
            writer.write_all(part).map_err(ModelError::Write)?;
        }
        writer.flush().map_err(ModelError::Write)
    }

    /// Reads a model; `name` is the file's, for errors.
    ///
    /// Fails when the file cannot be read, is no model, is of another version, looks at unknown evidence, is cut or
    /// damaged, or holds parts that do not fit together. Sizes in the file are checked before they are believed, and what was read is checked
    /// before it is used, so that prediction with a loaded model always ends.
    pub fn read_from(reader: impl Read, name: &str) -> Result<Self, ModelError> {
        read(reader).map_err(|fault| ModelError::File { name: name.to_owned(), fault })
    }
}

fn sizes(body: u64, compressed: u64) -> [u8; SIZES_LEN] {
    let mut sizes = [0; SIZES_LEN];
    sizes[..2].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    sizes[2..10].copy_from_slice(&compressed.to_le_bytes());
    sizes[10..].copy_from_slice(&body.to_le_bytes());
    sizes
}

fn checksum(sizes: &[u8; SIZES_LEN], compressed: &[u8]) -> [u8; CHECKSUM_LEN] {
    *blake3::Hasher::new().update(sizes).update(compressed).finalize().as_bytes()
}

fn read(mut reader: impl Read) -> Result<Model, FileFault> {
    let magic = take(&mut reader, MAGIC.len() as u64)?;
    if magic != MAGIC {
        return Err(FileFault::Foreign);
    }
    let sizes: [u8; SIZES_LEN] = take_array(&mut reader)?;
    let [v0, v1, c0, c1, c2, c3, c4, c5, c6, c7, b0, b1, b2, b3, b4, b5, b6, b7] = sizes;
    let version = u16::from_le_bytes([v0, v1]);
    if !(OLDEST_VERSION..=FORMAT_VERSION).contains(&version) {
        return Err(FileFault::Version { found: version, supported: FORMAT_VERSION });
    }
    let compressed_len = u64::from_le_bytes([c0, c1, c2, c3, c4, c5, c6, c7]);
    let body_len = u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]);
    check_sizes(body_len, compressed_len).map_err(|(claimed, most)| FileFault::TooLarge { claimed, most })?;
    let expected: [u8; CHECKSUM_LEN] = take_array(&mut reader)?;
    let compressed = take(&mut reader, compressed_len)?;
    check_length(compressed.len(), compressed_len)?;
    if !take(&mut reader, 1)?.is_empty() {
        return Err(FileFault::Trailing);
    }
    if checksum(&sizes, &compressed) != expected {
        return Err(FileFault::Checksum);
    }
    decode(&decompress(&compressed, body_len)?, version)
}

/// Up to `length` bytes; fewer at the end of the file. Memory grows with what is there, not with what is promised.
fn take(reader: &mut impl Read, length: u64) -> Result<Vec<u8>, FileFault> {
    let mut bytes = Vec::new();
    reader.take(length).read_to_end(&mut bytes).map_err(FileFault::Read)?;
    Ok(bytes)
}

fn take_array<const LENGTH: usize>(reader: &mut impl Read) -> Result<[u8; LENGTH], FileFault> {
    let bytes = take(reader, LENGTH as u64)?;
    let found = bytes.len() as u64;
    bytes.try_into().map_err(|_| FileFault::Cut { found, expected: LENGTH as u64 })
}

/// Gives the first size that is too large, and the most that it may be: a short file stands for no long body.
fn check_sizes(body: u64, compressed: u64) -> Result<(), (u64, u64)> {
    let most_body = compressed.saturating_mul(MAX_RATIO).clamp(SMALL_BODY, MAX_BYTES);
    for (size, most) in [(compressed, MAX_BYTES), (body, most_body)] {
        if size > most {
            return Err((size, most));
        }
    }
    Ok(())
}

fn check_length(found: usize, expected: u64) -> Result<(), FileFault> {
    let found = found as u64;
    if found == expected { Ok(()) } else { Err(FileFault::Cut { found, expected }) }
}

/// The body, which is never read beyond its promised length.
fn decompress(compressed: &[u8], body_len: u64) -> Result<Vec<u8>, FileFault> {
    let fault = |error: std::io::Error| FileFault::Decode(error.to_string());
    let mut decoder = zstd::Decoder::with_buffer(compressed).map_err(fault)?;
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(fault)?;
    let mut body = Vec::new();
    decoder.take(body_len.saturating_add(1)).read_to_end(&mut body).map_err(fault)?;
    if body.len() as u64 != body_len {
        return Err(FileFault::Inconsistent("its body is not as long as promised"));
    }
    Ok(body)
}

/// Names of evidence, in front of the model, so that an unknown one can be told from damage.
#[derive(Serialize, Deserialize)]
struct Needs(#[serde(deserialize_with = "sequence::at_most::<_, _, MAX_NEEDS>")] Vec<String>);

impl Needs {
    /// What the model looks at, and the bags that its guard looked at.
    fn of(model: &Model) -> Self {
        let guarded = model.units().iter().map(|units| EvidenceSet::from(units.bag));
        let evidence = guarded.fold(model.evidence(), EvidenceSet::with);
        Self(evidence.names().map(str::to_owned).collect())
    }

    /// The first name that no evidence has.
    fn unknown(&self) -> Option<&String> {
        let is_known = |name: &str| EvidenceSet::all().names().any(|known| known == name);
        self.0.iter().find(|name| !is_known(name))
    }
}

fn encode(model: &Model) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_extend(model, postcard::to_stdvec(&Needs::of(model))?)
}

fn decode(body: &[u8], version: u16) -> Result<Model, FileFault> {
    let (needs, body): (Needs, _) = postcard::take_from_bytes(body).map_err(decode_fault)?;
    if let Some(name) = needs.unknown() {
        return Err(FileFault::UnknownEvidence { name: name.clone() });
    }
    // What older models end before is nothing in them: a list of no families, and no familiarity.
    let missing: &[u8] = match version {
        3 => &[0, 0],
        4 => &[0],
        _ => &[],
    };
    let whole = if missing.is_empty() { Cow::Borrowed(body) } else { Cow::Owned([body, missing].concat()) };
    let (model, rest) = match version {
        2 => {
            let (model, rest): (FormerModel, _) = postcard::take_from_bytes(body).map_err(decode_fault)?;
            (model.into(), rest)
        }
        _ => postcard::take_from_bytes::<Model>(&whole).map_err(decode_fault)?,
    };
    if !rest.is_empty() {
        return Err(FileFault::Inconsistent("its body continues after its end"));
    }
    model.check_loaded()?;
    if needs.0 != Needs::of(&model).0 {
        return Err(FileFault::Inconsistent("its list of evidence does not fit its scenario"));
    }
    Ok(model)
}

fn decode_fault(error: postcard::Error) -> FileFault {
    match error {
        postcard::Error::SerdeDeCustom => FileFault::Inconsistent("a list in it is too long or out of order"),
        error => FileFault::Decode(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
