use std::io::{self, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    ArrayRef, BooleanChunked, Column as FrameColumn, DataFrame, Float64Chunked, Int64Chunked, IntoColumn,
    IntoSeries, LargeListArray, ParquetCompression, ParquetWriter, PlSmallStr, PolarsResult, Series,
    StringChunked, StructChunked, TimeUnit, TimeZone, UInt64Chunked,
};
use thingprint_flow::Timestamp;

use super::{COUNT, WORD};
use crate::badge::Badge;
use crate::prose::Prose;
use crate::table::{Bag, Table, Values};

/// A Parquet file on its way out, a row group at a time; times are nanoseconds in UTC, bags are lists of {word, count}.
pub(crate) struct ParquetEncoder {
    writer: BatchedWriter<Buffer>,
    buffer: Buffer,
}

/// Bytes that polars wrote and nobody took yet.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl ParquetEncoder {
    /// A file with the columns of a table; the error is what the encoder says.
    pub(crate) fn new(columns: &Table) -> Result<Self, String> {
        let buffer = Buffer::default();
        let writer = data_frame(columns, 0..0).and_then(|frame| {
            let writer = ParquetWriter::new(buffer.clone()).with_compression(ParquetCompression::Zstd(None));
            writer.batched(frame.schema())
        });
        Ok(Self { writer: writer.map_err(|error| error.to_string())?, buffer })
    }

    /// The bytes of some rows as a row group, and of what comes before them.
    pub(crate) fn group(&mut self, table: &Table, rows: Range<usize>) -> Result<Vec<u8>, String> {
        let written = data_frame(table, rows).and_then(|frame| self.writer.write_batch(&frame));
        written.map_err(|error| error.to_string())?;
        Ok(self.buffer.take())
    }

    /// The bytes of the end of the file.
    pub(crate) fn finish(&mut self) -> Result<Vec<u8>, String> {
        self.writer.finish().map_err(|error| error.to_string())?;
        Ok(self.buffer.take())
    }
}

impl Buffer {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn data_frame(table: &Table, rows: Range<usize>) -> PolarsResult<DataFrame> {
    let columns = table
        .columns()
        .iter()
        .map(|column| {
            Ok(series(column.values(), rows.clone())?.with_name(column.name().into()).into_column())
        })
        .collect::<PolarsResult<Vec<FrameColumn>>>()?;
    DataFrame::new(rows.len(), columns)
}

fn texts<T>(values: &[Option<T>], text: impl Fn(&T) -> String) -> Series {
    values.iter().map(|value| value.as_ref().map(&text)).collect::<StringChunked>().into_series()
}

fn series(values: &Values, rows: Range<usize>) -> PolarsResult<Series> {
    Ok(match values {
        Values::Text(texts) => {
            of(texts, rows).iter().map(Option::as_deref).collect::<StringChunked>().into_series()
        }
        Values::Unsigned(counts) => of(counts, rows).iter().copied().collect::<UInt64Chunked>().into_series(),
        Values::Signed(numbers) => of(numbers, rows).iter().copied().collect::<Int64Chunked>().into_series(),
        Values::Real(measures) => {
            of(measures, rows).iter().copied().collect::<Float64Chunked>().into_series()
        }
        Values::Json(documents) => texts(of(documents, rows), |json| json.as_str().to_owned()),
        Values::Flag(flags) => of(flags, rows).iter().copied().collect::<BooleanChunked>().into_series(),
        Values::Time(times) => instants(of(times, rows)),
        Values::Prose(prose) => texts(of(prose, rows), Prose::plain),
        Values::Badges(badges) => texts(of(badges, rows), |badges| Badge::texts(badges)),
        Values::List(lists) => {
            let lists = of(lists, rows);
            let words = lists.iter().flatten().flatten().map(String::as_str);
            let words = words.map(Some).collect::<StringChunked>().into_series();
            lists_of(&words, lists.iter().map(|list| list.as_ref().map(Vec::len)))?
        }
        Values::Bag(bags) => {
            let bags = of(bags, rows);
            let counted = counted_words(bags)?;
            lists_of(&counted, bags.iter().map(|bag| bag.as_ref().map(Bag::len)))?
        }
    })
}

fn of<T>(values: &[T], rows: Range<usize>) -> &[T] {
    values.get(rows).unwrap_or_default()
}

fn instants(times: &[Option<Timestamp>]) -> Series {
    let nanos: Int64Chunked = times.iter().map(|time| time.map(Timestamp::as_nanos)).collect();
    nanos.into_datetime(TimeUnit::Nanoseconds, Some(TimeZone::UTC)).into_series()
}

/// The words of all bags, one after the other, with their counts.
fn counted_words(bags: &[Option<Bag>]) -> PolarsResult<Series> {
    let words: StringChunked = bags.iter().flatten().flatten().map(|(word, _)| Some(word.as_str())).collect();
    let counts: UInt64Chunked = bags.iter().flatten().flatten().map(|(_, count)| Some(*count)).collect();
    let fields = [words.into_series().with_name(WORD.into()), counts.into_series().with_name(COUNT.into())];
    let length = fields[0].len();
    Ok(StructChunked::from_series("item".into(), length, fields.iter())?.into_series())
}

/// Cuts flat values into one list for each row.
fn lists_of(values: &Series, lengths: impl Iterator<Item = Option<usize>> + Clone) -> PolarsResult<Series> {
    let mut offsets = vec![0_i64];
    let mut end = 0_usize;
    for length in lengths.clone() {
        end += length.unwrap_or(0);
        offsets.push(i64::try_from(end).unwrap_or(i64::MAX));
    }
    let present = lengths.map(|length| length.is_some()).collect();
    let array = values.rechunk().into_chunks().swap_remove(0);
    let r#type = LargeListArray::default_datatype(array.dtype().clone());
    let lists = LargeListArray::try_new(r#type, offsets.try_into()?, array, Some(present))?;
    Series::try_from((PlSmallStr::EMPTY, Box::new(lists) as ArrayRef))
}
