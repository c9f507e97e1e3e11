use super::options::ServerPorts;
use crate::{Ip, Transport};

/// First port of the range that clients draw their ports from, as far as the rule of thumb goes.
const FIRST_HIGH_PORT: u16 = 32_768;

/// Which side of a flow is the client, and how surely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Client {
    /// Whether the device is the client.
    pub(super) is_device: bool,
    /// Whether a SYN said so; later SYNs change nothing then.
    pub(super) is_settled: bool,
}

impl Client {
    /// The client as the first packet of a flow lets it appear.
    pub(super) fn at_first(ip: &Ip<'_>, is_sent: bool, ports: &ServerPorts) -> Self {
        if let Some(sender_is_client) = by_handshake(ip) {
            return Self { is_device: sender_is_client == is_sent, is_settled: true };
        }
        let sender_is_client = by_ports(ip, ports).unwrap_or(true);
        Self { is_device: sender_is_client == is_sent, is_settled: false }
    }

    /// Takes in a later packet of the flow.
    pub(super) fn update(&mut self, ip: &Ip<'_>, is_sent: bool) {
        if self.is_settled {
            return;
        }
        if let Some(sender_is_client) = by_handshake(ip) {
            *self = Self { is_device: sender_is_client == is_sent, is_settled: true };
        }
    }
}

/// A SYN comes from the client, a SYN with ACK from the server.
fn by_handshake(ip: &Ip<'_>) -> Option<bool> {
    match ip.transport {
        Transport::Tcp(segment) if segment.flags.syn() => Some(!segment.flags.ack()),
        _ => None,
    }
}

/// Whether the sender is the client, by port numbers: a known server port on one side, else a high port on one side.
fn by_ports(ip: &Ip<'_>, ports: &ServerPorts) -> Option<bool> {
    let protocol = ip.transport.number();
    let is_known = |port| ports.contains(protocol, port);
    match (is_known(ip.src_port), is_known(ip.dst_port)) {
        (true, false) => return Some(false),
        (false, true) => return Some(true),
        _ => {}
    }
    match (ip.src_port >= FIRST_HIGH_PORT, ip.dst_port >= FIRST_HIGH_PORT) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}
