//! The command as scripts and people use it: results, messages, exit statuses.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod answers;
mod audit;
mod caps;
mod change;
mod compare;
mod configuration;
mod evaluate;
mod evidence;
mod experiments;
mod fairness;
mod field;
mod files;
mod flows;
#[cfg(target_os = "linux")]
mod growth;
mod hostile;
mod identity;
mod logs;
mod mistaken;
mod mud;
mod protocols;
mod pseudonyms;
mod readers;
mod report;
mod rows;
mod stage;
mod store;
mod taps;
mod watch;

use std::fs;

use stage::{Frame, Stage, capture, pcapng_of_802_11, stored_gzip};

#[test]
fn the_whole_way_from_a_capture_to_verdicts() {
    let stage = Stage::new();
    let simulated =
        stage.run("simulate --start 2024-06-03T14:00:00Z --duration 10h -o home.pcap --labels labels.csv");
    assert_eq!(simulated.status, 0, "{}", simulated.stderr);
    assert!(simulated.stderr.contains("simulated frames"), "{}", simulated.stderr);

    let extracted = stage.run("extract home.pcap --labels labels.csv -o instances.parquet");
    assert_eq!(extracted.status, 0, "{}", extracted.stderr);

    let evaluated = stage.run("evaluate instances.parquet --split time=0.7 --scenario all --format json");
    assert_eq!(evaluated.status, 0, "{}", evaluated.stderr);
    let json = evaluated.json();
    for scenario in ["ports", "domains", "ciphers", "stage0", "low", "low-medium", "final"] {
        let report = &json["scenarios"][scenario];
        for field in ["accuracy", "rrse", "instances", "macro_f1", "coverage", "accepted_accuracy"] {
            assert!(report[field].is_number(), "{scenario} {field}: {report}");
        }
        let classes = report["classes"].as_array().unwrap().len();
        assert_eq!(report["confusion"].as_array().unwrap().len(), classes);
        assert_eq!(report["per_class"].as_array().unwrap().len(), classes);
    }
    let accuracy = json["scenarios"]["final"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.8 && accuracy <= 1.0, "{accuracy}");

    let trained = stage.run("train instances.parquet -o home.model");
    assert_eq!(trained.status, 0, "{}", trained.stderr);
    assert_eq!(trained.stdout, "");

    let classified = stage.run("classify --model home.model home.pcap --labels labels.csv");
    assert_eq!(classified.status, 0, "{}", classified.stderr);
    let rows = classified.json_lines();
    let devices: Vec<_> = rows.iter().filter(|row| row["window"].is_null()).collect();
    assert_eq!(devices.len(), fs::read_to_string(stage.path("labels.csv")).unwrap().lines().count() - 1);
    assert!(devices.iter().all(|row| row["right"] == "right"), "{devices:?}");
    assert!(rows.iter().any(|row| row["window"].is_string() && row["ports_class"].is_string()));

    let from_table = stage.run("classify --model home.model instances.parquet --labels labels.csv");
    assert_eq!(from_table.stdout, classified.stdout, "captures and their instances give the same answers");

    let explained = stage.ok("classify --model home.model --explain home.pcap");
    assert_eq!(explained.stdout, stage.ok("classify --model home.model home.pcap --explain=all").stdout);
    let device = explained.json_lines()[0]["device"].as_str().unwrap().to_owned();
    let of_one = stage.ok(&format!("classify --explain={device} --model home.model home.pcap")).json_lines();
    assert!(!of_one.is_empty() && of_one.iter().all(|row| row["device"] == *device), "{of_one:?}");
    assert!(explained.json_lines().iter().any(|row| row["stage"] == "stage-0"));
    assert!(explained.json_lines().iter().any(|row| row["stage"] == "stage-1"));

    let with_model = stage.run("evaluate --model home.model instances.parquet --format json");
    assert_eq!(with_model.status, 0, "{}", with_model.stderr);
    assert!(with_model.json()["accuracy"].as_f64().unwrap() > 0.9);
    assert!(with_model.json()["generator"].is_string());
}

