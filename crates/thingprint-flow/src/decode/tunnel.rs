use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Ip, ParseOptionError, Transport};

/// MPLS labels that a packet may carry; as many as in frames.
const MAX_LABELS: usize = 4;
/// Extension headers of GTP-U and tags of TZSP that are stepped over.
const MAX_STEPS: usize = 32;

const ETHERNET: u16 = 0x6558;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const MPLS: [u16; 2] = [0x8847, 0x8848];
const ERSPAN_1_2: u16 = 0x88be;
const ERSPAN_3: u16 = 0x22eb;

/// A form in which networks carry or mirror packets inside others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tunnel {
    /// RFC 7348, over UDP port 4789 (and 8472, of Linux before).
    Vxlan,
    /// RFC 8926, over UDP port 6081.
    Geneve,
    /// RFC 2784 and 2890, with IP or Ethernet inside.
    Gre,
    /// Mirrored frames of Cisco and others in GRE, types I to III (draft-foschiano-erspan).
    Erspan,
    /// IP in IP without more: RFC 2003, 4213 and 2473.
    IpInIp,
    /// `TaZmen` Sniffer Protocol over UDP port 37008: what `MikroTik` and wireless sensors stream.
    Tzsp,
    /// Labels over IP or UDP (RFC 4023, 7510), and Ethernet behind labels (RFC 4448).
    Mpls,
    /// User traffic of mobile networks (3GPP TS 29.281), over UDP port 2152.
    GtpU,
}

impl Tunnel {
    /// Every form, in the order of numbers.
    pub const ALL: [Self; 8] = [
        Self::Vxlan,
        Self::Geneve,
        Self::Gre,
        Self::Erspan,
        Self::IpInIp,
        Self::Tzsp,
        Self::Mpls,
        Self::GtpU,
    ];

    /// The name by which options and messages know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::Gre => "gre",
            Self::Erspan => "erspan",
            Self::IpInIp => "6in4",
            Self::Tzsp => "tzsp",
            Self::Mpls => "mpls",
            Self::GtpU => "gtp-u",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The tunnels that are opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TunnelSet(u8);

impl TunnelSet {
    /// No tunnel.
    pub const NONE: Self = Self(0);
    /// Every tunnel.
    pub const ALL: Self = Self(u8::MAX);

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a tunnel is among them.
    pub const fn contains(self, tunnel: Tunnel) -> bool {
        self.0 & tunnel.bit() != 0
    }
}

impl fmt::Display for TunnelSet {
    /// The tunnels with commas between, or `all`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return f.write_str("all");
        }
        let names = Tunnel::ALL.into_iter().filter(|tunnel| self.contains(*tunnel)).map(Tunnel::name);
        f.write_str(&names.collect::<Vec<_>>().join(","))
    }
}

impl FromStr for TunnelSet {
    type Err = ParseOptionError;

    /// Reads `all`, or names with commas between.
    fn from_str(text: &str) -> Result<Self, ParseOptionError> {
        if text == "all" {
            return Ok(Self::ALL);
        }
        let mut set = Self::default();
        for name in text.split(',').map(str::trim) {
            let tunnel = Tunnel::ALL
                .into_iter()
                .find(|tunnel| tunnel.name() == name || (name == "4in6" && *tunnel == Tunnel::IpInIp));
            let tunnel = tunnel.ok_or_else(|| {
                ParseOptionError::new(
                    name,
                    "a tunnel: expected all, or some of vxlan, geneve, gre, erspan, 6in4, tzsp, mpls, gtp-u",
                )
            })?;
            set.0 |= tunnel.bit();
        }
        Ok(set)
    }
}

/// Packets by the tunnel that they came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TunnelCounts([u64; 8]);

impl TunnelCounts {
    /// Counts a packet.
    pub(super) fn note(&mut self, tunnel: Tunnel) {
        if let Some(count) = self.0.get_mut(tunnel as usize) {
            *count += 1;
        }
    }

