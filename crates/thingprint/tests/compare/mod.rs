//! What `compare` reports of a simulated home in which a camera scans the Internet on the second day.

use std::fs::{self, File};
use std::io;

use serde_json::Value;
use thingprint_flow::{Capture, CaptureWriter, Timestamp, Trace, TraceOptions};
use thingprint_sim::{Attack, AttackKind, CaptureReader, Simulation, SimulationOptions, TelnetScan, home};

use crate::stage::Stage;
use crate::store::{simulated, stored};

/// Captures of two days; on the second one the camera tries addresses, once a second for ten minutes.
fn write_days(stage: &Stage) -> String {
    let first = SimulationOptions { duration_s: 8 * 3600, ..SimulationOptions::default() };
    let second = SimulationOptions { start_s: first.start_s + 24 * 3600, ..first };
    let kind = AttackKind::TelnetScan(TelnetScan { port: 23 });
    let start_s = second.start_s + 4 * 3600;
    let attack = Attack { device: "camera".to_owned(), kind, start_s, duration_s: 600, packets_per_s: 1.0 };
    let home = home().unwrap();
    for (options, attacks, name) in [(first, vec![], "before.pcap"), (second, vec![attack], "after.pcap")] {
        let simulation = Simulation::with_attacks(&home, options, &attacks).unwrap();
        let mut file = File::create(stage.path(name)).unwrap();
        io::copy(&mut CaptureReader::new(simulation), &mut file).unwrap();
    }
    stage.ok("simulate --duration 1h -o hour.pcap --labels labels.csv");
    home.labels().into_iter().find(|device| device.name == "camera").unwrap().mac
}

/// Rows of a kind.
fn of_kind<'a>(rows: &'a [Value], kind: &str) -> Vec<&'a Value> {
    rows.iter().filter(|row| row["kind"] == kind).collect()
}

#[test]
fn a_scan_is_the_most_unusual_of_all_and_every_format_has_it() {
    let stage = Stage::new();
    let camera = write_days(&stage);
    let said =
        stage.ok("compare before.pcap after.pcap --labels labels.csv --format jsonl --html changes.html");
    assert!(said.stderr.contains("hardly known"), "{}", said.stderr);
    let rows = said.json_lines();
    let passing = of_kind(&rows, "passing");
    assert_eq!(passing[0]["device"], *camera, "{rows:?}");
    assert_eq!(passing[0]["label"], "osprel-camera");
    assert!(passing[0]["words"]["23"].as_u64().unwrap() > 500, "{}", passing[0]);
    assert!(passing[0]["unusual"].as_f64().unwrap() > 10.0);
    // Every row has every key.
    let keys = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!(rows.iter().all(|row| keys(row) == keys(&rows[0])));
    let page = fs::read_to_string(stage.path("changes.html")).unwrap();
    assert!(page.contains(&camera) && page.contains("How changes are ranked"));
    let table = stage.ok("compare before.pcap after.pcap --labels labels.csv --format table");
    assert!(
        table.stdout.contains("Changes: other classes, then the most unusual")
            && table.stdout.contains(&camera)
    );
    for format in ["csv", "json", "parquet", "html"] {
        stage.ok(&format!("compare before.pcap after.pcap --no-audit -o out.{format}"));
        assert!(fs::read(stage.path(&format!("out.{format}"))).unwrap().len() > 150, "{format}");
    }
    let failed = stage.run("compare before.pcap after.pcap --fail-on warning --format jsonl");
    assert_eq!(failed.status, 3, "{}", failed.stderr);
}

#[test]
fn instances_say_the_same_as_their_captures_but_for_findings_and_peers() {
    let stage = Stage::new();
    write_days(&stage);
    stage.ok("extract before.pcap -o before.parquet");
    stage.ok("extract after.pcap -o after.csv");
    let captures = stage.ok("compare before.pcap after.pcap --no-audit --all --format jsonl").json_lines();
    let tables = stage.ok("compare before.parquet after.csv --all --format jsonl").json_lines();
    let without_peers: Vec<&Value> = captures.iter().filter(|row| row["what"] != "peers").collect();
    assert_eq!(without_peers, tables.iter().collect::<Vec<_>>());
    assert!(!tables.is_empty());
}

