//! Rules for firewalls, as `mud export` writes them, and what passes by them.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use thingprint_flow::{CaptureWriter, Timestamp};

use crate::stage::{Frame, Stage, capture};

const FORMATS: [&str; 6] = ["nftables", "iptables", "dnsmasq", "dnsmasq-ipset", "openwrt", "cisco-acl"];
/// A camera, a bulb, a speaker and a hub of the simulated home.
const DEVICES: [&str; 4] = ["osprel-camera", "lumenhaus-bulb", "fernhall-speaker", "lumenhaus-hub"];

fn stage_with_home() -> Stage {
    let stage = Stage::new();
    stage.ok("simulate --duration 2h -o home.pcap --labels labels.csv");
    stage
}

/// Runs a program in a network namespace of its own; the reason where that cannot be done.
fn alone(stage: &Stage, needed: &[&str], words: &[&str]) -> Result<String, String> {
    for program in needed {
        let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
        if !found.is_ok_and(|found| found.status.success()) {
            return Err(format!("there is no {program}"));
        }
    }
    let can = Command::new("unshare").args(["--net", "true"]).status();
    if !can.is_ok_and(|status| status.success()) {
        return Err("no network namespace can be made: are you root?".to_owned());
    }
    let ran = Command::new("unshare").arg("--net").args(words).current_dir(stage.path(".")).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{words:?}: {said}");
    Ok(String::from_utf8(ran.stdout).unwrap())
}

/// Says that a test, or a part of it, is skipped, past the harness, which hides what a passing test prints.
fn skip(what: &str, reason: &str) {
    let _ = writeln!(std::io::stderr(), "skipped {what}: {reason}");
}

/// The MAC address of a label.
fn mac(stage: &Stage, label: &str) -> String {
    let labels = fs::read_to_string(stage.path("labels.csv")).unwrap();
    let row = labels.lines().find(|row| row.split(',').nth(1) == Some(label));
    row.and_then(|row| row.split(',').next()).unwrap().to_owned()
}

#[test]
fn what_a_device_did_passes_its_rules_and_strangers_do_not() {
    let stage = stage_with_home();
    stage.ok("mud export home.pcap --labels labels.csv --to nftables -o home.nft");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mud/replay.py");
    for label in DEVICES {
        let mac = mac(&stage, label);
        let words = ["python3", script.to_str().unwrap(), "home.nft", &mac, "home.pcap"];
        let said = match alone(&stage, &["python3", "nft", "ip", "unshare"], &words) {
            Ok(said) => said,
            Err(reason) => {
                skip("what_a_device_did_passes_its_rules_and_strangers_do_not", &reason);
                return;
            }
        };
        let counts: Value = serde_json::from_str(&said).unwrap();
        let count = |name: &str| counts[name].as_u64().unwrap();
        assert_eq!(count("seen_from") + count("seen_to"), count("sent"), "{label}: {counts}");
        assert!(count("seen_from") > 20 && count("seen_to") > 20, "{label}: {counts}");
        assert_eq!(count("passed_from"), count("seen_from"), "{label}: {counts}");
        assert_eq!(count("passed_to"), count("seen_to"), "{label}: {counts}");
        assert_eq!((count("strangers_seen_from"), count("strangers_seen_to")), (3, 3), "{label}: {counts}");
        assert_eq!(
            (count("strangers_passed_from"), count("strangers_passed_to")),
            (0, 0),
            "{label}: {counts}"
        );
    }
}

#[test]
fn rules_load_where_their_programs_are() {
    let stage = stage_with_home();
    for (format, file) in [("iptables", "home.sh"), ("dnsmasq", "nft.conf"), ("dnsmasq-ipset", "ipset.conf")]
    {
        stage.ok(&format!("mud export home.pcap --to {format} -o {file}"));
    }
    stage.ok("mud export home.pcap --to nftables --family inet -o inet.nft");
    let loads: [(&[&str], &str); 4] = [
        (&["nft"], "nft -f inet.nft && nft -f inet.nft"),
        // A second time the rules are there already.
        (
            &["iptables", "ip6tables", "ipset"],
            "sh home.sh && sh home.sh && iptables -C FORWARD -j THINGPRINT_TO",
        ),
        (&["dnsmasq"], "dnsmasq --test -C nft.conf"),
        (&["dnsmasq"], "dnsmasq --test -C ipset.conf"),
    ];
    for (needed, line) in loads {
        if let Err(reason) = alone(&stage, needed, &["sh", "-c", line]) {
            skip(line, &reason);
        }
    }
}

