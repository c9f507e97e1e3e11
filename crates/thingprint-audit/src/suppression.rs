use serde::Deserialize;

use crate::{DeviceAudit, Finding};

/// A finding that somebody lives with until a day, for a reason: a table `suppress` of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suppression {
    /// The rule.
    pub rule: String,
    /// Label or address of the device; every device without it.
    pub device: Option<String>,
    /// What was seen, as findings have it; every value without it.
    pub seen: Option<String>,
    /// Why it is as it is.
    pub reason: String,
    /// The last day on which it acts, like `2026-12-31`.
    #[serde(deserialize_with = "crate::policy::day")]
    pub until: String,
}

impl Suppression {
    /// Whether it is about a finding of a device.
    pub(crate) fn fits(&self, device: &DeviceAudit, finding: &Finding) -> bool {
        let is_named = |name: &String| {
            device.label.as_ref() == Some(name) || device.device.to_string().eq_ignore_ascii_case(name)
        };
        self.rule == finding.rule
            && self.device.as_ref().is_none_or(is_named)
            && self.seen.as_ref().is_none_or(|seen| *seen == finding.seen)
    }

    /// Whether it acts no more on a day.
    pub(crate) fn is_over(&self, day: &str) -> bool {
        self.until.as_str() < day
    }
}
