use super::counts::Malformed;
use crate::{LinkType, MacAddr, NonIp};

/// VLAN tags or MPLS labels that a frame may carry; networks stack two, carriers three.
const MAX_TAGS: usize = 4;

const IPV4: u16 = 0x0800;
pub(super) const ARP: u16 = 0x0806;
pub(super) const REVERSE_ARP: u16 = 0x8035;
const IPV6: u16 = 0x86dd;
const PPPOE_SESSION: u16 = 0x8864;
/// Values up to this are lengths of IEEE 802.2 frames.
const LONGEST_802_3: u16 = 1500;

/// A frame without its link header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link<'a> {
    pub(super) src_mac: Option<MacAddr>,
    pub(super) dst_mac: Option<MacAddr>,
    pub(super) content: Content<'a>,
}

/// What a link header announces.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content<'a> {
    Ipv4(&'a [u8]),
    Ipv6(&'a [u8]),
    /// The version is in the packet.
    AnyIp(&'a [u8]),
    /// Something else than IP, behind an `EtherType`.
    NonIp(NonIp<'a>),
    /// Something else than IP behind MPLS labels, nearly always a frame of another network (RFC 4448).
    Pseudowire(&'a [u8]),
    /// Something else than IP, on a link without an `EtherType`.
    Other,
    /// A link type that is not looked into.
    Unsupported(LinkType),
    Malformed(Malformed),
}

impl<'a> Link<'a> {
    /// Reads the link header of a frame.
    #[inline]
    pub(super) fn of(link: LinkType, bytes: &'a [u8]) -> Self {
        match link {
            LinkType::Ethernet => ethernet(bytes),
            LinkType::CookedV1 => cooked_v1(bytes),
            LinkType::CookedV2 => cooked_v2(bytes),
            LinkType::RawIp => Self::without_addresses(Content::AnyIp(bytes)),
            LinkType::RawIpv4 => Self::without_addresses(Content::Ipv4(bytes)),
            LinkType::RawIpv6 => Self::without_addresses(Content::Ipv6(bytes)),
            LinkType::Null => Self::without_addresses(null(bytes)),
            LinkType::Unsupported(_) => Self::without_addresses(Content::Unsupported(link)),
        }
    }

    fn without_addresses(content: Content<'a>) -> Self {
        Self { src_mac: None, dst_mac: None, content }
    }

    fn cut() -> Self {
        Self::without_addresses(Content::Malformed(Malformed::LinkHeader))
    }
}

/// IEEE 802.3 §3.1.1: destination, source, type or length.
#[inline]
fn ethernet(bytes: &[u8]) -> Link<'_> {
    let Some((header, rest)) = bytes.split_first_chunk::<14>() else { return Link::cut() };
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = *header;
    Link {
        src_mac: Some(MacAddr::new([s0, s1, s2, s3, s4, s5])),
        dst_mac: Some(MacAddr::new([d0, d1, d2, d3, d4, d5])),
        content: content(u16::from_be_bytes([t0, t1]), rest),
    }
}

/// The 16 bytes of `LINKTYPE_LINUX_SLL`: packet type, ARPHRD type, address length, address, protocol.
fn cooked_v1(bytes: &[u8]) -> Link<'_> {
    let Some((header, rest)) = bytes.split_first_chunk::<16>() else { return Link::cut() };
    let [_, _, _, _, l0, l1, address @ .., _, _, t0, t1] = *header;
    Link {
        src_mac: (u16::from_be_bytes([l0, l1]) == 6).then(|| MacAddr::new(address)),
        dst_mac: None,
        content: content(u16::from_be_bytes([t0, t1]), rest),
    }
}

/// The 20 bytes of `LINKTYPE_LINUX_SLL2`: protocol, reserved, interface, ARPHRD type, packet type, address length,
/// address.
fn cooked_v2(bytes: &[u8]) -> Link<'_> {
    let Some((header, rest)) = bytes.split_first_chunk::<20>() else { return Link::cut() };
    let [t0, t1, _, _, _, _, _, _, _, _, _, length, address @ .., _, _] = *header;
    Link {
        src_mac: (length == 6).then(|| MacAddr::new(address)),
        dst_mac: None,
        content: content(u16::from_be_bytes([t0, t1]), rest),
    }
}

/// The address family in four bytes, in the byte order of the machine that captured (`LINKTYPE_NULL`) or of the
/// network (`LINKTYPE_LOOP`). Each system has its own number for IPv6; all are below 256, which tells the order.
fn null(bytes: &[u8]) -> Content<'_> {
    let Some((family, rest)) = bytes.split_first_chunk::<4>() else {
        return Content::Malformed(Malformed::LinkHeader);
    };
    match u32::from_le_bytes(*family).min(u32::from_be_bytes(*family)) {
        2 => Content::Ipv4(rest),
        10 | 23 | 24 | 28 | 30 => Content::Ipv6(rest),
        _ => Content::Other,
    }
}

