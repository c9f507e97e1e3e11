//! Memory depends on a row or a row group, not on how many rows a file has.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test")]

use std::alloc::System;
use std::io::{self, BufReader};
use std::sync::{Mutex, PoisonError};

use peakmem_alloc::{PeakMemAlloc, PeakMemAllocTrait};
use thingprint_flow::Timestamp;
use thingprint_instance::{Attributes, BagName, Bags, Counts, Instance, Labeled, Spreads};
use thingprint_report::{ReportError, each_instance, into_instance_table};
use thingprint_table::{Format, Style, TableWriter};

#[global_allocator]
static MEMORY: PeakMemAlloc<System> = PeakMemAlloc::new(System);

/// The count is of the whole process.
static ALONE: Mutex<()> = Mutex::new(());

const FORMATS: [Format; 4] = [Format::Parquet, Format::Json, Format::Jsonl, Format::Csv];

/// Rows of a file, and of one four times as long; a row group has some 1,500 of them.
const ROWS: u32 = 5000;

/// What no way of reading or writing may take: a row group, in the forms that it goes through.
const MOST_BYTES: usize = 64 << 20;

fn row(number: u32) -> Labeled {
    let domains = (0..40).map(|word| (format!("host-{word}.of-{}.example.com", number % 500), 1)).collect();
    let [.., high, low] = number.to_be_bytes();
    let instance = Instance {
        device: format!("02:00:00:00:{high:02x}:{low:02x}").parse().unwrap(),
        window_start: Timestamp::from_seconds(3600 * i64::from(number)),
        window_s: 3600.0,
        capture: None,
        attributes: Attributes::default(),
        bags: Bags::from([(BagName::DOMAINS, domains)]),
        counts: Counts { flows: number.into(), ..Counts::default() },
        spread: Spreads::default(),
    };
    Labeled { instance, label: None }
}

/// Writes so many rows as they come.
fn write(rows: u32, format: Format, out: &mut dyn io::Write) {
    let columns = into_instance_table(vec![row(0)], None).emptied();
    let mut writer = TableWriter::new(columns, format, Style::default(), out);
    for start in (0..rows).step_by(500) {
        writer.take(into_instance_table((start..start + 500).map(row).collect(), None)).unwrap();
    }
    writer.finish().unwrap();
}

/// The most bytes that were held beyond those before.
fn peak(work: impl FnOnce()) -> usize {
    MEMORY.reset_peak_memory();
    let before = MEMORY.get_peak_memory();
    work();
    MEMORY.get_peak_memory() - before
}

fn check(format: Format, [once, four_times]: [usize; 2]) {
    assert!(
        four_times <= once + once / 4,
        "{format}: {once} bytes, and {four_times} for four times as many rows"
    );
    assert!(four_times <= MOST_BYTES, "{format}: {four_times} bytes");
}

#[test]
fn writing_takes_the_memory_of_a_row_group() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for format in FORMATS {
        // The first use of polars makes what stays.
        write(500, format, &mut io::sink());
        check(format, [1, 4].map(|times| peak(|| write(ROWS * times, format, &mut io::sink()))));
    }
}

#[test]
fn reading_row_by_row_takes_the_memory_of_the_packed_file_and_a_row_group() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for format in FORMATS {
        let peaks = [1, 4].map(|times| {
            let mut file = Vec::new();
            write(ROWS * times, format, &mut file);
            let mut read = 0;
            let taken = peak(|| {
                let mut count = |_| -> Result<(), ReportError> {
                    read += 1;
                    Ok(())
                };
                each_instance(&mut BufReader::new(file.as_slice()), "x", &mut count).unwrap();
            });
            assert_eq!(read, ROWS * times);
            // What a file is read into grows by doubling, and is there twice while it does.
            let packed = if format == Format::Parquet { 3 * file.len() } else { 0 };
            taken.saturating_sub(packed)
        });
        check(format, peaks);
    }
}
