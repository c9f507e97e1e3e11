//! How much memory the command takes, by what the system counted.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Map, Value};
use thingprint_flow::FlowOptions;

use crate::stage::{Frame, Stage, capture};

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

/// Made-up addresses of a vendor that is known, each of which asks two of twenty servers for something and is answered at once: so each is
/// established, and has a share of its own.
fn write_answered(stage: &Stage, name: &str, devices: u32) {
    const GATEWAY: [u8; 6] = [0xa8, 0x40, 0x7c, 0, 0x10, 1];
    let frames = (0..devices).flat_map(|number| {
        let [_, a, b, c] = number.to_be_bytes();
        let (mac, address) = ([0, 0x17, 0x88, a, b, c], [10, a, b, c]);
        let servers = [number % 20, (number + 1) % 20].map(|of| [52, 0, 0, of.to_be_bytes()[3]]);
        servers.into_iter().flat_map(move |server| {
            let at_s = 1_717_372_800 + i64::from(number) / 16;
            let asked = Frame { at_s, from: mac, to: GATEWAY, src: address, dst: server };
            [asked, Frame { at_s, from: GATEWAY, to: mac, src: server, dst: address }]
        })
    });
    std::fs::write(stage.path(name), capture(&frames.collect::<Vec<_>>())).unwrap();
}

#[test]
fn as_many_answered_devices_as_there_may_be_take_less_than_their_budget() {
    const FEW: u32 = 1000;
    const MANY: u32 = 6000;
    let stage = Stage::new();
    write_answered(&stage, "few.pcap", FEW);
    write_answered(&stage, "many.pcap", MANY);
    for command in ["devices", "identify", "audit", "extract"] {
        let run = |name: &str| peak(&stage, &format!("{command} {name} --format json -o {name}.json -q"));
        let [few, many] = ["few.pcap", "many.pcap"].map(run);
        let each = many.saturating_sub(few) / u64::from(MANY - FEW);
        let most = u64::try_from(FlowOptions::default().max_devices).unwrap();
        let all = few + each * (most - u64::from(FEW));
        assert!(all < 300 << 20, "{command}: {each} bytes for a device, {few} for a few, so {all} for all");
    }
}
