use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thingprint_instance::EvidenceSet;

use crate::classes::Classes;
use crate::model::{MAX_BAGS, Model, Origin};
use crate::options::{Prior, Recipe, Stage0Backend, Stage1Backend, TrainOptions, Unseen};
use crate::scenario::Scenario;
use crate::sequence;
use crate::stage0::BagModel;
use crate::stage1::Forest;

/// A model as format version 2 has it.
#[derive(Serialize, Deserialize)]
pub(super) struct FormerModel {
    origin: Origin,
    options: FormerOptions,
    extraction: BTreeMap<String, String>,
    classes: Classes,
    #[serde(deserialize_with = "sequence::at_most::<_, _, MAX_BAGS>")]
    bags: Vec<BagModel>,
    forest: Option<Forest>,
}

/// The options of a training as format version 2 has them.
#[derive(Serialize, Deserialize)]
struct FormerOptions {
    scenario: Scenario,
    evidence: EvidenceSet,
    stage0: Stage0Backend,
    stage1: Stage1Backend,
    prior: Prior,
    unseen: Unseen,
    trees: u32,
    attributes_per_node: Option<u32>,
    out_of_fold: Option<u32>,
    seed: u64,
}

impl From<FormerModel> for Model {
    fn from(former: FormerModel) -> Self {
        let FormerModel { origin, options, extraction, classes, bags, forest } = former;
        Self {
            origin,
            options: options.into(),
            extraction,
            classes,
            bags,
            forest,
            joint: None,
            given: Vec::new(),
            familiarity: None,
        }
    }
}

impl From<FormerOptions> for TrainOptions {
    fn from(former: FormerOptions) -> Self {
        Self {
            recipe: Recipe::Paper,
            scenario: former.scenario,
            evidence: former.evidence,
            stage0: former.stage0,
            stage1: former.stage1,
            prior: former.prior,
            unseen: former.unseen,
            trees: former.trees,
            attributes_per_node: former.attributes_per_node,
            out_of_fold: former.out_of_fold,
            seed: former.seed,
        }
    }
}

#[cfg(test)]
impl From<Model> for FormerModel {
    fn from(model: Model) -> Self {
        let Model { origin, options, extraction, classes, bags, forest, .. } = model;
        let options = FormerOptions {
            scenario: options.scenario,
            evidence: options.evidence,
            stage0: options.stage0,
            stage1: options.stage1,
            prior: options.prior,
            unseen: options.unseen,
            trees: options.trees,
            attributes_per_node: options.attributes_per_node,
            out_of_fold: options.out_of_fold,
            seed: options.seed,
        };
        Self { origin, options, extraction, classes, bags, forest }
    }
}
