use std::borrow::Cow;

use thingprint_protocol::{ClientHello, HeardMessage, HelloVersion};

use crate::rule::Sightings;

/// The versions that are chosen, as policies write them.
pub(in crate::rules) const VERSIONS: &[&str] =
    &["SSLv2", "SSLv3", "TLSv10", "TLSv11", "TLSv12", "TLSv13-draft", "TLSv13", "unknown"];

/// Those that are offered: the newest one, and old ones beside it.
pub(in crate::rules) const OFFERED_VERSIONS: &[&str] = &[
    "SSLv2",
    "SSLv3",
    "TLSv10",
    "TLSv11",
    "TLSv12",
    "TLSv13-draft",
    "TLSv13",
    "unknown",
    "also-SSLv2",
    "also-SSLv3",
    "also-TLSv10",
    "also-TLSv11",
];

/// Judges a version that is offered or chosen.
pub(in crate::rules) fn see_version(sightings: &mut Sightings<'_>, heard: &HeardMessage, version: u16) {
    sightings.see(heard, tls_version(version), || text(version).into_owned());
}

/// Judges a version that is offered beside a newer one, where it is an old one: two numbers, of the old and the new.
pub(in crate::rules) fn see_old_version(
    sightings: &mut Sightings<'_>,
    heard: &HeardMessage,
    (version, newest): (u16, u16),
) {
    let value = match tls_version(version) {
        "SSLv2" => "also-SSLv2",
        "SSLv3" => "also-SSLv3",
        "TLSv10" => "also-TLSv10",
        "TLSv11" => "also-TLSv11",
        _ => return,
    };
    sightings.see(heard, value, || format!("{} beside {}", tls_version(version), text(newest)));
}

/// The newest version that a hello offers: from `supported_versions` where one is known there (RFC 9846 §4.3.1). A draft
/// of TLS 1.3 is newer than TLS 1.2 and older than TLS 1.3.
pub(in crate::rules) fn newest_version(hello: &ClientHello) -> u16 {
    let (HelloVersion::Tls(version) | HelloVersion::Ssl2(version)) = hello.version;
    let rank = |version: u16| match tls_version(version) {
        "unknown" => None,
        "TLSv13-draft" => Some((0x0303, version)),
        _ => Some((version, 0)),
    };
    let known = hello.supported_versions.iter().filter_map(|version| Some((rank(*version)?, *version)));
    known.max().map_or(version, |(_, newest)| newest)
}

/// The name of a TLS version as policies write it. Drafts of TLS 1.3 had numbers of their own: 0x7fxx, and 0xfbxx where
/// one maker tried them.
pub(in crate::rules) const fn tls_version(version: u16) -> &'static str {
    match version {
        0x0002 => "SSLv2",
        0x0300 => "SSLv3",
        0x0301 => "TLSv10",
        0x0302 => "TLSv11",
        0x0303 => "TLSv12",
        0x0304 => "TLSv13",
        0x7f00..=0x7fff | 0xfb00..=0xfbff => "TLSv13-draft",
        _ => "unknown",
    }
}

/// A TLS version for people: its number is told where the name does not.
fn text(version: u16) -> Cow<'static, str> {
    match tls_version(version) {
        "unknown" => format!("unknown version 0x{version:04x}").into(),
        "TLSv13-draft" => format!("TLSv13-draft 0x{version:04x}").into(),
        name => name.into(),
    }
}
