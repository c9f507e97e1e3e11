use proptest::prelude::*;
use thingprint_flow::MacAddr;
use thingprint_table::{Format, Style, write};

use super::*;

fn file() -> PredictionFile {
    let row = |fold, capture: Option<&str>, likeness: Option<f64>, set: &[&str]| PredictionRow {
        device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, 1])),
        window_start: Timestamp::from_seconds(3_600 * i64::from(fold)),
        capture: capture.map(str::to_owned),
        split: likeness.map(|_| "cv=2".to_owned()),
        fold,
        seed: u64::MAX,
        truth: "plug, \"smart\"".to_owned(),
        class: "camera".to_owned(),
        confidence: 2.0 / 3.0,
        likeness,
        accepted: fold == 2,
        set: set.iter().map(|class| (*class).to_owned()).collect(),
        probabilities: match likeness {
            Some(_) => vec![(0, 2.0 / 3.0), (1, 1.0 / 3.0)],
            None => vec![(0, 1.0)],
        },
    };
    PredictionFile {
        classes: vec!["camera".to_owned(), "plug, \"smart\"".to_owned()],
        rows: vec![
            row(1, Some("a/b.pcap"), None, &[]),
            row(2, None, Some(-6.25), &["camera", "plug, \"smart\""]),
        ],
    }
}

fn problem(text: &str) -> String {
    read_predictions(text.as_bytes(), "p").unwrap_err().to_string()
}

#[test]
fn every_format_gives_predictions_back() {
    for format in [Format::Csv, Format::Json, Format::Jsonl, Format::Parquet] {
        let mut bytes = Vec::new();
        write(&file().table(), format, &mut bytes, Style::default()).unwrap();
        assert_eq!(read_predictions(&bytes, "p").unwrap(), file(), "{format}");
    }
}

#[test]
fn problems_have_their_place() {
    let head = "device,window,truth,class,confidence,probability[a]\n";
    let row = "02:00:00:00:00:01,2019-07-01T13:00:00Z,a,a,1,1\n";
    let read = read_predictions(format!("{head}{row}").as_bytes(), "p").unwrap();
    assert_eq!((read.rows[0].fold, read.rows[0].seed), (1, 1));
    assert!(problem("device,window,truth,class,confidence\n").contains("no column `probability[CLASS]`"));
    assert!(problem("a,b\n1,2\n").contains("no column `device`"));
    let wrong = problem(&format!("{head}{row}{}", row.replace(",1,1", ",1,1.5")));
    assert!(wrong.contains("line 3") && wrong.contains("probability[a]") && wrong.contains("1.5"), "{wrong}");
    assert!(problem(&format!("{head}{}", row.replace("2019", "19x"))).contains("column window"));
    assert!(problem("{\"device\": 1").contains("line 1"));
}

const HEAD: &str = "device,window,truth,class,probability[a],probability[b]\n";

/// Rows with these last columns, an hour apart.
fn rows(ends: &[&str]) -> String {
    let row =
        |(hour, end): (usize, &&str)| format!("02:00:00:00:00:01,2019-07-01T{hour:02}:00:00Z,b,{end}\n");
    HEAD.to_owned() + &ends.iter().enumerate().map(row).collect::<String>()
}

#[test]
fn a_foreign_file_needs_no_confidence() {
    let read = read_predictions(rows(&["b,0.25,0.75", "b,1,"]).as_bytes(), "p").unwrap();
    assert_eq!((read.rows[0].confidence, read.rows[0].class.as_str()), (0.75, "b"));
    assert_eq!(read.rows[1].probabilities, [(0, 1.0)]);
    assert!(read.rows[1].confidence.abs() < 1e-12);
}

#[test]
fn rows_without_whole_probabilities_are_refused() {
    for end in ["a,,", "a,NaN,NaN", "a,0,0", "a,0.5,0.4", "a,0.6,0.6"] {
        let problem = problem(&rows(&["a,0.5,0.5", end]));
        assert!(problem.contains("p: line 3") && problem.contains("probabilit"), "{end}: {problem}");
    }
    assert!(read_predictions(rows(&["a,0.3337,0.6666"]).as_bytes(), "p").is_ok());
}

#[test]
fn columns_and_keys_occur_once() {
    let csv = "device,window,truth,class,probability[a],probability[a]\n";
    assert!(problem(csv).contains("column probability[a] occurs twice"));
    assert!(
        problem("device,class,window,truth,class,probability[a]\n").contains("column class occurs twice")
    );
    let object = r#"{"device": "02:00:00:00:00:01", "probability[a]": null, "probability[a]": 1}"#;
    assert!(problem(object).contains("occurs twice"));
    assert!(problem(&format!("[{object}]")).contains("occurs twice"));
}

#[test]
fn rows_of_a_window_and_seed_occur_once() {
    let row = "02:00:00:00:00:01,2019-07-01T00:00:00Z,b,b,0,1\n";
    let twice = problem(&format!("{HEAD}{row}{row}"));
    assert!(twice.contains("line 3") && twice.contains("earlier row"), "{twice}");
    let other = row.replace(",b,b,", ",a,b,");
    assert_eq!(read_predictions(format!("{HEAD}{row}{other}").as_bytes(), "p").unwrap().rows.len(), 2);
}

/// A JSON row with these keys beside those that must be there.
fn object(second: i64, keys: impl Iterator<Item = String>) -> String {
    let keys: Vec<String> = std::iter::once(String::new()).chain(keys).collect();
    let keys = keys.join(",");
    let time = Timestamp::from_seconds(second);
    let time = thingprint_table::rfc3339::format(time);
    format!(
        "{{\"device\":\"02:00:00:00:00:01\",\"window\":\"{time}\",\"truth\":\"a\",\"class\":\"a\"{keys}}}\n"
    )
}

#[test]
fn hostile_keys_take_no_memory() {
    let many = object(0, (0..100_000).map(|class| format!("\"probability[{class}]\":0")));
    assert!(problem(&many).contains("more than 4096 columns"), "{}", problem(&many));
    // Unknown keys are skipped; a class of its own in each row makes no row longer.
    let unknown =
        object(0, (0..100_000).map(|key| format!("\"{key}\":0")).chain(["\"probability[a]\":1".into()]));
    assert_eq!(read_predictions(unknown.as_bytes(), "p").unwrap().classes, ["a"]);
    let sparse: String =
        (0..4_096).map(|at| object(at, [format!("\"probability[{at}]\":1")].into_iter())).collect();
    let read = read_predictions(sparse.as_bytes(), "p").unwrap();
    assert_eq!((read.classes.len(), read.rows.len()), (4_096, 4_096));
    assert!(read.rows.iter().enumerate().all(|(at, row)| row.probabilities == [(at, 1.0)]));
    let more = format!("{sparse}{}", object(4_096, ["\"probability[x]\":1".into()].into_iter()));
    assert!(problem(&more).contains("line 4097"), "{}", problem(&more));
}

#[test]
fn values_have_a_budget() {
    for format in [Format::Csv, Format::Json, Format::Jsonl, Format::Parquet] {
        let mut bytes = Vec::new();
        write(&file().table(), format, &mut bytes, Style::default()).unwrap();
        assert!(read::read_within(&bytes, "p", 35).is_ok(), "{format}");
        let error = read::read_within(&bytes, "p", 20).unwrap_err().to_string();
        assert!(error.contains("more than 20 values"), "{format}: {error}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_predictions(&bytes, "p");
        let _ = read_predictions(&[b"[{\"device\":", bytes.as_slice()].concat(), "p");
    }
}
