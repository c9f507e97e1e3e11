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
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

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
