//! What `classify --baseline` reports of a home in which a camera is made to scan the Internet on the second day.

use std::fs::{self, File};
use std::io;

use serde_json::Value;
use thingprint_sim::{Attack, AttackKind, CaptureReader, Simulation, SimulationOptions, TelnetScan, home};

use crate::stage::Stage;

/// A capture of two days: from 08:20 on the second one the camera tries addresses, once a second for ten minutes.
fn write_home(stage: &Stage) -> String {
    let options = SimulationOptions::default();
    let kind = AttackKind::TelnetScan(TelnetScan { port: 23 });
    let start_s = options.start_s + 32 * 3600 + 1200;
    let attack = Attack { device: "camera".to_owned(), kind, start_s, duration_s: 600, packets_per_s: 1.0 };
    let home = home().unwrap();
    let camera = home.labels().into_iter().find(|device| device.name == "camera").unwrap();
    let simulation = Simulation::with_attacks(&home, options, &[attack]).unwrap();
    let mut file = File::create(stage.path("home.pcap")).unwrap();
    io::copy(&mut CaptureReader::new(simulation), &mut file).unwrap();
    camera.mac
}

/// Two files of instances: those of a day and those of the other.
fn write_days(stage: &Stage, evidence: &str) {
    stage.ok(&format!("extract home.pcap --labels labels.csv --evidence {evidence} -o all.csv"));
    let text = fs::read_to_string(stage.path("all.csv")).unwrap();
    let (head, rows) = text.split_once('\n').unwrap();
    for (day, file) in [("2024-06-03", "earlier.csv"), ("2024-06-04", "later.csv")] {
        let rows: Vec<&str> = rows.lines().filter(|row| row.contains(day)).collect();
        fs::write(stage.path(file), format!("{head}\n{}\n", rows.join("\n"))).unwrap();
    }
}

fn staged() -> (Stage, String) {
    let stage = Stage::new();
    let camera = write_home(&stage);
    stage.ok("simulate --duration 1h -o hour.pcap --labels labels.csv");
    write_days(&stage, "all");
    stage.ok("train earlier.csv -o home.model");
    (stage, camera)
}

#[test]
fn a_camera_that_scans_alarms_in_its_hour() {
    let (stage, camera) = staged();
    let said = stage.ok("classify --model home.model later.csv --baseline earlier.csv --format jsonl");
    let rows: Vec<Value> = said.json_lines();
    let of_kind = |kind: &str| rows.iter().filter(|row| row["kind"] == kind).collect::<Vec<_>>();
    let alarms = of_kind("alarm");
    let scans: Vec<&&Value> = alarms.iter().filter(|alarm| alarm["device"] == *camera).collect();
    let [scan] = scans[..] else { panic!("{alarms:?}") };
    assert_eq!(scan["window"], "2024-06-04T08:00:00Z");
    let changed = scan["changed"].as_array().unwrap();
    let ports = changed.iter().find(|changed| changed["measure"] == "ports").unwrap();
    assert_eq!(ports["words"][0]["word"], "23");
    assert_eq!(ports["words"][0]["first_seen"], "2024-06-04T08:00:00Z");
    assert!(ports["value"].as_f64().unwrap() > 500.0 && ports["limit"].as_f64().unwrap() < 50.0, "{ports}");
    assert!(alarms.len() < 6, "{alarms:?}");
    // Answers are those without a baseline, and every row has every key.
    let keys = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!(rows.iter().all(|row| keys(row) == keys(&rows[0])));
    let plain = stage.ok("classify --model home.model later.csv --format jsonl").json_lines();
    let answers: Vec<&Value> =
        rows.iter().filter(|row| row["kind"] == "window" || row["kind"] == "device").collect();
    assert_eq!(answers.len(), plain.len());
    assert!(answers.iter().zip(&plain).all(|(answer, plain)| {
        plain.as_object().unwrap().iter().all(|(key, value)| answer[key] == *value)
    }));
    assert_eq!(of_kind("status").len(), 9);
}