#[test]
fn devices_and_findings_that_come_and_go_are_rows() {
    let stage = Stage::new();
    stage.ok("simulate --duration 3h -o home.pcap --labels labels.csv");
    stage.ok("simulate --home unsafe --duration 3h -o unsafe.pcap --labels unsafe.csv");
    let rows = stage.ok("compare home.pcap unsafe.pcap --format jsonl").json_lines();
    assert!(!of_kind(&rows, "new-device").is_empty() && !of_kind(&rows, "gone-device").is_empty());
    let found = of_kind(&rows, "new-finding");
    assert!(found.iter().any(|row| row["severity"] == "error" && row["what"].is_string()), "{found:?}");
    let same = stage.ok("compare unsafe.pcap unsafe.pcap --format jsonl").json_lines();
    assert!(same.is_empty(), "nothing differs from itself: {same:?}");
}

#[test]
fn findings_that_could_not_be_judged_before_are_one_note_for_each_rule() {
    let stage = Stage::new();
    // Cut so short that no hello can be read, while the flows are known.
    stage.ok("simulate --home unsafe --duration 3h --snaplen 100 -o before.pcap");
    stage.ok("simulate --home unsafe --duration 3h --start 2024-06-04T00:00:00Z --seed 2 -o after.pcap");
    let rows = stage.ok("compare before.pcap after.pcap --format jsonl").json_lines();
    let of_tls: Vec<&Value> =
        of_kind(&rows, "new-finding").into_iter().filter(|row| row["what"] == "TLS-003").collect();
    assert!(!of_tls.is_empty());
    let mut devices = std::collections::BTreeSet::new();
    for row in of_tls {
        assert_eq!(row["severity"], "note", "{row}");
        assert!(row["before"].as_str().unwrap().starts_with("not judged in "), "{row}");
        assert!(devices.insert(row["device"].as_str().unwrap().to_owned()), "a device twice: {row}");
    }
}

