//! MUD profiles as stories: what a device does, what is written of that, and what a check says.

mod home;
mod lamp;

use std::collections::BTreeSet;

use home::{Story, dns_response, ntp_request};
use lamp::{CLOUD, LAMP, checked, entry, matches, options, published, written};
use serde_json::{Value, json};
use thingprint_profile::{DenyReason, Direction, Entry, Miss, MudOptions, MudProfile, NameEvidence};

#[test]
fn a_server_is_written_by_the_name_that_the_device_asked_for() {
    let story = Story::default().learns(7, LAMP, "cloud.lamp.example", CLOUD).opens(
        7,
        (LAMP, 50_000),
        (CLOUD, 443),
        b"\x16\x03\x01",
    );
    let profile = written(&story);
    let from = json!({
        "ipv4": { "protocol": 6, "ietf-acldns:dst-dnsname": "cloud.lamp.example" },
        "tcp": {
            "destination-port": { "operator": "eq", "port": 443 },
            "ietf-mud:direction-initiated": "from-device",
        },
    });
    let to = json!({
        "ipv4": { "protocol": 6, "ietf-acldns:src-dnsname": "cloud.lamp.example" },
        "tcp": {
            "source-port": { "operator": "eq", "port": 443 },
            "ietf-mud:direction-initiated": "from-device",
        },
    });
    assert!(matches(&profile, "from").contains(&from));
    assert!(matches(&profile, "to").contains(&to));
}

#[test]
fn names_come_from_own_answers_then_from_others_then_from_the_flow() {
    let request = b"GET / HTTP/1.1\r\nHost: web.example\r\n\r\n";
    let asked = Story::default().opens(7, (LAMP, 50_000), (CLOUD, 80), request);
    let evidence = |story: &Story| {
        let flows = story.flows();
        let draft = flows.builder().profile(flows.device(7), &options());
        let names: BTreeSet<String> = draft.profile.from_device[0]
            .entries
            .iter()
            .filter_map(|entry| entry.network.clone()?.destination_name)
            .collect();
        let evidence = draft.profile.from_device[0].entries.iter().filter_map(|entry| entry.name_evidence);
        (names.into_iter().collect::<Vec<_>>().join(" "), evidence.max())
    };
    let check = |story: &Story, name: &str, expected| {
        assert_eq!(evidence(story), (name.to_owned(), expected));
    };
    check(&asked, "web.example", Some(NameEvidence::HttpHost));
    let others = asked.clone().learns(8, "192.168.1.8", "other.example", CLOUD);
    check(&others, "other.example", Some(NameEvidence::OtherDns));
    let own = others.clone().learns(7, LAMP, "own.example", CLOUD);
    check(&own, "own.example", Some(NameEvidence::OwnDns));
    let two = own.learns(7, LAMP, "second.example", CLOUD);
    check(&two, "own.example second.example", Some(NameEvidence::OwnDns));
    let named = two.learns(7, LAMP, "web.example", CLOUD);
    check(&named, "web.example", Some(NameEvidence::OwnDns));
}

