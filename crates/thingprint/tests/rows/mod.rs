//! Rows that leave while captures are read, parts that are extracted apart, and gateways that the user names.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use thingprint_flow::{Capture, CaptureWriter, Timestamp, Trace, TraceOptions};

use crate::stage::Stage;

/// The start of the simulated home, on the hour.
const START_S: i64 = 1_717_372_800;

fn gateway() -> String {
    thingprint_sim::home().unwrap().network.gateway.to_string()
}

/// Cuts a capture before each frame that `is_cut` says so of; gives the names of the pieces.
fn cut(stage: &Stage, name: &str, mut is_cut: impl FnMut(u64, Timestamp) -> bool) -> Vec<String> {
    let path = stage.path(name);
    let open = move || Ok(Box::new(File::open(&path)?) as _);
    let mut trace = Trace::new(vec![Capture::new(name, open)], TraceOptions::default());
    let mut pieces = Vec::new();
    let mut writer: Option<CaptureWriter<File>> = None;
    let mut number = 0;
    while let Some((frame, _)) = trace.next_frame() {
        if writer.is_none() || is_cut(number, frame.time) {
            pieces.push(format!("piece-{}", pieces.len()));
            let file = File::create(stage.path(&format!("{}.pcap", pieces[pieces.len() - 1]))).unwrap();
            writer = Some(CaptureWriter::new(file).unwrap());
        }
        writer.as_mut().unwrap().write(frame.time, frame.bytes, frame.wire_bytes).unwrap();
        number += 1;
    }
    pieces
}

/// Extracts each piece apart; gives the names of the parts.
fn parts(stage: &Stage, pieces: &[String]) -> Vec<String> {
    for piece in pieces {
        stage.ok(&format!("extract --partial {piece}.pcap -o {piece}.part"));
    }
    pieces.iter().map(|piece| format!("{piece}.part")).collect()
}

#[test]
fn parts_that_meet_at_the_edge_of_a_window_give_the_rows_of_one_reading() {
    let stage = Stage::new();
    stage.ok("simulate --duration 6h -o home.pcap --labels labels.csv");
    let edge = Timestamp::from_seconds(START_S + 3 * 3600);
    let mut is_behind = false;
    let pieces = cut(&stage, "home.pcap", |_, time| time >= edge && !std::mem::replace(&mut is_behind, true));
    assert_eq!(pieces.len(), 2);
    stage.ok("extract home.pcap --labels labels.csv -o whole.csv");
    parts(&stage, &pieces);
    fs::copy(stage.path("piece-0.part"), stage.path("again.part")).unwrap();
    let whole = fs::read_to_string(stage.path("whole.csv")).unwrap();
    assert!(whole.lines().count() > 40);
    for order in
        ["piece-0.part piece-1.part", "piece-1.part piece-0.part", "piece-0.part piece-1.part again.part"]
    {
        let said = stage.ok(&format!("merge {order} --labels labels.csv --format csv"));
        assert_eq!(said.stdout, whole, "{order}");
        assert!(said.stderr.contains(&format!("the gateway is {}", gateway())), "{}", said.stderr);
        assert!(!said.stderr.contains("warning"), "{}", said.stderr);
    }
}

#[test]
fn parts_that_meet_between_any_frames_give_the_rows_of_one_reading() {
    let stage = Stage::new();
    stage.ok("simulate --duration 2h -o home.pcap");
    // Two frames make a part that is shorter than any flow.
    let cuts = [1_000, 2_500, 2_502, 4_321];
    let pieces = cut(&stage, "home.pcap", |number, _| cuts.contains(&number));
    assert_eq!(pieces.len(), 5);
    let mut parts = parts(&stage, &pieces);
    fs::copy(stage.path(&parts[2]), stage.path("again.part")).unwrap();
    parts.push("again.part".to_owned());
    parts.reverse();
    for format in ["csv", "jsonl"] {
        let whole = stage.ok(&format!("extract home.pcap --format {format}"));
        let merged = stage.ok(&format!("merge {} --format {format}", parts.join(" ")));
        assert_eq!(merged.stdout, whole.stdout);
        assert!(!merged.stderr.contains("warning"), "{}", merged.stderr);
    }
}

/// A fragment of an IPv4 datagram (RFC 791 §3.1) from a camera to a server.
fn fragment(offset: u16, is_last: bool) -> Vec<u8> {
    let mut frame = vec![0x14, 0xcc, 0x20, 0, 0, 3, 0x70, 0xee, 0x50, 0, 0, 1, 0x08, 0x00];
    let place = (offset / 8) | if is_last { 0 } else { 0x2000 };
    frame.extend([0x45, 0, 0, 36, 0, 7]);
    frame.extend(place.to_be_bytes());
    frame.extend([64, 17, 0, 0, 192, 168, 1, 10, 52, 1, 2, 3]);
    frame.extend([0x9c, 0x40, 0x9c, 0x41, 0, 32, 0, 0]);
    frame.extend([0; 8]);
    frame
}

#[test]
fn a_datagram_in_progress_at_the_end_of_a_part_is_reported() {
    let stage = Stage::new();
    let mut writer = CaptureWriter::new(File::create(stage.path("home.pcap")).unwrap()).unwrap();
    // Three frames show the time of a part.
    let first = [fragment(0, false), fragment(0, false), fragment(0, false)];
    let last = [fragment(16, true), fragment(16, true), fragment(16, true)];
    for (at, frame) in (0..).zip(first.into_iter().chain(last)) {
        let wire_bytes = u32::try_from(frame.len()).unwrap();
        writer.write(Timestamp::from_seconds(START_S + at), &frame, wire_bytes).unwrap();
    }
    let parts = parts(&stage, &cut(&stage, "home.pcap", |number, _| number == 3));
    let said = stage.ok(&format!("merge --no-gateway {}", parts.join(" ")));
    assert!(said.stderr.contains("1 datagram without all fragments at the end of a part"), "{}", said.stderr);
    let said = stage.ok(&format!("merge --no-gateway {}", parts[0]));
    assert!(!said.stderr.contains("datagram"), "{}", said.stderr);
}

