use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use thingprint_flow::Timestamp;
use thingprint_instance::{Instance, Labeled};
use thingprint_model::{
    Acceptance, Answer as ModelAnswer, Evaluation, Model, Partition, Split, Stage0Backend, TestedFold,
    TrainOptions, Voice,
};

use super::{Material, Watch};
use crate::definition::{Cost, Definition, Extraction, Need};
use crate::error::ExperimentError;

/// What rounding does to a mean of trees, at most.
const ROUNDING: f64 = 1e-12;

const NANOS_A_SECOND: f64 = 1e9;

/// Where models are trained and asked.
pub(crate) struct Bench<'a> {
    pub(crate) definition: &'a Definition,
    pub(crate) material: &'a Material<'a>,
    pub(crate) jobs: NonZeroUsize,
    watch: &'a mut dyn Watch,
}

/// Models that were trained and asked: one for each fold of a split.
pub(crate) struct Trial {
    pub(crate) evaluation: Evaluation,
    pub(crate) answers: Vec<Answer>,
    /// Training instances; the mean over the folds.
    pub(crate) trained_on: f64,
    pub(crate) cost: Cost,
    /// Everything that the models said.
    pub(crate) folds: Vec<TestedFold>,
}

/// What a model said of an instance.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) truth: Arc<str>,
    pub(crate) class: Arc<str>,
    pub(crate) confidence: f64,
    pub(crate) likeness: Option<f64>,
    /// Whether confidence and likeness reach their thresholds.
    pub(crate) is_accepted: bool,
}

/// The rows that train, and the rows that test.
#[derive(Clone)]
pub(crate) struct Parts<'r> {
    pub(crate) train: Vec<&'r Labeled>,
    pub(crate) test: Vec<&'r Labeled>,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(
        definition: &'a Definition,
        material: &'a Material<'a>,
        jobs: NonZeroUsize,
        watch: &'a mut dyn Watch,
    ) -> Self {
        Self { definition, material, jobs, watch }
    }

    /// The instances that an extraction gives.
    pub(crate) fn rows(&self, extraction: &Extraction) -> Result<&'a [Labeled], ExperimentError> {
        self.material.instances_of(&self.need(extraction)?)
    }

    /// The instances of the experiment's own extraction.
    pub(crate) fn own_rows(&self) -> Result<&'a [Labeled], ExperimentError> {
        self.rows(&self.definition.extraction)
    }

    /// The instances of another data set, where the caller has them.
    pub(crate) fn other_rows(&self, dataset: &str) -> Option<&'a [Labeled]> {
        let found = self.material.instances.iter().find(|(need, _)| need.dataset == dataset);
        found.map(|(_, rows)| rows.as_slice())
    }

    /// What is to be asked of the data set for an extraction.
    pub(crate) fn need(&self, extraction: &Extraction) -> Result<Need, ExperimentError> {
        self.definition.need(extraction, self.material.dataset, self.material.overrides)
    }

    /// Tells the caller what comes next.
    pub(crate) fn step(&mut self, what: &str) {
        self.watch.step(what);
    }

    /// A model of the rows that train.
    pub(crate) fn fit(
        &mut self,
        train: &[&Labeled],
        options: &TrainOptions,
    ) -> Result<Model, ExperimentError> {
        let step = format!("{}, seed {}", options.scenario, options.seed);
        let is_chatty = options.stage0 == Stage0Backend::Linfa;
        if is_chatty {
            self.watch.chatter(true);
        }
        let fitted = Model::fit(train.iter().copied(), options, self.jobs);
        if is_chatty {
            self.watch.chatter(false);
        }
        fitted.map_err(ExperimentError::model(step))
    }

    /// Trains a model for each fold and asks it about the other part.
    pub(crate) fn trial(
        &mut self,
        folds: &[Parts<'_>],
        options: &TrainOptions,
        threshold: f64,
    ) -> Result<Trial, ExperimentError> {
        self.trial_by(Voice::Whole, folds, options, threshold)
    }

    /// The same, by a part of each model.
    pub(crate) fn trial_by(
        &mut self,
        voice: Voice,
        folds: &[Parts<'_>],
        options: &TrainOptions,
        threshold: f64,
    ) -> Result<Trial, ExperimentError> {
        let mut cost = Cost::default();
        let mut tested = Vec::new();
        for (number, parts) in (1..).zip(folds) {
            self.watch.lap();
            let model = self.fit(&parts.train, options)?;
            let fit = self.watch.lap();
            let acceptance = Acceptance { confidence: threshold, ..Acceptance::default() };
            let answers = model.answers_by(voice, parts.test.iter().copied(), &acceptance, self.jobs);
            let predict = self.watch.lap();
            tested.push(model.tested(number, answers));
            cost.fit_s += fit.seconds;
            cost.predict_s += predict.seconds;
            cost.peak_bytes = cost.peak_bytes.max(fit.peak_bytes).max(predict.peak_bytes);
        }
        let evaluation = Evaluation::of(&tested, threshold)
            .map_err(ExperimentError::model(format!("{}, seed {}", options.scenario, options.seed)))?;
        Ok(Trial {
            answers: tested.iter().flat_map(|fold| &fold.answers).map(Answer::from).collect(),
            trained_on: evaluation.by_seed.first().map_or(0.0, |seed| seed.trained_on),
            evaluation,
            cost,
            folds: tested,
        })
    }

    /// What a model says of the labelled ones of these rows.
    pub(crate) fn answers(&self, model: &Model, rows: &[&Labeled], threshold: f64) -> Vec<Answer> {
        let acceptance = Acceptance { confidence: threshold, ..Acceptance::default() };
        model.answers(rows.iter().copied(), &acceptance, self.jobs).iter().map(Answer::from).collect()
    }
}

impl Bench<'_> {
    /// What a model says of the labelled ones of these windows under way.
    pub(crate) fn answers_so_far(&self, model: &Model, rows: &[&Labeled], threshold: f64) -> Vec<Answer> {
        let acceptance = Acceptance { confidence: threshold, ..Acceptance::default() };
        let labelled: Vec<&Labeled> = rows.iter().filter(|row| row.label.is_some()).copied().collect();
        let windows: Vec<&Instance> = labelled.iter().map(|row| &row.instance).collect();
        let predictions = model.predict_all(&windows, self.jobs);
        let answers = labelled.iter().zip(predictions).filter_map(|(row, prediction)| {
            let doubt = model.doubt_so_far(&row.instance, &prediction, &acceptance);
            Some(Answer {
                truth: class_of(row)?.into(),
                class: prediction.class,
                confidence: prediction.confidence,
                likeness: prediction.likeness,
                is_accepted: doubt.is_none(),
            })
        });
        answers.collect()
    }
}

