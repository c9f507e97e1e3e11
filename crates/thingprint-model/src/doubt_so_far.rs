use std::fmt;
use std::sync::Arc;

use thingprint_instance::Instance;

use crate::doubt::{Acceptance, FalseAlarms, Test, decimals_apart};
use crate::likeness::Shares;
use crate::model::Model;
use crate::prediction::{Prediction, reaches};

/// Why the answer for a window under way is not accepted.
///
/// What the window lacks so far is held against nothing; what it has has to be known of the class.
#[derive(Clone, Debug, PartialEq)]
pub struct DoubtSoFar {
    /// The tests that it failed; that of likeness is about familiarity here.
    pub failed: Vec<Test>,
    /// The best guess, which is not accepted.
    pub class: Arc<str>,
    /// Its confidence.
    pub confidence: f64,
    /// Confidence from which on it would be sure.
    pub least_confidence: f64,
    /// The share of what the window has that is familiar to the best guess, 0 to 1; `None` where there are no words yet, or
    /// the model knows of no familiarity.
    pub familiarity: Option<f64>,
    /// Share from which on it would be one of the class; `None` where the model knows of no familiarity.
    pub least_familiarity: Option<f64>,
}

impl Model {
    /// Why the answer for a window under way is not accepted; `None` where it is. A model that knows of no familiarity, like
    /// that of an older file, accepts by confidence alone.
    pub fn doubt_so_far(
        &self,
        window: &Instance,
        prediction: &Prediction,
        acceptance: &Acceptance,
    ) -> Option<DoubtSoFar> {
        let class = self.classes.number(&prediction.class);
        let least = class.and_then(|class| self.least_familiarity(class, acceptance));
        let familiarity = class.and_then(|class| self.familiarity_to(window, class));
        // Without a word so far nothing speaks for the class.
        let is_strange = least.is_some_and(|least| familiarity.is_none_or(|familiarity| familiarity < least));
        let is_unsure = !reaches(prediction.confidence, acceptance.confidence);
        let tests = [(is_unsure, Test::Confidence), (is_strange, Test::Likeness)];
        let failed: Vec<Test> =
            tests.into_iter().filter(|(is_failed, _)| *is_failed).map(|(_, test)| test).collect();
        (!failed.is_empty()).then(|| DoubtSoFar {
            failed,
            class: Arc::clone(&prediction.class),
            confidence: prediction.confidence,
            least_confidence: acceptance.confidence,
            familiarity,
            least_familiarity: least,
        })
    }

    /// The share of what a window has that is familiar to a class; `None` without words, or without likeness.
    fn familiarity_to(&self, window: &Instance, class: usize) -> Option<f64> {
        let parts = self.joint.as_ref()?;
        let shares = Shares::of(&parts.lexicon.window(window));
        parts.likeness.as_ref()?.familiarity(&shares, class)
    }

    fn least_familiarity(&self, class: usize, acceptance: &Acceptance) -> Option<f64> {
        let familiarity = self.familiarity.as_ref()?;
        let threshold = match acceptance.false_alarms {
            FalseAlarms::FivePercent => familiarity.thresholds.five_percent,
            FalseAlarms::OnePercent => familiarity.thresholds.one_percent,
        };
        familiarity.least(class, threshold)
    }
}

impl fmt::Display for DoubtSoFar {
    /// Like `confidence 0.41 is below 0.80 so far; 52 % of what it did so far is familiar of Ring Doorbell, at least 91 % is
    /// usual`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for test in &self.failed {
            f.write_str(std::mem::replace(&mut separator, "; "))?;
            match (test, self.familiarity, self.least_familiarity) {
                (Test::Confidence, ..) => {
                    let (confidence, least) = (self.confidence, self.least_confidence);
                    let decimals = decimals_apart(confidence, least, 2);
                    write!(f, "confidence {confidence:.decimals$} is below {least:.decimals$} so far")?;
                }
                (Test::Likeness, Some(familiarity), Some(least)) => {
                    let (percent, least) = (100.0 * familiarity, 100.0 * least);
                    let decimals = decimals_apart(percent, least, 0);
                    write!(
                        f,
                        "{percent:.decimals$} % of what it did so far is familiar of {}, at least {least:.decimals$} % is usual",
                        self.class
                    )?;
                }
                (Test::Likeness, ..) => f.write_str("it did nothing so far that can be compared")?,
            }
        }
        Ok(())
    }
}