#[test]
fn results_do_not_depend_on_threads_and_formats_hold_the_same() {
    let stage = Stage::new();
    stage.ok("simulate --duration 3h -o home.pcap --labels labels.csv");
    let one = stage.ok("extract home.pcap --labels labels.csv -j1");
    let piped = stage.run_with_stdin("extract - --labels labels.csv", "home.pcap");
    assert_eq!(piped.stdout, one.stdout, "a stream, read with the gateway as a device");
    for name in ["a.parquet", "a.csv", "a.jsonl"] {
        stage.ok(&format!("extract home.pcap --labels labels.csv -o {name}"));
        stage.ok(&format!("train {name} -o {name}.model -q"));
    }
    let model = |name: &str| fs::read(stage.path(name)).unwrap();
    assert_eq!(model("a.parquet.model"), model("a.csv.model"));
    assert_eq!(model("a.parquet.model"), model("a.jsonl.model"));
    for seed in 1..=5 {
        stage.ok(&format!("simulate --duration 20m --seed {seed} -o part-{seed}.pcap"));
    }
    for command in
        ["extract part-*.pcap --window capture --labels labels.csv", "classify --model a.csv.model a.csv"]
    {
        let (one, many) = (stage.ok(&format!("{command} -j1")), stage.ok(&format!("{command} -j4")));
        assert!(one.stdout.lines().count() > 20, "{command}: {}", one.stdout);
        assert_eq!(one.stdout, many.stdout, "{command}");
        assert_eq!(one.stderr, many.stderr, "{command}");
    }
    stage.ok("train a.csv -o one.model -j1");
    stage.ok("train a.csv -o many.model -j4");
    assert_eq!(model("one.model"), model("many.model"));
    let again = stage.ok("simulate --duration 3h -o again.pcap");
    assert_eq!(again.status, 0);
    assert_eq!(fs::read(stage.path("home.pcap")).unwrap(), fs::read(stage.path("again.pcap")).unwrap());
}

#[test]
fn devices_are_listed_with_a_label_file_to_fill_in() {
    let stage = Stage::new();
    stage.ok("simulate --start 2024-06-03T18:00:00Z --duration 3h -o home.pcap --labels labels.csv");
    let listed = stage.ok("devices home.pcap --labels-template template.csv");
    let rows = listed.json_lines();
    assert!(rows.len() >= 8, "the photo frame is off at night: {}", listed.stdout);
    assert!(rows.iter().any(|row| row["randomised"] == true), "the laptop's address is randomised");
    assert!(rows.iter().any(|row| row["host_name"].is_string()));
    let template = fs::read_to_string(stage.path("template.csv")).unwrap();
    assert!(template.contains("\nmac,label,kind\n"), "{template}");
    let filled = template.replace("\n#", "\n").replace(",,iot", ",Thing,iot").replace("\n ", "\n# ");
    fs::write(stage.path("filled.csv"), filled).unwrap();
    let extracted = stage.ok("extract home.pcap --labels filled.csv");
    assert!(extracted.json_lines().iter().all(|row| row["label"] == "Thing"), "{}", extracted.stdout);
}

#[test]
fn a_wrong_first_guess_of_the_gateway_changes_nothing() {
    let stage = Stage::new();
    let (camera, first, gateway) = ([2, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 2], [0, 0, 0, 0, 0, 3]);
    let frame = |at_s, from, to, src| Frame { at_s, from, to, src, dst: [192, 168, 1, 9] };
    let early = [frame(0, first, camera, [8, 8, 8, 8]), frame(1, camera, first, [192, 168, 1, 9])];
    let late: Vec<Frame> = (10..20).map(|at| frame(at, gateway, camera, [9, 9, 9, 9])).collect();
    let late: Vec<Frame> = late.into_iter().chain([frame(30, gateway, camera, [192, 168, 1, 1])]).collect();
    fs::write(stage.path("a.pcap"), capture(&early)).unwrap();
    fs::write(stage.path("b.pcap"), capture(&late)).unwrap();
    let guessed = stage.ok("extract a.pcap b.pcap -v");
    assert!(guessed.stderr.contains("the gateway is 00:00:00:00:00:03"), "{}", guessed.stderr);
    assert_eq!(guessed.stdout, stage.ok("extract a.pcap b.pcap --gateway 00:00:00:00:00:03").stdout);
    assert!(
        guessed.stdout.contains("\"device\":\"00:00:00:00:00:02\""),
        "the first guess is a device after all"
    );
}

