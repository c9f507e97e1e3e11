//! The page that `report` writes, from captures of simulated homes to what a reader finds on it.

use std::collections::BTreeSet;
use std::fs;

use thingprint_flow::{Capture, CaptureWriter, Timestamp, Trace, TraceOptions};
use thingprint_store::{Reader, Store};
use thingprint_watch::{Account, Event, EventKind, Records, Severity, Update};

use crate::identity::{home, knowledge};
use crate::stage::Stage;

/// The text of a page, without its markup.
fn text(page: &str) -> String {
    let body = page.split_once("<body").unwrap().1;
    let mut text = String::new();
    let mut is_tag = true;
    for character in body.chars() {
        match character {
            '<' => is_tag = true,
            '>' => is_tag = false,
            _ if !is_tag => text.push(character),
            _ => {}
        }
    }
    text
}

#[test]
fn the_page_says_what_is_there_what_is_worst_and_what_to_do() {
    let stage = Stage::new();
    stage.ok("simulate --home unsafe --duration 3h -o unsafe.pcap --labels unsafe.csv");
    let said = stage.ok("report unsafe.pcap --labels unsafe.csv -o report.html");
    let page = text(&fs::read_to_string(stage.path("report.html")).unwrap());
    for heading in
        ["What to look at first", "Devices", "What to do", "How much was seen", "How this was made"]
    {
        assert!(page.contains(heading), "no '{heading}' in {page}");
    }
    assert!(page.contains("All are known."), "{page:.600}");
    // Every device of the label file is in the inventory, by its label.
    for line in fs::read_to_string(stage.path("unsafe.csv")).unwrap().lines().skip(1) {
        let mut cells = line.split(',');
        for cell in [cells.next().unwrap(), cells.next().unwrap()] {
            assert!(page.contains(cell), "no {cell}");
        }
    }
    // What the audit has as errors is on the page, and how many there are is said in a line.
    let findings = stage.ok("audit unsafe.pcap --labels unsafe.csv --format jsonl").json_lines();
    let errors: Vec<_> = findings.iter().filter(|finding| finding["severity"] == "error").collect();
    assert!(errors.iter().all(|finding| page.contains(finding["rule"].as_str().unwrap())));
    // Many values of a rule are one finding of a device.
    let broken = |rows: &[&serde_json::Value]| {
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let broken = rows.iter().map(|row| (text(&row["device"]), text(&row["rule"])));
        broken.filter(|(_, rule)| rule.is_some()).collect::<BTreeSet<_>>().len()
    };
    let (all, of_errors) = (broken(&findings.iter().collect::<Vec<_>>()), broken(&errors));
    assert!(of_errors > 1 && all < findings.len(), "{all} of {}", findings.len());
    assert!(said.stderr.contains(&format!("{all} findings ({of_errors} errors, ")), "{}", said.stderr);
    assert!(page.contains(&format!("The audit has {all} findings ({of_errors} errors, ")), "{page:.600}");
}

#[test]
fn devices_that_nobody_knows_and_changes_stand_at_the_top() {
    let stage = Stage::new();
    stage.ok("simulate --duration 6h -o before.pcap --labels labels.csv");
    stage.ok("simulate --duration 2h --start 2024-06-05T00:00:00Z -o after.pcap --labels after.csv");
    stage.ok("extract before.pcap --labels labels.csv -o before.csv");
    stage.ok("train before.csv -o home.model");
    stage.ok("report after.pcap --model home.model --baseline before.csv -o known.html");
    let known = text(&fs::read_to_string(stage.path("known.html")).unwrap());
    assert!(known.contains("What changed") && known.contains("osprel-camera"), "{known:.600}");
    assert!(!known.contains("nothing to compare"));
    stage.ok("report after.pcap -o unnamed.html");
    let unnamed = text(&fs::read_to_string(stage.path("unnamed.html")).unwrap());
    assert!(unnamed.contains("No model was given"), "{unnamed:.600}");
    assert!(unnamed.contains("that nobody named"), "{unnamed:.600}");
    assert!(!unnamed.contains("What changed"));
}

#[test]
fn a_report_is_a_page_and_the_same_bytes_each_time() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap --labels labels.csv");
    stage.fails("report home.pcap --format json", 2, &["-o report.html"]);
    stage.fails("report home.pcap -o home.pcap --format html", 2, &["would replace"]);
    stage.fails("report nothing.pcap -o report.html", 1, &["nothing.pcap"]);
    for (file, jobs) in [("one.html", 1), ("two.html", 2)] {
        stage.ok(&format!("report home.pcap -j {jobs} -o {file}"));
    }
    let page = |file: &str| fs::read(stage.path(file)).unwrap();
    assert!(page("one.html") == page("two.html"), "threads change nothing");
}

