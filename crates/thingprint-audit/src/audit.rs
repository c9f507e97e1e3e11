use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Serialize, Serializer};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_protocol::Sender;

use crate::Severity;

/// What a policy says of the devices of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Name of the policy.
    pub policy: String,
    /// The day as of which the policy holds.
    pub policy_date: String,
    /// The devices, in the order of their ids; only those with flows.
    pub devices: Vec<DeviceAudit>,
}

/// What a policy says of one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceAudit {
    /// The device.
    #[serde(serialize_with = "as_text")]
    pub device: DeviceId,
    /// What it is, where a label says so.
    pub label: Option<String>,
    /// Its flows, of any protocol or none that is known.
    pub flows: u64,
    /// Flows by protocol: the abbreviation of the model that told it.
    pub protocols: BTreeMap<String, PortCounts>,
    /// How many flows each rule could judge; rules that could judge none are left out.
    pub judged: BTreeMap<&'static str, u64>,
    /// The findings, by rule, then the gravest and most frequent first.
    pub findings: Vec<Finding>,
    /// Sightings left out because a rule had too many different ones.
    pub dropped: u64,
}

/// Flows of a protocol by the server's port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PortCounts {
    /// On a port that the protocol's model names.
    pub standard: u64,
    /// On another.
    pub other: u64,
}

/// A value that the policy does not accept, in the flows of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Id of the rule.
    pub rule: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// Who said it: the device, or a peer of it.
    pub by: Sender,
    /// Flows in which it was said.
    pub flows: u64,
    /// Flows that the rule could judge.
    pub total: u64,
    /// What was said.
    pub seen: String,
    /// What the policy accepts.
    pub expected: String,
    /// Where that is written.
    pub reference: String,
    /// The first flow with it.
    pub example: Example,
}

/// A flow in which something was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Example {
    /// When it was said.
    #[serde(rename = "time_s", serialize_with = "as_text")]
    pub time: Timestamp,
    /// IP protocol number.
    pub protocol: u8,
    /// Address and port of the client.
    pub client: SocketAddr,
    /// Address and port of the server.
    pub server: SocketAddr,
}

impl Audit {
    /// Findings of this severity or a graver one, each with its device.
    pub fn at_or_over(&self, severity: Severity) -> impl Iterator<Item = (&DeviceAudit, &Finding)> {
        let findings = self
            .devices
            .iter()
            .flat_map(|device| device.findings.iter().map(move |finding| (device, finding)));
        findings.filter(move |(_, finding)| finding.severity >= severity)
    }

    /// Whether there is a finding of this severity or a graver one.
    pub fn has_at_or_over(&self, severity: Severity) -> bool {
        self.at_or_over(severity).next().is_some()
    }

    /// The gravest severity of all findings.
    pub fn gravest(&self) -> Option<Severity> {
        self.at_or_over(Severity::Note).map(|(_, finding)| finding.severity).max()
    }
}

fn as_text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