#[test]
fn a_copy_of_a_capture_is_read_once() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap");
    stage.ok("simulate --start 2024-06-03T01:00:00Z --duration 1h --seed 2 -o other.pcap");
    fs::copy(stage.path("home.pcap"), stage.path("copy.pcap")).unwrap();
    let once = stage.ok("extract home.pcap other.pcap home.pcap");
    let twice = stage.ok("extract copy.pcap other.pcap home.pcap");
    assert_eq!(once.stdout, twice.stdout);
    assert!(twice.stderr.contains("home.pcap is a copy of copy.pcap"), "{}", twice.stderr);
}

#[test]
fn a_copy_compressed_another_way_is_read_once_by_every_command() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap");
    let bytes = fs::read(stage.path("home.pcap")).unwrap();
    fs::create_dir(stage.path("more")).unwrap();
    fs::write(stage.path("more/home.pcap.gz"), stored_gzip(&bytes)).unwrap();
    fs::write(stage.path("cut.pcap"), &bytes[..bytes.len() - 1]).unwrap();
    for command in ["extract", "extract --window capture", "devices"] {
        let once = stage.ok(&format!("{command} home.pcap"));
        let twice = stage.ok(&format!("{command} home.pcap more/home.pcap.gz"));
        let warning = "more/home.pcap.gz is a copy of home.pcap";
        assert_eq!(once.stdout, twice.stdout, "{command}");
        assert!(twice.stderr.contains(warning), "{command}: {}", twice.stderr);
        let longer = stage.run(&format!("{command} home.pcap cut.pcap"));
        assert_eq!(longer.status, 4, "{command}: {}", longer.stderr);
        assert!(!longer.stderr.contains("is a copy"), "{command}: {}", longer.stderr);
    }
    let mac = stage.ok("devices home.pcap").json_lines()[0]["device"].as_str().unwrap().to_owned();
    let manifest = format!("capture,mac,label\nhome.pcap,{mac},Plug\nmore/home.pcap.gz,{mac},Lamp\n");
    fs::write(stage.path("manifest.csv"), manifest).unwrap();
    let labelled =
        stage.ok("extract home.pcap more/home.pcap.gz --window capture --labels manifest.csv").json_lines();
    for label in ["Plug", "Lamp"] {
        assert!(labelled.iter().any(|row| row["label"] == label), "a copy may have a label of its own");
    }
}

#[test]
fn a_manifest_labels_by_file_and_windows_are_files() {
    let stage = Stage::new();
    fs::create_dir_all(stage.path("set/plug")).unwrap();
    fs::create_dir_all(stage.path("set/lamp")).unwrap();
    stage.ok("simulate --duration 10m -o set/plug/one.pcap");
    stage.ok("simulate --duration 10m --seed 2 -o set/lamp/two.pcap");
    let mac = stage.ok("devices set/plug/one.pcap").json_lines()[0]["device"].as_str().unwrap().to_owned();
    fs::write(stage.path("manifest.csv"), format!("folder,mac,label\nplug,{mac},Plug\nlamp,{mac},Lamp\n"))
        .unwrap();
    let extracted = stage.ok("extract set --window capture --labels manifest.csv");
    let labels: Vec<(String, String)> = extracted
        .json_lines()
        .iter()
        .filter(|row| row["device"] == *mac)
        .map(|row| (row["capture"].as_str().unwrap().to_owned(), row["label"].as_str().unwrap().to_owned()))
        .collect();
    assert!(labels.contains(&("set/plug/one.pcap".to_owned(), "Plug".to_owned())), "{labels:?}");
    assert!(labels.contains(&("set/lamp/two.pcap".to_owned(), "Lamp".to_owned())), "{labels:?}");
}

#[test]
fn inputs_that_are_not_there_or_no_captures_fail_by_name() {
    let stage = Stage::new();
    fs::create_dir(stage.path("empty")).unwrap();
    fs::write(stage.path("notes.txt"), "not a capture at all\n").unwrap();
    fs::write(stage.path("nothing.pcap"), "").unwrap();
    stage.fails("extract missing.pcap", 1, &["missing.pcap", "no such file or folder"]);
    stage.fails("extract empty", 1, &["empty", "there is no capture in this folder"]);
    stage.fails("extract none-*.pcap", 1, &["none-*.pcap", "nothing matches"]);
    stage.fails("extract notes.txt", 1, &["notes.txt", "capture"]);
    stage.fails("extract nothing.pcap", 1, &["nothing.pcap"]);
    stage.fails("devices missing.pcap", 1, &["missing.pcap"]);
    stage.fails("train missing.parquet -o x.model", 1, &["missing.parquet", "no such file"]);
    stage.fails("evaluate notes.txt", 1, &["notes.txt", "device"]);
    stage.fails("classify --model missing.model notes.txt", 1, &["missing.model"]);
    stage.fails("classify --model empty notes.txt", 1, &["failed to read model empty"]);
}