#[test]
fn a_name_that_others_looked_up_is_written_as_such_and_only_where_there_is_no_own_one() {
    let check = |story: &Story, expected: &[(&str, &str)]| {
        let profile = written(story);
        let text = profile.to_json();
        assert_eq!(MudProfile::from_json(&text).unwrap(), profile);
        assert_eq!(profile.extensions.contains(&"thingprint:name-source".to_owned()), !expected.is_empty());
        let document: Value = serde_json::from_str(&text).unwrap();
        let entries = document["ietf-access-control-list:acls"]["acl"][0]["aces"]["ace"].as_array().unwrap();
        let named = entries.iter().filter_map(|entry| {
            Some((
                entry["matches"]["ipv4"]["ietf-acldns:dst-dnsname"].as_str()?,
                entry["thingprint:name-source"].as_str()?,
            ))
        });
        assert_eq!(named.collect::<Vec<_>>(), expected);
    };
    let opened = Story::default().opens(7, (LAMP, 50_000), (CLOUD, 443), b"\x16\x03\x01");
    check(&opened, &[]);
    let others = opened.learns(8, "192.168.1.8", "cdn.example", CLOUD);
    check(&others, &[("cdn.example", "lookup-of-others")]);
    // The lamp asks for a name with an alias that another device asked for as it is: it asked for its own one alone.
    let resolver = ("192.168.1.1", 53);
    let records = [("www.lamp.example", Ok("cdn.example")), ("cdn.example", Err([203, 0, 113, 5]))];
    let answer = dns_response("www.lamp.example", &records);
    let aliased = others.clone().receives(7, resolver, (LAMP, 40_053), &answer);
    check(&aliased, &[("www.lamp.example", "lookup")]);
    // It was told another address of the same name: it knows the name, and not those that it never asked for.
    let elsewhere = others.learns(8, "192.168.1.8", "stranger.example", CLOUD).learns(
        7,
        LAMP,
        "cdn.example",
        "203.0.113.6",
    );
    check(&elsewhere, &[("cdn.example", "lookup")]);
    // An alias that its own answer went through, at another address, is nothing that it asked for.
    let records = [("www.lamp.example", Ok("cdn.example")), ("cdn.example", Err([203, 0, 113, 6]))];
    let answer = dns_response("www.lamp.example", &records);
    let by_alias = Story::default()
        .opens(7, (LAMP, 50_000), (CLOUD, 443), b"\x16\x03\x01")
        .learns(8, "192.168.1.8", "cdn.example", CLOUD)
        .receives(7, resolver, (LAMP, 40_053), &answer);
    check(&by_alias, &[("cdn.example", "lookup-of-others")]);
    let from = json!([{
        "name": "a", "matches": {}, "actions": { "forwarding": "accept" }, "thingprint:name-source": "rumour",
    }]);
    let error = published(&from, &json!([])).unwrap_err();
    assert!(error.contains("lookup-of-others"), "{error}");
}

#[test]
fn what_others_sent_in_vain_is_left_out_and_counted() {
    let story = Story::default().sends(7, (LAMP, 40_000), ("192.168.1.1", 53), b"x").receives(
        7,
        ("198.51.100.9", 40_000),
        (LAMP, 23),
        b"x",
    );
    let flows = story.flows();
    let builder = flows.builder();
    let draft = builder.profile(flows.device(7), &options());
    assert_eq!(draft.unanswered_flows, 1);
    assert_eq!(builder.check(flows.device(7), &draft.profile).denied_flows, 1);
    let all = MudOptions { with_unanswered: true, ..options() };
    let draft = builder.profile(flows.device(7), &all);
    assert_eq!((draft.unanswered_flows, builder.check(flows.device(7), &draft.profile).denied_flows), (0, 0));
}

#[test]
fn a_refusal_is_no_answer() {
    let stranger = ("198.51.100.66", 40_000);
    let scan = [22, 23, 80]
        .into_iter()
        .fold(Story::default(), |story, port| story.refuses(7, stranger, (LAMP, port)));
    let scanned = scan.sends(7, (LAMP, 40_000), ("192.168.1.1", 53), b"x");
    let flows = scanned.flows();
    let builder = flows.builder();
    let draft = builder.profile(flows.device(7), &options());
    assert_eq!(draft.unanswered_flows, 3);
    assert_eq!(matches(&draft.profile, "to").len(), 1, "the answers of the name server alone");
    let report = builder.check(flows.device(7), &draft.profile);
    assert_eq!(report.denied_flows, 3);
    for denied in &report.denied {
        assert_eq!(
            (denied.direction, denied.tally.up_packets, denied.tally.refused_flows),
            (Direction::ToDevice, 0, 1)
        );
    }
    let accepted = scanned.accepts(7, stranger, (LAMP, 8080), b"x").flows();
    let draft = accepted.builder().profile(accepted.device(7), &options());
    assert_eq!((draft.unanswered_flows, matches(&draft.profile, "to").len()), (3, 2));
}

