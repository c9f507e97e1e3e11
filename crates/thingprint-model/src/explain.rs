mod decisive;
mod nats;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use thingprint_instance::{BagName, Instance};

use crate::classes::most_likely;
use crate::error::ModelError;
use crate::model::Model;
use crate::options::Recipe;
use crate::prediction::Prediction;
use crate::scenario::Input;
use crate::stage0::bag_of;

pub use decisive::DecisiveWord;
pub use nats::{BagNats, JointEvidence};

/// What spoke for a class and what against it, in the windows of a device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The class.
    pub class: Arc<str>,
    /// Windows explained; what follows are means over them.
    pub windows: u64,
    /// Probability of the class.
    pub confidence: f64,
    /// What stage-1 says of the class before it looks at anything; `None` where a stage-0 answers alone.
    pub base: Option<f64>,
    /// The inputs of stage-1: contributions are changes of the probability, and add up with `base` to the confidence
    /// (Saabas 2014). The strongest first.
    pub inputs: Vec<InputEvidence>,
    /// The bags that the model looks at.
    pub bags: Vec<BagEvidence>,
    /// What the joint model says, in nats; `None` for the paper's recipe.
    pub joint: Option<JointEvidence>,
}

/// What an input of stage-1 says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InputEvidence {
    /// Name of the input, like `flow_volume_bytes` or `ports_class`.
    pub input: String,
    /// Its value over the windows; `None` when it is absent in all of them.
    pub value: Option<InputValue>,
    /// Change of the probability of the class: above 0 speaks for it.
    pub contribution: f64,
}

/// The value of an input over the windows explained; windows where it is absent count for nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum InputValue {
    /// Mean of a number.
    Number(f64),
    /// The most frequent class.
    Class(Arc<str>),
}

/// What the words of a bag say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BagEvidence {
    /// The bag.
    pub bag: BagName,
    /// The class that the words are weighed against: of the others, the one that this bag finds most likely.
    pub rival: Arc<str>,
    /// ln of how much more likely than the rival the class is before any word is seen.
    pub prior: f64,
    /// The words that count. The strongest first.
    pub words: Vec<WordEvidence>,
}

/// What a word says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WordEvidence {
    /// The word.
    pub word: String,
    /// Occurrences in a window.
    pub count: f64,
    /// Count times ln( Pr(word | class) / Pr(word | rival) ): above 0 speaks for the class.
    pub contribution: f64,
}

impl Model {
    /// What in these windows spoke for a class and what against it; for the class that they are given as a whole when
    /// none is named. Fails for a class that the model does not know, and for no windows at all.
    pub fn explain(&self, windows: &[&Instance], class: Option<&str>) -> Result<Explanation, ModelError> {
        if windows.is_empty() {
            return Err(ModelError::NothingToEvaluate);
        }
        let predictions: Vec<Prediction> = windows.iter().map(|window| self.predict(window)).collect();
        let mut mean = self.mean_distribution(&predictions);
        let class = match class {
            Some(name) => self
                .classes
                .number(name)
                .ok_or_else(|| ModelError::UnknownClass { class: name.to_owned() })?,
            None => most_likely(&mean),
        };
        let (base, inputs) = self.input_evidence(windows, class).unzip();
        let probability =
            |prediction: &Prediction| prediction.distribution.get(class).copied().unwrap_or(0.0);
        let confidence = predictions.iter().map(probability).sum::<f64>() / windows.len() as f64;
        if let Some(own) = mean.get_mut(class) {
            *own = f64::NEG_INFINITY;
        }
        let bags = self.evidence().bags();
        Ok(Explanation {
            class: self.classes.name(class),
            windows: windows.len() as u64,
            confidence,
            base,
            inputs: inputs.unwrap_or_default(),
            bags: bags.filter_map(|bag| self.bag_evidence(bag, windows, class)).collect(),
            joint: self.joint_evidence(windows, (class, most_likely(&mean))),
        })
    }