#[test]
fn archives_in_a_folder_are_named_with_what_to_do() {
    let stage = Stage::new();
    fs::create_dir(stage.path("day")).unwrap();
    stage.ok("simulate --duration 10m -o day/home.pcap --labels labels.csv");
    fs::write(stage.path("day/more.zip"), b"PK\x03\x04\x14\0\0\0").unwrap();
    fs::write(stage.path("day/notes.txt"), b"no capture").unwrap();
    let said = stage.run("devices day --format jsonl");
    assert_eq!(said.status, 4, "{}", said.stderr);
    let expected =
        "warning: day/more.zip is a ZIP archive, and was not read: extract the captures from it first";
    assert!(said.stderr.contains(expected) && !said.stderr.contains("notes.txt"), "{}", said.stderr);
    assert!(said.stdout.lines().count() > 1, "{}", said.stdout);
    fs::create_dir(stage.path("archives")).unwrap();
    fs::rename(stage.path("day/more.zip"), stage.path("archives/more.zip")).unwrap();
    stage.fails(
        "devices archives",
        1,
        &["there is no capture in this folder; archives/more.zip is a ZIP archive"],
    );
    fs::write(stage.path("conn.log"), b"#separator \\x09\n#path\tconn\n").unwrap();
    stage.fails(
        "devices conn.log",
        1,
        &["this is a Zeek log, not a capture: give the capture that Zeek read; extract --from zeek"],
    );
}

#[test]
fn devices_fit_on_a_screen_unless_all_columns_are_asked_for() {
    let stage = Stage::new();
    stage.ok("simulate --duration 2h -o home.pcap --labels labels.csv");
    let width = |arguments: &str| {
        let said = stage.ok(arguments);
        said.stdout.lines().map(|line| line.chars().count()).max().unwrap()
    };
    assert!(width("devices home.pcap --labels labels.csv --format table") <= 100);
    assert!(width("devices home.pcap --format table") <= 100);
    assert!(width("devices home.pcap --labels labels.csv --format table --wide") > 100);
}

#[test]
fn labels_that_fit_nothing_are_named() {
    let stage = Stage::new();
    stage.ok("simulate --duration 10m -o home.pcap --labels labels.csv");
    let labels = "mac,label,kind\na840.7c0b.33f2,Laptop,non-iot\n020000000001,lap top,iot\n";
    fs::write(stage.path("mine.csv"), labels).unwrap();
    for command in ["devices", "flows", "extract", "audit"] {
        let said = stage.ok(&format!("{command} home.pcap --labels mine.csv --format jsonl"));
        let missing = "1 of 2 labelled devices was seen; not seen: lap top (02:00:00:00:00:01)";
        assert!(said.stderr.contains(missing), "{command}: {}", said.stderr);
        assert!(
            said.stderr.contains("'Laptop' and 'lap top' differ only in case or blanks"),
            "{}",
            said.stderr
        );
    }
}

#[test]
fn an_empty_capture_has_no_instances_and_says_so() {
    let stage = Stage::new();
    fs::write(stage.path("empty.pcap"), capture(&[])).unwrap();
    let extracted = stage.ok("extract empty.pcap -o none.csv");
    assert!(extracted.stderr.contains("no packet"), "{}", extracted.stderr);
    assert_eq!(fs::read_to_string(stage.path("none.csv")).unwrap().lines().count(), 1, "a header");
    stage.fails("train none.csv -o x.model", 1, &["label"]);
}

#[test]
fn a_cut_capture_gives_what_it_has_and_status_4() {
    let stage = Stage::new();
    stage.ok("simulate --duration 30m -o home.pcap");
    let bytes = fs::read(stage.path("home.pcap")).unwrap();
    fs::write(stage.path("cut.pcap"), &bytes[..bytes.len() / 2]).unwrap();
    let extracted = stage.run("extract cut.pcap -o cut.csv");
    assert_eq!(extracted.status, 4, "{}", extracted.stderr);
    assert!(
        extracted.stderr.contains("cut.pcap") && extracted.stderr.contains("byte"),
        "{}",
        extracted.stderr
    );
    assert!(fs::read_to_string(stage.path("cut.csv")).unwrap().lines().count() > 5);
    fs::write(stage.path("notes.txt"), "not a capture at all\n").unwrap();
    let mixed = stage.run("extract home.pcap notes.txt gone.pcap");
    assert_eq!(mixed.status, 4, "{}", mixed.stderr);
    assert!(mixed.stderr.contains("notes.txt") && mixed.stderr.contains("gone.pcap"), "{}", mixed.stderr);
}

