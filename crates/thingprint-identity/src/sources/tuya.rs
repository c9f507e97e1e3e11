use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, KeyInit};
use md5::{Digest, Md5};
use serde_json::Value;

use super::{Claims, Reads, Record, Source};
use crate::{Certainty, Field, Said, Statement};

/// Broadcasts of devices with Tuya's firmware: JSON, in the clear or encrypted with a key that all of them share. Many brands
/// sell such devices, so that they say whose platform it is and not whose device.
pub(super) const SOURCE: Source = Source {
    name: "tuya",
    title: "broadcasts of devices with the firmware of Tuya",
    reads: Reads::Payloads(read),
    claims,
};

/// What a message begins and ends with.
const PREFIX: [u8; 4] = [0, 0, 0x55, 0xaa];
const SUFFIX: [u8; 4] = [0, 0, 0xaa, 0x55];
/// Prefix, number, command and length; a result code may follow. A checksum stands in front of the suffix.
const HEADER_BYTES: usize = 16;
const RESULT_BYTES: usize = 4;
const CHECKSUM_BYTES: usize = 4;
const BLOCK_BYTES: usize = 16;
/// Of this text the key of broadcasts is the MD5 sum.
const KEY_TEXT: &[u8] = b"yGAdlopoPVldABfn";
const KEYS: [&str; 3] = ["productKey", "version", "ability"];

fn read(payload: &[u8], record: &mut Record) {
    let Some(body) = payload.strip_prefix(&PREFIX).and_then(|rest| rest.strip_suffix(&SUFFIX)) else {
        return;
    };
    let end = body.len().saturating_sub(CHECKSUM_BYTES);
    let Some(body) = body.get(HEADER_BYTES - PREFIX.len()..end) else { return };
    let behind_result = body.get(RESULT_BYTES..).unwrap_or_default();
    let Some(answer) = document(behind_result).or_else(|| document(body)) else { return };
    if !answer.contains_key("gwId") {
        return;
    }
    for key in KEYS {
        match answer.get(key) {
            Some(Value::String(value)) => record.say(key, value),
            Some(Value::Number(value)) => record.say(key, &value.to_string()),
            _ => {}
        }
    }
}

fn document(body: &[u8]) -> Option<serde_json::Map<String, Value>> {
    let decrypted;
    let text = if body.first() == Some(&b'{') {
        body
    } else {
        decrypted = decrypt(body)?;
        &decrypted
    };
    serde_json::from_slice(text).ok()
}

/// Whole blocks, each by itself, without the padding (PKCS #7).
fn decrypt(body: &[u8]) -> Option<Vec<u8>> {
    if body.is_empty() || !body.len().is_multiple_of(BLOCK_BYTES) {
        return None;
    }
    let cipher = Aes128::new(&Md5::digest(KEY_TEXT));
    let mut text = Vec::with_capacity(body.len());
    for block in body.chunks_exact(BLOCK_BYTES) {
        let mut block = Array::try_from(block).ok()?;
        cipher.decrypt_block(&mut block);
        text.extend_from_slice(&block);
    }
    let padding = text.last().map(|byte| usize::from(*byte)).filter(|padding| *padding <= BLOCK_BYTES)?;
    text.truncate(text.len() - padding);
    Some(text)
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        claims.add((Field::Vendor, "Tuya"), Certainty::VendorOnly, statement, None);
    }
}
