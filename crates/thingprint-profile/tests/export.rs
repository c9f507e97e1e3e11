//! Rules for firewalls, written from profiles as published files have them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod home;
mod lamp;

use std::collections::{BTreeMap, BTreeSet};

use home::Story;
use lamp::{CLOUD, LAMP, options, published};
use serde_json::{Value, json};
use thingprint_profile::{
    ExportDevice, ExportFormat, ExportNetwork, ExportPlan, Exported, MudOptions, MudProfile, NftFamily,
    NoteKind, RuleTally,
};

const NAME: &str = "cloud.lamp.example";

fn device(name: &str, mac: u8, profile: MudProfile) -> ExportDevice {
    ExportDevice {
        name: name.to_owned(),
        mac: Some(format!("02:00:00:00:00:{mac:02x}").parse().unwrap()),
        addresses: BTreeSet::from([format!("192.168.1.{mac}").parse().unwrap()]),
        profile,
        answers: BTreeMap::from([(NAME.to_owned(), BTreeSet::from([CLOUD.parse().unwrap()]))]),
        claimed: BTreeSet::new(),
        contradicted: BTreeSet::new(),
        widened: BTreeSet::new(),
    }
}

fn lamp(from: &Value, to: &Value) -> ExportDevice {
    device("Lamp", 7, published(from, to).unwrap())
}

fn export(device: ExportDevice, format: ExportFormat) -> Exported {
    ExportPlan::new(vec![device], ExportNetwork::default(), NftFamily::Bridge).write(format)
}

fn accepting(matches: &Value) -> Value {
    json!({ "name": "a", "matches": matches, "actions": { "forwarding": "accept" } })
}

fn https(direction: &str) -> Value {
    let port = json!({ "operator": "eq", "port": 443 });
    match direction {
        "from" => accepting(&json!({
            "ipv4": { "ietf-acldns:dst-dnsname": NAME },
            "tcp": { "destination-port": port, "ietf-mud:direction-initiated": "from-device" },
        })),
        _ => accepting(&json!({
            "ipv4": { "ietf-acldns:src-dnsname": NAME },
            "tcp": { "source-port": port, "ietf-mud:direction-initiated": "from-device" },
        })),
    }
}

