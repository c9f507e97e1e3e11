use thingprint_flow::Flow;
use thingprint_protocol::{Heard, Message};

use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

/// What is shown is the name of the field, and never what is in it.
pub(super) const RULE: Rule = Rule {
    id: "HTTP-003",
    protocols: &["http"],
    looks_at: LooksAt::Messages,
    title: "HTTP form login",
    checks: "Whether a request over plain TCP sends a password as a field of a form, of JSON or of its address.",
    why: "Everybody on the way reads the password, and can sign in with it. Addresses also stay in logs and histories.",
    example: "A browser signs in to a camera: POST /login with the field 'password'.",
    remediation: "Speak HTTPS, and change the password that was sent. Where the device knows HTTP alone, sign in from its own \
                  network only.",
    operator: "Change the password that was sent, and use it nowhere else. Turn HTTPS on in the device's \
               settings; where it has none, sign in from one host or a network of its own alone.",
    values: Values::Words(&["password", "none"]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    for heard in &flow.state.messages {
        let Message::HttpRequest(request) = &heard.message else { continue };
        if request.password_fields.is_empty() {
            sightings.see(heard, "none", || "none".to_owned());
        }
        for field in &request.password_fields {
            let path = request.uri.redacted();
            let path = path.split('?').next().unwrap_or_default();
            sightings.see(heard, "password", || format!("{} {path} with the field {field}", request.method));
        }
    }
}
