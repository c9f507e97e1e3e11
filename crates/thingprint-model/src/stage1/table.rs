use crate::classes::MAX_CLASSES;
use crate::error::ModelError;

/// Most rows that a forest learns from; the fixed-point entropies of its splits are exact up to here.
pub const MAX_ROWS: usize = 1 << 24;

/// Most columns of a table.
pub(super) const MAX_COLUMNS: usize = 1 << 12;

/// An absent value: below every number.
pub const ABSENT: f64 = f64::NEG_INFINITY;

/// A numeric attribute as the forest reads it: finite or positive infinity, or [`ABSENT`].
///
/// What is not a number is absent; negative infinity becomes the lowest number, so that it is not taken for absent.
pub fn number(value: Option<f64>) -> f64 {
    match value {
        Some(value) if !value.is_nan() => value.max(f64::MIN),
        _ => ABSENT,
    }
}

/// Training rows of a forest, column by column, with a class number for each row.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    columns: Vec<Column>,
    row_classes: Vec<u16>,
    classes: usize,
}

/// One column of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers, as [`number`] gives them.
    Number(Vec<f64>),
    /// Nominal values: numbers below `cardinality`, without an order.
    Name {
        /// One value for each row.
        values: Vec<u16>,
        /// How many values there are.
        cardinality: u16,
    },
}

impl Table {
    /// A table of at least one row and column; fails when columns differ in length, or values or classes are out of
    /// range.
    pub fn new(columns: Vec<Column>, row_classes: Vec<u16>, classes: usize) -> Result<Self, ModelError> {
        let rows = row_classes.len();
        let refuse = |reason| Err(ModelError::Table { reason });
        if rows == 0 || columns.is_empty() {
            return refuse("it is empty");
        }
        if rows > MAX_ROWS {
            return Err(ModelError::TooManyInstances { count: rows, most: MAX_ROWS });
        }
        if columns.len() > MAX_COLUMNS {
            return refuse("it has more than 4096 columns");
        }
        if classes > MAX_CLASSES || row_classes.iter().any(|&class| usize::from(class) >= classes) {
            return refuse("a class is out of range");
        }
        if !columns.iter().all(|column| column.fits(rows)) {
            return refuse("a column is too short or too long, or has a value out of range");
        }
        Ok(Self { columns, row_classes, classes })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.row_classes.len()
    }

    /// Number of classes, with or without rows.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The class number of each row.
    pub fn row_classes(&self) -> &[u16] {
        &self.row_classes
    }
}

impl Column {
    fn fits(&self, rows: usize) -> bool {
        match self {
            Self::Number(values) => values.len() == rows && !values.iter().any(|value| value.is_nan()),
            Self::Name { values, cardinality } => {
                values.len() == rows && values.iter().all(|value| value < cardinality)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_do_not_fit_together_are_refused() {
        let check = |columns, row_classes, fits| {
            assert_eq!(Table::new(columns, row_classes, 2).is_ok(), fits);
        };
        let name = |values: &[u16]| Column::Name { values: values.to_vec(), cardinality: 2 };
        check(vec![Column::Number(vec![1.0, ABSENT]), name(&[0, 1])], vec![0, 1], true);
        check(vec![Column::Number(vec![1.0])], vec![0, 1], false);
        check(vec![Column::Number(vec![1.0, f64::NAN])], vec![0, 1], false);
        check(vec![name(&[0, 2])], vec![0, 1], false);
        check(vec![name(&[0, 1])], vec![0, 2], false);
        check(vec![], vec![0, 1], false);
        check(vec![Column::Number(vec![])], vec![], false);
    }

    #[test]
    fn what_is_no_number_is_absent() {
        let check = |value, expected: f64| assert_eq!(number(value).to_bits(), expected.to_bits());
        check(None, ABSENT);
        check(Some(f64::NAN), ABSENT);
        check(Some(2.5), 2.5);
        assert!(number(Some(f64::NEG_INFINITY)) > ABSENT);
    }
}
