use thingprint_flow::Flow;
use thingprint_protocol::{ClientHello, Heard, HelloVersion};

use super::view::{OFFERED_VERSIONS, client_hellos, see_old_version, see_version, tls_version};
use crate::Rule;
use crate::rule::{Sightings, Values};

/// The newest version that a hello offers is judged by its name. A hello that is fine so far may offer old versions,
/// too: each of them is judged as `also-...`.
pub(super) const RULE: Rule = Rule {
    id: "TLS-001",
    title: "TLS version offered",
    checks: "The newest version of TLS that a client offers, and old ones that it offers beside; in QUIC, too.",
    why: "Versions before 1.2 know no authenticated encryption, sign with MD5 and SHA-1, and can be attacked.",
    example: "A lamp sends a ClientHello with version 0x0301: TLSv10.",
    mend: "Update the device's firmware, or its TLS library; a device that cannot do better belongs behind a gateway \
           or into a network of its own.",
    values: Values::Words(OFFERED_VERSIONS),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, hello) in client_hellos(flow) {
        let newest = newest(hello);
        see_version(sightings, heard, newest);
        if matches!(hello.version, HelloVersion::Ssl2(version) if version != 2) {
            let seen = || format!("{} in a hello of SSLv2", tls_version(newest));
            sightings.see(heard, "also-SSLv2", seen);
        }
        for version in hello.supported_versions.iter().filter(|version| **version != newest) {
            see_old_version(sightings, heard, (*version, newest));
        }
    }
}

/// The newest version that a hello offers: from `supported_versions` where one is known there (RFC 9846 §4.3.1). A draft
/// of TLS 1.3 is newer than TLS 1.2 and older than TLS 1.3.
fn newest(hello: &ClientHello) -> u16 {
    let (HelloVersion::Tls(version) | HelloVersion::Ssl2(version)) = hello.version;
    let rank = |version: u16| match tls_version(version) {
        "unknown" => None,
        "TLSv13-draft" => Some((0x0303, version)),
        _ => Some((version, 0)),
    };
    let known = hello.supported_versions.iter().filter_map(|version| Some((rank(*version)?, *version)));
    known.max().map_or(version, |(_, newest)| newest)
}
