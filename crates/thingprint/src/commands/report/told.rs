//! All that a report knows, and what devices are called in it.

use std::collections::{BTreeMap, BTreeSet};

use thingprint_audit::report::Report;
use thingprint_audit::{DeviceAudit, Judgement, Policy};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_identity::{ClassName, Identity, IdentitySummary, Knowledge};
use thingprint_instance::{DeviceEntry, Labeled};
use thingprint_profile::DeviceVantage;
use thingprint_report::Labels;

use super::answer::Said;
use super::in_words;
use super::missing::Missing;
use crate::commands::compare::Compared;
use crate::devices_seen::devices_in_words;
use crate::identities::{Identities, in_short};
use crate::messages::counted;

/// Connections without an answer that are nothing special: a service is away for a moment.
const FEW_UNANSWERED: u64 = 10;

/// All that the page says.
pub(super) struct Told<'a> {
    pub(super) report: &'a Report,
    pub(super) policy: &'a Policy,
    pub(super) known: Known<'a>,
    pub(super) devices: &'a [DeviceEntry],
    /// Names that several of them have.
    pub(super) shared_names: BTreeSet<String>,
    /// The windows of all devices.
    pub(super) windows: &'a [Labeled],
    pub(super) has_model: bool,
    pub(super) changes: Option<&'a Compared>,
    pub(super) missing: &'a Missing,
    /// What the place of the captures shows of each device.
    pub(super) shows: &'a BTreeMap<DeviceId, DeviceVantage>,
}

/// What is known of devices: by people, by a model, and by what they say.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) labels: &'a Labels,
    pub(super) answers: &'a BTreeMap<DeviceId, Said>,
    pub(super) identities: &'a Identities,
    pub(super) knowledge: &'a Knowledge,
}

impl Known<'_> {
    /// What a device is called: by its label, else by its class, else by what it says it is; `None` where nobody says anything.
    pub(super) fn called(&self, device: DeviceId) -> Option<String> {
        let label = self.labels.label_of(device, None).map(|label| label.class.clone());
        let class = || self.answers.get(&device)?.accepted();
        let says = || Some(format!("{}, by what it says", in_short(self.identity(device)?)?));
        label.or_else(class).or_else(says)
    }

    /// The same, else the name that it gave, else its address.
    pub(super) fn name(&self, entry: &DeviceEntry) -> String {
        let called = self.called(entry.device);
        called.or_else(|| entry.host_name.clone()).unwrap_or_else(|| entry.device.to_string())
    }

    /// The names that several devices have.
    pub(super) fn shared_names(&self, devices: &[DeviceEntry]) -> BTreeSet<String> {
        in_words::shared_names(devices.iter().map(|entry| self.name(entry)))
    }

    pub(super) fn identity(&self, device: DeviceId) -> Option<&Identity> {
        self.identities.identity(device)
    }

    /// What a device says of itself that does not fit the class it behaves like.
    pub(super) fn disagreements(&self, device: DeviceId) -> Vec<String> {
        let class = self.answers.get(&device).and_then(Said::accepted);
        let (Some(class), Some(identity)) = (class, self.identity(device)) else { return Vec::new() };
        let class_name = ClassName::of(&class, self.knowledge);
        let disagreements = class_name.disagreements(&IdentitySummary::of(identity), self.knowledge);
        disagreements
            .iter()
            .map(|disagreement| format!("behaves like {class} and says {disagreement}"))
            .collect()
    }

    /// Whether a label or the model says what a device is.
    fn is_known(&self, device: DeviceId) -> bool {
        self.labels.label_of(device, None).is_some()
            || self.answers.get(&device).is_some_and(|said| said.reason.is_none())
    }
}

impl Told<'_> {
    /// How many devices there are, and how many gateways.
    pub(super) fn devices_in_words(&self) -> String {
        let is_silent = |entry: &&DeviceEntry| entry.packets_up + entry.packets_down == 0;
        let silent = self.devices.iter().filter(is_silent).count();
        devices_in_words((self.devices.len(), silent), self.report.header.gateways.0.len())
    }

    /// How much was found, in a line.
    pub(super) fn summary(&self) -> String {
        in_words::summary(&self.devices_in_words(), self.unknown().len(), &self.found(), self.changes)
    }

    /// The findings, and how many devices could not be judged.
    pub(super) fn found(&self) -> String {
        let not_judged = match self.not_judged().len() as u64 {
            0 => String::new(),
            some => format!("; {} could not be judged", counted(some, "device", "devices")),
        };
        self.report.counts() + &not_judged
    }

    /// What a device is called in a sentence: its name, with the end of its address where another device has the same name.
    pub(super) fn name(&self, entry: &DeviceEntry) -> String {
        in_words::told_apart(self.known.name(entry), entry.device, &self.shared_names)
    }

    /// Devices of which nobody says what they are: neither a label nor, where there is one, the model.
    pub(super) fn unknown(&self) -> Vec<&DeviceEntry> {
        self.devices.iter().filter(|entry| !self.known.is_known(entry.device)).collect()
    }

    /// Devices of which the audit could judge nothing, each with the reason: that they have no findings says nothing.
    pub(super) fn not_judged(&self) -> Vec<(&DeviceEntry, String)> {
        let why = |entry: &DeviceEntry| match self.audit_of(entry) {
            Some(audit) => audit.not_judged(),
            None => Some(format!("not judged: {}", Judgement::default().reasons())),
        };
        self.devices.iter().filter_map(|entry| Some((entry, why(entry)?))).collect()
    }

    /// What became of the flows of a device.
    pub(super) fn judgement(&self, entry: &DeviceEntry) -> Judgement {
        self.audit_of(entry).map(|audit| audit.judgement).unwrap_or_default()
    }

    /// Whether a device says of itself who made it, what it is or which model.
    pub(super) fn says_what_it_is(&self, entry: &DeviceEntry) -> bool {
        self.known.identity(entry.device).and_then(in_short).is_some()
    }

    /// Devices of whose TCP connections at least a quarter, and ten, were never answered, though both directions of others are
    /// captured; those with most first.
    pub(super) fn unanswered(&self) -> Vec<(&DeviceEntry, DeviceVantage)> {
        let shows = |entry: &&DeviceEntry| self.shows.get(&entry.device).copied();
        let is_dead = |shows: &DeviceVantage| {
            let DeviceVantage { unanswered_flows, tcp_flows, one_sided_flows, received, .. } = *shows;
            unanswered_flows >= FEW_UNANSWERED
                && unanswered_flows.saturating_mul(4) >= tcp_flows
                && one_sided_flows < unanswered_flows
                && received > 0
        };
        let devices = self.devices.iter().filter_map(|entry| Some((entry, shows(&entry)?)));
        let mut devices: Vec<_> = devices.filter(|(_, shows)| is_dead(shows)).collect();
        devices.sort_by_key(|(_, shows)| std::cmp::Reverse(shows.unanswered_flows));
        devices
    }

    fn audit_of(&self, entry: &DeviceEntry) -> Option<&DeviceAudit> {
        self.report.audit.devices.iter().find(|audit| audit.device == entry.device)
    }

    /// Devices that say they are something else than they behave like.
    pub(super) fn contradicting(&self) -> Vec<&DeviceEntry> {
        let contradicts = |entry: &&DeviceEntry| !self.known.disagreements(entry.device).is_empty();
        self.devices.iter().filter(contradicts).collect()
    }

    pub(super) fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.report.header.span
    }
}
