//! What a watch stored, shown and exported.

use std::fs;

use thingprint_flow::Timestamp;
use thingprint_report::{InstanceFile, read_instances};
use thingprint_store::Store;
use thingprint_watch::{
    Account, Event, EventKind, FindingRecord, Severity, Sighting, Standing, StandingChange, Update,
    WindowAnswer, WindowRecord,
};

use crate::stage::Stage;

/// Instances of three hours of the simulated home, with their labels.
pub(crate) fn simulated(stage: &Stage) -> InstanceFile {
    stage.ok("simulate --start 2024-06-03T21:00:00Z --duration 6h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap --labels labels.csv -o extracted.jsonl");
    read_instances(&fs::read(stage.path("extracted.jsonl")).unwrap(), "extracted.jsonl").unwrap()
}

fn window(row: &thingprint_instance::Labeled) -> WindowRecord {
    let (instance, counts) = (&row.instance, row.instance.counts);
    WindowRecord {
        device: instance.device,
        window_start: instance.window_start,
        window_s: instance.window_s,
        part: 0,
        is_cut: false,
        provisional_after_s: None,
        packets_up: counts.packets_up,
        packets_down: counts.packets_down,
        bytes_up: counts.bytes_up,
        bytes_down: counts.bytes_down,
        flows: counts.flows,
        sleep_time_s: None,
        answer: Some(WindowAnswer {
            class: None,
            best_guess: "Camera".to_owned(),
            confidence: 0.625,
            likeness: None,
            reason: Some("the confidence is below 0.8".to_owned()),
            distribution: vec![0.625, 0.375],
        }),
        instance: Some(Box::new(instance.clone())),
    }
}

fn sighting(row: &thingprint_instance::Labeled) -> Sighting {
    Sighting {
        device: row.instance.device,
        gateway: None,
        is_randomised: false,
        addresses: vec!["192.168.1.7".parse().unwrap()],
        host_name: Some("Annas-iPhone".to_owned()),
        vendor_class: None,
        identity: None,
        names: Vec::new(),
        server_ports: Vec::new(),
        served_ports: Vec::new(),
        services: Vec::new(),
        first_seen: row.instance.window_start,
        last_seen: row.instance.window_start,
        packets_up: 1,
        packets_down: 2,
    }
}

/// Everything else that is said of the first device.
fn said(device: thingprint_flow::DeviceId, at: Timestamp) -> Vec<Update> {
    let finding = FindingRecord {
        device,
        rule: "tls-version".to_owned(),
        severity: Severity::Error,
        by: "device".to_owned(),
        flows: 2,
        seen: "TLS 1.0".to_owned(),
        expected: "TLS 1.2".to_owned(),
        reference: "RFC 8996".to_owned(),
        remediation: "update the firmware".to_owned(),
        first_seen: at,
        last_seen: at,
        example: "tcp 192.168.1.7:51000 > 198.51.100.1:443".to_owned(),
        acknowledged_at: None,
    };
    let event = Event {
        id: 1,
        at,
        kind: EventKind::NewDevice,
        severity: Severity::Warning,
        device: Some(device),
        subject: device.to_string(),
        text: format!("{device} (Annas-iPhone) is new"),
        evidence: serde_json::Map::from_iter([("host_name".to_owned(), "Annas-iPhone".into())]),
        times: 1,
        acknowledged_at: None,
    };
    let standing = Standing {
        class: None,
        best_guess: "Camera".to_owned(),
        confidence: 0.625,
        likeness: None,
        reason: Some("the confidence is below 0.8".to_owned()),
        family: None,
        windows: 3,
        since: at,
    };
    let change = StandingChange { device, at, from: Some("Plug".to_owned()), to: None, confidence: 0.625 };
    vec![
        Update::Finding(finding),
        Update::Event(event),
        Update::Standing(device, standing),
        Update::Changed(change),
    ]
}