/// The lines of a text that come from the entry `a`, without what is set in.
fn lines(text: &str, marks: &[&str]) -> Vec<String> {
    let is_of_entry = |line: &&str| marks.iter().any(|mark| line.contains(mark));
    text.lines().filter(is_of_entry).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn each_entry_becomes_a_rule_of_nftables() {
    let check = |matches: Value, from: bool, expected: &str| {
        let (one, none) = (json!([accepting(&matches)]), json!([]));
        let device = if from { lamp(&one, &none) } else { lamp(&none, &one) };
        let text = export(device, ExportFormat::Nftables).text;
        let about = if expected.contains("203.0.113.") { "a: Internet address, no name known" } else { "a" };
        let expected = [format!("{expected} return comment \"{about}\"")];
        assert_eq!(lines(&text, &["comment \"a\"", "comment \"a: "]), expected, "{text}");
    };
    let udp = |side: &str, port: Value| json!({ "ipv4": {}, "udp": { side: port } });
    let known = json!({ "operator": "eq", "port": 53 });
    let used = "update @peers_lamp_4 { ip daddr . udp dport }";
    check(udp("destination-port", known.clone()), true, &format!("meta protocol ip udp dport 53 {used}"));
    let answers = "meta protocol ip udp sport 53 ip saddr . udp sport @peers_lamp_4";
    check(udp("source-port", known), false, answers);
    let range = json!({ "lower-port": 100, "upper-port": 200 });
    check(udp("destination-port", range), true, &format!("meta protocol ip udp dport 100-200 {used}"));
    let local = json!({ "ietf-mud:mud": { "local-networks": [null] } });
    let with = |mut base: Value, name: &str, value: Value| {
        base[name] = value;
        base
    };
    let tcp =
        |operator: &str, port: u16| json!({ "destination-port": { "operator": operator, "port": port } });
    let v4 = with(local.clone(), "ipv4", json!({ "protocol": 6 }));
    check(with(v4.clone(), "tcp", tcp("neq", 80)), true, "ip daddr @local_4 tcp dport != 80");
    check(with(v4.clone(), "tcp", tcp("lte", 80)), true, "ip daddr @local_4 tcp dport 0-80");
    check(with(v4, "tcp", tcp("gte", 80)), false, "ip saddr @local_4 tcp dport 80-65535");
    let v6 = with(local, "ipv6", json!({ "protocol": 58 }));
    check(v6.clone(), true, "ip6 daddr @local_6 meta l4proto 58");
    check(
        with(v6, "icmp", json!({ "type": 128, "code": 0 })),
        true,
        "ip6 daddr @local_6 icmpv6 type 128 icmpv6 code 0",
    );
    let block = json!({ "ipv4": { "destination-ipv4-network": "203.0.113.0/24", "source-ipv4-network": "192.168.1.7/32" } });
    check(block, true, "ip saddr 192.168.1.7 ip daddr { 203.0.113.0/24 }");
    let any = json!({ "ipv4": { "destination-ipv4-network": "0.0.0.0/0", "protocol": 47 } });
    check(any, true, "meta protocol ip meta l4proto 47");
}

#[test]
fn names_are_sets_that_begin_with_what_was_seen() {
    let text = export(lamp(&json!([https("from")]), &json!([https("to")])), ExportFormat::Nftables).text;
    let set = "tp_cloud_lamp_example_4";
    let used = format!("ip daddr @{set} tcp dport 443 update @{set} {{ ip daddr }} return comment \"a\"");
    // Only the device opens the connection, and what it does not use is forgotten.
    let answers =
        format!("ip saddr @{set} tcp sport 443 tcp flags & (syn | ack) != syn return comment \"a\"");
    assert_eq!(lines(&text, &["comment \"a\""]), [used, answers]);
    let declared = text.split_once(&format!("    set {set} {{\n")).unwrap().1.split_once('}').unwrap().0;
    assert!(
        declared.contains("type ipv4_addr") && declared.contains(&format!("elements = {{ {CLOUD} ")),
        "{declared}"
    );
    let export = |format| export(lamp(&json!([https("from")]), &json!([https("to")])), format).text;
    let dnsmasq = export(ExportFormat::Dnsmasq);
    let nftset = format!("nftset=/{NAME}/4#bridge#thingprint#{set}");
    assert_eq!(lines(&dnsmasq, &["nftset="]).last(), Some(&nftset));
    assert_eq!(lines(&export(ExportFormat::DnsmasqIpset), &["ipset="]), [format!("ipset=/{NAME}/{set}")]);
    let iptables = export(ExportFormat::Iptables);
    assert_eq!(
        lines(&iptables, &[set]),
        [
            format!("create {set} hash:ip family inet maxelem 4096"),
            format!("add {set} {CLOUD}"),
            format!(
                "-A TPF_lamp -m set --match-set {set} dst -p tcp --dport 443 -m comment --comment \"a\" -j RETURN"
            ),
            format!(
                "-A TPT_lamp -m set --match-set {set} src -p tcp --sport 443 ! --syn -m comment --comment \"a\" -j RETURN"
            ),
        ]
    );
    let cisco = export(ExportFormat::CiscoAcl);
    let permits = [
        format!("permit tcp any host {CLOUD} eq 443"),
        format!("permit tcp host {CLOUD} eq 443 any established"),
    ];
    assert_eq!(lines(&cisco, &[CLOUD]), permits);
    let openwrt = export(ExportFormat::Openwrt);
    let of_rule = lines(&openwrt, &["firewall.tp_lamp_0"]);
    let rule = |key: &str, value: &str| format!("set firewall.tp_lamp_0.{key}='{value}'");
    for (key, value) in [
        ("name", "Lamp: a"),
        ("src_mac", "02:00:00:00:00:07"),
        ("dest", "*"),
        ("ipset", set),
        ("dest_port", "443"),
        ("target", "ACCEPT"),
    ] {
        assert!(of_rule.contains(&rule(key, value)), "{key}: {of_rule:#?}");
    }
    assert!(openwrt.contains(&format!("add_list dhcp.{set}.domain='{NAME}'")), "{openwrt}");
    assert!(openwrt.contains(&format!("add_list firewall.{set}.entry='{CLOUD}'")), "{openwrt}");
    let answers: Vec<&str> = openwrt.lines().filter(|line| line.contains("src_port='443'")).collect();
    assert!(answers.is_empty(), "the firewall lets answers pass by itself: {answers:?}");
}

#[test]
fn what_no_rule_can_say_is_listed_and_never_lets_more_pass() {
    let check = |matches: Value, action: &str, expected: (NoteKind, &str), rules: usize| {
        let entry = json!({ "name": "a", "matches": matches, "actions": { "forwarding": action } });
        for format in
            [ExportFormat::Nftables, ExportFormat::Iptables, ExportFormat::CiscoAcl, ExportFormat::Openwrt]
        {
            let exported = export(lamp(&json!([entry]), &json!([])), format);
            let is_noted = |kind: NoteKind, reason: &str| {
                exported.notes.iter().any(|note| {
                    note.kind == kind && note.reason.contains(reason) && note.entry.as_deref() == Some("a")
                })
            };
            assert!(is_noted(expected.0, expected.1), "{format}: {:#?}", exported.notes);
            let comment = format!("Lamp: {}: a: ", expected.0.name());
            assert!(exported.text.contains(&comment), "{format}: {}", exported.text);
            let written = lines(&exported.text, &["comment \"a\"", "remark a", "name='Lamp: a'"]).len();
            assert_eq!(written.min(1), rules, "{format}: {}", exported.text);
        }
    };
    let udp = json!({ "destination-port": { "operator": "eq", "port": 53 } });
    let dscp = json!({ "ipv4": { "dscp": 10 }, "udp": udp });
    check(dscp.clone(), "accept", (NoteKind::LeftOut, "ipv4.dscp"), 0);
    check(dscp, "drop", (NoteKind::Narrowed, "ipv4.dscp"), 1);
    let controller = |class: &str| json!({ "ietf-mud:mud": { "controller": class }, "ipv4": {}, "udp": udp });
    check(
        controller("https://lamp.example/hub"),
        "accept",
        (NoteKind::LeftOut, "https://lamp.example/hub"),
        0,
    );
    check(controller(MudProfile::DNS_CONTROLLER), "accept", (NoteKind::Assumed, "local networks"), 1);
    let mac = json!({ "eth": { "destination-mac-address": "02:00:00:00:00:09" } });
    check(mac, "accept", (NoteKind::LeftOut, "eth.destination"), 0);
    let own = json!({ "ipv4": { "ietf-acldns:src-dnsname": NAME }, "udp": udp });
    check(own, "accept", (NoteKind::LeftOut, "a name of the device itself"), 0);
    let apart = json!({
        "ietf-mud:mud": { "manufacturer": "nobody.example" },
        "ipv4": { "destination-ipv4-network": "203.0.113.0/24" },
    });
    check(apart, "accept", (NoteKind::LeftOut, "no other device of this manufacturer"), 0);
    let wild = json!({ "ipv4": { "ietf-acldns:dst-dnsname": "*.lamp.example" }, "udp": udp });
    check(wild, "accept", (NoteKind::LeftOut, "'*.lamp.example' is no domain name"), 0);
}

#[test]
fn controllers_and_devices_of_a_maker_become_addresses() {
    let of_maker =
        json!([accepting(&json!({ "ietf-mud:mud": { "same-manufacturer": [null] }, "ipv4": {} }))]);
    let hub = device("Hub", 9, published(&json!([]), &json!([])).unwrap());
    let plan =
        ExportPlan::new(vec![lamp(&of_maker, &json!([])), hub], ExportNetwork::default(), NftFamily::Bridge);
    let text = plan.write(ExportFormat::Nftables).text;
    assert_eq!(lines(&text, &["comment \"a\""]), ["ip daddr { 192.168.1.9 } return comment \"a\""]);
    let mut network = ExportNetwork::default();
    network.add_controller(MudProfile::MY_CONTROLLER, "192.168.1.20".parse().unwrap());
    let own = json!([accepting(&json!({ "ietf-mud:mud": { "my-controller": [null] }, "ipv4": {} }))]);
    let text = ExportPlan::new(vec![lamp(&own, &json!([]))], network, NftFamily::Bridge)
        .write(ExportFormat::Nftables)
        .text;
    assert_eq!(lines(&text, &["comment \"a\""]), ["ip daddr { 192.168.1.20 } return comment \"a\""]);
}

#[test]
fn texts_of_a_profile_name_nothing_and_end_nothing() {
    let evil = "a\" drop\nflush ruleset # ' $(reboot) `id` \\ ; {";
    let plain = "a_ drop_flush ruleset _ _ _(reboot) _id_ _ _ _";
    let exported = |entry: &str, label: &str, format| {
        let mut entries = https("from");
        entries["name"] = entry.into();
        let mut lamp = lamp(&json!([entries]), &json!([]));
        lamp.name = label.to_owned();
        lamp.answers.insert(evil.to_owned(), BTreeSet::new());
        export(lamp, format).text
    };
    for format in ExportFormat::ALL {
        assert_eq!(exported(evil, evil, *format), exported(plain, plain, *format), "{format}");
    }
    let named = |name: &str| {
        let entry = accepting(&json!({ "ipv4": { "ietf-acldns:dst-dnsname": name } }));
        lamp(&json!([entry]), &json!([]))
    };
    for format in ExportFormat::ALL {
        let text = export(named("x/4#inet#fw4#lan\naddress=/bank.example/203.0.113.9"), *format).text;
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("bank")).collect();
        assert!(lines.iter().all(|line| line.starts_with(['#', '!'])), "{format}: {lines:?}");
    }
}

