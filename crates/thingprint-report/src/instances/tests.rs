use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use thingprint_flow::{DeviceId, MacAddr, Timestamp};
use thingprint_instance::{
    Attribute, Attributes, Bag, BagName, Bags, Counts, EvidenceSet, ExtractionRecipe, Instance, Kind, Label,
    Labeled, Spread, Spreads,
};

use thingprint_table::{Column, Format, Style, Table, write};

use crate::ReportError;

use super::*;

/// The formats that are read back.
const FILES: [Format; 4] = [Format::Json, Format::Jsonl, Format::Csv, Format::Parquet];

fn words(words: &[(&str, u64)]) -> Bag {
    words.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect()
}

/// Values of the paper's attributes, in the order of columns.
fn numbers(values: [Option<f64>; 6]) -> Attributes {
    EvidenceSet::paper().numbers().zip(values).collect()
}

fn echo() -> Labeled {
    let attributes = numbers([Some(1234.5), Some(60.0), Some(18.25), None, Some(300.1), None]);
    let volume = Spread { count: 2, sum: 2469.0, sd: 0.5, min: 1234.0, max: 1235.0 };
    let spread = Spreads::from([(Attribute::FLOW_VOLUME_BYTES, volume)]);
    let instance = Instance {
        device: "44:65:0d:56:cc:d3".parse().unwrap(),
        window_start: Timestamp::from_seconds(1_561_986_000),
        window_s: 3600.0,
        capture: None,
        attributes,
        bags: Bags::from([
            (BagName::PORTS, words(&[("443", 12), ("53", 40)])),
            (BagName::DOMAINS, words(&[("api.amazon.com", 7), ("time, \"nist\".gov", 1)])),
            (BagName::CIPHER_SUITES, Bag::new()),
        ]),
        counts: Counts { flows: 2, packets_up: 20, packets_down: 30, bytes_up: 1000, bytes_down: u64::MAX },
        spread,
    };
    let label = Label { family: Some("Amazon".to_owned()), ..Label::new("Amazon Echo", Kind::Iot) };
    Labeled { instance, label: Some(label) }
}

fn recipe() -> ExtractionRecipe {
    "window=15m size=payload".parse().unwrap()
}

fn written(instances: &[Labeled], format: Format) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_instances(instances, Some(&recipe()), format, &mut bytes).unwrap();
    bytes
}

fn text(instances: &[Labeled], format: Format) -> String {
    String::from_utf8(written(instances, format)).unwrap()
}

/// A CSV file of one instance with one value replaced.
fn csv_with(column: &str, value: &str) -> String {
    let csv = text(&[echo()], Format::Csv);
    let mut lines = csv.lines();
    let header = lines.next().unwrap();
    let index = header.split(',').position(|name| name == column).unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let record = reader.records().next().unwrap().unwrap();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(record.iter().enumerate().map(|(at, old)| if at == index { value } else { old }))
        .unwrap();
    format!("{header}\n{}", String::from_utf8(writer.into_inner().unwrap()).unwrap())
}

#[test]
fn columns_have_their_order() {
    let header = text(&[], Format::Csv);
    let start = "device,window_start,window_s,label,kind,family,flow_volume_bytes,flow_duration_s,\
                 flow_rate_bps,sleep_time_s,dns_interval_s,ntp_interval_s,ports,domains,cipher_suites,flows,packets_up,\
                 packets_down,bytes_up,bytes_down,flow_volume_bytes_count,flow_volume_bytes_sum,\
                 flow_volume_bytes_sd,flow_volume_bytes_min,flow_volume_bytes_max,flow_duration_s_count,";
    assert!(header.starts_with(start), "{header}");
    assert!(header.ends_with(",ntp_interval_s_max,capture,extraction\n"), "{header}");
    assert_eq!(
        header.trim_end().split(',').map(str::to_owned).collect::<Vec<_>>(),
        columns::of(EvidenceSet::paper())
    );
}

