use thingprint_flow::Flow;
use thingprint_protocol::Heard;

use super::view::{SUITE_VALUES, client_hellos, newest_version, see_offered_suite};
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

/// What is said against a suite depends on the newest version of the hello: RFC 10015 speaks of TLS 1.2.
pub(super) const RULE: Rule = Rule {
    id: "TLS-003",
    protocols: &["tls", "quic"],
    looks_at: LooksAt::Messages,
    title: "Cipher suites offered",
    checks: "The grade of each cipher suite that a client offers; in QUIC, too. Signals (SCSV) are no suites.",
    why: "An attacker on the way, or a server that is set up badly, can pick the worst that is offered.",
    example: "A camera offers 0x0005 TLS_RSA_WITH_RC4_128_SHA (insecure).",
    remediation: "Offer suites with ephemeral elliptic-curve keys and authenticated encryption alone, such as \
           TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, or those of TLS 1.3.",
    operator: "Update the firmware. Where your servers are what it talks to, let them refuse these suites. \
               Replace a device that gets no update any more, or keep it in a network of its own.",
    values: Values::Words(SUITE_VALUES),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, hello) in client_hellos(flow) {
        let newest = newest_version(hello);
        for code in &hello.cipher_suites {
            see_offered_suite(sightings, heard, (*code, newest));
        }
    }
}
