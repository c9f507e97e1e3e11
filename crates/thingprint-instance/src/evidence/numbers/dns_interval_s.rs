use thingprint_protocol::{Interest, Message, Protocol, Sender};

use crate::evidence::CollectionCost;
use crate::evidence::number::{NumberDefinition, NumberSource, Unit};
use crate::lookup::is_lookup;

pub(super) static DEFINITION: NumberDefinition = NumberDefinition {
    name: "dns_interval_s",
    title: "DNS interval",
    value: "time between bursts of queries",
    about: "Mean time between starts of successive DNS bursts.",
    unit: Unit::Seconds,
    cost: Some(CollectionCost::Medium),
    is_of_paper: true,
    is_trained_on: true,
    source: NumberSource::Bursts {
        interest: Interest::NONE.and(Protocol::Dns, Sender::Device),
        is_query: |sent| matches!(sent.message, Message::Dns(dns) if is_lookup(dns, sent.packet)),
    },
};
