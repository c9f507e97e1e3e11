use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use serde::Serialize;
use thingprint_model::{Comparison, MAGIC, Model, WindowAnswers, WindowKey};
use thingprint_report::{PredictionFile, PredictionRow, read_predictions};

use super::report::Tested;
use crate::args::GlobalArgs;
use crate::exit::Usage;
use crate::models::read_model;

/// What an evaluation is compared with.
pub(super) enum Against {
    Model(Box<Model>),
    Predictions(WindowAnswers),
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
        let bytes = std::fs::read(path).with_context(|| format!("failed to read --against {name}"))?;
        if !bytes.starts_with(&MAGIC) {
            let file = read_predictions(&bytes, &name).context("failed to read --against")?;
            return Ok(Self::Predictions(answers(file)));
        }
        if !has_model {
            return Err(Usage(format!(
                "--against: {name} is a model, which a split would test on its own training rows; give the model to \
                 compare with --model, or predictions of the same split"
            ))
            .into());
        }
        Ok(Self::Model(Box::new(read_model(path)?)))
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
        let own = WindowAnswers::of(&tested.folds);
        let Some(comparison) = Comparison::of(&own, other, global.seed, global.threads()) else {
            bail!(
                "failed to compare with {against}: none of its {} windows is tested here with the same label and fold",
                other.len()
            );
        };
        Ok(Self { against, comparison })
    }
}

/// The answers in a file: those of several seeds are one for each window.
fn answers(file: PredictionFile) -> WindowAnswers {
    let PredictionFile { classes, rows } = file;
    let mut answers = WindowAnswers::new(classes.iter().map(|class| Arc::from(class.as_str())));
    for row in rows {
        let PredictionRow { device, window_start, capture, fold, truth, probabilities, .. } = row;
        let (capture, truth) = (capture.map(Arc::from), Arc::from(truth));
        let known = probabilities.iter().filter_map(|(number, p)| Some((classes.get(*number)?.as_str(), *p)));
        answers.insert(WindowKey { device, window_start, capture, fold, truth }, known);
    }
    answers
}
