use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use thingprint_audit::{Audit, DeviceAudit, Finding, Policy, Severity};
use thingprint_flow::{DeviceId, DeviceIndex, MacAddr, Timestamp};
use thingprint_profile::{Answer, Attribute, CipherList, Evidence, KnownDevices, Likeness, Matcher, Traits};

use super::lines::lines;
use super::mud::Verdict;
use super::rules::{Explained, explained};
use super::survey::{Dropped, Survey};
use crate::inputs::Input;
use crate::messages;

/// Everything that is to be said of the devices of captures.
pub(super) struct Report {
    /// Findings, those about MUD profiles among them.
    pub(super) audit: Audit,
    pub(super) header: Header,
    shows: BTreeMap<DeviceId, Shows>,
    verdicts: BTreeMap<DeviceId, Verdict>,
}

/// What was read.
pub(super) struct Header {
    pub(super) captures: Vec<String>,
    pub(super) span: Option<(Timestamp, Timestamp)>,
    pub(super) gateway: Option<MacAddr>,
    pub(super) dropped: Dropped,
}

/// What a device shows of itself.
#[derive(Default)]
pub(super) struct Shows {
    pub(super) values: Vec<Shown>,
    pub(super) cipher_lists: Vec<CipherList>,
    /// Which known device it looks like, where some are known.
    pub(super) likeness: Option<Likeness>,
}

/// A value of an attribute.
pub(super) struct Shown {
    pub(super) attribute: Attribute,
    pub(super) value: String,
    /// Flows that show it.
    flows: u64,
    /// Whether no other device of these captures shows it.
    pub(super) is_unique: bool,
}

/// The report as JSON has it.
#[derive(Serialize)]
pub(super) struct ReportDocument<'a> {
    policy: &'a str,
    policy_date: &'a str,
    gateway: Option<String>,
    devices: Vec<DeviceDocument<'a>>,
    /// What was left out of all this because it was too much.
    dropped: Dropped,
}

#[derive(Serialize)]
struct DeviceDocument<'a> {
    #[serde(flatten)]
    audit: &'a DeviceAudit,
    fingerprint: BTreeMap<&'static str, Vec<ValueDocument<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    looks_like: Option<LikenessDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mud: Option<super::mud::VerdictDocument<'a>>,
}

#[derive(Serialize)]
struct ValueDocument<'a> {
    value: &'a str,
    flows: u64,
    unique: bool,
}

#[derive(Serialize)]
struct LikenessDocument<'a> {
    answer: &'static str,
    names: Vec<&'a str>,
    candidates: Vec<CandidateDocument<'a>>,
}

#[derive(Serialize)]
struct CandidateDocument<'a> {
    name: &'a str,
    score: f64,
    coverage: f64,
    evidence: Vec<EvidenceDocument<'a>>,
}

#[derive(Serialize)]
struct EvidenceDocument<'a> {
    attribute: &'static str,
    value: &'a str,
    shared_by: usize,
}

impl Header {
    pub(super) fn of(survey: &Survey, inputs: &[Input]) -> Self {
        let captures = inputs.iter().map(Input::name).collect();
        let gateway = survey.summary.gateways.0.keys().next().copied();
        Self { captures, span: survey.summary.span, gateway, dropped: survey.dropped() }
    }
}

impl Report {
    /// What was surveyed, with the verdicts on MUD profiles, and the known devices that it looks like.
    pub(super) fn of(
        survey: &Survey,
        verdicts: BTreeMap<DeviceId, Verdict>,
        known: Option<&KnownDevices>,
        header: Header,
    ) -> Self {
        let mut audit = survey.audit.clone();
        for device in &mut audit.devices {
            device.findings.extend(verdicts.get(&device.device).into_iter().flat_map(Verdict::findings));
            for Finding { example, .. } in &mut device.findings {
                let capture = survey.summary.spans.capture_of(device.device, example.time);
                example.capture = capture.and_then(|capture| header.captures.get(capture).cloned());
            }
        }
        audit.put_worst_first();
        let matcher = known.map(Matcher::new);
        let unique = survey.fingerprints.unique();
        let no_traits = Traits::default();
        let shows = |(index, device): (&DeviceIndex, &DeviceId)| {
            let traits = survey.fingerprints.traits(*index).unwrap_or(&no_traits);
            let unique: BTreeSet<(Attribute, &str)> = unique
                .get(index)
                .into_iter()
                .flatten()
                .map(|(attribute, value, _)| (*attribute, *value))
                .collect();
            let shows = Shows {
                values: values(traits, &unique),
                cipher_lists: survey.fingerprints.cipher_lists(*index),
                likeness: matcher.as_ref().map(|matcher| matcher.identify(traits)),
            };
            (*device, shows)
        };
        let shows = survey.devices.iter().map(shows).collect();
        Self { audit, header, shows, verdicts }
    }

    /// What a device shows of itself.
    pub(super) fn shows(&self, device: DeviceId) -> Option<&Shows> {
        self.shows.get(&device)
    }

