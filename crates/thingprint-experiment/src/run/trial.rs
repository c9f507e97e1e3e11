use std::num::NonZeroUsize;
use std::sync::Arc;

use thingprint_instance::{Instance, Labeled};
use thingprint_model::{
    Classes, Evaluation, Model, ModelError, Prediction, Split, Stage0Backend, TrainOptions,
};

use super::{Material, Watch};
use crate::definition::{Cost, Definition, Extraction, Need};
use crate::error::ExperimentError;

/// What rounding does to a mean of trees, at most.
const ROUNDING: f64 = 1e-12;

/// Where models are trained and asked.
pub(crate) struct Bench<'a> {
    pub(crate) definition: &'a Definition,
    pub(crate) material: &'a Material<'a>,
    pub(crate) jobs: NonZeroUsize,
    watch: &'a mut dyn Watch,
}

/// A model that was trained and asked.
pub(crate) struct Trial {
    pub(crate) evaluation: Evaluation,
    pub(crate) answers: Vec<Answer>,
    pub(crate) trained_on: u64,
    pub(crate) cost: Cost,
    /// Everything that the model said, where it is asked for.
    pub(crate) said: Option<Said>,
}

/// Whatever a model said of the tested instances, and what it was trained on.
pub(crate) struct Said {
    pub(crate) classes: Classes,
    pub(crate) predictions: Vec<(Arc<str>, Prediction)>,
}

/// What a model said of an instance.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) truth: Arc<str>,
    pub(crate) class: Arc<str>,
    pub(crate) confidence: f64,
}

/// The rows that train, and the rows that test.
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

    /// As [`Bench::trial`], with everything that the model said.
    pub(crate) fn trial_in_full(
        &mut self,
        parts: &Parts<'_>,
        options: &TrainOptions,
        threshold: f64,
    ) -> Result<Trial, ExperimentError> {
        let (trial, said) = self.try_out(parts, options, threshold)?;
        Ok(Trial { said: Some(said), ..trial })
    }

    /// Trains a model on one part and asks it about the other.
    pub(crate) fn trial(
        &mut self,
        parts: &Parts<'_>,
        options: &TrainOptions,
        threshold: f64,
    ) -> Result<Trial, ExperimentError> {
        self.try_out(parts, options, threshold).map(|(trial, _)| trial)
    }

    fn try_out(
        &mut self,
        parts: &Parts<'_>,
        options: &TrainOptions,
        threshold: f64,
    ) -> Result<(Trial, Said), ExperimentError> {
        self.watch.lap();
        let model = self.fit(&parts.train, options)?;
        let fit = self.watch.lap();
        let (predictions, truths) = self.ask(&model, &parts.test);
        let predict = self.watch.lap();
        let pairs = predictions.iter().zip(truths.iter().copied());
        let evaluation = Evaluation::new(model.classes(), pairs, threshold)
            .map_err(ExperimentError::model(format!("{}, seed {}", options.scenario, options.seed)))?;
        let trial = Trial {
            evaluation,
            answers: answers(&predictions, &truths),
            said: None,
            trained_on: model.classes().instances(),
            cost: Cost {
                fit_s: fit.seconds,
                predict_s: predict.seconds,
                peak_bytes: fit.peak_bytes.max(predict.peak_bytes),
            },
        };
        let truths = truths.into_iter().map(Arc::from);
        let predictions = truths.zip(predictions).collect();
        Ok((trial, Said { classes: model.classes().clone(), predictions }))
    }

    /// What a model says of the labelled ones of these rows.
    pub(crate) fn answers(&self, model: &Model, rows: &[&Labeled]) -> Vec<Answer> {
        let (predictions, truths) = self.ask(model, rows);
        answers(&predictions, &truths)
    }

    fn ask<'r>(&self, model: &Model, rows: &[&'r Labeled]) -> (Vec<Prediction>, Vec<&'r str>) {
        let labelled =
            rows.iter().filter_map(|row| Some((&row.instance, row.label.as_ref()?.class.as_str())));
        let (instances, truths): (Vec<&Instance>, Vec<&str>) = labelled.unzip();
        (model.predict_all(&instances, self.jobs), truths)
    }
}

impl<'r> Parts<'r> {
    /// Parts rows as a split says.
    pub(crate) fn of(rows: &'r [Labeled], split: Split, seed: u64) -> Result<Self, ModelError> {
        let partition = split.apply(rows, seed)?;
        let part = |places: &[usize]| places.iter().filter_map(|at| rows.get(*at)).collect();
        Ok(Self { train: part(&partition.train), test: part(&partition.test) })
    }

    /// Parts rows for an analysis that cannot do without.
    pub(crate) fn required(rows: &'r [Labeled], split: Split, seed: u64) -> Result<Self, ExperimentError> {
        Self::of(rows, split, seed).map_err(ExperimentError::model(format!("splitting with seed {seed}")))
    }
}

fn answers(predictions: &[Prediction], truths: &[&str]) -> Vec<Answer> {
    let answer = |(prediction, truth): (&Prediction, &&str)| Answer {
        truth: Arc::from(*truth),
        class: Arc::clone(&prediction.class),
        confidence: prediction.confidence,
    };
    predictions.iter().zip(truths).map(answer).collect()
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
