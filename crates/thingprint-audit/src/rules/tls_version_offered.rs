use thingprint_flow::Flow;
use thingprint_protocol::{Heard, HelloVersion};

use super::view::{
    OFFERED_VERSIONS, client_hellos, newest_version, see_old_version, see_version, tls_version,
};
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

/// The newest version that a hello offers is judged by its name. A hello that is fine so far may offer old versions,
/// too: each of them is judged as `also-...`.
pub(super) const RULE: Rule = Rule {
    id: "TLS-001",
    protocols: &["tls", "quic"],
    looks_at: LooksAt::Messages,
    title: "TLS version offered",
    checks: "The newest version of TLS that a client offers, and old ones that it offers beside; in QUIC, too.",
    why: "Versions before 1.2 know no authenticated encryption, sign with MD5 and SHA-1, and can be attacked.",
    example: "A lamp sends a ClientHello with version 0x0301: TLSv10.",
    remediation: "Update the device's firmware, or its TLS library; a device that cannot do better belongs behind a gateway \
           or into a network of its own.",
    operator: "Update the firmware. Replace a device that gets no update any more, or keep it in a network \
               of its own where only its maker's servers are allowed.",
    values: Values::Words(OFFERED_VERSIONS),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, hello) in client_hellos(flow) {
        let newest = newest_version(hello);
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