#[test]
fn a_claimed_name_is_weak_evidence_and_none_against_the_devices_own_answer() {
    let name = "cloud.lamp.example";
    let opened = Story::default().opens(
        7,
        (LAMP, 50_000),
        ("198.51.100.66", 80),
        b"GET / HTTP/1.1\r\nHost: cloud.lamp.example\r\n\r\n",
    );
    let from = entry(&json!({ "ipv4": { "ietf-acldns:dst-dnsname": name } }));
    let to = entry(&json!({ "ipv4": { "ietf-acldns:src-dnsname": name } }));
    let profile = published(&json!([from]), &json!([to])).unwrap();
    let report = checked(&opened, &profile);
    assert_eq!((report.denied_flows, report.claimed_flows), (0, 1));
    let used = &report.entries[0];
    assert_eq!((used.flows, used.claimed_flows, used.evidence), (1, 1, Some(NameEvidence::HttpHost)));
    let told = opened.clone().learns(7, LAMP, name, CLOUD);
    let report = checked(&told, &profile);
    let denied: BTreeSet<String> = report.denied.iter().map(|it| it.contact.peer.to_string()).collect();
    assert_eq!((report.denied_flows, report.claimed_flows), (1, 0));
    assert_eq!(denied, BTreeSet::from(["198.51.100.66".to_owned()]));
    let doubts: BTreeSet<String> =
        report.denied.iter().filter_map(|it| it.doubt.as_ref()).map(ToString::to_string).collect();
    let expected = format!("Host says {name}, DNS says otherwise");
    assert_eq!(doubts, BTreeSet::from([expected]));
    let unnamed = Story::default().opens(7, (LAMP, 50_000), ("198.51.100.66", 80), b"no request");
    let doubts: BTreeSet<String> = checked(&unnamed, &profile)
        .denied
        .iter()
        .filter_map(|it| it.doubt.as_ref())
        .map(ToString::to_string)
        .collect();
    assert_eq!(doubts, BTreeSet::from(["no DNS answer in these captures names it".to_owned()]));
    let drafted = matches(&written(&told), "from");
    assert!(drafted.iter().any(|it| it["ipv4"]["destination-ipv4-network"] == "198.51.100.66/32"));
    let proven = opened.learns(7, LAMP, name, "198.51.100.66");
    let report = checked(&proven, &profile);
    assert_eq!((report.denied_flows, report.claimed_flows), (0, 0));
}

#[test]
fn a_list_is_referred_to_once() {
    let profile = written(&Story::default().sends(7, (LAMP, 40_000), ("192.168.1.1", 53), b"x"));
    let mut document: Value = serde_json::from_str(&profile.to_json()).unwrap();
    let path = "/ietf-mud:mud/from-device-policy/access-lists/access-list";
    let references = document.pointer_mut(path).unwrap().as_array_mut().unwrap();
    references.push(references[0].clone());
    let error = MudProfile::from_json(&document.to_string()).unwrap_err().to_string();
    assert_eq!(
        error,
        "ietf-mud:mud.from-device-policy.access-lists.access-list[1].name: a second reference to the access list \
         'lamp-from-ipv4'"
    );
}

#[test]
fn ports_that_are_not_remembered_one_by_one_are_judged_with_a_note() {
    let story = (0..40)
        .fold(Story::default(), |story, n| story.sends(7, (LAMP, 40_000 + n), ("192.168.1.9", 9999), b"x"));
    let check = |ports: Value, action: &str, expected: (u64, usize)| {
        let matches = json!({ "udp": { "source-port": ports } });
        let rule = json!({ "name": "a", "matches": matches, "actions": { "forwarding": action } });
        let all = json!({ "name": "b", "matches": {}, "actions": { "forwarding": "accept" } });
        let entries = if action == "accept" { json!([rule]) } else { json!([rule, all]) };
        let report = checked(&story, &published(&entries, &json!([])).unwrap());
        assert_eq!((report.denied_flows, report.entries[0].assumed.len()), expected, "{rule}");
    };
    check(json!({ "operator": "gte", "port": 40_000 }), "accept", (0, 0));
    check(json!({ "operator": "gte", "port": 40_020 }), "accept", (0, 1));
    check(json!({ "operator": "gte", "port": 50_000 }), "accept", (40, 0));
    check(json!({ "operator": "gte", "port": 40_020 }), "drop", (0, 0));
    check(json!({ "operator": "gte", "port": 40_000 }), "drop", (40, 0));
}