#[test]
fn the_same_captures_give_the_same_rules() {
    let stage = stage_with_home();
    for format in FORMATS {
        let text = |jobs: &str| stage.ok(&format!("mud export home.pcap --to {format} -q -j {jobs}")).stdout;
        assert_eq!(text("1"), text("2"), "{format}");
    }
}

#[test]
fn profiles_of_files_need_an_owner_or_captures() {
    let stage = stage_with_home();
    stage.ok("audit home.pcap --labels labels.csv --mud-out profiles -q");
    let camera = mac(&stage, "osprel-camera");
    let alone = stage.ok(&format!("mud export --mud {camera}=profiles/osprel-camera.json --to nftables"));
    assert!(alone.stdout.contains(&format!("{camera} : jump from_")), "{}", alone.stdout);
    let by_label = stage
        .ok("mud export --mud osprel-camera=profiles/osprel-camera.json --labels labels.csv --to nftables");
    assert!(by_label.stdout.contains(&format!("{camera} : jump from_osprel_camera")), "{}", by_label.stdout);
    stage.fails(
        "mud export --mud profiles/osprel-camera.json --to nftables",
        2,
        &["whose profile is", "--mud ADDRESS="],
    );
    stage.fails(
        "mud export --mud attic=profiles/osprel-camera.json --to nftables",
        2,
        &["'attic' is no address"],
    );
    let twice = format!(
        "mud export --mud {camera}=profiles/osprel-camera.json --mud {camera}=profiles/lumenhaus-bulb.json --to nftables"
    );
    stage.fails(&twice, 2, &["has two profiles"]);
    // With captures, all files of the folder find their devices, and sets their first addresses.
    let all = stage.ok("mud export home.pcap --labels labels.csv --mud profiles --to nftables -q").stdout;
    let seen = stage.ok("mud export home.pcap --labels labels.csv --to nftables -q").stdout;
    let rules = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    assert_eq!(rules(&all), rules(&seen));
    stage.fails("mud export home.pcap --to pf", 2, &["unknown format 'pf'", "nftables, iptables"]);
    stage.fails(
        "mud export home.pcap --to nftables --device attic",
        2,
        &["label or address 'attic'", "--labels"],
    );
    stage.fails("mud export home.pcap --to nftables --format json", 2, &["--to"]);
    let one = stage.ok(&format!("mud export home.pcap --to nftables --device {camera}")).stdout;
    assert_eq!(one.matches("    chain from_").count(), 1, "{one}");
}

#[test]
fn labels_name_nothing_and_end_nothing_in_rules() {
    let stage = stage_with_home();
    let labels = fs::read_to_string(stage.path("labels.csv")).unwrap();
    let hostile = labels.replace(",osprel-camera,", ",\"a\"\"; flush ruleset; # ' $(reboot) `id` \\\",");
    let harmless = labels.replace(",osprel-camera,", ",a__ flush ruleset_ _ _ _(reboot) _id_ _,");
    assert_ne!(hostile, labels);
    fs::write(stage.path("hostile.csv"), hostile).unwrap();
    fs::write(stage.path("harmless.csv"), harmless).unwrap();
    for format in FORMATS {
        let text = |labels: &str| {
            stage.ok(&format!("mud export home.pcap --labels {labels} --to {format} -q")).stdout
        };
        // Names of lists are made of letters and digits of the label alone.
        assert_eq!(text("hostile.csv"), text("harmless.csv"), "{format}");
    }
}

#[test]
fn a_label_that_nobody_confirmed_names_no_rules() {
    let stage = stage_with_home();
    let labels = fs::read_to_string(stage.path("labels.csv")).unwrap();
    fs::write(stage.path("proposed.csv"), labels.replace(",osprel-camera,", ",? osprel-camera,")).unwrap();
    let rules = stage.ok("mud export home.pcap --labels proposed.csv --to nftables");
    assert!(
        !rules.stdout.contains("osprel-camera") && rules.stdout.contains("lumenhaus"),
        "{:.1000}",
        rules.stdout
    );
    assert!(rules.stderr.contains("1 class that nobody confirmed was left out"), "{}", rules.stderr);
}

