//! Real captures with nDPI's verdicts, where they are at hand: how many flows of each protocol are detected.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use thingprint_flow::{Capture, Trace, TraceOptions};
use thingprint_protocol::{Engine, FlowPacket, Inspection, Sender};

/// A flow by its transport and ends, the lower one first.
type Key = (u8, SocketAddr, SocketAddr);

/// Captures that are broken on purpose.
const FUZZED: &str = "fuzz-2006-06-26-2594.pcap";

/// What nDPI calls the protocols that are compared, and what we do.
const PROTOCOLS: [(&str, &str); 8] = [
    ("TLS", "tls"),
    ("HTTP", "http"),
    ("DNS", "dns"),
    ("NTP", "ntp"),
    ("DHCP", "dhcp"),
    ("SSDP", "ssdp"),
    ("MDNS", "mdns"),
    ("QUIC", "quic"),
];

/// nDPI's verdict on a flow.
#[derive(Debug)]
struct Verdict {
    capture: String,
    key: Key,
    /// The protocol, and the service that it found in it.
    protocol: String,
    confidence: String,
}

fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/protocols");
    let found = folder.is_dir().then_some(folder);
    if found.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: no captures beside the checkout");
    }
    found
}

fn key(protocol: u8, one: SocketAddr, other: SocketAddr) -> Key {
    (protocol, one.min(other), one.max(other))
}

fn verdicts(folder: &Path) -> Vec<Verdict> {
    let text = fs::read_to_string(folder.join("ndpi_flows.tsv")).unwrap();
    let read = |line: &str| -> Option<Verdict> {
        let columns: Vec<&str> = line.split('\t').collect();
        let [capture, transport, one, other, _, protocol, _, confidence] = columns[..] else { return None };
        let number = match transport {
            "TCP" => 6,
            "UDP" => 17,
            _ => return None,
        };
        let key = key(number, one.parse().ok()?, other.parse().ok()?);
        let [capture, protocol, confidence] = [capture, protocol, confidence].map(str::to_owned);
        Some(Verdict { capture, key, protocol, confidence })
    };
    text.lines().skip(1).filter_map(read).collect()
}

/// The services of each flow of a capture.
fn services(path: &Path) -> BTreeMap<Key, BTreeSet<String>> {
    let path = path.to_owned();
    let open = move || Ok(Box::new(File::open(&path)?) as thingprint_flow::ByteStream);
    let mut trace = Trace::new(vec![Capture::new("a capture", open)], TraceOptions::default());
    let engine = Engine::default();
    let mut budget = engine.budget();
    let mut flows: BTreeMap<Key, Inspection> = BTreeMap::new();
    while let Some(packet) = trace.next_packet() {
        let Some(ip) = packet.ip else { continue };
        let end = |address: IpAddr, port: u16| SocketAddr::new(address, port);
        let (from, to) = (end(ip.src, ip.src_port), end(ip.dst, ip.dst_port));
        let sender = if from < to { Sender::Device } else { Sender::Peer };
        let state = flows.entry(key(ip.transport.number(), from, to)).or_default();
        let seen = FlowPacket { packet: &ip, sender, time: Some(packet.time) };
        engine.observe(seen, state, &mut budget, &mut |_| {});
    }
    let mut services = BTreeMap::new();
    for (key, mut state) in flows {
        engine.close(&mut state, &mut budget, &mut |_, _| {});
        let names = engine.services(&state).into_iter().map(str::to_owned).collect();
        services.insert(key, names);
    }
    assert_eq!(budget.used_bytes(), 0);
    services
}

/// Names of nDPI's for what is one of the protocols compared: a kind of use, or what is inside.
const USES: [(&str, &[&str]); 3] = [
    ("http", &["HTTP_Proxy", "HTTP_Connect", "SOAP", "WebSocket", "WebDAV", "MpegDash"]),
    ("tls", &["IMAPS", "POPS", "SMTPS", "FTPS", "DoH_DoT", "ApplePush", "SOCKS", "RDP"]),
    ("quic", &["DoH_DoT"]),
];

/// Flows that nDPI names and we do not, with the cause.
const MISSES: [(&str, &str); 5] = [
    ("6in4tunnel.pcap", "the flow is inside a tunnel"),
    ("4in6tunnel.pcap", "the flow is inside a tunnel"),
    ("dns_invert_query.pcapng", "an inverse query, which RFC 3425 withdrew"),
    ("dlt_ppp.pcap", "the link type PPP is not read"),
    ("fuzz-2006-09-29-28586.pcap", "the first line is damaged"),
];

/// Counts of flows of one protocol.
#[derive(Debug, Default)]
struct Tally {
    both: u32,
    missed: Vec<String>,
    extra: Vec<String>,
}

impl Tally {
    fn count(&mut self, is_theirs: bool, is_ours: bool, verdict: &Verdict) {
        let is_sure = verdict.confidence.starts_with("DPI");
        match (is_theirs, is_ours) {
            (true, true) => self.both += 1,
            (true, false) if is_sure => self.missed.push(verdict.line()),
            (false, true) if is_sure || verdict.protocol == "Unknown" => self.extra.push(verdict.line()),
            _ => {}
        }
    }

    fn share(&self, others: usize) -> f64 {
        f64::from(self.both) / (f64::from(self.both) + f64::from(u32::try_from(others).unwrap())).max(1.0)
    }
}

impl Verdict {
    fn line(&self) -> String {
        format!("{} {:?}: {} ({})", self.capture, self.key, self.protocol, self.confidence)
    }

    /// Whether nDPI says that the flow is of one of our protocols.
    fn is(&self, theirs: &str, ours: &str) -> bool {
        let uses = USES.iter().filter(|(name, _)| *name == ours).flat_map(|(_, uses)| *uses);
        self.protocol == theirs || uses.into_iter().any(|name| *name == self.protocol)
    }
}

fn tallies(folder: &Path) -> BTreeMap<&'static str, Tally> {
    let verdicts = verdicts(folder);
    let captures: BTreeSet<&str> = verdicts.iter().map(|verdict| verdict.capture.as_str()).collect();
    let mut tallies: BTreeMap<&'static str, Tally> = BTreeMap::new();
    for capture in captures.into_iter().filter(|capture| *capture != FUZZED) {
        let services = services(&folder.join(format!("ndpi/{capture}.gz")));
        for verdict in verdicts.iter().filter(|verdict| verdict.capture == capture) {
            let found = services.get(&verdict.key);
            for (theirs, ours) in PROTOCOLS {
                let is_ours = found.is_some_and(|found| found.contains(ours));
                // A use is no miss: nDPI may have known it by its address alone.
                let is_theirs = verdict.protocol == theirs || is_ours && verdict.is(theirs, ours);
                tallies.entry(ours).or_default().count(is_theirs, is_ours, verdict);
            }
        }
    }
    tallies
}

#[test]
fn flows_are_detected_as_ndpi_does() {
    let Some(folder) = folder() else { return };
    for (name, tally) in tallies(&folder) {
        let (recall, precision) = (tally.share(tally.missed.len()), tally.share(tally.extra.len()));
        assert!(recall >= 0.98, "{name}: recall {recall}, missed {:#?}", tally.missed);
        assert!(precision >= 0.995, "{name}: precision {precision}, extra {:#?}", tally.extra);
        let is_known = |line: &&String| MISSES.iter().any(|(capture, _)| line.starts_with(capture));
        let unknown: Vec<&String> = tally.missed.iter().filter(|line| !is_known(line)).collect();
        assert_eq!(unknown, [""; 0], "{name}");
    }
}
