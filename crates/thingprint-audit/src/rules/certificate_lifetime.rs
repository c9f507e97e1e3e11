use thingprint_flow::Flow;
use thingprint_protocol::Heard;

use super::view::server_certificates;
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

/// Nanoseconds of a second.
const SECOND_NS: i64 = 1_000_000_000;

pub(super) const RULE: Rule = Rule {
    id: "CERT-001",
    protocols: &["tls"],
    looks_at: LooksAt::Messages,
    title: "Certificate lifetime",
    checks: "Whether the certificate of a server was valid when it was shown, by the clock of the capture; up to TLS 1.2.",
    why: "A certificate that ended proves nothing: its key may be lost or sold, and nobody revokes it any more. A device that \
          goes on with it checks no certificate, or not the time.",
    example: "A hub shows its app a certificate that ended two years ago.",
    remediation: "Renew the certificate, and let it be renewed before it ends. If the capture's clock is right, ask the maker why \
                  the device accepts it.",
    operator: "Update the firmware. Renew the certificate where the server is yours; where it is the \
               maker's, report it to the maker, and keep the device from what it must not leak until it is \
               renewed. Check the clock of the capturing machine first.",
    values: Values::Words(&["valid", "expired", "not-yet-valid", "unreadable"]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, certificate, _) in server_certificates(flow) {
        let now_s = heard.time.as_nanos().div_euclid(SECOND_NS);
        let value = match (certificate.not_before_s, certificate.not_after_s) {
            (Some(start), Some(_)) if now_s < start => "not-yet-valid",
            (Some(_), Some(end)) if now_s > end => "expired",
            (Some(_), Some(_)) => "valid",
            _ => "unreadable",
        };
        sightings.see(heard, value, || {
            let owner = certificate.subject.as_deref().unwrap_or("(no subject)");
            format!("{value}: {owner}")
        });
    }
}
