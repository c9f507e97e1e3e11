use thingprint_flow::Flow;
use thingprint_protocol::{Heard, ResumedBy, Resumption};

use super::view::client_hellos;
use crate::Rule;
use crate::rule::{LooksAt, Sightings, Values};

/// Connections that are opened together, or again after a failure, may offer one session.
const AT_ONCE_S: u64 = 60;
const HOUR_S: u64 = 3600;
const DAY_S: u64 = 24 * HOUR_S;
const WEEK_S: u64 = 7 * DAY_S;

/// The value is how old a session is that a client offers to go on with, from the first time that it did so: at least that old
/// the session is.
pub(super) const RULE: Rule = Rule {
    id: "TLS-007",
    protocols: &["tls", "quic"],
    looks_at: LooksAt::Messages,
    title: "TLS resumption",
    checks: "Whether a client offers one session again: by session identifier or ticket an hour or a day after it was offered first, \
             by a pre-shared key of TLS 1.3 in a further connection, or a week after.",
    why: "Who gets hold of one secret reads every connection that goes on with its session, and everybody on the way sees that they \
          are of one device.",
    example: "A doorbell goes on with the same session ticket for three days.",
    remediation: "Forget a session after a day at most, and use a ticket of TLS 1.3 once.",
    operator: "Update the firmware, and ask the maker. A restart of the device begins a new session, and \
               whoever watches your uplink can follow the device until then.",
    values: Values::Words(&["fresh", "hour", "day", "psk-again", "psk-week"]),
    observe,
};

fn observe(flow: &Flow<Heard>, sightings: &mut Sightings<'_>) {
    // The second hello of a connection, which a server asked for, offers what the first did.
    let Some((heard, hello)) = client_hellos(flow).next() else { return };
    let mut values: Vec<&str> = Vec::new();
    for offer in &hello.resumes {
        let age_s = sightings.past.offer(offer.mark, heard.time).unwrap_or_default();
        values.push(value(*offer, age_s));
    }
    if values.is_empty() {
        values.push("fresh");
    }
    for value in values {
        sightings.see(heard, value, || text(value).to_owned());
    }
}

const fn value(offer: Resumption, age_s: u64) -> &'static str {
    match (offer.by, age_s) {
        (ResumedBy::Psk, WEEK_S..) => "psk-week",
        (ResumedBy::Psk, AT_ONCE_S..) => "psk-again",
        (ResumedBy::SessionId | ResumedBy::Ticket, DAY_S..) => "day",
        (ResumedBy::SessionId | ResumedBy::Ticket, HOUR_S..) => "hour",
        _ => "fresh",
    }
}

fn text(value: &str) -> &'static str {
    match value {
        "hour" => "one session over an hour",
        "day" => "one session over a day",
        "psk-again" => "one pre-shared key in several connections",
        "psk-week" => "one pre-shared key over a week",
        _ => "a fresh session",
    }
}
