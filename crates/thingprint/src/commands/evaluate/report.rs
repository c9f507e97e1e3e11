use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use serde::Serialize;
use thingprint_instance::Labeled;
use thingprint_model::{
    Acceptance, Answer, Evaluation, Model, ModelError, Prediction, Scenario, TestedFold, WindowAnswers,
};

use super::against::Compared;

/// How a model is evaluated.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// Name of the split that the rows come from.
    pub(crate) split: String,
    /// Lowest confidence of an accepted answer.
    pub(crate) threshold: f64,
    pub(crate) threads: NonZeroUsize,
}

/// All that models of a scenario said.
#[derive(Debug)]
pub(super) struct Tested {
    scenario: Scenario,
    pub(super) split: String,
    /// Whether one model was asked about everything.
    is_of_model: bool,
    generator: String,
    /// Devices with fewer windows than the split has blocks.
    pub(super) short_devices: u64,
    pub(super) folds: Vec<TestedFold>,
}

/// An evaluation, and how it came about.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    scenario: Scenario,
    split: String,
    /// The lowest seed.
    seed: u64,
    /// All seeds, ascending.
    seeds: Vec<u64>,
    generator: String,
    /// Training instances; the mean over the folds.
    trained_on: u64,
    /// Devices with fewer windows than the split has blocks.
    short_devices: u64,
    /// Windows of a class that the fold which tests them did not train on.
    untrained: u64,
    #[serde(flatten)]
    evaluation: Evaluation,
    /// How it compares with another classifier, where that is asked for.
    pub(super) comparison: Option<Compared>,
}

impl Tested {
    pub(super) fn empty(scenario: Scenario, split: String) -> Self {
        Self {
            scenario,
            split,
            is_of_model: false,
            generator: String::new(),
            short_devices: 0,
            folds: Vec::new(),
        }
    }

    /// What one model said.
    pub(super) fn of(model: &Model, split: String, fold: TestedFold) -> Self {
        let mut tested = Self::empty(model.options().scenario, split);
        tested.add(model, fold);
        tested.is_of_model = true;
        tested
    }

    /// What there is to compare.
    pub(super) fn windows(&self) -> WindowAnswers {
        match &self.folds[..] {
            [only] if self.is_of_model => WindowAnswers::of_model(only),
            folds => WindowAnswers::of(folds),
        }
    }

    /// Adds what the model of a fold said.
    pub(super) fn add(&mut self, model: &Model, fold: TestedFold) {
        self.generator.clone_from(&model.origin().generator);
        self.folds.push(fold);
    }

    /// How many windows are of a class that a fold which tests them did not train on.
    fn untrained(&self) -> u64 {
        let of_fold = |fold: &'_ TestedFold| -> Vec<_> {
            let is_untrained = |answer: &&Answer| fold.classes.number(&answer.truth).is_none();
            let window = |answer: &Answer| {
                let Prediction { device, window_start, .. } = &answer.prediction;
                (*device, *window_start, answer.capture.clone(), Arc::clone(&answer.truth))
            };
            fold.answers.iter().filter(is_untrained).map(window).collect()
        };
        self.folds.iter().flat_map(of_fold).collect::<BTreeSet<_>>().len() as u64
    }

    pub(super) fn report(&self, threshold: f64) -> Result<Report, ModelError> {
        let evaluation = Evaluation::of(&self.folds, threshold)?;
        let seeds: Vec<u64> = evaluation.by_seed.iter().map(|seed| seed.seed).collect();
        let trained_on: u64 = self.folds.iter().map(|fold| fold.classes.instances()).sum();
        let count = self.folds.len().max(1) as u64;
        Ok(Report {
            scenario: self.scenario,
            split: self.split.clone(),
            seed: seeds.first().copied().unwrap_or_default(),
            seeds,
            generator: self.generator.clone(),
            trained_on: (trained_on + count / 2) / count,
            short_devices: self.short_devices,
            untrained: self.untrained(),
            evaluation,
            comparison: None,
        })
    }
}

impl Report {
    /// Evaluates a model on the labelled ones of these rows.
    pub(crate) fn of(model: &Model, rows: &[&Labeled], setting: Setting) -> Result<Self, ModelError> {
        let Setting { split, threshold, threads } = setting;
        let acceptance = Acceptance { confidence: threshold, ..Acceptance::default() };
        let answers = model.answers(rows.iter().copied(), &acceptance, threads);
        Tested::of(model, split, model.tested(1, answers)).report(threshold)
    }

    pub(super) const fn scenario(&self) -> Scenario {
        self.scenario
    }

    pub(super) fn split(&self) -> &str {
        &self.split
    }

    pub(super) fn seeds(&self) -> &[u64] {
        &self.seeds
    }

    pub(super) const fn trained_on(&self) -> u64 {
        self.trained_on
    }

    pub(super) const fn evaluation(&self) -> &Evaluation {
        &self.evaluation
    }

    /// Devices with fewer windows than blocks, and windows of classes that did not train.
    pub(super) const fn gaps(&self) -> (u64, u64) {
        (self.short_devices, self.untrained)
    }
}
