use thingprint_protocol::{Interest, Message, Protocol, Sender};

use crate::evidence::CollectionCost;
use crate::evidence::number::{NumberDefinition, NumberSource, Unit};

pub(super) static DEFINITION: NumberDefinition = NumberDefinition {
    name: "ntp_interval_s",
    title: "NTP interval",
    value: "time between requests",
    about: "Mean time between starts of successive NTP bursts.",
    unit: Unit::Seconds,
    cost: Some(CollectionCost::Medium),
    is_of_paper: true,
    is_trained_on: true,
    source: NumberSource::Bursts {
        interest: Interest::NONE.and(Protocol::Ntp, Sender::Device),
        is_query: |sent| matches!(sent.message, Message::Ntp(ntp) if ntp.is_request()),
    },
};