#[test]
fn rules_by_addresses_without_a_name_say_so_and_are_counted() {
    let stage = stage_with_home();
    let named = stage.ok("mud export home.pcap --labels labels.csv --to nftables");
    assert!(!named.stderr.contains("no name is known"), "{}", named.stderr);
    let (lamp, router) = ([2, 0, 0, 0, 0, 7], [2, 0, 0, 0, 0, 1]);
    let (own, host) = ([192, 168, 1, 7], [203, 0, 113, 9]);
    let frames = [
        Frame { at_s: 1, from: lamp, to: router, src: own, dst: host },
        Frame { at_s: 2, from: router, to: lamp, src: host, dst: own },
    ];
    fs::write(stage.path("lamp.pcap"), capture(&frames)).unwrap();
    let bare = stage.ok("mud export lamp.pcap --gateway 02:00:00:00:00:01 --to nftables");
    assert_eq!(bare.stdout.matches(": Internet address, no name known").count(), 2, "{}", bare.stdout);
    let expected = "of 2 rules, 2 by an Internet address, of which no name is known: each has a comment";
    assert!(bare.stderr.contains(expected), "{}", bare.stderr);
    for format in ["dnsmasq", "dnsmasq-ipset"] {
        let sets = stage.ok(&format!("mud export lamp.pcap --gateway 02:00:00:00:00:01 --to {format}"));
        assert!(!sets.stdout.contains("no name known"), "{}", sets.stdout);
        let expected = format!("of which no name is known: {format} gets names alone");
        assert!(sets.stderr.contains(&expected), "{}", sets.stderr);
    }
}

#[test]
fn a_gateway_that_is_in_no_packet_is_a_warning_with_those_that_are() {
    let stage = stage_with_home();
    let home = stage.ok("devices home.pcap -o devices.csv");
    let gateway = home.stderr.split_once("the gateway is ").unwrap().1.get(..17).unwrap().to_owned();
    for command in ["devices", "identify", "flows", "audit", "extract", "mud export --to nftables"] {
        let said = stage.run(&format!("{command} home.pcap --gateway 02:ff:ff:00:00:01"));
        for expected in ["02:ff:ff:00:00:01", "is in no packet", &gateway, "give --gateway with this"] {
            assert!(said.stderr.contains(expected), "{command}: no '{expected}' in {}", said.stderr);
        }
        let known = stage.ok(&format!("{command} home.pcap --gateway {gateway}"));
        assert!(!known.stderr.contains("is in no packet"), "{command}: {}", known.stderr);
    }
    let two = stage.ok(&format!("flows home.pcap --gateway {gateway} --gateway 02:ff:ff:00:00:01"));
    assert!(two.stderr.contains("the gateway 02:ff:ff:00:00:01 is in no packet"), "{}", two.stderr);
    stage.fails("flows home.pcap --gateway router", 2, &["--gateway", "12 hexadecimal digits"]);
}

#[test]
fn a_gateway_that_is_a_device_is_a_warning_with_the_one_that_forwards() {
    let stage = stage_with_home();
    let labels = fs::read_to_string(stage.path("labels.csv")).unwrap();
    let device = labels.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    let home = stage.ok("devices home.pcap -o devices.csv");
    let gateway = home.stderr.split_once("the gateway is ").unwrap().1.get(..17).unwrap().to_owned();
    for command in ["devices", "audit", "flows"] {
        let said = stage.run(&format!("{command} home.pcap --gateway {device} -o out.csv")).stderr;
        let expected = format!("{device}, but packets from and to the Internet are forwarded by {gateway}");
        assert!(said.contains(&expected), "{command}: {said}");
        for right in [gateway.clone(), format!("{gateway} --gateway {device}")] {
            let said = stage.run(&format!("{command} home.pcap --gateway {right} -o out.csv")).stderr;
            assert!(!said.contains("are forwarded by"), "{command}: {said}");
        }
    }
}

/// A UDP datagram over IP version 4 and Ethernet.
fn datagram((from, to): ([u8; 6], [u8; 6]), (src, dst): (Side, Side), payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(28 + payload.len()).unwrap();
    let udp = [src.1.to_be_bytes(), dst.1.to_be_bytes(), (length - 20).to_be_bytes(), [0, 0]].concat();
    let head = [&[0x45, 0][..], &length.to_be_bytes(), &[0, 0, 0, 0, 64, 17, 0, 0]].concat();
    [&to[..], &from, &[0x08, 0x00], &head, &src.0, &dst.0, &udp, payload].concat()
}

type Side = ([u8; 4], u16);

/// A DNS message of this name, with these addresses in an answer.
fn dns(name: &str, addresses: &[[u8; 4]]) -> Vec<u8> {
    let count = u16::try_from(addresses.len()).unwrap().to_be_bytes();
    let flags = if addresses.is_empty() { [1, 0] } else { [0x81, 0x80] };
    let labels = name
        .split('.')
        .flat_map(|label| [&[u8::try_from(label.len()).unwrap()][..], label.as_bytes()].concat());
    let question: Vec<u8> = labels.chain([0, 0, 1, 0, 1]).collect();
    let answers = addresses
        .iter()
        .flat_map(|address| [&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4][..], address].concat());
    let head = [&[0, 1][..], &flags, &[0, 1], &count, &[0; 4], &question].concat();
    head.into_iter().chain(answers).collect()
}

