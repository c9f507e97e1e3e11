//! Which numbers an analysis measures, as far as its definition says.
use std::fmt::Display;

use crate::run::Analysis;

impl Analysis {
    /// What is wrong with the name of a number, as `metrics.json` would have it: field and problem. Classes are not
    /// known before the data are.
    pub(super) fn check_metric(&self, scenario: &str, metric: &str) -> Result<(), (&'static str, String)> {
        let scenarios = self.method().scenarios();
        if !scenarios.is_empty() && !scenarios.iter().any(|known| known == scenario) {
            return Err(("scenario", format!("there is no '{scenario}' here, but {}", scenarios.join(", "))));
        }
        if self.method().has_metric(scenario, metric) {
            Ok(())
        } else {
            Err(("metric", format!("'{metric}' is not measured here")))
        }
    }
}

/// Names as texts.
pub(crate) fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

/// Whether a name is one of these.
pub(crate) fn is_any(name: &str, known: impl IntoIterator<Item = impl Display>) -> bool {
    known.into_iter().any(|known| known.to_string() == name)
}

/// Whether it is like `correct[CLASS]`.
pub(crate) fn is_of_class(metric: &str, name: &str) -> bool {
    let class = metric.strip_prefix(name).and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
    class.is_some_and(|class| !class.is_empty())
}
