//! Instances from logs of Zeek and Suricata, beside those of the packets that the logs tell of.
//!
//! The logs are written here, in the form of these tools, from the flows and messages that the command itself finds in a
//! simulated home: so what both ways must agree on is known exactly.

mod written;

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::stage::Stage;
use written::{Home, eve, zeek_json, zeek_tsv};

/// What packets and logs agree on, where no flow crosses the edge of a window: all three hours are one.
const NUMBERS: [&str; 4] = ["flow_volume_bytes", "flow_duration_s", "dns_interval_s", "ntp_interval_s"];
const BAGS: [&str; 3] = ["ports", "domains", "cipher_suites"];

fn stage_with_home() -> Stage {
    let stage = Stage::new();
    stage.ok("simulate --duration 3h -o home.pcap --labels labels.csv");
    stage
}

/// Writes files of a log folder.
fn write(stage: &Stage, folder: &str, files: Vec<(String, String)>) {
    fs::create_dir_all(stage.path(folder)).unwrap();
    for (name, text) in files {
        fs::write(stage.path(folder).join(name), text).unwrap();
    }
}

fn by_window(rows: &[Value]) -> BTreeMap<(String, String), &Value> {
    let key = |row: &Value| {
        (row["device"].as_str().unwrap().to_owned(), row["window_start"].as_str().unwrap().to_owned())
    };
    rows.iter().map(|row| (key(row), row)).collect()
}

/// Values that are the same but for the order of a sum.
fn is_near(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * a.abs().max(1.0),
        _ => a == b,
    }
}

/// Checks that instances of logs say what those of packets say.
fn check_same(logs: &[Value], packets: &[Value], numbers: &[&str], bags: &[&str]) {
    let (logs, packets) = (by_window(logs), by_window(packets));
    assert_eq!(logs.keys().collect::<Vec<_>>(), packets.keys().collect::<Vec<_>>());
    for (window, packets) in packets {
        let logs = logs[&window];
        for name in numbers.iter().chain(&["packets_up", "packets_down", "bytes_up", "flows"]) {
            assert!(
                is_near(&logs[*name], &packets[*name]),
                "{window:?} {name}: {} of logs, {} of packets",
                logs[*name],
                packets[*name]
            );
        }
        for name in bags {
            assert_eq!(logs[*name], packets[*name], "{window:?} {name}");
        }
    }
}

#[test]
fn logs_of_zeek_say_what_the_packets_say() {
    let stage = stage_with_home();
    let home = Home::of(&stage);
    write(&stage, "tsv", zeek_tsv(&home));
    write(&stage, "json", zeek_json(&home));
    let packets = stage.ok("extract home.pcap --window 3h --labels labels.csv --format jsonl").json_lines();
    let tsv = stage.ok("extract --from zeek tsv --window 3h --labels labels.csv --format jsonl");
    check_same(&tsv.json_lines(), &packets, &NUMBERS, &BAGS);
    assert!(tsv.json_lines().iter().all(|row| row["label"].is_string()));
    assert!(tsv.json_lines()[0].get("sizes").is_none(), "what logs do not tell is not there");
    assert!(tsv.stderr.contains("these logs lack"), "{}", tsv.stderr);
    let json = stage.ok("extract --from zeek json --window 3h --labels labels.csv --format jsonl");
    assert_eq!(json.stdout, tsv.stdout);
}

#[test]
fn logs_of_suricata_say_what_the_packets_say() {
    let stage = stage_with_home();
    let home = Home::of(&stage);
    write(&stage, "eve", eve(&home));
    let packets = stage.ok("extract home.pcap --window 3h --size wire --format jsonl").json_lines();
    let eve = stage.ok("extract --from eve eve --window 3h --format jsonl");
    check_same(&eve.json_lines(), &packets, &["flow_duration_s", "dns_interval_s"], &BAGS);
    let first = &eve.json_lines()[0];
    assert!(first.get("ntp_interval_s").is_none_or(Value::is_null), "Suricata logs no NTP: {first}");
    assert!(eve.stderr.contains("Suricata logs no NTP"), "{}", eve.stderr);
}