#[test]
fn classes_that_change_are_rows_where_a_model_is_given() {
    let stage = Stage::new();
    stage.ok("simulate --duration 6h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap --labels labels.csv -o home.csv");
    stage.ok("train home.csv -o home.model");
    let same = stage.ok("compare home.csv home.csv --model home.model --format jsonl").json_lines();
    assert!(of_kind(&same, "verdict").is_empty(), "{same:?}");
    // Another device takes the camera's address.
    let labels = fs::read_to_string(stage.path("labels.csv")).unwrap();
    let mac = |name: &str| {
        let line = labels.lines().find(|line| line.contains(name)).unwrap();
        line.split(',').next().unwrap().to_owned()
    };
    let (camera, plug) = (mac("camera"), mac("plug"));
    let text = fs::read_to_string(stage.path("home.csv")).unwrap();
    let lines = text.lines().filter(|line| !line.contains(&camera)).map(|line| line.replace(&plug, &camera));
    fs::write(stage.path("changed.csv"), lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    let rows = stage.ok("compare home.csv changed.csv --model home.model --format jsonl").json_lines();
    let verdicts = of_kind(&rows, "verdict");
    assert!(verdicts.iter().any(|row| row["device"] == *camera), "{rows:?}");
}

#[test]
fn what_cannot_be_compared_is_refused_with_the_reason() {
    let stage = Stage::new();
    stage.ok("simulate --duration 2h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap -o hours.csv");
    stage.ok("extract home.pcap --window 15m -o quarters.csv");
    stage.ok("extract home.pcap --window capture -o whole.csv");
    stage.fails("compare hours.csv quarters.csv", 5, &["hours.csv", "quarters.csv", "same options"]);
    stage.fails("compare whole.csv whole.csv", 2, &["whole.csv", "extract windows of an hour"]);
    stage.fails("compare hours.csv nothing.csv", 1, &["nothing.csv"]);
    stage.fails("compare hours.csv hours.csv --format sarif", 2, &["sarif"]);
    stage.fails("compare hours.csv hours.csv -o hours.csv", 2, &["would replace"]);
    fs::create_dir(stage.path("mixed")).unwrap();
    fs::copy(stage.path("home.pcap"), stage.path("mixed/home.pcap")).unwrap();
    stage.ok("extract home.pcap --evidence paper -o paper.csv");
    let said = stage.ok("compare paper.csv hours.csv --format jsonl");
    assert!(said.stderr.contains("paper.csv: lacks"), "{}", said.stderr);
}

#[test]
fn labels_that_nobody_confirmed_name_no_device() {
    let stage = Stage::new();
    let camera = write_days(&stage);
    let labels = fs::read_to_string(stage.path("labels.csv")).unwrap();
    fs::write(stage.path("proposed.csv"), labels.replace(",osprel-camera,", ",? osprel-camera,")).unwrap();
    let of_camera = |arguments: &str| {
        let said = stage.ok(&format!("compare {arguments} --all --format jsonl"));
        let rows = said.json_lines().into_iter().filter(|row| row["device"] == *camera).collect::<Vec<_>>();
        assert!(!rows.is_empty(), "{}", said.stderr);
        rows.into_iter().map(|row| row["label"].clone()).collect::<Vec<_>>()
    };
    let unnamed = of_camera("before.pcap after.pcap --no-audit --labels proposed.csv");
    assert!(unnamed.iter().all(Value::is_null), "{unnamed:?}");
    for day in ["before", "after"] {
        stage.ok(&format!("extract {day}.pcap --labels proposed.csv -o {day}.csv"));
    }
    let of_files = of_camera("before.csv after.csv");
    assert!(of_files.iter().all(Value::is_null), "{of_files:?}");
}

#[test]
fn a_stream_is_read_once_or_refused() {
    let stage = Stage::new();
    write_days(&stage);
    let said = stage.run_with_stdin("compare before.pcap -", "after.pcap");
    assert_eq!(said.status, 2, "{}", said.stderr);
    assert!(
        said.stderr.contains("gives its packets once") && said.stderr.contains("--no-audit"),
        "{}",
        said.stderr
    );
    let streamed = stage.run_with_stdin("compare before.pcap - --no-audit --format jsonl", "after.pcap");
    assert_eq!(streamed.status, 0, "{}", streamed.stderr);
    assert_eq!(streamed.stdout, stage.ok("compare before.pcap after.pcap --no-audit --format jsonl").stdout);
    stage.fails("compare - -", 2, &["standard input is one time"]);
    let report = stage.run_with_stdin("report - -o report.html", "after.pcap");
    assert_eq!(report.status, 2, "{}", report.stderr);
}

#[test]
fn a_copy_of_a_capture_changes_no_finding() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap --labels labels.csv");
    stage.ok("simulate --home unsafe --duration 1h -o unsafe.pcap --labels unsafe.csv");
    fs::create_dir(stage.path("twice")).unwrap();
    for copy in ["a.pcap", "b.pcap"] {
        fs::copy(stage.path("unsafe.pcap"), stage.path(&format!("twice/{copy}"))).unwrap();
    }
    let twice = stage.ok("compare home.pcap twice --format jsonl");
    assert_eq!(twice.stdout, stage.ok("compare home.pcap unsafe.pcap --format jsonl").stdout);
    assert_eq!(twice.stderr.matches("is a copy of").count(), 1, "{}", twice.stderr);
}

/// A capture of six hours from one on; in each, the device sends a datagram to port 5000 of these hosts, which answer.
fn asking(first: i64, servers: &[[u8; 4]]) -> Vec<u8> {
    const DEVICE: ([u8; 6], [u8; 4], [u8; 2]) = ([2, 0, 0, 0, 0, 1], [10, 0, 0, 1], [0x17, 0x70]);
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    for (hour, server) in
        (first..first + 6).flat_map(|hour| servers.iter().map(move |server| (hour, *server)))
    {
        let server = ([2, 0, 0, 0, 0, 2], server, [0x13, 0x88]);
        for (at_s, (from, src, port), (to, dst, to_port)) in [(0, DEVICE, server), (1, server, DEVICE)] {
            let mut frame = [to, from].concat();
            frame.extend([0x08, 0x00, 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0]);
            frame.extend([src, dst].concat());
            frame.extend([port, to_port].concat());
            frame.extend([0, 12, 0, 0, 1, 2, 3, 4]);
            let time = Timestamp::from_seconds(1_717_372_800 + hour * 3600 + at_s);
            writer.write(time, &frame, u32::try_from(frame.len()).unwrap()).unwrap();
        }
    }
    writer.finish().unwrap()
}

