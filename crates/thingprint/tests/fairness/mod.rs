//! Floods in a home, from bytes to results: rows of devices that are neither flooded nor spoofed stay as they were.

use std::fs;
use std::io::Cursor;

use serde_json::Value;
use thingprint_flow::{Capture, CaptureWriter, DeviceId, MacAddr, Timestamp, Trace, TraceOptions};
use thingprint_pipeline::Sharding;

use crate::stage::{Said, Stage};

/// Devices of the simulated home, and its gateway.
const CAMERA: u64 = 0x7c51_0e4a_029c;
const GATEWAY: u64 = 0xa840_7c00_1001;
/// 2024-06-03, when the home's day begins.
const MIDNIGHT_S: i64 = 1_717_372_800;
const HOME: &str =
    "simulate --start 2024-06-03T00:00:00Z --duration 2h --snaplen 400 -o home.pcap --labels labels.csv";
const TCP: u8 = 6;
const UDP: u8 = 17;
const SYN: u8 = 2;
const PUSH_ACK: u8 = 0x18;

/// Made-up addresses in the part of the caps that the camera has. A flood has to be in the part of a device to reach it; who floods
/// a network cannot know which it is, since the first frame of the capture decides.
fn beside_the_camera(stage: &Stage) -> impl Iterator<Item = u64> + use<> {
    let home = fs::read(stage.path("home.pcap")).unwrap();
    let first = Capture::new("home.pcap", move || Ok(Box::new(Cursor::new(home.clone()))));
    let mut trace = Trace::new(vec![first], TraceOptions::default());
    let sharding = Sharding::of_first(&trace.next_frame().unwrap().0);
    let shard_of = move |mac: u64| {
        let [_, _, octets @ ..] = mac.to_be_bytes();
        sharding.shard_of(DeviceId::Mac(MacAddr::new(octets)))
    };
    (0x0200_0000_0000..).filter(move |mac| shard_of(*mac) == shard_of(CAMERA))
}

/// A capture that is written packet by packet, evenly over five minutes in the middle of the first hour.
struct Flood {
    writer: CaptureWriter<Vec<u8>>,
    all: u32,
    written: u32,
}

impl Flood {
    fn of(all: u32) -> Self {
        Self { writer: CaptureWriter::new(Vec::new()).unwrap(), all, written: 0 }
    }

    /// Writes an IPv4 packet from a host to another one that is found behind the gateway.
    fn ip(&mut self, mac: u64, kind: (u8, [u8; 4]), addresses: (u32, u32), body: &[u8]) {
        self.between((mac, GATEWAY), kind, addresses, body);
    }

    /// Writes a datagram of a host to the camera.
    fn reach_camera(&mut self, mac: u64, addresses: (u32, u32), body: &[u8]) {
        self.between((mac, CAMERA), (UDP, [0, 1, 0, 0]), addresses, body);
    }

    fn between(
        &mut self,
        (mac, to): (u64, u64),
        (protocol, fragment): (u8, [u8; 4]),
        (src, dst): (u32, u32),
        body: &[u8],
    ) {
        let length = u16::try_from(20 + body.len()).unwrap().to_be_bytes();
        let mut frame = [&to.to_be_bytes()[2..], &mac.to_be_bytes()[2..], &[8, 0, 0x45, 0]].concat();
        frame.extend(length);
        frame.extend(fragment);
        frame.extend([64, protocol, 0, 0]);
        frame.extend(src.to_be_bytes());
        frame.extend(dst.to_be_bytes());
        frame.extend(body);
        let nanos = 300_000_000_000 / i64::from(self.all) * i64::from(self.written);
        let time = Timestamp::from_seconds(MIDNIGHT_S + 1800).plus_nanos(nanos);
        self.writer.write(time, &frame, u32::try_from(frame.len()).unwrap()).unwrap();
        self.written += 1;
    }