#[test]
fn an_instance_in_each_text_format() {
    insta::assert_snapshot!("csv", text(&[echo()], Format::Csv));
    insta::assert_snapshot!("json", text(&[echo(), echo()], Format::Json));
    insta::assert_snapshot!("jsonl", text(&[echo()], Format::Jsonl));
    insta::assert_snapshot!("table", text(&[echo()], Format::Table));
}

#[test]
fn no_instances_read_back_as_none_and_nothing_at_all_is_an_error() {
    for format in FILES {
        let written = written(&[], format);
        if written.is_empty() {
            let error = read_instances(&written, "x").unwrap_err().to_string();
            assert_eq!(error, "read x: the file is empty", "{format}");
            continue;
        }
        assert_eq!(read_instances(&written, "x").unwrap().rows, [], "{format}");
    }
}

#[test]
fn an_instance_reads_back_from_each_format() {
    for format in FILES {
        assert_eq!(Format::of_content(&written(&[echo()], format)), format);
        assert_eq!(read_instances(&written(&[echo()], format), "x").unwrap().rows, [echo()], "{format}");
    }
}

#[test]
fn the_recipe_goes_with_the_instances_and_is_one_for_all() {
    for format in FILES {
        let read = read_instances(&written(&[echo()], format), "x").unwrap();
        assert_eq!(read.recipe, Some(recipe()), "{format}");
    }
    let mixed = text(&[echo(), echo()], Format::Jsonl).replacen("window=15m", "window=1h", 1);
    let error = read_instances(mixed.as_bytes(), "day.jsonl").unwrap_err().to_string();
    assert!(error.contains("day.jsonl") && error.contains("extraction"), "{error}");
}

#[test]
fn equal_instances_give_equal_bytes() {
    for format in FILES {
        assert_eq!(written(&[echo()], format), written(&[echo()], format), "{format}");
    }
}

#[test]
fn only_what_makes_an_instance_must_be_there() {
    let mut json =
        r#"{"unknown":{"a":[1,{"b":null}]},"device":"10.0.0.7","window_start":1561986000.5,"label":17"#
            .to_owned();
    json += r#","ports":[{"word":"443","count":2},{"word":"443","count":1},{"word":"53","count":0}],"domains":"{\"a\":1}","cipher_suites":null}"#;
    let file = read_instances(json.as_bytes(), "x").unwrap();
    assert_eq!(file.unknown_columns, ["unknown".to_owned()].into());
    let [read] = file.rows.try_into().unwrap();
    assert_eq!(read.label, Some(Label::new("17", Kind::Iot)));
    assert_eq!(read.instance.window_start, Timestamp::from_nanos(1_561_986_000_500_000_000));
    assert_eq!(read.instance.window_s.to_bits(), 3600.0_f64.to_bits());
    assert_eq!(read.instance.bags.get(BagName::PORTS), Some(&words(&[("443", 3)])));
    assert_eq!(read.instance.bags.get(BagName::DOMAINS), Some(&words(&[("a", 1)])));
    assert_eq!(read.instance.bags.get(BagName::CIPHER_SUITES), None);
    assert_eq!(read.instance.attributes, Attributes::default());
    assert_eq!(read.instance.counts, Counts::default());
    assert_eq!(read.instance.spread, Spreads::new());
    let array = format!("\u{feff} [ {json} ,\n {json} ]");
    assert_eq!(read_instances(array.as_bytes(), "x").unwrap().rows, [read.clone(), read]);
}

