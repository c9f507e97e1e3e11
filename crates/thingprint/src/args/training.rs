use clap::{Args, ValueEnum};
use thingprint_instance::EvidenceSet;
use thingprint_model::{Prior, Recipe, Scenario, Stage0Backend, Stage1Backend, TrainOptions, Unseen};

/// Which labels count although nobody confirmed them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Trust {
    /// Those that follow from what devices declare.
    Declared,
}

/// How the classifier is trained.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Training")]
pub(crate) struct TrainingArgs {
    /// The classifier: best, two stages on all evidence, blended with a joint model of it; or paper, the two stages of the
    /// classification paper on its evidence
    #[arg(long, value_name = "RECIPE", default_value_t = Recipe::Best)]
    recipe: Recipe,

    /// The evidence that there is for the scenario to look at: paper, all, or a list of names, as for extract
    /// [default: that of the recipe]
    #[arg(long, value_name = "SET|NAME,...")]
    evidence: Option<EvidenceSet>,

    /// Labels that nobody confirmed: declared takes those that follow from what devices declare, which
    /// `devices --labels-template` writes behind a question mark [default: refuse them]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) trust: Option<Trust>,

    /// Estimator of stage-0: sparse, or linfa (which prints what it learns on standard error)
    #[arg(long, value_name = "BACKEND", default_value_t = Stage0Backend::Sparse)]
    stage0: Stage0Backend,

    /// Estimator of stage-1: forest or smartcore
    #[arg(long, value_name = "BACKEND", default_value_t = Stage1Backend::Forest)]
    stage1: Stage1Backend,

    /// Class priors: weka, (1 + n) / (K + N), or relative, n / N
    #[arg(long, value_name = "PRIOR", default_value_t = Prior::Weka)]
    prior: Prior,

    /// Treatment of words that training never saw: others or ignore
    #[arg(long, value_name = "RULE", default_value_t = Unseen::Others)]
    unseen: Unseen,

    /// Trees of the forest
    #[arg(long, value_name = "N", default_value_t = 100)]
    trees: u32,

    /// Attributes tried at each node of a tree [default: log2 of their number, rounded down, plus 1]
    #[arg(long, value_name = "N")]
    attributes_per_node: Option<u32>,

    /// Train stage-1 on stage-0 outputs of this many folds instead of in-sample ones
    #[arg(long, value_name = "FOLDS")]
    out_of_fold: Option<u32>,
}

impl TrainingArgs {
    /// The options of a training.
    pub(crate) fn options(&self, scenario: Scenario, seed: u64) -> TrainOptions {
        TrainOptions {
            recipe: self.recipe,
            scenario,
            evidence: self.evidence.unwrap_or_else(|| self.recipe.evidence()),
            stage0: self.stage0,
            stage1: self.stage1,
            prior: self.prior,
            unseen: self.unseen,
            trees: self.trees,
            attributes_per_node: self.attributes_per_node,
            out_of_fold: self.out_of_fold,
            seed,
        }
    }
}