    /// The mean of all distributions.
    fn mean_distribution(&self, predictions: &[Prediction]) -> Vec<f64> {
        let mut mean = vec![0.0; self.classes.len()];
        for prediction in predictions {
            for (sum, probability) in mean.iter_mut().zip(&prediction.distribution) {
                *sum += probability / predictions.len() as f64;
            }
        }
        mean
    }

    fn input_evidence(&self, windows: &[&Instance], class: usize) -> Option<(f64, Vec<InputEvidence>)> {
        let (forest, inputs) = (self.forest.as_ref()?, self.options.inputs()?);
        let rows: Vec<Vec<f64>> =
            windows.iter().map(|window| self.row(window, &self.stage0(window))).collect();
        let class = u16::try_from(class).ok()?;
        let share = 1.0 / rows.len() as f64;
        let mut base = 0.0;
        let mut contributions = vec![0.0; inputs.len()];
        for explained in rows.iter().map(|row| forest.explain(row, class)) {
            base += explained.base * share;
            for (sum, contribution) in contributions.iter_mut().zip(explained.contributions) {
                *sum += contribution * share;
            }
        }
        let evidence = |(column, (&input, contribution)): (usize, (&Input, f64))| {
            let of = windows.iter().zip(&rows).filter(|(window, _)| self.speaks(input, window));
            let value = self.input_value(input, of.filter_map(|(_, row)| row.get(column).copied()));
            InputEvidence { input: input.to_string(), value, contribution }
        };
        let mut evidence: Vec<_> = inputs.iter().zip(contributions).enumerate().map(evidence).collect();
        evidence.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
        Some((base, evidence))
    }

    /// Whether an input says something of a window: what a stage-0 answers to an empty bag is no answer, but by the paper's
    /// recipe.
    fn speaks(&self, input: Input, window: &Instance) -> bool {
        match input {
            Input::Class(bag) | Input::Confidence(bag) => {
                self.options.recipe == Recipe::Paper || !bag_of(window, bag).is_empty()
            }
            Input::Number(_) => true,
        }
    }

    /// Mean or most frequent value of an input.
    fn input_value(&self, input: Input, values: impl Iterator<Item = f64>) -> Option<InputValue> {
        let present: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        let mean = (!present.is_empty()).then(|| present.iter().sum::<f64>() / present.len() as f64);
        if !matches!(input, Input::Class(_)) {
            return mean.map(InputValue::Number);
        }
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        for value in present {
            *counts.entry(value.to_bits()).or_default() += 1;
        }
        // Class numbers are not negative, so their bits have their order: of equals, the first class wins.
        let (&bits, _) = counts.iter().max_by_key(|&(&bits, &count)| (count, Reverse(bits)))?;
        (0..self.classes.len())
            .find(|&class| (class as f64).to_bits() == bits)
            .map(|class| InputValue::Class(self.classes.name(class)))
    }

    fn bag_evidence(&self, bag: BagName, windows: &[&Instance], class: usize) -> Option<BagEvidence> {
        let model = self.bag(bag)?;
        let mut mean = vec![0.0; self.classes.len()];
        let mut words: BTreeMap<&str, f64> = BTreeMap::new();
        for window in windows {
            for (sum, posterior) in mean.iter_mut().zip(model.posterior(bag_of(window, bag))) {
                *sum += posterior;
            }
            for (word, &count) in bag_of(window, bag) {
                *words.entry(word).or_default() += count as f64 / windows.len() as f64;
            }
        }
        *mean.get_mut(class)? = f64::NEG_INFINITY;
        let rival = most_likely(&mean);
        let evidence = |(word, count): (&str, f64)| {
            let contribution = count * model.log_odds(word, class, rival)?;
            Some(WordEvidence { word: word.to_owned(), count, contribution })
        };
        let mut words: Vec<_> = words.into_iter().filter_map(evidence).collect();
        words.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
        Some(BagEvidence {
            bag,
            rival: self.classes.name(rival),
            prior: model.prior_log_odds(class, rival)?,
            words,
        })
    }
}
