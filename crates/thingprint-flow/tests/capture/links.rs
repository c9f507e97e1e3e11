use etherparse::{EtherType, IpNumber};
use thingprint_flow::{LinkType, MacAddr, Malformed};

use crate::frames::{CAMERA, Captured, Pcap, ROUTER, ethernet, ipv4, ipv6, udp, udp_frame};
use crate::reading::{decode, read};

fn ip() -> Vec<u8> {
    ipv4(IpNumber::UDP, &udp(b"hello"))
}

/// Asserts that a frame gives the UDP packet of [`ip`], and returns its addresses.
fn check(link: LinkType, frame: &[u8]) -> (Option<MacAddr>, Option<MacAddr>) {
    let (seen, counts) = decode(link, frame);
    let ip = seen.ip.unwrap_or_else(|| panic!("no IP packet: {counts:?}"));
    assert_eq!((ip.ports, &ip.payload[..], ip.payload_bytes), ((40_000, 123), &b"hello"[..], 5));
    assert_eq!((counts.frames, counts.ip_packets), (1, 1));
    assert!(counts.malformed.is_empty(), "{counts:?}");
    (seen.src_mac, seen.dst_mac)
}

fn tag(ether_type: u16, body: &[u8]) -> Vec<u8> {
    [&[0, 7][..], &ether_type.to_be_bytes(), body].concat()
}

#[test]
fn ethernet_has_two_addresses() {
    let addresses = check(LinkType::Ethernet, &ethernet(EtherType::IPV4, &ip()));
    assert_eq!(addresses, (Some(MacAddr::new(CAMERA)), Some(MacAddr::new(ROUTER))));
    check(LinkType::Ethernet, &ethernet(EtherType::IPV6, &ipv6(17, &udp(b"hello"))));
}

#[test]
fn vlan_tags_are_taken_off() {
    let once = tag(0x0800, &ip());
    for tpid in [0x8100, 0x88a8, 0x9100, 0x9200] {
        let twice = tag(0x8100, &once);
        let addresses = check(LinkType::Ethernet, &ethernet(EtherType(tpid), &twice));
        assert_eq!(addresses.0, Some(MacAddr::new(CAMERA)));
        check(LinkType::Ethernet, &ethernet(EtherType(tpid), &once));
    }
    let four = (0..3).fold(once, |inner, _| tag(0x8100, &inner));
    check(LinkType::Ethernet, &ethernet(EtherType(0x88a8), &four));
}

#[test]
fn endless_vlan_tags_are_malformed() {
    let five = (0..4).fold(tag(0x0800, &ip()), |inner, _| tag(0x8100, &inner));
    let (seen, counts) = decode(LinkType::Ethernet, &ethernet(EtherType(0x8100), &five));
    assert_eq!(seen.ip, None);
    assert_eq!(counts.malformed[&Malformed::TooManyTags], 1);
    assert_eq!(counts.unreadable, 1);
}

#[test]
fn carrier_encapsulations_are_taken_off() {
    let pppoe = |protocol: [u8; 2], ip: &[u8]| [&[0x11, 0, 0, 1, 0, 35][..], &protocol, ip].concat();
    check(LinkType::Ethernet, &ethernet(EtherType(0x8864), &pppoe([0, 0x21], &ip())));
    check(LinkType::Ethernet, &ethernet(EtherType(0x8864), &pppoe([0, 0x57], &ipv6(17, &udp(b"hello")))));
    let labels = [0, 0, 0x10, 64, 0, 0, 0x21, 64];
    check(LinkType::Ethernet, &ethernet(EtherType(0x8847), &[&labels[..], &ip()].concat()));
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    check(LinkType::Ethernet, &ethernet(EtherType(41), &[&snap[..], &ip()].concat()));
    let tagged = tag(0x8864, &pppoe([0, 0x21], &ip()));
    check(LinkType::Ethernet, &ethernet(EtherType(0x8100), &tagged));
}

#[test]
fn frames_without_ip_are_counted() {
    let cases: [(u16, &[u8], (u64, u64)); 7] = [
        (0x0806, &[0; 28], (1, 0)),
        (0x8035, &[0; 28], (1, 0)),
        (0x88cc, &[0; 28], (0, 1)),
        // Spanning tree in an 802.2 frame.
        (38, &[0x42, 0x42, 3, 0, 0, 0, 0, 0], (0, 1)),
        (0x8863, &[0; 20], (0, 1)),
        (0x8864, &[0x11, 0, 0, 1, 0, 4, 0xc0, 0x21, 1, 1], (0, 1)),
        // A pseudowire in MPLS.
        (0x8847, &[0, 0, 1, 64, 0, 0, 0, 0], (0, 1)),
    ];
    for (ether_type, body, expected) in cases {
        let (seen, counts) = decode(LinkType::Ethernet, &ethernet(EtherType(ether_type), body));
        assert_eq!(seen.ip, None);
        assert_eq!(seen.src_mac, Some(MacAddr::new(CAMERA)));
        assert_eq!((counts.arp, counts.other_ethertype), expected, "{ether_type:#x}");
        assert!(counts.malformed.is_empty());
    }
}

