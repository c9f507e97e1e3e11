//! A report on what a store has: devices, verdicts, findings and events, without the packets that they came from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::anyhow;
use thingprint_audit::report::{Advice, Concerned, to_second};
use thingprint_audit::{FindingCounts, Policy, Severity};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_report::Labels;
use thingprint_store::{Reader, StoreError, StoreInfo, shown};
use thingprint_watch::{
    DeviceRecord, Event, EventFilter, EventKind, EventTopic, FindingRecord, Records, RecordsError, Standing,
};

use super::answer::Said;
use super::in_words;
use super::missing::Missing;
use crate::commands::compare::Compared;
use crate::devices_seen::devices_in_words;

/// Kinds of events by which the store lacks something for good, whoever acknowledged them.
const LOSSES: &[EventKind] = &[
    EventKind::CaptureLoss,
    EventKind::PartsMissing,
    EventKind::LeftOut,
    EventKind::SourceFailed,
    EventKind::UpdatesLost,
];

/// All that a page on a store says.
pub(super) struct Stored<'a> {
    /// The store as messages name it.
    pub(super) name: String,
    pub(super) info: StoreInfo,
    /// Times of which there is a window of any device.
    pub(super) times: u64,
    /// The devices, without gateways.
    pub(super) devices: Vec<DeviceRecord>,
    pub(super) gateways: Vec<DeviceRecord>,
    /// The findings that nobody acknowledged, the most severe first.
    pub(super) findings: Vec<FindingRecord>,
    /// Findings that somebody acknowledged.
    pub(super) acknowledged: u64,
    /// The events that nobody acknowledged and those by which something is missing, the latest first.
    pub(super) events: Vec<Event>,
    pub(super) labels: &'a Labels,
    /// What a model says that is given now; it takes the place of the verdicts of the store.
    pub(super) answers: BTreeMap<DeviceId, Said>,
    /// Whether a model is given now.
    pub(super) has_model: bool,
    pub(super) policy: &'a Policy,
    pub(super) changes: Option<&'a Compared>,
    /// What is missing of the windows that were read of it, of the earlier time, and of their comparison.
    pub(super) missing: Missing,
    /// Names that several devices have.
    shared_names: BTreeSet<String>,
}

