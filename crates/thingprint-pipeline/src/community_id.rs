//! Community ID version 1: a hash by which flows are found again in the logs of Zeek, Suricata and others
//! (github.com/corelight/community-id-spec).

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use thingprint_flow::{Ip, Transport};

/// Domains of flow ids are told apart by it; all tools have this one unless told otherwise.
const SEED: [u8; 2] = [0, 0];
/// What an id begins with, and how long it is.
const VERSION: &str = "1:";
const ID_BYTES: usize = 30;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
const SCTP: u8 = 132;

/// Message types of ICMP that ask and those that answer them (RFC 792, 950, 1256).
const ICMP_PAIRS: [(u8, u8); 5] = [(8, 0), (13, 14), (15, 16), (10, 9), (17, 18)];
/// The same of `ICMPv6` (RFC 4443, 4861, 2710, 4620, 6275).
const ICMPV6_PAIRS: [(u8, u8); 6] = [(128, 129), (133, 134), (135, 136), (130, 131), (139, 140), (144, 145)];

/// The id of the flow that a packet belongs to; `None` where the capture has too little of the packet.
pub fn community_id(ip: &Ip<'_>) -> Option<String> {
    let words = match ip.transport {
        Transport::Tcp(_) | Transport::Udp => Some(Words::ports(ip.src_port, ip.dst_port)),
        Transport::Other(ICMP) => Some(Words::icmp(ip.payload, &ICMP_PAIRS)?),
        Transport::Other(ICMPV6) => Some(Words::icmp(ip.payload, &ICMPV6_PAIRS)?),
        Transport::Other(SCTP) => {
            let [s0, s1, d0, d1] = *ip.payload.first_chunk()?;
            Some(Words::ports(u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])))
        }
        Transport::Other(_) => None,
    };
    Some(hash(ip.src, ip.dst, ip.transport.number(), words))
}

/// What is hashed in the place of ports.
#[derive(Clone, Copy, Debug)]
struct Words {
    src: u16,
    dst: u16,
    /// Whether the two ends are not put into order.
    is_one_way: bool,
}

impl Words {
    const fn ports(src: u16, dst: u16) -> Self {
        Self { src, dst, is_one_way: false }
    }

    /// Type and the type that answers it; type and code where there is no answer.
    fn icmp(message: &[u8], pairs: &[(u8, u8)]) -> Option<Self> {
        let [kind, code] = *message.first_chunk()?;
        let answer = pairs.iter().find_map(|&(asks, answers)| match kind {
            _ if kind == asks => Some(answers),
            _ if kind == answers => Some(asks),
            _ => None,
        });
        let dst = answer.unwrap_or(code);
        Some(Self { src: kind.into(), dst: dst.into(), is_one_way: answer.is_none() })
    }
}

fn hash(src: IpAddr, dst: IpAddr, protocol: u8, words: Option<Words>) -> String {
    let (src_word, dst_word) = words.map_or((0, 0), |words| (words.src, words.dst));
    let is_one_way = words.is_some_and(|words| words.is_one_way);
    let (from, to) = ((src, src_word), (dst, dst_word));
    // Addresses of one packet are of one kind, in the order of their bytes.
    let [low, high] = if is_one_way || from < to { [from, to] } else { [to, from] };
    let mut sha1 = Sha1::new();
    sha1.update(SEED);
    for (address, _) in [low, high] {
        match address {
            IpAddr::V4(address) => sha1.update(address.octets()),
            IpAddr::V6(address) => sha1.update(address.octets()),
        }
    }
    sha1.update([protocol, 0]);
    if words.is_some() {
        sha1.update(low.1.to_be_bytes());
        sha1.update(high.1.to_be_bytes());
    }
    let mut id = String::with_capacity(ID_BYTES);
    id.push_str(VERSION);
    STANDARD.encode_string(sha1.finalize(), &mut id);
    id
}

#[cfg(test)]
mod tests {
    use thingprint_flow::{TcpFlags, TcpSegment};

    use super::*;

    fn check(transport: Transport, ends: [(&str, u16); 2], payload: &[u8], expected: Option<&str>) {
        let [src, dst] = ends.map(|(address, port)| (address.parse().unwrap(), port));
        let ip = Ip { transport, ..Ip::udp(src, dst, payload) };
        assert_eq!(community_id(&ip).as_deref(), expected, "{ends:?}");
    }

    /// Flows of the specification's reference data.
    #[test]
    fn ids_equal_the_published_ones_in_both_directions() {
        let tcp = Transport::Tcp(TcpSegment { seq: 0, ack: 0, flags: TcpFlags(0) });
        let both = |transport, [a, b]: [(&str, u16); 2], expected| {
            check(transport, [a, b], &[], Some(expected));
            check(transport, [b, a], &[], Some(expected));
        };
        both(tcp, [("128.232.110.120", 34855), ("66.35.250.204", 80)], "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        both(
            tcp,
            [("2001:470:e5bf:dead:4957:2174:e82c:4887", 63943), ("2607:f8b0:400c:c03::1a", 25)],
            "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=",
        );
        both(Transport::Udp, [("192.168.1.52", 54585), ("8.8.8.8", 53)], "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
        both(Transport::Other(46), [("10.1.12.1", 0), ("10.1.12.2", 0)], "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=");
    }

    #[test]
    fn ids_of_messages_without_ports_equal_the_published_ones() {
        let icmp = |src, dst, message: [u8; 2], expected| {
            check(Transport::Other(ICMP), [(src, 0), (dst, 0)], &message, Some(expected));
        };
        icmp("192.168.0.89", "192.168.0.1", [8, 0], "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
        icmp("192.168.0.1", "192.168.0.89", [0, 0], "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
        icmp("10.0.0.1", "10.0.0.2", [11, 0], "1:YHxtAirCG//0OzkcVAukqKQN9xM=");
        let icmpv6 = |src, dst, message: [u8; 2], expected| {
            check(Transport::Other(ICMPV6), [(src, 0), (dst, 0)], &message, Some(expected));
        };
        let (host, other) = ("fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea");
        icmpv6(host, other, [135, 0], "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=");
        icmpv6(other, host, [136, 0], "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=");
        icmpv6(other, host, [135, 0], "1:zavyT/cezQr1fmImYCwYnMXbgck=");
        icmpv6(host, "ff02::2", [133, 0], "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0=");
        icmpv6(other, "ff02::1", [134, 0], "1:pkvHqCL88/tg1k4cPigmZXUtL00=");
        let (far, near) = ("3ffe:501:0:1001::2", "3ffe:507:0:1:200:86ff:fe05:80da");
        icmpv6(far, near, [129, 0], "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=");
        icmpv6("3ffe:501:410:0:2c0:dfff:fe47:33e", near, [1, 4], "1:hLZd0XGWojozrvxqE0dWB1iM6R0=");
        icmpv6("3ffe:501:1800:2345::2", near, [3, 0], "1:2ObVBgIn28oZvibYZhZMBgh7WdQ=");
        let sctp = [("192.168.170.8", 0), ("192.168.170.56", 0)];
        check(Transport::Other(SCTP), sctp, &[0, 7, 0, 7], Some("1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="));
    }

    #[test]
    fn a_packet_that_was_cut_has_no_id() {
        let ends = [("10.0.0.1", 0), ("10.0.0.2", 0)];
        check(Transport::Other(ICMP), ends, &[8], None);
        check(Transport::Other(ICMPV6), ends, &[], None);
        check(Transport::Other(SCTP), ends, &[0, 7, 0], None);
    }
}