/// A camera whose peers each have another address and port, from a port that it picked for the day.
fn camera(peers: u8) -> Story {
    (0..peers).fold(Story::default(), |story, number| {
        let peer = (format!("93.184.216.{number}"), 20_000 + 100 * u16::from(number));
        let own = (LAMP, 40_000 + u16::from(number / 8));
        story.sends(7, own, (&peer.0, peer.1), b"hole").receives(7, (&peer.0, peer.1), own, b"punch")
    })
}

#[test]
fn the_peers_of_a_device_are_one_entry_with_a_bound() {
    let draft = |peers: u8| {
        let flows = camera(peers).flows();
        flows.builder().profile(flows.device(7), &options())
    };
    let few = draft(16);
    assert_eq!((few.profile.from_device[0].entries.len() > 1, few.widened.len()), (true, 0));
    let many = draft(17);
    assert_eq!(many.profile.from_device[0].entries.len(), 1, "{:#?}", many.profile.from_device);
    assert_eq!(many.widened.len(), 2);
    let flows = camera(17).flows();
    let (builder, index) = (flows.builder(), flows.device(7));
    assert_eq!(builder.check(index, &many.profile).denied_flows, 0);
    let id = flows.devices[index.as_usize()];
    let device = builder.export_device(index, (id, "Camera"), many.profile);
    assert_eq!(device.addresses, BTreeSet::from([LAMP.parse().unwrap()]));
    let exported = export(device, ExportFormat::Nftables);
    let ports = "udp sport 1024-65535 udp dport 1024-65535";
    let entries = lines(&exported.text, &[ports]);
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert!(entries[0].contains("update @peers_camera_4 { ip daddr . udp dport } return"), "{entries:?}");
    assert!(entries[1].contains("ip saddr . udp sport @peers_camera_4 return"), "{entries:?}");
    assert!(exported.notes.iter().any(|note| note.kind == NoteKind::Narrowed), "{:?}", exported.notes);
}

