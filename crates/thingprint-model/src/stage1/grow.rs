use super::information::Information;
use super::ranked::{RankedColumn, RankedTable, cut_between};
use super::tree::{Node, Tree};
use crate::random::Generator;

/// A node lighter than this is a leaf: Weka's `minNum` of 1, doubled because each side needs it.
const LEAST_WEIGHT: u32 = 2;

/// Grows trees on one table; its buffers serve one tree after the other.
pub(super) struct Grower<'a> {
    table: &'a RankedTable<'a>,
    information: &'a Information,
    tries: usize,
    /// Columns in the order in which the last node tried them.
    window: Vec<u16>,
    /// Rows of the bootstrap sample, those of a node side by side.
    rows: Vec<Row>,
    spare_rows: Vec<Row>,
    keys: Vec<u64>,
    spare_keys: Vec<u64>,
    /// Weight of each class in the node at hand.
    node: Vec<u32>,
    /// Weight of each class left of a cut, and right of it.
    sides: Vec<[u32; 2]>,
    /// Weight of each nominal value and class, and of each value; all 0 between uses.
    cells: Vec<u32>,
    values: Vec<u32>,
}

/// A row of a bootstrap sample.
#[derive(Clone, Copy, Default)]
struct Row {
    number: u32,
    class: u16,
    /// How often it was drawn.
    weight: u16,
}

/// A node whose rows are known, but which is not yet made into a leaf or split.
struct Pending {
    node: usize,
    rows: std::ops::Range<usize>,
}

/// A way of splitting a node.
#[derive(Clone, Copy)]
struct Split {
    column: u16,
    /// Minus the weighted entropy of the parts: the higher, the better.
    score: i64,
    cut: Cut,
}

#[derive(Clone, Copy)]
enum Cut {
    /// Ranks up to `lower` go left; `upper` is the next rank of the node.
    Number { lower: u32, upper: u32 },
    /// One child for each nominal value.
    Name,
}

impl<'a> Grower<'a> {
    pub(super) fn new(table: &'a RankedTable<'a>, information: &'a Information, tries: usize) -> Self {
        let cardinality = table.columns.iter().map(RankedColumn::cardinality).max().unwrap_or(0);
        Self {
            table,
            information,
            tries,
            window: Vec::new(),
            rows: Vec::new(),
            spare_rows: Vec::new(),
            keys: Vec::new(),
            spare_keys: Vec::new(),
            node: vec![0; table.classes],
            sides: vec![[0; 2]; table.classes],
            cells: vec![0; cardinality * table.classes],
            values: vec![0; cardinality],
        }
    }

    /// Grows one tree on a bootstrap sample.
    pub(super) fn grow(&mut self, mut generator: Generator) -> Tree {
        self.window = (0..=u16::MAX).take(self.table.columns.len()).collect();
        self.draw(&mut generator);
        let mut tree = Tree { nodes: vec![UNDECIDED], ..Tree::default() };
        let mut pending = vec![Pending { node: 0, rows: 0..self.rows.len() }];
        while let Some(Pending { node, rows }) = pending.pop() {
            let weight = self.weigh(rows.clone());
            let split = if weight < LEAST_WEIGHT {
                None
            } else {
                self.best_split(rows.clone(), weight, &mut generator)
            };
            match split {
                None => tree.nodes[node] = self.leaf(&mut tree.shares),
                Some(Split { column, cut: Cut::Number { lower, upper }, .. }) => {
                    let children = self.split_numbers(rows, column, lower);
                    let threshold = self.threshold(column, lower, upper);
                    let first = push_children(&mut tree, &mut pending, children);
                    tree.nodes[node] = Node::Number { column, children: first, threshold };
                }
                Some(Split { column, cut: Cut::Name, .. }) => {
                    tree.nodes[node] = self.split_names(rows, column, &mut tree, &mut pending);
                }
            }
        }
        tree
    }

    /// Draws as many rows as there are, with replacement.
    fn draw(&mut self, generator: &mut Generator) {
        let count = self.table.row_classes.len();
        let bound = index(count);
        let mut weights = vec![0_u16; count];
        for _ in 0..count {
            let weight = &mut weights[generator.below(bound) as usize];
            *weight = weight.saturating_add(1);
        }
        let row = |((number, &class), weight): ((u32, &u16), u16)| Row { number, class, weight };
        let numbered = (0..).zip(self.table.row_classes).zip(weights);
        self.rows.clear();
        self.rows.extend(numbered.map(row).filter(|row| row.weight > 0));
        self.spare_rows.clear();
        self.spare_rows.resize(self.rows.len(), Row::default());
    }

    /// Sums up the classes of a node, and returns its weight.
    fn weigh(&mut self, rows: std::ops::Range<usize>) -> u32 {
        self.node.fill(0);
        let mut total = 0;
        for row in &self.rows[rows] {
            self.node[usize::from(row.class)] += u32::from(row.weight);
            total += u32::from(row.weight);
        }
        total
    }

