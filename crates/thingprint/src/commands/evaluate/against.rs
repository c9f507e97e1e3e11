use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use serde::Serialize;
use thingprint_model::{Comparison, FEWEST_DAYS, MAGIC, Model, WindowAnswers, WindowKey};
use thingprint_report::{PredictionFile, PredictionRow, read_predictions};

use super::report::Tested;
use crate::args::GlobalArgs;
use crate::exit::{Misfit, Usage};
use crate::messages::{Messages, counted};
use crate::models::model_of;
use crate::small_file::{MOST_PREDICTION_BYTES, read_bytes};

/// What an evaluation is compared with.
pub(super) enum Against {
    Model(Box<Model>),
    Predictions(ForeignAnswers),
}

/// The answers of a file of predictions.
pub(super) struct ForeignAnswers {
    answers: WindowAnswers,
    /// The splits that rows name.
    splits: BTreeSet<Option<String>>,
}

/// A comparison, and with what.
#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    /// The file of the other model or of its predictions.
    pub(super) against: String,
    #[serde(flatten)]
    pub(super) comparison: Comparison,
}

impl Against {
    /// Reads a model or predictions. A model is refused unless it is compared with another: a split would test it on rows
    /// that it may have trained on.
    pub(super) fn read(path: &Path, has_model: bool) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let bytes = read_bytes(path, MOST_PREDICTION_BYTES)
            .with_context(|| format!("failed to read --against {name}"))?;
        if !bytes.starts_with(&MAGIC) {
            let file = read_predictions(&bytes, &name).context("failed to read --against")?;
            return Ok(Self::Predictions(ForeignAnswers::of(file)));
        }
        if !has_model {
            return Err(Usage(format!(
                "--against: {name} is a model, which a split would test on its own training rows; give the model to \
                 compare with --model, or predictions of the same split"
            ))
            .into());
        }
        Ok(Self::Model(Box::new(model_of(bytes.as_slice(), &name)?)))
    }

    /// Refuses predictions of another split, which may have trained on what is tested here.
    pub(super) fn check_split(&self, split: &str, path: &Path, messages: Messages) -> Result<(), Misfit> {
        let Self::Predictions(ForeignAnswers { splits, .. }) = self else { return Ok(()) };
        let name = path.display();
        if let Some(other) = splits.iter().flatten().find(|other| *other != split) {
            return Err(Misfit(format!(
                "--against: {name} has predictions of the split {other}, not of {split}: each may have trained on what the \
                 other tests"
            )));
        }
        if splits.contains(&None) {
            messages.warn(format!(
                "--against: {name} does not say of which split its predictions are; they are taken to be of {split}"
            ));
        }
        Ok(())
    }
}

impl Compared {
    pub(super) fn of(
        tested: &Tested,
        other: &WindowAnswers,
        path: &Path,
        global: &GlobalArgs,
    ) -> anyhow::Result<Self> {
        let against = path.display().to_string();
        let own = tested.windows();
        if !own.has_seed_in_common(other) {
            let [own, other] = [own.seeds(), other.seeds()].map(|seeds| listed(&seeds));
            return Err(Misfit(format!(
                "--against: no seed in common: {against} has {other}, and the evaluation {own}; --seeds sets them"
            ))
            .into());
        }
        let Some(comparison) = Comparison::of(&own, other, global.seed, global.threads()) else {
            bail!(
                "failed to compare with {against}: none of its {} windows is tested here with the same label, fold and seed",
                other.len()
            );
        };
        Ok(Self { against, comparison })
    }

    /// Reports what is missing from the comparison, and why.
    pub(super) fn note(&self, messages: Messages) {
        let Comparison { device_days, repeated, repeated_other, .. } = self.comparison;
        if device_days < FEWEST_DAYS as u64 {
            let days = counted(device_days, "device-day is", "device-days are");
            messages.note(format!("{days} too few for intervals, which need {FEWEST_DAYS}"));
        }
        if repeated + repeated_other > 0 {
            let answers = counted(repeated + repeated_other, "answer repeats", "answers repeat");
            messages.note(format!("{answers} a window and seed, and the comparison leaves them out"));
        }
    }
}

impl ForeignAnswers {
    fn of(file: PredictionFile) -> Self {
        let PredictionFile { classes, rows } = file;
        let (mut answers, mut splits) = (WindowAnswers::default(), BTreeSet::new());
        for row in rows {
            let PredictionRow { device, window_start, capture, fold, truth, class, probabilities, .. } = row;
            let (capture, truth) = (capture.map(Arc::from), Arc::from(truth));
            let known =
                probabilities.iter().filter_map(|(number, p)| Some((classes.get(*number)?.as_str(), *p)));
            // The reader refuses repeated rows.
            answers.insert(WindowKey { device, window_start, capture, fold, truth }, row.seed, &class, known);
            splits.insert(row.split);
        }
        Self { answers, splits }
    }

    pub(super) const fn answers(&self) -> &WindowAnswers {
        &self.answers
    }
}

fn listed(seeds: &BTreeSet<u64>) -> String {
    /// Enough to recognise an evaluation by.
    const SHOWN: usize = 10;
    let shown: Vec<String> = seeds.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = if seeds.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
