//! How values of the wire are written as JSON: bytes as text or hexadecimal digits, code points in the digits in which
//! their registries list them.
use std::fmt::LowerHex;

use serde::{Serialize, Serializer};

use crate::text::{self, escaped};

/// Bytes as two hexadecimal digits each.
pub(crate) fn hex<S: Serializer>(bytes: impl AsRef<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text::hex(bytes.as_ref()))
}

/// Bytes that may be missing, as two hexadecimal digits each.
#[expect(clippy::ref_option, reason = "serde hands out a reference to the field")]
pub(crate) fn optional_hex<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
    bytes.as_deref().map(text::hex).serialize(serializer)
}

/// Byte strings as texts.
pub(crate) fn texts<S: Serializer>(texts: &[Vec<u8>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(texts.iter().map(|text| escaped(text)))
}

/// Code points of two bytes as four hexadecimal digits each; longer ones with as many as they need.
pub(crate) fn codes<S: Serializer, T: LowerHex>(codes: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(codes.iter().map(|code| format!("{code:04x}")))
}

/// A code point of two bytes as four hexadecimal digits.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference to the field")]
pub(crate) fn code<S: Serializer>(code: &u16, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{code:04x}"))
}

/// A TLS version by name.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference to the field")]
pub(crate) fn tls_version<S: Serializer>(version: &u16, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&tls_version_name(*version))
}

/// TLS versions by name.
pub(crate) fn tls_versions<S: Serializer>(versions: &[u16], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(versions.iter().map(|version| tls_version_name(*version)))
}

/// The name of a TLS version, without a dot; an unknown one as hexadecimal digits.
pub(crate) fn tls_version_name(version: u16) -> String {
    match version {
        0x0002 => "SSLv2".to_owned(),
        0x0300 => "SSLv3".to_owned(),
        0x0301 => "TLSv10".to_owned(),
        0x0302 => "TLSv11".to_owned(),
        0x0303 => "TLSv12".to_owned(),
        0x0304 => "TLSv13".to_owned(),
        _ => format!("{version:04x}"),
    }
}

/// A 64-bit NTP time stamp as sixteen hexadecimal digits: 32.32 fixed point is beyond the integers of many readers.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference to the field")]
pub(crate) fn time_stamp<S: Serializer>(time: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:016x}"))
}
