//! What `classify` says beside the class: sets, probabilities, days, families, reasons and evidence.

use std::fs;

use serde_json::Value;

use crate::stage::Stage;

/// A stage with two simulated days, labelled with families, and a model of them.
fn stage_with_families() -> Stage {
    let stage = Stage::new();
    stage.ok("simulate --duration 30h -o home.pcap --labels plain.csv");
    let plain = fs::read_to_string(stage.path("plain.csv")).unwrap();
    let family = |line: &str| match line.split(',').nth(1) {
        Some("label") => "vendor",
        Some(class) if class.starts_with("tarnbrook") => "Tarnbrook",
        Some(class) if class.starts_with("lumenhaus") => "Lumenhaus",
        _ => "",
    };
    let labels: String = plain.lines().flat_map(|line| [line, ",", family(line), "\n"]).collect();
    fs::write(stage.path("labels.csv"), labels).unwrap();
    stage.ok("extract home.pcap --labels labels.csv -o home.parquet");
    stage.ok("train home.parquet -o home.model");
    stage
}

fn keys(row: &Value) -> Vec<&str> {
    row.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn answers_have_families_sets_days_and_probabilities() {
    let stage = stage_with_families();
    let header = |per: &str| {
        let csv =
            stage.ok(&format!("classify --model home.model home.parquet --per {per} --format csv")).stdout;
        csv.lines().next().unwrap().to_owned()
    };
    assert_eq!(header("device"), header("window"), "rows of every sort have the same columns");
    let windows = stage.ok("classify --model home.model home.parquet --per window").json_lines();
    let bulb = windows.iter().find(|row| row["label"] == "lumenhaus-bulb").unwrap();
    assert!(bulb["declared_class"].is_null(), "an empty bag has no class: {bulb}");
    let plain = stage.ok("classify --model home.model home.parquet --per device").json_lines();
    let row = |rows: &[Value], class: &str| rows.iter().find(|row| row["label"] == class).unwrap().clone();
    assert_eq!(row(&plain, "tarnbrook-plug")["family"], "Tarnbrook");
    assert!(row(&plain, "laptop")["family"].is_null());
    assert!(plain.iter().all(|row| row["set"].is_null() && row["day"].is_null() && row["window"].is_null()));
    let more = "--per device --sets 0.95 --probabilities";
    let rows = stage.ok(&format!("classify --model home.model home.parquet {more}")).json_lines();
    let bulb = row(&rows, "lumenhaus-bulb");
    assert_eq!(bulb["set"], serde_json::json!(["lumenhaus-bulb"]));
    let probabilities: f64 = keys(&bulb)
        .iter()
        .filter(|key| key.starts_with("probability["))
        .map(|key| bulb[*key].as_f64().unwrap())
        .sum();
    assert!((probabilities - 1.0).abs() < 1e-9, "{probabilities}");
    let days = stage.ok("classify --model home.model home.parquet --per day").json_lines();
    assert!(days.len() > plain.len() && days.iter().all(|row| row["day"].is_string()), "{days:?}");
    let hours = |rows: &[Value]| rows.iter().map(|row| row["windows"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(hours(&days), hours(&plain));
    stage.fails("classify --model home.model home.parquet --sets 1.5", 2, &["--sets", "above 0"]);
    stage.fails("classify --model home.model home.parquet --false-alarms 7%", 2, &["7%", "5% 1%"]);
}

/// The device of a class is left out of the training: its names point to the other device of its vendor.
#[test]
fn the_reason_of_a_stranger_names_the_family_that_its_names_point_to() {
    let stage = stage_with_families();
    let labels = fs::read_to_string(stage.path("labels.csv")).unwrap();
    let without: String = labels
        .lines()
        .filter(|line| !line.contains("tarnbrook-plug"))
        .flat_map(|line| [line, "\n"])
        .collect();
    fs::write(stage.path("fewer.csv"), without).unwrap();
    stage.ok("extract home.pcap --labels fewer.csv -o fewer.parquet");
    stage.ok("train fewer.parquet -o fewer.model");
    let rows =
        stage.ok("classify --model fewer.model home.pcap --labels labels.csv --per device").json_lines();
    let plug = rows.iter().find(|row| row["label"] == "tarnbrook-plug").unwrap();
    assert_eq!(
        (&plug["class"], &plug["right"]),
        (&Value::from("unknown"), &Value::from("unknown")),
        "{plug}"
    );
    assert_eq!(plug["family_by_names"], "Tarnbrook", "{plug}");
    // One word for each test that it failed, as the sentence has it.
    let reason = plug["reason"].as_str().unwrap();
    let words = plug["why_unknown"].as_str().unwrap();
    assert_eq!(words.contains("unsure"), reason.contains("confidence"), "{words}: {reason}");
    assert_eq!(words.contains("unlike"), reason.contains("likeness"), "{words}: {reason}");
    assert!(["unsure", "unlike", "unsure, unlike"].contains(&words), "{words}");
    let is_told = |row: &Value| row["why_unknown"].is_string() == (row["class"] == "unknown");
    assert!(rows.iter().all(is_told), "{rows:?}");
    assert!(reason.contains("names point to Tarnbrook"), "{reason}");
    let table = stage.ok("classify --model fewer.model home.pcap --per device --format table");
    assert!(table.stdout.contains("\nUnknown devices, over all their windows\n"), "{}", table.stdout);
    assert!(table.stdout.contains("why_unknown") && table.stdout.contains(words), "{}", table.stdout);
    assert!(table.stdout.contains("best_guess") && table.stdout.contains("reason"), "{}", table.stdout);
    let widest = table.stdout.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 100, "{widest} columns: {}", table.stdout);
    assert!(table.stderr.contains("likeness is 0 where"), "{}", table.stderr);
    let wide = stage.ok("classify --model fewer.model home.pcap --per device --format table --wide").stdout;
    assert!(wide.lines().map(|line| line.chars().count()).max() > Some(widest), "{wide}");
}

#[test]
fn an_explanation_is_in_nats_and_says_what_would_decide() {
    let stage = stage_with_families();
    let all: Value = serde_json::from_str(
        &stage.ok("classify --model home.model home.pcap --explain --format json").stdout,
    )
    .unwrap();
    let first = &all[0];
    let joint = &first["joint"];
    assert!(first["device"].is_string() && joint["rival"].is_string() && joint["nats"].is_f64(), "{first}");
    let of_bags: f64 =
        joint["bags"].as_array().unwrap().iter().map(|bag| bag["nats"].as_f64().unwrap()).sum();
    assert!((of_bags - joint["nats"].as_f64().unwrap()).abs() < 1e-6);
    let decisive = joint["decisive"].as_array().unwrap();
    let is_rival = |word: &&Value| word["nats"].as_f64().unwrap() < 0.0;
    assert!(decisive.iter().any(|word| is_rival(&word)), "{joint}");
    let device = first["device"].as_str().unwrap();
    let explain =
        format!("classify --model home.model home.pcap --explain={device} --figure why.svg --format table");
    let said = stage.ok(&explain).stdout;
    assert!(said.contains(" nats against ") && said.contains("would decide"), "{said}");
    let svg = fs::read_to_string(stage.path("why.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains(device), "{svg}");
    // Of an answer that is not accepted nothing says that the device is taken for the class.
    let unsure = stage.ok(&format!("{explain} --threshold 1"));
    assert!(unsure.stdout.contains("; unknown, since confidence"), "{}", unsure.stdout);
    let svg = fs::read_to_string(stage.path("why.svg")).unwrap();
    assert!(svg.contains("is unknown, and most like") && !svg.contains("is taken for"), "{svg}");
    assert!(all.as_array().unwrap().iter().all(|of| of.get("reason").is_some()), "{all}");
    stage.fails("classify --model home.model home.pcap --explain --figure why.svg", 2, &["--explain=DEVICE"]);
    stage.fails(
        &format!("classify --model home.model home.pcap --explain={device} --figure home.model"),
        2,
        &["--figure", "replace an input"],
    );
    stage.fails(
        &format!("classify --model home.model home.pcap --explain {device}"),
        2,
        &["no such file", "--explain="],
    );
}

/// A label file may name a device for some hours: other windows of it have no label.
#[test]
fn labels_for_some_hours_label_those_windows() {
    let stage = Stage::new();
    stage.ok("simulate --duration 4h -o home.pcap --labels labels.csv");
    let rows = stage.ok("extract home.pcap --evidence paper").json_lines();
    let start = |at: usize| rows[at]["window_start"].as_str().unwrap().to_owned();
    let (from, to) = (start(0), start(rows.len() - 1));
    let device = rows[0]["device"].as_str().unwrap();
    fs::write(stage.path("hours.csv"), format!("mac,label,kind,from,to\n{device},lamp,iot,{from},{to}\n"))
        .unwrap();
    let labelled = stage.ok("extract home.pcap --labels hours.csv --evidence paper").json_lines();
    let of_device = labelled.iter().filter(|row| row["device"] == device).collect::<Vec<_>>();
    let is_named = |row: &&&Value| row["label"] == "lamp";
    assert!(of_device.iter().filter(is_named).all(|row| row["window_start"].as_str().unwrap() < &*to));
    assert_eq!(of_device.iter().filter(is_named).count() + 1, of_device.len(), "{of_device:?}");
}

/// The label file that comes out of a filled one has its families, periods and all its rows.
#[test]
fn a_template_keeps_every_column_of_a_label_file() {
    let stage = Stage::new();
    stage.ok("simulate --duration 1h -o home.pcap --labels plain.csv");
    let rows = "a8:40:7c:21:00:17,bulb,iot,Lumenhaus,2024-06-03T00:00:00Z,2024-06-04T00:00:00Z\n\
                a8:40:7c:21:00:17,plug,iot,,2024-06-04T00:00:00Z,\n";
    fs::write(stage.path("labels.csv"), format!("mac,label,kind,family,from,to\n{rows}")).unwrap();
    stage.ok("devices home.pcap --labels labels.csv --labels-template out.csv");
    let out = fs::read_to_string(stage.path("out.csv")).unwrap();
    assert!(out.contains(&format!("\nmac,label,kind,family,from,to\n{rows}")), "{out}");
    assert!(out.contains("\n#30:c4:6a:10:7e:b3,,iot,,,\n"), "{out}");
    assert_eq!(out.matches("a8:40:7c:21:00:17").count(), 2, "{out}");
}

/// One device is named for one hour only: training says so.
#[test]
fn classes_with_too_few_windows_are_named_by_training() {
    let stage = Stage::new();
    stage.ok("simulate --duration 12h -o home.pcap --labels labels.csv");
    stage.ok("extract home.pcap --labels labels.csv -o home.csv");
    let said = stage.ok("train home.csv -v -o home.model").stderr;
    assert!(said.contains("right out of training by windows of each class: 1 "), "{said}");
    let labels = fs::read_to_string(stage.path("labels.csv")).unwrap();
    let start = stage.ok("extract home.pcap --evidence paper").json_lines()[0]["window_start"].clone();
    let hour = start.as_str().unwrap().get(..13).unwrap();
    let few: String = labels
        .lines()
        .map(|line| match line {
            line if line.contains("mac,") => format!("{line},to\n"),
            line if line.contains("tarnbrook-plug") => format!("{line},{hour}:30:00Z\n"),
            line => format!("{line},\n"),
        })
        .collect();
    fs::write(stage.path("few.csv"), few).unwrap();
    stage.ok("extract home.pcap --labels few.csv -o few.parquet");
    let said = stage.ok("train few.parquet -o few.model").stderr;
    assert!(said.contains("too few windows of tarnbrook-plug (1)"), "{said}");
}

#[test]
fn inputs_that_are_neither_captures_nor_instances_are_refused_by_name() {
    let stage = stage_with_families();
    fs::write(stage.path("note.txt"), "hello\n").unwrap();
    fs::write(stage.path("empty.csv"), "").unwrap();
    fs::write(stage.path("empty.pcap"), "").unwrap();
    stage.fails("classify --model home.model note.txt", 1, &["note.txt", "expected captures or instances"]);
    stage.fails("classify --model home.model empty.csv", 1, &["empty.csv: the file is empty"]);
    stage.fails("train empty.csv -o x.model", 1, &["empty.csv: the file is empty"]);
    stage.fails("classify --model home.model empty.pcap", 1, &["empty.pcap", "the file is empty"]);
    fs::create_dir(stage.path("folder")).unwrap();
    for name in ["note.txt", "empty.pcap", "home.pcap"] {
        fs::copy(stage.path(name), stage.path(&format!("folder/{name}"))).unwrap();
    }
    let said = stage.run("classify --model home.model folder --per device");
    assert_eq!(said.status, 4, "{}", said.stderr);
    assert_eq!(said.json_lines().len(), 9);
}
