mod texts;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::Serialize;
use serde_json::value::RawValue;
use thingprint_flow::Timestamp;

use crate::badge::Badge;
use crate::error::TableError;
use crate::number::Notation;
use crate::prose::Prose;
use crate::{human, json, rfc3339};

/// Words with the number of times each was seen.
pub type Bag = BTreeMap<String, u64>;

/// A table of results: named columns of one length, each of one type, any value of which may be absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    columns: Vec<Column>,
}

impl Table {
    /// A table without rows that has these columns, in this order.
    ///
    /// ```
    /// use thingprint_table::{Cell, Column, Table, Type};
    ///
    /// let mut table = Table::new([Column::texts("device"), Column::percent("share", 1)]);
    /// table.push([Cell::from("lamp"), Cell::from(0.5)])?;
    /// assert_eq!(table.text(1, 0), "50.0 %");
    /// # Ok::<(), thingprint_table::TableError>(())
    /// ```
    pub fn new(columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        Self { columns: columns.into_iter().map(Into::into).collect() }
    }

    /// A table of columns of one length.
    pub fn of(columns: Vec<Column>) -> Self {
        let rows = columns.first().map_or(0, |column| column.values.len());
        debug_assert!(columns.iter().all(|column| column.values.len() == rows), "columns are of one length");
        Self { columns }
    }

    /// Adds a row whose cells fit the columns, as where both are written side by side. A cell that does not fit is
    /// absent.
    pub fn add(&mut self, row: impl IntoIterator<Item = Cell>) {
        let mut row = row.into_iter();
        for column in &mut self.columns {
            let cell = row.next().unwrap_or(Cell::Absent);
            debug_assert!(column.values.takes(&cell), "column {} cannot hold {cell:?}", column.name);
            column.values.push(cell);
        }
        debug_assert!(row.next().is_none(), "a row is as long as the table is wide");
    }

    /// Adds a row with one cell for each column. Fails, and adds nothing, when a cell does not have the type of
    /// its column.
    pub fn push(&mut self, row: impl IntoIterator<Item = Cell>) -> Result<(), TableError> {
        let row: Vec<Cell> = row.into_iter().collect();
        if row.len() != self.columns.len() {
            let reason = format!("a row of {} cells for {} columns", row.len(), self.columns.len());
            return Err(TableError::Shape { reason });
        }
        let misfit = self.columns.iter().zip(&row).find(|(column, cell)| !column.values.takes(cell));
        if let Some((column, cell)) = misfit {
            let reason = format!("column {} cannot hold {cell:?}", column.name);
            return Err(TableError::Shape { reason });
        }
        for (column, cell) in self.columns.iter_mut().zip(row) {
            column.values.push(cell);
        }
        Ok(())
    }

    /// Fails when a table has other columns than this one.
    pub(crate) fn check_alike(&self, other: &Self) -> Result<(), TableError> {
        let is_alike = |(own, new): (&Column, &Column)| {
            own.name == new.name && own.values.r#type() == new.values.r#type()
        };
        if self.columns.len() == other.columns.len() && self.columns.iter().zip(&other.columns).all(is_alike)
        {
            return Ok(());
        }
        Err(TableError::Shape { reason: "a part has other columns than the table".to_owned() })
    }

    /// Adds some rows of a table with the same columns.
    pub(crate) fn extend(&mut self, other: &Self, rows: Range<usize>) {
        for (own, new) in self.columns.iter_mut().zip(&other.columns) {
            own.values.extend(&new.values, rows.clone());
        }
    }

    /// Adds the rows of a table with the same columns.
    pub fn append(&mut self, other: Self) {
        for (own, new) in self.columns.iter_mut().zip(other.columns) {
            own.values.append(new.values);
        }
    }

    /// A table without rows that has the same columns.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let empty =
            |column: &Column| Column { values: column.values.r#type().into(), ..column.without_values() };
        Self { columns: self.columns.iter().map(empty).collect() }
    }

