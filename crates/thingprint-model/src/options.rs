use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thingprint_instance::EvidenceSet;

use crate::error::ModelError;
use crate::scenario::{Input, Scenario};

/// Most trees that a forest may have.
pub const MAX_TREES: u32 = 10_000;

/// Most folds of out-of-fold training.
pub const MAX_FOLDS: u32 = 1_000;

/// Every choice of training; all of them are kept in the model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainOptions {
    /// The classifier.
    pub recipe: Recipe,
    /// What the classifier looks at, of the evidence.
    pub scenario: Scenario,
    /// The evidence that there is to look at.
    pub evidence: EvidenceSet,
    /// Estimator of stage-0.
    pub stage0: Stage0Backend,
    /// Estimator of stage-1.
    pub stage1: Stage1Backend,
    /// How stage-0 estimates how frequent a class is.
    pub prior: Prior,
    /// What becomes of words that training never saw.
    pub unseen: Unseen,
    /// Trees of the forest.
    pub trees: u32,
    /// Attributes tried at a node; ⌊log2 p⌋ + 1 of p attributes when not given.
    pub attributes_per_node: Option<u32>,
    /// Folds by which stage-1 sees stage-0 outputs of rows that stage-0 was not trained on; in-sample outputs when
    /// not given, as in the paper.
    pub out_of_fold: Option<u32>,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for TrainOptions {
    /// The paper's recipe, by which its results are reproduced; see [`TrainOptions::of`].
    fn default() -> Self {
        Self::of(Recipe::Paper)
    }
}

impl TrainOptions {
    /// The defaults of a recipe: [`Recipe::Paper`] has the evidence of the paper, [`Recipe::Best`] all that training
    /// uses.
    pub fn of(recipe: Recipe) -> Self {
        Self {
            recipe,
            scenario: Scenario::Final,
            evidence: recipe.evidence(),
            stage0: Stage0Backend::Sparse,
            stage1: Stage1Backend::Forest,
            prior: Prior::Weka,
            unseen: Unseen::Others,
            trees: 100,
            attributes_per_node: None,
            out_of_fold: None,
            seed: 1,
        }
    }

    /// The evidence that the classifier looks at.
    pub fn looks_at(&self) -> EvidenceSet {
        self.scenario.evidence(self.evidence)
    }

    /// The inputs of stage-1, in the order of columns; `None` where a stage-0 answers alone.
    pub fn inputs(&self) -> Option<Vec<Input>> {
        self.scenario.inputs(self.evidence)
    }

    /// Checks that every option lies inside its range.
    pub fn check(&self) -> Result<(), ModelError> {
        if self.looks_at().is_empty() {
            let expected = "expected something that the scenario looks at";
            return Err(ModelError::Option {
                option: "evidence",
                value: self.evidence.to_string(),
                expected,
            });
        }
        check_range("trees", Some(self.trees), 1..=MAX_TREES, "expected 1 to 10000")?;
        check_range("attributes_per_node", self.attributes_per_node, 1..=u32::MAX, "expected at least 1")?;
        check_range("out_of_fold", self.out_of_fold, 2..=MAX_FOLDS, "expected 2 to 1000 folds")
    }
}

fn check_range(
    option: &'static str,
    value: Option<u32>,
    range: std::ops::RangeInclusive<u32>,
    expected: &'static str,
) -> Result<(), ModelError> {
    match value {
        Some(value) if !range.contains(&value) => {
            Err(ModelError::Option { option, value: value.to_string(), expected })
        }
        _ => Ok(()),
    }
}

/// Declares an option that is one of a few names: serde, `Display` and `FromStr` agree on them.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident as $option:literal { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every choice.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name, as options and files spell it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = ModelError;

            fn from_str(text: &str) -> Result<Self, ModelError> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    other => Err(ModelError::Option {
                        option: $option,
                        value: other.to_owned(),
                        expected: concat!("expected one of", $(" ", $text),+),
                    }),
                }
            }
        }
    };
}
pub(crate) use choice;

choice! {
    /// The classifier.
    Recipe as "recipe" {
        /// The paper's two stages on all bags that training uses, blended with a joint model of the bags.
        Best = "best",
        /// The two stages of the classification paper on its own evidence.
        Paper = "paper",
    }
}

impl Recipe {
    /// The evidence that the recipe looks at where nothing else is asked for.
    pub fn evidence(self) -> EvidenceSet {
        match self {
            Self::Best => EvidenceSet::trained_on(),
            Self::Paper => EvidenceSet::paper(),
        }
    }
}

choice! {
    /// Estimator of stage-0, a multinomial naive Bayes; both give the same posteriors.
    Stage0Backend as "stage0" {
        /// Our own: counts in compressed rows.
        Sparse = "sparse",
        /// `linfa_bayes::MultinomialNb`, which prints what it fits to stderr.
        Linfa = "linfa",
    }
}

choice! {
    /// Estimator of stage-1, a random forest.
    Stage1Backend as "stage1" {
        /// Our own: Weka's algorithm, leaf distributions, threads.
        Forest = "forest",
        /// smartcore's trees, each with one vote.
        Smartcore = "smartcore",
    }
}

choice! {
    /// Prior of a class with n of the N training instances, among K classes.
    Prior as "prior" {
        /// (1 + n) / (K + N), as Weka.
        Weka = "weka",
        /// n / N, as printed in the paper.
        Relative = "relative",
    }
}

choice! {
    /// What becomes of a word that no training instance had.
    Unseen as "unseen" {
        /// It counts for the column `others`, with the words of non-IoT devices.
        Others = "others",
        /// It is left out, since `others` favours classes with few words.
        Ignore = "ignore",
    }
}
