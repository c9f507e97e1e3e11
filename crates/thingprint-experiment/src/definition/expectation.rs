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
    /// Lowest value expected of the mean over seeds.
    pub low: Option<f64>,
    /// Highest value expected of the mean over seeds.
    pub high: Option<f64>,
    /// Data sets that the band is for; all when not given. The paper's value is shown beside every data set.
    pub data: Option<Vec<String>>,
    /// Why this band.
    pub why: Option<String>,
}

impl Expectation {
    /// Whether a value lies in the band; `None` without a band for this data set.
    pub fn is_met(&self, dataset: &str, value: f64) -> Option<bool> {
        let is_meant = self.data.as_ref().is_none_or(|data| data.iter().any(|name| name == dataset));
        if !is_meant || (self.low.is_none() && self.high.is_none()) {
            return None;
        }
        Some(self.low.is_none_or(|low| value >= low) && self.high.is_none_or(|high| value <= high))
    }

    pub(super) fn check(&self, data: &[String]) -> Result<(), (&'static str, String)> {
        if self.paper.is_none() && self.low.is_none() && self.high.is_none() {
            return Err(("paper", "neither a value of the paper nor a band".to_owned()));
        }
        if [self.paper, self.low, self.high].iter().flatten().any(|value| !value.is_finite()) {
            return Err(("paper", "expected finite numbers".to_owned()));
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
