//! A profile of a device that did very much is one that can be read back.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod home;
mod lamp;

use home::{Flows, Side, Story};
use lamp::{LAMP, assert_structure, options};
use thingprint_profile::{AccessList, Entry, MudProfile, Width};

const LAMP_V6: &str = "2001:db8::7";

/// A public address for each number below 65,536.
fn peer(number: u32) -> String {
    format!("93.184.{}.{}", number >> 8, number & 255)
}

fn own_port(number: u32) -> u16 {
    u16::try_from(20_000 + number % 40_000).unwrap()
}

/// A lamp that asks so many hosts, each by its name, at the port of its number.
fn asks(peers: u32, port: impl Fn(u32) -> u16) -> Story {
    (0..peers).fold(Story::default(), |story, number| {
        let said = format!("GET / HTTP/1.1\r\nHost: host-{number}.example\r\n\r\n");
        story.opens(7, (LAMP, own_port(number)), (&peer(number), port(number)), said.as_bytes())
    })
}

/// What a profile of a story is written as, after a check that its file is read back and allows the story.
fn width_of(story: &Story) -> Width {
    let flows: Flows = story.flows();
    let (builder, device) = (flows.builder(), flows.device(7));
    let draft = builder.profile(device, &options());
    let text = draft.profile.to_json();
    let read = MudProfile::from_json(&text).unwrap();
    assert_eq!(read, draft.profile);
    assert_structure(&text);
    assert_eq!(builder.check(device, &read).denied_flows, draft.unanswered_flows);
    assert_eq!(draft.widened.is_empty(), draft.width == Width::Seen);
    let lists = draft.profile.from_device.iter().chain(&draft.profile.to_device);
    let mut entries = lists.flat_map(|list| list.entries.iter().map(move |entry| (list, entry)));
    let is_named = |entry: &Entry| entry.name_evidence.is_some();
    let is_wide =
        |list: &AccessList, entry: &Entry| draft.widened.contains(&(list.name.clone(), entry.name.clone()));
    let named = entries.all(|(list, entry)| !(is_named(entry) && is_wide(list, entry)));
    assert!(named, "what goes by a name is not for any address");
    draft.width
}

#[test]
fn few_peers_stay_apart() {
    assert_eq!(width_of(&asks(300, |_| 80)), Width::Seen);
}

#[test]
fn too_many_names_are_any_address() {
    assert_eq!(width_of(&asks(9000, |_| 80)), Width::ManyNames, "by the number of entries");
    assert_eq!(width_of(&asks(7000, |_| 80)), Width::ManyNames, "by the bytes");
}

#[test]
fn too_many_peers_with_ports_of_their_own_are_any_address() {
    let port = |number| u16::try_from(1024 + number).unwrap();
    assert_eq!(width_of(&asks(9000, port)), Width::AnyAddress);
    let groups = (0..17_000_u32).fold(Story::default(), |story, number| {
        let group = format!("239.1.{}.{}", number >> 8, number & 255);
        story.sends(7, (LAMP, 5000), (&group, 5000), b"x")
    });
    assert_eq!(width_of(&groups), Width::AnyAddress);
}

#[test]
fn too_many_ports_are_any_port() {
    let sides =
        [(LAMP, "192.168.1.9"), (LAMP, "93.184.1.1"), (LAMP_V6, "2001:db8::9"), (LAMP_V6, "2001:4860::1")];
    let both = |story: Story, own: &str, other: &str, port: u16| {
        let (client, server): (u16, u16) = (30_000, port);
        let ends: (Side<'_>, Side<'_>) = ((own, client), (other, server));
        let back: (Side<'_>, Side<'_>) = ((other, client), (own, server));
        story.opens(7, ends.0, ends.1, b"x").accepts(7, back.0, back.1, b"x").sends(7, ends.0, ends.1, b"x")
    };
    let story = (1..1024_u16).fold(Story::default(), |story, port| {
        sides.iter().fold(story, |story, (own, other)| both(story, own, other, port))
    });
    assert_eq!(width_of(&story), Width::AnyPort);
}