#[test]
fn a_range_of_ports_is_named_as_wider_than_what_was_seen() {
    let widened = |ports: u16| {
        let story = (0..ports).fold(Story::default(), |story, n| {
            story.opens(7, (LAMP, 40_000 + n), ("192.168.1.9", 60_000 + 2 * n), b"x")
        });
        let flows = story.flows();
        flows.builder().profile(flows.device(7), &options()).widened.len()
    };
    assert_eq!((widened(16), widened(17)), (0, 2));
}

#[test]
fn each_port_of_a_client_is_judged_alone() {
    let story = [40_000, 50_000, 60_000]
        .into_iter()
        .fold(Story::default(), |story, port| story.sends(7, (LAMP, port), ("192.168.1.9", 9999), b"x"));
    let rule = |name: &str, ports: Value, action: &str| {
        let matches = json!({ "udp": { "source-port": ports } });
        json!({ "name": name, "matches": matches, "actions": { "forwarding": action } })
    };
    let check = |entries: Value, denied_flows: u64| {
        let report = checked(&story, &published(&entries, &json!([])).unwrap());
        let denied: u64 = report.denied.iter().map(|denied| denied.flows).sum();
        assert_eq!((report.denied_flows, denied), (denied_flows, denied_flows), "{entries}");
    };
    let low = rule("low", json!({ "lower-port": 1024, "upper-port": 49_151 }), "accept");
    let high = rule("high", json!({ "lower-port": 49_152, "upper-port": 65_535 }), "accept");
    check(json!([low, high]), 0);
    check(json!([low]), 2);
    let refused = rule("refused", json!({ "operator": "eq", "port": 50_000 }), "drop");
    let all = rule("all", json!({ "operator": "gte", "port": 0 }), "accept");
    check(json!([refused, all]), 1);
    check(json!([rule("others", json!({ "operator": "neq", "port": 50_000 }), "accept")]), 1);
}

#[test]
fn answers_of_an_own_service_go_by_its_port() {
    let udp = |story: &Story| -> Vec<Value> {
        matches(&written(story), "from").iter().map(|entry| entry["udp"].clone()).collect()
    };
    let answers = |story: Story, count: u16| {
        (0..count).fold(story, |story, n| story.sends(7, (LAMP, 56_830), ("192.168.1.9", 33_000 + n), b"x"))
    };
    let own = [json!({ "source-port": { "operator": "eq", "port": 56_830 } })];
    let asked = Story::default().receives(7, ("192.168.1.9", 50_000), (LAMP, 56_830), b"x");
    assert_eq!(udp(&answers(asked, 1)), own);
    assert_eq!(udp(&answers(Story::default(), 4)), own);
    let first = json!({ "destination-port": { "operator": "eq", "port": 33_000 } });
    assert_eq!(udp(&answers(Story::default(), 3)).first(), Some(&first));
}

#[test]
fn a_piece_of_a_connection_belongs_to_the_server_of_others() {
    // Without a SYN, and with two low ports, the sender of the first packet counts as the client.
    let piece = |story: Story| {
        story.hears(7, (CLOUD, 9999), (LAMP, 1635), b"x").answers(7, (LAMP, 1635), (CLOUD, 9999), b"y")
    };
    let servers = |story: &Story| -> Vec<(Direction, Option<u16>, u64)> {
        let flows = story.flows();
        let contacts = flows.builder().contacts(flows.device(7));
        contacts.iter().map(|(it, tally)| (it.initiated, it.server_port, tally.flows)).collect()
    };
    assert_eq!(servers(&piece(Story::default())), [(Direction::ToDevice, Some(1635), 1)]);
    let whole = Story::default().opens(7, (LAMP, 1700), (CLOUD, 9999), b"x");
    assert_eq!(servers(&piece(whole)), [(Direction::FromDevice, Some(9999), 2)]);
}

