use super::counts::{DecodeCounts, Malformed};
use super::extension::{self, Extended};
use super::frame::Frame;
use super::link::{ARP, Content, Link, REVERSE_ARP};
use super::network::{Body, Network};
use super::reassembly::Reassembly;
use super::transport::Segment;
use super::tunnel::{self, Inner, Tunnel, TunnelCounts, TunnelSet};
use super::{ipv4, ipv6, ordinary, syn};
use crate::{
    DeviceId, Ip, LinkType, MacAddr, NonIp, Packet, StackFields, SynFields, TcpSegment, Timestamp, Transport,
};

/// Tunnels that may be inside one another.
const MAX_TUNNELS: usize = 4;

/// Turns frames into packets, one by one, in the order of the trace.
///
/// It keeps what must be kept between frames: fragments of datagrams that are not complete, and counts.
#[derive(Debug, Default)]
pub struct Decoder {
    layer: Layer,
    tunnels: TunnelSet,
    tunnelled: TunnelCounts,
    /// Decodes what is inside of tunnels.
    inner: Option<Box<Decoder>>,
    /// Packets that were opened, by what they were counted as.
    opened: Opened,
}

/// Packets of tunnels that were opened.
#[derive(Debug, Default)]
struct Opened {
    ip: u64,
    other: u64,
}

/// Frames and their IP packets, with whatever these carry.
#[derive(Debug, Default)]
struct Layer {
    counts: DecodeCounts,
    reassembly: Reassembly,
    /// The highest time seen.
    clock: Option<Timestamp>,
}

impl Decoder {
    /// A decoder that opens these tunnels, also one inside another.
    pub fn opening(tunnels: TunnelSet) -> Self {
        Self::nested(tunnels, if tunnels.is_empty() { 0 } else { MAX_TUNNELS })
    }

    fn nested(tunnels: TunnelSet, depth: usize) -> Self {
        let inner = depth.checked_sub(1).map(|depth| Box::new(Self::nested(tunnels, depth)));
        Self {
            layer: Layer::default(),
            tunnels,
            tunnelled: TunnelCounts::default(),
            inner,
            opened: Opened::default(),
        }
    }

    /// Decodes a frame. Whatever is wrong with it is counted, and what can be read of it is in the packet.
    ///
    /// Sizes are those of the IP header: link padding is left out, and what a snap length cut off is counted. A
    /// datagram in fragments comes with the frame that completes it. A packet in a tunnel that is opened comes in the
    /// place of the one that carries it, and has link addresses only where the tunnel carries frames.
    #[inline]
    pub fn decode<'a>(&'a mut self, frame: Frame<'a>) -> Packet<'a> {
        if !frame.begins_segment
            && let Some(packet) = ordinary::read(&frame)
        {
            self.layer.note_ordinary(frame.time);
            return packet;
        }
        self.decode_in_layers(frame)
    }

    /// Decodes any frame, layer by layer.
    #[inline(never)]
    fn decode_in_layers<'a>(&'a mut self, frame: Frame<'a>) -> Packet<'a> {
        if frame.begins_segment {
            self.begin_segment();
        }
        let packet = self.layer.decode(frame);
        let is_plain = packet.ip.as_ref().map_or(packet.other.is_some(), |ip| !tunnel::may_carry(ip));
        if is_plain {
            return packet;
        }
        let Self { tunnels, tunnelled, inner, opened, .. } = self;
        let inner = inner.as_deref_mut().map(|inner| (inner, opened));
        open(packet, &frame, *tunnels, (tunnelled, inner))
    }

    /// Says that the trace has ended: datagrams that still wait for fragments are counted as expired, and the packets in
    /// tunnels that were opened in the place of those that carried them.
    pub fn finish(&mut self) {
        self.layer.finish();
        if let Some(inner) = &mut self.inner {
            inner.finish();
            let Opened { ip, other } = std::mem::take(&mut self.opened);
            let counts = &mut self.layer.counts;
            let frames = counts.frames;
            counts.ip_packets -= ip;
            counts.other_ethertype -= other;
            counts.merge(&std::mem::take(&mut inner.layer.counts));
            counts.frames = frames;
        }
    }

    /// The clock stepped back: no fragment waits for others of times before, in tunnels neither.
    #[cold]
    fn begin_segment(&mut self) {
        self.layer.finish();
        self.layer.clock = None;
        if let Some(inner) = &mut self.inner {
            inner.begin_segment();
        }
    }

