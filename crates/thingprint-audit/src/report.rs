//! The report of an audit: findings, fingerprints, known devices and MUD profiles of the devices of a network, as tables,
//! rows, JSON, SARIF and a page of HTML; and the rules of a policy in words.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};
use thingprint_figure::{Lines, Page};
use thingprint_flow::{DeviceId, DeviceIndex, DeviceLosses, GatewayReason, Gateways, Timestamp};
use thingprint_profile::{
    Answer, Attribute, CipherList, Evidence, KnownDevices, Likeness, Matcher, Traits, Vantage,
};
use thingprint_table::{Badge, Table};

use crate::sarif::{self, Log};
use crate::{
    Audit, CoverageByProtocol, DeviceAudit, Finding, FindingCounts, FindingNumbers, Judgement, KnownFindings,
    Policy, SetAside, Severity,
};

mod advice;
mod both_ends;
mod cipher_plot;
mod doubtful_gateway;
mod file_names;
mod finding_rows;
mod left_out;
mod lines;
mod mud;
mod notice;
mod observations;
mod page;
mod profiles;
mod rule_text;
mod tables;
mod when;

pub use advice::{Advice, Concerned};
pub use doubtful_gateway::DoubtfulGateway;
pub use file_names::file_names;
pub use mud::{Verdict, VerdictDocument};
pub use notice::Notice;
pub use observations::{Dropped, MOST_DEVICES, MessagesLeftOut, Observations, ObservationsBuilder};
pub use profiles::{GivenProfile, Profiles};
pub use rule_text::{Explained, RulesDocument, explained, rows, section, sections};
pub use when::to_second;

use left_out::LeftOutDocument;
pub(crate) use lines::{Line, lines};

/// Devices that could not be judged and are named.
const MOST_NOT_JUDGED: usize = 20;

/// Everything that is to be said of the devices of captures.
pub struct Report {
    /// Findings, those about MUD profiles among them.
    pub audit: Audit,
    /// What was read.
    pub header: Header,
    shows: BTreeMap<DeviceId, Shows>,
    verdicts: BTreeMap<DeviceId, Verdict>,
}

/// What was read.
pub struct Header {
    /// Names of the captures.
    pub captures: Vec<String>,
    /// Time of the earliest and of the latest frame.
    pub span: Option<(Timestamp, Timestamp)>,
    /// The gateways, of which nothing is judged that they forward.
    pub gateways: Gateways,
    /// Those of them of which it is doubtful that they are some.
    pub doubtful_gateways: Vec<DoubtfulGateway>,
    /// What there is to know about the reading, beside what the fields here say.
    pub notices: Vec<Notice>,
    /// What was left out.
    pub dropped: Dropped,
    /// Messages that were left out, by device and protocol.
    pub messages_left_out: Vec<MessagesLeftOut>,
    /// What caps left out, by device.
    pub left_out: DeviceLosses,
    /// Labels of devices.
    pub labels: BTreeMap<DeviceId, String>,
    /// Findings that are not shown, because somebody knows them.
    pub set_aside: SetAside,
    /// What the captures can show at all, where that was looked at.
    pub vantage: Option<Vantage>,
    /// Flows that are counted at both of their ends.
    pub flows_at_both_ends: u64,
}

impl Header {
    fn left_out_document(&self) -> LeftOutDocument<'_> {
        LeftOutDocument::of(&self.left_out, &self.labels)
    }
}

/// The captures that were read.
pub struct Captures<'a> {
    /// Their names.
    pub names: Vec<String>,
    /// The place among them of the one in which a device had a packet at a time; `None` where that is unknown.
    pub find: &'a dyn Fn(DeviceId, Timestamp) -> Option<usize>,
}

/// What a device shows of itself.
#[derive(Default)]
pub(crate) struct Shows {
    pub(crate) values: Vec<Shown>,
    pub(crate) cipher_lists: Vec<CipherList>,
    /// Which known device it looks like, where some are known.
    pub(crate) likeness: Option<Likeness>,
}

/// A value of an attribute.
pub(crate) struct Shown {
    pub(crate) attribute: Attribute,
    pub(crate) value: String,
    /// Flows that show it.
    flows: u64,
    /// Whether no other device of these captures shows it.
    pub(crate) is_unique: bool,
}