    /// About how many bytes of memory a row takes.
    pub fn row_bytes(&self, row: usize) -> usize {
        self.columns.iter().map(|column| column.values.view(row).map_or(CELL_BYTES, View::bytes)).sum()
    }

    /// Removes the column of a name, where there is one.
    pub fn drop_column(&mut self, name: &str) {
        self.columns.retain(|column| column.name != name);
    }

    /// Removes the columns without a value in any row; none of a table without rows.
    pub fn drop_empty_columns(&mut self) {
        if self.rows() > 0 {
            self.columns
                .retain(|column| (0..column.values.len()).any(|row| column.values.view(row).is_some()));
        }
    }

    /// The value of a cell as people read it, on one line, with nothing escaped; `-` where it is absent or there is no
    /// such cell.
    pub fn text(&self, column: usize, row: usize) -> String {
        self.columns.get(column).map_or_else(|| ABSENT.to_owned(), |column| column.text(row))
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Where the column of a name stands.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Moves a value out, which leaves it absent.
    pub fn take(&mut self, column: usize, row: usize) -> Cell {
        self.columns.get_mut(column).map_or(Cell::Absent, |column| column.values.take(row))
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }
}

/// A named column of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    name: String,
    help: String,
    notation: Notation,
    values: Values,
}

impl Column {
    /// A column of values, or one of a [`Type`] without any yet.
    pub fn new(name: impl Into<String>, values: impl Into<Values>) -> Self {
        Self { name: name.into(), help: String::new(), notation: Notation::default(), values: values.into() }
    }

    /// An empty column of texts.
    pub fn texts(name: impl Into<String>) -> Self {
        Self::new(name, Type::Text)
    }

    /// An empty column of counts.
    pub fn count(name: impl Into<String>) -> Self {
        Self::new(name, Type::Unsigned)
    }

    /// An empty column of measures, shown with this many decimals.
    pub fn decimals(name: impl Into<String>, decimals: usize) -> Self {
        Self { notation: Notation::Decimals(decimals), ..Self::new(name, Type::Real) }
    }

    /// An empty column of shares of 1, shown in percent with this many decimals.
    pub fn percent(name: impl Into<String>, decimals: usize) -> Self {
        Self { notation: Notation::Percent(decimals), ..Self::new(name, Type::Real) }
    }

    /// The column with a sentence that explains it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The sentence that explains it; empty where there is none.
    pub fn explanation(&self) -> &str {
        &self.help
    }

    /// How its measures are shown.
    pub fn notation(&self) -> Notation {
        self.notation
    }

    /// The values, one for each row.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The value of a row as people read it, on one line, with nothing escaped; `-` where it is absent.
    pub fn text(&self, row: usize) -> String {
        match self.values.view(row) {
            None => ABSENT.to_owned(),
            Some(View::Text(text)) => text.clone(),
            Some(View::Unsigned(count)) => count.to_string(),
            Some(View::Signed(number)) => number.to_string(),
            Some(View::Real(measure)) => self.notation.text(*measure),
            Some(View::Flag(flag)) => if *flag { "yes" } else { "no" }.to_owned(),
            Some(View::Time(time)) => rfc3339::format(*time),
            Some(View::List(texts)) => texts.join(", "),
            Some(View::Bag(bag)) => human::most_frequent_first(bag).join(", "),
            Some(View::Json(json)) => json.as_str().to_owned(),
            Some(View::Prose(prose)) => prose.plain(),
            Some(View::Badges(badges)) => Badge::texts(badges),
        }
    }

    fn without_values(&self) -> Self {
        let Self { name, help, notation, .. } = self;
        Self { name: name.clone(), help: help.clone(), notation: *notation, values: Type::Text.into() }
    }
}

