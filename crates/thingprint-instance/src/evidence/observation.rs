use std::net::IpAddr;

use thingprint_flow::{DevicePacket, Flow, MacAddr};
use thingprint_protocol::Message;

/// What evidence is counted from when a flow closes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClosedFlow {
    /// IP protocol.
    pub(crate) protocol: u8,
    pub(crate) server_port: u16,
    pub(crate) peer: IpAddr,
    /// Whether the device initiated the flow.
    pub(crate) is_client: bool,
    /// Whether the device sent anything but RSTs.
    pub(crate) is_answered: bool,
    /// Bytes both ways.
    pub(crate) bytes: u64,
    pub(crate) duration_ns: u64,
}

impl ClosedFlow {
    pub(crate) fn of<S>(flow: &Flow<S>) -> Self {
        Self {
            protocol: flow.tuple.protocol(),
            server_port: flow.server_port(),
            peer: flow.peer.addr,
            is_client: flow.is_client,
            is_answered: flow.is_answered(),
            bytes: flow.bytes(),
            duration_ns: flow.duration_ns(),
        }
    }
}

/// A message that the device sent, with the packet that completed it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SentMessage<'a> {
    pub(crate) message: &'a Message,
    pub(crate) packet: &'a DevicePacket<'a, 'a>,
    /// The device's own address, which is no evidence of its kind.
    pub(crate) own: Option<MacAddr>,
}
