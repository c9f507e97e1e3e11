//! Evidence: the bags of words and the numbers that instances carry, listed in a registry.
//!
//! A bag is a file in `bags/` and a line in `bags/mod.rs`, a number a file in `numbers/` and a line in
//! `numbers/mod.rs`. Extraction, instance files, training, explanations, reports and figures go through these lists.

mod bag;
mod bags;
mod cost;
mod decimal;
mod number;
mod numbers;
mod observation;
mod ordered_map;
mod plan;
mod registry;
mod room;
mod set;
mod star;
mod word_tally;

pub use bags::BagName;
pub use cost::CollectionCost;
pub use number::Unit;
pub use numbers::Attribute;
pub use registry::UnknownEvidence;
pub use set::EvidenceSet;

use number::NumberTally;
pub(crate) use observation::{ClosedFlow, SentMessage};
pub(crate) use plan::{EvidencePlan, EvidenceTally};
pub(crate) use room::{Room, WordBudget};

#[cfg(test)]
mod tests;