#[test]
fn first_addresses_are_those_of_answers_and_of_the_hosts_that_were_named() {
    let story = Story::default()
        .learns(7, LAMP, NAME, CLOUD)
        .learns(9, "192.168.1.9", NAME, "203.0.113.6")
        .opens(7, (LAMP, 50_000), (CLOUD, 443), b"\x16\x03\x01")
        .opens(7, (LAMP, 50_001), ("203.0.113.9", 80), b"GET / HTTP/1.1\r\nHost: old.lamp.example\r\n\r\n");
    let flows = story.flows();
    let (builder, index) = (flows.builder(), flows.device(7));
    let profile = builder
        .profile(index, &MudOptions::new("Lamp", "https://lamp.example/", "2024-05-01T00:00:00Z"))
        .profile;
    let id = flows.devices[index.as_usize()];
    let device = builder.export_device(index, (id, "Lamp"), profile);
    assert_eq!(device.claimed, BTreeSet::from(["old.lamp.example".to_owned()]));
    let answers = device.answers.clone();
    let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<BTreeSet<_>>();
    assert_eq!(answers.get(NAME), Some(&addresses(&[CLOUD, "203.0.113.6"])));
    assert_eq!(answers.get("old.lamp.example"), Some(&addresses(&["203.0.113.9"])));
    let notes = export(device, ExportFormat::Nftables).notes;
    let is_listed =
        |note: &thingprint_profile::ExportNote| note.reason.starts_with("old.lamp.example: no DNS answer");
    assert!(notes.iter().any(is_listed), "{notes:?}");
}

