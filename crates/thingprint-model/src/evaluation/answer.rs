use std::sync::Arc;

use crate::classes::Classes;
use crate::doubt::Test;
use crate::model::Model;
use crate::prediction::Prediction;

/// What a model said of a labelled window.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The capture, where it is the window.
    pub capture: Option<Arc<str>>,
    /// The true class.
    pub truth: Arc<str>,
    /// What the model said, without the verdicts of stage-0.
    pub prediction: Prediction,
    /// The tests that the answer failed; it is accepted where there are none.
    pub failed: Vec<Test>,
    /// Whether the class is the true one or another of its family; `None` where labels gave no families.
    pub is_in_family: Option<bool>,
}

/// What a model said of windows that it was tested on.
#[derive(Clone, Debug, PartialEq)]
pub struct TestedFold {
    /// Which fold of the split, from 1.
    pub fold: u32,
    /// Seed of the split and of the model.
    pub seed: u64,
    /// The model's classes, with how many training instances each had.
    pub classes: Classes,
    /// The answers.
    pub answers: Vec<Answer>,
}

impl Answer {
    /// Whether the class is the true one.
    pub fn is_right(&self) -> bool {
        self.prediction.class == self.truth
    }

    /// Whether the confidence reaches its threshold.
    pub fn is_confident(&self) -> bool {
        !self.failed.contains(&Test::Confidence)
    }

    /// Whether the answer passed both tests, as `classify` demands.
    pub fn is_accepted(&self) -> bool {
        self.failed.is_empty()
    }
}

impl Model {
    /// The answers as the fold of a split.
    pub fn tested(&self, fold: u32, answers: Vec<Answer>) -> TestedFold {
        TestedFold { fold, seed: self.options().seed, classes: self.classes().clone(), answers }
    }
}
