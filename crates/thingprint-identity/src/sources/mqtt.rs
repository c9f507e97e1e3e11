use thingprint_protocol::{Message, Protocol};

use super::{Claims, Heard, Reads, Record, Source};
use crate::knowledge::PatternKind;
use crate::{Certainty, Said, Statement};

/// The names by which devices connect to MQTT brokers (MQTT 3.1.1 §3.1.3.1), read as host names are.
pub(super) const SOURCE: Source = Source {
    name: "mqtt",
    title: "client identifiers of MQTT",
    reads: Reads::Messages(&[Protocol::Mqtt], read),
    claims,
};

fn read(heard: Heard<'_, '_, '_>, record: &mut Record) {
    if let Message::MqttConnect(connect) = heard.message {
        record.say("client_id", &connect.client_id);
    }
}

fn claims(statements: &[(&Statement, Said)], claims: &mut Claims<'_>) {
    for (statement, _) in statements {
        claims.by_pattern((PatternKind::HostName, &statement.value), Certainty::Likely, statement);
    }
}