#[test]
fn cooked_captures_know_the_sender_alone() {
    let v1 = |length: u8, protocol: u16| {
        let header = [&[0, 4, 0, 1, 0, length][..], &CAMERA, &[0, 0], &protocol.to_be_bytes()].concat();
        [header, if protocol == 0x8100 { tag(0x0800, &ip()) } else { ip() }].concat()
    };
    assert_eq!(check(LinkType::CookedV1, &v1(6, 0x0800)), (Some(MacAddr::new(CAMERA)), None));
    assert_eq!(check(LinkType::CookedV1, &v1(0, 0x0800)), (None, None));
    check(LinkType::CookedV1, &v1(6, 0x8100));

    let v2 = |length: u8| {
        let header = [&[8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, length][..], &CAMERA, &[0, 0]].concat();
        [header, ip()].concat()
    };
    assert_eq!(check(LinkType::CookedV2, &v2(6)), (Some(MacAddr::new(CAMERA)), None));
    assert_eq!(check(LinkType::CookedV2, &v2(8)), (None, None));
}

#[test]
fn raw_ip_has_no_addresses() {
    let six = ipv6(17, &udp(b"hello"));
    for (link, frame) in [
        (LinkType::RawIp, ip()),
        (LinkType::RawIp, six.clone()),
        (LinkType::RawIpv4, ip()),
        (LinkType::RawIpv6, six.clone()),
    ] {
        assert_eq!(check(link, &frame), (None, None));
    }
    for (link, frame, kind) in [
        (LinkType::RawIpv4, six, Malformed::IpVersion),
        (LinkType::RawIpv6, [ip(), vec![0; 40]].concat(), Malformed::IpVersion),
        (LinkType::RawIp, vec![0x50; 60], Malformed::IpVersion),
        (LinkType::RawIp, vec![], Malformed::IpHeader),
    ] {
        let (seen, counts) = decode(link, &frame);
        assert_eq!((seen.ip, counts.malformed.get(&kind)), (None, Some(&1)), "{link}");
    }
}

#[test]
fn loopback_reads_every_systems_families_in_both_orders() {
    let families: [(u32, Vec<u8>); 6] = [
        (2, ip()),
        (10, ipv6(17, &udp(b"hello"))),
        (23, ipv6(17, &udp(b"hello"))),
        (24, ipv6(17, &udp(b"hello"))),
        (28, ipv6(17, &udp(b"hello"))),
        (30, ipv6(17, &udp(b"hello"))),
    ];
    for (family, packet) in families {
        for header in [family.to_le_bytes(), family.to_be_bytes()] {
            assert_eq!(check(LinkType::Null, &[&header[..], &packet].concat()), (None, None));
        }
    }
    let (seen, counts) = decode(LinkType::Null, &[7, 0, 0, 0, 1, 2, 3]);
    assert_eq!((seen.ip, counts.other_ethertype), (None, 1));
}

#[test]
fn link_types_are_known_by_number() {
    let frames = [
        (0, [&[2, 0, 0, 0][..], &ip()].concat()),
        (108, [&[0, 0, 0, 2][..], &ip()].concat()),
        (1, ethernet(EtherType::IPV4, &ip())),
        (12, ip()),
        (14, ip()),
        (101, ip()),
        (228, ip()),
        (229, ipv6(17, &udp(b"hello"))),
        (113, [&[0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0][..], &ip()].concat()),
        (276, [&[8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0][..], &ip()].concat()),
    ];
    for (number, frame) in frames {
        let reading = read(&Pcap::with_link(number).write(&[Captured::at(1, frame)]));
        assert_eq!(reading.problems, [], "link type {number}");
        assert_eq!(reading.counts.ip_packets, 1, "link type {number}");
    }
}

#[test]
fn a_frame_that_ends_in_its_link_header_is_malformed() {
    let qinq = ethernet(EtherType(0x88a8), &tag(0x8100, &[0]));
    let mpls = ethernet(EtherType(0x8847), &[0, 0, 0]);
    let pppoe = ethernet(EtherType(0x8864), &[0x11, 0, 0, 1]);
    for (link, frame) in [
        (LinkType::Ethernet, &udp_frame(b"")[..13]),
        (LinkType::Ethernet, &qinq),
        (LinkType::Ethernet, &mpls),
        (LinkType::Ethernet, &pppoe),
        (LinkType::CookedV1, &[0; 15]),
        (LinkType::CookedV2, &[0; 19]),
        (LinkType::Null, &[2, 0, 0]),
    ] {
        let (seen, counts) = decode(link, frame);
        assert_eq!((seen.ip, counts.malformed.get(&Malformed::LinkHeader)), (None, Some(&1)), "{link}");
    }
}

#[test]
fn frames_of_other_link_types_are_counted_and_not_looked_into() {
    let (seen, counts) = decode(LinkType::Unsupported(105), &ethernet(EtherType::IPV4, &ip()));
    assert_eq!((seen.ip, seen.src_mac, counts.unsupported_link), (None, None, 1));
}
