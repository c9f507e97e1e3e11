//! Tables of the program as record batches, with the types that its Parquet files have.

use std::sync::Arc;

use arrow_array::builder::{LargeListBuilder, LargeStringBuilder, StructBuilder, UInt64Builder};
use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, LargeStringArray, RecordBatch,
    TimestampNanosecondArray, UInt64Array,
};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use thingprint_flow::Timestamp;
use thingprint_table::{Bag, Column, Prose, Table, Type, Values};

/// Fields of a word in a bag.
pub(crate) const WORD: &str = "word";
pub(crate) const COUNT: &str = "count";
/// The element of a list.
const ITEM: &str = "item";

/// The columns of a table.
pub(crate) fn schema(table: &Table) -> SchemaRef {
    let fields = table
        .columns()
        .iter()
        .map(|column| Field::new(column.name(), data_type(column.values().r#type()), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The rows of a table.
pub(crate) fn batch(schema: &SchemaRef, table: &Table) -> Result<RecordBatch, ArrowError> {
    let columns = table.columns().iter().map(array).collect();
    RecordBatch::try_new(Arc::clone(schema), columns)
}

fn data_type(r#type: Type) -> DataType {
    match r#type {
        Type::Unsigned => DataType::UInt64,
        Type::Signed => DataType::Int64,
        Type::Real => DataType::Float64,
        Type::Flag => DataType::Boolean,
        Type::Time => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        Type::List => DataType::LargeList(item(DataType::LargeUtf8)),
        Type::Bag => DataType::LargeList(item(DataType::Struct(words()))),
        Type::Text | Type::Json | Type::Prose | Type::Badges => DataType::LargeUtf8,
    }
}

fn item(r#type: DataType) -> Arc<Field> {
    Arc::new(Field::new(ITEM, r#type, true))
}

fn words() -> Fields {
    Fields::from(vec![Field::new(WORD, DataType::LargeUtf8, true), Field::new(COUNT, DataType::UInt64, true)])
}

fn array(column: &Column) -> ArrayRef {
    match column.values() {
        Values::Text(texts) => Arc::new(texts.iter().map(Option::as_deref).collect::<LargeStringArray>()),
        Values::Unsigned(counts) => Arc::new(counts.iter().copied().collect::<UInt64Array>()),
        Values::Signed(numbers) => Arc::new(numbers.iter().copied().collect::<Int64Array>()),
        Values::Real(measures) => Arc::new(measures.iter().copied().collect::<Float64Array>()),
        Values::Flag(flags) => Arc::new(flags.iter().copied().collect::<BooleanArray>()),
        Values::Time(times) => {
            let nanos = times.iter().map(|time| time.map(Timestamp::as_nanos));
            Arc::new(nanos.collect::<TimestampNanosecondArray>().with_timezone("UTC"))
        }
        Values::Json(documents) => texts(documents, |json| json.as_str().to_owned()),
        Values::Prose(prose) => texts(prose, Prose::plain),
        Values::Badges(badges) => {
            let text = |(row, badges): (usize, &Option<_>)| badges.as_ref().map(|_| column.text(row));
            Arc::new(badges.iter().enumerate().map(text).collect::<LargeStringArray>())
        }
        Values::List(lists) => lists_of_texts(lists),
        Values::Bag(bags) => lists_of_words(bags),
    }
}

fn texts<T>(values: &[Option<T>], text: impl Fn(&T) -> String) -> ArrayRef {
    Arc::new(values.iter().map(|value| value.as_ref().map(&text)).collect::<LargeStringArray>())
}

fn lists_of_texts(lists: &[Option<Vec<String>>]) -> ArrayRef {
    let mut builder = LargeListBuilder::new(LargeStringBuilder::new()).with_field(item(DataType::LargeUtf8));
    for list in lists {
        for text in list.iter().flatten() {
            builder.values().append_value(text);
        }
        builder.append(list.is_some());
    }
    Arc::new(builder.finish())
}

fn lists_of_words(bags: &[Option<Bag>]) -> ArrayRef {
    let fields = StructBuilder::new(
        words(),
        vec![Box::new(LargeStringBuilder::new()), Box::new(UInt64Builder::new())],
    );
    let mut builder = LargeListBuilder::new(fields).with_field(item(DataType::Struct(words())));
    for bag in bags {
        let each = builder.values();
        for (word, count) in bag.iter().flatten() {
            if let Some(words) = each.field_builder::<LargeStringBuilder>(0) {
                words.append_value(word);
            }
            if let Some(counts) = each.field_builder::<UInt64Builder>(1) {
                counts.append_value(*count);
            }
            each.append(true);
        }
        builder.append(bag.is_some());
    }
    Arc::new(builder.finish())
}
