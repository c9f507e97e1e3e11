use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, Timestamp};

use super::{Severity, text};

/// A value that the policy of the audit does not accept; device, rule, `by` and `seen` tell findings apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingRecord {
    /// The device.
    #[serde(with = "text::device")]
    pub device: DeviceId,
    /// Id of the rule.
    pub rule: String,
    /// How severe it is.
    pub severity: Severity,
    /// Who said it: `device` or `peer`.
    pub by: String,
    /// Flows in which it was said.
    pub flows: u64,
    /// What was said.
    pub seen: String,
    /// What the policy accepts.
    pub expected: String,
    /// Where that is written.
    pub reference: String,
    /// What to do.
    pub remediation: String,
    /// When it was said first.
    #[serde(with = "text::time")]
    pub first_seen: Timestamp,
    /// When it was said last.
    #[serde(with = "text::time")]
    pub last_seen: Timestamp,
    /// The flow that said it first, as `tcp 192.0.2.7:51000 > 198.51.100.1:443`.
    pub example: String,
    /// When somebody acknowledged it.
    #[serde(with = "text::some_time")]
    pub acknowledged_at: Option<Timestamp>,
}
