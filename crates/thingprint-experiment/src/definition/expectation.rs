use serde::Deserialize;

/// A number that the paper has, or a band that the result should lie in, or both.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// Scenario of the metric, as `metrics.json` names it.
    pub scenario: String,
    /// The metric, as `metrics.json` names it.
    pub metric: String,
    /// The paper's value, in the unit of the metric.
    pub paper: Option<f64>,
    /// Where the paper has it.
    pub place: Option<String>,
    /// A band by rule; excludes `low` and `high`.
    pub band: Option<BandRule>,
    /// Lowest value expected of the mean over seeds.
    pub low: Option<f64>,
    /// Highest value expected of the mean over seeds.
    pub high: Option<f64>,
    /// Data sets that the band is for; all when not given. The paper's value is shown beside every data set.
    pub data: Option<Vec<String>>,
    /// Why this band.
    pub why: Option<String>,
}

/// How a band follows from the paper's value: one rule for all, so that no band can be fitted to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BandRule {
    /// Shares (accuracy, confidence, correct answers) within five points of the paper's, and any other number from half
    /// to double of it.
    Paper,
}

/// Values that are expected, both ends included; an end that is absent is open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Lowest value.
    pub low: Option<f64>,
    /// Highest value.
    pub high: Option<f64>,
}

/// How far a share may be from the paper's.
const SHARE_MARGIN: f64 = 0.05;
/// How many times the paper's value any other number may be, or the paper's value it.
const FACTOR: f64 = 2.0;

/// Metrics that are shares from 0 to 1, and which are better the higher they are.
const SCORES: [&str; 7] = [
    "accuracy",
    "macro_f1",
    "coverage",
    "accepted_accuracy",
    "confidence_right",
    "accepted_known",
    "rejected_unknown",
];
/// Metrics that are shares, and which are better the lower they are.
const FAULTS: [&str; 4] =
    ["calibration_error", "confidence_wrong", "right_below_threshold", "wrong_at_threshold"];
/// Metrics that are shares, and neither.
const SHARES: [&str; 3] = ["confidence", "below_half", "below_threshold"];
/// Beginnings of metrics that are shares, and neither.
const SHARE_PREFIXES: [&str; 3] = ["empty_", "share_", "mode_share_"];

impl Expectation {
    /// The values that are expected on a data set; `None` where the expectation has no band for it.
    pub fn band_on(&self, dataset: &str) -> Option<Band> {
        let is_meant = self.data.as_ref().is_none_or(|data| data.iter().any(|name| name == dataset));
        let band = match self.band {
            Some(BandRule::Paper) => Band::around(self.paper?, &self.metric),
            None => Band { low: self.low, high: self.high },
        };
        (is_meant && (band.low.is_some() || band.high.is_some())).then_some(band)
    }

    /// Whether a value that is not the paper's is better than the paper's: more right answers, less error. `false` for
    /// metrics of which neither more nor less is better, and without a value of the paper.
    pub fn is_better(&self, value: f64) -> bool {
        let Some(paper) = self.paper else { return false };
        let is_score = SCORES.contains(&self.metric.as_str()) || self.metric.starts_with("correct[");
        let is_fault = FAULTS.contains(&self.metric.as_str()) || self.metric == "rrse";
        (is_score && value > paper) || (is_fault && value < paper)
    }

    /// The class that the metric is of, like `correct[Dropcam]`.
    pub fn class(&self) -> Option<&str> {
        self.metric.strip_suffix(']')?.split_once('[').map(|(_, class)| class)
    }

    pub(super) fn check(&self, data: &[String]) -> Result<(), (&'static str, String)> {
        if self.paper.is_none() && self.low.is_none() && self.high.is_none() {
            return Err(("paper", "neither a value of the paper nor a band".to_owned()));
        }
        if [self.paper, self.low, self.high].iter().flatten().any(|value| !value.is_finite()) {
            return Err(("paper", "expected finite numbers".to_owned()));
        }
        if self.band.is_some() && (self.paper.is_none() || self.low.is_some() || self.high.is_some()) {
            let problem = "a band by rule needs a value of the paper, and neither 'low' nor 'high'";
            return Err(("band", problem.to_owned()));
        }
        if let (Some(low), Some(high)) = (self.low, self.high)
            && low > high
        {
            return Err(("low", format!("{low} is above high = {high}")));
        }
        if self.paper.is_some() && self.place.is_none() {
            return Err(("place", "a value of the paper needs its place there".to_owned()));
        }
        let stranger = self.data.iter().flatten().find(|name| !data.contains(name));
        stranger.map_or(Ok(()), |name| Err(("data", format!("{name} is none of the experiment's data sets"))))
    }
}

impl BandRule {
    /// Why a band is as it is.
    pub const fn why(self) -> &'static str {
        match self {
            Self::Paper => "around the paper's value, by the rule for all",
        }
    }
}

impl Band {
    /// The band around a value of the paper.
    fn around(paper: f64, metric: &str) -> Self {
        let (low, high) = if is_share(metric) {
            ((paper - SHARE_MARGIN).max(0.0), (paper + SHARE_MARGIN).min(1.0))
        } else {
            (paper / FACTOR, paper * FACTOR)
        };
        Self { low: Some(low), high: Some(high) }
    }

    /// Whether a value lies in it.
    pub fn holds(self, value: f64) -> bool {
        self.low.is_none_or(|low| value >= low) && self.high.is_none_or(|high| value <= high)
    }
}

fn is_share(metric: &str) -> bool {
    let is_named = |names: &[&str]| names.contains(&metric);
    is_named(&SCORES)
        || is_named(&FAULTS)
        || is_named(&SHARES)
        || metric.starts_with("correct")
        || SHARE_PREFIXES.iter().any(|prefix| metric.starts_with(prefix))
}
