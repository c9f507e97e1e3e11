//! The flows of captures, as `flows` lists them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;
use thingprint_flow::{CaptureWriter, Timestamp};

use crate::stage::Stage;

const DEVICE: [u8; 6] = [2, 0, 0, 0, 0, 1];
const PEER: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// An IPv4 packet: its protocol, source and destination, and what follows.
pub(crate) type Sent = (u8, [[u8; 4]; 2], Vec<u8>);

/// A capture of packets from one device, a second apart.
pub(crate) fn packets(packets: &[Sent]) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    for (at_s, (protocol, [src, dst], body)) in (0..).zip(packets) {
        let length = u16::try_from(20 + body.len()).unwrap().to_be_bytes();
        let mut frame = [PEER, DEVICE].concat();
        frame.extend([0x08, 0x00, 0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, *protocol, 0, 0]);
        frame.extend([*src, *dst].concat());
        frame.extend(body);
        let length = u32::try_from(frame.len()).unwrap();
        writer.write(Timestamp::from_seconds(at_s), &frame, length).unwrap();
    }
    writer.finish().unwrap()
}

/// A TCP segment from port 49152 to port 8081.
fn segment(seq: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut segment = vec![0xc0, 0x00, 0x1f, 0x91];
    segment.extend(seq.to_be_bytes());
    segment.extend([0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    segment
}

fn text<'a>(row: &'a Value, column: &str) -> &'a str {
    row[column].as_str().unwrap()
}

#[test]
fn every_format_holds_the_same_flows_in_the_order_of_their_beginning() {
    let stage = Stage::new();
    stage.ok("simulate --duration 20m -o home.pcap --labels labels.csv");
    let listed = stage.ok("flows home.pcap --labels labels.csv");
    let rows = listed.json_lines();
    assert!(rows.len() > 50, "{}", rows.len());
    let times: Vec<&str> = rows.iter().map(|row| text(row, "ts")).collect();
    assert!(times.iter().map(|time| time.trim_end_matches('Z')).is_sorted());
    let services: BTreeSet<&str> = rows.iter().filter_map(|row| row["service"].as_str()).collect();
    assert!(services.is_superset(&BTreeSet::from(["dns", "ntp", "tls"])), "{services:?}");
    assert!(rows.iter().all(|row| row["label"].is_string() && row["messages"].is_null()));
    assert!(rows.iter().all(|row| row["service"].is_null() == row["standard_port"].is_null()));
    let array = stage.ok("flows home.pcap --labels labels.csv --format json").json();
    assert_eq!(array.as_array(), Some(&rows));
    let csv = stage.ok("flows home.pcap --format csv").stdout;
    assert_eq!(csv.lines().count(), rows.len() + 1);
    assert!(csv.starts_with("ts,id.orig_h,id.orig_p,id.resp_h,id.resp_p,proto,service,"), "{csv}");
    assert_eq!(stage.ok("flows home.pcap --format table").stdout.lines().count(), rows.len() + 1);
    stage.ok("flows home.pcap -o flows.parquet");
    assert!(fs::read(stage.path("flows.parquet")).unwrap().starts_with(b"PAR1"));
    let piped = stage.run_with_stdin("flows - --labels labels.csv --order start", "home.pcap");
    assert_eq!(piped.stdout, listed.stdout, "a stream, read with the gateway as a device");
    let ended = stage.run_with_stdin("flows - --labels labels.csv", "home.pcap").stdout;
    assert_eq!(ended, stage.ok("flows home.pcap --labels labels.csv --order end").stdout);
    let sorted = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(sorted(&ended), sorted(&listed.stdout), "the same rows in another order");
}

#[test]
fn a_flow_looks_like_the_device_that_showed_the_same() {
    let stage = Stage::new();
    stage.ok("simulate --home unsafe --duration 20m -o home.pcap --labels labels.csv");
    stage.ok("audit home.pcap --labels labels.csv --fingerprints-out known.json");
    stage.ok("simulate --home unsafe --duration 20m --seed 2 -o later.pcap");
    let rows = stage.ok("flows later.pcap --labels labels.csv --fingerprints known.json").json_lines();
    let answers: BTreeSet<&str> = rows.iter().filter_map(|row| row["looks_like_answer"].as_str()).collect();
    assert!(answers.contains("known") && answers.contains("unknown"), "{answers:?}");
    for row in &rows {
        let list = |column: &str| row[column].as_array().map_or(0, Vec::len);
        let (named, told) = (list("looks_like"), list("looks_like_by"));
        let is_said = match row["looks_like_answer"].as_str() {
            Some("known") => (named, row["looks_like"][0] == row["label"], told > 0) == (1, true, true),
            Some("resembles") => (named, told > 0) == (1, true),
            Some("tied") => (2..=4).contains(&named) && told > 0,
            Some("unknown") => (named, told, row["looks_like_score"].is_null()) == (0, 0, true),
            answer => answer.is_none() && row["looks_like"].is_null() && row["looks_like_by"].is_null(),
        };
        assert!(is_said, "{row}");
    }
    let hello = rows.iter().find(|row| row["service"] == "tls").unwrap();
    assert!(hello["looks_like_by"][0].as_str().unwrap().starts_with("tls."), "{hello}");
    assert!(hello["messages"].is_null(), "messages are heard, and told with --attributes only");
    let piped = stage
        .run_with_stdin("flows - --labels labels.csv --fingerprints known.json --order start", "later.pcap");
    assert_eq!(piped.json_lines(), rows);
    stage.fails("flows later.pcap --fingerprints labels.csv", 1, &["labels.csv"]);
    stage.fails("flows later.pcap --fingerprints known.json -o known.json", 2, &["would replace an input"]);
}