#[test]
fn who_devices_say_they_are_stands_beside_what_they_behave_like() {
    let stage = Stage::new();
    home(&stage);
    stage.ok("report home.pcap --no-gateway -o report.html");
    let page = text(&fs::read_to_string(stage.path("report.html")).unwrap());
    assert!(page.contains("Lamp 3 (declared)"), "the inventory: {page}");
    assert!(
        page.contains("Lamp 3 (declared: dns_sd)") && page.contains("light (declared: dns_sd)"),
        "{page}"
    );
    assert!(page.contains("none was found: every address is taken for a device"), "{page}");

    stage.ok("simulate --duration 6h -o sim.pcap --labels labels.csv");
    stage.ok("extract sim.pcap --labels labels.csv -o sim.csv");
    stage.ok("train sim.csv -o sim.model");
    knowledge(&stage, "host-name,lumen-*,,,printer,,likely,x,2026-11-30");
    stage.ok("report sim.pcap --model sim.model --knowledge mine.knowledge -o sim.html");
    let page = text(&fs::read_to_string(stage.path("sim.html")).unwrap());
    assert!(page.contains("is not what it says, or behaves otherwise"), "{page:.3000}");
    let contradiction =
        "behaves like lumenhaus-bulb and says type printer (likely, by dhcp (mine)), not light";
    assert!(page.contains(contradiction), "{page}");
    assert!(page.contains("it forwards packets from and to the Internet"), "the gateway and why: {page}");
    assert!(page.contains("Everything that was given was read"), "{page}");
}

#[test]
fn what_is_missing_is_said_on_the_page_and_by_the_status() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap --labels labels.csv");
    let whole = fs::read(stage.path("home.pcap")).unwrap();
    fs::write(stage.path("cut.pcap"), &whole[..whole.len() / 2]).unwrap();
    let said = stage.run("report cut.pcap nothing.pcap -o report.html");
    assert_eq!(said.status, 4, "{}", said.stderr);
    let page = text(&fs::read_to_string(stage.path("report.html")).unwrap());
    assert!(page.contains("This page is not complete: failed to read nothing.pcap"), "{page:.600}");
    assert!(page.contains("failed to read nothing.pcap: no such file or folder"), "{page}");
    assert!(page.contains("failed to read cut.pcap"), "{page}");

    // A capture without a packet.
    fs::write(stage.path("empty.pcap"), &whole[..24]).unwrap();
    let said = stage.run("report empty.pcap -o empty.html");
    assert_eq!(said.status, 4, "{}", said.stderr);
    assert!(fs::read_to_string(stage.path("empty.html")).unwrap().contains("No packet was read."));
    stage.ok("extract home.pcap -o home.csv");
    stage.fails("report home.csv -o report.html", 2, &["home.csv", "holds no captures"]);
}

#[test]
fn a_label_that_nobody_confirmed_makes_no_device_known() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap --labels labels.csv");
    let labels = fs::read_to_string(stage.path("labels.csv")).unwrap();
    fs::write(stage.path("proposed.csv"), labels.replace(",osprel-camera,", ",? osprel-camera,")).unwrap();
    stage.ok("report home.pcap --labels proposed.csv -o report.html");
    let page = text(&fs::read_to_string(stage.path("report.html")).unwrap());
    assert!(page.contains("1 device that nobody named") && !page.contains("osprel-camera"), "{page:.1500}");
}

/// Writes a capture without each ninth frame.
fn lose_frames(stage: &Stage, from: &str, to: &str) {
    let path = stage.path(from);
    let open = move || Ok(Box::new(fs::File::open(&path)?) as _);
    let mut trace = Trace::new(vec![Capture::new(from, open)], TraceOptions::default());
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    let mut number = 0;
    while let Some((frame, packet)) = trace.next_frame() {
        number += 1;
        if number % 9 != 0 {
            writer.write(packet.time, frame.bytes, frame.wire_bytes).unwrap();
        }
    }
    fs::write(stage.path(to), writer.finish().unwrap()).unwrap();
}

#[test]
fn gaps_in_the_captures_are_on_the_page_as_the_audit_counts_them() {
    let stage = Stage::new();
    stage.ok("simulate --home unsafe --duration 3h -o whole.pcap");
    lose_frames(&stage, "whole.pcap", "lossy.pcap");
    let said = stage.ok("audit lossy.pcap --format csv").stderr;
    let count = said.lines().find_map(|line| line.split_once(" in the TCP streams")).unwrap().0;
    assert!(count.ends_with(" gaps") && count != "0 gaps", "{count}");
    stage.ok("report lossy.pcap -o lossy.html");
    stage.ok("report whole.pcap -o whole.html");
    let page = |file: &str| text(&fs::read_to_string(stage.path(file)).unwrap());
    assert!(page("lossy.html").contains(&format!("{count} in the TCP streams")));
    assert!(!page("whole.html").contains("in the TCP streams"));
}

