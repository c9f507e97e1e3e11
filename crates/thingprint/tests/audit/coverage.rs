//! What could not be judged is not clean.

use std::fs::{self, File};

use serde_json::Value;
use thingprint_flow::{Capture, CaptureWriter, Trace, TraceOptions};

use crate::stage::{Frame, Stage, capture, shared_data};

const HOUR_NS: i64 = 3_600_000_000_000;

/// Writes the frames of `home.pcap` from the second hour on: of connections that go on, the hellos are missing.
fn write_second_hour(stage: &Stage) {
    let path = stage.path("home.pcap");
    let open = move || Ok(Box::new(File::open(&path)?) as _);
    let mut trace = Trace::new(vec![Capture::new("home.pcap", open)], TraceOptions::default());
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    let mut begin = None;
    while let Some((frame, packet)) = trace.next_frame() {
        let begin = *begin.get_or_insert(packet.time);
        if packet.time.nanos_since(begin) >= HOUR_NS {
            writer.write(packet.time, frame.bytes, frame.wire_bytes).unwrap();
        }
    }
    std::fs::write(stage.path("later.pcap"), writer.finish().unwrap()).unwrap();
}

#[test]
fn flows_that_no_rule_could_judge_are_counted_with_their_reasons() {
    let stage = Stage::new();
    stage.ok("simulate --duration 2h -o home.pcap --labels labels.csv");
    write_second_hour(&stage);
    let whole = stage.ok("audit home.pcap --labels labels.csv --format json").json();
    assert_eq!(whole["coverage"]["tls"]["began_before"], 0);
    let said = stage.ok("audit later.pcap --labels labels.csv --format json");
    let later = said.json();
    let tls = &later["coverage"]["tls"];
    let count = |name: &str| tls[name].as_u64().unwrap();
    assert!(count("began_before") > 0 && count("judged") < count("seen"), "{tls}");
    let all = ["judged", "began_before", "one_way", "other"].map(count);
    assert_eq!(all.iter().sum::<u64>(), count("seen"));
    let of_devices = later["devices"].as_array().unwrap().iter();
    let seen = of_devices.filter_map(|device| device["coverage"]["tls"]["seen"].as_u64());
    assert_eq!(seen.sum::<u64>(), count("seen"));
    let expected = format!("{} of {} flows of tls were judged: ", count("judged"), count("seen"));
    assert!(said.stderr.contains(&expected), "{}", said.stderr);

    let said = stage.run("audit later.pcap --labels labels.csv --require-judged 1 --format table");
    assert_eq!(said.status, 3, "{}", said.stderr);
    assert!(said.stderr.contains("warning: --require-judged: "), "{}", said.stderr);
    assert!(said.stdout.contains("Flows that no rule could judge"), "{}", said.stdout);
    stage.ok("audit later.pcap --labels labels.csv --require-judged 0");
    stage.fails("audit later.pcap --require-judged 1.5", 2, &["expected a number from 0 to 1"]);

    let log = stage.ok("audit later.pcap --labels labels.csv --format sarif").json();
    assert_eq!(log["runs"][0]["properties"]["coverage"]["tls"], *tls);
    let page = stage.ok("audit later.pcap --labels labels.csv --format html").stdout;
    assert!(page.contains("Flows that were not judged"), "the page names what was not judged");
}

/// A device whose look-ups are judged, and whose other flows nobody recognises: a short snap length leaves no more.
#[test]
fn flows_that_were_not_recognised_count_as_not_judged() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap --labels labels.csv");
    stage.ok("audit home.pcap --labels labels.csv --require-judged 0.1");
    let frames: Vec<Frame> = (0..4)
        .flat_map(|host| (0..250).map(move |number| (host, number)))
        .map(|(host, number)| Frame {
            at_s: 1,
            from: [0x7c, 0x51, 0x0e, 0x4a, 0x02, 0x9c],
            to: [2, 0, 0, 0, 0, 9],
            src: [192, 168, 1, 20],
            dst: [192, 168, host, number],
        })
        .collect();
    fs::write(stage.path("odd.pcap"), capture(&frames)).unwrap();
    let said = stage.run("audit home.pcap odd.pcap --labels labels.csv --require-judged 0.1");
    assert_eq!(said.status, 3, "{}", said.stderr);
    let told = "flows that a rule may be about were judged: 1000 have no recognised protocol";
    assert!(
        said.stderr.contains("--require-judged: osprel-camera: ") && said.stderr.contains(told),
        "{}",
        said.stderr
    );

    let Some(locks) = shared_data("locks") else { return };
    let said = stage.run(&format!("audit {} --require-judged 0.5", locks.display()));
    assert_eq!(said.status, 3, "{}", said.stderr);
    let told = "15 of 112 flows that a rule may be about were judged: 97 have no recognised protocol; 113 others have a protocol";
    assert!(said.stderr.contains(told), "{}", said.stderr);
}

