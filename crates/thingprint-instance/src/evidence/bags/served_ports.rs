use super::ports::{numbered, spell};
use crate::evidence::bag::{BagDefinition, BagSource};

pub(super) static DEFINITION: BagDefinition = BagDefinition {
    name: "served_ports",
    title: "Served ports",
    words: "served ports",
    about: "Server ports of the flows that others opened to the device.",
    cost: None,
    is_of_paper: false,
    is_trained_on: false,
    source: BagSource::Flows {
        word: |flow, _| (!flow.is_client).then(|| numbered(flow.protocol, flow.server_port)),
        spell,
    },
};
