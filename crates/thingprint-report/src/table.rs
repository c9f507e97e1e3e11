use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;
use thingprint_flow::Timestamp;
use thingprint_instance::Bag;

use crate::error::ReportError;

/// A table of results: named columns of one length, each of one type, any value of which may be absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    columns: Vec<Column>,
}

impl Table {
    /// A table without rows that has these columns, in this order.
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a str, Type)>) -> Self {
        let columns =
            columns.into_iter().map(|(name, r#type)| Column::new(name, Values::empty(r#type))).collect();
        Self { columns }
    }

    /// A table of columns that are known to be of one length.
    pub(crate) fn of(columns: Vec<Column>) -> Self {
        Self { columns }
    }

    /// The table with one more column at its end. Fails unless the column is as long as those before it.
    pub fn with_column(mut self, name: &str, values: impl Into<Values>) -> Result<Self, ReportError> {
        let values = values.into();
        if !self.columns.is_empty() && values.len() != self.rows() {
            let reason =
                format!("column {name} has {} rows where the others have {}", values.len(), self.rows());
            return Err(ReportError::Shape { reason });
        }
        self.columns.push(Column::new(name, values));
        Ok(self)
    }

    /// Adds a row with one cell for each column. Fails, and adds nothing, when a cell does not have the type of
    /// its column.
    pub fn push(&mut self, row: impl IntoIterator<Item = Cell>) -> Result<(), ReportError> {
        let row: Vec<Cell> = row.into_iter().collect();
        if row.len() != self.columns.len() {
            let reason = format!("a row of {} cells for {} columns", row.len(), self.columns.len());
            return Err(ReportError::Shape { reason });
        }
        let misfit = self.columns.iter().zip(&row).find(|(column, cell)| !column.values.takes(cell));
        if let Some((column, cell)) = misfit {
            let reason = format!("column {} cannot hold {cell:?}", column.name);
            return Err(ReportError::Shape { reason });
        }
        for (column, cell) in self.columns.iter_mut().zip(row) {
            column.values.push(cell);
        }
        Ok(())
    }

    /// Adds the rows of a table with the same columns. Fails, and adds nothing, when it has others.
    pub fn append(&mut self, other: Self) -> Result<(), ReportError> {
        let is_alike =
            |(own, new): (&Column, &Column)| own.name == new.name && own.values.is_like(&new.values);
        if self.columns.len() != other.columns.len() || !self.columns.iter().zip(&other.columns).all(is_alike)
        {
            let reason = "a part has other columns than the table".to_owned();
            return Err(ReportError::Shape { reason });
        }
        for (own, new) in self.columns.iter_mut().zip(other.columns) {
            own.values.append(new.values);
        }
        Ok(())
    }

    /// Moves all rows out, which leaves the columns.
    pub(crate) fn take_rows(&mut self) -> Self {
        let empty = |column: &Column| Column::new(&column.name, column.values.emptied());
        let rest = self.columns.iter().map(empty).collect();
        std::mem::replace(self, Self { columns: rest })
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Where the column of a name stands.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Moves a value out, which leaves it absent.
    pub(crate) fn take(&mut self, column: usize, row: usize) -> Cell {
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
    values: Values,
}

impl Column {
    pub(crate) fn new(name: &str, values: impl Into<Values>) -> Self {
        Self { name: name.to_owned(), values: values.into() }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The values, one for each row.
    pub fn values(&self) -> &Values {
        &self.values
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

        /// The values of a column, `None` where absent.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Values {
            $($(#[doc = $doc])+ $variant(Vec<Option<$inner>>),)+
        }

        /// One value of a table, seen in place.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum View<'a> {
            $($variant(&'a $inner),)+
        }

        impl Values {
            fn empty(r#type: Type) -> Self {
                match r#type {
                    $(Type::$variant => Self::$variant(Vec::new()),)+
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

            fn emptied(&self) -> Self {
                match self {
                    $(Self::$variant(_) => Self::$variant(Vec::new()),)+
                }
            }

            fn is_like(&self, other: &Self) -> bool {
                std::mem::discriminant(self) == std::mem::discriminant(other)
            }

            /// Adds values of the same type; those of another would be left out, and `is_like` refuses them.
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
            pub(crate) fn view(&self, row: usize) -> Option<View<'_>> {
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
}

/// A JSON document inside a table, as compact text.
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// The document of a value. Fails when the value has no form in JSON.
    pub fn of(value: &impl Serialize) -> Result<Self, ReportError> {
        let text = serde_json::value::to_raw_value(value);
        text.map(Self).map_err(|error| ReportError::Shape { reason: error.to_string() })
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
        let by_column = Table::default()
            .with_column("device", vec!["a".to_owned(), "b".to_owned()])
            .unwrap()
            .with_column("packets", vec![Some(3_u64), None])
            .unwrap();
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
        let long = table.with_column("bytes", vec![1_u64]).unwrap_err().to_string();
        assert_eq!(long, "build a table: column bytes has 1 rows where the others have 0");
    }
}
