//! Which numbers an analysis measures, as far as its definition tells.
use std::fmt::Display;

use thingprint_instance::{Attribute, BagName};
use thingprint_model::{Input, TrainOptions};

use super::{Analysis, Characterise, Injection, Scenarios, WHOLE, Worked};

/// What names of numbers of changes begin with.
const CHANGE: &str = "change/";

/// What is measured of changes.
const CHANGE_METRICS: [&str; 12] = [
    "hours",
    "detected",
    "correct",
    "confidence",
    "below_half",
    "below_threshold",
    "device_weeks",
    "alarms",
    "network_events",
    "alarms_per_device_week",
    "alarms_per_device_week_unmerged",
    "day_changes",
];

/// What scenarios measure, beside `correct[CLASS]`.
const SCENARIO_METRICS: [&str; 12] = [
    "accuracy",
    "rrse",
    "macro_f1",
    "calibration_error",
    "coverage",
    "accepted_accuracy",
    "confidence_right",
    "confidence_wrong",
    "right_below_threshold",
    "wrong_at_threshold",
    "right_answers",
    "wrong_answers",
];

impl Analysis {
    /// What is wrong with the name of a number, as `metrics.json` would have it: field and problem. Classes are not
    /// known before the data are.
    pub(super) fn check_metric(&self, scenario: &str, metric: &str) -> Result<(), (&'static str, String)> {
        let (scenarios, is_metric) = match self {
            Self::Scenarios(analysis) => (analysis.keys(), is_scenario_metric(metric)),
            Self::TrainingTime(time) => {
                let keys = time.days.iter().map(|days| format!("{days}-days")).collect();
                (keys, ["trained_on", "accuracy", "rrse"].contains(&metric))
            }
            Self::Merits(_) => (names(["merit", "rank"]), is_input(metric, scenario == "merit")),
            Self::Attacks(attacks) => {
                let keys = attacks.attack.iter().map(super::Attack::key);
                let metrics = ["instances", "correct", "confidence", "below_half", "below_threshold"];
                let of_change = attacks.change.iter().flat_map(Injection::metric_keys);
                let is_metric = if scenario.starts_with(CHANGE) {
                    CHANGE_METRICS.contains(&metric)
                } else {
                    metrics.contains(&metric)
                };
                (keys.chain(names(["normal"])).chain(of_change).collect(), is_metric)
            }
            Self::Worked(worked) => (names([worked.bag.name()]), worked.has_metric(metric)),
            Self::LeaveOneOut(_) => {
                let of_class = is_of_class(metric, "auroc") || is_of_class(metric, "rejected");
                (
                    names(["final"]),
                    of_class || ["auroc", "rejected_unknown", "accepted_known"].contains(&metric),
                )
            }
            Self::Characterise(analysis) => (Vec::new(), analysis.has_metric(scenario, metric)),
        };
        if !scenarios.is_empty() && !scenarios.iter().any(|known| known == scenario) {
            return Err(("scenario", format!("there is no '{scenario}' here, but {}", scenarios.join(", "))));
        }
        if is_metric { Ok(()) } else { Err(("metric", format!("'{metric}' is not measured here"))) }
    }
}

fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

fn is_any(name: &str, known: impl IntoIterator<Item = impl Display>) -> bool {
    known.into_iter().any(|known| known.to_string() == name)
}

/// Whether it is like `correct[CLASS]`.
fn is_of_class(metric: &str, name: &str) -> bool {
    let class = metric.strip_prefix(name).and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
    class.is_some_and(|class| !class.is_empty())
}

fn is_scenario_metric(metric: &str) -> bool {
    SCENARIO_METRICS.contains(&metric) || is_of_class(metric, "correct")
}

/// Whether stage-1 has the input; confidences have a merit and no rank.
fn is_input(name: &str, with_confidences: bool) -> bool {
    let inputs = TrainOptions::default().inputs().unwrap_or_default();
    is_any(
        name,
        inputs.into_iter().filter(|input| with_confidences || !matches!(input, Input::Confidence(_))),
    )
}

impl Scenarios {
    /// How `metrics.json` calls each scenario of each variant.
    fn keys(&self) -> Vec<String> {
        let plain = || self.scenarios.iter().map(ToString::to_string);
        let of_variant =
            |name: &str| plain().map(|scenario| format!("{name}/{scenario}")).collect::<Vec<_>>();
        if self.variants.is_empty() {
            plain().collect()
        } else {
            self.variants.iter().flat_map(|variant| of_variant(&variant.name)).collect()
        }
    }
}

impl Worked {
    fn has_metric(&self, metric: &str) -> bool {
        let answers = self.bags.iter().map(|probe| format!("as_in_paper[{}]", probe.truth));
        is_any(metric, self.lines().map(|(name, _)| name).chain(answers))
    }
}

impl Characterise {
    fn has_metric(&self, scenario: &str, metric: &str) -> bool {
        let of_bag = |prefixes: [&str; 2]| {
            let name = |prefix: &str| metric.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
            prefixes.into_iter().filter_map(name).any(|bag| is_any(bag, BagName::all()))
        };
        if scenario == WHOLE {
            return ["instances", "classes"].contains(&metric) || of_bag(["iot", "non_iot"]);
        }
        let mut attributes =
            ["median_", "mode_", "mode_share_"].iter().filter_map(|name| metric.strip_prefix(name));
        let is_attribute = |name: &str| is_any(name, Attribute::all());
        let is_share = self.shares.iter().any(|share| share.class == scenario && share.metric() == metric);
        metric == "instances" || of_bag(["distinct", "empty"]) || attributes.any(is_attribute) || is_share
    }
}