    /// The best split of the columns tried, when it has a gain.
    fn best_split(
        &mut self,
        rows: std::ops::Range<usize>,
        weight: u32,
        generator: &mut Generator,
    ) -> Option<Split> {
        let whole =
            self.node.iter().map(|&n| self.information.of(n)).sum::<i64>() - self.information.of(weight);
        if whole == 0 {
            return None;
        }
        let mut best: Option<Split> = None;
        let mut left = self.window.len();
        let mut tried = 0;
        while left > 0 && (tried < self.tries || best.is_none()) {
            let column = self.take_column(&mut left, generator);
            tried += 1;
            let Some(split) = self.try_column(column, rows.clone(), weight) else { continue };
            if Information::is_gain(split.score, whole, weight) && best.is_none_or(|best| split.beats(best)) {
                best = Some(split);
            }
        }
        best
    }

    /// Takes a random column out of the first `left` of the window.
    fn take_column(&mut self, left: &mut usize, generator: &mut Generator) -> u16 {
        let chosen = generator.below(index(*left)) as usize;
        *left -= 1;
        self.window.swap(chosen, *left);
        self.window[*left]
    }

    fn try_column(&mut self, column: u16, rows: std::ops::Range<usize>, weight: u32) -> Option<Split> {
        let table = self.table;
        match &table.columns[usize::from(column)] {
            RankedColumn::Number { ranks, .. } => self
                .try_numbers(ranks, rows, weight)
                .map(|(score, lower, upper)| Split { column, score, cut: Cut::Number { lower, upper } }),
            RankedColumn::Name { values, .. } => {
                Some(Split { column, score: self.try_names(values, rows), cut: Cut::Name })
            }
        }
    }

    /// The best cut between two ranks of a node, the lowest of the best ones: its score and the ranks; `None` when
    /// all have the same rank.
    fn try_numbers(
        &mut self,
        ranks: &[u32],
        rows: std::ops::Range<usize>,
        weight: u32,
    ) -> Option<(i64, u32, u32)> {
        self.keys.clear();
        self.keys.extend(self.rows[rows].iter().map(|row| row.key(ranks[row.number as usize])));
        sort_by_rank(&mut self.keys, &mut self.spare_keys);
        for (sides, &whole) in self.sides.iter_mut().zip(&self.node) {
            *sides = [0, whole];
        }
        let mut inside: i64 = self.node.iter().map(|&n| self.information.of(n)).sum();
        let mut left = 0;
        let mut lower = rank_of(*self.keys.first()?);
        let mut best: Option<(i64, u32, u32)> = None;
        for &key in &self.keys {
            let rank = rank_of(key);
            if rank > lower {
                let score = inside - self.information.of(left) - self.information.of(weight - left);
                if best.is_none_or(|(most, ..)| score > most) {
                    best = Some((score, lower, rank));
                }
                lower = rank;
            }
            let (class, moved) = class_and_weight_of(key);
            let [before, after] = self.sides[class];
            let information = self.information;
            inside += information.of(before + moved) - information.of(before);
            inside += information.of(after - moved) - information.of(after);
            self.sides[class] = [before + moved, after - moved];
            left += moved;
        }
        best
    }

    /// The score of one child for each nominal value.
    fn try_names(&mut self, values: &[u16], rows: std::ops::Range<usize>) -> i64 {
        let classes = self.table.classes;
        let mut score = 0;
        for row in &self.rows[rows.clone()] {
            let value = usize::from(values[row.number as usize]);
            let cell = &mut self.cells[value * classes + usize::from(row.class)];
            score += self.information.grow(cell, row.weight);
            score -= self.information.grow(&mut self.values[value], row.weight);
        }
        for row in &self.rows[rows] {
            let value = usize::from(values[row.number as usize]);
            self.cells[value * classes + usize::from(row.class)] = 0;
            self.values[value] = 0;
        }
        score
    }

    /// A leaf with the classes of the node at hand.
    fn leaf(&self, shares: &mut Vec<(u16, u32)>) -> Node {
        let mut present =
            (0..).zip(&self.node).filter(|&(_, &weight)| weight > 0).map(|(class, &weight)| (class, weight));
        match (present.next(), present.next()) {
            (Some((class, weight)), None) => Node::Pure { class, weight },
            (first, second) => {
                let start = shares.len();
                shares.extend(first.into_iter().chain(second).chain(present));
                Node::Mixed { first: index(start), count: index(shares.len() - start) }
            }
        }
    }

    fn threshold(&self, column: u16, lower: u32, upper: u32) -> f64 {
        match &self.table.columns[usize::from(column)] {
            RankedColumn::Number { numbers, .. } => {
                cut_between(numbers[lower as usize], numbers[upper as usize])
            }
            RankedColumn::Name { .. } => f64::INFINITY,
        }
    }

    /// Brings the rows with ranks up to `lower` before the others, and returns both ranges.
    fn split_numbers(
        &mut self,
        rows: std::ops::Range<usize>,
        column: u16,
        lower: u32,
    ) -> [std::ops::Range<usize>; 2] {
        let table = self.table;
        let RankedColumn::Number { ranks, .. } = &table.columns[usize::from(column)] else {
            return [rows.clone(), rows.end..rows.end];
        };
        let (mut left, mut right) = (rows.start, 0);
        for at in rows.clone() {
            let row = self.rows[at];
            if ranks[row.number as usize] <= lower {
                self.rows[left] = row;
                left += 1;
            } else {
                self.spare_rows[right] = row;
                right += 1;
            }
        }
        self.rows[left..rows.end].copy_from_slice(&self.spare_rows[..right]);
        [rows.start..left, left..rows.end]
    }