/// The report as JSON has it.
#[derive(Serialize)]
pub struct ReportDocument<'a> {
    policy: &'a str,
    policy_date: &'a str,
    /// The first of the gateways.
    gateway: Option<String>,
    gateways: Vec<String>,
    /// Those of them of which it is doubtful that they are some.
    doubtful_gateways: &'a [DoubtfulGateway],
    /// What there is to know about the reading.
    notices: &'a [Notice],
    devices: Vec<DeviceDocument<'a>>,
    /// How many rules devices break, and in how many flows.
    counts: FindingNumbers,
    /// How many flows of each protocol rules could judge, of all devices.
    coverage: CoverageByProtocol,
    /// All flows, each counted once: the sums of devices count a flow between two of them at both.
    flows: u64,
    /// What became of the flows of all devices: the sum of theirs.
    judgement: Judgement,
    /// What was left out of all this because it was too much.
    dropped: Dropped,
    /// Messages that were left out, by device and protocol.
    messages_left_out: &'a [MessagesLeftOut],
    /// What caps left out, by device.
    left_out: LeftOutDocument<'a>,
    /// Findings that are not shown, because somebody knows them.
    set_aside: &'a SetAside,
    /// What the captures can show at all.
    vantage: Option<Value>,
}

#[derive(Serialize)]
struct DeviceDocument<'a> {
    #[serde(flatten)]
    audit: &'a DeviceAudit,
    class: &'static str,
    /// How many rules it breaks, and in how many flows.
    counts: FindingNumbers,
    gateway_reason: Option<GatewayReason>,
    fingerprint: BTreeMap<&'static str, Vec<ValueDocument<'a>>>,
    looks_like: Option<LikenessDocument<'a>>,
    mud: Option<VerdictDocument<'a>>,
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

impl Report {
    /// What was seen, with what the checks of MUD profiles gave, and the known devices that it looks like. The audit moves into the
    /// report.
    pub fn new(
        seen: &mut Observations,
        captures: &Captures<'_>,
        verdicts: BTreeMap<DeviceId, Verdict>,
        known: Option<&KnownDevices>,
    ) -> Self {
        let (dropped, messages_left_out) = (seen.dropped(), seen.messages_left_out());
        let mut audit = std::mem::take(&mut seen.audit);
        for device in &mut audit.devices {
            device.findings.extend(verdicts.get(&device.device).into_iter().flat_map(Verdict::findings));
            for Finding { example, .. } in &mut device.findings {
                let capture = (captures.find)(device.device, example.time);
                example.capture = capture.and_then(|capture| captures.names.get(capture).cloned());
            }
        }
        audit.put_worst_first();
        let matcher = known.map(Matcher::new);
        let unique = seen.fingerprints.unique();
        let shows = |(index, device): (&DeviceIndex, &DeviceId)| {
            let traits = seen.fingerprints.traits(*index).unwrap_or_default();
            let unique: BTreeSet<(Attribute, &str)> = unique
                .get(index)
                .into_iter()
                .flatten()
                .map(|(attribute, value, _)| (*attribute, *value))
                .collect();
            let shows = Shows {
                values: values(&traits, &unique),
                cipher_lists: seen.fingerprints.cipher_lists(*index),
                likeness: matcher.as_ref().map(|matcher| matcher.identify(&traits)),
            };
            (*device, shows)
        };
        let shows = seen.devices.iter().map(shows).collect();
        let header = Header {
            captures: captures.names.clone(),
            span: seen.span,
            gateways: seen.gateways.clone(),
            doubtful_gateways: seen.doubtful_gateways.clone(),
            notices: Vec::new(),
            dropped,
            messages_left_out,
            left_out: seen.left_out.clone(),
            labels: seen.labels.clone(),
            set_aside: SetAside::default(),
            vantage: seen.vantage,
            flows_at_both_ends: seen.flows_at_both_ends,
        };
        Self { audit, header, shows, verdicts }
    }

    /// Sets findings aside that are known from an earlier audit, and those that the policy suppresses on the day of the last
    /// packet.
    pub fn set_aside(&mut self, known: &KnownFindings, policy: &Policy) {
        let day = self.header.span.map(|(_, last)| to_second(last));
        let day = day.as_deref().and_then(|time| time.get(.."2026-11-30".len()));
        self.header.set_aside = self.audit.set_aside(known, policy, day);
        self.audit.put_worst_first();
    }

