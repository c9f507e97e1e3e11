use std::io::Cursor;
use std::ops::Range;

use polars::io::parquet::metadata::FileMetadataRef;
use polars::io::parquet::read::ParallelStrategy;
use polars::prelude::{
    DataFrame, DataType, Float64Type, Int64Type, ListChunked, ParquetReader, PolarsError, PolarsNumericType,
    PolarsResult, SerReader, Series, TimeUnit, UInt64Type,
};
use thingprint_flow::Timestamp;

use super::quiet::unless_it_panics;
use super::{COUNT, WORD, pages};
use crate::table::{Bag, Column, Table, Values};

/// What a Parquet file holds of the columns that were asked for.
pub struct ParquetFile {
    /// Names of all columns of the file.
    pub names: Vec<String>,
    /// The columns that were asked for and are there.
    pub table: Table,
}

/// The rows of a Parquet file, a row group at a time: beside the file itself, one group is in memory.
pub struct ParquetGroups<'a> {
    bytes: &'a [u8],
    metadata: FileMetadataRef,
    names: Vec<String>,
    /// The columns that were asked for and are there.
    present: Vec<String>,
    /// Rows of the groups that were read.
    rows_read: usize,
    next_group: usize,
}

/// Reads columns of a Parquet file; the error says what is wrong with it.
///
/// polars panics on some damaged files where others give an error; both end here, and nothing is printed of it.
pub fn from_parquet(bytes: &[u8], wanted: &[String]) -> Result<ParquetFile, String> {
    let mut groups = ParquetGroups::open(bytes, wanted)?;
    let mut table = groups.empty()?;
    while let Some(group) = groups.next_group()? {
        table.append(group);
    }
    Ok(ParquetFile { names: groups.names, table })
}

impl<'a> ParquetGroups<'a> {
    /// Begins to read these columns; the error says what is wrong with the file.
    pub fn open(bytes: &'a [u8], wanted: &[String]) -> Result<Self, String> {
        guarded(|| {
            let mut reader = ParquetReader::new(Cursor::new(bytes));
            if !is_plausible(bytes, &mut reader)? {
                return Err(PolarsError::ComputeError("its pages claim sizes that they cannot have".into()));
            }
            let names: Vec<String> = reader.schema()?.iter_names().map(ToString::to_string).collect();
            let present = names.iter().filter(|name| wanted.contains(name)).cloned().collect();
            let metadata = reader.get_metadata()?.clone();
            Ok(Self { bytes, metadata, names, present, rows_read: 0, next_group: 0 })
        })
    }

    /// Names of all columns of the file.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The columns without a row.
    pub fn empty(&self) -> Result<Table, String> {
        guarded(|| self.rows(0..0))
    }

    /// The rows of the next group; `None` behind the last.
    pub fn next_group(&mut self) -> Result<Option<Table>, String> {
        let Some(group) = self.metadata.row_groups.get(self.next_group) else { return Ok(None) };
        let rows = group.num_rows();
        let end = self.rows_read.saturating_add(rows);
        let table = guarded(|| self.rows(self.rows_read..end))?;
        self.rows_read = end;
        self.next_group += 1;
        Ok(Some(table))
    }

    fn rows(&self, rows: Range<usize>) -> PolarsResult<Table> {
        let mut reader = ParquetReader::new(Cursor::new(self.bytes));
        reader.set_metadata(self.metadata.clone());
        let frame = reader
            .with_columns(Some(self.present.clone()))
            .with_slice(Some((rows.start, rows.len())))
            // Only so are the groups before passed over.
            .read_parallel(ParallelStrategy::RowGroups)
            .set_rechunk(true)
            .finish()?;
        table(&frame)
    }
}

/// What polars says, or that it panicked.
fn guarded<T>(read: impl FnOnce() -> PolarsResult<T>) -> Result<T, String> {
    unless_it_panics(read)
        .unwrap_or_else(|| Err(PolarsError::ComputeError("it is damaged; write it again".into())))
        .map_err(|error| format!("no readable Parquet: {error}"))
}

fn is_plausible(bytes: &[u8], reader: &mut ParquetReader<Cursor<&[u8]>>) -> PolarsResult<bool> {
    let metadata = reader.get_metadata()?;
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "polars does not name the type of a row group"
    )]
    let mut chunks = metadata.row_groups.iter().flat_map(|group| group.parquet_columns());
    let rows = i64::try_from(metadata.num_rows).unwrap_or(-1);
    let is_sound = pages::is_plausible(rows, bytes.len())
        && chunks.all(|chunk| {
            pages::is_plausible(chunk.num_values(), bytes.len())
                && pages::are_plausible(bytes, chunk.byte_range())
        });
    Ok(is_sound)
}