    /// Counts a frame that was left out, since it is a copy of another.
    pub(crate) const fn note_copy(&mut self) {
        self.layer.counts.copies += 1;
    }

    /// Packets so far that carry others, and were not opened, by tunnel.
    pub const fn tunnelled(&self) -> TunnelCounts {
        self.tunnelled
    }

    /// What the frames so far were.
    pub const fn counts(&self) -> &DecodeCounts {
        &self.layer.counts
    }
}

/// A packet that may be a tunnel's, or what is inside where the tunnel is opened.
#[inline(never)]
fn open<'a>(
    packet: Packet<'a>,
    frame: &Frame<'a>,
    tunnels: TunnelSet,
    (tunnelled, inner): (&mut TunnelCounts, Option<(&'a mut Decoder, &mut Opened)>),
) -> Packet<'a> {
    let inside = match &packet.ip {
        Some(ip) => tunnel::inside(ip),
        None => pseudowire(frame),
    };
    let Some((tunnel, content)) = inside else { return packet };
    match inner {
        Some((inner, opened)) if tunnels.contains(tunnel) => {
            let count = if packet.ip.is_some() { &mut opened.ip } else { &mut opened.other };
            *count += 1;
            inner.decode(frame_of(&packet, content))
        }
        _ => {
            tunnelled.note(tunnel);
            packet
        }
    }
}

/// What is behind the MPLS labels of a frame and no IP packet.
fn pseudowire<'a>(frame: &Frame<'a>) -> Option<(Tunnel, Inner<'a>)> {
    match Link::of(frame.link, frame.bytes).content {
        Content::Pseudowire(bytes) => Some((Tunnel::Mpls, tunnel::pseudowire(bytes)?)),
        _ => None,
    }
}

/// The frame inside of a tunnel; what a snap length cut off is missing at its end.
fn frame_of<'a>(outer: &Packet<'a>, content: Inner<'a>) -> Frame<'a> {
    let (link, bytes) = match content {
        Inner::Ethernet(bytes) => (LinkType::Ethernet, bytes),
        Inner::Ip(bytes) => (LinkType::RawIp, bytes),
    };
    let cut =
        outer.ip.map_or(0, |ip| ip.payload_bytes as usize - ip.payload.len().min(ip.payload_bytes as usize));
    let wire_bytes = u32::try_from(bytes.len().saturating_add(cut)).unwrap_or(u32::MAX);
    Frame { time: outer.time, link, wire_bytes, bytes, ..Frame::default() }
}

impl Layer {
    /// Counts a frame that was read in one step.
    #[inline]
    fn note_ordinary(&mut self, time: Timestamp) {
        self.counts.frames += 1;
        self.counts.ip_packets += 1;
        self.clock = self.clock.max(Some(time));
    }

    #[inline]
    fn decode<'a>(&'a mut self, frame: Frame<'a>) -> Packet<'a> {
        self.counts.frames += 1;
        self.clock = self.clock.max(Some(frame.time));
        let Link { src_mac, dst_mac, content } = Link::of(frame.link, frame.bytes);
        let time = frame.time;
        let other = if let Content::NonIp(other) = content { Some(other) } else { None };
        match self.ip(content, &frame, src_mac) {
            Some((ip, wire_bytes)) => Packet { time, src_mac, dst_mac, wire_bytes, ip: Some(ip), other },
            None => Packet { time, src_mac, dst_mac, wire_bytes: frame.wire_bytes, ip: None, other },
        }
    }

    fn finish(&mut self) {
        let now = self.clock.unwrap_or(Timestamp::MIN);
        self.reassembly.end(now, &mut self.counts);
    }

