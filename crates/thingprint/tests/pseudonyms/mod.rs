//! Results without the names of devices and people.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::stage::Stage;

/// Every way in which the MAC addresses of the simulated home are written.
fn notations(stage: &Stage) -> Vec<String> {
    let labels = fs::read_to_string(stage.path("labels.csv")).unwrap();
    let macs = labels.lines().skip(1).filter_map(|line| line.split(',').next()).filter(|mac| mac.len() == 17);
    macs.flat_map(|mac| [mac.to_owned(), mac.replace(':', ""), mac.replace(':', "-")]).collect()
}

/// The texts of a column.
fn column(rows: &[Value], name: &str) -> BTreeSet<String> {
    rows.iter().filter_map(|row| Some(row[name].as_str()?.to_owned())).collect()
}

#[test]
fn no_address_and_no_host_name_is_in_a_result() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o hour.pcap --labels labels.csv");
    stage.ok("simulate --duration 2h -o home.pcap --labels labels.csv");
    let macs = notations(&stage);
    assert!(macs.len() > 20, "{macs:?}");
    let hosts = column(&stage.ok("devices home.pcap").json_lines(), "host_name");
    assert!(hosts.len() > 3, "{hosts:?}");
    for command in [
        "devices",
        "flows",
        "flows --attributes",
        "extract --labels labels.csv",
        "extract --evidence all",
        "audit",
        "compare hour.pcap --all --no-audit",
    ] {
        let real = stage.ok(&format!("{command} home.pcap -q"));
        let published = stage.ok(&format!("{command} home.pcap --pseudonyms key -q"));
        assert_eq!(published.stdout.lines().count(), real.stdout.lines().count(), "{command}");
        assert!(macs.iter().any(|mac| real.stdout.contains(mac)), "{command}");
        for mac in &macs {
            assert!(!published.stdout.to_lowercase().contains(mac), "{command}: {mac}");
        }
        // As a value of its own: a user agent may well have a word of it.
        for host in &hosts {
            assert!(!published.stdout.contains(&format!("\"{host}\"")), "{command}: {host}");
        }
        let (real, published) = (real.json_lines(), published.json_lines());
        for name in ["id.orig_h", "id.resp_h"] {
            let (before, after) = (column(&real, name), column(&published, name));
            let kept: BTreeSet<&String> = before.intersection(&after).collect();
            let is_group = |text: &&&String| {
                text.starts_with('2')
                    || text.starts_with("ff02")
                    || ["0.0.0.0", "::"].contains(&text.as_str())
            };
            assert!(kept.iter().all(|text| is_group(&text)), "{command}: {kept:?}");
            assert_eq!(before.len(), after.len(), "{command}: no two addresses became one");
        }
        assert_eq!(column(&real, "device").len(), column(&published, "device").len(), "{command}");
        assert_eq!(column(&real, "label"), column(&published, "label"), "{command}");
    }
    // One key, one pseudonym: a result of another command or format fits.
    let devices = column(&stage.ok("devices home.pcap --pseudonyms key").json_lines(), "device");
    stage.ok("extract home.pcap --labels labels.csv --pseudonyms key -o home.parquet");
    stage.ok("extract home.pcap --labels labels.csv --pseudonyms key -o home.jsonl");
    let written: Vec<Value> = fs::read_to_string(stage.path("home.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(column(&written, "device").is_subset(&devices));
    let other = column(&stage.ok("devices home.pcap --pseudonyms other").json_lines(), "device");
    assert!(other.is_disjoint(&devices));
    // What is learned does not hang on names.
    stage.ok("train home.parquet -o home.model");
    let answers =
        stage.ok("classify --model home.model home.pcap --pseudonyms key --per device").json_lines();
    assert!(column(&answers, "device").is_subset(&devices) && !answers.is_empty());
}

#[test]
fn a_store_is_exported_with_pseudonyms() {
    let stage = Stage::new();
    stage.ok("simulate --start 2024-06-03T21:00:00Z --duration 2h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap --labels labels.csv -o home.jsonl");
    let bytes = fs::read(stage.path("home.jsonl")).unwrap();
    crate::store::stored(&stage, &thingprint_report::read_instances(&bytes, "home.jsonl").unwrap());
    let (mut all, mut macs) = (String::new(), notations(&stage));
    macs.extend(["192.168.1.7".to_owned(), "Annas-iPhone".to_owned()]);
    for action in ["info", "devices", "history", "windows", "events", "findings", "labels", "export"] {
        all += &stage.ok(&format!("store net.db {action} --pseudonyms key")).stdout;
    }
    assert!(all.contains("tls-version") && all.contains("is new"), "{all}");
    for name in macs {
        assert!(!all.contains(&name), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_the_key_and_a_bad_one_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let stage = Stage::new();
    stage.ok("simulate --duration 10m -o home.pcap");
    stage.ok("devices home.pcap --pseudonyms key");
    let key = fs::read_to_string(stage.path("key")).unwrap();
    assert_eq!((key.trim().len(), key.len()), (64, 65));
    assert_eq!(fs::metadata(stage.path("key")).unwrap().permissions().mode() & 0o777, 0o600);
    for bad in ["", "00", &"g".repeat(64), &"0".repeat(65), &"é".repeat(32)] {
        fs::write(stage.path("bad"), bad).unwrap();
        stage.fails("devices home.pcap --pseudonyms bad", 2, &["does not have 64 hexadecimal digits"]);
    }
    stage.fails(
        "devices home.pcap --pseudonyms key -o key --format csv",
        2,
        &["would replace an input: key"],
    );
    assert_eq!(fs::read_to_string(stage.path("key")).unwrap(), key);
    stage.fails("devices home.pcap --pseudonyms none/key", 2, &["failed to use the key in none/key"]);
}

#[test]
fn what_has_no_pseudonyms_refuses_them() {
    let stage = Stage::new();
    stage.ok("simulate --duration 10m -o home.pcap --labels labels.csv");
    for (command, what) in [
        ("audit home.pcap --html x.html", "--html"),
        ("audit home.pcap --mud-out x", "--mud"),
        ("audit home.pcap --fingerprints-out x", "--fingerprints"),
        ("simulate -o x.pcap", "simulate"),
        ("demo", "demo"),
        ("protocols list", "protocols"),
        ("train x.csv -o x.model", "train"),
        ("evaluate x.csv", "evaluate"),
        ("devices home.pcap --labels-template x.csv", "--labels-template"),
        ("flows home.pcap --split x", "--split"),
        ("flows home.pcap --attributes --show-credentials", "--show-credentials"),
        ("extract home.pcap --partial -o x.part", "--partial"),
        ("identify home.pcap", "identify"),
        ("mud export home.pcap --to nftables", "mud"),
        ("report home.pcap -o x.html", "report"),
        ("compare home.pcap home.pcap --html x.html", "--html"),
        ("experiment x.toml", "experiment"),
        ("watch home.pcap", "watch"),
        ("collect folder:x", "collect"),
    ] {
        let expected = format!("--pseudonyms: {what} names devices as they are");
        stage.fails(&format!("{command} --pseudonyms key"), 2, &[&expected]);
    }
    assert!(!stage.path("key").exists());
    let expected = "--pseudonyms: json of audit names devices as they are: choose csv, jsonl or parquet";
    stage.fails("audit home.pcap --format json --pseudonyms key", 2, &[expected]);
}