#[test]
fn sets_of_thousands_of_addresses_and_addresses_of_several_names_load() {
    const ADDRESSES: u16 = 5000;
    let stage = Stage::new();
    let (router, mut at_s) = ([2, 0, 0, 0, 0, 1], 0);
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    let mut write = |frame: &[u8]| {
        at_s += 1;
        let length = u32::try_from(frame.len()).unwrap();
        writer.write(Timestamp::from_seconds(at_s), frame, length).unwrap();
    };
    let all: Vec<[u8; 4]> = (1..=ADDRESSES)
        .map(|number| [[52, 1], number.to_be_bytes()].concat())
        .map(|octets| octets.try_into().unwrap())
        .collect();
    // Two devices look up two names, which have the same addresses.
    for last in [7, 8] {
        let (lamp, own) = ([2, 0, 0, 0, 0, last], [192, 168, 1, last]);
        for (port, addresses) in (4000..).zip(all.chunks(25)) {
            for (port, name) in [(port, "big.example.com"), (port + 1000, "other.example.com")] {
                let resolver = ([192, 168, 1, 1], 53);
                write(&datagram((lamp, router), ((own, port), resolver), &dns(name, &[])));
                write(&datagram((router, lamp), (resolver, (own, port)), &dns(name, addresses)));
            }
            let host = (addresses[0], 443);
            write(&datagram((lamp, router), ((own, 5000), host), b"hello"));
            write(&datagram((router, lamp), (host, (own, 5000)), b"hello"));
        }
    }
    fs::write(stage.path("big.pcap"), writer.finish().unwrap()).unwrap();
    stage.ok("mud export big.pcap --gateway 02:00:00:00:00:01 --to nftables -o big.nft");
    let rules = fs::read_to_string(stage.path("big.nft")).unwrap();
    let set = |name: &str| rules.split_once(&format!("set tp_{name}_example_com_4 {{")).unwrap().1;
    for name in ["big", "other"] {
        let elements = set(name).split_once("elements = {").unwrap().1.split_once('}').unwrap().0;
        assert_eq!(elements.split(',').count(), usize::from(ADDRESSES), "{name}");
    }
    let line = "nft -f big.nft && nft -f big.nft && nft list set bridge thingprint tp_big_example_com_4";
    match alone(&stage, &["nft"], &["sh", "-c", line]) {
        Ok(listed) => assert_eq!(listed.matches("52.1.").count(), usize::from(ADDRESSES)),
        Err(reason) => skip("loading sets of thousands of addresses", &reason),
    }
}

#[test]
fn of_a_day_of_a_real_home_only_what_nobody_asked_for_does_not_pass() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let (day, labels) = (data.join("lsif/2019-07-02.pcap.gz"), data.join("labels/home.csv"));
    if !day.exists() {
        skip("a day of a real home", "there are no captures of one");
        return;
    }
    let (day, labels) = (day.display(), labels.display());
    let stage = Stage::new();
    stage.ok(&format!("mud export {day} --labels {labels} --to nftables --mud-unanswered -o day.nft -q"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mud/replay.py");
    let rules = fs::read_to_string(stage.path("day.nft")).unwrap();
    let by_mac = rules.lines().find(|line| line.contains("ether saddr vmap")).unwrap();
    let macs: Vec<&str> = by_mac.split([' ', ',']).filter(|word| word.len() == 17).collect();
    assert_eq!(macs.len(), 7, "{by_mac}");
    for mac in macs {
        let words = ["python3", script.to_str().unwrap(), "--show", "day.nft", mac, &day.to_string()];
        let said = match alone(&stage, &["python3", "nft", "ip"], &words) {
            Ok(said) => said,
            Err(reason) => return skip("a day of a real home", &reason),
        };
        let counts: Value = serde_json::from_str(&said).unwrap();
        let dropped = counts["dropped"].as_array().unwrap();
        assert!(dropped.len() <= 3 && counts["sent"].as_u64() > Some(500), "{mac}: {counts}");
        for frame in dropped.iter().map(|frame| frame.as_str().unwrap()) {
            let byte = |at: usize| u8::from_str_radix(&frame[2 * at..2 * at + 2], 16).unwrap();
            let is_from_device = frame[12..24] == mac.replace(':', "");
            // A RST of the device to a connection that was not captured, or UDP of a peer that it had not sent to.
            let is_lone = if is_from_device { byte(23) == 6 && byte(47) & 4 == 4 } else { byte(23) == 17 };
            assert!(is_lone, "{mac}: {frame}");
        }
        assert_eq!(
            (&counts["strangers_passed_from"], &counts["strangers_passed_to"]),
            (&0.into(), &0.into()),
            "{mac}"
        );
    }
}