#[test]
fn a_model_of_packets_refuses_instances_of_logs_and_the_other_way_round() {
    let stage = stage_with_home();
    write(&stage, "zeek", zeek_tsv(&Home::of(&stage)));
    stage.ok("extract home.pcap --labels labels.csv --evidence paper -o packets.parquet");
    stage.ok("extract --from zeek zeek --labels labels.csv --evidence paper -o logs.parquet");
    stage.ok("train packets.parquet -o packets.model");
    stage.ok("train logs.parquet -o logs.model");
    stage.fails("classify --model packets.model logs.parquet", 5, &["origin=zeek"]);
    stage.fails("classify --model logs.model packets.parquet", 5, &["origin=zeek"]);
    stage.fails("classify --model logs.model home.pcap", 5, &["extract --from zeek"]);
    let verdicts = stage.ok("classify --model logs.model logs.parquet --format jsonl").json_lines();
    assert!(!verdicts.is_empty());
}

#[test]
fn evidence_whose_log_is_not_there_is_absent() {
    let stage = stage_with_home();
    let mut files = zeek_tsv(&Home::of(&stage));
    files.retain(|(name, _)| name.starts_with("conn") || name.starts_with("ssl"));
    for (_, text) in &mut files {
        *text = text.replace("client_ciphers", "ciphers_of_nobody");
    }
    write(&stage, "zeek", files);
    let said = stage.ok("extract --from zeek zeek --format jsonl");
    for row in said.json_lines() {
        for name in ["domains", "cipher_suites", "dns_interval_s", "ntp_interval_s"] {
            assert!(row.get(name).is_none_or(Value::is_null), "{name}: {row}");
        }
        assert!(row["ports"].is_object(), "{row}");
    }
    for log in ["dns.log", "ntp.log", "ssl-log-ext"] {
        assert!(said.stderr.contains(log), "{log}: {}", said.stderr);
    }
}

#[test]
fn leases_say_who_an_address_was_and_without_them_addresses_are_devices() {
    let stage = stage_with_home();
    let home = Home::of(&stage);
    // Without link addresses of connections, with leases.
    let mut files = zeek_tsv(&home);
    let with_leases: Vec<(String, String)> =
        files.iter().map(|(name, text)| (name.clone(), text.replace("_l2_addr", "_l3_addr"))).collect();
    write(&stage, "leases", with_leases);
    let leases = stage.ok("extract --from zeek leases --format jsonl");
    let devices: std::collections::BTreeSet<String> =
        leases.json_lines().iter().map(|row| row["device"].as_str().unwrap().to_owned()).collect();
    assert!(devices.len() >= 5 && devices.iter().all(|device| device.contains(':')), "{devices:?}");
    files.retain(|(name, _)| !name.starts_with("dhcp"));
    let without: Vec<(String, String)> =
        files.into_iter().map(|(name, text)| (name, text.replace("_l2_addr", "_l3_addr"))).collect();
    write(&stage, "addresses", without);
    let addresses = stage.ok("extract --from zeek addresses --format jsonl");
    assert!(addresses.stderr.contains("mac-logging"), "{}", addresses.stderr);
    for row in addresses.json_lines() {
        assert!(row["device"].as_str().unwrap().parse::<std::net::IpAddr>().is_ok(), "{row}");
    }
}

#[test]
fn damage_is_counted_by_file_and_line() {
    let stage = stage_with_home();
    let mut files = zeek_tsv(&Home::of(&stage));
    let (_, conn) = files.iter_mut().find(|(name, _)| name.starts_with("conn")).unwrap();
    conn.push_str("1717372800.0\ttoo\tfew\n\u{0}\n");
    write(&stage, "zeek", files);
    let said = stage.run("extract --from zeek zeek --format jsonl");
    assert_eq!(said.status, 4, "{}", said.stderr);
    assert!(said.stderr.contains("conn.log") && said.stderr.contains("3 values for"), "{}", said.stderr);
    assert!(!said.json_lines().is_empty());
}