/// What a file does not have is absent, not empty, and comes back so from every format.
#[test]
fn columns_of_evidence_are_those_of_the_recipe() {
    let recipe: ExtractionRecipe = "evidence=ports,sleep_time_s".parse().unwrap();
    let mut row = echo();
    row.instance.attributes = Attributes::default();
    row.instance.attributes.set(Attribute::SLEEP_TIME_S, Some(2.5));
    row.instance.bags = Bags::from([(BagName::PORTS, Bag::new())]);
    row.instance.spread.clear();
    for format in FILES {
        let mut bytes = Vec::new();
        write_instances(std::slice::from_ref(&row), Some(&recipe), format, &mut bytes).unwrap();
        let file = read_instances(&bytes, "x").unwrap();
        assert_eq!(
            (file.rows, file.recipe),
            (vec![row.clone()], Some(recipe.without_evidence())),
            "{format}"
        );
        assert_eq!(file.unknown_columns, [].into(), "{format}");
        for name in ["flow_volume_bytes", "domains", "ntp_interval_s_max"] {
            let is_there = bytes.windows(name.len()).any(|part| part == name.as_bytes());
            assert!(!is_there, "{name} in {format}");
        }
    }
}

#[test]
fn columns_of_other_programs_are_skipped_and_named() {
    let csv = text(&[echo()], Format::Csv);
    let wider: Vec<String> = csv.lines().map(|line| format!("mine,{line},yours")).collect();
    let file = read_instances(wider.join("\n").as_bytes(), "x").unwrap();
    assert_eq!(file.rows, [echo()]);
    assert_eq!(file.unknown_columns, ["mine".to_owned(), "yours".to_owned()].into());
}

#[test]
fn a_file_of_a_spreadsheet_reads_as_the_one_that_was_written() {
    let csv = text(&[echo()], Format::Csv);
    let spreadsheet = format!("\u{feff}{}", csv.replace('\n', "\r\n"));
    assert_eq!(read_instances(spreadsheet.as_bytes(), "x").unwrap().rows, [echo()]);
}

