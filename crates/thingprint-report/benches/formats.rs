//! What it costs to write a table and to read instances back, by format.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use thingprint_report::{InstanceFile, read_instances, write_instances};
use thingprint_table::{Cell, Format, Style, Table, Type, Writes, write};

const ROWS: u64 = 5000;

/// Rows like those of `flows`: texts, counts, times and reals, some of them absent.
fn table() -> Table {
    let columns = [
        ("client", Type::Text),
        ("port", Type::Unsigned),
        ("service", Type::Text),
        ("bytes", Type::Unsigned),
        ("duration", Type::Real),
        ("is_standard", Type::Flag),
    ];
    let mut table = Table::new(columns);
    for row in 0..ROWS {
        let service: Cell = if row % 3 == 0 { Cell::Absent } else { "tls".into() };
        let duration = row as f64 / 7.0;
        let cells: [Cell; 6] = [
            format!("192.168.1.{}", row % 250).into(),
            (40_000 + row % 20_000).into(),
            service,
            (row * 1459).into(),
            duration.into(),
            (row % 2 == 0).into(),
        ];
        table.push(cells).unwrap();
    }
    table
}

fn write_table(criterion: &mut Criterion) {
    let table = table();
    let mut group = criterion.benchmark_group("write table");
    group.throughput(Throughput::Elements(ROWS));
    for format in Format::ALL.iter().copied().filter(|format| format.writes() != Writes::Document) {
        group.bench_function(BenchmarkId::from_parameter(format), |bencher| {
            bencher.iter(|| {
                let mut bytes = Vec::new();
                write(black_box(&table), format, &mut bytes, Style::default()).unwrap();
                bytes
            });
        });
    }
    group.finish();
}

/// Instances of 50 devices, an hour each, with three small bags.
fn instances() -> InstanceFile {
    let mut lines = String::new();
    for row in 0..ROWS {
        let (device, hour, n) = (row % 50, row / 50, row % 17);
        writeln!(
            lines,
            r#"{{"device":"02:00:00:00:00:{device:02x}","window_start":{},"window_s":3600,"label":"class-{}","kind":"iot","flow_volume_bytes":{}.5,"flow_duration_s":{n}.25,"flow_rate_bps":null,"sleep_time_s":60.125,"dns_interval_s":300,"ntp_interval_s":null,"ports":{{"443":{},"53":7}},"domains":{{"a{n}.example.com":3,"b.example.net":{}}},"cipher_suites":{{"c02f-c030":2}}}}"#,
            hour * 3600,
            device % 20,
            1000 + row,
            row + 1,
            n + 1,
        )
        .unwrap();
    }
    read_instances(lines.as_bytes(), "instances").unwrap()
}

fn instance_files(criterion: &mut Criterion) {
    let instances = instances();
    let mut group = criterion.benchmark_group("instances");
    group.throughput(Throughput::Elements(ROWS));
    for format in [Format::Json, Format::Jsonl, Format::Csv, Format::Parquet] {
        let written = || {
            let mut bytes = Vec::new();
            write_instances(&instances.rows, None, format, &mut bytes).unwrap();
            bytes
        };
        group.bench_function(BenchmarkId::new("write", format), |bencher| bencher.iter(written));
        let bytes = written();
        group.bench_function(BenchmarkId::new("read", format), |bencher| {
            bencher.iter(|| read_instances(black_box(&bytes), "instances").unwrap().rows.len());
        });
    }
    group.finish();
}

criterion_group!(benches, write_table, instance_files);
criterion_main!(benches);