    /// Adds the counts of another trace.
    pub fn merge(&mut self, other: &Self) {
        for (count, theirs) in self.0.iter_mut().zip(other.0) {
            *count += theirs;
        }
    }

    /// The tunnels that packets came in, each with its packets.
    pub fn iter(&self) -> impl Iterator<Item = (Tunnel, u64)> {
        Tunnel::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}

/// What a tunnel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inner<'a> {
    Ethernet(&'a [u8]),
    Ip(&'a [u8]),
}

/// Whether a packet may be a tunnel's, by its protocol or port.
#[inline]
pub(super) const fn may_carry(ip: &Ip<'_>) -> bool {
    match ip.transport {
        Transport::Tcp(_) => false,
        Transport::Udp => has_port(ip.dst_port),
        Transport::Other(protocol) => matches!(protocol, 4 | 41 | 47 | 137),
    }
}

/// Whether a UDP port is that of a tunnel.
#[inline]
pub(super) const fn has_port(port: u16) -> bool {
    matches!(port, 2152 | 4789 | 6081 | 6635 | 8472 | 37008)
}

/// What is inside a packet that is a tunnel's by its protocol or port and by its header.
pub(super) fn inside<'a>(ip: &Ip<'a>) -> Option<(Tunnel, Inner<'a>)> {
    match ip.transport {
        Transport::Tcp(_) => None,
        Transport::Udp => over_udp(ip),
        Transport::Other(protocol) => over_ip(protocol, ip.payload),
    }
}

fn over_udp<'a>(ip: &Ip<'a>) -> Option<(Tunnel, Inner<'a>)> {
    let payload = ip.payload;
    match ip.dst_port {
        4789 | 8472 => Some((Tunnel::Vxlan, vxlan(payload)?)),
        6081 => Some((Tunnel::Geneve, geneve(payload)?)),
        37008 => Some((Tunnel::Tzsp, tzsp(payload)?)),
        2152 => Some((Tunnel::GtpU, gtp_u(payload)?)),
        6635 => Some((Tunnel::Mpls, behind_labels(payload)?)),
        _ => None,
    }
}

fn over_ip(protocol: u8, payload: &[u8]) -> Option<(Tunnel, Inner<'_>)> {
    match protocol {
        4 | 41 => Some((Tunnel::IpInIp, ip_packet(payload)?)),
        47 => gre(payload),
        137 => Some((Tunnel::Mpls, behind_labels(payload)?)),
        _ => None,
    }
}

/// RFC 7348 §5: only the flag of a valid network identifier is set.
fn vxlan(bytes: &[u8]) -> Option<Inner<'_>> {
    match bytes.split_first_chunk::<8>()? {
        ([8, 0, 0, 0, _, _, _, 0], frame) => Some(Inner::Ethernet(frame)),
        _ => None,
    }
}

/// RFC 8926 §3.4: version 0, options in words of four bytes.
fn geneve(bytes: &[u8]) -> Option<Inner<'_>> {
    let ([first, _, p0, p1, _, _, _, 0], rest) = bytes.split_first_chunk::<8>()? else { return None };
    let rest = rest.get(usize::from(first & 0x3f) * 4..).filter(|_| first >> 6 == 0)?;
    by_ether_type(u16::from_be_bytes([*p0, *p1]), rest)
}

/// Version 1, a frame that was received or is to be sent, Ethernet; then tags up to the one that ends them.
fn tzsp(bytes: &[u8]) -> Option<Inner<'_>> {
    let ([1, 0 | 1, 0, 1], mut rest) = bytes.split_first_chunk::<4>()? else { return None };
    for _ in 0..MAX_STEPS {
        let (tag, after) = rest.split_first()?;
        rest = match tag {
            0 => after,
            1 => return Some(Inner::Ethernet(after)),
            _ => {
                let (length, value) = after.split_first()?;
                value.get(usize::from(*length)..)?
            }
        };
    }
    None
}