#[test]
fn an_error_names_the_file_the_place_the_column_and_the_reason() {
    let check = |bytes: &[u8], expected: &str| {
        let error = read_instances(bytes, "day.csv").unwrap_err().to_string();
        assert_eq!(error, expected);
    };
    check(b"mac,label\nx,y\n", "read day.csv: no column `device`, found mac, label");
    check(b"device,label\nx,y\n", "read day.csv: no column `window_start`, found device, label");
    check(br#"{"device":"x"}"#, "read day.csv: line 1: no column `window_start`, found device");
    check(br#"[{"device":"x"}]"#, "read day.csv: row 1: no column `window_start`, found device");
    check(b"\n{\"device\":}", "read day.csv: line 2: expected value at character 11");
    check(b"{} x", "read day.csv: line 1: trailing characters at character 4");
    check(
        b"[1]",
        "read day.csv: invalid type: integer `1`, expected an instance as an object at line 1 column 2",
    );
    check(b"[", "read day.csv: EOF while parsing a list at line 1 column 1");
    let value = |column, value: &str, expected| check(csv_with(column, value).as_bytes(), expected);
    value("device", "", "read day.csv: line 2, column device: absent");
    value(
        "device",
        "x",
        "read day.csv: line 2, column device: 'x' is neither a MAC address nor an IP address",
    );
    value(
        "window_start",
        "noon",
        "read day.csv: line 2, column window_start: 'noon' is no time: expected one like 2019-07-01T13:00:00Z or seconds since 1970",
    );
    value(
        "kind",
        "car",
        "read day.csv: line 2, column kind: 'car' is no kind of device: expected iot or non-iot",
    );
    value("sleep_time_s", "long", "read day.csv: line 2, column sleep_time_s: 'long' is no number");
    value("flows", "-1", "read day.csv: line 2, column flows: '-1' is no count");
    value(
        "ports",
        "443",
        "read day.csv: line 2, column ports: no bag of words like {\"443\":12}: invalid type: integer `443`, expected a bag of words at line 1 column 3",
    );
}

#[test]
fn rows_that_pack_well_are_no_damage() {
    let rows = vec![echo(); 20_000];
    let bytes = written(&rows, Format::Parquet);
    assert!(bytes.len() < rows.len() * 4, "{} bytes", bytes.len());
    assert_eq!(read_instances(&bytes, "x").unwrap().rows, rows);
}

#[test]
fn a_damaged_parquet_file_is_refused() {
    let bytes = written(&[echo()], Format::Parquet);
    let error = |bytes: &[u8]| read_instances(bytes, "day.parquet").unwrap_err().to_string();
    assert!(error(b"PAR1").starts_with("read day.parquet: no readable Parquet: "));
    assert!(error(&bytes[..bytes.len() / 2]).starts_with("read day.parquet: no readable Parquet: "));
}

#[test]
fn a_table_in_memory_reads_as_its_file_does() {
    let table = into_instance_table(vec![echo(), echo()], Some(&recipe()));
    let read = instances_of(table, "frame").unwrap();
    assert_eq!(read, read_instances(&written(&[echo(), echo()], Format::Parquet), "f").unwrap());
    let columns = Table::of(vec![Column::new("device", vec!["44:65:0d:56:cc:d3".to_owned()])]);
    let error = instances_of(columns, "frame").unwrap_err().to_string();
    assert_eq!(error, "read frame: no column `window_start`, found device");
}

#[test]
fn a_parquet_file_without_a_column_names_it() {
    let mut bytes = Vec::new();
    let table = Table::of(vec![Column::new("device", vec!["x".to_owned()])]);
    write(&table, Format::Parquet, &mut bytes, Style::default()).unwrap();
    let error = read_instances(&bytes, "day.parquet").unwrap_err().to_string();
    assert_eq!(error, "read day.parquet: no column `window_start`, found device");
}

fn any_bag() -> impl Strategy<Value = Bag> {
    btree_map(".{0,12}", 1..=u64::MAX, 0..5)
}

fn any_real() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
}

prop_compose! {
    fn any_spread()(count: u64, [sum, sd, min, max] in [any_real(), any_real(), any_real(), any_real()]) -> Spread {
        Spread { count, sum, sd, min, max }
    }
}

fn any_device() -> impl Strategy<Value = DeviceId> {
    prop_oneof![
        any::<[u8; 6]>().prop_map(|octets| DeviceId::Mac(MacAddr::new(octets))),
        any::<std::net::IpAddr>().prop_map(DeviceId::Ip),
    ]
}

fn any_label() -> impl Strategy<Value = Label> {
    let class = prop_oneof!["[ -~]{1,12}", "[,\"'\r\n\t#;\\\\é日]{1,6}", ".{1,8}"];
    (class, prop_oneof![Just(Kind::Iot), Just(Kind::NonIot)])
        .prop_map(|(class, kind)| Label::new(class, kind))
}

prop_compose! {
    fn any_labeled()(
        device in any_device(),
        nanos: i64,
        window_s in any_real(),
        capture in option::of("[ -~\n]{1,12}"),
        attributes in proptest::array::uniform6(option::of(any_real())),
        bags in proptest::array::uniform3(option::of(any_bag())),
        counts: [u64; 5],
        spreads in proptest::array::uniform6(option::of(any_spread())),
        label in option::of(any_label()),
    ) -> Labeled {
        let [flows, packets_up, packets_down, bytes_up, bytes_down] = counts;
        let paper = EvidenceSet::paper();
        let instance = Instance {
            device,
            window_start: Timestamp::from_nanos(nanos),
            window_s,
            capture,
            attributes: numbers(attributes),
            bags: paper.bags().zip(bags).filter_map(|(name, bag)| Some((name, bag?))).collect(),
            counts: Counts { flows, packets_up, packets_down, bytes_up, bytes_down },
            spread: paper.numbers().zip(spreads).filter_map(|(name, spread)| Some((name, spread?))).collect(),
        };
        Labeled { instance, label }
    }
}

/// What reading row by row gives, a few bytes at a time.
fn one_by_one(bytes: &[u8]) -> Result<InstanceFile, ReportError> {
    let mut rows = Vec::new();
    let mut source = std::io::BufReader::with_capacity(7, bytes);
    let head = each_instance(&mut source, "x", &mut |row| -> Result<(), ReportError> {
        rows.push(row);
        Ok(())
    })?;
    assert_eq!(head.rows, rows.len() as u64);
    Ok(InstanceFile { rows, recipe: head.recipe, unknown_columns: head.unknown_columns })
}

/// Whether a file is read the same in both ways, or is refused for the same reason at the same line. A reader of JSON that
/// looks ahead may be a column further.
fn check_both_ways(bytes: &[u8]) {
    let said = |read: Result<InstanceFile, ReportError>| match read {
        Ok(file) => format!("{file:?}"),
        Err(error) => {
            let said = error.to_string();
            said.rsplit_once(" column ").map_or(said.clone(), |(said, _)| said.to_owned())
        }
    };
    assert_eq!(said(one_by_one(bytes)), said(read_instances(bytes, "x")));
}

#[test]
fn blank_lines_and_wrong_rows_are_told_the_same_when_rows_are_read_one_by_one() {
    let csv = csv_with("flows", "2");
    let (header, row) = csv.split_once('\n').unwrap();
    let row = row.trim_end();
    for rows in ["\n\n", "\n\nx,y\n", "\nROW\n\n\nROW\n", "\nROW\n\n\nx\n", "ROW\n\"", "\u{feff}"] {
        check_both_ways(format!("{header}\n{}", rows.replace("ROW", row)).as_bytes());
        check_both_ways(format!("\u{feff}{header}\n{}", rows.replace("ROW", row)).as_bytes());
    }
    let long = format!("{header}\n{}", format!("{row}\n\n").repeat(1000));
    check_both_ways(long.as_bytes());
    check_both_ways(format!("{long}\n\nx").as_bytes());
    assert!(one_by_one(format!("{long}\n\nx").as_bytes()).unwrap_err().to_string().contains("line 2004"));
}

#[test]
fn whoever_takes_rows_can_end_the_reading() {
    for format in FILES {
        let bytes = written(&[echo(), echo(), echo()], format);
        let mut taken = 0;
        let ended = each_instance(&mut bytes.as_slice(), "x", &mut |_| {
            taken += 1;
            let reason = "enough".to_owned();
            if taken < 2 { Ok(()) } else { Err(ReportError::Unreadable { file: "y".to_owned(), reason }) }
        });
        assert_eq!((ended.unwrap_err().to_string().as_str(), taken), ("read y: enough", 2), "{format}");
    }
}

/// Equality that tells 0 from -0: bits, not values.
fn bits(instances: &[Labeled]) -> String {
    format!("{instances:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_written_reads_back_equal(instances in vec(any_labeled(), 1..6)) {
        for format in FILES {
            let read = read_instances(&written(&instances, format), "x").unwrap().rows;
            prop_assert_eq!(bits(&read), bits(&instances), "{}", format);
            let read = one_by_one(&written(&instances, format)).unwrap().rows;
            prop_assert_eq!(bits(&read), bits(&instances), "{}, one by one", format);
        }
    }

    #[test]
    fn no_text_panics(text in "[\\[{]?.{0,60}") {
        check_both_ways(text.as_bytes());
    }

    #[test]
    fn no_damage_to_a_text_panics(at: prop::sample::Index, byte: u8, format in 0..3_usize) {
        let mut bytes = written(&[echo(), echo()], FILES[format]);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        check_both_ways(&bytes);
        check_both_ways(&bytes[..at]);
    }

    #[test]
    fn no_damage_to_a_parquet_file_gets_out(at: prop::sample::Index, byte: u8) {
        let mut bytes = written(&[echo(), echo()], Format::Parquet);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        check_both_ways(&bytes);
        check_both_ways(&bytes[..at]);
    }
}