    fn tcp(&mut self, mac: u64, ends: (u32, u32), (seq, flags): (u32, u8), payload: &[u8]) {
        let mut segment = vec![0xc0, 0, 1, 187];
        segment.extend(seq.to_be_bytes());
        segment.extend([0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        segment.extend(payload);
        self.ip(mac, (TCP, [0; 4]), ends, &segment);
    }

    fn udp(&mut self, mac: u64, (port, server): (u16, u16), payload: &[u8]) {
        let length = u16::try_from(8 + payload.len()).unwrap();
        let header = [port.to_be_bytes(), server.to_be_bytes(), length.to_be_bytes(), [0; 2]].concat();
        self.ip(mac, (UDP, [0; 4]), (LOCAL, PEERS), &[&header[..], payload].concat());
    }

    fn finish(self) -> Vec<u8> {
        assert_eq!(self.written, self.all);
        self.writer.finish().unwrap()
    }
}

/// 192.168.20.99, and the first of many addresses outside.
const LOCAL: u32 = 0xc0a8_1463;
const PEERS: u32 = 0x2d00_0000;

/// Connections that are never answered, TLS records that are never completed, names that are asked for, and fragments
/// without the others, all of one device.
fn flood_of_one_device(mac: u64) -> Vec<u8> {
    let (scans, records, queries, fragments) = (30_000, 6_000, 40_000, 20_000);
    let mut flood = Flood::of(scans + 2 * records + queries + fragments);
    for peer in 0..scans {
        flood.tcp(mac, (LOCAL, PEERS + peer), (1, SYN), &[]);
    }
    let mut record = b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03".to_vec();
    record.resize(1000, b'R');
    for peer in 0..records {
        let ends = (LOCAL, PEERS + 100_000 + peer);
        flood.tcp(mac, ends, (1, SYN), &[]);
        flood.tcp(mac, ends, (2, PUSH_ACK), &record);
    }
    for number in 0..queries {
        let mut query = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for _ in 0..3 {
            query.push(60);
            query.extend(format!("{number:060}").bytes());
        }
        query.extend([0, 0, 1, 0, 1]);
        flood.udp(mac, (u16::try_from(1024 + number % 3000).unwrap(), 53), &query);
    }
    for number in 0..fragments {
        let [high, low] = u16::try_from(number).unwrap().to_be_bytes();
        flood.ip(mac, (UDP, [high, low, 0x20, 0]), (LOCAL, PEERS), &[b'F'; 1000]);
    }
    flood.finish()
}

/// The rows of the home's devices, as far as their columns say what was seen.
fn rows_of_home(said: &Said, labels: &str) -> Vec<String> {
    let is_of_home = |row: &Value| row["device"].as_str().is_some_and(|device| labels.contains(device));
    let mut rows: Vec<String> =
        said.json_lines().iter().filter(|row| is_of_home(row)).map(Value::to_string).collect();
    rows.sort_unstable();
    rows
}

/// Checks that commands give the same rows of the home with a flood as without; returns what each said.
fn check_rows(stage: &Stage, commands: &[&str]) -> Vec<Said> {
    let labels = fs::read_to_string(stage.path("labels.csv")).unwrap();
    let check = |command: &&str| {
        let quiet = rows_of_home(&stage.run(&format!("{command} home.pcap")), &labels);
        let flooded = stage.run(&format!("{command} home.pcap flood.pcap"));
        assert!(quiet.len() >= 7, "{command}: {}", quiet.len());
        let beside = rows_of_home(&flooded, &labels);
        let missing: Vec<_> = quiet.iter().filter(|row| !beside.contains(row)).take(3).collect();
        let other: Vec<_> = beside.iter().filter(|row| !quiet.contains(row)).take(3).collect();
        assert_eq!((missing, other), (vec![], vec![]), "{command}: {}", flooded.stderr);
        assert_eq!(beside, quiet, "{command}: rows that come more than once");
        assert_eq!(flooded.status, 4, "{command}: {}", flooded.stderr);
        flooded
    };
    commands.iter().map(check).collect()
}

/// A part lacks the same as one reading, and so does what is merged of it.
fn check_part(stage: &Stage) {
    let part = stage.run("extract --partial home.pcap flood.pcap -o flooded.part");
    let merged = stage.run("merge flooded.part -o merged.csv");
    for Said { status, stderr, .. } in [part, merged] {
        assert_eq!(status, 4, "{stderr}");
        for kind in [" flows", " datagrams"] {
            assert!(stderr.contains("caps were reached") && stderr.contains(kind), "{stderr}");
        }
    }
}

#[test]
fn a_flood_of_one_device_takes_no_rows_of_others_and_is_told() {
    let stage = Stage::new();
    stage.ok(HOME);
    let mac = beside_the_camera(&stage).next().unwrap();
    fs::write(stage.path("flood.pcap"), flood_of_one_device(mac)).unwrap();
    let commands = ["extract", "flows --attributes", "devices --format jsonl", "audit --format jsonl"];
    let said = check_rows(&stage, &commands);
    check_part(&stage);
    let compared = stage.run("compare home.pcap flood.pcap --format jsonl");
    assert_eq!(compared.status, 4, "{}", compared.stderr);
    assert!(compared.stderr.contains("caps were reached"), "{}", compared.stderr);
    let [high, .., a, b, c, d] = mac.to_be_bytes();
    assert_eq!(high, 0);
    let name = format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}: ");
    for (command, Said { stderr, .. }) in commands.iter().zip(&said) {
        let line =
            stderr.lines().find(|line| line.contains(&name)).unwrap_or_else(|| panic!("{command}: {stderr}"));
        for kind in [" flows", " datagrams"] {
            assert!(line.contains(kind), "{command}: {line}");
        }
        assert!(stderr.contains("caps were reached"), "{command}: {stderr}");
    }
    for attributes in [1, 3] {
        assert!(said[attributes].stderr.contains(" streams"), "{}", said[attributes].stderr);
        assert!(said[attributes].stderr.contains(" messages"), "{}", said[attributes].stderr);
    }
    assert!(said[0].stderr.contains("datagrams in fragments were never complete"), "{}", said[0].stderr);
}

#[test]
fn made_up_addresses_take_no_rows_of_devices_that_were_answered_and_are_one_sum() {
    let stage = Stage::new();
    stage.ok(HOME);
    let addresses = 5000;
    let mut flood = Flood::of(addresses);
    for (mac, peer) in beside_the_camera(&stage).zip(0..addresses) {
        flood.tcp(mac, (0x0a00_0000 + peer, PEERS), (1, SYN), &[]);
    }
    fs::write(stage.path("flood.pcap"), flood.finish()).unwrap();
    for Said { stderr, .. } in
        check_rows(&stage, &["extract", "flows", "devices --format jsonl", "audit --format jsonl"])
    {
        let sum = stderr.lines().find(|line| line.contains("addresses that nobody answered"));
        assert!(sum.is_some_and(|line| line.contains(" devices")), "{stderr}");
        assert!(!stderr.contains("further device"), "{stderr}");
    }
}

/// Packets as if a gateway forwarded them through the camera's address: from and for so many servers, so often.
fn forged_of_the_camera(servers: u32, rounds: u32) -> Vec<u8> {
    let mut forged = Flood::of(2 * servers * rounds);
    let datagram = [40_000_u16, 443, 8, 0].map(u16::to_be_bytes).concat();
    for at in 0..servers * rounds {
        let server = 0x3400_0000 + at % servers;
        forged.ip(CAMERA, (UDP, [0, 1, 0, 0]), (server, 0xc0a8_0109), &datagram);
        forged.reach_camera(0x0200_0000_0009, (0xc0a8_0109, server), &datagram);
    }
    forged.writer.finish().unwrap()
}

#[test]
fn forged_packets_hide_no_camera_and_doubtful_gateways_are_told() {
    let stage = Stage::new();
    stage.ok(HOME);
    let camera = |said: &Said| {
        let rows = said.json_lines();
        rows.into_iter().find(|row| row["device"] == "7c:51:0e:4a:02:9c").unwrap()
    };
    let alone = camera(&stage.ok("devices home.pcap --format jsonl"));
    let own = alone["packets_up"].as_u64().unwrap();
    assert!(own > 500, "{own}");
    fs::write(stage.path("forged.pcap"), forged_of_the_camera(16, 1)).unwrap();
    let said = stage.ok("devices home.pcap forged.pcap --format jsonl");
    assert_eq!(camera(&said)["class"], "device", "{}", said.stderr);
    assert!(!said.stderr.contains("is taken for a gateway"), "{}", said.stderr);
    // Half as many as its own are enough, and told.
    let rounds = u32::try_from(own / 2 / 16).unwrap();
    fs::write(stage.path("forged.pcap"), forged_of_the_camera(16, rounds)).unwrap();
    let said = stage.ok("devices home.pcap forged.pcap --format jsonl");
    let row = camera(&said);
    assert_eq!(row["class"], "gateway");
    let told = row["contradictions"][0].as_str().unwrap();
    assert!(told.contains("it forwards packets from and to the Internet, though it sent"), "{told}");
    for command in ["devices", "extract", "audit"] {
        let said = stage.run(&format!("{command} home.pcap forged.pcap --format jsonl"));
        let warning = "warning: 7c:51:0e:4a:02:9c is taken for a gateway, as it forwards";
        assert!(said.stderr.contains(warning), "{command}: {}", said.stderr);
    }
    let audit = stage.ok("audit home.pcap forged.pcap --format json --html audit.html --sarif audit.sarif");
    let doubtful = &audit.json()["doubtful_gateways"];
    assert_eq!(
        (&doubtful[0]["gateway"], &doubtful[0]["reason"]),
        (&"7c:51:0e:4a:02:9c".into(), &"forwards".into())
    );
    assert!(doubtful[0]["own_packets"].as_u64() > doubtful[0]["others_packets"].as_u64(), "{doubtful}");
    let sarif: Value = serde_json::from_str(&fs::read_to_string(stage.path("audit.sarif")).unwrap()).unwrap();
    assert_eq!(&sarif["runs"][0]["properties"]["doubtfulGateways"], doubtful);
    stage.ok("report home.pcap forged.pcap -o report.html");
    for page in ["audit.html", "report.html"] {
        let page = fs::read_to_string(stage.path(page)).unwrap();
        assert!(page.contains("7c:51:0e:4a:02:9c is taken for a gateway, as it forwards"), "{page}");
    }
    let clear = stage.ok("audit home.pcap --format json").json();
    assert_eq!(clear["doubtful_gateways"], Value::Array(Vec::new()));
    let said = stage.ok("devices home.pcap forged.pcap --labels labels.csv --format jsonl");
    assert_eq!(camera(&said)["class"], "device", "a label settles it");
}

/// A DHCP request of the camera with another name, from a host that calls itself a relay.
fn request_in_the_name_of_the_camera() -> Vec<u8> {
    let own = 0xc0a8_1463_u32;
    let mut dhcp = [[1, 1, 6, 1], [0, 0, 0, 77], [0; 4], [0; 4], [0; 4], [0; 4], own.to_be_bytes()].concat();
    dhcp.extend(&CAMERA.to_be_bytes()[2..]);
    dhcp.resize(236, 0);
    dhcp.extend([0x63, 0x82, 0x53, 0x63, 53, 1, 1, 12, 14]);
    dhcp.extend(b"lumenhaus-bulb");
    dhcp.push(255);
    let mut flood = Flood::of(40);
    for _ in 0..40 {
        flood.udp(0x0266_6666_6601, (67, 67), &dhcp);
    }
    flood.finish()
}

#[test]
fn who_calls_itself_a_relay_gives_no_device_another_name() {
    let stage = Stage::new();
    stage.ok(HOME);
    fs::write(stage.path("relay.pcap"), request_in_the_name_of_the_camera()).unwrap();
    let camera = |captures: &str| {
        let rows = stage.ok(&format!("identify {captures} --format jsonl")).json_lines();
        rows.into_iter().filter(|row| row["device"] == "7c:51:0e:4a:02:9c").collect::<Vec<_>>()
    };
    let alone = camera("home.pcap");
    assert!(!alone.is_empty());
    assert_eq!(camera("home.pcap relay.pcap"), alone);
}