/// 3GPP TS 29.281 §5: a T-PDU of version 1; where a flag is set there are four more bytes, the last of them the type of
/// an extension header.
fn gtp_u(bytes: &[u8]) -> Option<Inner<'_>> {
    let ([flags, 255, ..], mut rest) = bytes.split_first_chunk::<8>()? else { return None };
    if flags >> 4 != 3 {
        return None;
    }
    if flags & 7 != 0 {
        let ([.., next], after) = rest.split_first_chunk::<4>()?;
        let (mut next, has_extensions) = (*next, flags & 4 != 0);
        rest = after;
        for _ in 0..MAX_STEPS {
            if next == 0 || !has_extensions {
                return ip_packet(rest);
            }
            let words = usize::from(*rest.first().filter(|words| **words > 0)?);
            next = *rest.get(words * 4 - 1)?;
            rest = rest.get(words * 4..)?;
        }
        return None;
    }
    ip_packet(rest)
}

/// RFC 2784 §2 and RFC 2890 §2: version 0, without source routes.
fn gre(bytes: &[u8]) -> Option<(Tunnel, Inner<'_>)> {
    let ([flags, version, p0, p1], rest) = bytes.split_first_chunk::<4>()?;
    if flags & 0x40 != 0 || version & 7 != 0 {
        return None;
    }
    let fields = [0x80, 0x20, 0x10].iter().filter(|field| flags & **field != 0).count();
    let rest = rest.get(4 * fields..)?;
    let has_sequence = flags & 0x10 != 0;
    match u16::from_be_bytes([*p0, *p1]) {
        ERSPAN_1_2 if !has_sequence => Some((Tunnel::Erspan, Inner::Ethernet(rest))),
        ERSPAN_1_2 => Some((Tunnel::Erspan, Inner::Ethernet(versioned(rest, 1)?.get(8..)?))),
        ERSPAN_3 => {
            let header = versioned(rest, 2)?;
            // The last bit says whether a subheader of the platform follows.
            let length = if header.get(11)? & 1 == 1 { 20 } else { 12 };
            Some((Tunnel::Erspan, Inner::Ethernet(header.get(length..)?)))
        }
        protocol => Some((Tunnel::Gre, by_ether_type(protocol, rest)?)),
    }
}

fn versioned(bytes: &[u8], version: u8) -> Option<&[u8]> {
    (bytes.first()? >> 4 == version).then_some(bytes)
}

fn by_ether_type(ether_type: u16, bytes: &[u8]) -> Option<Inner<'_>> {
    match ether_type {
        ETHERNET => Some(Inner::Ethernet(bytes)),
        IPV4 | IPV6 => ip_packet(bytes),
        labels if MPLS.contains(&labels) => behind_labels(bytes),
        _ => None,
    }
}

fn ip_packet(bytes: &[u8]) -> Option<Inner<'_>> {
    matches!(bytes.first()? >> 4, 4 | 6).then_some(Inner::Ip(bytes))
}

/// RFC 3032 §2.1: the last label has the bottom of the stack set.
fn behind_labels(mut bytes: &[u8]) -> Option<Inner<'_>> {
    for _ in 0..MAX_LABELS {
        let ([_, _, bottom, _], rest) = bytes.split_first_chunk::<4>()?;
        bytes = rest;
        if bottom & 1 == 1 {
            return ip_packet(bytes).or_else(|| pseudowire(bytes));
        }
    }
    None
}

/// Ethernet behind labels, with or without the control word that begins with four zero bits (RFC 4448 §4.6).
pub(super) fn pseudowire(bytes: &[u8]) -> Option<Inner<'_>> {
    let frame = if bytes.first()? >> 4 == 0 { bytes.get(4..)? } else { bytes };
    Some(Inner::Ethernet(frame))
}