#[inline]
fn content(ethertype: u16, rest: &[u8]) -> Content<'_> {
    match ethertype {
        IPV4 => Content::Ipv4(rest),
        IPV6 => Content::Ipv6(rest),
        _ => other_content(ethertype, rest),
    }
}

/// Everything but plain IP, kept out of the way of it: VLAN tags (IEEE 802.1Q), `PPPoE` sessions (RFC 2516), MPLS
/// labels (RFC 3032) and SNAP (IEEE 802) are taken off.
#[inline(never)]
fn other_content(mut ethertype: u16, mut rest: &[u8]) -> Content<'_> {
    for _ in 0..=MAX_TAGS {
        match ethertype {
            IPV4 => return Content::Ipv4(rest),
            IPV6 => return Content::Ipv6(rest),
            PPPOE_SESSION => return pppoe(rest),
            0x8847 | 0x8848 => return mpls(rest),
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => match rest.split_first_chunk::<4>() {
                Some(([_, _, t0, t1], tagged)) => {
                    ethertype = u16::from_be_bytes([*t0, *t1]);
                    rest = tagged;
                }
                None => return Content::Malformed(Malformed::LinkHeader),
            },
            0..=LONGEST_802_3 => match rest.split_first_chunk::<8>() {
                Some(([0xaa, 0xaa, 3, 0, 0, 0, t0, t1], inner)) => {
                    ethertype = u16::from_be_bytes([*t0, *t1]);
                    rest = inner;
                }
                _ => return Content::NonIp(NonIp { ether_type: ethertype, payload: rest }),
            },
            _ => return Content::NonIp(NonIp { ether_type: ethertype, payload: rest }),
        }
    }
    Content::Malformed(Malformed::TooManyTags)
}

/// RFC 2516 §4 and the PPP protocol field (RFC 1661 §2).
fn pppoe(bytes: &[u8]) -> Content<'_> {
    match bytes.split_first_chunk::<8>() {
        Some(([.., 0x00, 0x21], ip)) => Content::Ipv4(ip),
        Some(([.., 0x00, 0x57], ip)) => Content::Ipv6(ip),
        Some(_) => Content::Other,
        None => Content::Malformed(Malformed::LinkHeader),
    }
}

/// RFC 3032 §2.1; after the bottom of the stack, the first bits tell IP from pseudowires (RFC 4385 §3).
fn mpls(mut bytes: &[u8]) -> Content<'_> {
    for _ in 0..MAX_TAGS {
        let Some((label, rest)) = bytes.split_first_chunk::<4>() else {
            return Content::Malformed(Malformed::LinkHeader);
        };
        bytes = rest;
        if label[2] & 1 == 1 {
            return match bytes.first().map(|byte| byte >> 4) {
                Some(4) => Content::Ipv4(bytes),
                Some(6) => Content::Ipv6(bytes),
                _ => Content::Pseudowire(bytes),
            };
        }
    }
    Content::Malformed(Malformed::TooManyTags)
}
