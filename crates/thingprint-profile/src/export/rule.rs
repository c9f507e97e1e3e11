use crate::{Action, Direction, PortCondition, Prefix};

/// One rule: of packets in one direction and of one version of IP, with what happens to those that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// The entry of the profile that it comes from, or what else asks for it.
    pub(super) entry: String,
    pub(super) direction: Direction,
    pub(super) is_ipv6: bool,
    /// What the device's own address has to be.
    pub(super) own: Option<Prefix>,
    /// What the address on the other side has to be: all of these.
    pub(super) peers: Vec<PeerMatch>,
    pub(super) header: Header,
    pub(super) action: Action,
    /// With how many peers at a time it may be used: for peers that nobody can name.
    pub(super) most_peers: Option<u32>,
}

/// What the address on the other side has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PeerMatch {
    /// One of the local networks.
    Local,
    /// One of these blocks, of which none lies in another one.
    Blocks(Vec<Prefix>),
    /// One that has this name.
    Name(String),
}

/// What the header after IP has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    Any,
    /// Of this IP protocol.
    Protocol(u8),
    Tcp {
        source: Option<PortCondition>,
        destination: Option<PortCondition>,
        /// Whether the connection has to be one of the other side: a SYN alone does not match.
        is_answer: bool,
    },
    Udp {
        source: Option<PortCondition>,
        destination: Option<PortCondition>,
    },
    /// ICMP of the rule's version of IP.
    Icmp {
        kind: Option<u8>,
        code: Option<u8>,
    },
}

impl Rule {
    /// The name that the other side has to have, where that is by a name.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.peers.iter().filter_map(|peer| match peer {
            PeerMatch::Name(name) => Some(name.as_str()),
            PeerMatch::Local | PeerMatch::Blocks(_) => None,
        })
    }

    pub(super) const fn is_from_device(&self) -> bool {
        matches!(self.direction, Direction::FromDevice)
    }
}
