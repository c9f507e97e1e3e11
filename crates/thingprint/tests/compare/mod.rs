//! What `compare` reports of a simulated home in which a camera scans the Internet on the second day.

use std::fs::{self, File};
use std::io;

use serde_json::Value;
use thingprint_sim::{Attack, AttackKind, CaptureReader, Simulation, SimulationOptions, TelnetScan, home};

use crate::stage::Stage;

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
    assert!(table.stdout.contains("Changes, the most unusual first") && table.stdout.contains(&camera));
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
