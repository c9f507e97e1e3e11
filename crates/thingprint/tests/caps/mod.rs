//! What one device says too much, from bytes to results: findings, profiles, names and verdicts of others stay as they were, and
//! what is lost is told by device.

use std::fs;

use serde_json::Value;
use thingprint_flow::{CaptureWriter, Timestamp};

use crate::stage::{Said, Stage};

/// 2024-06-03, when the home's day begins.
const MIDNIGHT_S: i64 = 1_717_372_800;
const HOME: &str =
    "simulate --start 2024-06-03T00:00:00Z --duration 2h --snaplen 400 -o home.pcap --labels labels.csv";
/// The gateway of the home, a device that floods, and one whose findings are looked at.
const GATEWAY: [u8; 6] = [0xa8, 0x40, 0x7c, 0, 0x10, 1];
const GATEWAY_NAME: &str = "a8:40:7c:00:10:01";
const FLOODS: [u8; 6] = [2, 0, 0, 0, 0, 1];
const FLOODS_NAME: &str = "02:00:00:00:00:01";
const CAMERA: &str = "7c:51:0e:4a:02:9c";

/// A frame of the flooding device to a host outside.
fn frame((protocol, peer): (u8, u32), body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + body.len()).unwrap().to_be_bytes();
    let mut frame = [&GATEWAY[..], &FLOODS, &[8, 0, 0x45, 0]].concat();
    frame.extend(length);
    frame.extend([0, 0, 0, 0, 64, protocol, 0, 0, 192, 168, 20, 99]);
    frame.extend(peer.to_be_bytes());
    frame.extend(body);
    frame
}

/// A segment with SYN, or with data.
fn tcp(peer: u32, port: u16, data: &[u8]) -> Vec<u8> {
    let mut segment = [40_000_u16.to_be_bytes(), port.to_be_bytes()].concat();
    segment.extend([
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        0,
        0x50,
        if data.is_empty() { 2 } else { 0x18 },
        0xff,
        0xff,
        0,
        0,
        0,
        0,
    ]);
    segment.extend(data);
    frame((6, peer), &segment)
}