impl<'a> Stored<'a> {
    /// Reads a store.
    pub(super) fn read(path: &Path, labels: &'a Labels, policy: &'a Policy) -> anyhow::Result<Self> {
        let name = shown(path).display().to_string();
        let failed = |error: StoreError| anyhow!("failed to {error}");
        let told = |error: RecordsError| anyhow!(error);
        let reader = Reader::open(path).map_err(failed)?;
        let (gateways, devices) =
            reader.devices().map_err(told)?.into_iter().partition(|record| record.sighting.gateway.is_some());
        let findings = reader.findings(None).map_err(told)?;
        let (findings, acknowledged): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|finding| finding.acknowledged_at.is_none());
        let mut events = reader.events(&EventFilter::default()).map_err(told)?;
        events.retain(|event| event.acknowledged_at.is_none() || LOSSES.contains(&event.kind));
        let mut stored = Self {
            name,
            info: reader.info().map_err(failed)?,
            times: reader.times_with_windows().map_err(failed)?,
            devices,
            gateways,
            findings,
            acknowledged: acknowledged.len() as u64,
            events,
            labels,
            answers: BTreeMap::new(),
            has_model: false,
            policy,
            changes: None,
            missing: Missing::default(),
            shared_names: BTreeSet::new(),
        };
        stored.tell_apart();
        Ok(stored)
    }

    /// Takes what a model says in place of the verdicts of the store.
    pub(super) fn judge(&mut self, answers: BTreeMap<DeviceId, Said>) {
        self.answers = answers;
        self.has_model = true;
        self.tell_apart();
    }

    /// Looks which names several devices have.
    fn tell_apart(&mut self) {
        let all = self.devices.iter().chain(&self.gateways);
        self.shared_names = in_words::shared_names(all.map(|record| self.own_name(record)));
    }

    /// What a device is called: by its label, else by its class, else by what it says it is; `None` where nobody says anything.
    pub(super) fn called(&self, device: DeviceId) -> Option<String> {
        let record = self.record(device)?;
        let says = || Some(format!("{}, by what it says", says(record)?));
        self.label(record).or_else(|| self.class(record)).or_else(says)
    }

    /// The same, else the name that it gave, else its address.
    pub(super) fn own_name(&self, record: &DeviceRecord) -> String {
        let called = self.called(record.sighting.device).or_else(|| record.sighting.host_name.clone());
        called.unwrap_or_else(|| record.sighting.device.to_string())
    }

    /// The same in a sentence: with the end of its address where another device has the same name.
    pub(super) fn name(&self, record: &DeviceRecord) -> String {
        in_words::told_apart(self.own_name(record), record.sighting.device, &self.shared_names)
    }

    /// The same of a device that may be none of these, such as a gateway.
    pub(super) fn name_of(&self, device: DeviceId) -> String {
        self.record(device).map_or_else(|| device.to_string(), |record| self.name(record))
    }

    fn record(&self, device: DeviceId) -> Option<&DeviceRecord> {
        let is_meant = |record: &&DeviceRecord| record.sighting.device == device;
        // Devices are in the order of their addresses.
        let at = self.devices.binary_search_by_key(&device, |record| record.sighting.device).ok();
        at.and_then(|at| self.devices.get(at)).or_else(|| self.gateways.iter().find(is_meant))
    }

    /// The label that a person gave it: in the file, else on the page of the watch.
    pub(super) fn label(&self, record: &DeviceRecord) -> Option<String> {
        let label = self.labels.label_of(record.sighting.device, None);
        label.map(|label| label.class.clone()).or_else(|| record.label.clone())
    }

    /// The class that it is accepted to be of.
    pub(super) fn class(&self, record: &DeviceRecord) -> Option<String> {
        if self.has_model {
            return self.answers.get(&record.sighting.device)?.accepted();
        }
        record.verdict.as_ref()?.class.clone()
    }

    /// The class that fits best, and why it is not accepted; `None` where it is, or where no model said anything.
    pub(super) fn doubt(&self, record: &DeviceRecord) -> Option<(String, String)> {
        if self.has_model {
            let said = self.answers.get(&record.sighting.device)?;
            return Some((said.best_guess.clone(), said.reason.clone()?));
        }
        let Standing { class: None, best_guess, reason, .. } = record.verdict.as_ref()? else { return None };
        Some((best_guess.clone(), reason.clone().unwrap_or_default()))
    }

    /// Whether a model judged any of the devices.
    pub(super) fn is_judged(&self) -> bool {
        self.has_model || self.devices.iter().any(|record| record.verdict.is_some())
    }

    /// Devices of which nobody says what they are: neither a label nor a model.
    pub(super) fn unknown(&self) -> Vec<&DeviceRecord> {
        let is_unknown =
            |record: &&DeviceRecord| self.label(record).is_none() && self.class(record).is_none();
        self.devices.iter().filter(is_unknown).collect()
    }

    /// Devices that say they are something else than they behave like, with what they say.
    pub(super) fn contradicting(&self) -> Vec<(&DeviceRecord, String)> {
        // A model that is given now was not asked what it contradicts.
        let records = self.devices.iter().filter(|_| !self.has_model);
        let mut found = Vec::new();
        for record in records {
            let of = record.sighting.identity.as_ref();
            let texts: Vec<String> =
                of.into_iter().flat_map(|of| &of.contradictions).map(ToString::to_string).collect();
            if !texts.is_empty() {
                found.push((record, texts.join("; ")));
            }
        }
        found
    }

    /// How many open findings there are.
    pub(super) fn counts(&self) -> FindingCounts<'_> {
        self.counts_of(|_| true)
    }

    /// The same of those that are meant.
    pub(super) fn counts_of(&self, is_meant: impl Fn(&FindingRecord) -> bool) -> FindingCounts<'_> {
        let mut counts = FindingCounts::default();
        for finding in self.findings.iter().filter(|finding| is_meant(finding)) {
            counts.add(finding.device, &finding.rule, finding.severity, finding.flows);
        }
        counts
    }

    /// What to do about errors and warnings that nobody acknowledged, the most severe rules first.
    pub(super) fn advice(&self) -> Vec<Advice> {
        let mut by_rule: BTreeMap<&str, Advice> = BTreeMap::new();
        let mut told = BTreeSet::new();
        // The most severe ones come first.
        for finding in self.findings.iter().filter(|finding| finding.severity >= Severity::Warning) {
            if !told.insert((&finding.rule, finding.device)) {
                continue;
            }
            let advice = by_rule
                .entry(finding.rule.as_str())
                .or_insert_with(|| Advice::about(&finding.rule, self.policy));
            if advice.operator.is_empty() {
                advice.operator.clone_from(&finding.remediation);
            }
            let name = self.name_of(finding.device);
            advice.add(Concerned { name, severity: finding.severity, seen: finding.seen.clone() });
        }
        let mut all: Vec<Advice> = by_rule.into_values().collect();
        Advice::put_worst_first(&mut all);
        all
    }

    /// Why the page is not complete; nothing where it is.
    pub(super) fn causes(&self) -> Vec<String> {
        let lost = self.events.iter().filter(|event| is_loss(event));
        let lost = lost.map(|event| format!("{} ({})", sentence(&event.text), to_second(event.at)));
        lost.chain(self.missing.causes()).collect()
    }

    /// Events about the reading that nobody acknowledged, by which something may be wrong.
    pub(super) fn doubts(&self) -> impl Iterator<Item = &Event> {
        let about_reading = self.events.iter().filter(|event| event.kind.topic() == EventTopic::Reading);
        // Parts that wait are missing nowhere: they are in this store, and come into the other one later.
        let is_doubt = |event: &&Event| !is_loss(event) && event.kind != EventKind::PartsWaiting;
        about_reading.filter(is_doubt).filter(|event| event.severity > Severity::Note)
    }

    /// Open events about devices and the network, other than findings, the latest first.
    pub(super) fn happened(&self) -> Vec<&Event> {
        let is_meant =
            |event: &&Event| !matches!(event.kind.topic(), EventTopic::Reading | EventTopic::Findings);
        self.events.iter().filter(is_meant).collect()
    }

    /// When the first device was seen first, and the last one last.
    pub(super) fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let sightings = || self.devices.iter().chain(&self.gateways).map(|record| &record.sighting);
        let first = sightings().map(|sighting| sighting.first_seen).min();
        first.zip(sightings().map(|sighting| sighting.last_seen).max())
    }

    /// How many devices there are, and how many gateways.
    pub(super) fn devices_in_words(&self) -> String {
        let is_silent =
            |record: &&DeviceRecord| record.sighting.packets_up + record.sighting.packets_down == 0;
        let silent = self.devices.iter().filter(is_silent).count();
        devices_in_words((self.devices.len(), silent), self.gateways.len())
    }

    /// How much was found, in a line.
    pub(super) fn summary(&self) -> String {
        let devices = self.devices_in_words();
        in_words::summary(&devices, self.unknown().len(), &self.counts().to_string(), self.changes)
    }
}

/// Whether something is missing by an event.
fn is_loss(event: &Event) -> bool {
    LOSSES.contains(&event.kind)
}

/// Who a device says it is, in a few words.
pub(super) fn says(record: &DeviceRecord) -> Option<String> {
    record.sighting.identity.as_ref()?.summary.in_short()
}

/// A text of an event, as a part of a sentence.
pub(super) fn sentence(text: &str) -> &str {
    text.trim_end_matches('.')
}