#[test]
fn parts_of_other_options_and_other_files_are_refused_by_name() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap");
    stage.ok("extract --partial home.pcap -o hour.part");
    stage.ok("extract --partial home.pcap --window 15m -o quarter.part");
    stage.fails("merge hour.part quarter.part", 5, &["quarter.part", "window=15m", "default"]);
    for (option, value) in
        [("--local-nets", "129.94.0.0/16"), ("--decap", "vxlan,gre"), ("--dedup", ""), ("--sort", "")]
    {
        stage.ok(&format!("extract --partial home.pcap {option} {value} -o other.part"));
        let value = if value.is_empty() { "given" } else { value };
        stage.fails("merge hour.part other.part", 5, &["other.part", option, value, "not given"]);
        stage.ok("merge other.part");
    }
    stage.ok("extract --partial home.pcap --local-nets 10.9.0.0/16,129.94.0.0/16 -o one.part");
    stage.ok("extract --partial home.pcap --local-nets 129.94.0.0/16,10.9.0.0/16 -o same.part");
    stage.ok("merge one.part same.part");
    fs::write(stage.path("labels.csv"), "mac,label,kind\n").unwrap();
    stage.fails("merge labels.csv", 1, &["labels.csv", "not a file of parts", "extract --partial"]);
    let mut bytes = fs::read(stage.path("hour.part")).unwrap();
    let at = bytes.len() - 9;
    bytes[at] ^= 1;
    fs::write(stage.path("damaged.part"), &bytes).unwrap();
    stage.fails("merge damaged.part", 1, &["damaged.part", "damaged"]);
    bytes[8] = 1;
    fs::write(stage.path("old.part"), bytes).unwrap();
    stage.fails("merge old.part", 1, &["old.part", "unsupported version 1", "extract the capture again"]);
    stage.fails("extract --partial home.pcap --window capture -o x.part", 2, &["--window capture"]);
}

/// Starts the command with a capture of which only the beginning comes, and gives back the first line of its result
/// while it still waits for the rest.
fn first_line(stage: &Stage, arguments: &[&str], capture: &Path) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_thingprint"))
        .args(arguments)
        .current_dir(stage.path("."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (sender, receiver) = mpsc::channel();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    // The result is read on, or the command would wait for that instead of its input.
    let reader = thread::spawn(move || {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        sender.send(line).unwrap();
        io::copy(&mut stdout, &mut io::sink()).unwrap();
    });
    let bytes = fs::read(capture).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&bytes[..bytes.len() * 9 / 10]).unwrap();
    stdin.flush().unwrap();
    let line = receiver.recv_timeout(Duration::from_mins(1));
    // Until here nobody closed its input.
    drop(stdin);
    child.wait().unwrap();
    reader.join().unwrap();
    line.unwrap()
}

#[test]
fn the_first_rows_leave_while_standard_input_is_open() {
    let stage = Stage::new();
    stage.ok("simulate --duration 3h -o home.pcap");
    let (capture, gateway) = (stage.path("home.pcap"), gateway());
    for jobs in ["1", "2"] {
        let flows = ["flows", "-", "--gateway", &gateway, "--format", "jsonl", "-q", "-j", jobs];
        assert!(first_line(&stage, &flows, &capture).starts_with("{\"ts\":"), "flows -j {jobs}");
        let extract = ["extract", "-", "--gateway", &gateway, "--format", "jsonl", "-q", "-j", jobs];
        assert!(first_line(&stage, &extract, &capture).starts_with("{\"device\":"), "extract -j {jobs}");
    }
}

#[test]
fn rows_do_not_depend_on_the_number_of_threads() {
    let stage = Stage::new();
    stage.ok("simulate --duration 4h -o home.pcap");
    for command in ["extract", "flows --attributes", "devices", "audit"] {
        let rows = |jobs: u32| stage.ok(&format!("{command} home.pcap --format json -j {jobs}")).stdout;
        let one = rows(1);
        assert!(one.len() > 1000, "{command}");
        for jobs in [2, 3, 7] {
            assert_eq!(rows(jobs), one, "{command} -j {jobs}");
        }
    }
}

#[test]
fn gateways_can_be_named_and_denied_and_labelled() {
    let stage = Stage::new();
    stage.ok("simulate --duration 2h -o home.pcap --labels labels.csv");
    let devices = |arguments: &str| {
        stage
            .ok(&format!("extract home.pcap --format csv {arguments}"))
            .stdout
            .matches("2024-06-03T00")
            .count()
    };
    let found = devices("");
    assert_eq!(devices("--no-gateway"), found + 1);
    let gateway = gateway();
    assert_eq!(devices(&format!("--gateway {gateway}")), found);
    let labels = fs::read_to_string(stage.path("labels.csv")).unwrap();
    let device = labels.lines().nth(1).and_then(|line| line.split(',').next()).unwrap().to_owned();
    assert_eq!(devices(&format!("--gateway {gateway} --gateway {device}")), found - 1);
    fs::write(stage.path("router.csv"), format!("mac,label,kind\n{gateway},gateway,iot\n")).unwrap();
    assert_eq!(devices("--labels router.csv"), found);
    stage.fails(&format!("extract home.pcap --no-gateway --gateway {gateway}"), 2, &["--no-gateway"]);
}