    /// The IP packet, with the bytes that it took on the wire.
    #[inline]
    fn ip<'a>(
        &'a mut self,
        content: Content<'a>,
        frame: &Frame<'_>,
        src_mac: Option<MacAddr>,
    ) -> Option<(Ip<'a>, u32)> {
        let read = match content {
            Content::Ipv4(bytes) => ipv4::read(bytes),
            Content::Ipv6(bytes) => ipv6::read(bytes),
            Content::AnyIp(bytes) => any_version(bytes),
            _ => return without_ip(content, &mut self.counts),
        };
        let network = match read {
            Ok(network) => Network { wire_bytes: frame.wire_bytes, ..network },
            Err(kind) => return without_ip(Content::Malformed(kind), &mut self.counts),
        };
        if network.is_cut && frame.bytes.len() >= frame.wire_bytes as usize {
            self.counts.note(Malformed::LongerThanFrame);
        }
        if network.fragment.is_some() || network.src.is_ipv6() {
            return self.extended(network, src_mac);
        }
        Some((ip_of(&network, &mut self.counts), frame.wire_bytes))
    }

    /// An IP packet that may have extension headers, be a fragment, or both.
    fn extended<'a>(&'a mut self, network: Network<'a>, src_mac: Option<MacAddr>) -> Option<(Ip<'a>, u32)> {
        let Self { counts, reassembly, clock } = self;
        let network = after_extensions(network, counts);
        let Some(fragment) = network.fragment else {
            return Some((ip_of(&network, counts), network.wire_bytes));
        };
        let now = clock.unwrap_or(Timestamp::MIN);
        let sender = src_mac.map_or(DeviceId::Ip(network.src), DeviceId::Mac);
        match reassembly.add(now, (sender, &network), fragment, counts) {
            Ok(Some(datagram)) => Some((ip_of(&unfolded(datagram, counts), counts), datagram.wire_bytes)),
            Ok(None) => {
                counts.fragments_held += 1;
                None
            }
            Err(kind) => without_ip(Content::Malformed(kind), counts),
        }
    }
}

/// Counts a frame that gives no IP packet.
#[cold]
fn without_ip<'a>(content: Content<'_>, counts: &mut DecodeCounts) -> Option<(Ip<'a>, u32)> {
    match content {
        Content::NonIp(NonIp { ether_type: ARP | REVERSE_ARP, .. }) => counts.arp += 1,
        Content::Unsupported(link) => {
            counts.unsupported_link += 1;
            *counts.unsupported_links.entry(link).or_default() += 1;
        }
        Content::Malformed(kind) => {
            counts.note(kind);
            counts.unreadable += 1;
        }
        Content::Other
        | Content::Pseudowire(_)
        | Content::NonIp(_)
        | Content::Ipv4(_)
        | Content::Ipv6(_)
        | Content::AnyIp(_) => {
            counts.other_ethertype += 1;
        }
    }
    None
}

/// Reads an IP packet whose version nothing but its first byte tells.
fn any_version(bytes: &[u8]) -> Result<Network<'_>, Malformed> {
    match bytes.first().map(|byte| byte >> 4) {
        Some(4) => ipv4::read(bytes),
        Some(6) => ipv6::read(bytes),
        Some(_) => Err(Malformed::IpVersion),
        None => Err(Malformed::IpHeader),
    }
}

/// Steps over the extension headers of an IPv6 packet.
fn after_extensions<'a>(network: Network<'a>, counts: &mut DecodeCounts) -> Network<'a> {
    if network.src.is_ipv4() {
        return network;
    }
    let Extended { body, fragment, trouble } = extension::step_over(network.body);
    if let Some(kind) = trouble {
        counts.note(kind);
    }
    Network { body, fragment, ..network }
}

/// A datagram that was put together, after what extension headers it still has. A fragment of it is not put
/// together once more (RFC 8200 §4.5 knows one fragment header).
fn unfolded<'a>(datagram: Network<'a>, counts: &mut DecodeCounts) -> Network<'a> {
    let stepped = after_extensions(datagram, counts);
    if stepped.fragment.is_none() {
        return stepped;
    }
    counts.note(Malformed::ExtensionHeader);
    let body = Body { protocol: extension::FRAGMENT, ..stepped.body };
    Network { body, fragment: None, ..stepped }
}

#[inline]
fn ip_of<'a>(network: &Network<'a>, counts: &mut DecodeCounts) -> Ip<'a> {
    counts.ip_packets += 1;
    let segment = Segment::of(network.body);
    if let Some(kind) = segment.trouble {
        counts.note(kind);
    }
    Ip {
        src: network.src,
        dst: network.dst,
        ttl: network.ttl,
        total_bytes: network.total_bytes,
        transport: segment.transport,
        src_port: segment.src_port,
        dst_port: segment.dst_port,
        payload: segment.payload,
        payload_bytes: u32::try_from(segment.payload_bytes).unwrap_or(u32::MAX),
        stack: StackFields { tos: network.tos, syn: syn_of(network, segment.transport) },
    }
}

#[inline]
fn syn_of(network: &Network<'_>, transport: Transport) -> Option<SynFields> {
    match transport {
        Transport::Tcp(TcpSegment { flags, .. }) if flags.syn() => Some(SynFields {
            is_unfragmentable: network.is_unfragmentable,
            is_unidentified: network.is_unidentified,
            ..syn::offered(network.body.captured)
        }),
        _ => None,
    }
}