impl From<(&str, Type)> for Column {
    fn from((name, r#type): (&str, Type)) -> Self {
        Self::new(name, r#type)
    }
}

macro_rules! types {
    ($($(#[doc = $doc:literal])+ $variant:ident($inner:ty),)+) => {
        /// What the values of a column are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Type {
            $($(#[doc = $doc])+ $variant,)+
        }

        /// One value on its way into a [`Table`]; `From` makes it out of plain values and options of them.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Cell {
            /// No value.
            Absent,
            $($(#[doc = $doc])+ $variant($inner),)+
        }

        impl Cell {
            fn view(&self) -> Option<View<'_>> {
                match self {
                    Self::Absent => None,
                    $(Self::$variant(value) => Some(View::$variant(value)),)+
                }
            }
        }

        /// The values of a column, `None` where absent.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Values {
            $($(#[doc = $doc])+ $variant(Vec<Option<$inner>>),)+
        }

        /// One value of a table, seen in place.
        #[derive(Clone, Copy, Debug)]
        pub enum View<'a> {
            $($(#[doc = $doc])+ $variant(&'a $inner),)+
        }

        impl From<Type> for Values {
            /// No values of a type.
            fn from(r#type: Type) -> Self {
                match r#type {
                    $(Type::$variant => Self::$variant(Vec::new()),)+
                }
            }
        }

        impl Values {
            /// What they are.
            pub fn r#type(&self) -> Type {
                match self {
                    $(Self::$variant(_) => Type::$variant,)+
                }
            }

            /// Number of values, absent ones included.
            pub fn len(&self) -> usize {
                match self {
                    $(Self::$variant(values) => values.len(),)+
                }
            }

            /// Whether there is no row.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            fn takes(&self, cell: &Cell) -> bool {
                match (self, cell) {
                    (_, Cell::Absent) $(| (Self::$variant(_), Cell::$variant(_)))+ => true,
                    _ => false,
                }
            }

            /// Adds a cell; one of another type, which `takes` refuses, would be absent.
            fn push(&mut self, cell: Cell) {
                match self {
                    $(Self::$variant(values) => values.push(match cell {
                        Cell::$variant(value) => Some(value),
                        _ => None,
                    }),)+
                }
            }

            /// Adds some of the values of a column of the same type.
            fn extend(&mut self, other: &Self, rows: Range<usize>) {
                match (self, other) {
                    $((Self::$variant(values), Self::$variant(more)) => {
                        values.extend_from_slice(more.get(rows).unwrap_or_default());
                    })+
                    _ => {}
                }
            }

            /// Adds the values of a column of the same type.
            fn append(&mut self, other: Self) {
                match (self, other) {
                    $((Self::$variant(values), Self::$variant(mut more)) => values.append(&mut more),)+
                    _ => {}
                }
            }

            fn take(&mut self, row: usize) -> Cell {
                match self {
                    $(Self::$variant(values) => values.get_mut(row).and_then(Option::take).into(),)+
                }
            }

            /// The value of a row, `None` when it is absent or there is no such row.
            pub fn view(&self, row: usize) -> Option<View<'_>> {
                match self {
                    $(Self::$variant(values) => Some(View::$variant(values.get(row)?.as_ref()?)),)+
                }
            }
        }

        $(
            impl From<$inner> for Cell {
                fn from(value: $inner) -> Self {
                    Self::$variant(value)
                }
            }

            impl From<Option<$inner>> for Cell {
                fn from(value: Option<$inner>) -> Self {
                    value.map_or(Self::Absent, Self::$variant)
                }
            }

            impl From<Vec<Option<$inner>>> for Values {
                fn from(values: Vec<Option<$inner>>) -> Self {
                    Self::$variant(values)
                }
            }

            impl From<Vec<$inner>> for Values {
                fn from(values: Vec<$inner>) -> Self {
                    Self::$variant(values.into_iter().map(Some).collect())
                }
            }
        )+
    };
}

types! {
    /// Text.
    Text(String),
    /// A count.
    Unsigned(u64),
    /// A whole number.
    Signed(i64),
    /// A measure; one that is not finite is absent in JSON, which has no notation for it.
    Real(f64),
    /// True or false.
    Flag(bool),
    /// A point in time.
    Time(Timestamp),
    /// Several texts in an order that means something.
    List(Vec<String>),
    /// Words with the number of times each was seen.
    Bag(Bag),
    /// A JSON document: nested in JSON, its text in every other format.
    Json(Json),
    /// Text with emphasis and links, which pages of HTML show: its plain text in every format for programs.
    Prose(Prose),
    /// Words with a weight, which pages of HTML show: their text in every format for programs.
    Badges(Vec<Badge>),
}

/// What stands for an absent value where people read.
pub(crate) const ABSENT: &str = "-";

/// Bytes that a cell takes at least.
const CELL_BYTES: usize = 24;

impl Cell {
    /// About how many bytes of memory it takes.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.view().map_or(0, |value| value.bytes().saturating_sub(CELL_BYTES))
    }
}

impl<'a> View<'a> {
    /// The text of a value that a format for programs has no type for: lists and bags as JSON, times as RFC 3339.
    /// `None` for a number or a truth value.
    pub(crate) fn flat(self) -> Option<Cow<'a, str>> {
        match self {
            View::Text(text) => Some(text.into()),
            View::Time(time) => Some(rfc3339::format(*time).into()),
            View::List(texts) => Some(json::list_text(texts).into()),
            View::Bag(bag) => Some(json::bag_text(bag).into()),
            View::Json(document) => Some(document.as_str().into()),
            View::Prose(prose) => Some(prose.plain().into()),
            View::Badges(badges) => Some(Badge::texts(badges).into()),
            View::Unsigned(_) | View::Signed(_) | View::Real(_) | View::Flag(_) => None,
        }
    }

    fn bytes(self) -> usize {
        CELL_BYTES
            + match self {
                View::Text(text) => text.len(),
                View::List(texts) => texts.iter().map(|text| CELL_BYTES + text.len()).sum(),
                View::Bag(bag) => bag.keys().map(|word| 2 * CELL_BYTES + word.len()).sum(),
                View::Json(document) => document.as_str().len(),
                _ => 0,
            }
    }
}

/// A JSON document inside a table, as compact text.
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// The document of a value. Fails when the value has no form in JSON.
    pub fn of(value: &impl Serialize) -> Result<Self, TableError> {
        let text = serde_json::value::to_raw_value(value);
        text.map(Self).map_err(|error| TableError::Shape { reason: error.to_string() })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Json {
    /// By text.
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Json {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Self::Unsigned(count as u64)
    }
}

impl From<Badge> for Cell {
    fn from(badge: Badge) -> Self {
        Self::Badges(vec![badge])
    }
}

impl From<Option<&str>> for Cell {
    fn from(text: Option<&str>) -> Self {
        text.map(str::to_owned).into()
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn rows_and_columns_build_the_same_table() {
        let mut by_row = Table::new([("device", Type::Text), ("packets", Type::Unsigned)]);
        by_row.push(["a".into(), 3_u64.into()]).unwrap();
        by_row.push(["b".into(), Cell::Absent]).unwrap();
        let device = Column::new("device", vec!["a".to_owned(), "b".to_owned()]);
        let by_column = Table::of(vec![device, Column::new("packets", vec![Some(3_u64), None])]);
        assert_eq!(by_row, by_column);
        assert_eq!(by_row.rows(), 2);
    }

    #[test]
    fn what_does_not_fit_is_refused_and_leaves_the_table_as_it_was() {
        let mut table = Table::new([("device", Type::Text), ("packets", Type::Unsigned)]);
        let short = table.push(["a".into()]).unwrap_err().to_string();
        assert_eq!(short, "build a table: a row of 1 cells for 2 columns");
        let wrong = table.push(["a".into(), "3".into()]).unwrap_err().to_string();
        assert_eq!(wrong, "build a table: column packets cannot hold Text(\"3\")");
        assert_eq!(table.rows(), 0);
    }
}
