use std::net::IpAddr;

use thingprint_flow::{Endpoint, FlowEnd, MacAddr, Tally, Timestamp};
use thingprint_protocol::Message;

/// What a line of a log says, as far as instances need it.
#[derive(Clone, Debug)]
pub struct Event {
    /// When the line was written, as far as it says so.
    pub(crate) written: Timestamp,
    pub(crate) kind: EventKind,
}

#[derive(Clone, Debug)]
pub(crate) enum EventKind {
    Connection(Box<Connection>),
    Said(Box<Said>),
    Lease(Lease),
}

/// A connection, as it was when it had ended.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// IP protocol.
    pub(crate) protocol: u8,
    pub(crate) originator: Host,
    pub(crate) responder: Host,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    /// What the originator sent.
    pub(crate) sent: Tally,
    /// What the responder sent.
    pub(crate) answered: Tally,
    /// Whether the responder sent RSTs alone.
    pub(crate) is_refused: bool,
    pub(crate) end: FlowEnd,
}

/// One end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host {
    pub(crate) at: Endpoint,
    /// The link address, where it was logged: that of a gateway, for hosts behind one.
    pub(crate) mac: Option<MacAddr>,
}

/// A message that one host sent to another.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) time: Timestamp,
    /// IP protocol.
    pub(crate) protocol: u8,
    pub(crate) from: Host,
    pub(crate) to: Endpoint,
    pub(crate) message: Message,
}

/// A host has an address from now on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    pub(crate) time: Timestamp,
    pub(crate) address: IpAddr,
    pub(crate) mac: MacAddr,
}
