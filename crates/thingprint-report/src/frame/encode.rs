use polars::prelude::{
    ArrayRef, BooleanChunked, Column as FrameColumn, CsvWriter, DataFrame, Float64Chunked, Int64Chunked,
    IntoColumn, IntoSeries, LargeListArray, ParquetCompression, ParquetWriter, PlSmallStr, PolarsResult,
    SerWriter, Series, StringChunked, StructChunked, TimeUnit, TimeZone, UInt64Chunked,
};
use thingprint_flow::Timestamp;
use thingprint_instance::Bag;

use super::{COUNT, WORD};
use crate::error::ReportError;
use crate::format::Format;
use crate::table::{Table, Values};
use crate::{json, rfc3339};

/// CSV with or without its header; times are RFC 3339, bags and lists JSON, absent values empty.
pub(crate) fn to_csv(table: &Table, has_header: bool) -> Result<Vec<u8>, ReportError> {
    let mut bytes = Vec::new();
    data_frame(table, flat)
        .and_then(|mut frame| CsvWriter::new(&mut bytes).include_header(has_header).finish(&mut frame))
        .map_err(|error| refused(Format::Csv, &error))?;
    Ok(bytes)
}

/// Parquet; times are nanoseconds in UTC, bags are lists of {word, count}.
pub(crate) fn to_parquet(table: &Table) -> Result<Vec<u8>, ReportError> {
    let mut bytes = Vec::new();
    data_frame(table, nested)
        .and_then(|mut frame| {
            let writer = ParquetWriter::new(&mut bytes).with_compression(ParquetCompression::Zstd(None));
            writer.finish(&mut frame)
        })
        .map_err(|error| refused(Format::Parquet, &error))?;
    Ok(bytes)
}

fn refused(format: Format, error: &polars::error::PolarsError) -> ReportError {
    ReportError::Encode { format, reason: error.to_string() }
}

fn data_frame(table: &Table, series: fn(&Values) -> PolarsResult<Series>) -> PolarsResult<DataFrame> {
    let columns = table
        .columns()
        .iter()
        .map(|column| Ok(series(column.values())?.with_name(column.name().into()).into_column()))
        .collect::<PolarsResult<Vec<FrameColumn>>>()?;
    DataFrame::new(table.rows(), columns)
}

/// A column for a format without nested values.
fn flat(values: &Values) -> PolarsResult<Series> {
    match values {
        Values::Time(times) => Ok(texts(times, |time| rfc3339::format(*time))),
        Values::List(lists) => Ok(texts(lists, |list| json::list_text(list))),
        Values::Bag(bags) => Ok(texts(bags, json::bag_text)),
        other => nested(other),
    }
}

fn texts<T>(values: &[Option<T>], text: impl Fn(&T) -> String) -> Series {
    values.iter().map(|value| value.as_ref().map(&text)).collect::<StringChunked>().into_series()
}

fn nested(values: &Values) -> PolarsResult<Series> {
    Ok(match values {
        Values::Text(texts) => texts.iter().map(Option::as_deref).collect::<StringChunked>().into_series(),
        Values::Unsigned(counts) => counts.iter().copied().collect::<UInt64Chunked>().into_series(),
        Values::Signed(numbers) => numbers.iter().copied().collect::<Int64Chunked>().into_series(),
        Values::Real(measures) => measures.iter().copied().collect::<Float64Chunked>().into_series(),
        Values::Json(documents) => texts(documents, |json| json.as_str().to_owned()),
        Values::Flag(flags) => flags.iter().copied().collect::<BooleanChunked>().into_series(),
        Values::Time(times) => instants(times),
        Values::List(lists) => {
            let words = lists.iter().flatten().flatten().map(String::as_str);
            let words = words.map(Some).collect::<StringChunked>().into_series();
            lists_of(&words, lists.iter().map(|list| list.as_ref().map(Vec::len)))?
        }
        Values::Bag(bags) => {
            let counted = counted_words(bags)?;
            lists_of(&counted, bags.iter().map(|bag| bag.as_ref().map(Bag::len)))?
        }
    })
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
