use std::cmp::Reverse;
use std::fmt;
use std::net::SocketAddr;

use serde::{Serialize, Serializer};
use thingprint_flow::{DeviceId, GatewayReason, Timestamp, protocol_name};
use thingprint_protocol::Sender;

use crate::coverage::{Coverage, CoverageByProtocol, Judgement};
use crate::{Grade, Recommended, Severity, SortedMap, Suite};

/// What a policy says of the devices of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Name of the policy.
    pub policy: String,
    /// The day as of which the policy holds.
    pub policy_date: String,
    /// The devices, in the order of their ids until [`Audit::put_worst_first`]; only those with flows.
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
    /// Why it is a gateway; then what it says for itself is judged, and nothing that it forwards.
    #[serde(skip)]
    pub gateway: Option<GatewayReason>,
    /// Its flows, of any protocol or none that is known.
    pub flows: u64,
    /// Flows by protocol: the abbreviation of the model that told it.
    pub protocols: SortedMap<String, PortCounts>,
    /// How many flows of each protocol rules could judge; protocols that no rule is about are left out.
    pub coverage: CoverageByProtocol,
    /// What became of its flows, each counted once: of a device without judged flows, nothing is known.
    pub judgement: Judgement,
    /// The flows in which no protocol was recognised, by the reason; none of them was judged.
    pub unrecognised: Coverage,
    /// How many flows each rule could judge; rules that could judge none are left out.
    pub judged: SortedMap<&'static str, u64>,
    /// The findings, by rule until [`Audit::put_worst_first`], then the most severe and most frequent first.
    pub findings: Vec<Finding>,
    /// Sightings left out because there were too many different ones, of this device or of all; none of them was
    /// more severe than what is kept.
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
    /// How severe it is.
    pub severity: Severity,
    /// Who said it: the device, or a peer of it.
    pub by: Sender,
    /// Flows in which it was said.
    pub flows: u64,
    /// Whether there may be more such flows than are counted: where so many different values were seen that some were
    /// left out, it may have been among them at times.
    pub is_lower_bound: bool,
    /// Flows that the rule could judge.
    pub total: u64,
    /// What was said.
    pub seen: String,
    /// The cipher suite, where it is one.
    #[serde(flatten)]
    pub suite: Option<SeenSuite>,
    /// What the policy accepts.
    pub expected: String,
    /// Where that is written.
    pub reference: String,
    /// What who runs the network can do about it.
    pub operator: &'static str,
    /// How it is fixed by who makes the device or runs the server.
    pub remediation: &'static str,
    /// The first flow with it.
    pub example: Example,
}

/// A cipher suite that was seen, with what is said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SeenSuite {
    /// Its code, in JSON like `0x002f`; three bytes for a kind of SSL 2.0.
    #[serde(rename = "cipher_suite", serialize_with = "as_code")]
    pub code: u32,
    /// Its grade; `None` for a code that stands for no suite that is known.
    pub grade: Option<Grade>,
    /// What the registry says of it; `None` for a code that is not in it.
    pub recommended: Option<Recommended>,
}

/// A flow in which something was said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Example {
    /// When it was said; in JSON as RFC 3339 has it, in UTC.
    #[serde(serialize_with = "as_date")]
    pub time: Timestamp,
    /// IP protocol number; in JSON its name, such as `tcp`.
    #[serde(serialize_with = "as_protocol")]
    pub protocol: u8,
    /// Address and port of the client.
    pub client: SocketAddr,
    /// Address and port of the server.
    pub server: SocketAddr,
    /// The capture that it is in, where whoever read the captures tells.
    pub capture: Option<String>,
}

impl DeviceAudit {
    /// A device of which there is no flow: it sent nothing but frames without IP, such as ARP.
    pub(crate) const fn without_flows(device: DeviceId, label: Option<String>) -> Self {
        Self {
            device,
            label,
            gateway: None,
            flows: 0,
            protocols: SortedMap::new(),
            coverage: CoverageByProtocol::new(),
            judgement: Judgement { judged: 0, partly_read: 0, unjudged: 0, without_rule: 0, unrecognised: 0 },
            unrecognised: Coverage {
                seen: 0,
                judged: 0,
                partly_read: 0,
                began_before: 0,
                one_way: 0,
                other: 0,
            },
            judged: SortedMap::new(),
            findings: Vec::new(),
            dropped: 0,
        }
    }

    /// `gateway`, or `device`.
    pub const fn class(&self) -> &'static str {
        if self.gateway.is_some() { "gateway" } else { "device" }
    }

    /// Its label, else its address.
    pub fn name(&self) -> String {
        self.label.clone().unwrap_or_else(|| self.device.to_string())
    }

    /// Why nothing is known of it: `not judged: 3 of 4 flows have no recognised protocol`; `None` where a flow was judged, or
    /// where a rule about no protocol found something.
    pub fn not_judged(&self) -> Option<String> {
        (!self.is_judged()).then(|| format!("not judged: {}", self.judgement.reasons()))
    }

    const fn is_judged(&self) -> bool {
        !self.judgement.is_none() || !self.findings.is_empty()
    }
}

impl Audit {
    /// Findings of this severity or a more severe one, each with its device.
    pub fn at_or_over(&self, severity: Severity) -> impl Iterator<Item = (&DeviceAudit, &Finding)> {
        let findings = self
            .devices
            .iter()
            .flat_map(|device| device.findings.iter().map(move |finding| (device, finding)));
        findings.filter(move |(_, finding)| finding.severity >= severity)
    }

