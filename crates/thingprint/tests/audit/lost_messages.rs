//! A hello that nobody could read is not clean because the server answered it.

use std::fs;

use thingprint_flow::{CaptureWriter, Timestamp};

use crate::stage::{Said, Stage};

const DEVICE: [u8; 6] = [2, 0, 0, 0, 0, 7];
const SERVER: [u8; 6] = [2, 0, 0, 0, 0, 9];
const PUSH_ACK: u8 = 0x18;
/// Suites of RC4 and 3DES.
const WEAK_SUITES: [u8; 6] = [0, 4, 0, 5, 0, 10];

/// A segment of the device, or of the server, with a place in its stream.
fn segment(is_sent: bool, (at, flags): (u32, u8), data: &[u8]) -> Vec<u8> {
    let (ends, ports) = if is_sent { ([7, 9], [40_000, 443]) } else { ([9, 7], [443_u16, 40_000]) };
    let [src, dst] = ends.map(|host| [192, 168, 1, host]);
    let macs = if is_sent { [SERVER, DEVICE] } else { [DEVICE, SERVER] };
    let length = u16::try_from(40 + data.len()).unwrap().to_be_bytes();
    let mut frame = macs.concat();
    frame.extend([8, 0, 0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, 6, 0, 0]);
    frame.extend([src, dst].concat());
    frame.extend(ports.map(u16::to_be_bytes).concat());
    frame.extend((1000 + at).to_be_bytes());
    frame.extend([0, 0, 0, 0, 0x50, flags, 0x20, 0, 0, 0, 0, 0]);
    frame.extend(data);
    frame
}

/// A handshake message in records of at most 16,000 bytes.
fn records(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let message = [&[kind][..], &length[1..], body].concat();
    let record = |part: &[u8]| {
        let length = u16::try_from(part.len()).unwrap().to_be_bytes();
        [&[0x16, 3, 3][..], &length, part].concat()
    };
    message.chunks(16_000).flat_map(record).collect()
}

/// A `ClientHello` (RFC 5246 §7.4.1.2) that offers weak suites, with the extension of RFC 7685 of so many bytes.
fn hello(padding: u16) -> Vec<u8> {
    let extension = [&[0, 21][..], &padding.to_be_bytes(), &vec![0; usize::from(padding)]].concat();
    let extensions = u16::try_from(extension.len()).unwrap().to_be_bytes();
    records(
        1,
        &[&[3, 3][..], &[b'R'; 32], &[0, 0, 6], &WEAK_SUITES, &[1, 0], &extensions, &extension].concat(),
    )
}

/// Audits a hello that comes in these parts, each with its place, and the server's answer.
fn audit(stage: &Stage, parts: &[(u32, &[u8])], options: &str) -> Said {
    let mut frames = vec![segment(true, (u32::MAX, 2), &[]), segment(false, (u32::MAX, 0x12), &[])];
    frames.extend(parts.iter().map(|(at, part)| segment(true, (*at, PUSH_ACK), part)));
    let answer = records(2, &[&[3, 3][..], &[b'S'; 32], &[0, 0, 10, 0, 0, 0]].concat());
    frames.push(segment(false, (0, PUSH_ACK), &answer));
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    for (millisecond, frame) in (0_i64..).zip(&frames) {
        let time = Timestamp::from_nanos(1_717_372_800_000_000_000 + millisecond * 1_000_000);
        writer.write(time, frame, u32::try_from(frame.len()).unwrap()).unwrap();
    }
    fs::write(stage.path("hello.pcap"), writer.finish().unwrap()).unwrap();
    stage.run(&format!("audit hello.pcap {options}"))
}

fn parts(hello: &[u8], most: usize) -> Vec<(u32, &[u8])> {
    (0..).step_by(most).zip(hello.chunks(most)).collect()
}

/// Whether the suites that the device offers are found, and how many flows of TLS count as judged and as read in part; the
/// flow counts at both ends.
fn outcome(said: &Said) -> (bool, u64, u64) {
    let audit = said.json();
    let tls = &audit["coverage"]["tls"];
    assert_eq!(audit["judgement"]["partly_read"], tls["partly_read"]);
    let count = |name: &str| tls[name].as_u64().unwrap();
    let has_suites = said.stdout.contains("TLS_RSA_WITH_RC4_128_MD5");
    (has_suites, count("judged"), count("partly_read"))
}

#[test]
fn a_flow_that_lost_a_message_is_not_judged_and_every_format_says_so() {
    let stage = Stage::new();
    let (short, long) = (hello(260), hello(17_000));
    let mut reversed = parts(&short, 1);
    reversed.reverse();
    assert!(reversed.len() > 64, "more than may wait");
    let json = "--require-judged 1 --format json";
    let whole = audit(&stage, &parts(&short, 1400), json);
    assert_eq!((outcome(&whole), whole.status), ((true, 2, 0), 0), "{}", whole.stderr);
    for parts in [parts(&long, 1400), reversed] {
        let said = audit(&stage, &parts, json);
        assert_eq!((outcome(&said), said.status), ((false, 0, 2), 3), "{}", said.stderr);
        let told =
            "0 of 2 flows of tls were judged: 2 with a message too long to be read or with bytes missing";
        assert!(said.stderr.contains(told), "{}", said.stderr);
        let why = "too long to be read or with bytes missing";
        for format in ["table", "html"] {
            let said = audit(&stage, &parts, &format!("--format {format}"));
            assert!(said.stdout.contains(why), "{format}: {}", said.stdout);
            assert!(said.stderr.contains(told), "{format}: {}", said.stderr);
        }
        let sarif = audit(&stage, &parts, "--format sarif").json();
        assert_eq!(sarif["runs"][0]["properties"]["coverage"]["tls"]["partly_read"], 2);
        let rows = audit(&stage, &parts, "--format jsonl").json_lines();
        assert!(
            rows.iter().any(|row| row["seen"].as_str().is_some_and(|seen| seen.contains(why))),
            "{rows:?}"
        );
    }
}
