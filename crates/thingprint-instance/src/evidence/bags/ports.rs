use std::net::IpAddr;

use crate::evidence::CollectionCost;
use crate::evidence::bag::{BagDefinition, BagSource};
use crate::evidence::observation::ClosedFlow;
use crate::options::{InstanceOptions, PortScope};

pub(super) static DEFINITION: BagDefinition = BagDefinition {
    name: "ports",
    title: "Server ports",
    words: "ports",
    about: "Server ports of the flows that the device initiated.",
    cost: Some(CollectionCost::Medium),
    is_of_paper: true,
    is_trained_on: true,
    source: BagSource::Flows { word, spell },
};

fn word(flow: &ClosedFlow, options: &InstanceOptions) -> Option<u64> {
    let counts = flow.is_client && is_in_scope(flow.peer, options);
    counts.then(|| numbered(flow.protocol, flow.server_port))
}

/// Protocol and port as one number.
pub(super) fn numbered(protocol: u8, port: u16) -> u64 {
    u64::from(protocol) << 16 | u64::from(port)
}

/// The word of a number that [`numbered`] made.
fn spell(word: u64, options: &InstanceOptions) -> String {
    let (protocol, port) = protocol_and_port(word);
    options.port_word.word(protocol, port)
}

/// Protocol and port of a number that [`numbered`] made.
pub(super) const fn protocol_and_port(word: u64) -> (u8, u16) {
    let [.., protocol, high, low] = word.to_be_bytes();
    (protocol, u16::from_be_bytes([high, low]))
}

fn is_in_scope(peer: IpAddr, options: &InstanceOptions) -> bool {
    match options.port_scope {
        PortScope::All => true,
        PortScope::Internet => {
            let is_broadcast = matches!(peer, IpAddr::V4(addr) if addr.is_broadcast());
            !(options.flow.local_nets.is_local(peer)
                || peer.is_multicast()
                || peer.is_loopback()
                || is_broadcast)
        }
    }
}
