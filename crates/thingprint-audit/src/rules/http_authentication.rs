use thingprint_flow::Flow;
use thingprint_protocol::{Authentication, Heard, Message};

use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

/// The value of a request is each scheme that it sends, in lower case, `(no scheme)` for a secret without one, and
/// `(none)` where it sends nothing; those of a response are `asks for` and each scheme. No scheme can be called like the
/// words in brackets, nor have a blank (RFC 9110 §11.1). The credential itself is never shown.
pub(super) const RULE: Rule = Rule {
    id: "HTTP-002",
    protocols: &["http"],
    looks_at: LooksAt::Messages,
    title: "HTTP authentication",
    checks: "Every authentication scheme that a request over plain TCP sends, and that a response asks for.",
    why: "Basic authentication sends user name and password in the clear, for everybody on the way to read.",
    example: "A doorbell sends 'Authorization: Basic ...' over TCP port 80: Basic.",
    remediation: "Speak HTTPS; where that cannot be, use a scheme that does not show the password. Change the password that \
           was sent.",
    operator: "Change the password that was sent, and use it nowhere else. Turn HTTPS on in the device's \
               settings; where it has none, reach the device from one host or a network of its own alone.",
    values: Values::Text,
    observe,
};

const NONE: &str = "(none)";

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for heard in &flow.state.messages {
        match &heard.message {
            Message::HttpRequest(request) => {
                for sent in &request.authentication {
                    let value = scheme(sent);
                    sightings.see(heard, &value.to_ascii_lowercase(), || value.to_owned());
                }
                if request.authentication.is_empty() {
                    sightings.see(heard, NONE, || NONE.to_owned());
                }
            }
            Message::HttpResponse(response) => {
                for scheme in &response.authentication_types {
                    let value = format!("asks for {}", scheme.to_ascii_lowercase());
                    sightings.see(heard, &value, || format!("asks for {scheme}"));
                }
            }
            _ => {}
        }
    }
}

/// The scheme that was sent. An empty header sends nothing.
fn scheme(sent: &Authentication) -> &str {
    match (&sent.scheme, &sent.credential) {
        (Some(scheme), _) => scheme,
        (None, Some(_)) => "(no scheme)",
        (None, None) => NONE,
    }
}