#[test]
fn every_format_has_changes_and_people_see_what_is_new() {
    let (stage, camera) = staged();
    // A baseline may be captures, and may come in parts; nothing is accepted.
    let said =
        stage.ok("classify --model home.model later.csv --baseline earlier.csv --threshold 1 --format table");
    for text in ["Alarms\n", "first seen", &camera, " 23 x", "2024-06-04T08:00:00Z"] {
        assert!(said.stdout.contains(text), "no '{text}' in {}", said.stdout);
    }
    assert!(said.stderr.contains("earlier windows: "), "{}", said.stderr);
    for format in ["csv", "json", "parquet"] {
        stage.ok(&format!("classify --model home.model later.csv --baseline earlier.csv -o out.{format}"));
        assert!(fs::read(stage.path(&format!("out.{format}"))).unwrap().len() > 1000);
    }
    let csv = fs::read_to_string(stage.path("out.csv")).unwrap();
    assert!(csv.starts_with("kind,device,day,window,"), "{csv:.200}");
    let silent = stage.ok(
        "classify --model home.model hour.pcap --baseline earlier.csv --baseline later.csv --format jsonl",
    );
    assert!(silent.stderr.contains("in the baseline as well"), "{}", silent.stderr);
}

#[test]
fn a_baseline_that_cannot_be_compared_is_refused_or_warned_of() {
    let (stage, _) = staged();
    stage.ok("extract hour.pcap --window capture --labels labels.csv --evidence all -o capture.csv");
    stage.ok("train capture.csv -o capture.model");
    stage.fails(
        "classify --model capture.model capture.csv --baseline capture.csv",
        2,
        &["--baseline", "extract windows of an hour"],
    );
    stage.fails("classify --model home.model later.csv --baseline earlier.csv --explain", 2, &["--baseline"]);
    stage.fails("classify --model home.model later.csv --baseline nothing.csv", 1, &["nothing.csv"]);
    stage.ok("extract hour.pcap --labels labels.csv --evidence paper -o paper.csv");
    stage.ok("train paper.csv -o paper.model");
    let said = stage.ok("classify --model paper.model later.csv --baseline paper.csv --format jsonl");
    assert!(said.stderr.contains("the baseline lacks served_ports"), "{}", said.stderr);
    assert!(said.json_lines().iter().any(|row| row["state"] == "too-few"), "{}", said.stderr);
    // Captures are extracted with what a comparison looks at.
    let said = stage.ok("classify --model paper.model hour.pcap --baseline earlier.csv --format jsonl");
    assert!(!said.stderr.contains("lack"), "{}", said.stderr);
}

/// The same home as a simulation and as captures: attacks are played into the one and merged with the other.
#[test]
fn attacks_show_in_simulations_and_in_captures() {
    let stage = Stage::new();
    fs::create_dir_all(stage.path("captures")).unwrap();
    fs::create_dir_all(stage.path("datasets/mine")).unwrap();
    stage.ok("simulate --duration 24h -o captures/home.pcap --labels captures/labels.csv");
    let dataset = "description = 'd'\norigin = 'o'\nlicence = 'l'\nobtain = 'x'\nlabels = 'labels.csv'\n\
                   [[trace]]\ncaptures = ['home.pcap']\n";
    fs::write(stage.path("datasets/mine/dataset.toml"), dataset).unwrap();
    let definition = "name = 'struck'\ntitle = 't'\nplace = 'p'\nasks = 'a'\nfound = 'f'\nmisleads = 'm'\n\
                      data = ['mine', 'home']\nseeds = [1]\n[analysis.attacks.change]\n\
                      extraction = { options = 'evidence=all' }\ntrain = 0.7\nrates_pps = [1]\nstart_s = 600\n\
                      duration_s = 600\nrounds = 1\nkinds = [{ telnet-scan = { port = 23 } }, { tcp-syn = { port = 8888 } }]\n";
    fs::write(stage.path("struck.toml"), definition).unwrap();
    stage.ok("experiment struck.toml --days 1 --data mine=captures --cache cache");
    for folder in ["struck", "struck-home"] {
        let text = fs::read_to_string(stage.path(&format!("results/{folder}/metrics.json"))).unwrap();
        let metrics: Value = serde_json::from_str(&text).unwrap();
        let number =
            |scenario: &str, metric: &str| metrics["scenarios"][scenario][metric]["mean"].as_f64().unwrap();
        for attack in ["change/telnet-scan-1", "change/tcp-syn-1"] {
            assert!(number(attack, "hours") >= 6.0, "{folder} {attack}: {text}");
            assert!(number(attack, "detected") > 0.999, "{folder} {attack}: {text}");
        }
        let (hours, alarms) = (number("change/clean", "hours"), number("change/clean", "alarms"));
        assert!(alarms < hours / 2.0, "{folder}: {alarms} alarms in {hours} hours without an attack");
    }
}
