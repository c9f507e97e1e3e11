//! How much memory the command takes, by what the system counted.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::stage::Stage;

/// Words of each window: as many as a hostile device brings into a bag.
const WORDS: usize = 6000;

/// The most memory that a run of the command took, in bytes.
fn peak(stage: &Stage, arguments: &str) -> u64 {
    let mut child = stage.command(arguments, Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let mut peak = 0;
    loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) * 1024);
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{arguments}: {status}");
            return peak;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Windows of ten devices in the order in which they become final, each with thousands of names.
fn write_windows(stage: &Stage, name: &str, windows: usize, template: &Map<String, Value>) {
    let mut out = BufWriter::new(File::create(stage.path(name)).unwrap());
    for number in 0..windows {
        let (hour, device) = (number / 10, number % 10);
        let mut row = template.clone();
        row.insert("device".to_owned(), format!("02:00:00:00:00:{device:02x}").into());
        row.insert("window_start".to_owned(), (1_700_006_400 + 3600 * hour).into());
        let words = (0..WORDS).map(|word| (format!("w{word}.of-{number}.example"), Value::from(1)));
        row.insert("domains".to_owned(), words.collect());
        serde_json::to_writer(&mut out, &row).unwrap();
        out.write_all(b"\n").unwrap();
    }
    out.flush().unwrap();
}

#[test]
fn classify_takes_the_same_memory_for_four_times_as_many_instances() {
    let stage = Stage::new();
    stage.ok("simulate --duration 3h -o home.pcap --labels labels.csv");
    let extracted = stage.ok("extract home.pcap --labels labels.csv --format jsonl");
    std::fs::write(stage.path("home.jsonl"), &extracted.stdout).unwrap();
    stage.ok("train home.jsonl --trees 5 -o home.model");
    let template = extracted.json_lines().swap_remove(0);
    let peaks = [400, 1600].map(|windows| {
        write_windows(&stage, "windows.jsonl", windows, template.as_object().unwrap());
        peak(&stage, "classify --model home.model windows.jsonl -q -o answers.jsonl")
    });
    let lines = std::fs::read_to_string(stage.path("answers.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 10 + 1600);
    // All windows at once take more than 800 MiB.
    let budget = 450 << 20;
    assert!(peaks.iter().all(|peak| *peak < budget), "{peaks:?} bytes");
}
