//! Merit of an input ([C §6.1, Fig. 12c]): the information gain of the class, as Weka's `InfoGainAttributeEval`
//! computes it after discretising numbers by Fayyad and Irani's minimum description length principle
//! ("Multi-interval discretization of continuous-valued attributes", IJCAI 1993) with the better encoding.
use std::ops::Range;

use serde::Serialize;
use thingprint_instance::Labeled;

use crate::error::ModelError;
use crate::model::Model;
use crate::scenario::Input;
use crate::stage1::{ABSENT, Column, Table};

/// How much an input tells of the class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Merit {
    /// The input of stage-1; the merit of a bag is that of the class that its stage-0 finds.
    pub input: Input,
    /// Information gain in bits.
    pub merit: f64,
}

impl Model {
    /// The merit of each input of stage-1 on these instances, the highest first; none where a stage-0 answers alone.
    ///
    /// Unlabelled instances and classes that the model does not know are left out; fails when nothing is left.
    pub fn merits<'a>(&self, rows: impl IntoIterator<Item = &'a Labeled>) -> Result<Vec<Merit>, ModelError> {
        let Some(inputs) = self.options().inputs() else { return Ok(Vec::new()) };
        let table = self.labelled_table(rows, &inputs)?;
        let gains = information_gains(&table);
        let mut merits: Vec<_> =
            inputs.into_iter().zip(gains).map(|(input, merit)| Merit { input, merit }).collect();
        merits.sort_by(|a, b| b.merit.total_cmp(&a.merit));
        Ok(merits)
    }
}

/// The information gain of each column, in bits. Absent numbers are shared out over the intervals in proportion to
/// their sizes, as Weka does with missing values.
pub fn information_gains(table: &Table) -> Vec<f64> {
    let gain = |column: &Column| match column {
        Column::Name { values, cardinality } => gain_of_names(table, values, usize::from(*cardinality)),
        Column::Number(numbers) => gain_of_numbers(table, numbers),
    };
    table.columns().iter().map(gain).collect()
}

fn gain_of_names(table: &Table, values: &[u16], cardinality: usize) -> f64 {
    let mut counts = vec![vec![0.0; table.classes()]; cardinality];
    for (&value, &class) in values.iter().zip(table.row_classes()) {
        counts[usize::from(value)][usize::from(class)] += 1.0;
    }
    gain(&counts)
}

fn gain_of_numbers(table: &Table, numbers: &[f64]) -> f64 {
    let rows = || numbers.iter().copied().zip(table.row_classes().iter().map(|&class| usize::from(class)));
    let mut present: Vec<(f64, usize)> = rows().filter(|&(number, _)| number != ABSENT).collect();
    present.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut absent = vec![0.0; table.classes()];
    for (_, class) in rows().filter(|&(number, _)| number == ABSENT) {
        absent[class] += 1.0;
    }
    let mut counts: Vec<Vec<f64>> = intervals(&present, table.classes())
        .into_iter()
        .map(|rows| tally(&present[rows], table.classes()))
        .collect();
    share_out(&absent, &mut counts);
    gain(&counts)
}

/// Adds absent values to intervals in proportion to their sizes.
fn share_out(absent: &[f64], counts: &mut [Vec<f64>]) {
    let present: f64 = counts.iter().flatten().sum();
    if present <= 0.0 {
        return;
    }
    for interval in counts {
        let share = interval.iter().sum::<f64>() / present;
        for (count, absent) in interval.iter_mut().zip(absent) {
            *count += share * absent;
        }
    }
}

/// The intervals into which the principle cuts sorted rows of (number, class), ascending.
fn intervals(rows: &[(f64, usize)], classes: usize) -> Vec<Range<usize>> {
    let mut done = Vec::new();
    let mut open = vec![Range { start: 0, end: rows.len() }];
    while let Some(range) = open.pop() {
        match cut(&rows[range.clone()], classes) {
            Some(at) => open.extend([range.start + at..range.end, range.start..range.start + at]),
            None => done.push(range),
        }
    }
    done
}

/// Where sorted rows are best cut in two, when the cut is worth its description.
fn cut(rows: &[(f64, usize)], classes: usize) -> Option<usize> {
    let whole = tally(rows, classes);
    let (mut left, mut right) = (vec![0.0; classes], whole.clone());
    let mut lowest = information(&whole);
    let mut best = None;
    let mut cuts = 0_u32;
    for (at, pair) in rows.windows(2).enumerate() {
        left[pair[0].1] += 1.0;
        right[pair[0].1] -= 1.0;
        if pair[0].0 < pair[1].0 {
            cuts += 1;
            let remaining = information(&left) + information(&right);
            if remaining < lowest {
                lowest = remaining;
                best = Some((at + 1, left.clone(), right.clone()));
            }
        }
    }
    let (at, left, right) = best?;
    is_worth_it(&whole, [&left, &right], cuts).then_some(at)
}

