use std::num::NonZeroUsize;
use std::sync::Arc;

use thingprint_instance::{Instance, Labeled};

use crate::classes::Classes;
use crate::doubt::{Acceptance, Test};
use crate::model::Model;
use crate::prediction::Prediction;

/// What a model said of a labelled window.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The capture, where it is the window.
    pub capture: Option<Arc<str>>,
    /// The true class.
    pub truth: Arc<str>,
    /// What the model said.
    pub prediction: Prediction,
    /// The tests that the answer failed; it is accepted where there are none.
    pub failed: Vec<Test>,
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
    /// Asks about the labelled ones of these rows with `jobs` threads; answers stand in the order of rows.
    pub fn answers<'a>(
        &self,
        rows: impl IntoIterator<Item = &'a Labeled>,
        acceptance: &Acceptance,
        jobs: NonZeroUsize,
    ) -> Vec<Answer> {
        let labelled: Vec<(&Instance, &str)> = rows
            .into_iter()
            .filter_map(|row| Some((&row.instance, row.label.as_ref()?.class.as_str())))
            .collect();
        let instances: Vec<&Instance> = labelled.iter().map(|(instance, _)| *instance).collect();
        let answer = |(prediction, (instance, truth)): (Prediction, &(&Instance, &str))| Answer {
            capture: instance.capture.as_deref().map(Arc::from),
            truth: Arc::from(*truth),
            failed: self.failed_tests(&prediction, acceptance),
            prediction,
        };
        self.predict_all(&instances, jobs).into_iter().zip(&labelled).map(answer).collect()
    }

    /// The answers as the fold of a split.
    pub fn tested(&self, fold: u32, answers: Vec<Answer>) -> TestedFold {
        TestedFold { fold, seed: self.options().seed, classes: self.classes().clone(), answers }
    }
}
