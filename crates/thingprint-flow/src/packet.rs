use std::borrow::Cow;
use std::net::IpAddr;

use crate::{MacAddr, Timestamp};

/// One frame of a capture, decoded in place.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// When the frame was captured.
    pub time: Timestamp,
    /// The sender's link address; `None` on links without addresses (raw IP, null/loop).
    pub src_mac: Option<MacAddr>,
    /// The receiver's link address; `None` also for Linux cooked captures, which do not record it.
    pub dst_mac: Option<MacAddr>,
    /// Length of the frame on the wire, in bytes; of a datagram that this frame completes, of all its frames.
    pub wire_bytes: u32,
    /// The IP packet inside; `None` for ARP and other frames that carry none, for malformed ones, and for
    /// fragments of a datagram that is not complete yet.
    pub ip: Option<Ip<'a>>,
    /// What a frame carries that is not IP, such as ARP or EAPOL; `None` where the link type has no `EtherType`.
    pub other: Option<NonIp<'a>>,
}

impl Packet<'_> {
    /// Whether its link or IP address is a group's: a multicast address or the broadcast address. The broadcast address of a
    /// subnet has a unicast form, which its link address alone shows to be one.
    #[inline]
    pub fn is_to_group(&self) -> bool {
        let is_group = |ip: &Ip<'_>| {
            ip.dst.is_multicast() || matches!(ip.dst, IpAddr::V4(address) if address.is_broadcast())
        };
        self.dst_mac.is_some_and(MacAddr::is_group) || self.ip.as_ref().is_some_and(is_group)
    }
}

/// The content of a frame that is not IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonIp<'a> {
    /// The `EtherType` behind VLAN tags and SNAP; values up to 1500 are lengths of IEEE 802.2 frames.
    pub ether_type: u16,
    /// What follows it, as far as it was captured.
    pub payload: &'a [u8],
}

/// The IP packet of a frame (the outer one of a tunnel); a reassembled datagram looks as if never cut.
#[derive(Clone, Copy, Debug)]
pub struct Ip<'a> {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// IP total length in bytes, headers included (IPv6: 40 + payload length; 0 from segmentation offload: the
    /// captured length; a reassembled datagram: the sum of its fragments).
    pub total_bytes: u32,
    /// Transport protocol, with the TCP fields that flows need.
    pub transport: Transport,
    /// Source port; 0 for protocols without ports.
    pub src_port: u16,
    /// Destination port; 0 for protocols without ports.
    pub dst_port: u16,
    /// Transport payload, as far as it was captured; without link padding.
    pub payload: &'a [u8],
    /// Transport payload length in bytes by the headers, also where fewer were captured.
    pub payload_bytes: u32,
    /// Header fields by which network stacks differ.
    pub stack: StackFields,
}

/// Fields of IP and TCP headers that the sender's network stack chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StackFields {
    /// Type of service (RFC 791 §3.1) or traffic class (RFC 8200 §3).
    pub tos: u8,
    /// Of a segment with SYN: what it offers.
    pub syn: Option<SynFields>,
}

/// What the first segment of a connection offers (RFC 9293 §3.1, §3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SynFields {
    /// Whether the packet may not be fragmented; never set for IPv6.
    pub is_unfragmentable: bool,
    /// Whether the packet has a header without identification; never set for IPv6.
    pub is_unidentified: bool,
    /// Window, not scaled.
    pub window: u16,
    /// Maximum segment size, option 2.
    pub segment_bytes: Option<u16>,
    /// Shift of the window, option 3 (RFC 7323 §2).
    pub window_shift: Option<u8>,
    /// Kinds of the options in order, up to the end-of-options marker, `None` behind the last; an option that is
    /// longer than what is left ends them.
    pub options: [Option<u8>; SynFields::MOST_OPTIONS],
}

impl SynFields {
    /// Options that are told apart; a header has room for 40 of one byte.
    pub const MOST_OPTIONS: usize = 12;
}

/// Longest link padding of an Ethernet frame behind the shortest headers of IPv4 and TCP.
const MOST_PADDING: u32 = 6;

/// Lengths of headers without options: IPv4, IPv6 and UDP.
const IPV4_BYTES: u32 = 20;
const IPV6_BYTES: u32 = 40;
const UDP_BYTES: u32 = 8;

impl<'a> Ip<'a> {
    /// A UDP packet from an address and port to another, captured whole, with a time to live of 64.
    ///
    /// ```
    /// use std::net::IpAddr;
    /// use thingprint_flow::Ip;
    ///
    /// let (lamp, server) = (IpAddr::from([192, 0, 2, 7]), IpAddr::from([192, 0, 2, 1]));
    /// let packet = Ip { ttl: 255, ..Ip::udp((lamp, 49152), (server, 53), b"?") };
    /// assert_eq!((packet.total_bytes, packet.payload_bytes), (29, 1));
    /// ```
    pub fn udp((src, src_port): (IpAddr, u16), (dst, dst_port): (IpAddr, u16), payload: &'a [u8]) -> Self {
        let payload_bytes = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let header_bytes = if src.is_ipv4() { IPV4_BYTES } else { IPV6_BYTES } + UDP_BYTES;
        Self {
            src,
            dst,
            ttl: 64,
            total_bytes: payload_bytes.saturating_add(header_bytes),
            transport: Transport::Udp,
            src_port,
            dst_port,
            payload,
            payload_bytes,
            stack: StackFields::default(),
        }
    }
}

impl Ip<'_> {
    /// Whether the payload is link padding that the IP length counts by mistake: up to six zeros in a TCP segment without
    /// PSH. It counts in sizes and is no data of the stream.
    #[inline]
    pub fn is_padding(&self) -> bool {
        // 0 is no padding, and wraps around.
        self.payload_bytes.wrapping_sub(1) < MOST_PADDING && self.has_zeros_without_push()
    }

    fn has_zeros_without_push(&self) -> bool {
        let is_unpushed = matches!(self.transport, Transport::Tcp(segment) if !segment.flags.psh());
        is_unpushed && self.payload.iter().all(|byte| *byte == 0)
    }
}

/// Transport protocol of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP, RFC 9293.
    Tcp(TcpSegment),
    /// UDP, RFC 768.
    Udp,
    /// Any other IP protocol number.
    Other(u8),
}

impl Transport {
    /// The IP protocol number (IANA "Protocol Numbers").
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp(_) => 6,
            Self::Udp => 17,
            Self::Other(number) => number,
        }
    }
}

/// The TCP header fields that flows and streams need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpSegment {
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number; it counts where [`TcpFlags::ack`] is set.
    pub ack: u32,
    /// Control bits.
    pub flags: TcpFlags,
}

/// The control bits of a TCP header, low byte (RFC 9293 §3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const fn fin(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// Synchronise sequence numbers.
    pub const fn syn(self) -> bool {
        self.0 & 0x02 != 0
    }

    /// Reset the connection.
    pub const fn rst(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// Push: the data are to be handed on at once.
    pub const fn psh(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// The acknowledgement number counts.
    pub const fn ack(self) -> bool {
        self.0 & 0x10 != 0
    }
}

/// What an IP protocol is called in every output: `tcp`, `udp`, `icmp` ..., and `ip47` by its number where it has no
/// name here.
pub fn protocol_name(protocol: u8) -> Cow<'static, str> {
    Cow::Borrowed(match protocol {
        1 => "icmp",
        2 => "igmp",
        6 => "tcp",
        17 => "udp",
        58 => "icmpv6",
        other => return Cow::Owned(format!("ip{other}")),
    })
}
