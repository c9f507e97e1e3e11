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

/// Cuts a capture in two at a time.
fn cut(stage: &Stage, name: &str, at: Timestamp) {
    let path = stage.path(name);
    let open = move || Ok(Box::new(File::open(&path)?) as _);
    let mut trace = Trace::new(vec![Capture::new(name, open)], TraceOptions::default());
    let mut writers = ["first.pcap", "second.pcap"]
        .map(|part| CaptureWriter::new(File::create(stage.path(part)).unwrap()).unwrap());
    while let Some((frame, _)) = trace.next_frame() {
        let writer = &mut writers[usize::from(frame.time >= at)];
        writer.write(frame.time, frame.bytes, frame.wire_bytes).unwrap();
    }
    for writer in writers {
        drop(writer.finish().unwrap());
    }
}

#[test]
fn parts_that_meet_at_the_edge_of_a_window_give_the_rows_of_one_reading() {
    let stage = Stage::new();
    stage.ok("simulate --duration 6h -o home.pcap --labels labels.csv");
    cut(&stage, "home.pcap", Timestamp::from_seconds(START_S + 3 * 3600));
    stage.ok("extract home.pcap --labels labels.csv -o whole.csv");
    for part in ["first", "second"] {
        stage.ok(&format!("extract --partial {part}.pcap -o {part}.part"));
    }
    let whole = fs::read_to_string(stage.path("whole.csv")).unwrap();
    assert!(whole.lines().count() > 40);
    for order in ["first.part second.part", "second.part first.part", "first.part second.part first.part"] {
        let said = stage.ok(&format!("merge {order} --labels labels.csv --format csv"));
        assert_eq!(said.stdout, whole, "{order}");
        assert!(said.stderr.contains(&format!("the gateway is {}", gateway())), "{}", said.stderr);
        assert!(!said.stderr.contains("edges"), "{}", said.stderr);
    }
}

#[test]
fn parts_that_meet_inside_a_window_say_so() {
    let stage = Stage::new();
    stage.ok("simulate --duration 2h -o home.pcap");
    cut(&stage, "home.pcap", Timestamp::from_seconds(START_S + 3600 + 600));
    for part in ["first", "second"] {
        stage.ok(&format!("extract --partial {part}.pcap -o {part}.part"));
    }
    let said = stage.ok("merge first.part second.part");
    assert!(said.stderr.contains("1 edges between parts are inside a window"), "{}", said.stderr);
}

#[test]
fn parts_of_other_options_and_other_files_are_refused_by_name() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap");
    stage.ok("extract --partial home.pcap -o hour.part");
    stage.ok("extract --partial home.pcap --window 15m -o quarter.part");
    stage.fails("merge hour.part quarter.part", 5, &["quarter.part", "window=15m", "default"]);
    fs::write(stage.path("labels.csv"), "mac,label,kind\n").unwrap();
    stage.fails("merge labels.csv", 1, &["labels.csv", "not a file of parts", "extract --partial"]);
    let mut bytes = fs::read(stage.path("hour.part")).unwrap();
    let at = bytes.len() - 9;
    bytes[at] ^= 1;
    fs::write(stage.path("damaged.part"), bytes).unwrap();
    stage.fails("merge damaged.part", 1, &["damaged.part", "damaged"]);
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
