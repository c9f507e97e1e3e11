//! Logs to instances: order, lateness, and lines of any kind.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;
use std::io::Cursor;

use proptest::prelude::*;
use thingprint_flow::{LocalNets, MacAddr};
use thingprint_instance::{BagName, EvidenceSet, Instance, InstanceOptions};
use thingprint_logs::{LogError, LogFile, LogFormat, LogInstances, LogLosses, ReadCounts, Survey};

const HEADER: &str = "#separator \\x09\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\tconn_state\t\
                      orig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\torig_l2_addr\tresp_l2_addr\n";
const HOUR_S: i64 = 3600;
const GATEWAY: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 1]);

fn file(name: &str, text: impl Into<Vec<u8>>) -> LogFile {
    let text = text.into();
    LogFile::new(name, move || Ok(Box::new(Cursor::new(text.clone()))))
}

/// A connection of a lamp to a port, which began at a time.
fn connection(at_s: i64, duration_s: i64, port: u16) -> String {
    format!(
        "{at_s}.5\t192.168.1.7\t50000\t203.0.113.9\t{port}\ttcp\t{duration_s}.0\tSF\t5\t500\t4\t400\t02:00:00:00:00:07\t02:00:00:00:00:01\n"
    )
}

fn instances(
    format: LogFormat,
    files: &[LogFile],
) -> Result<(Vec<Instance>, ReadCounts, LogLosses), LogError> {
    let survey =
        Survey::of(format, files, (LocalNets::default(), Some(BTreeSet::from([GATEWAY]))), &mut |_| {})?;
    let mut options = InstanceOptions { origin: format.origin(), ..InstanceOptions::default() };
    options.evidence = survey.evidence(EvidenceSet::all()).0;
    options.flow.identity = survey.identity(options.flow.identity);
    let (mut instances, mut reader) = (LogInstances::new(&survey, options), survey.reader());
    while let Some(event) = reader.next_event() {
        instances.push(event);
    }
    instances.finish();
    Ok((instances.take_ready(), reader.counts().clone(), instances.losses()))
}

#[test]
fn rotated_files_are_read_in_the_order_of_their_times() {
    let (first, second) = (connection(10 * HOUR_S, 1, 443), connection(11 * HOUR_S, 1, 80));
    let files = [
        file("logs/conn.b.log", format!("{HEADER}{second}")),
        file("logs/conn.c.log", format!("{HEADER}{first}")),
        file("logs/conn.empty.log", HEADER),
    ];
    let (rows, counts, losses) = instances(LogFormat::Zeek, &files).unwrap();
    let starts: Vec<i64> = rows.iter().map(|row| row.window_start.as_nanos() / 1_000_000_000).collect();
    assert_eq!(starts, [10 * HOUR_S, 11 * HOUR_S]);
    assert_eq!((counts.records, counts.malformed(), losses.late), (2, 0, 0));
}

#[test]
fn a_connection_of_two_days_is_late_and_counted() {
    let day_s = 24 * HOUR_S;
    let long = connection(10 * HOUR_S, 2 * day_s, 8883);
    let text = [HEADER, &connection(11 * HOUR_S, 1, 443), &connection(2 * day_s, 1, 443), &long].concat();
    let (rows, _, losses) = instances(LogFormat::Zeek, &[file("conn.log", text)]).unwrap();
    assert_eq!(losses.late, 1);
    let with_8883: Vec<i64> = rows
        .iter()
        .filter(|row| row.bags.get(BagName::PORTS).is_some_and(|ports| ports.contains_key("8883")))
        .map(|row| row.window_start.as_nanos() / 1_000_000_000)
        .collect();
    assert_eq!(with_8883, [12 * HOUR_S], "the earliest window that is not final");
    assert_eq!(rows.iter().map(|row| row.counts.flows).sum::<u64>(), 3);
}

#[test]
fn files_without_a_readable_line_are_told() {
    let files = [
        file("conn.log", format!("{HEADER}{}", connection(0, 1, 443))),
        file("ssl.log", "#fields\tts\tid.orig_h\n1.0\tx\n1.0\tx\n"),
        file("labels.csv", "mac,label\n"),
        file("dns.log", ""),
        file("ntp.log", "#fields\tts\n#close\t0\n"),
    ];
    let (_, counts, _) = instances(LogFormat::Zeek, &files).unwrap();
    let told: Vec<(&str, u64)> =
        counts.problems.iter().map(|(file, (count, ..))| (file.as_str(), *count)).collect();
    assert_eq!(told, [("labels.csv", 1), ("ssl.log", 2)]);
    assert_eq!(counts.empty.iter().collect::<Vec<_>>(), ["dns.log", "ntp.log"]);
    let unreadable = [file("conn.log", HEADER.to_owned() + "x\ty\n")];
    let error = instances(LogFormat::Zeek, &unreadable).unwrap_err().to_string();
    assert!(error.contains("conn.log, line 3") && error.contains("2 values"), "{error}");
}