#[test]
fn what_cannot_be_done_is_refused_with_a_reason() {
    let stage = Stage::new();
    fs::create_dir(stage.path("empty")).unwrap();
    fs::write(
        stage.path("eve.json"),
        json!({"event_type": "stats", "timestamp": "2026-01-01T00:00:00.0+0000"}).to_string(),
    )
    .unwrap();
    fs::write(stage.path("conn.log"), "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n1.0\tC\t10.0.0.1\t1\t10.0.0.2\t2\tudp\n")
        .unwrap();
    stage.fails("extract --from zeek -", 1, &["read twice"]);
    stage.fails("extract --from zeek empty", 1, &["no log of Zeek"]);
    stage.fails("extract --from zeek none", 1, &["no such file"]);
    stage.fails("extract --from eve eve.json", 1, &["no connection", "type flow"]);
    stage.fails("extract --from zeek conn.log", 1, &["conn.log, line 2", "orig_pkts"]);
    stage.fails("extract --from zeek conn.log --window capture", 2, &["no captures"]);
    stage.fails("extract --from zeek conn.log --preset joy", 2, &["--preset"]);
    stage.fails("extract --from zeek conn.log --partial -o x.part", 2, &["--partial"]);
    stage.fails("extract --from zeek conn.log -o conn.log", 2, &["conn.log"]);
}

#[test]
fn what_is_missing_of_several_logs_is_named_and_the_rest_is_there() {
    let stage = stage_with_home();
    write(&stage, "zeek", zeek_tsv(&Home::of(&stage)));
    let whole = stage.ok("extract --from zeek zeek --format jsonl").json_lines();
    for (arguments, told) in [
        ("zeek nosuch.log", "failed to read nosuch.log: no such file or folder"),
        ("zeek none*.log", "failed to read none*.log: nothing matches this glob"),
    ] {
        let said = stage.run(&format!("extract --from zeek {arguments} --format jsonl"));
        assert_eq!(said.status, 4, "{}", said.stderr);
        assert!(said.stderr.contains(told), "{}", said.stderr);
        assert_eq!(said.json_lines(), whole);
    }
    stage.fails("extract --from zeek nosuch.log none.log", 1, &["nosuch.log", "none.log"]);
    fs::write(stage.path("zeek/notes.txt"), "of mine").unwrap();
    let said = stage.ok("extract --from zeek zeek --format jsonl -v");
    assert!(said.stderr.contains("not read: 1 file that is no log of Zeek"), "{}", said.stderr);
    assert!(said.stderr.contains("zeek/notes.txt is no log of Zeek"), "{}", said.stderr);
}

#[test]
fn a_log_that_was_cut_gives_its_rows_and_says_so() {
    let stage = stage_with_home();
    write(&stage, "zeek", zeek_tsv(&Home::of(&stage)));
    let mut paths = fs::read_dir(stage.path("zeek")).unwrap().map(|entry| entry.unwrap().path());
    let conn = paths.find(|path| path.file_name().unwrap().to_string_lossy().contains("conn")).unwrap();
    let packed = crate::stage::stored_gzip(&fs::read(&conn).unwrap());
    fs::remove_file(&conn).unwrap();
    fs::write(stage.path("zeek/conn.log.gz"), &packed[..packed.len() - 2000]).unwrap();
    let said = stage.run("extract --from zeek zeek --format jsonl");
    assert_eq!(said.status, 4, "{}", said.stderr);
    assert!(
        said.stderr.contains("failed to read zeek/conn.log.gz to its end; the last line"),
        "{}",
        said.stderr
    );
    assert!(said.json_lines().len() > 10, "{}", said.stderr);
}