#[test]
fn a_store_has_a_page_which_says_what_it_does_not_have() {
    let stage = Stage::new();
    stage.ok("simulate --home unsafe --duration 3h -o home.pcap --labels labels.csv");
    stage.ok("watch home.pcap --store net.db --no-page -q");
    let said = stage.ok("report net.db --labels labels.csv -o net.html");
    let page = text(&fs::read_to_string(stage.path("net.html")).unwrap());
    for what in [
        "What to look at first",
        "All are known.",
        "Events that nobody acknowledged, the latest first",
        "What a store does not keep, and this page does not have",
        "it forwards packets from and to the Internet",
    ] {
        assert!(page.contains(what), "no '{what}' in {page}");
    }
    for line in fs::read_to_string(stage.path("labels.csv")).unwrap().lines().skip(1) {
        let mut cells = line.split(',');
        for cell in [cells.next().unwrap(), cells.next().unwrap()] {
            assert!(page.contains(cell), "no {cell}");
        }
    }
    // What the store counts is what the page says.
    let findings = stage.ok("store net.db findings --format jsonl").json_lines();
    assert!(!findings.is_empty());
    assert!(findings.iter().all(|finding| page.contains(finding["rule"].as_str().unwrap())));
    let devices = stage.ok("store net.db devices --format jsonl").json_lines();
    let sum = |what: &str| devices.iter().map(|device| device[what].as_u64().unwrap()).sum::<u64>();
    let (errors, warnings, notes) = (sum("errors"), sum("warnings"), sum("notes"));
    let all = errors + warnings + notes;
    let counts = format!("{all} findings ({errors} errors, {warnings} warnings, {notes} notes) in ");
    assert!(page.contains(&counts) && said.stderr.contains(&counts), "{}", said.stderr);
    // Without labels and without a model, nobody names anything.
    stage.ok("report net.db -o unnamed.html");
    let unnamed = text(&fs::read_to_string(stage.path("unnamed.html")).unwrap());
    assert!(unnamed.contains("The watch had no model"), "{unnamed:.1500}");
    stage.fails("report net.db home.pcap -o both.html", 2, &["net.db is a store, which is reported alone"]);
}

#[test]
fn a_store_is_compared_with_an_earlier_time_and_judged_by_a_model() {
    let stage = Stage::new();
    stage.ok("simulate --duration 6h -o before.pcap --labels labels.csv");
    stage.ok("simulate --duration 4h --start 2024-06-05T00:00:00Z -o after.pcap --labels after.csv");
    stage.ok("extract before.pcap --labels labels.csv -o before.csv");
    stage.ok("train before.csv -o home.model");
    stage.ok("watch before.pcap --store before.db --no-page -q");
    stage.ok("watch after.pcap --store after.db --no-page -q");
    for before in ["before.db", "before.csv", "before.pcap"] {
        stage.ok(&format!("report after.db --baseline {before} --model home.model -o page.html"));
        let page = text(&fs::read_to_string(stage.path("page.html")).unwrap());
        assert!(
            page.contains(&format!("compared with its own earlier time, {before}")),
            "{before}: {page:.900}"
        );
        assert!(page.contains("since the earlier time"), "{before}: {page:.900}");
        assert!(page.contains("osprel-camera"), "the model names it: {page:.900}");
    }
}

/// Writes updates into a store, which need not be there.
fn write(stage: &Stage, store: &str, updates: Vec<Update>) {
    Store::open(&stage.path(store)).unwrap().write(&Account { updates, final_until: None }).unwrap();
}

fn event(id: u64, kind: EventKind, text: &str, acknowledged_at: Option<Timestamp>) -> Update {
    Update::Event(Event {
        id,
        at: Timestamp::from_seconds(1_700_000_000),
        kind,
        severity: Severity::Error,
        device: None,
        subject: "store".to_owned(),
        text: text.to_owned(),
        evidence: serde_json::Map::new(),
        times: 1,
        acknowledged_at,
    })
}

/// A store with two devices and nothing else, and a label for both.
fn labelled_store(stage: &Stage) {
    stage.ok("simulate --duration 1h -o home.pcap --labels home.csv");
    stage.ok("watch home.pcap --store home.db --no-page -q");
    let devices = Reader::open(&stage.path("home.db")).unwrap().devices().unwrap();
    let devices = devices.into_iter().filter(|record| record.sighting.gateway.is_none()).take(2);
    let sightings: Vec<_> = devices.map(|record| record.sighting).collect();
    let lines: Vec<String> = sightings.iter().map(|seen| format!("{},camera,IoT\n", seen.device)).collect();
    fs::write(stage.path("labels.csv"), format!("mac,label,kind\n{}", lines.concat())).unwrap();
    write(stage, "net.db", sightings.into_iter().map(Update::Device).collect());
}

