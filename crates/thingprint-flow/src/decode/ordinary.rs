//! Reads what nearly all frames are, in one step.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::frame::Frame;
use super::tunnel;
use crate::{Ip, LinkType, MacAddr, Packet, StackFields, TcpFlags, TcpSegment, Transport};

const TCP: u8 = 6;
const UDP: u8 = 17;
const SYN: u8 = 0x02;

const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;

/// What is behind the IP header, with the lengths that the headers claim.
struct Carried<'a> {
    protocol: u8,
    captured: &'a [u8],
    length: usize,
}

/// A transport header, read.
struct Segment<'a> {
    transport: Transport,
    ports: (u16, u16),
    payload: &'a [u8],
    payload_bytes: usize,
}

/// Reads a frame that has nothing out of the ordinary: Ethernet without tags, IP without options, extension headers and
/// fragments, TCP without SYN or UDP of no tunnel, and lengths that fit. It may be cut by a snap length.
///
/// `None` for any other frame. The decoder reads these layer by layer, and would read an ordinary one just so; but then it
/// copies what it knows from one layer to the next, which takes longer than reading it.
#[inline]
pub(super) fn read<'a>(frame: &Frame<'a>) -> Option<Packet<'a>> {
    if frame.link != LinkType::Ethernet {
        return None;
    }
    let (header, rest) = frame.bytes.split_first_chunk::<14>()?;
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = *header;
    let is_whole = frame.bytes.len() >= frame.wire_bytes as usize;
    let ip = match (t0, t1) {
        (0x08, 0x00) => ipv4(rest, is_whole)?,
        (0x86, 0xdd) => ipv6(rest, is_whole)?,
        _ => return None,
    };
    Some(Packet {
        time: frame.time,
        src_mac: Some(MacAddr::new([s0, s1, s2, s3, s4, s5])),
        dst_mac: Some(MacAddr::new([d0, d1, d2, d3, d4, d5])),
        wire_bytes: frame.wire_bytes,
        ip: Some(ip),
        other: None,
    })
}

#[inline]
fn ipv4(bytes: &[u8], is_whole: bool) -> Option<Ip<'_>> {
    let (header, after) = bytes.split_first_chunk::<IPV4_HEADER>()?;
    let [0x45, tos, l0, l1, _, _, f0, f1, ttl, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = *header
    else {
        return None;
    };
    // Everything but "don't fragment" and the reserved bit.
    if f0 & 0x3f | f1 != 0 {
        return None;
    }
    let total = u16::from_be_bytes([l0, l1]);
    let length = usize::from(total).checked_sub(IPV4_HEADER)?;
    let Segment { transport, ports: (src_port, dst_port), payload, payload_bytes } =
        segment(&Carried { protocol, captured: captured(after, length, is_whole)?, length })?;
    Some(Ip {
        src: IpAddr::V4(Ipv4Addr::new(s0, s1, s2, s3)),
        dst: IpAddr::V4(Ipv4Addr::new(d0, d1, d2, d3)),
        ttl,
        total_bytes: u32::from(total),
        transport,
        src_port,
        dst_port,
        payload,
        payload_bytes: u32::try_from(payload_bytes).unwrap_or(u32::MAX),
        stack: StackFields { tos, syn: None },
    })
}

#[inline]
fn ipv6(bytes: &[u8], is_whole: bool) -> Option<Ip<'_>> {
    let (header, after) = bytes.split_first_chunk::<IPV6_HEADER>()?;
    let (fixed, addresses) = header.split_first_chunk::<8>()?;
    let ([version, class, _, _, l0, l1, protocol, ttl], (src, rest)) =
        (*fixed, addresses.split_first_chunk::<16>()?);
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    if version >> 4 != 6 || length == 0 {
        return None;
    }
    let Segment { transport, ports: (src_port, dst_port), payload, payload_bytes } =
        segment(&Carried { protocol, captured: captured(after, length, is_whole)?, length })?;
    Some(Ip {
        src: IpAddr::V6(Ipv6Addr::from(*src)),
        dst: IpAddr::V6(Ipv6Addr::from(*rest.first_chunk::<16>()?)),
        ttl,
        total_bytes: u32::try_from(IPV6_HEADER + length).unwrap_or(u32::MAX),
        transport,
        src_port,
        dst_port,
        payload,
        payload_bytes: u32::try_from(payload_bytes).unwrap_or(u32::MAX),
        stack: StackFields { tos: version << 4 | class >> 4, syn: None },
    })
}

/// The bytes behind the IP header without link padding; `None` where the packet claims more than a whole frame has.
#[inline]
fn captured(after: &[u8], length: usize, is_whole: bool) -> Option<&[u8]> {
    after.get(..length).or_else(|| (!is_whole).then_some(after))
}

#[inline]
fn segment<'a>(carried: &Carried<'a>) -> Option<Segment<'a>> {
    match carried.protocol {
        TCP => tcp(carried),
        UDP => udp(carried),
        _ => None,
    }
}

#[inline]
fn tcp<'a>(carried: &Carried<'a>) -> Option<Segment<'a>> {
    let header = carried.captured.first_chunk::<TCP_HEADER>()?;
    let [s0, s1, d0, d1, n0, n1, n2, n3, a0, a1, a2, a3, offset, flags, ..] = *header;
    let header_bytes = usize::from(offset >> 4) * 4;
    if header_bytes < TCP_HEADER || flags & SYN != 0 {
        return None;
    }
    Some(Segment {
        transport: Transport::Tcp(TcpSegment {
            seq: u32::from_be_bytes([n0, n1, n2, n3]),
            ack: u32::from_be_bytes([a0, a1, a2, a3]),
            flags: TcpFlags(flags),
        }),
        ports: (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])),
        payload: carried.captured.get(header_bytes..)?,
        payload_bytes: carried.length - header_bytes,
    })
}

#[inline]
fn udp<'a>(carried: &Carried<'a>) -> Option<Segment<'a>> {
    let (header, after) = carried.captured.split_first_chunk::<UDP_HEADER>()?;
    let [s0, s1, d0, d1, l0, l1, _, _] = *header;
    let claimed = usize::from(u16::from_be_bytes([l0, l1]));
    let dst_port = u16::from_be_bytes([d0, d1]);
    if !(UDP_HEADER..=carried.length).contains(&claimed) || tunnel::has_port(dst_port) {
        return None;
    }
    let length = claimed - UDP_HEADER;
    Some(Segment {
        transport: Transport::Udp,
        ports: (u16::from_be_bytes([s0, s1]), dst_port),
        payload: after.get(..length).unwrap_or(after),
        payload_bytes: length,
    })
}
