//! Real captures, where they are at hand: what is found in them equals what others found.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use thingprint_flow::{Capture, Trace, TraceOptions, Transport};
use thingprint_protocol::{ClientHello, Engine, Inspection, Message, Protocol, Sender};

/// The folder of captures beside the workspace.
fn data() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let found = data.is_dir().then_some(data);
    if found.is_none() {
        skip("captures");
    }
    found
}

/// Says that a test is skipped, past the harness, which hides what a passing test prints.
fn skip(missing: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(std::io::stderr(), "skipped {test}: no {missing} beside the checkout");
}

/// What one packet told.
struct Told {
    /// The lower one of its ports over UDP, where it had a payload.
    udp_port: Option<u16>,
    messages: Vec<Message>,
}

/// Everything that the packets of a capture tell.
fn told(path: &Path) -> Vec<Told> {
    let path = path.to_owned();
    let open = move || Ok(Box::new(File::open(&path)?) as thingprint_flow::ByteStream);
    let mut trace = Trace::new(vec![Capture::new("a capture", open)], TraceOptions::default());
    let engine = Engine::default();
    let mut budget = engine.budget();
    let mut flows = BTreeMap::new();
    let mut told = Vec::new();
    while let Some(packet) = trace.next_packet() {
        let Some(ip) = packet.ip else { continue };
        let (from, to) = ((ip.src, ip.src_port), (ip.dst, ip.dst_port));
        let sender = if from < to { Sender::Device } else { Sender::Peer };
        let key = (from.min(to), from.max(to), ip.transport.number());
        let state: &mut Inspection = flows.entry(key).or_default();
        let mut messages = Vec::new();
        engine.inspect(&ip, sender, state, &mut budget, &mut |message| messages.push(message));
        let is_udp = ip.transport == Transport::Udp && !ip.payload.is_empty();
        told.push(Told { udp_port: is_udp.then_some(ip.src_port.min(ip.dst_port)), messages });
    }
    assert_eq!(trace.problems().len(), 0);
    for state in flows.values_mut() {
        state.close(&mut budget);
    }
    assert_eq!(budget.used_bytes(), 0);
    told
}

/// Suites, extensions, groups and point formats in decimal.
fn fingerprint(hello: &ClientHello) -> String {
    fn joined<T: Display>(numbers: &[T]) -> String {
        numbers.iter().map(T::to_string).collect::<Vec<_>>().join(",")
    }
    [
        joined(&hello.cipher_suites),
        joined(&hello.extensions),
        joined(&hello.groups),
        joined(&hello.point_formats),
    ]
    .join(";")
}

/// The fingerprints that a line of the published list names, whose GREASE stands at the end of each list.
fn published(fingerprints: &str) -> BTreeSet<String> {
    fingerprints.split('\'').skip(1).step_by(2).map(|text| text.replace(",GREASE", "")).collect()
}

#[test]
fn client_hellos_of_devices_equal_the_published_ones() {
    let Some(folder) = data().map(|data| data.join("protocols/iotls")) else { return };
    let lines = fs::read_to_string(folder.join("client_hello_fingerprints.txt")).unwrap();
    for line in lines.lines() {
        let (name, fingerprints) = line.split_once(' ').unwrap();
        let found: BTreeSet<String> = told(&folder.join(format!("{name}.gz")))
            .iter()
            .flat_map(|told| &told.messages)
            .filter_map(|message| match message {
                Message::ClientHello(hello) => Some(fingerprint(hello)),
                _ => None,
            })
            .collect();
        assert_eq!(found, published(fingerprints), "{name}");
    }
}

#[test]
fn name_and_time_services_of_a_home_are_told_by_content() {
    let Some(data) = data() else { return };
    let expected = |port| match port {
        53 => Some(Protocol::Dns),
        5353 => Some(Protocol::Mdns),
        5355 => Some(Protocol::Llmnr),
        1900 => Some(Protocol::Ssdp),
        67 => Some(Protocol::Dhcp),
        123 => Some(Protocol::Ntp),
        _ => None,
    };
    for name in
        ["lsif/2019-06-29.pcap.gz", "hue/2018-10-25.pcap.gz", "unsw/2016-10-11-echo-smartthings.pcap.gz"]
    {
        let mut messages = 0;
        for Told { udp_port, messages: found } in told(&data.join(name)) {
            let Some(port) = udp_port else { continue };
            assert_eq!(found.first().map(Message::protocol), expected(port), "{name}, port {port}");
            messages += found.len();
        }
        assert!(messages > 100, "{name}: {messages} messages");
    }
}
