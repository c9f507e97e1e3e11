use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thingprint_instance::{BagName, Instance};

use crate::error::ModelError;
use crate::families::FamilyByNames;
use crate::joint::Window;
use crate::likeness::{LikenessThresholds, Shares};
use crate::model::Model;
use crate::options::choice;
use crate::prediction::{DeviceVerdict, Prediction, reaches};
use crate::quantile::median;

choice! {
    /// How many windows of known devices may be taken for those of strangers.
    FalseAlarms as "false_alarms" {
        /// 5 %.
        FivePercent = "5%",
        /// 1 %.
        OnePercent = "1%",
    }
}

/// When an answer is accepted: which class it is has to be sure enough, and the window like that class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Acceptance {
    /// Confidence from which on the class is sure ([C §6.3] uses 0.8).
    pub confidence: f64,
    /// Chooses the threshold of likeness.
    pub false_alarms: FalseAlarms,
}

/// A test that an answer has to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    /// Which class: the confidence is below its threshold.
    Confidence,
    /// Whether it is one of the class: the likeness is below its threshold.
    Likeness,
}

/// Why an answer is not accepted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Doubt {
    /// The tests that it failed.
    pub failed: Vec<Test>,
    /// The best guess, which is not accepted.
    pub class: Arc<str>,
    /// Its confidence.
    pub confidence: f64,
    /// Confidence from which on it would be sure.
    pub least_confidence: f64,
    /// Likeness to the best guess; `None` where the model has none.
    pub likeness: Option<f64>,
    /// Likeness from which on it would be one of the class; `None` where the model has none.
    pub least_likeness: Option<f64>,
    /// The class that the windows are most like, with their median likeness.
    pub nearest: Option<Nearest>,
    /// The family that the names in the windows point to; `None` where none is clearly ahead.
    pub names: Option<FamilyByNames>,
    /// Words that training never saw, by bag; bags without words are left out.
    pub unseen: BTreeMap<BagName, UnseenWords>,
}

/// The class that windows are most like.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Nearest {
    /// The class.
    pub class: Arc<str>,
    /// The likeness to it.
    pub likeness: f64,
}

/// How many words of a bag training never saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct UnseenWords {
    /// Words never seen.
    pub unseen: u64,
    /// All words.
    pub words: u64,
}

impl Default for Acceptance {
    fn default() -> Self {
        Self { confidence: 0.8, false_alarms: FalseAlarms::FivePercent }
    }
}

impl Model {
    /// Likeness below which windows and days are not of their class; `None` for the paper's recipe.
    pub fn likeness_thresholds(&self) -> Option<LikenessThresholds> {
        Some(self.joint.as_ref()?.likeness.as_ref()?.thresholds)
    }

    /// The tests that the answer for a window fails; none where it is accepted.
    pub fn failed_tests(&self, prediction: &Prediction, acceptance: &Acceptance) -> Vec<Test> {
        let threshold = self.least_likeness(acceptance);
        failed(prediction.confidence, acceptance, prediction.likeness.zip(threshold))
    }

    fn least_likeness(&self, acceptance: &Acceptance) -> Option<f64> {
        self.likeness_thresholds().map(|thresholds| match acceptance.false_alarms {
            FalseAlarms::FivePercent => thresholds.five_percent,
            FalseAlarms::OnePercent => thresholds.one_percent,
        })
    }

    /// The tests that the verdict on a device or on its day fails.
    pub fn failed_device_tests(&self, verdict: &DeviceVerdict, acceptance: &Acceptance) -> Vec<Test> {
        let threshold = self.likeness_thresholds().map(|thresholds| thresholds.day);
        failed(verdict.confidence, acceptance, verdict.likeness.zip(threshold))
    }

    /// Why the answer for a window is not accepted; `None` where it is.
    pub fn doubt(
        &self,
        window: &Instance,
        prediction: &Prediction,
        acceptance: &Acceptance,
    ) -> Option<Doubt> {
        let doubt = Doubt {
            failed: self.failed_tests(prediction, acceptance),
            class: Arc::clone(&prediction.class),
            confidence: prediction.confidence,
            least_confidence: acceptance.confidence,
            likeness: prediction.likeness,
            least_likeness: self.least_likeness(acceptance),
            nearest: None,
            names: None,
            unseen: BTreeMap::new(),
        };
        self.doubt_of(&[window], doubt)
    }

    /// Why the verdict on a device or on its day is not accepted; `windows` are those behind it.
    pub fn device_doubt(
        &self,
        windows: &[&Instance],
        verdict: &DeviceVerdict,
        acceptance: &Acceptance,
    ) -> Option<Doubt> {
        let doubt = Doubt {
            failed: self.failed_device_tests(verdict, acceptance),
            class: Arc::clone(&verdict.class),
            confidence: verdict.confidence,
            least_confidence: acceptance.confidence,
            likeness: verdict.likeness,
            least_likeness: self.likeness_thresholds().map(|thresholds| thresholds.day),
            nearest: None,
            names: None,
            unseen: BTreeMap::new(),
        };
        self.doubt_of(windows, doubt)
    }

