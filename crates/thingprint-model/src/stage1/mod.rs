//! Stage-1: a random forest on the outputs of stage-0 and the numeric attributes ([C §5.1.2]).
mod forest;
mod grow;
mod information;
mod ranked;
mod sample;
mod search;
mod smartcore;
mod sort;
mod table;
mod tree;

pub use forest::{Forest, ForestExplanation, ForestOptions};
pub use table::{ABSENT, Column, MAX_ROWS, Table, number};

use std::num::NonZeroUsize;
use std::ops::Range;

use crate::error::ModelError;
use crate::options::Stage1Backend;

/// Fits a forest by either back end, or the trees of these numbers. smartcore grows all of them.
pub(crate) fn fit(
    backend: Stage1Backend,
    table: &Table,
    (options, trees): (&ForestOptions, Option<Range<u32>>),
    jobs: NonZeroUsize,
) -> Result<Forest, ModelError> {
    match backend {
        Stage1Backend::Forest => Forest::grow(table, options, trees.unwrap_or(0..options.trees), jobs),
        Stage1Backend::Smartcore if trees.is_some() => Err(ModelError::Option {
            option: "trees",
            value: "a part".to_owned(),
            expected: "expected all, which smartcore grows at once",
        }),
        Stage1Backend::Smartcore => smartcore::fit(table, options, jobs),
    }
}

#[cfg(test)]
mod tests;
