//! Frames of other libraries as tables of the program. They come as a stream of Arrow's own file format: a pointer would need
//! `unsafe`.

use std::io::Cursor;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_ipc::reader::StreamReader;
use arrow_schema::{DataType, Field, TimeUnit};
use thingprint_flow::Timestamp;
use thingprint_table::{Bag, Column, Table, Type, Values};

use crate::export::{COUNT, WORD};

/// Reads a stream of record batches. The error says what of it is nothing that the program knows.
pub(crate) fn read(stream: &[u8]) -> Result<Table, String> {
    let reader = StreamReader::try_new(Cursor::new(stream), None).map_err(|error| error.to_string())?;
    let fields: Vec<_> = reader.schema().fields().iter().cloned().collect();
    let mut whole: Option<Table> = None;
    for batch in reader {
        let batch = table(&batch.map_err(|error| error.to_string())?)?;
        whole = Some(match whole {
            None => batch,
            Some(mut before) => {
                before.append(batch);
                before
            }
        });
    }
    match whole {
        Some(table) => Ok(table),
        None => Ok(Table::new(fields.iter().map(|field| (field.name().as_str(), Type::Text)))),
    }
}

/// The rows of some batches.
pub(crate) fn of_batches(batches: &[RecordBatch]) -> Result<Table, String> {
    let mut whole = Table::default();
    for (at, batch) in batches.iter().enumerate() {
        let batch = table(batch)?;
        if at == 0 {
            whole = batch;
        } else {
            whole.append(batch);
        }
    }
    Ok(whole)
}

fn table(batch: &RecordBatch) -> Result<Table, String> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
        let name = field.name();
        let values = values(column.as_ref()).ok_or_else(|| {
            format!("column {name} holds {}, which is no value of a result", column.data_type())
        })?;
        Ok(Column::new(name, values))
    });
    Ok(Table::of(columns.collect::<Result<Vec<_>, String>>()?))
}

/// The values of a column; `None` where they are of a type that no result has.
fn values(column: &dyn Array) -> Option<Values> {
    Some(match column.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Values::Text(texts(column)?),
        DataType::Null => Values::Text(vec![None; column.len()]),
        DataType::Boolean => Values::Flag(column.as_boolean().iter().collect()),
        DataType::UInt8 => unsigned::<UInt8Type>(column),
        DataType::UInt16 => unsigned::<UInt16Type>(column),
        DataType::UInt32 => unsigned::<UInt32Type>(column),
        DataType::UInt64 => unsigned::<UInt64Type>(column),
        DataType::Int8 => signed::<Int8Type>(column),
        DataType::Int16 => signed::<Int16Type>(column),
        DataType::Int32 => signed::<Int32Type>(column),
        DataType::Int64 => signed::<Int64Type>(column),
        DataType::Float32 => {
            Values::Real(primitives::<Float32Type, _>(column, |value| Some(f64::from(value))))
        }
        // What pandas has for an absent number is no number.
        DataType::Float64 => {
            Values::Real(primitives::<Float64Type, _>(column, |value| (!value.is_nan()).then_some(value)))
        }
        DataType::Timestamp(TimeUnit::Second, _) => times::<TimestampSecondType>(column, 1_000_000_000),
        DataType::Timestamp(TimeUnit::Millisecond, _) => times::<TimestampMillisecondType>(column, 1_000_000),
        DataType::Timestamp(TimeUnit::Microsecond, _) => times::<TimestampMicrosecondType>(column, 1_000),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => times::<TimestampNanosecondType>(column, 1),
        DataType::List(item) | DataType::LargeList(item) => return lists(column, item),
        _ => return None,
    })
}

fn texts(column: &dyn Array) -> Option<Vec<Option<String>>> {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Some(match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().iter().map(owned).collect(),
        DataType::LargeUtf8 => column.as_string::<i64>().iter().map(owned).collect(),
        DataType::Utf8View => column.as_string_view().iter().map(owned).collect(),
        _ => return None,
    })
}

fn primitives<P: ArrowPrimitiveType, V>(
    column: &dyn Array,
    value: impl Fn(P::Native) -> Option<V>,
) -> Vec<Option<V>> {
    column.as_primitive::<P>().iter().map(|native| native.and_then(&value)).collect()
}

fn unsigned<P: ArrowPrimitiveType>(column: &dyn Array) -> Values
where
    P::Native: Into<u64>,
{
    Values::Unsigned(primitives::<P, _>(column, |value| Some(value.into())))
}

fn signed<P: ArrowPrimitiveType>(column: &dyn Array) -> Values
where
    P::Native: Into<i64>,
{
    Values::Signed(primitives::<P, _>(column, |value| Some(value.into())))
}

fn times<P: ArrowPrimitiveType<Native = i64>>(column: &dyn Array, nanos: i64) -> Values {
    Values::Time(primitives::<P, _>(column, |value| value.checked_mul(nanos).map(Timestamp::from_nanos)))
}

/// Words with their counts, or texts.
fn lists(column: &dyn Array, item: &Field) -> Option<Values> {
    let each = |row: usize| match column.data_type() {
        DataType::List(_) => column.as_list::<i32>().value(row),
        _ => column.as_list::<i64>().value(row),
    };
    let rows = (0..column.len()).map(|row| column.is_valid(row).then(|| each(row)));
    if matches!(item.data_type(), DataType::Struct(_)) {
        let bags = rows.map(|words| words.map_or(Some(None), |words| bag(words.as_ref()).map(Some)));
        return Some(Values::Bag(bags.collect::<Option<Vec<_>>>()?));
    }
    let lists = rows.map(|list| match list {
        None => Some(None),
        Some(list) if matches!(list.data_type(), DataType::Null) && list.is_empty() => Some(Some(Vec::new())),
        Some(list) => texts(list.as_ref()).map(|texts| Some(texts.into_iter().flatten().collect())),
    });
    Some(Values::List(lists.collect::<Option<Vec<_>>>()?))
}

fn bag(words: &dyn Array) -> Option<Bag> {
    let fields = words.as_struct_opt()?;
    let names = texts(fields.column_by_name(WORD)?.as_ref())?;
    let counts = match values(fields.column_by_name(COUNT)?.as_ref())? {
        Values::Unsigned(counts) => counts,
        Values::Signed(counts) => {
            let count = |count: Option<i64>| count.map(u64::try_from).transpose().ok();
            counts.into_iter().map(count).collect::<Option<Vec<_>>>()?
        }
        _ => return None,
    };
    names.into_iter().zip(counts).map(|(word, count)| Some((word?, count?))).collect()
}