#[test]
fn captures_of_which_nothing_can_be_read_fail() {
    let stage = Stage::new();
    fs::write(stage.path("a.txt"), "not a capture at all\n").unwrap();
    fs::copy(stage.path("a.txt"), stage.path("b.txt")).unwrap();
    let file =
        capture(&[Frame { at_s: 0, from: [2; 6], to: [4; 6], src: [10, 0, 0, 1], dst: [10, 0, 0, 2] }]);
    fs::write(stage.path("stub.pcap"), &file[..6]).unwrap();
    fs::write(stage.path("first.pcap"), &file[..50]).unwrap();
    fs::write(stage.path("air.pcapng"), pcapng_of_802_11()).unwrap();
    for command in ["extract", "extract --window capture", "devices"] {
        stage.fails(&format!("{command} a.txt b.txt"), 1, &["a.txt"]);
        stage.fails(&format!("{command} stub.pcap"), 1, &["stub.pcap"]);
        stage.fails(&format!("{command} first.pcap"), 1, &["first.pcap", "after 0 packets"]);
        stage.fails(&format!("{command} air.pcapng"), 1, &["air.pcapng", "802.11"]);
        stage.fails(&format!("{command} air.pcapng a.txt"), 1, &["air.pcapng", "a.txt"]);
    }
    fs::write(stage.path("empty.pcap"), capture(&[])).unwrap();
    assert_eq!(stage.run("extract empty.pcap a.txt").status, 4, "an empty capture was read");
}

#[test]
fn bad_labels_are_refused_with_line_and_reason() {
    let stage = Stage::new();
    fs::write(stage.path("a.pcap"), capture(&[])).unwrap();
    let check = |labels: &str, expected: &[&str]| {
        fs::write(stage.path("labels.csv"), labels).unwrap();
        stage.fails("extract a.pcap --labels labels.csv", 1, expected);
    };
    check("mac,label,kind\n70:ee:50,Camera,iot\n", &["labels.csv", "line 2", "70:ee:50"]);
    check("address,label\n70:ee:50:00:00:01,Camera\n", &["labels.csv", "mac"]);
    check("mac,label,kind\n70:ee:50:00:00:01,Camera,toy\n", &["labels.csv", "line 2", "toy"]);
    check("mac,label,kind\n70:ee:50:00:00:01,unknown,iot\n", &["labels.csv", "line 2", "unknown"]);
    stage.fails("extract a.pcap --labels gone.csv", 1, &["gone.csv"]);
}

#[test]
fn training_needs_labels_and_two_classes() {
    let stage = Stage::new();
    stage.ok("simulate --duration 2h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap -o plain.csv");
    stage.fails("train plain.csv -o x.model", 1, &["plain.csv", "label"]);
    let labels = fs::read_to_string(stage.path("labels.csv")).unwrap();
    let one: Vec<&str> = labels.lines().take(2).collect();
    fs::write(stage.path("one.csv"), one.join("\n")).unwrap();
    stage.ok("extract home.pcap --labels one.csv -o one-class.csv");
    stage.fails("train one-class.csv -o x.model", 1, &["at least two classes"]);
    assert!(!stage.path("x.model").exists(), "no half-written model");
}

