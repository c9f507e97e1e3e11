use super::information::Information;
use super::ranked::{RankedColumn, RankedTable};
use super::sample::Row;
use super::sort::{rank_of, sort_by_rank};
use crate::random::Generator;

/// Finds the best split of a node; its buffers serve one node after the other.
pub(super) struct Search<'a> {
    table: &'a RankedTable<'a>,
    information: &'a Information,
    /// Columns tried at a node.
    tries: usize,
    /// The columns, in the order in which the last node left them.
    window: Vec<u16>,
    keys: Vec<u64>,
    spare_keys: Vec<u64>,
    /// Weight of each class left of a cut, and right of it.
    sides: Vec<[u32; 2]>,
    /// Weight of each nominal value and class, and of each nominal value; all 0 between uses.
    cells: Vec<u32>,
    values: Vec<u32>,
}

/// A node as the search sees it.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    /// Its rows.
    pub(super) rows: &'a [Row],
    /// Weight of each class.
    pub(super) classes: &'a [u32],
    /// Weight of all rows.
    pub(super) weight: u32,
}

/// A way of splitting a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Split {
    /// The column to look at.
    pub(super) column: u16,
    /// Minus the weighted entropy of the parts: the higher, the better.
    pub(super) score: i64,
    /// How its values are parted.
    pub(super) cut: Cut,
}

/// How the values of a column are parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Numbers: ranks up to `lower` go left; `upper` is the next rank in the node.
    Between {
        /// Highest rank on the left.
        lower: u32,
        /// Lowest rank on the right.
        upper: u32,
    },
    /// Nominal values: one child for each.
    ByValue,
}

impl<'a> Search<'a> {
    pub(super) fn new(table: &'a RankedTable<'a>, information: &'a Information, tries: usize) -> Self {
        let cardinality = table.columns.iter().map(RankedColumn::cardinality).max().unwrap_or(0);
        Self {
            table,
            information,
            tries,
            window: Vec::new(),
            keys: Vec::new(),
            spare_keys: Vec::new(),
            sides: vec![[0; 2]; table.classes],
            cells: vec![0; cardinality * table.classes],
            values: vec![0; cardinality],
        }
    }

    /// Forgets what earlier trees left behind.
    pub(super) fn restart(&mut self) {
        self.window = (0..=u16::MAX).take(self.table.columns.len()).collect();
    }

    /// The best split by the columns tried, when it has a gain: columns are tried in random order, so many as were
    /// asked for, and more until one has a gain. Of equally good splits the one by the first column wins.
    pub(super) fn best(&mut self, node: Node<'_>, generator: &mut Generator) -> Option<Split> {
        let whole = self.inside(node.classes) - self.information.of(node.weight);
        let mut best: Option<Split> = None;
        let mut left = self.window.len();
        let mut tried = 0;
        while left > 0 && (tried < self.tries || best.is_none()) {
            let column = self.take_column(&mut left, generator);
            tried += 1;
            let Some((score, cut)) = self.try_column(column, node) else { continue };
            let split = Split { column, score, cut };
            if Information::is_gain(score, whole, node.weight) && best.is_none_or(|best| split.beats(best)) {
                best = Some(split);
            }
        }
        best
    }

    /// Takes a random column out of the first `left` of the window.
    fn take_column(&mut self, left: &mut usize, generator: &mut Generator) -> u16 {
        let bound = u32::try_from(*left).unwrap_or(u32::MAX);
        let chosen = generator.below(bound) as usize;
        *left -= 1;
        self.window.swap(chosen, *left);
        self.window[*left]
    }

    /// The best split by one column, with its score; `None` when all its numbers are equal.
    fn try_column(&mut self, column: u16, node: Node<'_>) -> Option<(i64, Cut)> {
        let table = self.table;
        match &table.columns[usize::from(column)] {
            RankedColumn::Number { ranks, .. } => self.try_numbers(ranks, node),
            RankedColumn::Name { values, .. } => Some((self.try_names(values, node), Cut::ByValue)),
        }
    }

    /// Tries every boundary between two ranks, from low to high; the first of the best wins.
    fn try_numbers(&mut self, ranks: &[u32], node: Node<'_>) -> Option<(i64, Cut)> {
        self.keys.clear();
        self.keys.extend(node.rows.iter().map(|row| key(*row, ranks[row.number as usize])));
        sort_by_rank(&mut self.keys, &mut self.spare_keys);
        for (sides, &whole) in self.sides.iter_mut().zip(node.classes) {
            *sides = [0, whole];
        }
        let information = self.information;
        let mut inside = self.inside(node.classes);
        let mut left = 0;
        let mut lower = rank_of(*self.keys.first()?);
        let mut best: Option<(i64, Cut)> = None;
        for &key in &self.keys {
            let upper = rank_of(key);
            if upper > lower {
                let score = inside - information.of(left) - information.of(node.weight - left);
                if best.is_none_or(|(most, _)| score > most) {
                    best = Some((score, Cut::Between { lower, upper }));
                }
                lower = upper;
            }
            let (class, moved) = class_and_weight_of(key);
            let [before, after] = self.sides[class];
            inside += information.of(before + moved) - information.of(before);
            inside += information.of(after - moved) - information.of(after);
            self.sides[class] = [before + moved, after - moved];
            left += moved;
        }
        best
    }

    /// The score of one child for each nominal value.
    fn try_names(&mut self, values: &[u16], node: Node<'_>) -> i64 {
        let classes = self.table.classes;
        let mut score = 0;
        for row in node.rows {
            let value = usize::from(values[row.number as usize]);
            score +=
                self.information.add(&mut self.cells[value * classes + usize::from(row.class)], row.weight);
            score -= self.information.add(&mut self.values[value], row.weight);
        }
        for row in node.rows {
            let value = usize::from(values[row.number as usize]);
            self.cells[value * classes + usize::from(row.class)] = 0;
            self.values[value] = 0;
        }
        score
    }

    /// `Σ_c n_c log2 n_c`.
    fn inside(&self, classes: &[u32]) -> i64 {
        classes.iter().map(|&weight| self.information.of(weight)).sum()
    }
}

impl Split {
    /// Higher scores win, and among equals the first column.
    fn beats(self, other: Self) -> bool {
        self.score > other.score || (self.score == other.score && self.column < other.column)
    }
}

/// Rank, class and weight of a row in one number that sorts by rank.
fn key(row: Row, rank: u32) -> u64 {
    (u64::from(rank) << 32) | (u64::from(row.class) << 16) | u64::from(row.weight)
}

#[expect(clippy::cast_possible_truncation, reason = "16 bits each")]
const fn class_and_weight_of(key: u64) -> (usize, u32) {
    ((key >> 16) as u16 as usize, key as u16 as u32)
}
