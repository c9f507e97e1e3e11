use serde::{Deserialize, Serialize};

use super::table::ABSENT;
use crate::error::FileFault;

/// A grown tree. Children stand behind their parents, so a walk from the root ends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree {
    /// The nodes; the first is the root.
    pub(super) nodes: Vec<Node>,
    /// Classes and weights of the mixed leaves.
    pub(super) shares: Vec<(u16, u32)>,
    /// For each nominal split, which child each value goes to.
    pub(super) slots: Vec<u16>,
}

/// A node of a tree: 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Node {
    /// A leaf of one class.
    Pure {
        /// The class.
        class: u16,
        /// Weight of its training rows.
        weight: u32,
    },
    /// A leaf of several classes: `shares[first..first + count]`.
    Mixed {
        /// Where its shares begin.
        first: u32,
        /// How many there are.
        count: u32,
    },
    /// Values below the threshold go to `children`, the rest to the node behind it.
    Number {
        /// Column looked at.
        column: u16,
        /// The left child.
        children: u32,
        /// The threshold.
        threshold: f64,
    },
    /// Value v goes to the node `children + slots[slots + v]`; the first of the children is a leaf with the
    /// distribution of this node itself, for values that no training row of this node had.
    Name {
        /// Column looked at.
        column: u16,
        /// Number of values.
        cardinality: u16,
        /// That first child.
        children: u32,
        /// Where the slots begin.
        slots: u32,
    },
}

/// What a column of rows holds, for the check of loaded trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ColumnKind {
    /// Numbers.
    Number,
    /// Nominal values below a cardinality.
    Name {
        /// How many values there are.
        cardinality: u16,
    },
}

