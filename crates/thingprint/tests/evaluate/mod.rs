//! Evaluation: folds, seeds, tables of every format, predictions and what they are compared with.

use std::fs;

use serde_json::Value;

use crate::stage::Stage;

/// Instances of 12 hours of the simulated home.
fn home() -> Stage {
    home_from("2024-06-03T00:00:00Z")
}

fn home_from(start: &str) -> Stage {
    let stage = Stage::new();
    stage.ok(&format!("simulate --duration 12h --start {start} -o home.pcap --labels labels.csv"));
    stage.ok("extract home.pcap --labels labels.csv -o home.parquet");
    stage
}

fn lines(stage: &Stage, file: &str) -> Vec<String> {
    fs::read_to_string(stage.path(file)).unwrap().lines().map(str::to_owned).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| unreachable!("{value} is no number"))
}

#[test]
fn folds_test_each_window_once_and_are_listed() {
    let stage = home();
    let windows = stage.ok("extract home.pcap --labels labels.csv --format jsonl").json_lines().len() as u64;
    let report = stage.ok("evaluate home.parquet --split cv=4 --trees 10 --format json").json();
    assert_eq!(report["instances"], windows);
    let folds = report["folds"].as_array().unwrap();
    assert_eq!(folds.iter().map(|fold| fold["instances"].as_u64().unwrap()).sum::<u64>(), windows);
    assert_eq!(folds.iter().map(|fold| fold["fold"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(folds.iter().all(|fold| fold["trained_on"].as_f64().unwrap() < windows as f64));
    let mean: f64 = folds.iter().map(|fold| number(&fold["accuracy"]) * number(&fold["instances"])).sum();
    assert!((mean / windows as f64 - number(&report["accuracy"])).abs() < 1e-12, "{report}");
    let forward = stage.ok("evaluate home.parquet --split forward=4 --trees 10 --format json").json();
    assert_eq!(forward["folds"].as_array().unwrap().len(), 3);
    assert!(forward["instances"].as_u64().unwrap() < windows);
    // A device that was seen in two hours alone.
    stage.ok("extract home.pcap --labels labels.csv -o home.csv");
    let mut rows = lines(&stage, "home.csv");
    let device = rows[1].split(',').next().unwrap().to_owned();
    let mut hours = 0;
    rows.retain(|row| {
        hours += usize::from(row.starts_with(&device));
        !row.starts_with(&device) || hours <= 2
    });
    fs::write(stage.path("short.csv"), rows.join("\n") + "\n").unwrap();
    let short = stage.ok("evaluate short.csv --split cv=4 --trees 5 --format json");
    assert!(short.stderr.contains("fewer windows than cv=4 has blocks"), "{}", short.stderr);
    let more = number(&short.json()["short_devices"]) - number(&report["short_devices"]);
    assert!((more - 1.0).abs() < 1e-9, "{more}");
    stage.fails("evaluate home.parquet --split cv=21", 2, &["cv=21", "2 to 20 blocks"]);
}

#[test]
fn more_seeds_do_not_make_more_windows() {
    let stage = home();
    let evaluate = |seeds: &str| {
        stage.ok(&format!("evaluate home.parquet --split time=0.5 --trees 5 {seeds} --format json")).json()
    };
    let (one, three) = (evaluate("--seed 7"), evaluate("--seeds 7,8,9"));
    assert_eq!(one["instances"], three["instances"]);
    assert_eq!((&one["sd"], &one["by_seed"][0]["seed"]), (&Value::Null, &Value::from(7)));
    assert_eq!(three["by_seed"].as_array().unwrap().len(), 3);
    assert_eq!(three["by_seed"][0]["rrse"], one["rrse"]);
    assert!(three["sd"]["rrse"].as_f64().unwrap() > 0.0, "{}", three["sd"]);
    let counted: f64 = three["confusion"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(number)
        .sum();
    assert!((counted - number(&one["instances"])).abs() < 1e-6, "{counted}");
    let table =
        stage.ok("evaluate home.parquet --split time=0.5 --trees 5 --seeds 7,8 --format table").stdout;
    assert!(table.contains("means over seeds 7, 8"), "{table}");
    let head = table.lines().nth(1).unwrap_or_default();
    assert_eq!(head.split_whitespace().collect::<Vec<_>>(), ["measure", "final", "sd"], "{table}");
    stage.fails("evaluate home.parquet --seeds 1,1", 2, &["each once"]);
}

#[test]
fn every_format_has_each_table() {
    let stage = home();
    let show = |show: &str, format: &str| {
        stage.ok(&format!("evaluate home.parquet --trees 5 --show {show} --format {format}")).stdout
    };
    let classes = show("classes", "csv");
    assert!(
        classes.starts_with("scenario,class,support,precision,recall,f1,confidence,mistaken_for\n"),
        "{classes}"
    );
    let json = stage.ok("evaluate home.parquet --trees 5 --format json").json();
    let names = json["classes"].as_array().unwrap().len();
    assert_eq!(classes.lines().count(), names + 1);
    let support: u64 =
        json["per_class"].as_array().unwrap().iter().map(|class| class["instances"].as_u64().unwrap()).sum();
    assert_eq!(Value::from(support), json["instances"]);
    assert_eq!(show("confusion", "jsonl").lines().count(), names * names);
    assert_eq!(show("calibration", "csv").lines().count(), 11);
    assert_eq!(json["calibration"].as_array().unwrap().len(), 10);
    assert!(
        show("folds", "csv")
            .starts_with("scenario,seed,fold,trained_on,instances,accuracy,family_accuracy,rrse,")
    );
    assert_eq!(show("seeds", "jsonl").lines().count(), 1);
    let summary = show("summary", "csv");
    assert_eq!(summary, stage.ok("evaluate home.parquet --trees 5 --format csv").stdout);
    assert!(
        summary.contains(",coverage,accepted_accuracy,confident_coverage,confident_accuracy,"),
        "{summary}"
    );
    let whole = stage.ok("evaluate home.parquet --trees 5 --format jsonl").json_lines();
    assert_eq!(whole[0]["per_class"], json["per_class"]);
    let table = stage.ok("evaluate home.parquet --trees 5 --format table").stdout;
    let widest = table.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 100, "{widest}: {table}");
    assert!(!show("classes", "table").contains("Confusion"));
}

#[test]
fn predictions_are_written_and_compared() {
    // Over midnight, for twice as many days of devices.
    let stage = home_from("2024-06-03T18:00:00Z");
    let evaluate = "evaluate home.parquet --split forward=3 --format json -q";
    let windows =
        stage.ok(&format!("{evaluate} --trees 5 --predictions few.csv")).json()["instances"].clone();
    stage.ok(&format!("{evaluate} --trees 5 --predictions few.parquet"));
    let file = lines(&stage, "few.csv");
    let head =
        "device,window,capture,split,fold,seed,truth,class,confidence,likeness,accepted,set,probability[";
    assert!(file[0].starts_with(head), "{}", file[0]);
    assert_eq!(Value::from(file.len() - 1), windows);
    // Against themselves nothing differs, in whichever format.
    for few in ["few.csv", "few.parquet"] {
        let same = stage.ok(&format!("{evaluate} --trees 5 --against {few}")).json();
        let same = &same["comparison"];
        assert_eq!(
            (&same["pairs"], &same["unpaired"], &same["mcnemar"]["p"]),
            (&windows, &Value::from(0), &Value::from(1.0))
        );
        assert!(number(&same["accuracy"]["difference"]).abs() < 1e-12, "{same}");
        assert!(number(&same["rrse"]["difference"]).abs() < 1e-9, "{same}");
    }
    let ports = format!("{evaluate} --scenario ports --against few.csv");
    let other = stage.ok(&format!("{ports} -j1")).json();
    assert_eq!(other, stage.ok(&format!("{ports} -j3")).json());
    let rrse = &other["comparison"]["rrse"];
    assert!((number(&rrse["value"]) - number(&other["rrse"])).abs() < 1e-9, "{other}");
    let [low, difference, high] = ["low", "difference", "high"].map(|key| number(&rrse[key]));
    assert!(low <= difference && difference <= high && low < high, "{rrse}");
    let table = stage.ok("evaluate home.parquet --split forward=3 --against few.csv --format table").stdout;
    assert!(table.contains("Comparison with few.csv") && table.contains("McNemar's test"), "{table}");
    let row =
        stage.ok("evaluate home.parquet --split forward=3 --against few.csv --show comparison --format csv");
    assert!(row.stdout.starts_with("scenario,against,pairs,"), "{}", row.stdout);
    // Predictions of another split may have trained on what is tested.
    let other = ["few.csv", "split forward=3", "time=0.5"];
    stage.fails("evaluate home.parquet --split time=0.5 --against few.csv", 5, &other);
    let bare: Vec<String> = file.iter().map(|line| line.replacen(",forward=3,", ",,", 1)).collect();
    fs::write(stage.path("bare.csv"), bare.join("\n") + "\n").unwrap();
    let unnamed = stage.ok("evaluate home.parquet --split forward=3 --against bare.csv --format json");
    assert!(unnamed.stderr.contains("does not say of which split"), "{}", unnamed.stderr);
}

#[test]
fn json_shows_one_table_where_it_is_asked_for() {
    let stage = home();
    let rows = stage.ok("evaluate home.parquet --trees 5 --show calibration --format json -q").json();
    assert_eq!(rows.as_array().map(Vec::len), Some(10), "{rows}");
    assert_eq!(rows[0]["scenario"], "final");
}

#[test]
fn few_days_have_no_intervals_and_a_note() {
    let stage = home();
    let evaluate = "evaluate home.parquet --split time=0.9 --trees 5 --format json";
    stage.ok(&format!("{evaluate} --predictions all.csv -q"));
    let said = stage.ok(&format!("{evaluate} --against all.csv"));
    let compared = &said.json()["comparison"];
    assert!(compared["device_days"].as_u64().unwrap() < 10, "{compared}");
    assert_eq!((&compared["accuracy"]["low"], &compared["rrse"]["high"]), (&Value::Null, &Value::Null));
    assert!(said.stderr.contains("too few for intervals"), "{}", said.stderr);
}

#[test]
fn seeds_are_paired_with_the_same_seeds() {
    let stage = home();
    let evaluate = "evaluate home.parquet --split time=0.5 --trees 5 --format json";
    let one = stage.ok(&format!("{evaluate} --seed 2 --predictions two.csv -q")).json();
    let three = stage.ok(&format!("{evaluate} --seeds 3,2,1 --against two.csv -q")).json();
    let compared = &three["comparison"];
    assert_eq!((&compared["seeds"], &compared["pairs"]), (&serde_json::json!([2]), &one["instances"]));
    // Seed 2 alone is compared, and with itself.
    assert!(number(&compared["accuracy"]["difference"]).abs() < 1e-12, "{compared}");
    assert!((number(&compared["rrse"]["value"]) - number(&one["rrse"])).abs() < 1e-9, "{compared}");
    let all = stage.ok(&format!("{evaluate} --seeds 1,2,3 --predictions three.csv -q")).json();
    let all = stage.ok(&format!("{evaluate} --seeds 1,2,3 --against three.csv -q")).json()["comparison"]["accuracy"]
        ["value"]
        .as_f64()
        .map(|value| value - number(&all["accuracy"]));
    assert!(all.unwrap().abs() < 1e-12, "{all:?}");
    stage.fails(&format!("{evaluate} --seeds 1,3 --against two.csv"), 5, &["two.csv has 2", "1, 3"]);
    // Every format names the lowest seed.
    assert_eq!(three["seed"], 1);
    let row = stage
        .ok("evaluate home.parquet --split time=0.5 --trees 5 --seeds 3,2 --format jsonl --show summary -q");
    assert_eq!(row.json_lines()[0]["seed"], 2);
}

#[test]
fn random_splits_test_other_windows_with_each_seed() {
    let stage = home();
    let evaluate = "evaluate home.parquet --split random=0.7 --trees 5 --format json -q";
    let one = stage.ok(&format!("{evaluate} --seed 1")).json()["instances"].as_u64().unwrap();
    let report = stage.ok(&format!("{evaluate} --seeds 1,2 --predictions two.csv")).json();
    let file = lines(&stage, "two.csv");
    let windows: std::collections::BTreeSet<Vec<&str>> =
        file[1..].iter().map(|line| line.split(',').take(2).collect()).collect();
    assert_eq!(report["instances"], windows.len());
    assert!(windows.len() as u64 > one, "{} of {one}", windows.len());
    assert_eq!(report["by_seed"][0]["instances"], one);
}

#[test]
fn a_foreign_classifier_is_scored_by_its_class() {
    let stage = home();
    let evaluate = "evaluate home.parquet --split time=0.5 --trees 5 --format json -q";
    stage.ok(&format!("{evaluate} --predictions all.jsonl"));
    let foreign = |answer: &dyn Fn(&Value) -> Value| {
        let rows: Vec<String> = lines(&stage, "all.jsonl")
            .iter()
            .map(|line| {
                let row: Value = serde_json::from_str(line).unwrap();
                let keys =
                    ["device", "window", "split", "truth"].map(|key| (key.to_owned(), row[key].clone()));
                let mut row: serde_json::Map<String, Value> =
                    keys.into_iter().chain([("class".to_owned(), answer(&row))]).collect();
                row.insert("probability[x]".to_owned(), Value::from(1.0));
                Value::Object(row).to_string()
            })
            .collect();
        fs::write(stage.path("foreign.jsonl"), rows.join("\n")).unwrap();
        stage.ok(&format!("{evaluate} --against foreign.jsonl")).json()["comparison"]["accuracy"]["other"]
            .clone()
    };
    assert_eq!(foreign(&|row| row["truth"].clone()), 1.0);
    assert_eq!(foreign(&|_| Value::from("x")), 0.0);
    let hollow = lines(&stage, "all.jsonl")[0].replace("\"probability[", "\"unknown[");
    fs::write(stage.path("hollow.jsonl"), hollow).unwrap();
    stage.fails(&format!("{evaluate} --against hollow.jsonl"), 1, &["hollow.jsonl", "probability[CLASS]"]);
}

#[test]
fn models_are_compared_with_models_alone() {
    let stage = home();
    stage.ok("train home.parquet --trees 5 -o few.model");
    stage.ok("train home.parquet --scenario ports -o ports.model");
    let alone = ["few.model", "its own training rows", "--model"];
    stage.fails("evaluate home.parquet --against few.model", 2, &alone);
    let report =
        stage.ok("evaluate home.parquet --model few.model --against ports.model --format json").json();
    assert_eq!(report["comparison"]["pairs"], report["instances"]);
    assert_eq!(report["comparison"]["against"], "ports.model");
    stage.fails("evaluate home.parquet --model few.model --seeds 1,2", 2, &["--seeds"]);
    stage.fails("evaluate home.parquet --against labels.csv", 1, &["labels.csv", "no column `device`"]);
}

#[test]
fn files_of_an_evaluation_are_checked_before_it() {
    let stage = home();
    stage.ok("evaluate home.parquet --trees 5 --figures pictures/of --predictions all.jsonl -q");
    for (name, begins) in
        [("confusion.svg", "<svg "), ("calibration.svg", "<svg "), ("confusion.csv", "true class,")]
    {
        let text = fs::read_to_string(stage.path(&format!("pictures/of/{name}"))).unwrap();
        assert!(text.starts_with(begins), "{name}: {text}");
    }
    let counts = lines(&stage, "pictures/of/confusion.csv");
    let counted: f64 = counts[1..]
        .iter()
        .flat_map(|line| line.split(',').skip(1))
        .map(|count| count.parse::<f64>().unwrap())
        .sum();
    assert!((lines(&stage, "all.jsonl").len() as f64 - counted).abs() < 1e-9, "{counted}");
    stage.fails(
        "evaluate home.parquet --predictions home.parquet",
        2,
        &["--predictions", "replace an input"],
    );
    stage.fails("evaluate home.parquet --predictions all.txt", 2, &["all.txt", "jsonl"]);
    stage.fails("evaluate home.parquet --predictions a.csv -o a.csv", 2, &["a.csv", "same file"]);
    // Nothing is created for a usage error, and no file appears when another cannot.
    stage.fails("evaluate home.parquet --figures new --predictions a.csv -o a.csv", 2, &["same file"]);
    assert!(!stage.path("new").exists());
    fs::create_dir(stage.path("pictures/of/folder.json")).unwrap();
    stage.fails(
        "evaluate home.parquet --figures pictures/of --predictions b.csv -o pictures/of/folder.json",
        1,
        &["folder.json"],
    );
    assert!(!stage.path("b.csv").exists());
    stage.ok("evaluate home.parquet --trees 5 --figures new --predictions new/a.csv -o new/a.json -q");
    assert!(stage.path("new/a.csv").exists() && stage.path("new/a.json").exists());
    stage.fails("evaluate home.parquet --scenario all --figures pictures", 2, &["--figures", "one scenario"]);
    stage.fails("evaluate home.parquet --show comparison", 2, &["--against"]);
}

#[test]
fn a_matrix_that_no_table_shows_is_named() {
    let stage = home();
    // The names alone are wider than a table may be.
    let long = "a-name-without-any-end-".repeat(4);
    let renamed = |(at, line): (usize, &String)| {
        let fields: Vec<&str> = line.split(',').collect();
        if at == 0 { line.clone() } else { format!("{},{long}{at},iot", fields[0]) }
    };
    let labels: Vec<String> = lines(&stage, "labels.csv").iter().enumerate().map(renamed).collect();
    fs::write(stage.path("long.csv"), labels.join("\n")).unwrap();
    stage.ok("extract home.pcap --labels long.csv -o long.parquet");
    let said = stage.ok("evaluate long.parquet --trees 5 --format table");
    assert!(!said.stdout.contains("Confusion matrix"), "{}", said.stdout);
    assert!(said.stderr.contains("--figures FOLDER"), "{}", said.stderr);
    assert!(!stage.ok("evaluate home.parquet --trees 5 --format table").stderr.contains("--figures"));
}