/// Two devices that exchange four bytes of no protocol: no finding, and not clean either.
#[test]
fn a_device_that_could_not_be_judged_is_never_shown_as_clean() {
    let stage = Stage::new();
    let frame = |at_s, from: u8, to: u8| Frame {
        at_s,
        from: [2, 0, 0, 0, 0, from],
        to: [2, 0, 0, 0, 0, to],
        src: [192, 168, 1, from],
        dst: [192, 168, 1, to],
    };
    fs::write(stage.path("odd.pcap"), capture(&[frame(0, 7, 8), frame(1, 8, 7)])).unwrap();
    let labels = "mac,label,kind\n02:00:00:00:00:07,lock,iot\n02:00:00:00:00:08,hub,iot\n";
    fs::write(stage.path("labels.csv"), labels).unwrap();
    let why = "not judged: 2 of 2 flows have no recognised protocol";

    let said = stage.ok("audit odd.pcap --labels labels.csv --format json");
    assert!(said.stderr.contains(&format!("lock (02:00:00:00:00:07): {why}")), "{}", said.stderr);
    assert!(said.stderr.contains("no finding; 2 devices not judged"), "{}", said.stderr);
    let audit = said.json();
    assert_eq!((&audit["judgement"]["unrecognised"], &audit["judgement"]["judged"]), (&4.into(), &0.into()));
    assert_eq!(audit["devices"][0]["judgement"]["unrecognised"], 2);
    assert_eq!(audit["flows"], 2, "each once");
    assert!(
        said.stderr.contains("2 flows, 2 of them between two of these and counted at both"),
        "{}",
        said.stderr
    );
    assert_eq!(audit["devices"][0]["unrecognised"]["seen"], 2);
    let table = stage.ok("audit odd.pcap --labels labels.csv --format table").stdout;
    assert!(table.contains("not judged: 2 of 2") && table.contains("none recognised"), "{table}");
    let log = stage.ok("audit odd.pcap --labels labels.csv --format sarif").json();
    let notes = log["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    let notes: Vec<&Value> = notes.iter().filter(|note| note["locations"].is_array()).collect();
    let texts: Vec<&Value> = notes.iter().map(|note| &note["message"]["text"]).collect();
    assert_eq!(texts, [&Value::from(format!("lock: {why}.")), &format!("hub: {why}.").into()]);
    assert_eq!((&notes[0]["level"], &log["runs"][0]["results"]), (&"note".into(), &Value::Array(vec![])));
    stage.ok("audit odd.pcap --require-judged 0");
    assert_eq!(stage.run("audit odd.pcap --require-judged 0.1").status, 3);

    stage.ok("report odd.pcap --labels labels.csv -o report.html");
    for page in [
        stage.ok("audit odd.pcap --labels labels.csv --format html").stdout,
        fs::read_to_string(stage.path("report.html")).unwrap(),
    ] {
        let body = page.split_once("</style>").unwrap().1;
        assert!(body.contains("2 of 2 flows have no recognised protocol"), "{body}");
        assert!(!body.contains("badge good") && !body.contains("Nothing: no error"), "{body}");
    }
    fs::write(stage.path("labels.csv"), labels.replace("hub", "lock")).unwrap();
    stage.ok("report odd.pcap --labels labels.csv -o locks.html");
    let page = fs::read_to_string(stage.path("locks.html")).unwrap();
    let told = ["lock (\u{2026}00:00:07) (2 of 2 flows", "lock (\u{2026}00:00:08) (2 of 2 flows"];
    assert!(told.iter().all(|name| page.contains(name)), "devices of one name are told apart: {page}");
    let page = fs::read_to_string(stage.path("report.html")).unwrap();
    assert!(
        page.contains("lock (2 of 2 flows") && page.contains("2 devices that could not be judged"),
        "{page}"
    );
    assert!(page.contains("The audit could not judge 2 of 2 devices"), "{page}");
}

#[test]
fn a_device_that_sends_arp_alone_is_listed_by_audit_and_report() {
    let stage = Stage::new();
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    let arp = |last: u8| {
        let mac = [2, 0, 0, 0, 0, last];
        let head = [&[0xff; 6][..], &mac, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1]].concat();
        [head, [&mac[..], &[192, 168, 1, last], &[0; 6], &[192, 168, 1, 1]].concat()].concat()
    };
    for last in [7, 8] {
        writer.write(thingprint_flow::Timestamp::from_seconds(i64::from(last)), &arp(last), 42).unwrap();
    }
    fs::write(stage.path("arp.pcap"), writer.finish().unwrap()).unwrap();
    let audit = stage.ok("audit arp.pcap --format json");
    let devices: Vec<_> =
        audit.json()["devices"].as_array().unwrap().iter().map(|row| row["device"].clone()).collect();
    assert_eq!(devices, ["02:00:00:00:00:07", "02:00:00:00:00:08"]);
    assert!(audit.stderr.contains("02:00:00:00:00:07: not judged: no flows to judge"), "{}", audit.stderr);
    stage.ok("report arp.pcap -o report.html");
    let page = fs::read_to_string(stage.path("report.html")).unwrap();
    assert!(page.contains("02:00:00:00:00:07 (no flows to judge)"), "{page}");
    let log = stage.ok("audit arp.pcap --format sarif").json();
    let notes = log["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert_eq!(notes.iter().filter(|note| note["locations"].is_array()).count(), 2);
}

#[test]
fn a_report_says_first_what_keeps_locks_from_being_judged() {
    let Some(locks) = shared_data("locks") else { return };
    let stage = Stage::new();
    stage.ok(&format!("report {} -o report.html", locks.display()));
    let page = fs::read_to_string(stage.path("report.html")).unwrap();
    let first = page.rsplit_once("What to look at first").unwrap().1.split_once("</ul>").unwrap().0;
    for expected in [
        "50752 of 87397 packets were not captured whole",
        "(tcpdump -s 0)",
        "say nothing of what they are either",
        "1 device that gets no answer",
        "(281 of 362 TCP connections)",
    ] {
        assert!(first.contains(expected), "{expected}: {first}");
    }
}
