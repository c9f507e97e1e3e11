use serde::{Deserialize, Serialize};

use super::WordCounts;
use crate::classes::MAX_CLASSES;
use crate::error::FileFault;
use crate::vocabulary::Tokens;

/// Word counts of each class in compressed rows: a word costs as much as there are classes that have it.
///
/// With `n_cw = 0` for most words and classes, `Σ_w n_w ln Pr(w|c)` is taken apart into `-Σ_w n_w · ln(V + Σ_w n_cw)`,
/// the same for every word, and `Σ_w n_w · ln(1 + n_cw)`, which is 0 wherever there is no count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "CompressedRows", into = "CompressedRows")]
pub(super) struct SparseCounts {
    rows: CompressedRows,
    /// `ln(1 + n_cw)` of each cell.
    log_counts: Vec<f64>,
    /// `ln(V + Σ_w n_cw)` of each class.
    log_totals: Vec<f64>,
}

/// What is stored: the row of a column w is `cells[starts[w]..starts[w + 1]]`, pairs of class and `n_cw`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct CompressedRows {
    classes: u32,
    starts: Vec<u32>,
    cells: Vec<(u16, u64)>,
}

impl SparseCounts {
    pub(super) fn fit(counts: &WordCounts, classes: usize) -> Self {
        let mut rows = CompressedRows { classes: saturated(classes), starts: vec![0], cells: Vec::new() };
        for column in &counts.columns {
            rows.cells.extend_from_slice(column);
            rows.starts.push(saturated(rows.cells.len()));
        }
        Self::with_logarithms(rows)
    }

    fn with_logarithms(rows: CompressedRows) -> Self {
        let mut totals = vec![0_u64; rows.classes as usize];
        for &(class, count) in &rows.cells {
            if let Some(total) = totals.get_mut(usize::from(class)) {
                *total = total.saturating_add(count);
            }
        }
        let columns = rows.starts.len().saturating_sub(1) as f64;
        let log_counts = rows.cells.iter().map(|&(_, count)| (1.0 + count as f64).ln()).collect();
        let log_totals = totals.into_iter().map(|total| (columns + total as f64).ln()).collect();
        Self { rows, log_counts, log_totals }
    }

    pub(super) fn add_to(&self, tokens: &Tokens, scores: &mut [f64]) {
        let mut occurrences = 0.0;
        for &(column, count) in tokens {
            let count = count as f64;
            occurrences += count;
            for (class, log_count) in self.row(column as usize) {
                if let Some(score) = scores.get_mut(class) {
                    *score += count * log_count;
                }
            }
        }
        for (score, log_total) in scores.iter_mut().zip(&self.log_totals) {
            *score -= occurrences * log_total;
        }
    }

    pub(super) fn log_probability(&self, column: usize, class: usize) -> Option<f64> {
        let log_count =
            self.row(column).find(|&(other, _)| other == class).map_or(0.0, |(_, log_count)| log_count);
        Some(log_count - self.log_totals.get(class)?)
    }

    /// The classes that have a word, each with `ln(1 + n_cw)`.
    fn row(&self, column: usize) -> impl Iterator<Item = (usize, f64)> {
        let bound = |at: usize| self.rows.starts.get(at).map_or(0, |&start| start as usize);
        let range = bound(column)..bound(column + 1);
        let cells = self.rows.cells.get(range.clone()).unwrap_or_default();
        let logs = self.log_counts.get(range).unwrap_or_default();
        cells.iter().zip(logs).map(|(&(class, _), &log)| (usize::from(class), log))
    }

    pub(super) fn check_loaded(&self, columns: usize, classes: usize) -> Result<(), FileFault> {
        let CompressedRows { classes: own, starts, cells } = &self.rows;
        let fits = *own as usize == classes
            && starts.len() == columns + 1
            && starts.is_sorted()
            && starts.first() == Some(&0)
            && starts.last().is_some_and(|&end| end as usize == cells.len())
            && cells.iter().all(|&(class, _)| usize::from(class) < classes);
        if fits {
            Ok(())
        } else {
            Err(FileFault::Inconsistent("its word counts do not fit its vocabulary and classes"))
        }
    }
}

impl TryFrom<CompressedRows> for SparseCounts {
    type Error = &'static str;

    /// Guards the sizes from outside that memory is taken by; [`SparseCounts::check_loaded`] does the rest.
    fn try_from(rows: CompressedRows) -> Result<Self, &'static str> {
        if rows.classes as usize > MAX_CLASSES {
            return Err("word counts of too many classes");
        }
        if rows.cells.len() > rows.starts.len().saturating_mul(rows.classes as usize) {
            return Err("more word counts than words and classes");
        }
        Ok(Self::with_logarithms(rows))
    }
}

impl From<SparseCounts> for CompressedRows {
    fn from(counts: SparseCounts) -> Self {
        counts.rows
    }
}

/// A count of classes or cells, which memory keeps far below 2^32.
fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