/// Fayyad and Irani's criterion: gain > (log2 cuts + log2(3^k - 2) - (k E - k1 E1 - k2 E2)) / n.
fn is_worth_it(whole: &[f64], sides: [&[f64]; 2], cuts: u32) -> bool {
    let size: f64 = whole.iter().sum();
    let k_entropy = |counts: &[f64]| present(counts) * entropy(counts);
    let gain = entropy(whole) - sides.iter().map(|side| information(side)).sum::<f64>() / size;
    let delta = log2_of_3_to_k_less_2(present(whole))
        - (k_entropy(whole) - k_entropy(sides[0]) - k_entropy(sides[1]));
    gain > (f64::from(cuts).log2() + delta) / size
}

/// log2(3^k - 2), which for large k is k · log2 3 to the last digit.
fn log2_of_3_to_k_less_2(k: f64) -> f64 {
    if k > 50.0 { k * 3_f64.log2() } else { (3_f64.powf(k) - 2.0).log2() }
}

/// Number of classes that occur.
fn present(counts: &[f64]) -> f64 {
    counts.iter().filter(|&&count| count > 0.0).count() as f64
}

fn tally(rows: &[(f64, usize)], classes: usize) -> Vec<f64> {
    let mut counts = vec![0.0; classes];
    for &(_, class) in rows {
        counts[class] += 1.0;
    }
    counts
}

/// Entropy of the class less its entropy within the rows of a contingency table.
fn gain(counts: &[Vec<f64>]) -> f64 {
    let classes = counts.first().map_or(0, Vec::len);
    let total: Vec<f64> = (0..classes).map(|class| counts.iter().map(|row| row[class]).sum()).collect();
    let size: f64 = total.iter().sum();
    let within: f64 = counts.iter().map(|row| information(row)).sum();
    if size > 0.0 { (information(&total) - within) / size } else { 0.0 }
}

/// Entropy in bits.
fn entropy(counts: &[f64]) -> f64 {
    let size: f64 = counts.iter().sum();
    if size > 0.0 { information(counts) / size } else { 0.0 }
}

/// Entropy times size: n log2 n less the sum of `n_c log2 n_c`.
fn information(counts: &[f64]) -> f64 {
    let n_log_n = |n: f64| if n > 0.0 { n * n.log2() } else { 0.0 };
    n_log_n(counts.iter().sum()) - counts.iter().copied().map(n_log_n).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(column: Column, row_classes: &[u16], expected: f64) {
        let table = Table::new(vec![column], row_classes.to_vec(), 3).unwrap();
        let gains = information_gains(&table);
        assert!((gains[0] - expected).abs() < 1e-12, "{gains:?} is not {expected}");
    }

    #[test]
    fn a_nominal_column_gains_what_its_values_tell() {
        let column = |values: [u16; 4]| Column::Name { values: values.to_vec(), cardinality: 4 };
        check(column([3, 3, 1, 1]), &[0, 0, 1, 1], 1.0);
        check(column([3, 1, 3, 1]), &[0, 0, 1, 1], 0.0);
        // Value 0: classes 0 and 1, value 1: class 1 twice. 1 - 1/4 (of 0: 1 bit on half the rows).
        check(column([0, 0, 1, 1]), &[0, 1, 1, 1], 0.811_278_124_459_132_8 - 0.5);
    }

    #[test]
    fn a_clear_cut_is_made() {
        let numbers = (0..20).map(f64::from).collect();
        let classes: Vec<u16> = (0..20).map(|row| u16::from(row >= 10)).collect();
        check(Column::Number(numbers), &classes, 1.0);
    }

    #[test]
    fn a_cut_that_is_not_worth_its_description_is_not_made() {
        // gain 1 < (log2 3 + log2 7 - 2) / 4 = 0.598 would be made; 2 rows: 1 < (log2 1 + log2 7 - 2) / 2 = 0.40 too.
        check(Column::Number(vec![1.0, 2.0]), &[0, 1], 1.0);
        // Alternating classes: best gain 0.311 of 4 rows against (log2 3 + log2 7 - (2 - 2 * 0.918)) / 4 = 1.06.
        check(Column::Number(vec![1.0, 2.0, 3.0, 4.0]), &[0, 1, 0, 1], 0.0);
    }

    #[test]
    fn absent_numbers_are_shared_out() {
        let mut numbers: Vec<f64> = (0..20).map(f64::from).collect();
        let mut classes: Vec<u16> = (0..20).map(|row| u16::from(row >= 10)).collect();
        numbers.extend([ABSENT; 4]);
        classes.extend([2; 4]);
        // Two intervals of 10 rows of their class and 2 of class 2; class counts 10, 10, 4.
        let whole: f64 = [10.0, 10.0, 4.0].iter().map(|n: &f64| -n / 24.0 * (n / 24.0).log2()).sum();
        let part: f64 = [10.0, 2.0].iter().map(|n: &f64| -n / 12.0 * (n / 12.0).log2()).sum();
        check(Column::Number(numbers), &classes, whole - part);
        check(Column::Number(vec![ABSENT; 2]), &[0, 1], 0.0);
    }
}
