use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thingprint_flow::Ip;

use crate::{DnsMessage, Message};

/// RFC 6762 §3: where multicast DNS is sent to; the group exists in every scope of IPv6 (RFC 4291 §2.7.1).
const MDNS_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const MDNS_GROUP_ID: [u16; 7] = [0, 0, 0, 0, 0, 0, 0x00fb];
const MDNS_PORT: u16 = 5353;
/// RFC 4795 §2.
const LLMNR_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 252);
const LLMNR_GROUP_ID: [u16; 7] = [0, 0, 0, 0, 0, 1, 3];
const LLMNR_PORT: u16 = 5355;
/// RFC 6762 §3 and §4: names that only multicast DNS resolves.
const LOCAL_SUFFIXES: [&str; 2] = [".local", ".254.169.in-addr.arpa"];
/// RD and RA: nothing in LLMNR recurses, and in its header other bits stand there (RFC 4795 §2.1.1).
const RECURSION: u16 = 0x0180;
const AUTHORITATIVE: u16 = 0x0400;

/// Names the protocol of a DNS message that came in `packet`.
///
/// Multicast DNS and LLMNR have the form of DNS. A message to their group is theirs. One to a single host is theirs if
/// a port of it is theirs and it says so itself: multicast DNS by names in `.local`, or as an authoritative response
/// without a transaction id and questions (RFC 6762 §6 and §18.1); LLMNR as a response with a question and without
/// recursion (RFC 4795 §2.1).
pub fn named(message: DnsMessage, packet: &Ip<'_>) -> Message {
    let has_port = |port| packet.src_port == port || packet.dst_port == port;
    if is_group(packet.dst, MDNS_GROUP, MDNS_GROUP_ID) || has_port(MDNS_PORT) && is_multicast_like(&message) {
        Message::Mdns(message)
    } else if is_group(packet.dst, LLMNR_GROUP, LLMNR_GROUP_ID)
        || has_port(LLMNR_PORT) && is_llmnr_like(&message)
    {
        Message::Llmnr(message)
    } else {
        Message::Dns(message)
    }
}

fn is_group(address: IpAddr, group: Ipv4Addr, group_id: [u16; 7]) -> bool {
    match address {
        IpAddr::V4(address) => address == group,
        IpAddr::V6(address) => is_group_of_id(address, group_id),
    }
}

/// `ff0S::ID` for any scope S.
fn is_group_of_id(address: Ipv6Addr, group_id: [u16; 7]) -> bool {
    let [scope, id @ ..] = address.segments();
    scope & 0xfff0 == 0xff00 && id == group_id
}

fn is_multicast_like(message: &DnsMessage) -> bool {
    let questions = message.questions.iter().map(|question| question.name.as_str());
    let mut names = questions.chain(message.answers.iter().map(|answer| answer.name.as_str()));
    let is_announcement = message.is_response()
        && message.id == 0
        && message.flags & AUTHORITATIVE != 0
        && message.questions.is_empty();
    is_announcement || names.any(|name| LOCAL_SUFFIXES.iter().any(|suffix| name.ends_with(suffix)))
}

fn is_llmnr_like(message: &DnsMessage) -> bool {
    message.is_response() && message.questions.len() == 1 && message.flags & RECURSION == 0
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use thingprint_flow::Ip;

    use super::named;
    use crate::{DnsMessage, DnsQuestion, Protocol};

    /// Names the protocol of a message with these flags that asks for `name`, sent between the ports to `to`.
    fn protocol(to: &str, ports: (u16, u16), flags: u16, name: Option<&str>) -> Protocol {
        let to: IpAddr = to.parse().unwrap();
        let packet = Ip { ttl: 255, ..Ip::udp((to, ports.0), (to, ports.1), &[]) };
        let questions = name.map(|name| DnsQuestion { name: name.to_owned(), qtype: 1, qclass: 1 });
        let message = DnsMessage {
            id: 0,
            flags,
            answer_count: 0,
            questions: questions.into_iter().collect(),
            answers: Vec::new(),
            additional: Vec::new(),
        };
        named(message, &packet).protocol()
    }

    #[test]
    fn a_message_to_a_group_is_the_groups() {
        for (to, expected) in [
            ("224.0.0.251", Protocol::Mdns),
            ("ff02::fb", Protocol::Mdns),
            ("ff05::fb", Protocol::Mdns),
            ("224.0.0.252", Protocol::Llmnr),
            ("ff02::1:3", Protocol::Llmnr),
            ("224.0.0.253", Protocol::Dns),
            ("ff02::fc", Protocol::Dns),
            ("2001:db8::fb", Protocol::Dns),
        ] {
            assert_eq!(protocol(to, (5000, 5000), 0, Some("lamp")), expected, "{to}");
        }
    }

    #[test]
    fn a_port_alone_tells_nothing() {
        let host = "192.0.2.7";
        assert_eq!(protocol(host, (5353, 5353), 0x0100, Some("lamp.example")), Protocol::Dns);
        assert_eq!(protocol(host, (5000, 5353), 0x0000, Some("_hap._tcp.local")), Protocol::Mdns);
        assert_eq!(protocol(host, (5000, 53), 0x0000, Some("_hap._tcp.local")), Protocol::Dns);
        assert_eq!(protocol(host, (5353, 5000), 0x8400, None), Protocol::Mdns);
        assert_eq!(protocol(host, (53, 5000), 0x8400, None), Protocol::Dns);
        assert_eq!(protocol(host, (5355, 5000), 0x8000, Some("lamp")), Protocol::Llmnr);
        assert_eq!(protocol(host, (5355, 5000), 0x8180, Some("lamp")), Protocol::Dns);
        assert_eq!(protocol(host, (53, 5000), 0x8000, Some("lamp")), Protocol::Dns);
    }
}