fn table(frame: &DataFrame) -> PolarsResult<Table> {
    let columns = frame
        .materialized_column_iter()
        .map(|series| Ok(Column::new(series.name().as_str(), values(series)?)))
        .collect::<PolarsResult<_>>()?;
    Ok(Table::of(columns))
}

fn values(series: &Series) -> PolarsResult<Values> {
    let r#type = series.dtype();
    Ok(match r#type {
        DataType::Null => Values::Text(vec![None; series.len()]),
        DataType::String | DataType::Categorical(..) | DataType::Enum(..) => Values::Text(texts(series)?),
        DataType::Boolean => Values::Flag(series.bool()?.iter().collect()),
        DataType::Datetime(unit, _) => Values::Time(times(series, *unit)?),
        DataType::List(inner) => list_values(series.list()?, inner)?,
        _ if r#type.is_unsigned_integer() => Values::Unsigned(numbers::<UInt64Type>(series)?),
        _ if r#type.is_integer() => Values::Signed(numbers::<Int64Type>(series)?),
        _ if r#type.is_float() => Values::Real(numbers::<Float64Type>(series)?),
        _ => return Err(unexpected(series.name(), r#type)),
    })
}

fn unexpected(name: &str, r#type: &DataType) -> PolarsError {
    PolarsError::SchemaMismatch(format!("column {name} is {type}, which no column of ours is").into())
}

fn texts(series: &Series) -> PolarsResult<Vec<Option<String>>> {
    let series = series.strict_cast(&DataType::String)?;
    Ok(series.str()?.iter().map(|text| text.map(str::to_owned)).collect())
}

fn numbers<T: PolarsNumericType>(series: &Series) -> PolarsResult<Vec<Option<T::Native>>> {
    let series = series.strict_cast(&T::get_static_dtype())?;
    Ok(series.unpack::<T>()?.iter().collect())
}

fn times(series: &Series, unit: TimeUnit) -> PolarsResult<Vec<Option<Timestamp>>> {
    let nanos_per_tick = match unit {
        TimeUnit::Nanoseconds => 1,
        TimeUnit::Microseconds => 1_000,
        TimeUnit::Milliseconds => 1_000_000,
    };
    let physical = series.to_physical_repr();
    let ticks = physical.i64()?.iter();
    Ok(ticks
        .map(|ticks| ticks.map(|ticks| Timestamp::from_nanos(ticks.saturating_mul(nanos_per_tick))))
        .collect())
}

fn list_values(lists: &ListChunked, inner: &DataType) -> PolarsResult<Values> {
    let spans = spans(lists).into_iter();
    let flat = lists.get_inner();
    if let DataType::Struct(_) = inner {
        let counted = counted_words(&flat)?;
        let bag = |span: Range<usize>| bag(counted.get(span).unwrap_or_default());
        return Ok(Values::Bag(spans.map(|span| span.map(bag)).collect()));
    }
    let words = texts(&flat)?;
    let list = |span: Range<usize>| words.get(span).unwrap_or_default().iter().flatten().cloned().collect();
    Ok(Values::List(spans.map(|span| span.map(list)).collect()))
}

fn counted_words(flat: &Series) -> PolarsResult<Vec<(String, u64)>> {
    let fields = flat.struct_()?;
    let words = texts(&fields.field_by_name(WORD)?)?.into_iter();
    let counts = numbers::<UInt64Type>(&fields.field_by_name(COUNT)?)?;
    let counted: Option<_> = words.zip(counts).map(|(word, count)| word.zip(count)).collect();
    counted.ok_or_else(|| PolarsError::ComputeError("a word or its count is null".into()))
}

fn bag(counted: &[(String, u64)]) -> Bag {
    let mut bag = Bag::new();
    for (word, count) in counted.iter().filter(|(_, count)| *count > 0) {
        let sum = bag.entry(word.clone()).or_default();
        *sum = sum.saturating_add(*count);
    }
    bag
}

/// For each list, where it starts and ends in the flat values.
fn spans(lists: &ListChunked) -> Vec<Option<Range<usize>>> {
    let mut spans = Vec::with_capacity(lists.len());
    let mut before = 0;
    for array in lists.downcast_iter() {
        for row in 0..array.len() {
            let (start, end) = array.offsets().start_end(row);
            let present = array.validity().is_none_or(|validity| validity.get_bit(row));
            spans.push(present.then_some(before + start..before + end));
        }
        before += array.values().len();
    }
    spans
}