#[test]
fn a_pool_of_addresses_is_one_entry_and_is_named() {
    let pool = |count: u8| {
        (0..count).fold(Story::default(), |story, n| {
            story.sends(7, (LAMP, 123), (&format!("203.0.113.{n}"), 123), &ntp_request())
        })
    };
    assert_eq!(matches(&written(&pool(64)), "from").len(), 64);
    let flows = pool(65).flows();
    let draft = flows.builder().profile(flows.device(7), &options());
    let udp = json!({ "destination-port": { "operator": "eq", "port": 123 } });
    assert_eq!(matches(&draft.profile, "from"), [json!({ "ipv4": { "protocol": 17 }, "udp": udp })]);
    assert_eq!(draft.widened.len(), 2);
}

#[test]
fn an_entry_names_the_protocol_that_it_spoke() {
    let story = Story::default().learns(7, LAMP, "cloud.lamp.example", CLOUD).sends(
        7,
        (LAMP, 40_000),
        ("192.168.1.9", 9999),
        b"\0",
    );
    let profile = written(&story);
    assert_eq!(profile.extensions, ["thingprint:protocol"]);
    let spoken: Vec<String> =
        profile.from_device[0].entries.iter().map(|entry| entry.protocols.join(" ")).collect();
    assert_eq!(spoken, ["dns", ""]);
}

#[test]
fn what_a_profile_does_not_allow_is_told_with_the_nearest_entry() {
    let tcp = |port: u16, side: &str| {
        json!({
            "ipv4": { "protocol": 6, "ietf-acldns:dst-dnsname": "cloud.lamp.example" },
            "tcp": { "destination-port": { "operator": "eq", "port": port }, "direction-initiated": side },
        })
    };
    let story = Story::default().learns(7, LAMP, "cloud.lamp.example", CLOUD).opens(
        7,
        (LAMP, 50_000),
        (CLOUD, 443),
        b"\x16\x03\x01",
    );
    let why = |matches: &Value| {
        let profile = published(&json!([entry(matches)]), &json!([])).unwrap();
        let report = checked(&story, &profile);
        let denied = report
            .denied
            .iter()
            .find(|denied| denied.direction == Direction::FromDevice && denied.contact.protocol == 6);
        denied.map(|denied| denied.reason.clone())
    };
    let nearest = |miss| Some(DenyReason::NoEntry { miss, nearest: Some("from/a".to_owned()) });
    assert_eq!(why(&tcp(443, "from-device")), None);
    assert_eq!(why(&tcp(8443, "from-device")), nearest(Miss::Port));
    assert_eq!(why(&tcp(443, "to-device")), nearest(Miss::Initiator));
    assert_eq!(why(&json!({ "ietf-mud:mud": { "local-networks": [null] } })), nearest(Miss::Peer));
    assert_eq!(why(&json!({ "ipv6": { "protocol": 6 } })), nearest(Miss::Protocol));
    assert_eq!(why(&json!({})), None);
    let mut drop = entry(&json!({}));
    drop["actions"]["forwarding"] = "drop".into();
    let profile = published(&json!([drop]), &json!([])).unwrap();
    let reasons: Vec<String> =
        checked(&story, &profile).denied.iter().map(|denied| denied.reason.to_string()).collect();
    assert!(reasons.contains(&"from/a refuses it".to_owned()), "{reasons:?}");
}

