//! What is kept of devices for MUD profiles where there is too much: a fair share of each.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod home;
mod lamp;

use proptest::prelude::*;
use thingprint_flow::DeviceIndex;
use thingprint_profile::{CheckReport, MudBuilder, MudLimits, MudProfile};

use home::{Flows, Story, dhcp_ack};
use lamp::{CLOUD, LAMP, matches, options, written};

const LOCK: &str = "192.168.1.8";
const CAMERA: &str = "192.168.1.9";
/// Room for some hundred contacts and names.
const FEW: MudLimits = MudLimits { contact_bytes: 1 << 16, name_bytes: 1 << 15 };

fn heard(flows: &Flows, limits: MudLimits) -> MudBuilder {
    let mut builder = MudBuilder::new(limits);
    for (flow, spoken) in &flows.flows {
        builder.hear(flow, spoken.as_deref());
        if flow.up.packets > 0 && flow.down.packets > 0 {
            builder.establish(flow.device);
        }
    }
    builder
}

/// A lamp that does as its profile says, and a lock that does not.
fn home(story: Story) -> Story {
    let story = (0..12_u8).fold(story, |story, n| {
        let (name, address) = (format!("{n}.example"), format!("203.0.113.{n}"));
        let story = story.learns(7, LAMP, &name, &address);
        let story = story.opens(7, (LAMP, 50_000 + u16::from(n)), (&address, 443), b"x");
        story.opens(8, (LOCK, 50_000 + u16::from(n)), (&address, 4444), b"x")
    });
    story.opens(8, (LOCK, 50_100), (CLOUD, 443), b"x")
}

/// What is said of a device: the profile of what it does, and what another one does not allow, without times.
fn said(flows: &Flows, limits: MudLimits, number: u8, profile: &MudProfile) -> (String, Vec<String>) {
    let builder = heard(flows, limits);
    let device = flows.device(number);
    let draft = builder.profile(device, &options());
    assert_eq!((builder.dropped_flows(device), builder.dropped_names(device)), (0, 0));
    let report: CheckReport = builder.check(device, profile);
    let denied = report
        .denied
        .iter()
        .map(|it| format!("{:?} {:?} {} {:?}", it.contact, it.names, it.flows, it.reason));
    (draft.profile.to_json(), denied.collect())
}

#[test]
fn names_have_a_cap_and_a_device_keeps_those_of_the_addresses_that_it_talked_to() {
    let learn = |story: Story, n: u16| {
        story.learns(7, LAMP, &format!("{n}.example"), &format!("203.0.{}.{}", n >> 8, n & 255))
    };
    let story = learn(Story::default(), 0).opens(7, (LAMP, 50_000), ("203.0.0.0", 443), b"x");
    let mut flows = (1..1000).fold(story, learn).flows();
    // All of these look-ups are one flow, which ends last.
    flows.flows.sort_by_key(|(flow, _)| flow.peer.port == 53);
    let builder = heard(&flows, FEW);
    let device = flows.device(7);
    let lost = builder.dropped_names(device);
    // Each takes more than 224 bytes, and an eighth of the room may be free.
    assert!((1000 - 32_768 / 224..=1000 - 32_768 / 256 * 7 / 8).contains(&lost), "{lost}");
    let names = builder.profile(device, &options()).profile.to_json();
    assert!(names.contains("\"0.example\""), "{names}");
}

#[test]
fn an_address_has_a_limit_of_names_and_the_latest_are_kept() {
    let learn = |story: Story, n: u32| story.learns(7, LAMP, &format!("{n}.example"), CLOUD);
    let story = (0..80).fold(Story::default(), learn);
    let flows =
        story.opens(7, (LAMP, 50_000), (CLOUD, 443), b"x").learns(8, LOCK, "lock.example", CLOUD).flows();
    let builder = heard(&flows, MudLimits::default());
    assert_eq!((builder.dropped_names(flows.device(7)), builder.dropped_names(flows.device(8))), (16, 0));
    let profile = builder.profile(flows.device(7), &options()).profile.to_json();
    let has = |n: u32| profile.contains(&format!("\"{n}.example\""));
    assert!(has(79) && has(16) && !has(15), "{profile}");
}

#[test]
fn contacts_have_a_cap_and_those_that_were_answered_are_kept() {
    let story = Story::default().opens(7, (LAMP, 50_000), (CLOUD, 443), b"x");
    let scanned = (0..1000).fold(story, |story, n| story.sends(7, (LAMP, 40_000), (CAMERA, 1000 + n), b"x"));
    let flows = scanned.flows();
    let builder = heard(&flows, FEW);
    let device = flows.device(7);
    let (contacts, lost) = (builder.contacts(device), builder.dropped_flows(device));
    assert_eq!(contacts.len() as u64 + lost, 1001);
    assert!((780..870).contains(&lost), "{lost}: each takes some 400 bytes");
    assert!(contacts.keys().any(|contact| contact.server_port == Some(443)), "it is the oldest");
    assert!(contacts.keys().any(|contact| contact.server_port == Some(1999)), "it is the latest");
    assert_eq!(builder.check(device, &written(&scanned)).dropped_flows, lost);
}