/// A DNS query (RFC 1035 §4.1) from a port.
fn query(port: u16, name: &str) -> Vec<u8> {
    let mut message = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        message.push(u8::try_from(label.len()).unwrap());
        message.extend(label.bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    let length = u16::try_from(8 + message.len()).unwrap().to_be_bytes();
    let header = [port.to_be_bytes(), 53_u16.to_be_bytes(), length, [0; 2]].concat();
    frame((17, 0xc0a8_1401), &[header, message].concat())
}

/// A `ClientHello` (RFC 5246 §7.4.1.2) that offers these suites.
fn hello(suites: &[u16]) -> Vec<u8> {
    let list: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let mut body = vec![3, 3];
    body.extend([b'R'; 32]);
    body.push(0);
    body.extend(u16::try_from(list.len()).unwrap().to_be_bytes());
    body.extend(list);
    body.extend([1, 0]);
    let mut message = vec![1, 0];
    message.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    message.extend(body);
    let mut record = vec![0x16, 3, 1];
    record.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
    record.extend(message);
    record
}

/// A capture of frames, evenly over the second half hour of the home.
fn flood(frames: impl ExactSizeIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    let step_ns = 1_800_000_000_000 / i64::try_from(frames.len()).unwrap();
    let mut time = Timestamp::from_seconds(MIDNIGHT_S + 1800);
    for frame in frames {
        writer.write(time, &frame, u32::try_from(frame.len()).unwrap()).unwrap();
        time = time.plus_nanos(step_ns);
    }
    writer.finish().unwrap()
}

/// The rows of devices other than the one that floods and the gateway, which gets the flood.
fn rows_of_others(said: &Said) -> Vec<String> {
    let rows = said.json_lines();
    let rows = rows.into_iter().filter(|row| row["device"] != FLOODS_NAME && row["device"] != GATEWAY_NAME);
    rows.map(|row| row.to_string()).collect()
}

/// The line that says what the flooding device lost.
fn told(said: &Said) -> &str {
    let line = said.stderr.lines().find(|line| line.contains(&format!("{FLOODS_NAME}: ")));
    assert!(said.stderr.contains("caps were reached"), "{}", said.stderr);
    line.unwrap_or_else(|| panic!("{}", said.stderr))
}

fn count(rows: &[String], text: &str) -> usize {
    rows.iter().filter(|row| row.contains(text)).count()
}

#[test]
fn a_scan_takes_no_contacts_of_others() {
    let stage = Stage::new();
    stage.ok(HOME);
    stage.ok("audit home.pcap --labels labels.csv --mud-out mud -q");
    // Hardly anything that the camera does is allowed to the bulb.
    let audit = format!("audit --mud {CAMERA}=mud/lumenhaus-bulb.json --format");
    let quiet = rows_of_others(&stage.ok(&format!("{audit} jsonl home.pcap")));
    assert!(count(&quiet, "MUD-001") > 3, "{quiet:?}");
    let scan = flood((0..200_000).map(|peer| tcp(0x2d00_0000 + peer, 80, &[])));
    fs::write(stage.path("flood.pcap"), scan).unwrap();
    let flooded = stage.run(&format!("{audit} jsonl home.pcap flood.pcap"));
    assert_eq!(flooded.status, 4, "{}", flooded.stderr);
    assert!(rows_of_others(&flooded) == quiet, "{}", flooded.stderr);
    assert!(told(&flooded).contains(" mud flows"), "{}", flooded.stderr);
    let fails = stage.run(&format!("{audit} jsonl home.pcap flood.pcap --fail-on warning"));
    assert_eq!(fails.status, 3, "findings count before what is lost: {}", fails.stderr);
}

#[test]
fn hellos_of_one_device_take_no_findings_of_others_and_every_format_tells_what_is_lost() {
    let stage = Stage::new();
    stage.ok(HOME);
    let quiet = rows_of_others(&stage.ok("audit home.pcap --format jsonl"));
    assert!(!quiet.is_empty());
    // 20,000 hellos with 64 suites each: some weak ones of those that are known, and values that nobody knows.
    let hellos = (0..20_000_u32).map(|at| {
        let suites: Vec<u16> = (0..64).map(|nth| u16::try_from((at * 64 + nth) % 0xfff0).unwrap()).collect();
        tcp(0x2d00_0000 + at, 443, &hello(&suites))
    });
    fs::write(stage.path("flood.pcap"), flood(hellos)).unwrap();
    let flooded = stage.run("audit home.pcap flood.pcap --format jsonl --html page.html --sarif log.sarif");
    assert_eq!(flooded.status, 4, "{}", flooded.stderr);
    assert!(rows_of_others(&flooded) == quiet, "{}", flooded.stderr);
    let line = told(&flooded);
    assert!(line.contains(" findings"), "{line}");
    let log: Value = serde_json::from_str(&fs::read_to_string(stage.path("log.sarif")).unwrap()).unwrap();
    let json = stage.run("audit home.pcap flood.pcap --format json").json();
    for left_out in [&json["left_out"], &log["runs"][0]["properties"]["leftOut"]] {
        let device = &left_out["devices"][0];
        assert_eq!((&device["device"], &device["label"]), (&FLOODS_NAME.into(), &Value::Null));
        assert!(device["left_out"]["findings"].as_u64() > Some(1000), "{left_out}");
    }
    let page = fs::read_to_string(stage.path("page.html")).unwrap();
    assert!(page.contains(&format!("{FLOODS_NAME}: left out ")), "the page names who lost something");
}

#[test]
fn names_of_one_device_take_none_of_others_in_the_list_of_devices() {
    let stage = Stage::new();
    stage.ok(HOME);
    let quiet = rows_of_others(&stage.ok("devices home.pcap --format jsonl"));
    assert!(quiet.len() > 6, "{quiet:?}");
    let queries = (0..20_000_u16).map(|number| query(1024 + number, &format!("{number:060}.{number:060}")));
    fs::write(stage.path("flood.pcap"), flood(queries)).unwrap();
    let flooded = stage.run("devices home.pcap flood.pcap --format jsonl");
    assert_eq!(flooded.status, 4, "{}", flooded.stderr);
    assert!(rows_of_others(&flooded) == quiet, "{}", flooded.stderr);
    assert!(told(&flooded).contains(" names"), "{}", flooded.stderr);
    let table = stage.run("devices home.pcap flood.pcap");
    assert_eq!((table.status, told(&table).contains(" names")), (4, true));
}

#[test]
fn words_of_one_device_take_none_of_others_and_their_verdicts_stay() {
    let stage = Stage::new();
    stage.ok(HOME);
    stage.ok("extract home.pcap --labels labels.csv -o home.parquet -q");
    stage.ok("train home.parquet -o model.tp -q");
    let quiet = rows_of_others(&stage.ok("classify home.pcap --model model.tp --format jsonl"));
    assert!(quiet.len() > 6, "{quiet:?}");
    let queries = (0..30_000_u16).map(|number| query(1024 + number, &format!("{number:060}.{number:060}")));
    fs::write(stage.path("flood.pcap"), flood(queries)).unwrap();
    let flooded = stage.run("classify home.pcap flood.pcap --model model.tp --format jsonl");
    assert_eq!(flooded.status, 4, "{}", flooded.stderr);
    assert!(rows_of_others(&flooded) == quiet, "{}", flooded.stderr);
    assert!(told(&flooded).contains(" words"), "{}", flooded.stderr);
    for command in ["report home.pcap flood.pcap -o page.html", "compare home.pcap flood.pcap --no-audit"] {
        let said = stage.run(command);
        assert_eq!((said.status, told(&said).contains(" words")), (4, true), "{command}: {}", said.stderr);
    }
    let page = fs::read_to_string(stage.path("page.html")).unwrap();
    let (_, losses) = page.split_once("Left out because it was more than is kept").unwrap();
    assert!(losses.contains(FLOODS_NAME) && losses.contains(" words"), "{losses:.600}");
}
