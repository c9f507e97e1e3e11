use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thingprint_instance::{Instance, Label, Labeled};

use super::Answer;
use crate::classes::most_likely;
use crate::doubt::Acceptance;
use crate::error::ModelError;
use crate::model::Model;
use crate::options::choice;
use crate::parallel;
use crate::prediction::Prediction;

choice! {
    /// Which part of a model answers, to find out what each contributes.
    Voice as "voice" {
        /// The whole model.
        Whole = "whole",
        /// The paper's two stages on the model's evidence, without the joint model.
        Stages = "stages",
        /// The joint model of all bags alone; the two stages where a model has none.
        Joint = "joint",
    }
}

impl Model {
    /// Classifies one instance by a part of the model. The likeness is that to the part's own answer.
    pub fn predict_by(&self, voice: Voice, instance: &Instance) -> Prediction {
        let whole = self.predict(instance);
        let window = self.joint.as_ref().map(|parts| parts.lexicon.window(instance));
        let distribution = match (voice, self.joint.as_ref().zip(window.as_ref())) {
            (Voice::Whole, _) => return whole,
            (Voice::Joint, Some((parts, window))) => parts.joint.distribution(window, self.classes.len()),
            (Voice::Stages, _) | (Voice::Joint, None) => self.two_stages(instance, &self.stage0(instance)),
        };
        let class = most_likely(&distribution);
        Prediction {
            confidence: distribution.get(class).copied().unwrap_or(0.0),
            likeness: self.likeness(window.as_ref(), class),
            class: self.classes.name(class),
            distribution,
            ..whole
        }
    }

    /// Asks a part of the model about the labelled ones of these rows with `jobs` threads; answers stand in the order of
    /// rows.
    pub fn answers_by<'a>(
        &self,
        voice: Voice,
        rows: impl IntoIterator<Item = &'a Labeled>,
        acceptance: &Acceptance,
        jobs: NonZeroUsize,
    ) -> Vec<Answer> {
        let labelled: Vec<(&Instance, &Label)> =
            rows.into_iter().filter_map(|row| Some((&row.instance, row.label.as_ref()?))).collect();
        let answer = |(): &mut (), at: usize| {
            let (instance, truth) = labelled[at];
            let prediction = self.predict_by(voice, instance);
            // Many answers are kept at once, and nothing that is measured looks at stage-0.
            let prediction = Prediction { stage0: BTreeMap::new(), ..prediction };
            Answer {
                capture: instance.capture.as_deref().map(Arc::from),
                truth: Arc::from(truth.class.as_str()),
                failed: self.failed_tests(&prediction, acceptance),
                is_in_family: self.is_in_family(&prediction.class, truth),
                prediction,
            }
        };
        parallel::map(labelled.len(), jobs, || (), answer)
    }

    /// Asks the whole model.
    pub fn answers<'a>(
        &self,
        rows: impl IntoIterator<Item = &'a Labeled>,
        acceptance: &Acceptance,
        jobs: NonZeroUsize,
    ) -> Vec<Answer> {
        self.answers_by(Voice::Whole, rows, acceptance, jobs)
    }
}