    /// Puts devices with the most severe findings first, of equal ones those with the most; and of each device the most severe
    /// findings. What is equal stays in its order.
    pub fn put_worst_first(&mut self) {
        for device in &mut self.devices {
            device.findings.sort_by_key(|finding| Reverse(finding.severity));
        }
        let counts = |device: &DeviceAudit| {
            let count =
                |severity| device.findings.iter().filter(|finding| finding.severity == severity).count();
            [Severity::Error, Severity::Warning, Severity::Note].map(count)
        };
        self.devices.sort_by_cached_key(|device| Reverse(counts(device)));
    }

    /// Whether there is a finding of this severity or a more severe one.
    pub fn has_at_or_over(&self, severity: Severity) -> bool {
        self.at_or_over(severity).next().is_some()
    }

    /// How many flows of each protocol rules could judge, of all devices.
    pub fn coverage(&self) -> CoverageByProtocol {
        let mut all = CoverageByProtocol::new();
        for (protocol, coverage) in self.devices.iter().flat_map(|device| &device.coverage) {
            all.update(*protocol, |all| all.add(*coverage));
        }
        all
    }

    /// What became of the flows of all devices.
    pub fn judgement(&self) -> Judgement {
        let mut all = Judgement::default();
        self.devices.iter().for_each(|device| all.add(device.judgement));
        all
    }

    /// The devices without findings of which no flow could be judged: that they have none says nothing.
    pub fn not_judged(&self) -> impl Iterator<Item = &DeviceAudit> {
        self.devices.iter().filter(|device| !device.is_judged())
    }

    /// The devices of which a smaller share of the flows than this was judged, those among them in which no protocol was
    /// recognised.
    pub fn devices_judged_under(&self, share: f64) -> impl Iterator<Item = &DeviceAudit> {
        self.devices.iter().filter(move |device| device.judgement.share() < share)
    }

    /// The flows of a device and protocol of which a smaller share than this was judged.
    pub fn judged_under(&self, share: f64) -> impl Iterator<Item = (&DeviceAudit, &'static str, Coverage)> {
        let all = self.devices.iter().flat_map(|device| device.coverage.iter().map(move |of| (device, of)));
        let all = all.map(|(device, (protocol, coverage))| (device, *protocol, *coverage));
        all.filter(move |(_, _, coverage)| coverage.share() < share)
    }

    /// Sightings left out, of all devices.
    pub fn dropped(&self) -> u64 {
        self.devices.iter().map(|device| device.dropped).sum()
    }
}

impl SeenSuite {
    /// The suite of a code; the kinds of SSL 2.0 are all insecure (RFC 6176).
    pub fn of(code: u32) -> Self {
        let nothing = Self { code, grade: None, recommended: None };
        if code > u32::from(u16::MAX) {
            return Self { grade: Some(Grade::Insecure), ..nothing };
        }
        let Some(suite) = nothing.suite() else { return nothing };
        let is_registered = !Suite::unregistered().contains(suite);
        Self { grade: suite.grade, recommended: is_registered.then_some(suite.recommended), ..nothing }
    }

    /// The suite; `None` for a code that stands for none, and for the kinds of SSL 2.0.
    pub fn suite(self) -> Option<&'static Suite> {
        u16::try_from(self.code).ok().and_then(Suite::of)
    }
}

/// A time like `2019-07-01T13:00:00Z`, with as many decimals of a second as it takes; every time has such a text.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn as_date<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    match jiff::Timestamp::from_nanosecond(time.as_nanos().into()) {
        Ok(time) => serializer.collect_str(&time),
        Err(_) => serializer.collect_str(time),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn as_protocol<S: Serializer>(protocol: &u8, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&protocol_name(*protocol))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn as_code<S: Serializer>(code: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&CodeText(*code))
}

/// A code as it is written: of two bytes, or of three.
struct CodeText(u32);

impl fmt::Display for CodeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.0 > u32::from(u16::MAX) { 6 } else { 4 };
        write!(f, "0x{:0digits$x}", self.0)
    }
}

/// Code and, where it has one, name: `0x002f TLS_RSA_WITH_AES_128_CBC_SHA`.
impl fmt::Display for SeenSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = CodeText(self.code);
        match self.suite() {
            Some(suite) => write!(f, "{code} {}", suite.name),
            None => write!(f, "{code}"),
        }
    }
}

fn as_text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
mod tests {
    use super::SeenSuite;
    use crate::{Grade, Recommended};

    #[test]
    fn a_suite_tells_its_grade_and_what_the_registry_says() {
        let check = |code: u32, name: &str, grade: Option<Grade>, recommended: Option<Recommended>| {
            let seen = SeenSuite::of(code);
            assert_eq!((seen.to_string().as_str(), seen.grade, seen.recommended), (name, grade, recommended));
        };
        let (insecure, recommended) = (Some(Grade::Insecure), Some(Grade::Recommended));
        check(0x0005, "0x0005 TLS_RSA_WITH_RC4_128_SHA", insecure, Some(Recommended::N));
        check(0xc02f, "0xc02f TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", recommended, Some(Recommended::Y));
        check(0x0064, "0x0064 TLS_RSA_EXPORT1024_WITH_RC4_56_SHA", insecure, None);
        check(0xeeee, "0xeeee", None, None);
        check(0x01_0080, "0x010080", insecure, None);
    }
}
