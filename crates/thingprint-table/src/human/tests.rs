use thingprint_flow::Timestamp;

use super::*;
use crate::table::{Bag, Cell, Type};

fn bag(words: &[(&str, u64)]) -> Bag {
    words.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect()
}

fn inventory() -> Table {
    let mut table = Table::new([
        ("device", Type::Text),
        ("randomised", Type::Flag),
        ("first_seen", Type::Time),
        ("host_name", Type::Text),
        ("addresses", Type::List),
        ("packets_up", Type::Unsigned),
        ("clock_offset_s", Type::Signed),
        ("confidence", Type::Real),
        ("domains", Type::Bag),
    ]);
    let hour = Timestamp::from_seconds(1_561_986_000);
    let names = bag(&[("api.amazon.com", 7), ("time.nist.gov", 1), ("dcape-na.amazon.com", 40)]);
    let echo: [Cell; 9] = [
        "44:65:0d:56:cc:d3".into(),
        false.into(),
        hour.into(),
        "amazon-echo".into(),
        vec!["192.168.1.240".to_owned(), "fe80::4665:dff:fe56:ccd3".to_owned()].into(),
        18_204_u64.into(),
        (-2_i64).into(),
        0.991_337_f64.into(),
        names.into(),
    ];
    table.push(echo).unwrap();
    let unknown: [Cell; 9] = [
        "02:00:00:00:00:01".into(),
        true.into(),
        hour.plus_nanos(1_500_000_000).into(),
        "Küche 日本語".into(),
        Cell::Absent,
        9_u64.into(),
        Cell::Absent,
        0.5_f64.into(),
        Bag::new().into(),
    ];
    table.push(unknown).unwrap();
    table
}

fn rendered(width: Option<usize>) -> String {
    render(&inventory(), Style { width, ..Style::default() })
}

#[test]
fn a_table_without_a_width() {
    insta::assert_snapshot!(rendered(None));
}

#[test]
fn a_table_on_a_wide_terminal() {
    insta::assert_snapshot!(rendered(Some(150)));
}

#[test]
fn a_table_on_a_narrow_terminal() {
    insta::assert_snapshot!(rendered(Some(134)));
}

#[test]
fn lines_never_exceed_a_terminal_that_has_room_for_the_floors() {
    for terminal in 134..240 {
        for line in rendered(Some(terminal)).lines() {
            assert!(cell::width(line) <= terminal, "{terminal}: {line}");
        }
    }
}

#[test]
fn colour_marks_the_header_alone() {
    let table = Table::of(vec![Column::new("device", vec!["a".to_owned()])]);
    let text = render(&table, Style { colour: true, ..Style::default() });
    assert_eq!(text, "\u{1b}[1mdevice\u{1b}[0m\na\n");
}

#[test]
fn hostile_text_cannot_steer_a_terminal() {
    let mut table = Table::new([("a\u{1b}[31m", Type::Text), ("list", Type::List), ("bag", Type::Bag)]);
    let hostile = "\u{1b}]0;x\u{7}\n\u{202e}\u{61c}";
    table.add([Cell::from(hostile), Cell::from(vec![hostile.to_owned()]), Cell::Bag(bag(&[(hostile, 2)]))]);
    let text = render(&table, Style::default());
    assert!(!text.lines().any(|line| line.contains(crate::escape::is_control)), "{text:?}");
    assert_eq!(text.lines().count(), 2, "{text:?}");
}

#[test]
fn a_table_without_rows_is_its_header_and_one_without_columns_nothing() {
    assert_eq!(render(&Table::new([("device", Type::Text)]), Style::default()), "device\n");
    assert_eq!(render(&Table::default(), Style::default()), "");
}