#[test]
fn sizes_of_connections_are_needed() {
    let text = "#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n1.0\t10.0.0.1\t1\t10.0.0.2\t2\tudp\n";
    let error = instances(LogFormat::Zeek, &[file("conn.log", text)]).unwrap_err();
    assert!(matches!(error, LogError::NoField { line: 2, field: "orig_pkts", .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever lines say: each is a record, a header, or counted as one that cannot be read.
    #[test]
    fn any_lines_end_in_instances_or_an_error(
        lines in prop::collection::vec(any_line(), 0..20),
        bytes: Vec<u8>,
        is_zeek: bool,
    ) {
        let format = if is_zeek { LogFormat::Zeek } else { LogFormat::Eve };
        let text = [HEADER.as_bytes(), connection(0, 1, 443).as_bytes(), lines.join("\n").as_bytes(), b"\n", &bytes].concat();
        let files = [file("conn.log", text), file("dns.log", bytes)];
        if let Ok((rows, counts, _)) = instances(format, &files) {
            prop_assert!(rows.iter().all(|row| row.counts.packets_up > 0));
            prop_assert!(counts.records + counts.malformed() <= 22 + 2 * 256 + 3);
        }
    }
}

/// A line that is nearly one of a log.
fn any_line() -> impl Strategy<Value = String> {
    let cell = prop_oneof![
        Just("-".to_owned()),
        Just("(empty)".to_owned()),
        "[0-9.]{0,12}",
        "[0-9a-f:.]{0,20}",
        "\\PC{0,8}",
        any::<i64>().prop_map(|number| number.to_string()),
    ];
    let tsv = prop::collection::vec(cell.clone(), 12..16).prop_map(|cells| cells.join("\t"));
    let field = prop_oneof![
        Just("ts"),
        Just("timestamp"),
        Just("event_type"),
        Just("id.orig_h"),
        Just("src_ip"),
        Just("dest_ip"),
        Just("flow"),
        Just("query"),
        Just("_path"),
        Just("orig_pkts"),
        Just("client_ciphers"),
        Just("dns"),
    ];
    let value = prop_oneof![
        cell.clone().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        prop::collection::vec(cell.clone(), 0..3).prop_map(serde_json::Value::from),
        Just(serde_json::json!({"type": "query", "start": "2026-01-01T00:00:00.0+0000", "end": 1e300})),
    ];
    let kind = prop_oneof![
        Just("flow"),
        Just("dns"),
        Just("tls"),
        Just("dhcp"),
        Just("conn"),
        Just("ssl"),
        Just("ntp")
    ];
    let json = (prop::collection::vec((field, value), 0..12), kind).prop_map(|(fields, kind)| {
        let mut map: serde_json::Map<String, serde_json::Value> =
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        map.insert("event_type".to_owned(), kind.into());
        map.insert("_path".to_owned(), kind.into());
        serde_json::Value::Object(map).to_string()
    });
    prop_oneof![tsv, json, "#\\PC{0,20}", "\\PC{0,30}"]
}

/// A frame of zstd (RFC 8878) with a text as it is, and `blocks` blocks of 128 KiB of one byte.
fn zstd_of(text: &str, byte: u8, blocks: usize) -> Vec<u8> {
    const LARGEST: usize = 128 << 10;
    let head =
        |size: usize, kind: usize| u32::try_from(size << 3 | kind << 1).unwrap().to_le_bytes()[..3].to_vec();
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
    frame.extend([head(text.len(), 0), text.as_bytes().to_vec()].concat());
    for _ in 0..blocks {
        frame.extend([head(LARGEST, 1), vec![byte]].concat());
    }
    // The last block, of nothing.
    frame.extend([1, 0, 0]);
    frame
}

#[test]
fn what_unpacks_without_an_end_is_given_up_and_the_rest_is_there() {
    let (first, second) = (connection(10 * HOUR_S, 1, 443), connection(11 * HOUR_S, 1, 80));
    let plain = |text: &str| file("conn.a.log", format!("{HEADER}{text}"));
    for byte in [b'\n', b'x'] {
        let bomb = zstd_of(&format!("{HEADER}{second}"), byte, 2048);
        assert!(bomb.len() < 10_000, "{}", bomb.len());
        let files = [plain(&first), file("conn.b.log.zst", bomb)];
        let (rows, counts, _) = instances(LogFormat::Zeek, &files).unwrap();
        assert_eq!(rows, instances(LogFormat::Zeek, &[plain(&format!("{first}{second}"))]).unwrap().0);
        let (line, reason) = &counts.cut["conn.b.log.zst"];
        assert!(*line >= 3 && reason.contains("more than 200 times its size"), "{line}: {reason}");
    }
    // A log of an ordinary size may be as regular as it likes.
    let short = zstd_of(&format!("{HEADER}{first}"), b'\n', 256);
    let (rows, counts, _) = instances(LogFormat::Zeek, &[file("conn.log.zst", short)]).unwrap();
    assert_eq!((rows.len(), counts.cut.len()), (1, 0));
}

#[test]
fn a_file_that_ends_too_early_gives_what_it_has() {
    let text = format!("{HEADER}{}{}", connection(10 * HOUR_S, 1, 443), connection(11 * HOUR_S, 1, 80));
    let whole = zstd_of(&text, b'\n', 1);
    let cut = whole[..whole.len() - 5].to_vec();
    let (rows, counts, _) = instances(LogFormat::Zeek, &[file("conn.log.zst", cut)]).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(counts.cut.keys().collect::<Vec<_>>(), ["conn.log.zst"]);
    let gone = || LogFile::new("dns.log", || Err(std::io::Error::other("gone")));
    let files = [file("conn.log", text), gone()];
    let (rows, counts, _) = instances(LogFormat::Zeek, &files).unwrap();
    assert_eq!((rows.len(), &counts.cut["dns.log"]), (2, &(0, "gone".to_owned())));
    let error = instances(LogFormat::Zeek, &[gone()]).unwrap_err();
    assert_eq!(error.to_string(), "failed to read dns.log: gone");
}
