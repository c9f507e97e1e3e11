//! What holds of MUD profiles whatever a device does.

mod home;
mod lamp;

use home::{Flows, Story, ntp_request};
use lamp::{CLOUD, LAMP, assert_structure, options, written};
use proptest::prelude::*;
use thingprint_profile::{MudOptions, MudProfile};

/// Any exchange of a device with somebody.
fn any_packet() -> impl Strategy<Value = (bool, bool, usize, u16, u16, u8)> {
    let port = || {
        prop_oneof![
            Just(53_u16),
            Just(67),
            Just(68),
            Just(123),
            Just(443),
            Just(5683),
            1024_u16..1030,
            any::<u16>()
        ]
    };
    (any::<bool>(), any::<bool>(), 0_usize..PEERS.len(), port(), port(), 0_u8..4)
}

const PEERS: [(&str, &str); 9] = [
    (LAMP, "192.168.1.1"),
    (LAMP, "192.168.1.255"),
    (LAMP, "255.255.255.255"),
    (LAMP, "239.255.255.250"),
    (LAMP, CLOUD),
    (LAMP, "198.51.100.1"),
    ("fe80::7", "ff02::fb"),
    ("2001:db8::7", "2001:db8::1"),
    ("2001:db8::7", "2001:db8:1::1"),
];

fn told(packets: &[(bool, bool, usize, u16, u16, u8)]) -> Story {
    let first = Story::default().learns(7, LAMP, "cloud.lamp.example", CLOUD);
    packets.iter().fold(first, |story, &(is_device_first, is_answered, peer, own, other, kind)| {
        let (address, peer) = PEERS[peer];
        let (own, other) = ((address, own), (peer, other));
        match (kind, is_device_first) {
            (0, true) => story.opens(7, own, other, b"GET / HTTP/1.1\r\nHost: web.example\r\n\r\n"),
            (0, false) => story.accepts(7, other, own, b"x"),
            (1, _) => story.sends_other(7, address, peer, 1),
            (_, true) if is_answered => story.sends(7, own, other, b"x").receives(7, other, own, b"y"),
            (_, true) => story.sends(7, own, other, &ntp_request()),
            (_, false) if is_answered => story.receives(7, other, own, b"x").sends(7, own, other, b"y"),
            (_, false) => story.receives(7, other, own, b"x"),
        }
    })
}

proptest! {
    #[test]
    fn a_profile_allows_what_it_was_written_from(packets in prop::collection::vec(any_packet(), 1..60)) {
        let flows: Flows = told(&packets).flows();
        let (builder, device) = (flows.builder(), flows.device(7));
        let all = MudOptions { with_unanswered: true, ..options() };
        let draft = builder.profile(device, &all);
        let report = builder.check(device, &draft.profile);
        prop_assert_eq!((report.denied_flows, report.implied_flows), (0, 0), "{:?}", report.denied);
        assert_structure(&draft.profile.to_json());
        let own = builder.profile(device, &options());
        let report = builder.check(device, &own.profile);
        prop_assert!(report.denied_flows + report.implied_flows <= own.unanswered_flows);
    }

    #[test]
    fn a_written_profile_is_read_back(packets in prop::collection::vec(any_packet(), 1..40)) {
        let flows: Flows = told(&packets).flows();
        let profile = flows.builder().profile(flows.device(7), &options()).profile;
        let text = profile.to_json();
        let read = MudProfile::from_json(&text).unwrap();
        prop_assert_eq!(&read, &profile);
        prop_assert_eq!(read.to_json(), text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = MudProfile::from_json(&text);
    }

    #[test]
    fn a_file_cut_short_is_refused(cut in any::<prop::sample::Index>()) {
        let text = written(&Story::default().learns(7, LAMP, "a.example", CLOUD)).to_json();
        // Without the brace and the line break at the end.
        let end = cut.index(text.len() - 1);
        prop_assert!(MudProfile::from_json(&text[..end]).is_err());
    }
}
