use thingprint_flow::Flow;
use thingprint_protocol::{Heard, Message};

use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

pub(super) const RULE: Rule = Rule {
    id: "HTTP-001",
    protocols: &["http"],
    looks_at: LooksAt::Messages,
    title: "HTTP version",
    checks: "The version that a request or a response over plain TCP names.",
    why: "Before HTTP/1.1 a request need not say which host it is for, connections do not persist, and caches and \
          proxies are left to guess; old versions mean old software.",
    example: "A doorbell sends 'POST /event HTTP/1.0': request of HTTP/1.0.",
    remediation: "Update the device's HTTP library or the server; best, speak HTTPS.",
    operator: "Update the firmware. Where that changes nothing, ask the maker; nothing has to be blocked for \
               the version alone.",
    values: Values::Words(&["0.9", "1.0", "1.1", "2.0", "3.0"]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for heard in &flow.state.messages {
        let (version, kind) = match &heard.message {
            Message::HttpRequest(request) => (Some(request.version), "request"),
            Message::HttpResponse(response) => (response.version, "response"),
            _ => continue,
        };
        if let Some(version) = version {
            sightings.see(heard, &version.to_string(), || format!("{kind} of HTTP/{version}"));
        }
    }
}