/// A device that calls any address by a name opens no set to it.
#[test]
fn what_a_device_says_of_a_name_opens_nothing_that_dns_does_not() {
    let request = format!("GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n");
    let story = Story::default().learns(9, "192.168.1.9", NAME, CLOUD).opens(
        7,
        (LAMP, 50_000),
        ("203.0.113.66", 80),
        request.as_bytes(),
    );
    let flows = story.flows();
    let (builder, index) = (flows.builder(), flows.device(7));
    let profile = builder.profile(index, &options()).profile;
    let id = flows.devices[index.as_usize()];
    let device = builder.export_device(index, (id, "Lamp"), profile);
    assert_eq!(device.answers, BTreeMap::from([(NAME.to_owned(), BTreeSet::from([CLOUD.parse().unwrap()]))]));
    assert_eq!(device.contradicted, BTreeSet::from([NAME.to_owned()]));
    let exported = export(device, ExportFormat::Nftables);
    assert!(!exported.text.contains("203.0.113.66"), "{}", exported.text);
    assert!(
        exported.notes.iter().any(|note| note.kind == NoteKind::Narrowed && note.reason.starts_with(NAME))
    );
}

#[test]
fn an_address_of_two_devices_is_one_entry() {
    let none = || published(&json!([]), &json!([])).unwrap();
    let with = |name: &str, mac: u8, addresses: &[&str]| ExportDevice {
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        ..device(name, mac, none())
    };
    let devices = vec![
        with("Hub", 9, &["192.168.1.5", "192.168.1.6"]),
        with("Lamp", 7, &["192.168.1.5", "192.168.1.7"]),
    ];
    let exported =
        ExportPlan::new(devices, ExportNetwork::default(), NftFamily::Inet).write(ExportFormat::Nftables);
    assert_eq!(exported.text.matches("192.168.1.5 : jump to_hub").count(), 2, "{}", exported.text);
    assert_eq!(exported.text.matches("192.168.1.5 : jump").count(), 2, "{}", exported.text);
    assert!(exported.text.contains("192.168.1.7 : jump to_lamp"));
    let is_listed =
        |note: &thingprint_profile::ExportNote| note.reason.starts_with("192.168.1.5 was an address of Hub");
    assert!(exported.notes.iter().any(is_listed), "{:?}", exported.notes);
}

#[test]
fn a_set_has_room_for_all_addresses_that_were_seen() {
    let mut lamp = lamp(&json!([https("from")]), &json!([]));
    let address = |number: u32| std::net::Ipv4Addr::from_bits(0xc633_0000 + number).into();
    lamp.answers.insert(NAME.to_owned(), (0..5000).map(address).collect());
    let text = |format| export(lamp.clone(), format).text;
    assert!(text(ExportFormat::Nftables).contains("        size 10000\n"));
    assert!(text(ExportFormat::Iptables).contains("maxelem 10000\n"));
}

/// Nobody knows all addresses of a name: what is to be dropped is dropped whatever the address.
#[test]
fn an_entry_that_drops_a_name_drops_more_and_never_less() {
    let entry = json!({
        "name": "a",
        "matches": { "ipv4": { "ietf-acldns:dst-dnsname": "unseen.example" }, "udp": {} },
        "actions": { "forwarding": "drop" },
    });
    let check = |format, expected: &str| {
        let exported = export(lamp(&json!([entry]), &json!([])), format);
        assert!(exported.text.contains(expected), "{format}: {}", exported.text);
        assert!(exported.notes.iter().any(|note| note.kind == NoteKind::Narrowed), "{:?}", exported.notes);
    };
    check(ExportFormat::Nftables, "meta protocol ip meta l4proto udp counter drop comment \"a\"");
    check(ExportFormat::Iptables, "-A TPF_lamp -p udp -m comment --comment \"a\" -j DROP");
    check(ExportFormat::CiscoAcl, " deny udp any any");
    check(ExportFormat::Openwrt, "set firewall.tp_lamp_0.target='DROP'");
}

/// What others may send to the device, but for one block, by a format that otherwise writes what passes alone.
#[test]
fn openwrt_drops_what_is_sent_to_the_device_before_it_accepts_the_rest() {
    let entry = |name: &str, action: &str, network: Value| {
        json!({
            "name": name,
            "matches": { "ipv4": network, "tcp": { "destination-port": { "operator": "eq", "port": 80 } } },
            "actions": { "forwarding": action },
        })
    };
    let dropped = json!({ "source-ipv4-network": "203.0.113.0/24" });
    let entries = json!([entry("a", "drop", dropped), entry("b", "accept", json!({}))]);
    let text = export(lamp(&json!([]), &entries), ExportFormat::Openwrt).text;
    let place = |line: &str| text.find(line).unwrap();
    let name = text.lines().find_map(|line| line.strip_suffix(".name='Lamp: a'")).unwrap();
    assert!(text.contains(&format!("{name}.target='DROP'")), "{text}");
    assert!(place(".name='Lamp: a'") < place(".name='Lamp: b'"), "{text}");
}