/// A store with these instances, in which the last window of the first device is cut.
pub(crate) fn stored(stage: &Stage, file: &InstanceFile) {
    let mut store = Store::open(&stage.path("net.db")).unwrap();
    store.set_recipe(file.recipe.as_ref().unwrap()).unwrap();
    let first = &file.rows[0].instance;
    let mut updates: Vec<Update> = vec![Update::Device(sighting(&file.rows[0]))];
    updates.extend(file.rows.iter().map(|row| Update::Window(window(row))));
    updates.extend(said(first.device, first.window_start));
    let last = file.rows.iter().rfind(|row| row.instance.device == first.device).unwrap();
    let cut = WindowRecord { part: 1, is_cut: true, ..window(last) };
    updates.push(Update::Window(cut));
    let until = last.instance.window_start.plus_nanos(3_600_000_000_000);
    store.write(&Account { updates, final_until: Some(until) }).unwrap();
    for row in &file.rows {
        if let Some(label) = &row.label {
            store.label(row.instance.device, Some(&label.class), until).unwrap();
        }
    }
}

#[test]
fn what_a_watch_stored_is_exported_as_it_was_extracted_and_trains() {
    let stage = Stage::new();
    let file = simulated(&stage);
    stored(&stage, &file);
    let said = stage.ok("store net.db export -o exported.jsonl");
    let (all, labelled) = (file.rows.len(), file.rows.iter().filter(|row| row.label.is_some()).count());
    assert!(
        said.stderr.contains(&format!("{all} instances, {labelled} of them labelled")),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains("left out: 1 window in which the watch began or ended"), "{}", said.stderr);
    let exported = read_instances(&fs::read(stage.path("exported.jsonl")).unwrap(), "x").unwrap();
    assert_eq!(exported.recipe, file.recipe);
    let key = |row: &thingprint_instance::Labeled| (row.instance.window_start, row.instance.device);
    let sorted = |mut rows: Vec<thingprint_instance::Labeled>| {
        rows.sort_by_key(key);
        // The page asks for no kind and no family.
        for row in &mut rows {
            row.label =
                row.label.take().map(|label| thingprint_instance::Label::new(&label.class, label.kind));
        }
        rows
    };
    let kinds = |rows: Vec<thingprint_instance::Labeled>| -> Vec<thingprint_instance::Instance> {
        rows.into_iter().map(|row| row.instance).collect()
    };
    assert_eq!(kinds(sorted(exported.rows.clone())), kinds(sorted(file.rows.clone())));

    // A label file has the word, also about kinds: what comes out is what was extracted with it.
    stage.ok("store net.db export --labels labels.csv -o labelled.jsonl");
    let labelled = read_instances(&fs::read(stage.path("labelled.jsonl")).unwrap(), "x").unwrap();
    assert_eq!(sorted(labelled.rows), sorted(file.rows.clone()));
    stage.ok("store net.db export -o exported.parquet");
    let trained = stage.ok("train exported.parquet -o net.model");
    assert!(trained.stderr.contains("model written to net.model"), "{}", trained.stderr);

    let closed = stage.ok("store net.db export --closed");
    let starts: Vec<String> =
        closed.json_lines().iter().map(|row| row["window_start"].as_str().unwrap().to_owned()).collect();
    assert!(!starts.is_empty() && starts.iter().all(|start| start.starts_with("2024-06-03")), "{starts:?}");
    let days = stage.ok("store net.db export --days 2024-06-04 --with-cut").json_lines();
    assert_eq!(days.len() + starts.len(), all + 1);
}

