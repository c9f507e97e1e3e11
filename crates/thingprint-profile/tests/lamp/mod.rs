//! A lamp with its cloud, the profile written of it, and the structure that a written profile has to have.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeSet;

use serde_json::{Value, json};
use thingprint_profile::{CheckReport, MudOptions, MudProfile, is_mud_url};

use crate::home::Story;

pub(crate) const LAMP: &str = "192.168.1.7";
pub(crate) const CLOUD: &str = "203.0.113.5";

pub(crate) fn options() -> MudOptions {
    MudOptions::new("Lamp", "https://lamp.example/lamp.json", "2024-05-01T00:00:00Z")
}

pub(crate) fn written(story: &Story) -> MudProfile {
    let flows = story.flows();
    flows.builder().profile(flows.device(7), &options()).profile
}

pub(crate) fn checked(story: &Story, profile: &MudProfile) -> CheckReport {
    let flows = story.flows();
    flows.builder().check(flows.device(7), profile)
}

/// The matches of a policy, as JSON.
pub(crate) fn matches(profile: &MudProfile, direction: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(&profile.to_json()).unwrap();
    let lists = document["ietf-access-control-list:acls"]["acl"].as_array().unwrap();
    let of_direction = lists.iter().filter(|list| list["name"].as_str().unwrap().contains(direction));
    of_direction
        .flat_map(|list| list["aces"]["ace"].as_array().unwrap())
        .map(|entry| entry["matches"].clone())
        .collect()
}

/// A profile with these entries from the device and to it, as a published file has them.
pub(crate) fn published(from: &Value, to: &Value) -> Result<MudProfile, String> {
    let list = |name: &str, entries: &Value| json!({ "name": name, "aces": { "ace": entries } });
    let policy = |name: &str| json!({ "access-lists": { "access-list": [{ "name": name }] } });
    let document = json!({
        "ietf-mud:mud": {
            "mud-version": 1,
            "mud-url": "https://lamp.example/lamp.json",
            "last-update": "2018-09-16T13:53:04.908+10:00",
            "is-supported": true,
            "from-device-policy": policy("from"),
            "to-device-policy": policy("to"),
        },
        "ietf-access-control-list:access-lists": { "acl": [list("from", from), list("to", to)] },
    });
    MudProfile::from_json(&document.to_string()).map_err(|error| error.to_string())
}

pub(crate) fn entry(matches: &Value) -> Value {
    json!({ "name": "a", "matches": matches, "actions": { "forwarding": "accept" } })
}

/// The structure that the modules ietf-mud, ietf-acldns (RFC 8520) and ietf-access-control-list (RFC 8519) ask of a
/// file, as far as written ones use it: no member that a module lacks, each of its type.
pub(crate) fn assert_structure(text: &str) {
    let document: Value = serde_json::from_str(text).unwrap();
    subset(&document, &["ietf-mud:mud", "ietf-access-control-list:acls"]);
    let lists = document["ietf-access-control-list:acls"]["acl"].as_array().unwrap();
    let names: Vec<&str> = lists.iter().map(|list| list["name"].as_str().unwrap()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "the key of a list");
    assert_container(&document["ietf-mud:mud"], &names);
    for list in lists {
        subset(list, &["name", "type", "aces"]);
        subset(&list["aces"], &["ace"]);
        let version = if list["type"] == "ipv6-acl-type" { "ipv6" } else { "ipv4" };
        assert!(["ipv4-acl-type", "ipv6-acl-type"].contains(&list["type"].as_str().unwrap()));
        let entries = list["aces"]["ace"].as_array().unwrap();
        let keys: BTreeSet<&str> = entries.iter().map(|entry| entry["name"].as_str().unwrap()).collect();
        assert_eq!(keys.len(), entries.len(), "the key of an entry");
        for entry in entries {
            assert_entry(entry, version);
        }
    }
}

fn subset(value: &Value, known: &[&str]) {
    let members = value.as_object().unwrap();
    let unknown: Vec<&String> = members.keys().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?} in {value}");
}