#[test]
fn a_model_that_does_not_fit_is_status_5() {
    let stage = Stage::new();
    stage.ok("simulate --duration 2h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap --labels labels.csv -o hour.csv");
    stage.ok("extract home.pcap --labels labels.csv --window 15m -o quarter.csv");
    stage.ok("train hour.csv -o hour.model");
    stage.fails("classify --model hour.model quarter.csv", 5, &["window=15m", "default"]);
    stage.fails("classify --model hour.model home.pcap --window 15m", 5, &["window=15m"]);
    stage.fails("evaluate --model hour.model quarter.csv", 5, &["window=15m"]);
    stage.fails("train hour.csv quarter.csv -o both.model", 5, &["quarter.csv", "window=15m"]);
    // Rows of a version before the rules had a number.
    let rows = fs::read_to_string(stage.path("hour.csv")).unwrap();
    assert!(rows.contains(" semantics=2"));
    fs::write(stage.path("old.csv"), rows.replace(" semantics=2", "")).unwrap();
    stage.ok("train old.csv -o old.model");
    stage.ok("classify --model old.model old.csv");
    let changed =
        ["semantics 1", "semantics 2", "a SYN of another stream", "extract the captures again", "train"];
    stage.fails("classify --model old.model hour.csv", 5, &changed);
    stage.fails("classify --model old.model home.pcap", 5, &changed);
    stage.fails("evaluate --model old.model hour.csv", 5, &changed);
    stage.fails("classify --model hour.model old.csv", 5, &changed);
    stage.fails("train hour.csv old.csv -o both.model", 5, &changed);
    let bytes = fs::read(stage.path("hour.model")).unwrap();
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 0x40;
    for (name, bytes) in [
        ("damaged.model", damaged.as_slice()),
        ("cut.model", &bytes[..bytes.len() / 2]),
        ("foreign.model", b"PK\x03\x04 something else"),
    ] {
        fs::write(stage.path(name), bytes).unwrap();
        stage.fails(&format!("classify --model {name} hour.csv"), 5, &[name]);
    }
}

#[test]
fn usage_is_status_2() {
    let stage = Stage::new();
    fs::write(stage.path("a.pcap"), capture(&[])).unwrap();
    stage.fails("extract", 2, &["CAPTURE"]);
    stage.fails("extract a.pcap --window fortnight", 2, &["fortnight", "1h"]);
    stage.fails("extract a.pcap --format xml", 2, &["xml"]);
    stage.fails("train a.csv", 2, &["-o"]);
    stage.fails("evaluate a.csv --split sometimes", 2, &["sometimes"]);
    stage.fails("classify a.pcap", 2, &["--model"]);
    stage.fails("classify --model m a.pcap --threshold 2", 2, &["threshold"]);
    stage.fails("classify --model m a.pcap --explain=everything", 2, &["explain", "everything"]);
    stage.fails("extract a.pcap --min-packets 0", 2, &["min-packets"]);
    stage.fails("devices a.pcap --window 15m", 2, &["--window"]);
    stage.fails("devices a.pcap --gateway 01:00:5e:00:00:01", 2, &["--gateway", "group"]);
    stage.fails("devise a.pcap", 2, &["devices"]);
}

#[test]
fn a_result_that_cannot_be_written_leaves_what_was_there() {
    let stage = Stage::new();
    stage.ok("simulate --duration 10m -o home.pcap");
    stage.fails("extract home.pcap -o no/such/folder/x.csv", 1, &["no/such/folder/x.csv"]);
    fs::write(stage.path("old.csv"), "precious").unwrap();
    stage.fails("extract missing.pcap -o old.csv", 1, &["missing.pcap"]);
    assert_eq!(fs::read_to_string(stage.path("old.csv")).unwrap(), "precious");
    let left: Vec<_> =
        fs::read_dir(stage.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "nothing half-written: {left:?}");
}

/// Nobody waits hours for a reading whose result has no place: the place is looked at before the input, which is not there here.
#[test]
fn a_result_that_cannot_be_made_is_refused_before_anything_is_read() {
    let stage = Stage::new();
    for command in [
        "devices none.pcap",
        "identify none.pcap",
        "flows none.pcap",
        "audit none.pcap",
        "extract none.pcap",
        "extract none.pcap --partial",
        "merge none.part",
        "train none.csv",
        "classify none.csv --model none.model",
        "evaluate none.csv",
        "compare none.pcap nothing.pcap",
        "mud export none.pcap --to nftables",
        "protocols test none.toml none.pcap",
        "store none.db devices",
    ] {
        stage.fails(&format!("{command} -o none/result.csv"), 1, &["--output", "none/result.csv"]);
    }
    stage.fails("report none.pcap -o none/result.html", 1, &["none/result.html"]);
    assert!(!stage.path("none").exists());
}

#[test]
fn a_label_file_that_is_filled_in_is_not_written_over() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap --labels labels.csv");
    stage.fails("devices home.pcap --labels-template labels.csv", 2, &["labels.csv", "--labels"]);
    let before = fs::read_to_string(stage.path("labels.csv")).unwrap();
    stage.ok("devices home.pcap --labels labels.csv --labels-template labels.csv");
    let after = fs::read_to_string(stage.path("labels.csv")).unwrap();
    let rows = |text: &str| -> std::collections::BTreeSet<String> {
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    assert_eq!(rows(&after), rows(&before), "labels carry over, also of devices that were not seen");
}

