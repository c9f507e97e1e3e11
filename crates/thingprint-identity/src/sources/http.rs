use thingprint_protocol::{Message, Protocol};

use super::{Claims, Heard, Reads, Record, Source};
use crate::knowledge::PatternKind;
use crate::{Certainty, Said, Statement};

/// What programs of the device call themselves in HTTP: `User-Agent` of its requests, `Server` of its answers (RFC 9110 §10.1.5,
/// §10.2.4). A device that is set up passes requests of a phone on, so that a user agent is never more than likely.
pub(super) const SOURCE: Source = Source {
    name: "http",
    title: "User-Agent and Server of HTTP",
    reads: Reads::Messages(&[Protocol::Http], read),
    claims,
};

const USER_AGENT: &str = "user_agent";
const SERVER: &str = "server";

fn read(heard: Heard<'_, '_, '_>, record: &mut Record) {
    match heard.message {
        Message::HttpRequest(request) => record.say_if(USER_AGENT, request.user_agent.as_ref()),
        Message::HttpResponse(response) => record.say_if(SERVER, response.server.as_ref()),
        _ => {}
    }
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        let kind = match &*statement.key {
            USER_AGENT => PatternKind::HttpAgent,
            _ => PatternKind::ServerHeader,
        };
        claims.by_pattern((kind, &statement.value), Certainty::Likely, statement);
    }
}
