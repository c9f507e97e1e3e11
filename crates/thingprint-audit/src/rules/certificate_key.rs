use thingprint_flow::Flow;
use thingprint_protocol::Heard;

use super::view::server_certificates;
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

/// What stands before the length of a key of RSA, in bits.
const RSA: &str = "RSA ";
/// What keys that are none of RSA, and unreadable ones, are: their length says nothing here.
const OTHER: &str = "0";

/// The value is `RSA` and the length of the key in bits; `0` for a key of another kind.
pub(super) const RULE: Rule = Rule {
    id: "CERT-005",
    protocols: &["tls"],
    looks_at: LooksAt::Messages,
    title: "Certificate key",
    checks: "The length of the key in the certificate of a server, where it is one of RSA; up to TLS 1.2.",
    why: "Keys of 512 bits are broken in hours, and those of 1,024 bits are in reach of those who can pay.",
    example: "The recorder of a camera has a key of RSA with 1,024 bits.",
    remediation: "Make a new key of RSA with 2,048 bits or more, or one of an elliptic curve, and let the certificate be issued anew.",
    operator: "Where the server is yours, give it a new key and certificate. Where it is the maker's, update \
               the firmware and report it; replace a device that gets no update any more.",
    values: Values::Number(&[RSA]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, certificate, _) in server_certificates(flow) {
        let value = certificate.rsa_bits.map_or_else(|| OTHER.to_owned(), |bits| format!("{RSA}{bits}"));
        sightings.see(heard, &value, || {
            let owner = certificate.subject.as_deref().unwrap_or("(no subject)");
            format!("{value} bits: {owner}")
        });
    }
}