    /// What a device shows of itself.
    pub(crate) fn shows(&self, device: DeviceId) -> Option<&Shows> {
        self.shows.get(&device)
    }

    /// What a device looks like, where known devices are given.
    pub(crate) fn likeness(&self, device: DeviceId) -> Option<&Likeness> {
        self.shows(device)?.likeness.as_ref()
    }

    /// The devices that were checked against a profile, with what was found.
    pub fn verdicts(&self) -> impl Iterator<Item = (&DeviceAudit, &Verdict)> {
        self.audit.devices.iter().filter_map(|device| Some((device, self.verdicts.get(&device.device)?)))
    }

    /// The devices with what they look like, where some are known.
    pub fn likenesses(&self) -> impl Iterator<Item = (&DeviceAudit, &Likeness)> {
        let of = |device: &DeviceAudit| self.shows.get(&device.device)?.likeness.as_ref();
        self.audit.devices.iter().filter_map(move |device| Some((device, of(device)?)))
    }

    /// All flows, each counted once.
    pub fn flows(&self) -> u64 {
        let of_devices: u64 = self.audit.devices.iter().map(|device| device.flows).sum();
        of_devices.saturating_sub(self.header.flows_at_both_ends)
    }

    /// [`Report::flows`] in words, with how many of them the sums of devices count twice.
    pub fn flows_in_words(&self) -> String {
        let (flows, twice) = (self.flows(), self.header.flows_at_both_ends);
        let of = |count: u64| if count == 1 { "flow" } else { "flows" };
        match twice {
            0 => format!("{flows} {}", of(flows)),
            _ => format!("{flows} {}, {twice} of them between two of these and counted at both", of(flows)),
        }
    }

    /// How many devices there are, and how many gateways that say anything for themselves.
    pub fn devices(&self) -> String {
        let (gateways, devices): (Vec<_>, Vec<_>) =
            self.audit.devices.iter().partition(|device| device.gateway.is_some());
        let some = |count: usize, one: &str| match count {
            1 => format!("1 {one}"),
            count => format!("{count} {one}s"),
        };
        let silent = devices.iter().filter(|device| device.flows == 0).count();
        let silent =
            if silent > 0 { format!(" ({silent} seen by ARP or such frames alone)") } else { String::new() };
        let devices = some(devices.len(), "device") + &silent;
        if gateways.is_empty() {
            devices
        } else {
            format!("{devices} and {}", some(gateways.len(), "gateway"))
        }
    }

    /// How many findings there are, and in how many flows.
    pub fn counts(&self) -> String {
        FindingCounts::of(&self.audit).to_string()
    }

    /// [`Report::counts`], and how many devices could not be judged, where there are any.
    pub fn counts_and_not_judged(&self) -> String {
        match self.audit.not_judged().count() {
            0 => self.counts(),
            1 => format!("{}; 1 device not judged", self.counts()),
            devices => format!("{}; {devices} devices not judged", self.counts()),
        }
    }

    /// The devices that could not be judged, a line each, and one for those beyond twenty.
    pub fn not_judged(&self) -> Vec<String> {
        let line = |device: &DeviceAudit| Some(format!("{}: {}", tables::name(device), device.not_judged()?));
        let mut lines: Vec<String> = self.audit.not_judged().filter_map(line).collect();
        let more = lines.len().saturating_sub(MOST_NOT_JUDGED);
        lines.truncate(MOST_NOT_JUDGED);
        let devices = if more == 1 { "device" } else { "devices" };
        lines.extend((more > 0).then(|| format!("{more} more {devices} could not be judged")));
        lines
    }

    /// What to do about errors and warnings, by rule, the most severe first.
    pub fn advice(&self, policy: &Policy) -> Vec<Advice> {
        advice::advice(self, policy)
    }

    /// Writes the findings of each device that has any to a page, a section each, and the rules behind them.
    pub fn write_findings(&self, page: &mut Page, policy: &Policy) {
        page::findings_of_devices(page, self);
        page::rules(page, self, policy);
    }

    /// How many findings of each severity a device has, as a page shows it; nothing of one without flows.
    pub fn badges(&self, device: DeviceId) -> Vec<Badge> {
        let device = self.audit.devices.iter().find(|audit| audit.device == device);
        device.map(page::badges).unwrap_or_default()
    }