    /// The devices that were held against a profile, with what came out.
    pub(super) fn verdicts(&self) -> impl Iterator<Item = (&DeviceAudit, &Verdict)> {
        self.audit.devices.iter().filter_map(|device| Some((device, self.verdicts.get(&device.device)?)))
    }

    /// The devices with what they look like, where some are known.
    pub(super) fn likenesses(&self) -> impl Iterator<Item = (&DeviceAudit, &Likeness)> {
        let of = |device: &DeviceAudit| self.shows.get(&device.device)?.likeness.as_ref();
        self.audit.devices.iter().filter_map(move |device| Some((device, of(device)?)))
    }

    /// How many devices there are.
    pub(super) fn devices(&self) -> String {
        messages::counted(self.audit.devices.len() as u64, "device", "devices")
    }

    /// How many findings there are of each severity, and on how many lines they stand for people, where these are fewer.
    pub(super) fn counts(&self) -> String {
        let lines: Vec<Severity> =
            self.audit.devices.iter().flat_map(lines).map(|line| line.severity).collect();
        let of = |severity| {
            let findings = self.audit.at_or_over(severity);
            let findings = findings.filter(|(_, finding)| finding.severity == severity).count();
            let lines = lines.iter().filter(|of| **of == severity).count();
            let groups = match lines {
                lines if lines == findings => String::new(),
                1 => " in 1 group".to_owned(),
                lines => format!(" in {lines} groups"),
            };
            counted(findings, severity) + &groups
        };
        let [error, warning, note] = [Severity::Error, Severity::Warning, Severity::Note].map(of);
        format!("{error}, {warning}, {note}")
    }

    /// The rules that were broken, in words.
    pub(super) fn broken_rules(&self, policy: &Policy) -> Vec<Explained> {
        let broken: BTreeSet<&str> =
            self.audit.at_or_over(Severity::Note).map(|(_, finding)| finding.rule).collect();
        explained(policy).into_iter().filter(|rule| broken.contains(rule.rule)).collect()
    }

    /// The report as JSON has it.
    pub(super) fn document(&self) -> ReportDocument<'_> {
        ReportDocument {
            policy: &self.audit.policy,
            policy_date: &self.audit.policy_date,
            gateway: self.header.gateway.map(|gateway| gateway.to_string()),
            devices: self.audit.devices.iter().map(|device| self.device(device)).collect(),
            dropped: self.header.dropped,
        }
    }

    fn device<'a>(&'a self, audit: &'a DeviceAudit) -> DeviceDocument<'a> {
        let mut fingerprint: BTreeMap<&'static str, Vec<ValueDocument<'a>>> = BTreeMap::new();
        let shows = self.shows.get(&audit.device);
        for Shown { attribute, value, flows, is_unique } in shows.into_iter().flat_map(|shows| &shows.values)
        {
            let value = ValueDocument { value, flows: *flows, unique: *is_unique };
            fingerprint.entry(attribute.name()).or_default().push(value);
        }
        let likeness = shows.and_then(|shows| shows.likeness.as_ref());
        let mud = self.verdicts.get(&audit.device).map(Verdict::document);
        DeviceDocument { audit, fingerprint, looks_like: likeness.map(LikenessDocument::of), mud }
    }
}

impl Shows {
    /// Values that no other device of these captures shows.
    pub(super) fn unique(&self) -> usize {
        self.values.iter().filter(|value| value.is_unique).count()
    }
}

impl<'a> LikenessDocument<'a> {
    fn of(likeness: &'a Likeness) -> Self {
        let (answer, names) = answer(&likeness.answer);
        let candidate = |candidate: &'a thingprint_profile::Candidate| CandidateDocument {
            name: &candidate.name,
            score: candidate.score,
            coverage: candidate.coverage,
            evidence: candidate.evidence.iter().map(EvidenceDocument::of).collect(),
        };
        Self { answer, names, candidates: likeness.candidates.iter().map(candidate).collect() }
    }
}

impl<'a> EvidenceDocument<'a> {
    fn of(Evidence { attribute, value, shared_by }: &'a Evidence) -> Self {
        Self { attribute: attribute.name(), value, shared_by: *shared_by }
    }
}

/// A number of findings of a severity.
pub(super) fn counted(count: usize, severity: Severity) -> String {
    format!("{count} {severity}{}", if count == 1 { "" } else { "s" })
}

/// The word for an answer, and the known devices that it names.
pub(super) fn answer(answer: &Answer) -> (&'static str, Vec<&str>) {
    (answer.word(), answer.names())
}

fn values(traits: &Traits, unique: &BTreeSet<(Attribute, &str)>) -> Vec<Shown> {
    let value = |(attribute, value, flows): (Attribute, &str, u64)| Shown {
        attribute,
        value: value.to_owned(),
        flows,
        is_unique: unique.contains(&(attribute, value)),
    };
    traits.iter().map(value).collect()
}