#[test]
fn what_a_watch_stored_is_listed() {
    let stage = Stage::new();
    let file = simulated(&stage);
    stored(&stage, &file);
    let device = file.rows[0].instance.device.to_string();
    let lines = |arguments: &str| stage.ok(&format!("store net.db {arguments}")).json_lines();
    let info = lines("info");
    assert_eq!(info[0]["windows"], file.rows.len() + 1);
    assert_eq!((&info[0]["cut_windows"], &info[0]["open_events"]), (&1.into(), &1.into()));
    let devices = lines("devices");
    let first = devices.iter().find(|row| row["device"] == *device).unwrap();
    assert_eq!((&first["host_name"], &first["errors"]), (&"Annas-iPhone".into(), &1.into()));
    assert_eq!(
        (&first["class"], &first["best_guess"], &first["is_new"]),
        (&().into(), &"Camera".into(), &true.into())
    );
    assert_eq!(lines("history")[0]["address"], "192.168.1.7");
    assert_eq!(lines("history")[1]["host_name"], "Annas-iPhone");
    let windows = lines(&format!("windows {device} --most 2"));
    assert_eq!((windows.len(), &windows[0]["is_cut"], &windows[0]["part"]), (2, &true.into(), &1.into()));
    assert_eq!(lines(&format!("changes {device}"))[0]["from"], "Plug");
    assert_eq!(lines("events --kind new-device --open")[0]["evidence"]["host_name"], "Annas-iPhone");
    assert_eq!(lines("events --since 2024-06-05"), [(); 0].map(|()| serde_json::Value::Null));
    assert_eq!(lines(&format!("findings {device}"))[0]["seen"], "TLS 1.0");
    // The labels are a label file.
    stage.ok("store net.db labels -o page.csv");
    stage.ok("extract home.pcap --labels page.csv -o again.jsonl");
    let checked = stage.ok("store net.db check");
    assert!(checked.stderr.contains("sound"), "{}", checked.stderr);
    let table = stage.ok("store net.db devices --format table").stdout;
    assert!(table.contains("62.5 %") && table.contains("unknown"), "{table}");
}

#[test]
fn stores_that_cannot_be_used_are_refused_with_what_to_do() {
    let stage = Stage::new();
    stage.fails("store none.db info", 1, &["failed to use the store none.db: there is no such file"]);
    stage.fails("store none.db prune --keep 1d", 1, &["there is no such file"]);
    assert!(!stage.path("none.db").exists());
    fs::write(stage.path("text.db"), "no database").unwrap();
    stage.fails("store text.db devices", 1, &["the file is no store of thingprint"]);
    stored(&stage, &simulated(&stage));
    let held = Store::open(&stage.path("net.db")).unwrap();
    let pid = format!("process {} writes it; stop that first", std::process::id());
    stage.fails("store net.db forget 70:ee:50:18:34:43", 1, &[&pid]);
    stage.fails("store net.db prune --keep 90d", 1, &[&pid]);
    stage.ok("store net.db export");
    drop(held);
    stage.fails(
        "store net.db forget 70:ee:50:18:34:43",
        1,
        &["is not in it; 'thingprint store STORE devices' lists"],
    );
    stage.fails("store net.db prune --keep soon", 2, &["expected one such as 90d or 12h"]);
    stage.fails("store net.db export -o net.db", 2, &["unknown extension 'db'"]);
    stage.fails("store net.db export --format csv -o net.db", 2, &["the result would replace an input"]);
    stage.fails(
        "store net.db windows --days 2026-11-03..2026-11-01",
        2,
        &["the last one is before the first"],
    );
}

#[test]
fn a_device_is_forgotten_and_old_windows_go() {
    let stage = Stage::new();
    let file = simulated(&stage);
    stored(&stage, &file);
    let device = file.rows[0].instance.device.to_string();
    let pruned = stage.ok("store net.db prune --keep 2h");
    assert!(pruned.stderr.contains("of before"), "{}", pruned.stderr);
    let left = stage.ok("store net.db windows").json_lines().len();
    assert!(left > 0 && left < file.rows.len(), "{left}");
    let bytes = || fs::read(stage.path("net.db")).unwrap();
    let has = |bytes: &[u8]| bytes.windows(device.len()).any(|part| part == device.as_bytes());
    assert!(has(&bytes()));
    let forgotten = stage.ok(&format!("store net.db forget {device}"));
    assert!(forgotten.stderr.contains(&format!("of {device} forgotten")), "{}", forgotten.stderr);
    assert!(!has(&bytes()));
    let devices = stage.ok("store net.db devices").json_lines();
    assert!(!devices.is_empty() && devices.iter().all(|row| row["device"] != *device));
}