#[test]
fn attributes_are_messages_with_fingerprints_of_tls_clients() {
    let stage = Stage::new();
    stage.ok("simulate --duration 20m -o home.pcap");
    let rows = stage.ok("flows home.pcap --attributes").json_lines();
    let hello = |row: &&Value| row["messages"][0]["message"] == "client_hello";
    let with_hello: Vec<_> = rows.iter().filter(hello).collect();
    assert!(!with_hello.is_empty());
    for row in with_hello {
        assert_eq!(
            (row["service"].as_str(), row["messages"][0]["sender"].as_str()),
            (Some("tls"), Some("device"))
        );
        assert_eq!(text(row, "ja3").len(), 32);
        assert!(text(row, "ja4").starts_with("t1"), "{row}");
        assert!(text(&row["messages"][0], "time").ends_with('Z'));
    }
    let query = rows.iter().find(|row| row["messages"][0]["message"] == "dns").unwrap();
    assert!(query["messages"][0]["questions"][0]["name"].is_string() && query["ja4"].is_null(), "{query}");
    let csv = stage.ok("flows home.pcap --attributes --format csv").stdout;
    assert!(csv.contains(r#""[{""time"":"#), "messages are JSON in one column");
}

#[test]
fn credentials_are_shown_when_asked_for_only() {
    let stage = Stage::new();
    let request = b"GET / HTTP/1.1\r\nHost: camera\r\nAuthorization: Basic dXNlcjpwYXNz\r\n\r\n";
    let ends = [[192, 168, 1, 10], [192, 168, 1, 11]];
    let story = [(6, ends, segment(0, 0x02, b"")), (6, ends, segment(1, 0x18, request))];
    fs::write(stage.path("a.pcap"), packets(&story)).unwrap();
    let hidden = stage.ok("flows a.pcap --attributes");
    let rows = hidden.json_lines();
    assert_eq!(rows.len(), 2, "two local devices see the flow");
    assert!(rows.iter().all(|row| row["service"] == "http" && row["standard_port"] == false), "{rows:?}");
    assert!(hidden.stdout.contains("\"credential\":\"***\"") && !hidden.stdout.contains("dXNlc"));
    let shown = stage.ok("flows a.pcap --attributes --show-credentials").stdout;
    assert!(shown.contains("dXNlcjpwYXNz") || shown.contains("user:pass"), "{shown}");
    stage.fails("flows a.pcap --show-credentials", 2, &["messages", "--attributes"]);
}

/// Flows of the reference data of the Community ID specification.
#[test]
fn community_ids_are_those_of_other_tools() {
    let stage = Stage::new();
    let udp = vec![0xd5, 0x39, 0, 53, 0, 8, 0, 0];
    let story = [
        (1, [[192, 168, 0, 89], [192, 168, 0, 1]], vec![8, 0, 0, 0]),
        (17, [[192, 168, 1, 52], [8, 8, 8, 8]], udp),
    ];
    fs::write(stage.path("a.pcap"), packets(&story)).unwrap();
    let rows = stage.ok("flows a.pcap --identity ip").json_lines();
    let ids: BTreeSet<(&str, &str)> =
        rows.iter().map(|row| (text(row, "proto"), text(row, "community_id"))).collect();
    let expected = [("icmp", "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="), ("udp", "1:d/FP5EW3wiY1vCndhwleRRKHowQ=")];
    assert_eq!(ids, expected.into());
}

#[test]
fn a_split_has_a_capture_for_each_flow() {
    let stage = Stage::new();
    stage.ok("simulate --duration 10m -o home.pcap");
    let rows = stage.ok("flows home.pcap --split parts").json_lines();
    let mut names: Vec<String> = fs::read_dir(stage.path("parts"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), rows.len());
    assert!(names[0].starts_with("000001-"), "{}", names[0]);
    let tls = rows.iter().position(|row| row["service"] == "tls").unwrap();
    let row = &rows[tls];
    let ends = [text(row, "id.orig_h"), text(row, "id.resp_h")];
    let [client, server] =
        [format!("{}-{}", ends[0], row["id.orig_p"]), format!("{}-{}", ends[1], row["id.resp_p"])];
    assert_eq!(names[tls], format!("{:06}-tcp-{client}-{server}-tls.pcap", tls + 1));
    let count = |rows: &[Value]| -> BTreeMap<String, u64> {
        let mut packets = BTreeMap::new();
        for row in rows {
            let sum = row["orig_pkts"].as_u64().unwrap() + row["resp_pkts"].as_u64().unwrap();
            *packets.entry(text(row, "community_id").to_owned()).or_default() += sum;
        }
        packets
    };
    let gateway = stage.ok("extract home.pcap").stderr;
    let gateway = gateway.split("gateway is ").nth(1).unwrap().get(..17).unwrap().to_owned();
    let again = stage.ok(&format!("flows parts/{} --gateway {gateway}", names[tls])).json_lines();
    assert_eq!(again.len(), 1, "{again:?}");
    let id = text(&again[0], "community_id");
    assert_eq!(count(&again)[id], count(&rows[..])[id], "{}", names[tls]);
    stage.fails("flows home.pcap --split parts", 2, &["--split", "parts", "not empty"]);
    let piped = stage.run_with_stdin("flows - --split other", "home.pcap");
    assert_eq!((piped.status, piped.stdout.as_str()), (2, ""), "{}", piped.stderr);
    assert!(piped.stderr.contains("cannot be read twice") && piped.stderr.contains("--gateway"));
    let piped = stage.run_with_stdin(&format!("flows - --split other --gateway {gateway}"), "home.pcap");
    assert_eq!(piped.status, 0, "{}", piped.stderr);
    assert_eq!(fs::read_dir(stage.path("other")).unwrap().count(), names.len());
}

#[test]
fn a_cut_capture_gives_the_flows_it_has() {
    let stage = Stage::new();
    stage.ok("simulate --duration 10m -o home.pcap");
    let bytes = fs::read(stage.path("home.pcap")).unwrap();
    fs::write(stage.path("cut.pcap"), &bytes[..bytes.len() / 2]).unwrap();
    let cut = stage.run("flows cut.pcap");
    assert_eq!(cut.status, 4, "{}", cut.stderr);
    assert!(!cut.json_lines().is_empty() && cut.stderr.contains("cut.pcap"));
    fs::write(stage.path("notes.txt"), "no capture\n").unwrap();
    stage.fails("flows notes.txt -o flows.csv", 1, &["notes.txt"]);
    stage.fails("flows home.pcap --format csv -o home.pcap", 2, &["replace an input"]);
}

#[test]
fn messages_that_are_not_there_are_counted() {
    let stage = Stage::new();
    let mut query = vec![0xc0, 0, 0, 53, 0, 38, 0, 0];
    query.extend(b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x04lamp\x07example\0\0\x01\0\x01");
    let story = vec![(17, [[192, 168, 1, 10], [198, 51, 100, 7]], query); 1030];
    fs::write(stage.path("a.pcap"), packets(&story)).unwrap();
    let listed = stage.run("flows a.pcap --attributes --identity ip");
    assert_eq!(listed.status, 4, "{}", listed.stderr);
    let row = listed.json_lines().remove(0);
    assert_eq!(row["messages"].as_array().unwrap().len(), 1024);
    assert_eq!(row["messages_dropped"], 6);
    assert!(
        listed.stderr.contains("6 messages were left out (6 of dns of 192.168.1.10)"),
        "{}",
        listed.stderr
    );
    assert!(listed.stderr.contains("1 flow of 1 device\n"), "{}", listed.stderr);
}

#[test]
fn packets_of_no_device_are_told_by_every_command() {
    let stage = Stage::new();
    let udp = vec![0xd5, 0x39, 0, 53, 0, 8, 0, 0];
    let public = (17, [[198, 51, 100, 1], [198, 51, 100, 2]], udp);
    fs::write(stage.path("a.pcap"), packets(&[public.clone(), public])).unwrap();
    for command in ["flows", "devices", "extract"] {
        let said = stage.ok(&format!("{command} a.pcap --identity ip"));
        assert!(
            said.stderr.contains("warning: 2 IP packets belonged to no device: neither"),
            "{}",
            said.stderr
        );
        let by_mac = stage.ok(&format!("{command} a.pcap --gateway 02:00:00:00:00:02"));
        assert!(!by_mac.stderr.contains("belonged to no device"), "{}", by_mac.stderr);
    }
    let mut lonely = fs::read(stage.path("a.pcap")).unwrap();
    // The receiver of the first frame, behind the headers of the file and of the record, becomes everybody.
    lonely[40..46].fill(0xff);
    fs::write(stage.path("b.pcap"), lonely).unwrap();
    for command in ["flows", "devices", "extract"] {
        let said = stage.ok(&format!("{command} b.pcap --gateway 02:00:00:00:00:01"));
        assert!(
            said.stderr.contains("warning: 1 IP packet belonged to no device: the gateway"),
            "{}",
            said.stderr
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_file_is_not_said_to_be_missing() {
    let stage = Stage::new();
    stage.ok("simulate --duration 10m -o home.pcap");
    stage.fails("flows home.pcap -o /proc/x.csv", 1, &["no file can be made in /proc"]);
    stage.fails("flows home.pcap -o gone/x.csv", 1, &["there is no folder gone"]);
}
