use thingprint_flow::Flow;
use thingprint_protocol::{Certificate, Heard};

use super::view::server_certificates;
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

pub(super) const RULE: Rule = Rule {
    id: "CERT-003",
    protocols: &["tls"],
    looks_at: LooksAt::Messages,
    title: "Certificate name",
    checks: "Whether a name in the certificate of a server fits the name that the client asked for; up to TLS 1.2.",
    why: "A certificate for another name belongs to somebody else. A device that goes on with it would take anybody's.",
    example: "A plug asks for api.plug.example and goes on with a certificate for *.hosting.example.",
    remediation: "Give the server a certificate with its name as a subjectAltName; let the device end the handshake otherwise.",
    operator: "Where the server is yours, give it a certificate with its name. Where it is the maker's, \
               report it; until then look whether the address is the one that the maker names, since a \
               foreign server looks the same.",
    values: Values::Words(&["fits", "common-name-only", "other-name", "unreadable"]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for (heard, certificate, name) in server_certificates(flow) {
        let Some(name) = name else { continue };
        let value = fit(certificate, &name.to_ascii_lowercase());
        sightings.see(heard, value, || {
            let owner = certificate.subject.as_deref().unwrap_or("(no subject)");
            format!("{value}: {owner} for {name}")
        });
    }
}

fn fit(certificate: &Certificate, name: &str) -> &'static str {
    let Some(subject) = &certificate.subject else { return "unreadable" };
    if certificate.names.iter().any(|pattern| is_match(pattern, name)) {
        return "fits";
    }
    let common = subject.split(',').filter_map(|part| part.strip_prefix("CN="));
    let is_common = common.map(str::to_ascii_lowercase).any(|pattern| is_match(&pattern, name));
    if certificate.names.is_empty() && is_common { "common-name-only" } else { "other-name" }
}

/// Whether a pattern fits a name: a `*` stands for the whole leftmost label (RFC 9525 §6.3).
fn is_match(pattern: &str, name: &str) -> bool {
    if pattern == name {
        return true;
    }
    let Some(rest) = pattern.strip_prefix("*.") else { return false };
    name.split_once('.').is_some_and(|(label, parent)| !label.is_empty() && parent == rest)
}

#[cfg(test)]
mod tests {
    use super::is_match;

    #[test]
    fn a_star_stands_for_one_label() {
        let check = |pattern: &str, name: &str, expected| assert_eq!(is_match(pattern, name), expected);
        check("api.lamp.example", "api.lamp.example", true);
        check("*.lamp.example", "api.lamp.example", true);
        check("*.lamp.example", "lamp.example", false);
        check("*.lamp.example", "a.api.lamp.example", false);
        check("*", "lamp", false);
        check("a*.lamp.example", "api.lamp.example", false);
    }
}