    /// Brings the rows of each nominal value together and makes a child for each that occurs, behind a leaf with the
    /// distribution of the node itself.
    fn split_names(
        &mut self,
        rows: std::ops::Range<usize>,
        column: u16,
        tree: &mut Tree,
        pending: &mut Vec<Pending>,
    ) -> Node {
        let table = self.table;
        let RankedColumn::Name { values, cardinality } = &table.columns[usize::from(column)] else {
            return self.leaf(&mut tree.shares);
        };
        let first = index(tree.nodes.len());
        let own = self.leaf(&mut tree.shares);
        tree.nodes.push(own);
        let value_of = |row: &Row| usize::from(values[row.number as usize]);
        self.spare_rows[..rows.len()].copy_from_slice(&self.rows[rows.clone()]);
        for row in &self.rows[rows.clone()] {
            self.values[value_of(row)] += 1;
        }
        let slots = index(tree.slots.len());
        let mut start = rows.start;
        let mut slot = 0;
        let mut children = Vec::new();
        for count in &mut self.values[..usize::from(*cardinality)] {
            let end = start + *count as usize;
            if *count > 0 {
                children.push(start..end);
                slot += 1;
            }
            tree.slots.push(if *count > 0 { slot } else { 0 });
            *count = index(start);
            start = end;
        }
        for row in &self.spare_rows[..rows.len()] {
            let at = &mut self.values[value_of(row)];
            self.rows[*at as usize] = *row;
            *at += 1;
        }
        self.values[..usize::from(*cardinality)].fill(0);
        push_children(tree, pending, children);
        Node::Name { column, cardinality: *cardinality, children: first, slots }
    }
}

impl Split {
    /// Higher scores win, and among equals the first column.
    fn beats(self, other: Self) -> bool {
        self.score > other.score || (self.score == other.score && self.column < other.column)
    }
}

impl Row {
    /// Rank, class and weight in one number that sorts by rank.
    fn key(self, rank: u32) -> u64 {
        (u64::from(rank) << 32) | (u64::from(self.class) << 16) | u64::from(self.weight)
    }
}

impl RankedColumn<'_> {
    fn cardinality(&self) -> usize {
        match self {
            Self::Number { .. } => 0,
            Self::Name { cardinality, .. } => usize::from(*cardinality),
        }
    }
}

impl Information {
    /// Adds to a weight, and returns how its information grows.
    fn grow(&self, weight: &mut u32, more: u16) -> i64 {
        let before = self.of(*weight);
        *weight += u32::from(more);
        self.of(*weight) - before
    }
}

/// Holds the place of a node until it is decided what it is.
const UNDECIDED: Node = Node::Mixed { first: 0, count: 0 };

/// Makes nodes for children with these rows, side by side, and returns the number of the first.
fn push_children(
    tree: &mut Tree,
    pending: &mut Vec<Pending>,
    children: impl IntoIterator<Item = std::ops::Range<usize>>,
) -> u32 {
    let first = tree.nodes.len();
    for rows in children {
        pending.push(Pending { node: tree.nodes.len(), rows });
        tree.nodes.push(UNDECIDED);
    }
    index(first)
}

#[expect(clippy::cast_possible_truncation, reason = "the upper half of 64 bits")]
const fn rank_of(key: u64) -> u32 {
    (key >> 32) as u32
}

#[expect(clippy::cast_possible_truncation, reason = "16 bits each")]
const fn class_and_weight_of(key: u64) -> (usize, u32) {
    ((key >> 16) as u16 as usize, key as u16 as u32)
}

/// A number of rows, nodes or shares: a table has at most 2^24 rows, and a tree a few nodes for each.
fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Nodes of fewer rows are sorted by comparison.
const RADIX_FROM: usize = 256;

/// Sorts keys by rank: by comparison, or from 256 keys on by counting one byte of the rank after the other.
fn sort_by_rank(keys: &mut Vec<u64>, spare: &mut Vec<u64>) {
    if keys.len() < RADIX_FROM {
        keys.sort_unstable();
        return;
    }
    let highest = keys.iter().copied().map(rank_of).max().unwrap_or(0);
    spare.resize(keys.len(), 0);
    let mut shift = 32;
    while shift < 64 && highest >> (shift - 32) > 0 {
        let byte = |key: u64| ((key >> shift) & 0xff) as usize;
        let mut starts = [0_usize; 256];
        for &key in keys.iter() {
            starts[byte(key)] += 1;
        }
        let mut next = 0;
        for start in &mut starts {
            next += std::mem::replace(start, next);
        }
        for &key in keys.iter() {
            let at = &mut starts[byte(key)];
            spare[*at] = key;
            *at += 1;
        }
        std::mem::swap(keys, spare);
        shift += 8;
    }
}
