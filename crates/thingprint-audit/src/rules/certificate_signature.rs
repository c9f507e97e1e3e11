use thingprint_flow::Flow;
use thingprint_protocol::{Certificate, Heard};

use super::view::server_certificates;
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

pub(super) const RULE: Rule = Rule {
    id: "CERT-004",
    protocols: &["tls"],
    looks_at: LooksAt::Messages,
    title: "Certificate signature",
    checks: "The hash that the certificate of a server is signed with; up to TLS 1.2. One that a server issued itself is judged by \
             CERT-002 alone.",
    why: "Whoever finds two certificates with one hash has the signature of the issuer for both. For MD5 and SHA-1 that was done.",
    example: "The certificate of a cloud is signed with sha1WithRSAEncryption.",
    remediation: "Let the certificate be issued anew with SHA-256 or better.",
    operator: "Where the server is yours, have its certificate issued anew. Where it is the maker's, update \
               the firmware and report it; replace a device that gets no update any more.",
    values: Values::Words(&["md2", "md5", "sha1", "sha2", "other", "unreadable"]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, certificate, _) in server_certificates(flow) {
        if certificate.subject.is_some() && certificate.subject == certificate.issuer {
            continue;
        }
        sightings.see(heard, hash(certificate), || {
            let owner = certificate.subject.as_deref().unwrap_or("(no subject)");
            format!("{}: {owner}", certificate.signature.as_deref().unwrap_or("unreadable"))
        });
    }
}

fn hash(certificate: &Certificate) -> &'static str {
    let Some(signature) = &certificate.signature else { return "unreadable" };
    let signature = signature.to_ascii_lowercase();
    let known = [
        ("md2", "md2"),
        ("md5", "md5"),
        ("sha1", "sha1"),
        ("sha256", "sha2"),
        ("sha384", "sha2"),
        ("sha512", "sha2"),
    ];
    known.into_iter().find(|(part, _)| signature.contains(part)).map_or("other", |(_, hash)| hash)
}
