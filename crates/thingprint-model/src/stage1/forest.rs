use std::num::NonZeroUsize;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::grow::Grower;
use super::information::Information;
use super::ranked::RankedTable;
use super::table::{Column, MAX_COLUMNS, Table};
use super::tree::{ColumnKind, Tree};
use crate::error::{FileFault, ModelError};
use crate::options::{MAX_TREES, TrainOptions};
use crate::parallel;
use crate::random::{Generator, Purpose};
use crate::sequence;

/// A fitted random forest, as Weka's `RandomForest` with default options would be.
///
/// Each tree grows on a bootstrap sample whose copies are weights; ⌊log2 p⌋ + 1 of p columns are tried at a node, and
/// more until one has gain; splits go by entropy, at every boundary between distinct numbers, or into one child for
/// each nominal value; nodes split until they are pure, weigh less than 2, or no column has gain. The answer is the
/// mean of the distributions of the leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forest {
    pub(super) classes: u32,
    #[serde(deserialize_with = "sequence::at_most::<_, _, MAX_COLUMNS>")]
    pub(super) columns: Vec<ColumnKind>,
    #[serde(deserialize_with = "sequence::at_most::<_, _, { MAX_TREES as usize }>")]
    pub(super) trees: Vec<Tree>,
}

/// How a forest grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForestOptions {
    /// Number of trees.
    pub trees: u32,
    /// Columns tried at a node; ⌊log2 p⌋ + 1 of p columns when not given.
    pub attributes_per_node: Option<u32>,
    /// Seed; each tree has a stream of its own.
    pub seed: u64,
}

impl From<&TrainOptions> for ForestOptions {
    fn from(options: &TrainOptions) -> Self {
        Self { trees: options.trees, attributes_per_node: options.attributes_per_node, seed: options.seed }
    }
}

impl ForestOptions {
    /// Checks that the number of trees lies inside its range.
    pub(super) fn check(&self) -> Result<(), ModelError> {
        if (1..=MAX_TREES).contains(&self.trees) {
            return Ok(());
        }
        Err(ModelError::Option {
            option: "trees",
            value: self.trees.to_string(),
            expected: "expected 1 to 10000",
        })
    }

    /// Columns tried at a node of a table with so many columns.
    pub(super) fn columns_per_node(&self, columns: usize) -> usize {
        let weka = columns.checked_ilog2().unwrap_or(0) + 1;
        let per_node = self.attributes_per_node.unwrap_or(weka) as usize;
        per_node.clamp(1, columns.max(1))
    }
}

impl Forest {
    /// Grows a forest on a table with up to `jobs` threads, whose number does not change it. Fails when the number of
    /// trees is out of range.
    pub fn fit(table: &Table, options: &ForestOptions, jobs: NonZeroUsize) -> Result<Self, ModelError> {
        Self::grow(table, options, 0..options.trees, jobs)
    }

    /// Grows some trees of the forest that [`fit`](Self::fit) grows, by their numbers: each has a stream of random numbers of
    /// its own. Fails when there are none, or none of these numbers.
    pub fn grow(
        table: &Table,
        options: &ForestOptions,
        trees: Range<u32>,
        jobs: NonZeroUsize,
    ) -> Result<Self, ModelError> {
        options.check()?;
        if trees.is_empty() || trees.end > options.trees {
            return Err(ModelError::Option {
                option: "trees",
                value: format!("{}..{}", trees.start, trees.end),
                expected: "expected a part of those of the forest",
            });
        }
        let information = Information::up_to(table.rows());
        let ranked = RankedTable::new(table);
        let per_node = options.columns_per_node(table.columns().len());
        let make_grower = || Grower::new(&ranked, &information, per_node);
        let trees = parallel::map(trees.len(), jobs, make_grower, |grower, tree| {
            let number = trees.start + u32::try_from(tree).unwrap_or(u32::MAX);
            grower.grow(Generator::new(options.seed, Purpose::Tree(number)))
        });
        Ok(Self::of(table, table.columns().iter().map(ColumnKind::of).collect(), trees))
    }

    /// Adds the trees of a forest that was grown on the same table; whether they fit.
    pub(crate) fn append(&mut self, other: Self) -> bool {
        let fits = self.classes == other.classes && self.columns == other.columns;
        if fits {
            self.trees.extend(other.trees);
        }
        fits
    }

    pub(super) fn of(table: &Table, columns: Vec<ColumnKind>, trees: Vec<Tree>) -> Self {
        Self { classes: u32::try_from(table.classes()).unwrap_or(u32::MAX), columns, trees }
    }

    /// The probability of each class for a row: one value for each column of the training table, a nominal value as
    /// its number, numbers as [`number`](super::number) gives them.
    pub fn distribution(&self, row: &[f64]) -> Vec<f64> {
        let mut distribution = vec![0.0; self.classes as usize];
        for tree in &self.trees {
            tree.add_to(row, &mut distribution);
        }
        for probability in &mut distribution {
            *probability /= self.trees.len() as f64;
        }
        distribution
    }

    /// How a forest comes to the probability of a class for a row.
    pub fn explain(&self, row: &[f64], class: u16) -> ForestExplanation {
        let mut contributions = vec![0.0; self.columns.len()];
        let mut base = 0.0;
        for tree in &self.trees {
            base += tree.explain(row, class, &mut contributions);
        }
        let trees = self.trees.len() as f64;
        for contribution in &mut contributions {
            *contribution /= trees;
        }
        ForestExplanation { base: base / trees, contributions }
    }

    /// Number of trees.
    pub fn trees(&self) -> usize {
        self.trees.len()
    }

    /// Number of nodes of all trees.
    pub fn nodes(&self) -> usize {
        self.trees.iter().map(|tree| tree.nodes.len()).sum()
    }

    /// Refuses a loaded forest that does not fit its classes and columns, or could not be walked.
    pub(crate) fn check_loaded(&self, columns: usize, classes: usize) -> Result<(), FileFault> {
        if self.classes as usize != classes || self.columns.len() != columns {
            return Err(FileFault::Inconsistent("its forest does not fit its classes and inputs"));
        }
        if !(1..=MAX_TREES as usize).contains(&self.trees.len()) {
            return Err(FileFault::Inconsistent("its number of trees is out of range"));
        }
        self.trees.iter().try_for_each(|tree| tree.check_loaded(&self.columns, classes))
    }
}

/// The probability of a class taken apart: `base` and the contributions add up to it.
#[derive(Clone, Debug, PartialEq)]
pub struct ForestExplanation {
    /// Mean probability at the roots: what the forest says before it looks at the row.
    pub base: f64,
    /// Change of the probability by each column.
    pub contributions: Vec<f64>,
}

impl ColumnKind {
    fn of(column: &Column) -> Self {
        match column {
            Column::Number(_) => Self::Number,
            Column::Name { cardinality, .. } => Self::Name { cardinality: *cardinality },
        }
    }
}