#[test]
fn a_result_never_replaces_an_input() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap --labels labels.csv");
    stage.fails("extract home.pcap --format csv -o ./home.pcap", 2, &["home.pcap", "replace an input"]);
    stage.ok("extract home.pcap --labels labels.csv -o a.csv");
    stage.fails("train a.csv -o a.csv", 2, &["a.csv", "replace an input"]);
    stage.fails("evaluate a.csv -o a.csv", 2, &["a.csv", "replace an input"]);
}

#[test]
fn what_a_capture_lacks_is_said() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h --snaplen 60 -o short.pcap");
    let short = stage.ok("extract short.pcap");
    assert!(short.stderr.contains("not captured whole"), "{}", short.stderr);
    fs::create_dir(stage.path("folder")).unwrap();
    stage.ok("simulate --duration 10m -o folder/good.pcap");
    fs::write(stage.path("folder/broken.pcap.gz"), "no gzip").unwrap();
    fs::write(stage.path("folder/notes.txt"), "no capture").unwrap();
    let folder = stage.run("extract folder");
    assert_eq!(folder.status, 4, "{}", folder.stderr);
    assert!(
        folder.stderr.contains("broken.pcap.gz") && !folder.stderr.contains("notes.txt"),
        "{}",
        folder.stderr
    );
}

#[test]
fn rows_that_come_again_count_once() {
    let stage = Stage::new();
    stage.ok("simulate --duration 3h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap --labels labels.csv -o a.csv");
    fs::copy(stage.path("a.csv"), stage.path("b.csv")).unwrap();
    let once = stage.ok("evaluate a.csv --format json");
    let twice = stage.ok("evaluate a.csv b.csv a.csv --format json");
    assert_eq!(once.stdout, twice.stdout);
    assert!(
        twice.stderr.contains("count once") && twice.stderr.contains("more than once"),
        "{}",
        twice.stderr
    );
    stage.ok("train a.csv -o a.model");
    let from_stdin = stage.run_with_stdin("classify --model a.model -", "a.csv");
    assert_eq!(from_stdin.stdout, stage.ok("classify --model a.model a.csv").stdout);
    stage.fails("train home.pcap -o b.model", 1, &["home.pcap", "is a capture", "extract"]);
    stage.fails("train a.csv -o b.model --trees 0", 2, &["trees"]);
}

#[test]
fn quiet_is_quiet() {
    let stage = Stage::new();
    assert_eq!(stage.ok("simulate --duration 10m -o home.pcap -q").stderr, "");
    assert_eq!(stage.ok("extract home.pcap -q").stderr, "");
    assert_eq!(stage.ok("devices home.pcap -q").stderr, "");
}

#[cfg(target_os = "linux")]
#[test]
fn what_nobody_can_hear_costs_no_result() {
    let stage = Stage::new();
    stage.ok("simulate --duration 3h -o home.pcap --labels labels.csv");
    let heard = stage.ok("extract home.pcap --labels labels.csv -v");
    let unheard = stage.run_unheard("extract home.pcap --labels labels.csv -v");
    assert_eq!((unheard.status, unheard.stdout), (0, heard.stdout));
    stage.ok("extract home.pcap --labels labels.csv -o a.csv");
    assert_eq!(stage.run_unheard("train a.csv -o a.model").status, 0);
    assert!(stage.path("a.model").exists());
    assert_eq!(stage.run_unheard("extract missing.pcap").status, 1);
}

#[test]
fn the_demo_shows_tables_and_names_its_files() {
    let stage = Stage::new();
    let demo = stage.ok("demo --folder here");
    for file in ["home.pcap", "labels.csv", "instances.parquet", "home.model"] {
        assert!(stage.path("here").join(file).exists(), "{file}");
        assert!(demo.stderr.contains(file), "{}", demo.stderr);
    }
    assert!(demo.stdout.contains("accuracy") && demo.stdout.contains("Confusion matrix"), "{}", demo.stdout);
    assert!(demo.stdout.contains("simulated"), "{}", demo.stdout);
    let readme = include_str!("../../../README.md");
    let shown = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(demo.stdout.contains(shown), "README.md shows:\n{shown}\nthe demo prints:\n{}", demo.stdout);
}