#[test]
fn what_a_store_lost_is_missing_whoever_acknowledged_it() {
    let stage = Stage::new();
    labelled_store(&stage);
    let report = |status: i32| {
        let said = stage.run("report net.db --labels labels.csv -o net.html");
        assert_eq!(said.status, status, "{}", said.stderr);
        fs::read_to_string(stage.path("net.html")).unwrap()
    };
    let whole = report(0);
    let fine = "No error or warning is open, and every device is known.";
    assert!(text(&whole).contains(fine), "{}", text(&whole));
    assert!(!whole.contains("class=\"note good\""), "a store does not know what was judged: {whole}");

    // Parts that wait are in this store all the same.
    write(&stage, "net.db", vec![event(1, EventKind::PartsWaiting, "parts wait", None)]);
    let page = text(&report(0));
    assert!(!page.contains("not complete") && !page.contains("may be wrong"), "{page}");

    let time = Some(Timestamp::from_seconds(1_700_000_100));
    for (id, kind) in [(2, EventKind::UpdatesLost), (3, EventKind::SourceFailed)] {
        let name = format!("what-{kind}-says");
        write(&stage, "net.db", vec![event(id, kind, &name, time)]);
        let page = text(&report(4));
        // The sections are listed at the top.
        let (top, below) = page.rsplit_once("How much was seen").unwrap();
        assert!(top.contains("This page is not complete: ") && top.contains(&name), "{top}");
        assert!(below.contains(&name), "{below}");
        assert!(!page.contains(fine) && page.contains("which says little"), "{top}");
    }
}

#[test]
fn devices_of_one_name_are_told_apart_on_the_page_of_a_store() {
    let stage = Stage::new();
    labelled_store(&stage);
    let devices = Reader::open(&stage.path("net.db")).unwrap().devices().unwrap();
    let ends: Vec<String> =
        devices.iter().map(|record| record.sighting.device.to_string()[9..].to_owned()).collect();
    let opened = |id, device| match event(id, EventKind::NewPort, "a new port", None) {
        Update::Event(event) => Update::Event(Event { device: Some(device), ..event }),
        other => other,
    };
    let device = |at: usize| devices[at].sighting.device;
    write(&stage, "net.db", vec![opened(1, device(0)), opened(2, device(1))]);
    stage.ok("report net.db --labels labels.csv -o net.html");
    let page = text(&fs::read_to_string(stage.path("net.html")).unwrap());
    for end in ends {
        assert!(page.contains(&format!("camera (\u{2026}{end})")), "no {end} in {page}");
    }
}

#[test]
fn what_is_missing_of_the_earlier_time_is_on_the_page_of_a_store() {
    let stage = Stage::new();
    stage.ok("simulate --duration 12h -o before.pcap");
    stage.ok("simulate --duration 4h --start 2024-06-05T00:00:00Z -o after.pcap");
    let whole = fs::read(stage.path("before.pcap")).unwrap();
    fs::write(stage.path("before.pcap"), &whole[..whole.len() - 7]).unwrap();
    stage.ok("watch after.pcap --store after.db --no-page -q");
    let said = stage.run("report after.db --baseline before.pcap -o page.html");
    assert_eq!(said.status, 4, "{}", said.stderr);
    let page = text(&fs::read_to_string(stage.path("page.html")).unwrap());
    let first = page.rsplit_once("What to look at first").unwrap().0;
    assert!(first.contains("This page is not complete: In the earlier time: "), "{first}");
    assert!(first.contains("Of the earlier findings: "), "{first}");
    assert!(page.contains("not judged again: nobody knows"), "{page:.2000}");
}

#[test]
fn options_about_packets_are_refused_with_a_store() {
    let stage = Stage::new();
    stage.ok("simulate --duration 2h -o home.pcap");
    stage.ok("watch home.pcap --store net.db --no-page -q");
    for option in ["--knowledge none.csv", "--window 1h", "--gateway 02:00:00:00:00:01", "--protocols models"]
    {
        let name = option.split(' ').next().unwrap();
        stage.fails(&format!("report net.db {option} -o page.html"), 2, &[name, "net.db"]);
    }
    stage.ok("simulate --duration 2h --start 2024-06-05T00:00:00Z -o before.pcap");
    stage.run("report net.db --baseline before.pcap --window 1h -o page.html");
    assert!(stage.path("page.html").exists(), "they are about the captures of the earlier time");
}