#[test]
fn hosts_of_the_local_networks_are_peers() {
    let stage = Stage::new();
    fs::write(stage.path("before.pcap"), asking(0, &[[10, 0, 0, 2]])).unwrap();
    fs::write(stage.path("after.pcap"), asking(24, &[[10, 0, 0, 2], [129, 94, 0, 7]])).unwrap();
    let peers = |options: &str| {
        let command =
            format!("compare before.pcap after.pcap --no-gateway --no-audit --all --format jsonl {options}");
        let rows = stage.ok(&command).json_lines();
        let of_device =
            rows.into_iter().filter(|row| row["device"] == "02:00:00:00:00:01" && row["what"] == "peers");
        of_device.map(|row| row["words"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(peers(""), Vec::<Value>::new());
    assert_eq!(peers("--local-nets 129.94.0.0/16"), [serde_json::json!({ "129.94.0.7": 6 })]);
}

#[test]
fn findings_that_a_store_has_are_compared() {
    let stage = Stage::new();
    stored(&stage, &simulated(&stage));
    stage.ok("simulate --home unsafe --duration 3h -o unsafe.pcap --labels unsafe.csv");
    let rows = stage.ok("compare net.db unsafe.pcap --format jsonl").json_lines();
    assert!(of_kind(&rows, "new-finding").iter().any(|row| row["severity"] == "error"), "{rows:?}");
    let without = stage.ok("compare net.db unsafe.pcap --no-audit --format jsonl").json_lines();
    assert!(of_kind(&without, "new-finding").is_empty(), "{without:?}");
    let rows = stage.ok("compare unsafe.pcap net.db --format jsonl").json_lines();
    let new = of_kind(&rows, "new-finding");
    assert_eq!(new.len(), 1, "{rows:?}");
    assert_eq!((&new[0]["what"], &new[0]["after"]), (&"tls-version".into(), &"TLS 1.0 (2 flows)".into()));
    assert!(of_kind(&rows, "mended-finding").is_empty(), "a store does not say what could be judged");
}

/// Writes a capture a day later, without the TCP packets of one device and without another device.
fn write_next_day(stage: &Stage, (without_tcp, silent): ([u8; 6], [u8; 6])) {
    let path = stage.path("unsafe.pcap");
    let open = move || Ok(Box::new(File::open(&path)?) as _);
    let mut trace = Trace::new(vec![Capture::new("unsafe.pcap", open)], TraceOptions::default());
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    while let Some((frame, packet)) = trace.next_frame() {
        let is_of = |mac: [u8; 6]| frame.bytes[..6] == mac || frame.bytes[6..12] == mac;
        let is_tcp = frame.bytes[12..14] == [8, 0] && frame.bytes[23] == 6;
        let is_left_out = is_of(silent) || (is_of(without_tcp) && is_tcp);
        if !is_left_out {
            let time = packet.time.plus_nanos(86_400_000_000_000);
            writer.write(time, frame.bytes, frame.wire_bytes).unwrap();
        }
    }
    fs::write(stage.path("next.pcap"), writer.finish().unwrap()).unwrap();
}

#[test]
fn findings_that_were_not_judged_again_are_not_mended() {
    let stage = Stage::new();
    stage.ok("simulate --home unsafe --duration 3h -o unsafe.pcap --labels unsafe.csv");
    let labels = fs::read_to_string(stage.path("unsafe.csv")).unwrap();
    let mac = |label: &str| {
        let line = labels.lines().find(|line| line.contains(label)).unwrap();
        let bytes: Vec<u8> =
            line[..17].split(':').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        <[u8; 6]>::try_from(bytes).unwrap()
    };
    write_next_day(&stage, (mac("bad-offer"), mac("bad-choice")));
    let command = "compare unsafe.pcap next.pcap --labels unsafe.csv";
    let rows = stage.ok(&format!("{command} --format jsonl")).json_lines();
    assert!(of_kind(&rows, "mended-finding").is_empty(), "{rows:?}");
    let unjudged = of_kind(&rows, "unjudged-finding");
    let why = |label: &str, rule: &str| {
        let row =
            unjudged.iter().find(|row| row["label"].as_str().unwrap().contains(label) && row["what"] == rule);
        row.map(|row| row["after"].as_str().unwrap().to_owned())
    };
    assert_eq!(
        why("bad-offer", "TLS-003").as_deref(),
        Some("there was no flow of tls or quic"),
        "{unjudged:?}"
    );
    assert_eq!(why("bad-choice", "TLS-004").as_deref(), Some("the device was not seen"), "{unjudged:?}");
    let table = stage.ok(&format!("{command} --format table")).stdout;
    assert!(table.contains("not judged again") && !table.contains("mended"), "{table}");

    let said = stage.ok("report next.pcap --baseline unsafe.pcap --labels unsafe.csv -o report.html").stderr;
    assert!(said.contains("not judged again") && !said.contains("mended"), "{said}");
    let page = fs::read_to_string(stage.path("report.html")).unwrap();
    assert!(page.contains("earlier error not judged again: TLS-003"), "{page}");
    assert!(page.contains("earlier findings were not judged again"), "{page}");
}

#[test]
fn findings_of_a_rule_and_a_device_are_one_row_with_all_values() {
    let stage = Stage::new();
    stage.ok("simulate --duration 3h -o home.pcap --labels labels.csv");
    stage.ok("simulate --home unsafe --duration 3h -o unsafe.pcap --labels unsafe.csv");
    let rows = stage.ok("compare home.pcap unsafe.pcap --format jsonl").json_lines();
    let found = of_kind(&rows, "new-finding");
    let mut seen = std::collections::BTreeSet::new();
    for row in &found {
        let key = (row["device"].to_string(), row["what"].to_string());
        assert!(seen.insert(key), "a rule and a device twice: {row}");
        let values = row["words"].as_object().unwrap().len();
        let has_more = row["after"].as_str().unwrap().ends_with(&format!(", and {} more", values - 1));
        assert_eq!(has_more, values > 1, "{row}");
    }
    assert!(found.iter().any(|row| row["words"].as_object().unwrap().len() > 1), "{found:?}");
}

#[test]
fn an_empty_side_is_no_comparison() {
    let stage = Stage::new();
    stage.ok("simulate --duration 2h -o home.pcap --labels labels.csv");
    fs::write(stage.path("empty.pcap"), crate::stage::capture(&[])).unwrap();
    for sides in ["home.pcap empty.pcap", "empty.pcap home.pcap"] {
        let said = stage.run(&format!("compare {sides} --format jsonl"));
        assert_eq!(said.status, 4, "{sides}: {}", said.stderr);
        assert!(said.stderr.contains("empty.pcap: no window of any device"), "{}", said.stderr);
        assert_eq!(said.stdout, "", "of nothing, nobody knows what is new or gone");
    }
    let short = stage.ok("compare home.pcap home.pcap --format jsonl");
    assert!(short.stderr.contains("home.pcap has windows of 2 hours on 1 day (UTC)"), "{}", short.stderr);
}

#[test]
fn times_that_are_no_before_and_after_are_named_and_no_others() {
    let stage = Stage::new();
    // Two halves of one hour, and the hour behind.
    stage.ok("simulate --duration 20m -o one.pcap");
    stage.ok("simulate --duration 20m --start 2024-06-03T00:30:00Z -o two.pcap");
    stage.ok("simulate --duration 2h --start 2024-06-03T00:10:00Z -o three.pcap");
    for name in ["one", "two", "three"] {
        stage.ok(&format!("extract {name}.pcap -o {name}.csv"));
    }
    let said = |arguments: &str| stage.ok(&format!("compare {arguments} --no-audit")).stderr;
    let (overlaps, is_reversed) = ("begins before the end of", "swap them");
    let check = |arguments: &str, expected: Option<&str>| {
        let said = said(arguments);
        let found = [overlaps, is_reversed, "are the same packets, so that nothing can differ"]
            .into_iter()
            .find(|text| said.contains(text));
        assert_eq!(found, expected, "{arguments}: {said}");
    };
    check("one.pcap two.pcap", None);
    check("one.csv two.csv", None);
    check("two.pcap one.pcap", Some(is_reversed));
    check("one.pcap three.pcap", Some(overlaps));
    check("three.csv three.csv", Some("are the same packets, so that nothing can differ"));
    stage.ok("simulate --duration 20m --start 2024-06-04T00:00:00Z -o later.pcap");
    stage.ok("extract later.pcap -o later.csv");
    check("later.csv one.pcap", Some(is_reversed));
    check("one.pcap later.csv", None);
    // Pages have what makes them doubtful at their top, and not on standard error alone.
    stage.ok("report one.pcap --baseline two.pcap -o report.html");
    stage.ok("compare two.pcap one.pcap --html changes.html");
    for page in ["report.html", "changes.html"] {
        let page = fs::read_to_string(stage.path(page)).unwrap();
        assert!(page.contains(is_reversed) && page.contains("with fewer than 3 days"), "{page}");
    }
}