    fn doubt_of(&self, windows: &[&Instance], doubt: Doubt) -> Option<Doubt> {
        if doubt.failed.is_empty() {
            return None;
        }
        let unseen = self.evidence().bags().filter_map(|bag| Some((bag, self.unseen(bag, windows)?)));
        Some(Doubt {
            nearest: self.nearest(windows),
            names: self.family_by_names(windows),
            unseen: unseen.collect(),
            ..doubt
        })
    }

    /// How like a class a window is; `None` for the paper's recipe, and where the window has no bag of the model.
    pub(crate) fn likeness(&self, window: Option<&Window>, class: usize) -> Option<f64> {
        self.joint.as_ref()?.likeness.as_ref()?.of(&Shares::of(window?), class)
    }

    /// The class that windows are most like; of equals, the first.
    fn nearest(&self, windows: &[&Instance]) -> Option<Nearest> {
        let parts = self.joint.as_ref()?;
        let likeness = parts.likeness.as_ref()?;
        let shares: Vec<Shares> =
            windows.iter().map(|window| Shares::of(&parts.lexicon.window(window))).collect();
        let to_class =
            |class: usize| median(shares.iter().filter_map(|shares| likeness.of(shares, class)).collect());
        let mut nearest: Option<(usize, f64)> = None;
        for class in 0..self.classes.len() {
            let Some(likeness) = to_class(class) else { continue };
            if nearest.is_none_or(|(_, best)| likeness > best) {
                nearest = Some((class, likeness));
            }
        }
        nearest.map(|(class, likeness)| Nearest { class: self.classes.name(class), likeness })
    }

    /// How many words of a bag in these windows training never saw; `None` where there are no words.
    fn unseen(&self, bag: BagName, windows: &[&Instance]) -> Option<UnseenWords> {
        let lexicon = &self.joint.as_ref()?.lexicon;
        let bags = windows.iter().filter_map(|window| window.bags.get(bag));
        let words: BTreeSet<&str> = bags.flat_map(|bag| bag.keys()).map(String::as_str).collect();
        let unseen = words.iter().filter(|word| !lexicon.has(bag, word)).count();
        (!words.is_empty()).then_some(UnseenWords { unseen: unseen as u64, words: words.len() as u64 })
    }
}

fn failed(confidence: f64, acceptance: &Acceptance, likeness: Option<(f64, f64)>) -> Vec<Test> {
    let is_unsure = !reaches(confidence, acceptance.confidence);
    let is_unlike = likeness.is_some_and(|(likeness, threshold)| likeness < threshold);
    let tests = [(is_unsure, Test::Confidence), (is_unlike, Test::Likeness)];
    tests.into_iter().filter(|(is_failed, _)| *is_failed).map(|(_, test)| test).collect()
}

/// The fewest decimals, from so many on, by which two different numbers look different.
pub(crate) fn decimals_apart(one: f64, other: f64, least: usize) -> usize {
    /// Beyond this nobody compares them.
    const MOST: usize = 4;
    let is_apart = |decimals: &usize| format!("{one:.*}", *decimals) != format!("{other:.*}", *decimals);
    (least..MOST).find(is_apart).unwrap_or(MOST)
}

impl fmt::Display for Doubt {
    /// Which test failed by which limit, then what else there is to know, like `confidence 0.41 is below 0.80; closest is
    /// Ring Doorbell with -6.3; 7 of 9 domains never seen`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for test in &self.failed {
            f.write_str(std::mem::replace(&mut separator, "; "))?;
            match (test, self.likeness.zip(self.least_likeness)) {
                (Test::Likeness, Some((likeness, least))) => {
                    let decimals = decimals_apart(likeness, least, 1);
                    write!(
                        f,
                        "likeness {likeness:.decimals$} to {} is below {least:.decimals$}",
                        self.class
                    )?;
                }
                (Test::Likeness, None) => f.write_str("too little likeness")?,
                (Test::Confidence, _) => {
                    let (confidence, least) = (self.confidence, self.least_confidence);
                    let decimals = decimals_apart(confidence, least, 2);
                    write!(f, "confidence {confidence:.decimals$} is below {least:.decimals$}")?;
                }
            }
        }
        if let Some(nearest) = self.nearest.as_ref().filter(|nearest| nearest.class != self.class) {
            let decimals = decimals_apart(nearest.likeness, self.likeness.unwrap_or(f64::INFINITY), 1);
            write!(f, "; closest is {} with {:.decimals$}", nearest.class, nearest.likeness)?;
        }
        if let Some(names) = &self.names {
            write!(f, "; names point to {} ({})", names.family, names.words.join(", "))?;
        }
        for (bag, words) in self.unseen.iter().filter(|(_, words)| words.unseen > 0) {
            write!(f, "; {} of {} {} never seen", words.unseen, words.words, bag.words())?;
        }
        Ok(())
    }
}