    /// What the place of the captures shows, and what to do where it hides something.
    pub fn vantage_table(&self) -> Table {
        tables::vantage(self)
    }

    /// The flows that no rule could judge, by device and protocol, with the reason.
    pub fn unjudged_table(&self) -> Table {
        tables::unjudged(self)
    }

    /// The rules that were broken, in words.
    pub fn broken_rules(&self, policy: &Policy) -> Vec<Explained> {
        let broken: BTreeSet<&str> =
            self.audit.at_or_over(Severity::Note).map(|(_, finding)| finding.rule).collect();
        explained(policy).into_iter().filter(|rule| broken.contains(rule.rule)).collect()
    }

    /// Tables with their headings: a summary of all devices, the findings of each, and [`Report::tables_beside`].
    pub fn tables(&self) -> Vec<(String, Table)> {
        tables::sections(self)
    }

    /// What was asked for beside the findings, as tables with their headings: known devices, and MUD profiles.
    pub fn tables_beside(&self) -> Vec<(String, Table)> {
        tables::beside(self)
    }

    /// A row for each finding.
    pub fn findings(&self) -> Table {
        finding_rows::findings(self)
    }

    /// A page of HTML.
    pub fn page(&self, policy: &Policy) -> Page {
        page::page(self, policy)
    }

    /// A log of SARIF.
    pub fn sarif(&self, policy: &Policy) -> Log {
        let rule = self.verdicts().next().map(|_| mud::sarif_rule());
        let mut log = sarif::log(&self.audit, policy, rule.into_iter().collect());
        let notices = self.header.notices.iter().map(sarif::of_reading);
        for invocation in log.runs.iter_mut().flat_map(|run| &mut run.invocations) {
            invocation.tool_execution_notifications.extend(notices.clone());
        }
        for run in &mut log.runs {
            let vantage = self.header.vantage.as_ref().map(Vantage::json);
            run.properties.insert("vantage".to_owned(), json!(vantage));
            run.properties.insert("messagesLeftOut".to_owned(), json!(self.header.messages_left_out));
            run.properties.insert("doubtfulGateways".to_owned(), json!(self.header.doubtful_gateways));
            run.properties.insert("leftOut".to_owned(), json!(self.header.left_out_document()));
            run.properties.insert("setAside".to_owned(), json!(self.header.set_aside));
        }
        log
    }

    /// The lists of cipher suites that devices offer (Fig. 1 of the protocol paper).
    pub fn cipher_plot(&self) -> Lines {
        cipher_plot::lines(self)
    }

    /// The report as JSON has it.
    pub fn document(&self) -> ReportDocument<'_> {
        ReportDocument {
            policy: &self.audit.policy,
            policy_date: &self.audit.policy_date,
            gateway: self.header.gateways.0.keys().next().map(ToString::to_string),
            gateways: self.header.gateways.0.keys().map(ToString::to_string).collect(),
            doubtful_gateways: &self.header.doubtful_gateways,
            notices: &self.header.notices,
            devices: self.audit.devices.iter().map(|device| self.device(device)).collect(),
            counts: FindingCounts::of(&self.audit).numbers(),
            coverage: self.audit.coverage(),
            flows: self.flows(),
            judgement: self.audit.judgement(),
            dropped: self.header.dropped,
            messages_left_out: &self.header.messages_left_out,
            left_out: self.header.left_out_document(),
            set_aside: &self.header.set_aside,
            vantage: self.header.vantage.as_ref().map(Vantage::json),
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
        DeviceDocument {
            audit,
            class: audit.class(),
            counts: FindingCounts::of_device(audit).numbers(),
            gateway_reason: audit.gateway,
            fingerprint,
            looks_like: likeness.map(LikenessDocument::of),
            mud,
        }
    }
}

impl Shows {
    /// Values that no other device of these captures shows.
    pub(crate) fn unique(&self) -> usize {
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
pub(crate) fn counted(count: u64, severity: Severity) -> String {
    format!("{count} {severity}{}", if count == 1 { "" } else { "s" })
}

/// The word for an answer, and the known devices that it names.
pub(crate) fn answer(answer: &Answer) -> (&'static str, Vec<&str>) {
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
