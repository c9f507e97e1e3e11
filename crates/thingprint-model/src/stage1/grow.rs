use std::ops::Range;

use super::information::Information;
use super::ranked::{RankedColumn, RankedTable, cut_between};
use super::sample::{Row, bootstrap};
use super::search::{self, Cut, Search, Split};
use super::tree::{Node, Tree};
use crate::random::Generator;

/// A node lighter than this is a leaf: Weka's `minNum` of 1, doubled because each side of a cut needs it.
const LEAST_WEIGHT: u32 = 2;

/// Grows trees on one table; its buffers serve one tree after the other.
pub(super) struct Grower<'a> {
    table: &'a RankedTable<'a>,
    search: Search<'a>,
    /// Rows of the bootstrap sample, those of a node side by side.
    rows: Vec<Row>,
    spare_rows: Vec<Row>,
    /// Weight of each class in the node at hand.
    classes: Vec<u32>,
    /// The tree so far, and its nodes that are neither leaf nor split yet.
    tree: Tree,
    pending: Vec<Pending>,
}

/// A node whose rows are known, but not yet what becomes of it.
struct Pending {
    node: usize,
    rows: Range<usize>,
}

/// Holds the place of a pending node.
const UNDECIDED: Node = Node::Mixed { first: 0, count: 0 };

impl<'a> Grower<'a> {
    pub(super) fn new(table: &'a RankedTable<'a>, information: &'a Information, tries: usize) -> Self {
        Self {
            table,
            search: Search::new(table, information, tries),
            rows: Vec::new(),
            spare_rows: Vec::new(),
            classes: vec![0; table.classes],
            tree: Tree::default(),
            pending: Vec::new(),
        }
    }

    /// Grows one tree on a bootstrap sample.
    pub(super) fn grow(&mut self, mut generator: Generator) -> Tree {
        self.search.restart();
        self.rows = bootstrap(self.table.row_classes, &mut generator);
        self.spare_rows.resize(self.rows.len(), Row::default());
        self.push_child(0..self.rows.len());
        while let Some(Pending { node, rows }) = self.pending.pop() {
            self.tree.nodes[node] = match self.best_split(rows.clone(), &mut generator) {
                None => self.leaf(),
                Some(Split { column, cut: Cut::Between { lower, upper }, .. }) => {
                    self.split_numbers(rows, column, [lower, upper])
                }
                Some(Split { column, cut: Cut::ByValue, .. }) => self.split_names(rows, column),
            };
        }
        std::mem::take(&mut self.tree)
    }

    /// Sums up the classes of a node and looks for its best split, when it has several classes and weight enough.
    fn best_split(&mut self, rows: Range<usize>, generator: &mut Generator) -> Option<Split> {
        let rows = &self.rows[rows];
        self.classes.fill(0);
        for row in rows {
            self.classes[usize::from(row.class)] += u32::from(row.weight);
        }
        let weight = self.classes.iter().sum();
        if weight < LEAST_WEIGHT || self.classes.contains(&weight) {
            return None;
        }
        self.search.best(search::Node { rows, classes: &self.classes, weight }, generator)
    }

    /// A leaf with the classes of the node at hand.
    fn leaf(&mut self) -> Node {
        let present = (0..)
            .zip(&self.classes)
            .filter(|&(_, &weight)| weight > 0)
            .map(|(class, &weight)| (class, weight));
        let first = self.tree.shares.len();
        self.tree.shares.extend(present);
        if let &[(class, weight)] = &self.tree.shares[first..] {
            self.tree.shares.pop();
            return Node::Pure { class, weight };
        }
        Node::Mixed { first: index(first), count: index(self.tree.shares.len() - first) }
    }

    /// Splits between two neighbouring ranks of a node.
    fn split_numbers(&mut self, rows: Range<usize>, column: u16, [lower, upper]: [u32; 2]) -> Node {
        let table = self.table;
        let RankedColumn::Number { ranks, numbers } = &table.columns[usize::from(column)] else {
            return self.leaf();
        };
        let middle = self.part(rows.clone(), |row| ranks[row.number as usize] <= lower);
        let children = self.push_child(rows.start..middle);
        self.push_child(middle..rows.end);
        Node::Number {
            column,
            children,
            threshold: cut_between(numbers[lower as usize], numbers[upper as usize]),
        }
    }

    /// Brings the rows that go left before the others, and returns where the others begin.
    fn part(&mut self, rows: Range<usize>, goes_left: impl Fn(&Row) -> bool) -> usize {
        let (mut left, mut right) = (rows.start, 0);
        for at in rows.clone() {
            let row = self.rows[at];
            if goes_left(&row) {
                self.rows[left] = row;
                left += 1;
            } else {
                self.spare_rows[right] = row;
                right += 1;
            }
        }
        self.rows[left..rows.end].copy_from_slice(&self.spare_rows[..right]);
        left
    }

    /// Makes a child for each nominal value that occurs, behind a leaf with the distribution of the node itself.
    fn split_names(&mut self, rows: Range<usize>, column: u16) -> Node {
        let table = self.table;
        let RankedColumn::Name { values, cardinality } = &table.columns[usize::from(column)] else {
            return self.leaf();
        };
        let own = self.leaf();
        let first = index(self.tree.nodes.len());
        self.tree.nodes.push(own);
        let starts =
            self.gather(rows, usize::from(*cardinality), |row| usize::from(values[row.number as usize]));
        let slots = index(self.tree.slots.len());
        let mut last_slot = 0;
        for bounds in starts.windows(2) {
            let rows = bounds[0]..bounds[1];
            if rows.is_empty() {
                self.tree.slots.push(0);
            } else {
                last_slot += 1;
                self.tree.slots.push(last_slot);
                self.push_child(rows);
            }
        }
        Node::Name { column, cardinality: *cardinality, children: first, slots }
    }

    /// Brings rows of equal value together, in the order of the values, and returns where each value begins and the
    /// last one ends.
    fn gather(
        &mut self,
        rows: Range<usize>,
        cardinality: usize,
        value_of: impl Fn(&Row) -> usize,
    ) -> Vec<usize> {
        let spare = &mut self.spare_rows[..rows.len()];
        spare.copy_from_slice(&self.rows[rows.clone()]);
        let mut starts = vec![0; cardinality + 1];
        for row in spare.iter() {
            starts[value_of(row) + 1] += 1;
        }
        starts[0] = rows.start;
        for value in 0..cardinality {
            starts[value + 1] += starts[value];
        }
        let mut places = starts.clone();
        for row in spare.iter() {
            let place = &mut places[value_of(row)];
            self.rows[*place] = *row;
            *place += 1;
        }
        starts
    }

    /// Makes a node for a child with these rows, and returns its number.
    fn push_child(&mut self, rows: Range<usize>) -> u32 {
        let node = self.tree.nodes.len();
        self.pending.push(Pending { node, rows });
        self.tree.nodes.push(UNDECIDED);
        index(node)
    }
}

/// A number of nodes, shares or slots: a table has at most 2^24 rows, and a tree a few of these for each.
fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