#[test]
fn entries_tell_their_use() {
    let entries = json!([
        { "name": "dns", "matches": { "ietf-mud:mud": { "controller": MudProfile::DNS_CONTROLLER } },
          "actions": { "forwarding": "accept" } },
        { "name": "camera", "matches": { "ipv4": { "protocol": 6 } }, "actions": { "forwarding": "accept" } },
        { "name": "eapol", "matches": { "eth": { "ethertype": "0x888e" } },
          "actions": { "forwarding": "accept" } },
    ]);
    let story = Story::default().sends(7, (LAMP, 40_000), ("192.168.1.1", 53), b"x");
    let report = checked(&story, &published(&entries, &json!([])).unwrap());
    let used: Vec<(&str, u64, bool)> =
        report.entries.iter().map(|used| (used.entry.as_str(), used.flows, used.is_checkable)).collect();
    assert_eq!(used, [("dns", 1, true), ("camera", 0, true), ("eapol", 0, false)]);
    assert_eq!(report.unused().map(|used| used.entry.as_str()).collect::<Vec<_>>(), ["camera"]);
    let assumed: Vec<&String> = report.entries[0].assumed.iter().collect();
    assert_eq!(assumed, ["controller urn:ietf:params:mud:dns"]);
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let check = |entries: &Value, expected: &str| {
        assert_eq!(published(entries, &json!([])).unwrap_err(), expected);
    };
    let at = "ietf-access-control-list:access-lists.acl[0].aces.ace[0]";
    let broken = |matches: Value| json!([entry(&matches)]);
    check(
        &broken(json!({ "ipv4": { "protocol": 256 } })),
        &format!("{at}.matches.ipv4.protocol: expected a protocol number, 0 to 255, found 256"),
    );
    check(
        &broken(json!({ "ipv4": { "lamp": 1 } })),
        &format!("{at}.matches.ipv4: 'lamp' is no field that is known here"),
    );
    check(&broken(json!({ "lamp": {} })), &format!("{at}.matches.lamp: no match of this name is known"));
    check(
        &broken(json!({ "tcp": { "source-port": { "lower-port": 9, "upper-port": 8 } } })),
        &format!("{at}.matches.tcp.source-port: the lower port is above the upper port"),
    );
    check(
        &broken(json!({ "tcp": {}, "udp": {} })),
        &format!("{at}.matches.udp: a match has one header of a layer, not two"),
    );
    check(&json!([{ "name": "a" }]), &format!("{at}: 'actions' is missing"));
    let twice = json!([entry(&json!({})), entry(&json!({}))]);
    check(&twice, "ietf-access-control-list:access-lists.acl[0].aces.ace[1]: a second entry 'a'");
    assert_eq!(
        MudProfile::from_json("{}").unwrap_err().to_string(),
        "the document: 'ietf-mud:mud' is missing"
    );
}

#[test]
fn conditions_that_flows_do_not_tell_are_named_and_members_of_others_passed_over() {
    let matches = json!({
        "ipv4": { "protocol": 6, "dscp": 8 },
        "tcp": { "flags": "syn" },
        "lamp:colour": "red",
    });
    let mut other = entry(&matches);
    other["lamp:since"] = "2020".into();
    let profile = published(&json!([other]), &json!([])).unwrap();
    let Entry { unjudged, .. } = &profile.from_device[0].entries[0];
    let unjudged: BTreeSet<&str> = unjudged.iter().map(String::as_str).collect();
    assert_eq!(unjudged, BTreeSet::from(["ipv4.dscp", "tcp.flags", "lamp:colour"]));
}

#[test]
fn an_address_has_the_names_that_lead_to_it_alone() {
    let name = "cloud.lamp.example";
    let response = dns_response(
        name,
        &[
            (name, Ok("edge.example")),
            ("edge.example", Err([203, 0, 113, 5])),
            ("b.attacker.example", Err([198, 51, 100, 66])),
        ],
    );
    let told = Story::default().sends(7, (LAMP, 40_053), ("192.168.1.1", 53), &dns_response(name, &[]));
    let told = told.receives(7, ("192.168.1.1", 53), (LAMP, 40_053), &response);
    let denied = |peer: &str, name: &str| {
        let matches = json!({ "ipv4": { "protocol": 6, "ietf-acldns:dst-dnsname": name } });
        let profile = published(&json!([entry(&matches)]), &json!([])).unwrap();
        let report = checked(&told.clone().opens(7, (LAMP, 50_000), (peer, 4444), b"x"), &profile);
        let mut denied = report.denied.iter().filter(|it| it.direction == Direction::FromDevice);
        denied.any(|it| it.contact.protocol == 6)
    };
    assert!(!denied(CLOUD, name));
    assert!(!denied(CLOUD, "edge.example"));
    assert!(denied("198.51.100.66", name));
    assert!(denied("198.51.100.66", "b.attacker.example"));
}