#[test]
fn servers_that_one_device_was_told_push_out_none_of_others() {
    let tell = |story: Story, n: u16| {
        let [high, low] = n.to_be_bytes();
        story.receives(9, ("192.168.1.1", 67), (CAMERA, 1000 + n), &dhcp_ack([10, 9, high, low]))
    };
    let before = (0..2500).fold(Story::default(), tell);
    let told = before.receives(7, ("192.168.1.1", 67), (LAMP, 68), &dhcp_ack([192, 168, 1, 53]));
    let asked = told.sends(7, (LAMP, 40_000), ("192.168.1.53", 53), b"x");
    let flows = (2500..5000).fold(asked, tell).flows();
    let builder = heard(&flows, MudLimits::default());
    let profile = builder.profile(flows.device(7), &options()).profile;
    let lost = [9, 7].map(|number| builder.dropped_controllers(flows.device(number)));
    assert!(lost[0] >= 5000 - 4096 && lost[1] == 0, "{lost:?}");
    let is_controller =
        |matches: &serde_json::Value| matches["ietf-mud:mud"]["controller"] == MudProfile::DNS_CONTROLLER;
    assert!(matches(&profile, "from").iter().any(is_controller), "{}", profile.to_json());
}

#[test]
fn flows_from_addresses_beyond_those_that_are_kept_are_counted() {
    let send = |story: Story, (n, port): (u8, u16)| {
        story.sends(7, (&format!("192.168.2.{n}"), port), (CLOUD, 443), b"x")
    };
    let each_twice = (1..=70).flat_map(|n| [(n, 40_000), (n, 40_001)]);
    let flows = each_twice.fold(Story::default(), send).sends(8, (LOCK, 40_000), (CLOUD, 443), b"x").flows();
    let builder = heard(&flows, MudLimits::default());
    let lost = [7, 8].map(|number| builder.dropped_addresses(flows.device(number)));
    // 64 addresses are kept, whichever come first, and both flows of the other six are counted.
    assert_eq!(lost, [12, 0]);
}

#[test]
fn a_scan_of_one_device_leaves_what_is_said_of_others() {
    let profile = written(&home(Story::default()));
    let scan = |story: Story, n: u16| {
        story.sends(9, (CAMERA, 40_000), (&format!("10.9.{}.{}", n >> 8, n & 255), 23), b"x")
    };
    let before = (0..400).fold(Story::default(), scan);
    let flows = (400..800).fold(home(before), scan).flows();
    let alone = home(Story::default()).flows();
    for number in [7, 8] {
        let quiet = said(&alone, FEW, number, &profile);
        assert!(said(&flows, FEW, number, &profile) == quiet, "{number}");
        assert_eq!(quiet.1.is_empty(), number == 7);
    }
    let builder = heard(&flows, FEW);
    let camera: DeviceIndex = flows.device(9);
    assert_eq!(builder.contacts(camera).len() as u64 + builder.dropped_flows(camera), 800);
    assert!(builder.dropped_flows(camera) > 600);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever one device does before, it is lost of that device alone.
    #[test]
    fn a_flood_by_one_device_leaves_the_profiles_of_others(
        flood in prop::collection::vec((0_u8..3, any::<u16>()), 1..400),
        is_behind in any::<bool>(),
    ) {
        let profile = written(&home(Story::default()));
        let step = |story: Story, (kind, n): (u8, u16)| {
            let peer = format!("198.18.{}.{}", n >> 8, n & 255);
            match kind {
                0 => story.sends(9, (CAMERA, 40_000), (&peer, n | 1), b"x"),
                1 => story.opens(9, (CAMERA, 1024 + n / 2), (&peer, 80), b"x"),
                _ => story.learns(9, CAMERA, &format!("{n}.{}.example", "a".repeat(usize::from(n % 60) + 1)), &peer),
            }
        };
        let story = if is_behind {
            flood.into_iter().fold(home(Story::default()), step)
        } else {
            home(flood.into_iter().fold(Story::default(), step))
        };
        let (flows, alone) = (story.flows(), home(Story::default()).flows());
        for number in [7, 8] {
            prop_assert!(said(&flows, FEW, number, &profile) == said(&alone, FEW, number, &profile));
        }
    }
}
