use thingprint_flow::Flow;
use thingprint_protocol::{Heard, Message};

use crate::Rule;
use crate::rule::{Sightings, Values};

/// The value of a request is its scheme in lower case, `none` without one; that of a response which asks for a scheme
/// is `asks for` and the scheme. The credential itself is never shown.
pub(super) const RULE: Rule = Rule {
    id: "HTTP-002",
    title: "HTTP authentication",
    checks: "The authentication scheme of each request over plain TCP, and the scheme that a response asks for.",
    why: "Basic authentication sends user name and password in the clear, for everybody on the way to read.",
    example: "A doorbell sends 'Authorization: Basic ...' over TCP port 80: Basic.",
    mend: "Speak HTTPS; where that cannot be, use a scheme that does not show the password. Change the password that \
           was sent.",
    values: Values::Text,
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for heard in &flow.state.messages {
        match &heard.message {
            Message::HttpRequest(request) => {
                let scheme = request
                    .authentication
                    .as_ref()
                    .map_or("none", |sent| sent.scheme.as_deref().unwrap_or("unknown"));
                sightings.see(heard, &scheme.to_ascii_lowercase(), || scheme.to_owned());
            }
            Message::HttpResponse(response) => {
                if let Some(scheme) = &response.authentication_type {
                    let value = format!("asks for {}", scheme.to_ascii_lowercase());
                    sightings.see(heard, &value, || format!("asks for {scheme}"));
                }
            }
            _ => {}
        }
    }
}