fn assert_container(mud: &Value, lists: &[&str]) {
    let known = ["mud-version", "mud-url", "last-update", "cache-validity", "is-supported", "systeminfo"];
    subset(mud, &[&known[..], &["extensions", "from-device-policy", "to-device-policy"]].concat());
    assert_eq!((&mud["mud-version"], mud["is-supported"].is_boolean()), (&1.into(), true));
    assert!(is_mud_url(mud["mud-url"].as_str().unwrap()) && mud["last-update"].is_string());
    assert!((1..=168).contains(&mud["cache-validity"].as_u64().unwrap()));
    assert!(!mud["systeminfo"].as_str().unwrap().contains(char::is_control));
    for policy in ["from-device-policy", "to-device-policy"] {
        subset(&mud[policy], &["access-lists"]);
        for reference in mud[policy]["access-lists"]["access-list"].as_array().unwrap() {
            subset(reference, &["name"]);
            assert!(lists.contains(&reference["name"].as_str().unwrap()));
        }
    }
}

fn assert_entry(entry: &Value, version: &str) {
    subset(entry, &["name", "matches", "actions", "thingprint:protocol", "thingprint:name-source"]);
    assert!((1..=64).contains(&entry["name"].as_str().unwrap().len()));
    assert_eq!(entry["actions"], json!({ "forwarding": "accept" }));
    for protocol in entry["thingprint:protocol"].as_array().into_iter().flatten() {
        assert!((1..=64).contains(&protocol.as_str().unwrap().len()));
    }
    let matches = &entry["matches"];
    subset(matches, &["ietf-mud:mud", version, "tcp", "udp"]);
    assert!(matches["tcp"].is_null() || matches["udp"].is_null(), "one choice of a transport");
    assert_network(&matches[version], version);
    let protocol = &matches[version]["protocol"];
    for (name, number) in [("tcp", 6), ("udp", 17)] {
        assert_eq!(matches[name].is_null(), *protocol != number, "{matches}");
    }
    for (header, is_tcp) in [(&matches["tcp"], true), (&matches["udp"], false)] {
        assert_transport(header, is_tcp);
    }
    if let Some(peers) = matches.get("ietf-mud:mud") {
        subset(peers, &["controller", "local-networks"]);
        assert!(peers.get("controller").is_none_or(Value::is_string));
        assert!(peers.get("local-networks").is_none_or(|empty| *empty == json!([null])));
    }
}

fn assert_network(header: &Value, version: &str) {
    let (source, destination) =
        (format!("source-{version}-network"), format!("destination-{version}-network"));
    let names = ["ietf-acldns:src-dnsname", "ietf-acldns:dst-dnsname"];
    subset(header, &["protocol", &source, &destination, names[0], names[1]]);
    assert!(header["protocol"].as_u64().is_some_and(|number| number < 256));
    for prefix in [&header[&source], &header[&destination]] {
        let is_prefix = |text: &str| {
            let (address, length) = text.split_once('/').unwrap();
            let address: std::net::IpAddr = address.parse().unwrap();
            address.is_ipv6() == (version == "ipv6") && length.parse::<u8>().unwrap() <= 128
        };
        assert!(prefix.is_null() || is_prefix(prefix.as_str().unwrap()), "{prefix}");
    }
    for side in ["source", "destination"] {
        let acldns = if side == "source" { names[0] } else { names[1] };
        let is_both =
            header.get(format!("{side}-{version}-network")).is_some() && header.get(acldns).is_some();
        assert!(!is_both, "{header}");
    }
}

fn assert_transport(header: &Value, is_tcp: bool) {
    if header.is_null() {
        return;
    }
    let initiated = "ietf-mud:direction-initiated";
    let known: &[&str] = if is_tcp { &[initiated] } else { &[] };
    subset(header, &[&["source-port", "destination-port"], known].concat());
    if is_tcp {
        assert!(["from-device", "to-device"].contains(&header[initiated].as_str().unwrap()));
    }
    for port in ["source-port", "destination-port"].into_iter().filter_map(|side| header.get(side)) {
        let number = |name: &str| port[name].as_u64().filter(|number| *number <= 65_535).unwrap();
        if port.get("operator").is_some() {
            subset(port, &["operator", "port"]);
            assert!(port["operator"] == "eq" && number("port") <= 65_535);
        } else {
            subset(port, &["lower-port", "upper-port"]);
            assert!(number("lower-port") <= number("upper-port"));
        }
    }
}
