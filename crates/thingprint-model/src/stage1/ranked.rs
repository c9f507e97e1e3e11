use super::table::{Column, Table};

/// A table whose numbers are replaced by ranks, once for all trees: equal numbers share a rank, so that growing a
/// tree sorts and compares small integers.
pub(super) struct RankedTable<'a> {
    pub(super) columns: Vec<RankedColumn<'a>>,
    pub(super) row_classes: &'a [u16],
    pub(super) classes: usize,
}

/// One column of a [`RankedTable`].
pub(super) enum RankedColumn<'a> {
    /// Numbers by rank.
    Number {
        /// Rank of each row.
        ranks: Vec<u32>,
        /// Number of each rank, ascending.
        numbers: Vec<f64>,
    },
    /// Nominal values.
    Name {
        /// Value of each row.
        values: &'a [u16],
        /// How many values there are.
        cardinality: u16,
    },
}

impl<'a> RankedTable<'a> {
    pub(super) fn new(table: &'a Table) -> Self {
        let columns = table.columns().iter().map(RankedColumn::new).collect();
        Self { columns, row_classes: table.row_classes(), classes: table.classes() }
    }
}

impl<'a> RankedColumn<'a> {
    fn new(column: &'a Column) -> Self {
        match column {
            Column::Number(values) => Self::rank(values),
            Column::Name { values, cardinality } => Self::Name { values, cardinality: *cardinality },
        }
    }

    /// Number of nominal values; 0 for numbers.
    pub(super) fn cardinality(&self) -> usize {
        match self {
            Self::Number { .. } => 0,
            Self::Name { cardinality, .. } => usize::from(*cardinality),
        }
    }

    fn rank(values: &[f64]) -> Self {
        let mut by_value: Vec<(f64, u32)> = values.iter().copied().zip(0..).collect();
        by_value.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut ranks = vec![0; values.len()];
        let mut numbers: Vec<f64> = Vec::new();
        let mut rank = 0;
        for (value, row) in by_value {
            if numbers.last().is_none_or(|&last| value > last) {
                rank = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                numbers.push(value);
            }
            ranks[row as usize] = rank;
        }
        Self::Number { ranks, numbers }
    }
}

/// The number at which to cut between two neighbouring numbers of a node: values below it go left.
///
/// The midpoint, or the upper number when no number lies between, as in Weka. Between absent and the lowest number
/// the cut is below every number, so that it tells present from absent.
pub(super) fn cut_between(lower: f64, upper: f64) -> f64 {
    if lower == super::ABSENT {
        return f64::MIN;
    }
    let middle = lower.midpoint(upper);
    if middle > lower { middle } else { upper }
}

#[cfg(test)]
mod tests {
    use super::super::ABSENT;
    use super::*;

    #[test]
    fn equal_numbers_share_a_rank() {
        let RankedColumn::Number { ranks, numbers } = RankedColumn::rank(&[3.0, ABSENT, -0.0, 3.0, 0.0])
        else {
            unreachable!("numbers are ranked")
        };
        assert_eq!(ranks, [2, 0, 1, 2, 1]);
        assert_eq!(numbers, [ABSENT, 0.0, 3.0]);
    }

    #[test]
    fn a_cut_leaves_the_upper_number_right_and_the_lower_left() {
        let check = |lower: f64, upper: f64, expected: f64| {
            let cut = cut_between(lower, upper);
            assert_eq!(cut.to_bits(), expected.to_bits(), "{lower} | {upper}");
            assert!(lower < cut && upper >= cut);
        };
        check(1.0, 2.0, 1.5);
        check(1.0, 1.0_f64.next_up(), 1.0_f64.next_up());
        check(ABSENT, 0.0, f64::MIN);
        check(ABSENT, f64::MIN, f64::MIN);
        check(f64::MAX, f64::INFINITY, f64::INFINITY);
        check(f64::MAX.next_down(), f64::MAX, f64::MAX);
        check(f64::MIN, f64::MAX, 0.0);
    }
}
