use std::collections::BTreeMap;
use std::fmt;

use crate::{DeviceLosses, LinkType};

/// What the frames of a trace were.
///
/// Each frame is counted in `frames` and in exactly one of `ip_packets`, `fragments_held`, `arp`,
/// `other_ethertype`, `unsupported_link` and `unreadable`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecodeCounts {
    /// All frames.
    pub frames: u64,
    /// Frames that gave an IP packet; a datagram in fragments counts once, for the frame that completed it.
    pub ip_packets: u64,
    /// ARP and RARP frames.
    pub arp: u64,
    /// Other frames that carry no IP.
    pub other_ethertype: u64,
    /// Frames of a link type that is not supported.
    pub unsupported_link: u64,
    /// The same by link type.
    pub unsupported_links: BTreeMap<LinkType, u64>,
    /// Frames in which no IP packet could be made out; [`malformed`](Self::malformed) says why.
    pub unreadable: u64,
    /// Frames with a fragment that did not complete a datagram.
    pub fragments_held: u64,
    /// Fragments that had been there before.
    pub fragments_repeated: u64,
    /// Datagrams put together from fragments.
    pub datagrams: u64,
    /// Datagrams given up because fragments were missing after the time allowed, or at the end of the trace.
    pub datagrams_expired: u64,
    /// Of these, the ones whose missing fragments might still have come when the trace ended.
    pub datagrams_cut: u64,
    /// Datagrams given up to keep the memory bounded.
    pub datagrams_dropped: u64,
    /// The same by sender: its link address, or where there is none, its IP address.
    pub left_out: DeviceLosses,
    /// Frames that were left out, since they are copies of others; they count in nothing else.
    pub copies: u64,
    /// What was wrong with frames, by kind. Some of these still gave an IP packet: see [`Malformed`].
    pub malformed: BTreeMap<Malformed, u64>,
}

impl DecodeCounts {
    /// Adds the counts of another trace.
    pub fn merge(&mut self, other: &Self) {
        self.frames += other.frames;
        self.ip_packets += other.ip_packets;
        self.arp += other.arp;
        self.other_ethertype += other.other_ethertype;
        self.unsupported_link += other.unsupported_link;
        self.unreadable += other.unreadable;
        self.fragments_held += other.fragments_held;
        self.fragments_repeated += other.fragments_repeated;
        self.datagrams += other.datagrams;
        self.datagrams_expired += other.datagrams_expired;
        self.datagrams_cut += other.datagrams_cut;
        self.datagrams_dropped += other.datagrams_dropped;
        self.left_out.merge(other.left_out.clone());
        self.copies += other.copies;
        for (link, count) in &other.unsupported_links {
            *self.unsupported_links.entry(*link).or_default() += count;
        }
        for (kind, count) in &other.malformed {
            *self.malformed.entry(*kind).or_default() += count;
        }
    }

    /// Notes that something was wrong with a frame.
    pub(super) fn note(&mut self, kind: Malformed) {
        *self.malformed.entry(kind).or_default() += 1;
    }
}

/// What can be wrong with a frame. The last three still give an IP packet, as far as it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Malformed {
    /// The frame ends inside its link header.
    LinkHeader,
    /// More VLAN tags or MPLS labels than any network stacks.
    TooManyTags,
    /// The IP version is not the one that the link header announced, or none at all.
    IpVersion,
    /// The frame ends inside its IP header, or the header claims less than its least length.
    IpHeader,
    /// The IP total length is shorter than the IP header.
    IpLength,
    /// A fragment that is empty, past 65,535 bytes, past the datagram's end, or no multiple of 8 bytes long.
    Fragment,
    /// An IPv6 extension header that does not fit into its packet.
    ExtensionHeader,
    /// A TCP or UDP header that does not fit into its packet or contradicts itself.
    TransportHeader,
    /// An IP packet longer than the frame that carries it, although the frame was captured whole.
    LongerThanFrame,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LinkHeader => "link header cut short",
            Self::TooManyTags => "too many VLAN tags or MPLS labels",
            Self::IpVersion => "wrong IP version",
            Self::IpHeader => "IP header cut short",
            Self::IpLength => "IP length shorter than its header",
            Self::Fragment => "impossible fragment",
            Self::ExtensionHeader => "IPv6 extension header too long",
            Self::TransportHeader => "transport header malformed",
            Self::LongerThanFrame => "IP packet longer than its frame",
        })
    }
}
