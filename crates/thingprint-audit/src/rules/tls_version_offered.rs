use thingprint_flow::Flow;
use thingprint_protocol::{ClientHello, Heard, HelloVersion};

use super::view::{client_hellos, tls_version};
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
    values: Values::Words(&[
        "SSLv2",
        "SSLv3",
        "TLSv10",
        "TLSv11",
        "TLSv12",
        "TLSv13",
        "also-SSLv2",
        "also-SSLv3",
        "also-TLSv10",
        "also-TLSv11",
    ]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, hello) in client_hellos(flow) {
        let newest = newest(hello);
        sightings.see(heard, &tls_version(newest), || tls_version(newest).into_owned());
        if matches!(hello.version, HelloVersion::Ssl2(version) if version != 2) {
            let seen = || format!("{} in a hello of SSLv2", tls_version(newest));
            sightings.see(heard, "also-SSLv2", seen);
        }
        let old = hello.supported_versions.iter().filter(|version| **version < 0x0303 && **version != newest);
        for version in old {
            let value = format!("also-{}", tls_version(*version));
            sightings
                .see(heard, &value, || format!("{} beside {}", tls_version(*version), tls_version(newest)));
        }
    }
}

/// The newest version that a hello offers: from `supported_versions` where it is there (RFC 8446 §4.2.1).
fn newest(hello: &ClientHello) -> u16 {
    let (HelloVersion::Tls(version) | HelloVersion::Ssl2(version)) = hello.version;
    // Drafts of TLS 1.3 have numbers of their own, 0x7fxx.
    let known = hello.supported_versions.iter().copied().filter(|version| *version <= 0x0304);
    known.max().unwrap_or(version)
}