/// That an address lies in the same public network says nothing of who has it.
#[test]
fn of_a_public_network_what_was_seen_is_local() {
    let lamp = "2001:db8:1:2::7";
    let story = Story::default().sends(7, (lamp, 50_000), ("2001:db8:1:2::9", 5000), b"x").receives(
        7,
        ("2001:db8:1:2::9", 5000),
        (lamp, 50_000),
        b"y",
    );
    let flows = story.flows();
    let (builder, index) = (flows.builder(), flows.device(7));
    let profile = builder.profile(index, &options()).profile;
    let id = flows.devices[index.as_usize()];
    let device = builder.export_device(index, (id, "Lamp"), profile);
    let plan = ExportPlan::new(vec![device], builder.export_network(), NftFamily::Bridge);
    let text = plan.write(ExportFormat::Nftables).text;
    let local = text.split_once("set local_6 {").unwrap().1.split_once("}\n").unwrap().0;
    assert!(local.contains("2001:db8:1:2::7, 2001:db8:1:2::9"), "{local}");
    assert!(!local.contains("2001:db8:1:2::/64"), "{local}");
}

#[test]
fn rules_by_less_than_a_name_that_the_device_looked_up_say_so() {
    let named = |source: &str| {
        let mut entry = https("from");
        entry["thingprint:name-source"] = source.into();
        entry
    };
    let block = |network: &str| accepting(&json!({ "ipv4": { "destination-ipv4-network": network } }));
    let drop = json!({ "name": "a", "matches": { "ipv4": { "destination-ipv4-network": "203.0.113.9/32" } },
        "actions": { "forwarding": "drop" } });
    let check = |entry: Value, remark: &str, notes: &[&str]| {
        for format in
            [ExportFormat::Nftables, ExportFormat::Iptables, ExportFormat::Openwrt, ExportFormat::CiscoAcl]
        {
            let exported = export(lamp(&json!([entry]), &json!([])), format);
            let comments = ["a: name", "a: Internet"].iter().filter(|mark| exported.text.contains(**mark));
            assert_eq!(comments.count(), usize::from(!remark.is_empty()), "{format}: {}", exported.text);
            assert!(exported.text.contains(&format!("a{remark}")), "{format}: {}", exported.text);
            let is_name = |note: &&str| note.contains("name") || note.contains("looked up");
            let said: Vec<String> = exported.notes.iter().map(ToString::to_string).collect();
            let said: Vec<&str> = said.iter().map(String::as_str).filter(is_name).collect();
            let expected = |said: &str| notes.iter().any(|note| said.contains(note));
            assert!(said.len() == notes.len() && said.into_iter().all(expected), "{:?}", exported.notes);
        }
    };
    check(https("from"), "", &[]);
    check(named("lookup"), "", &[]);
    let others = "Lamp: assumed: a: by a name that other devices looked up, and this one did not";
    check(named("lookup-of-others"), ": name from the lookup of another device", &[others]);
    check(named("http-host"), ": name that no DNS answer confirms", &[]);
    let bare = "Lamp: assumed: 1 rule goes by an Internet address of which no name is known";
    check(block("203.0.113.9/32"), ": Internet address, no name known", &[bare]);
    check(block("192.168.7.0/24"), "", &[]);
    check(block("239.255.255.250/32"), "", &[]);
    check(block("0.0.0.0/0"), "", &[]);
    check(drop, "", &[]);
    let bare = block("203.0.113.9/32");
    let mut entries = [named("lookup-of-others"), named("http-host"), named("lookup"), bare];
    for (number, entry) in entries.iter_mut().enumerate() {
        entry["name"] = format!("a{number}").into();
    }
    let entries = json!(entries);
    let device = lamp(&entries, &json!([]));
    let tally = ExportPlan::new(vec![device], ExportNetwork::default(), NftFamily::Bridge).tally();
    let expected = RuleTally { rules: 4, by_address: 1, by_lookup_of_others: 1, by_claim: 1 };
    assert_eq!(tally, expected);
}
