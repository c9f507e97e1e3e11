use super::text::rule_comment;
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
    /// Where the other side is an Internet host that is known by less than a name which the device looked up.
    pub(super) known_by: Option<KnownBy>,
}

/// By what an Internet host is known whose name the device did not look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KnownBy {
    /// A name that other devices looked up.
    OthersLookup,
    /// A name that the device alone says.
    OwnClaim,
    /// An address.
    Address,
}

impl KnownBy {
    /// What stands behind the entry in the comment of a rule.
    const fn remark(self) -> &'static str {
        match self {
            Self::OthersLookup => "name from the lookup of another device",
            Self::OwnClaim => "name that no DNS answer confirms",
            Self::Address => "Internet address, no name known",
        }
    }
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
    /// What is to be said of the other side.
    pub(super) fn remark(&self) -> Option<&'static str> {
        self.known_by.map(KnownBy::remark)
    }

    /// The comment of the rule: its entry, and by what the other side is known where that is less than a name.
    pub(super) fn comment(&self) -> String {
        rule_comment(&self.entry, self.remark())
    }

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