impl Tree {
    /// Adds the distribution of the leaf that a row falls into.
    pub(super) fn add_to(&self, row: &[f64], distribution: &mut [f64]) {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Pure { class, .. } => {
                    distribution[usize::from(class)] += 1.0;
                    return;
                }
                Node::Mixed { first, count } => {
                    self.add_shares(first, count, distribution);
                    return;
                }
                split => at = self.child(split, row),
            }
        }
    }

    fn add_shares(&self, first: u32, count: u32, distribution: &mut [f64]) {
        let shares = &self.shares[first as usize..(first + count) as usize];
        let total: f64 = shares.iter().map(|&(_, weight)| f64::from(weight)).sum();
        for &(class, weight) in shares {
            distribution[usize::from(class)] += f64::from(weight) / total;
        }
    }

    /// The child of a split that a row goes to; a leaf has none, and stands for itself at the root.
    fn child(&self, split: Node, row: &[f64]) -> usize {
        let value = |column: u16| row.get(usize::from(column)).copied().unwrap_or(ABSENT);
        match split {
            Node::Number { column, children, threshold } => {
                children as usize + usize::from(value(column) >= threshold)
            }
            Node::Name { column, cardinality, children, slots } => {
                let slot =
                    nominal(value(column), cardinality).map_or(0, |value| self.slots[slots as usize + value]);
                children as usize + usize::from(slot)
            }
            Node::Pure { .. } | Node::Mixed { .. } => 0,
        }
    }

    /// Adds to `contributions` how the probability of a class changes at each split that a row passes, by the column
    /// split on, and returns the probability at the root (Saabas 2014, "Interpreting random forests").
    ///
    /// The probability at an inner node is that of the training rows below it.
    pub(super) fn explain(&self, row: &[f64], class: u16, contributions: &mut [f64]) -> f64 {
        let probabilities = self.probabilities(class);
        let mut at = 0;
        loop {
            let (Node::Number { column, .. } | Node::Name { column, .. }) = self.nodes[at] else {
                return probabilities[0];
            };
            let child = self.child(self.nodes[at], row);
            contributions[usize::from(column)] += probabilities[child] - probabilities[at];
            at = child;
        }
    }

    /// The probability of a class at each node.
    fn probabilities(&self, class: u16) -> Vec<f64> {
        let mut weights = vec![(0.0, 0.0); self.nodes.len()];
        for at in (0..self.nodes.len()).rev() {
            weights[at] = match self.nodes[at] {
                Node::Pure { class: own, weight } => (of_class(own, weight, class), f64::from(weight)),
                Node::Mixed { first, count } => {
                    let shares = &self.shares[first as usize..(first + count) as usize];
                    let of_class: f64 =
                        shares.iter().map(|&(own, weight)| of_class(own, weight, class)).sum();
                    (of_class, shares.iter().map(|&(_, weight)| f64::from(weight)).sum())
                }
                Node::Number { children, .. } => sum(&weights[children as usize..children as usize + 2]),
                Node::Name { cardinality, children, slots, .. } => {
                    let children = children as usize;
                    sum(&weights[children + 1..=children + usize::from(self.most_slots(slots, cardinality))])
                }
            };
        }
        weights.into_iter().map(|(of_class, weight)| of_class / weight).collect()
    }

    /// The highest slot of a nominal split: its number of children besides the first.
    fn most_slots(&self, slots: u32, cardinality: u16) -> u16 {
        let values = &self.slots[slots as usize..slots as usize + usize::from(cardinality)];
        values.iter().copied().max().unwrap_or(0)
    }

    /// Refuses a loaded tree in which a walk could leave the tree, not end, or meet a class or column that is none.
    pub(super) fn check_loaded(&self, columns: &[ColumnKind], classes: usize) -> Result<(), FileFault> {
        let sound = !self.nodes.is_empty()
            && self.shares.iter().all(|&(class, weight)| usize::from(class) < classes && weight > 0)
            && self.nodes.iter().enumerate().all(|(at, node)| self.is_sound(at, *node, columns, classes));
        if sound { Ok(()) } else { Err(FileFault::Inconsistent("a tree of its forest is unsound")) }
    }

    fn is_sound(&self, at: usize, node: Node, columns: &[ColumnKind], classes: usize) -> bool {
        let kind = |column: u16| columns.get(usize::from(column)).copied();
        let behind = |children: u32, count: usize| {
            children as usize > at && (children as usize).saturating_add(count) <= self.nodes.len()
        };
        match node {
            Node::Pure { class, weight } => usize::from(class) < classes && weight > 0,
            Node::Mixed { first, count } => {
                count > 0 && first.checked_add(count).is_some_and(|end| end as usize <= self.shares.len())
            }
            Node::Number { column, children, threshold } => {
                kind(column) == Some(ColumnKind::Number) && behind(children, 2) && !threshold.is_nan()
            }
            Node::Name { column, cardinality, children, slots } => {
                let range = slots as usize..(slots as usize).saturating_add(usize::from(cardinality));
                let Some(values) = self.slots.get(range) else { return false };
                let most = values.iter().copied().max().unwrap_or(0);
                let first = self.nodes.get(children as usize);
                kind(column) == Some(ColumnKind::Name { cardinality })
                    && most > 0
                    && behind(children, usize::from(most) + 1)
                    && matches!(first, Some(Node::Pure { .. } | Node::Mixed { .. }))
            }
        }
    }
}

/// A nominal value, when it is one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "compared with the cardinality first"
)]
fn nominal(value: f64, cardinality: u16) -> Option<usize> {
    (0.0..f64::from(cardinality)).contains(&value).then_some(value as usize)
}

fn of_class(own: u16, weight: u32, class: u16) -> f64 {
    if own == class { f64::from(weight) } else { 0.0 }
}

fn sum(weights: &[(f64, f64)]) -> (f64, f64) {
    weights.iter().fold((0.0, 0.0), |sum, weight| (sum.0 + weight.0, sum.1 + weight.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_takes_16_bytes() {
        assert_eq!(size_of::<Node>(), 16);
    }
}
