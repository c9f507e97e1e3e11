//! Messages in UDP payloads.

mod wire;

use proptest::prelude::*;
use thingprint_protocol::{Limits, Protocol, Sender};
use wire::Flow;

/// The protocol found in one payload of a new flow.
///
/// A model without attributes, such as that of `CoAP`, decides for its protocol and gives no
/// message.
fn protocol(payload: &[u8]) -> Option<Protocol> {
    let mut flow = Flow::new(Limits::default());
    flow.udp(Sender::Device, payload);
    let decided = flow.state.protocol();
    let described = flow.found.first().map(|(_, message)| message.protocol());
    assert!(described == decided || (described, decided) == (None, Some(Protocol::Described)));
    decided
}

#[test]
fn each_protocol_is_told_by_its_content() {
    assert_eq!(protocol(&wire::dns_query(7, "lamp")), Some(Protocol::Dns));
    assert_eq!(protocol(&wire::ntp_request()), Some(Protocol::Ntp));
    assert_eq!(protocol(&wire::dhcp_discover()), Some(Protocol::Dhcp));
    let request = b"\x53\x01\0\0\0\0\0\xb4lamp";
    assert_eq!(protocol(request), Some(Protocol::Described));
    assert_eq!(protocol(&request[..request.len() - 1]), None, "the path is shorter than it says");
    assert_eq!(protocol(&[0; 48]), None);
    assert_eq!(protocol(&[0x24, 0, 0, 0x34, 0, 0, 0, 0]), None);
}

#[test]
fn a_flow_that_tells_nothing_is_left_alone() {
    let check = |strange: usize, expected: usize| {
        let mut flow = Flow::new(Limits { undecided_payloads: 3, ..Limits::default() });
        for _ in 0..strange {
            flow.udp(Sender::Peer, b"what is this?");
            flow.udp(Sender::Peer, b"");
        }
        flow.udp(Sender::Device, &wire::dns_query(7, "lamp"));
        assert_eq!(flow.found.len(), expected, "after {strange}");
    };
    check(0, 1);
    check(2, 1);
    check(3, 0);
}

#[test]
fn a_decided_flow_is_read_to_its_end_as_what_it_is() {
    let mut flow = Flow::new(Limits { undecided_payloads: 3, ..Limits::default() });
    for id in 0..20 {
        flow.udp(Sender::Device, &wire::dns_query(id, "lamp"));
        flow.udp(Sender::Peer, b"what is this?");
        flow.udp(Sender::Peer, &wire::ntp_request());
    }
    assert_eq!(flow.found.len(), 20);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn any_payload_is_survived(payload in prop::collection::vec(any::<u8>(), 0..400)) {
        protocol(&payload);
    }

    #[test]
    fn any_damage_is_survived(
        message in prop_oneof![
            Just(wire::dns_query(7, "lamp")),
            Just(wire::ntp_request()),
            Just(wire::dhcp_discover()),
        ],
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut payload = message;
        for (at, value) in damage {
            let at = at.index(payload.len());
            payload[at] = value;
        }
        protocol(&payload);
        payload.truncate(cut.index(payload.len()));
        protocol(&payload);
    }
}

#[test]
fn a_session_that_is_over_gives_back_what_it_held() {
    let mut flow = Flow::new(Limits::default());
    // A client's first packet of Google's QUIC, version 39.
    flow.udp(Sender::Device, b"\x09\x01\x02\x03\x04\x05\x06\x07\x08Q039\x01rest");
    assert_eq!((flow.found.len(), flow.state.protocol()), (1, Some(Protocol::Quic)));
    assert!(flow.budget.used_bytes() > 0);
    for _ in 0..9 {
        flow.udp(Sender::Peer, &[7; 40]);
    }
    assert_eq!(flow.budget.used_bytes(), 0);
}
