use super::ports::{numbered, protocol_and_port};
use crate::evidence::bag::{BagDefinition, BagSource};
use crate::evidence::observation::ClosedFlow;
use crate::options::{InstanceOptions, PortWord};

pub(super) static DEFINITION: BagDefinition = BagDefinition {
    name: "served_ports",
    title: "Served ports",
    words: "served ports",
    about: "Ports at which the device answered others, as `tcp/80`: one count for each flow that another host opened and in \
            which the device sent anything but a RST.",
    cost: None,
    is_of_paper: false,
    is_trained_on: false,
    source: BagSource::Flows { word, spell },
};

/// ICMP and other protocols without ports serve none.
fn word(flow: &ClosedFlow, _: &InstanceOptions) -> Option<u64> {
    let counts = !flow.is_client && flow.is_answered && flow.server_port != 0;
    counts.then(|| numbered(flow.protocol, flow.server_port))
}

/// TCP and UDP ports of one number are different services, whatever the words of other bags.
fn spell(word: u64, _: &InstanceOptions) -> String {
    let (protocol, port) = protocol_and_port(word);
    PortWord::ProtoPort.word(protocol, port)
}
