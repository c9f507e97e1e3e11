use proptest::prelude::*;
use thingprint_flow::MacAddr;
use thingprint_table::{Format, Style, write};

use super::*;

fn file() -> PredictionFile {
    let row = |fold, capture: Option<&str>, likeness, set: &[&str]| PredictionRow {
        device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, 1])),
        window_start: Timestamp::from_seconds(3_600 * i64::from(fold)),
        capture: capture.map(str::to_owned),
        fold,
        seed: u64::MAX,
        truth: "plug, \"smart\"".to_owned(),
        class: "camera".to_owned(),
        confidence: 2.0 / 3.0,
        likeness,
        accepted: fold == 2,
        set: set.iter().map(|class| (*class).to_owned()).collect(),
        probabilities: vec![Some(2.0 / 3.0), likeness.map(|_| 1.0 / 3.0)],
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
    let head = "device,window,truth,class,confidence,Pr(a)\n";
    let row = "02:00:00:00:00:01,2019-07-01T13:00:00Z,a,a,1,1\n";
    let read = read_predictions(format!("{head}{row}").as_bytes(), "p").unwrap();
    assert_eq!((read.rows[0].fold, read.rows[0].seed), (1, 1));
    assert!(problem("device,window,truth,class,confidence\n").contains("no column `Pr(CLASS)`"));
    assert!(problem("a,b\n1,2\n").contains("no column `device`"));
    let wrong = problem(&format!("{head}{row}{}", row.replace(",1,1", ",1,1.5")));
    assert!(wrong.contains("line 3") && wrong.contains("Pr(a)") && wrong.contains("1.5"), "{wrong}");
    assert!(problem(&format!("{head}{}", row.replace("2019", "19x"))).contains("column window"));
    assert!(problem("{\"device\": 1").contains("line 1"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_predictions(&bytes, "p");
        let _ = read_predictions(&[b"[{\"device\":", bytes.as_slice()].concat(), "p");
    }
}
