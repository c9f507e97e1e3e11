use thingprint_flow::Flow;
use thingprint_protocol::Heard;

use super::view::server_certificates;
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

pub(super) const RULE: Rule = Rule {
    id: "CERT-002",
    protocols: &["tls"],
    looks_at: LooksAt::Messages,
    title: "Certificate issuer",
    checks: "Whether the certificate of a server names itself as its issuer; up to TLS 1.2.",
    why: "Whoever is on the way can make such a certificate with any name. It protects only where the device knows this very \
          certificate beforehand, which a capture does not show.",
    example: "A camera serves its page with a certificate of CN=localhost that it issued itself.",
    remediation: "Use a certificate of an issuer that the client knows, or make sure that the client accepts this very certificate \
                  and no other.",
    operator: "Where the server is yours, give it a certificate of an issuer that the device knows. Where it \
               is the maker's, ask whether the device checks this very certificate; if nobody can say, treat \
               the connection as one in the clear.",
    values: Values::Words(&["issued", "self-signed", "unreadable"]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, certificate, _) in server_certificates(flow) {
        let value = match (&certificate.subject, &certificate.issuer) {
            (Some(subject), Some(issuer)) if subject == issuer => "self-signed",
            (Some(_), Some(_)) => "issued",
            _ => "unreadable",
        };
        sightings.see(heard, value, || {
            let owner = certificate.subject.as_deref().unwrap_or("(no subject)");
            format!("{value}: {owner}")
        });
    }
}
