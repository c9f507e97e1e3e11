//! Where `audit` writes, and what its status says.

use std::fs;

use serde_json::Value;

use super::{devices, findings, stage_with_unsafe_home};
use crate::stage::{Stage, capture, stored_gzip};

#[test]
fn two_results_in_one_file_are_refused_and_places_are_looked_at_before_reading() {
    let stage = stage_with_unsafe_home();
    stage.fails(
        "audit home.pcap -o same.json --sarif ./same.json",
        2,
        &["--output and --sarif", "same.json"],
    );
    stage.fails("audit home.pcap --mud-out mud --html mud/a.json", 2, &["--html", "folder of --mud-out"]);
    stage.fails("audit home.pcap -o good.json --html nowhere/a.html", 1, &["--html", "no folder nowhere"]);
    stage.fails("audit home.pcap -o good.json --html .", 1, &["--html"]);
    assert!(["same.json", "good.json"].iter().all(|name| !stage.path(name).exists()), "nothing was begun");
    stage.ok("audit home.pcap -o a.json --sarif a.sarif --html a.html");
    stage.ok("audit home.pcap -o a.json --sarif a.sarif --html a.html");
}

#[test]
fn findings_win_over_input_that_was_cut_and_no_packet_is_no_success() {
    let stage = stage_with_unsafe_home();
    let whole = fs::read(stage.path("home.pcap")).unwrap();
    fs::write(stage.path("cut.pcap"), &whole[..whole.len() - 7]).unwrap();
    assert_eq!(stage.run("audit cut.pcap").status, 4);
    assert_eq!(stage.run("audit cut.pcap --fail-on error").status, 3);
    assert_eq!(stage.run("audit home.pcap mistyped.pcap").status, 4);
    assert_eq!(stage.run("audit home.pcap mistyped.pcap --fail-on error").status, 3);
    fs::write(stage.path("empty.pcap"), capture(&[])).unwrap();
    assert_eq!(stage.run("audit empty.pcap --fail-on error").status, 4);
}

#[test]
fn a_finding_says_how_it_is_mended_and_where_it_was_seen_in_every_form() {
    let stage = stage_with_unsafe_home();
    stage.ok("simulate --home unsafe --duration 10m --start 2024-06-04T00:00:00Z -o second.pcap");
    let audit = stage.ok("audit home.pcap second.pcap --labels labels.csv --format json").json();
    let all = devices(&audit);
    let finding = &findings(all["tls-002-old-server"])[0];
    let example = &finding["example"];
    assert_eq!((&example["capture"], &example["protocol"]), (&"home.pcap".into(), &"tcp".into()));
    let rows = stage.ok("audit home.pcap second.pcap --labels labels.csv").json_lines();
    let row = rows.iter().find(|row| row["label"] == "tls-002-old-server" && row["seen"] == finding["seen"]);
    let row = row.unwrap();
    for (of_row, value) in [
        ("operator", &finding["operator"]),
        ("remediation", &finding["remediation"]),
        ("first_time", &example["time"]),
        ("first_proto", &example["protocol"]),
        ("first_capture", &example["capture"]),
    ] {
        assert!(value.is_string() && row[of_row] == *value, "{of_row}: {row}");
    }
    assert_eq!(row["looks_like_answer"], Value::Null, "nobody is known");
}

#[test]
fn the_worst_device_comes_first() {
    let stage = stage_with_unsafe_home();
    let audit = stage.ok("audit home.pcap --labels labels.csv --format json").json();
    let rank =
        |severity: &Value| ["error", "warning", "note"].iter().position(|word| severity == word).unwrap();
    let mut of_devices = Vec::new();
    for device in audit["devices"].as_array().unwrap() {
        let ranks: Vec<usize> = findings(device).iter().map(|finding| rank(&finding["severity"])).collect();
        assert!(ranks.is_sorted(), "{device}");
        of_devices.push(ranks.first().copied().unwrap_or(3));
    }
    assert!(of_devices.is_sorted() && of_devices.first() < of_devices.last(), "{of_devices:?}");
}

#[test]
fn a_built_in_policy_is_printed_to_be_changed() {
    let stage = Stage::new();
    let text = stage.ok("audit --policy-show strict").stdout;
    assert!(text.contains("name = \"strict\""), "{text}");
    stage.ok("audit --policy-show strict -o own.toml");
    assert_eq!(fs::read_to_string(stage.path("own.toml")).unwrap(), text);
    assert!(stage.ok("audit --rules --policy own.toml").stdout.contains("\"policy\":\"strict\""));
    stage.fails("audit --policy-show lenient", 2, &["bcp2026"]);
    stage.fails("audit --policy-show strict home.pcap", 2, &["--policy-show"]);
    stage.fails("audit x.pcap --format xml", 2, &["table", "sarif", "html"]);
    stage.fails("audit x.pcap -j 0", 2, &["1 or more"]);
}

