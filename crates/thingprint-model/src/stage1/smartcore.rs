use std::num::NonZeroUsize;

use serde::Deserialize;
use smartcore::ensemble::random_forest_classifier::{
    RandomForestClassifier, RandomForestClassifierParameters,
};
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_classifier::SplitCriterion;

use super::forest::{Forest, ForestOptions};
use super::table::{Column, Table};
use super::tree::{ColumnKind, Node, Tree};
use crate::error::ModelError;
use crate::options::MAX_TREES;
use crate::parallel;

/// smartcore's midpoints of two numbers must not overflow, and it knows no absent value: numbers end here.
const FURTHEST: f64 = 1e300;

/// Grows a forest of smartcore's trees, each grown as a forest of one so that its vote can be counted.
///
/// smartcore has no nominal columns: classes of stage-0 go in as numbers. Its bootstrap draws within each class, and
/// a leaf answers with its most frequent class alone. Trees are read out of it node by node, since their answers are
/// needed one by one and a model file must be checked before use.
pub(super) fn fit(table: &Table, options: &ForestOptions, jobs: NonZeroUsize) -> Result<Forest, ModelError> {
    options.check()?;
    let (records, classes) = (records(table)?, classes(table));
    let per_node = options.columns_per_node(table.columns().len());
    let grow = |(): &mut (), tree: usize| {
        let grown = RandomForestClassifier::fit(&records, &classes, parameters(options, per_node, tree));
        read_out(&grown.map_err(|error| refused(&error))?)
    };
    let trees = parallel::map(options.trees as usize, jobs, || (), grow);
    let kinds = vec![ColumnKind::Number; table.columns().len()];
    Ok(Forest::of(table, kinds, trees.into_iter().collect::<Result<_, _>>()?))
}

/// A forest of smartcore's trees.
type Grown = RandomForestClassifier<f64, u32, DenseMatrix<f64>, Vec<u32>>;

/// How a forest of one tree is grown; neighbouring seeds of ours have no seed of a tree in common.
fn parameters(options: &ForestOptions, per_node: usize, tree: usize) -> RandomForestClassifierParameters {
    RandomForestClassifierParameters::default()
        .with_criterion(SplitCriterion::Entropy)
        .with_n_trees(1)
        .with_m(per_node)
        .with_seed(options.seed.wrapping_mul(u64::from(MAX_TREES)).wrapping_add(tree as u64))
}

fn classes(table: &Table) -> Vec<u32> {
    table.row_classes().iter().map(|&class| u32::from(class)).collect()
}

/// The table as smartcore's matrix.
fn records(table: &Table) -> Result<DenseMatrix<f64>, ModelError> {
    let mut values = Vec::with_capacity(table.rows() * table.columns().len());
    for column in table.columns() {
        match column {
            Column::Number(numbers) => {
                values.extend(numbers.iter().map(|value| value.clamp(-FURTHEST, FURTHEST)));
            }
            Column::Name { values: names, .. } => values.extend(names.iter().map(|&name| f64::from(name))),
        }
    }
    DenseMatrix::new(table.rows(), table.columns().len(), values, true).map_err(|error| refused(&error))
}

/// smartcore's fields are private, but it writes itself through serde: this is what it writes.
#[derive(Deserialize)]
struct WrittenForest {
    trees: Option<Vec<WrittenTree>>,
}

#[derive(Deserialize)]
struct WrittenTree {
    nodes: Vec<WrittenNode>,
    _parameters: Option<WrittenParameters>,
    _num_classes: usize,
    classes: Vec<u32>,
}

/// Criterion, depth, least samples of a leaf and of a split, seed.
type WrittenParameters = (u32, Option<u16>, usize, usize, Option<u64>);

#[derive(Deserialize)]
struct WrittenNode {
    output: usize,
    n_node_samples: usize,
    split_feature: usize,
    split_value: Option<f64>,
    _split_score: Option<f64>,
    true_child: Option<usize>,
    _false_child: Option<usize>,
    _impurity: Option<f64>,
}

fn read_out(forest: &Grown) -> Result<Tree, ModelError> {
    let bytes = postcard::to_stdvec(forest).map_err(|error| refused(&error))?;
    let (written, _): (WrittenForest, _) =
        postcard::take_from_bytes(&bytes).map_err(|error| refused(&error))?;
    let tree = written
        .trees
        .and_then(|trees| trees.into_iter().next())
        .ok_or_else(|| refused(&"it grew no tree"))?;
    let nodes = tree.nodes.iter().map(|node| convert(node, &tree.classes)).collect::<Option<_>>();
    let nodes = nodes.ok_or_else(|| refused(&"it grew a tree that cannot be read"))?;
    Ok(Tree { nodes, ..Tree::default() })
}

/// smartcore sends values up to the split value to the first child and the rest to the node behind it.
fn convert(node: &WrittenNode, classes: &[u32]) -> Option<Node> {
    let Some(child) = node.true_child else {
        let class = u16::try_from(*classes.get(node.output)?).ok()?;
        return Some(Node::Pure { class, weight: u32::try_from(node.n_node_samples.max(1)).ok()? });
    };
    Some(Node::Number {
        column: u16::try_from(node.split_feature).ok()?,
        children: u32::try_from(child).ok()?,
        threshold: node.split_value?.next_up(),
    })
}

fn refused(reason: &impl ToString) -> ModelError {
    ModelError::Backend { backend: "smartcore", reason: reason.to_string() }
}

/// The forest with the share of votes that each class gets for each row of the table by smartcore's own account.
#[cfg(test)]
pub(super) fn fit_with_votes(
    table: &Table,
    options: &ForestOptions,
) -> Result<(Forest, Vec<Vec<f64>>), ModelError> {
    let forest = fit(table, options, NonZeroUsize::MIN)?;
    let (records, classes) = (records(table)?, classes(table));
    let per_node = options.columns_per_node(table.columns().len());
    let mut votes = vec![vec![0.0; table.classes()]; table.rows()];
    for tree in 0..options.trees as usize {
        let grown = RandomForestClassifier::fit(&records, &classes, parameters(options, per_node, tree));
        let answers: Vec<u32> =
            grown.and_then(|grown: Grown| grown.predict(&records)).map_err(|error| refused(&error))?;
        for (votes, answer) in votes.iter_mut().zip(answers) {
            votes[answer as usize] += 1.0 / f64::from(options.trees);
        }
    }
    Ok((forest, votes))
}