impl<'r> Parts<'r> {
    /// The folds that a split parts rows into.
    pub(crate) fn folds(rows: &'r [Labeled], split: Split, seed: u64) -> Result<Vec<Self>, ExperimentError> {
        let part = |places: &[usize]| places.iter().filter_map(|at| rows.get(*at)).collect();
        let folds =
            split.apply(rows, seed).map_err(ExperimentError::model(format!("splitting with seed {seed}")))?;
        let parts = |fold: &Partition| Self { train: part(&fold.train), test: part(&fold.test) };
        Ok(folds.partitions.iter().map(parts).collect())
    }

    /// Other instances of the same captures to test: those that lie in a window of the test part.
    pub(crate) fn asked_about(self, rows: &'r [Labeled]) -> Self {
        let class = |row: &'r Labeled| row.label.as_ref().map(|label| label.class.as_str());
        let mut windows: BTreeMap<_, Vec<(Timestamp, f64)>> = BTreeMap::new();
        for row in &self.test {
            let key = (class(row), row.instance.device);
            windows.entry(key).or_default().push((row.instance.window_start, row.instance.window_s));
        }
        let is_inside = |row: &&'r Labeled| {
            let start = row.instance.window_start;
            let holds = |(window, length_s): &(Timestamp, f64)| {
                (0.0..*length_s).contains(&(start.nanos_since(*window) as f64 / NANOS_A_SECOND))
            };
            windows.get(&(class(row), row.instance.device)).is_some_and(|windows| windows.iter().any(holds))
        };
        Self { test: rows.iter().filter(is_inside).collect(), ..self }
    }

    /// The two parts of a split without folds.
    pub(crate) fn required(rows: &'r [Labeled], split: Split, seed: u64) -> Result<Self, ExperimentError> {
        let folds = Self::folds(rows, split, seed)?;
        folds.into_iter().next().ok_or_else(|| ExperimentError::NoInstances { need: split.to_string() })
    }
}

impl From<&ModelAnswer> for Answer {
    fn from(answer: &ModelAnswer) -> Self {
        Self {
            truth: Arc::clone(&answer.truth),
            class: Arc::clone(&answer.prediction.class),
            confidence: answer.prediction.confidence,
            likeness: answer.prediction.likeness,
            is_accepted: answer.is_accepted(),
        }
    }
}

impl Answer {
    /// Whether the class is the true one.
    pub(crate) fn is_right(&self) -> bool {
        self.truth == self.class
    }

    /// Whether the confidence reaches a level; a mean of trees that misses it by rounding alone does.
    pub(crate) fn reaches(&self, level: f64) -> bool {
        self.confidence >= level - ROUNDING
    }
}

/// The mean; `None` without values.
pub(crate) fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.into_iter().fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// The share of items that are so; `None` without items.
pub(crate) fn share<T>(items: impl IntoIterator<Item = T>, is_so: impl Fn(&T) -> bool) -> Option<f64> {
    mean(items.into_iter().map(|item| f64::from(u8::from(is_so(&item)))))
}

/// The class of a labelled row.
pub(super) fn class_of(row: &Labeled) -> Option<&str> {
    row.label.as_ref().map(|label| label.class.as_str())
}

/// What comes most often, and how often; of equals, the first in their order.
pub(super) fn most_frequent<T: Ord>(all: impl IntoIterator<Item = T>) -> Option<(T, u64)> {
    let mut counts: BTreeMap<T, u64> = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count)
}

/// The same of things that are counted already.
pub(super) fn most<T: Ord>(counts: &BTreeMap<T, u64>) -> Option<(&T, u64)> {
    counts.iter().rev().map(|(one, count)| (one, *count)).max_by_key(|(_, count)| *count)
}