#[test]
fn who_learns_the_same_again_is_told() {
    let stage = stage_with_unsafe_home();
    let learn = "audit home.pcap --labels labels.csv --fingerprints-out known.json";
    assert!(!stage.ok(learn).stderr.contains("learned already"));
    let again = stage.ok(&format!("{learn} --fingerprints known.json"));
    assert!(again.stderr.contains("learned already"), "{}", again.stderr);
}

#[test]
fn what_is_read_is_not_written_over() {
    let stage = stage_with_unsafe_home();
    stage.ok("audit --policy-show bcp2026 -o own.toml");
    stage.ok("audit home.pcap --labels labels.csv --fingerprints-out known.json --mud-out mud");
    let profile = "mud/ntp-001-old-client.json";
    for (given, file) in [
        ("--policy own.toml", "own.toml"),
        ("--labels labels.csv", "labels.csv"),
        ("--fingerprints known.json", "known.json"),
        ("--labels labels.csv --mud mud", profile),
        ("", "home.pcap"),
    ] {
        let before = fs::read(stage.path(file)).unwrap();
        for option in ["--format json -o", "--html", "--sarif", "--cipher-plot"] {
            stage.fails(
                &format!("audit home.pcap {given} {option} {file}"),
                2,
                &["would replace an input", file],
            );
        }
        assert!(fs::read(stage.path(file)).unwrap() == before, "{file} was changed");
    }
    // What is learned anew may go back to where it was read from.
    stage.ok("audit home.pcap --fingerprints known.json --fingerprints-out known.json");
}

#[test]
fn a_capture_is_learned_once_whatever_it_is_called_and_whatever_comes_with_it() {
    let stage = stage_with_unsafe_home();
    stage.ok("simulate --home unsafe --duration 10m --seed 2 -o second.pcap");
    let learn = |captures: &str, file: &str| {
        let known = if stage.path(file).exists() { format!("--fingerprints {file}") } else { String::new() };
        stage.ok(&format!(
            "audit {captures} --labels labels.csv {known} --fingerprints-out {file} --format json"
        ))
    };
    learn("home.pcap", "known.json");
    let once = fs::read(stage.path("known.json")).unwrap();
    fs::copy(stage.path("home.pcap"), stage.path("renamed.pcap")).unwrap();
    fs::write(stage.path("home.pcap.gz"), stored_gzip(&fs::read(stage.path("home.pcap")).unwrap())).unwrap();
    for again in ["home.pcap", "renamed.pcap", "home.pcap.gz"] {
        assert!(learn(again, "known.json").stderr.contains("1 capture was learned already"), "{again}");
        assert_eq!(fs::read(stage.path("known.json")).unwrap(), once, "{again}");
    }
    // Beside a new capture it does not count again, but is judged.
    let both = learn("home.pcap second.pcap", "known.json");
    assert!(both.stderr.contains("1 capture was learned already"), "{}", both.stderr);
    let gateway = "--gateway a8:40:7c:00:20:01";
    learn("home.pcap", "apart.json");
    learn(&format!("second.pcap {gateway}"), "apart.json");
    assert_eq!(
        fs::read_to_string(stage.path("known.json")).unwrap(),
        fs::read_to_string(stage.path("apart.json")).unwrap()
    );
}

#[test]
fn two_that_learn_at_once_lose_nothing_and_one_that_fails_has_learned_nothing() {
    let stage = stage_with_unsafe_home();
    for seed in 2..6 {
        stage.ok(&format!("simulate --home unsafe --duration 5m --seed {seed} -o {seed}.pcap"));
    }
    stage.ok("audit home.pcap --labels labels.csv --fingerprints-out known.json");
    let before = fs::read(stage.path("known.json")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("known.json", stage.path("link.json")).unwrap();
    #[cfg(not(unix))]
    fs::hard_link(stage.path("known.json"), stage.path("link.json")).unwrap();
    let learn = "--labels labels.csv --fingerprints known.json --fingerprints-out known.json";
    let failed = stage.run(&format!("audit 2.pcap {learn} --html nowhere/a.html"));
    assert_eq!(failed.status, 1, "{}", failed.stderr);
    #[cfg(target_os = "linux")]
    {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = stage.command(&format!("audit 2.pcap {learn}"), std::process::Stdio::null());
        assert_eq!(command.stdout(full).output().unwrap().status.code(), Some(1));
    }
    assert_eq!(fs::read(stage.path("known.json")).unwrap(), before, "a run that failed has learned");
    std::thread::scope(|scope| {
        for seed in 2..6 {
            let (stage, file) = (&stage, if seed % 2 == 0 { "known.json" } else { "link.json" });
            let learn = learn.replace("known.json", file);
            scope.spawn(move || stage.ok(&format!("audit {seed}.pcap {learn}")));
        }
    });
    let known: Value = serde_json::from_slice(&fs::read(stage.path("known.json")).unwrap()).unwrap();
    assert_eq!(known["captures"].as_array().map(Vec::len), Some(5), "{}", known["captures"]);
    let names = fs::read_dir(stage.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    let hidden: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with('.')).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}
