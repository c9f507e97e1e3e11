//! The page: what a reader needs first stands first.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use thingprint_audit::report::{Advice, Report, to_second};
use thingprint_audit::{Policy, Severity};
use thingprint_figure::Page;
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{DeviceEntry, Labeled};
use thingprint_report::Labels;
use thingprint_table::{Badge, Cell, Column, Prose, Table, Tone, Type};

use super::answer::Said;
use crate::commands::compare::{self, Compared};
use crate::messages::counted;

/// Devices that a sentence names.
const MOST_NAMED: usize = 5;
/// Addresses of a device that the inventory shows.
const MOST_ADDRESSES: usize = 3;
/// Things to do that stand at the top.
const MOST_ADVICE: usize = 5;

/// All that the page says.
pub(super) struct Told<'a> {
    pub(super) report: &'a Report,
    pub(super) policy: &'a Policy,
    pub(super) devices: &'a [DeviceEntry],
    /// The windows of all devices.
    pub(super) windows: &'a [Labeled],
    pub(super) labels: &'a Labels,
    pub(super) answers: &'a BTreeMap<DeviceId, Said>,
    pub(super) has_model: bool,
    pub(super) changes: Option<&'a Compared>,
}

impl Told<'_> {
    /// How much was found, in a line.
    pub(super) fn summary(&self) -> String {
        let devices = counted(self.devices.len() as u64, "device", "devices");
        let changes = self.changes.map_or_else(String::new, |changes| {
            format!("; {}", counted(changes.rows() as u64, "change", "changes"))
        });
        format!(
            "{devices}, {}; {}{changes}",
            counted(self.unknown().len() as u64, "unknown", "unknown"),
            self.report.counts()
        )
    }

    /// What a device is called: by its label, else by its class, else by the name that it gave, else by its address.
    fn name(&self, entry: &DeviceEntry) -> String {
        let label = self.labels.label_of(entry.device, None).map(|label| label.class.clone());
        let class = || self.answers.get(&entry.device)?.accepted();
        label.or_else(class).or_else(|| entry.host_name.clone()).unwrap_or_else(|| entry.device.to_string())
    }

    /// Devices of which nobody says what they are: neither a label nor, where there is one, the model.
    fn unknown(&self) -> Vec<&DeviceEntry> {
        let is_known = |entry: &&DeviceEntry| {
            self.labels.label_of(entry.device, None).is_some()
                || self.answers.get(&entry.device).is_some_and(|said| said.reason.is_none())
        };
        self.devices.iter().filter(|entry| !is_known(entry)).collect()
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.report.header.span
    }
}

/// The page of a report.
pub(super) fn page(told: &Told<'_>) -> Page {
    let mut page = Page::new("Report on a network");
    let advice = told.report.advice(told.policy);
    page.summary(in_short(told));
    first(&mut page, told, &advice);
    inventory(&mut page, told);
    unknown(&mut page, told);
    to_do(&mut page, &advice);
    changes(&mut page, told);
    coverage(&mut page, told);
    told.report.write_findings(&mut page, told.policy);
    method(&mut page, told);
    page
}

/// The whole in a few sentences.
fn in_short(told: &Told<'_>) -> String {
    let mut text = match told.span() {
        Some((first, last)) => format!(
            "{} seen from {} to {}.",
            were(told.devices.len(), "device was", "devices were"),
            to_second(first),
            to_second(last)
        ),
        None => "No packet was read.".to_owned(),
    };
    let unknown = told.unknown();
    if told.devices.is_empty() {
        return text;
    }
    if unknown.is_empty() {
        text.push_str(" All are known.");
    } else {
        let names: Vec<String> = unknown.iter().take(MOST_NAMED).map(|entry| told.name(entry)).collect();
        let more = unknown.len() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        _ = write!(text, " {} unknown: {}{more}.", were(unknown.len(), "is", "are"), names.join(", "));
    }
    _ = write!(text, " The audit has {}.", told.report.counts());
    if let Some(changes) = told.changes {
        let rows = changes.rows() as u64;
        let count = match rows {
            0 => "Nothing unusual changed".to_owned(),
            _ => counted(rows, "unusual change", "unusual changes"),
        };
        _ = write!(text, " {count} since the earlier time.");
    }
    text
}

fn were(count: usize, one: &str, many: &str) -> String {
    counted(count as u64, one, many)
}

/// What is worst, for whoever reads nothing else.
fn first(page: &mut Page, told: &Told<'_>, advice: &[Advice]) {
    page.section("What to look at first");
    let mut items: Vec<Prose> = advice.iter().take(MOST_ADVICE).map(item).collect();
    let unknown = told.unknown();
    if !unknown.is_empty() {
        let count = counted(unknown.len() as u64, "device that nobody named", "devices that nobody named");
        items.push(Prose::new().strong(count).text(": find out what they are, and give them a label."));
    }
    if let Some(changes) = told.changes.filter(|changes| changes.rows() > 0) {
        let count = counted(changes.rows() as u64, "unusual change", "unusual changes");
        items.push(Prose::new().strong(count).text(": see below whether you know the reason."));
    }
    if told.devices.is_empty() {
        page.note(
            Tone::Medium,
            "Nothing was seen, so nothing is known: capture for days at a place that all devices pass.",
        );
    } else if items.is_empty() {
        page.note(Tone::Good, "Nothing: no error and no warning, and every device is known.");
    } else {
        page.list(items);
    }
}

fn item(advice: &Advice) -> Prose {
    let devices = &advice.devices;
    let names: Vec<&str> = devices.iter().take(MOST_NAMED).map(|device| device.name.as_str()).collect();
    let more = devices.len() - names.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let remediation = if advice.remediation.is_empty() { "" } else { " What to do: " };
    Prose::new().strong(format!("{} ({})", advice.title, advice.severity)).text(format!(
        ": {}{more}.{remediation}{}",
        names.join(", "),
        advice.remediation
    ))
}

/// Every device, with what it is.
fn inventory(page: &mut Page, told: &Told<'_>) {
    let mut windows: BTreeMap<DeviceId, u64> = BTreeMap::new();
    for row in told.windows {
        *windows.entry(row.instance.device).or_default() += 1;
    }
    let mut table = Table::new([
        Column::texts("device"),
        Column::texts("address"),
        Column::texts("class").help("what the model says; unknown where no class fits"),
        Column::texts("IP addresses"),
        Column::texts("talks to"),
        Column::texts("first seen"),
        Column::texts("last seen"),
        Column::count("hours").help("hours, or other windows, in which it sent anything"),
        Column::count("packets"),
        Column::new("findings", Type::Badges),
    ]);
    for entry in told.devices {
        let addresses = entry.addresses.keys().take(MOST_ADDRESSES).map(ToString::to_string);
        let addresses: Vec<String> = addresses.collect();
        let mut names: Vec<(&String, &u64)> = entry.names.iter().collect();
        names.sort_by(|a, b| b.1.cmp(a.1));
        let names: Vec<&str> = names.iter().take(MOST_ADDRESSES).map(|(name, _)| name.as_str()).collect();
        let said = told.answers.get(&entry.device);
        table.add([
            Cell::from(told.name(entry)),
            Cell::from(entry.device.to_string()),
            Cell::from(said.map(|said| said.class.clone())),
            Cell::from(addresses.join(", ")),
            Cell::from((!names.is_empty()).then(|| names.join(", "))),
            Cell::from(entry.first_seen.map(to_second)),
            Cell::from(entry.last_seen.map(to_second)),
            Cell::from(windows.get(&entry.device).copied().unwrap_or(0)),
            Cell::from(entry.packets_up + entry.packets_down),
            Cell::Badges(told.report.badges(entry.device)),
        ]);
    }
    table.drop_empty_columns();
    page.section("Devices").table(&table, "Everything that sent packets, but for gateways");
}

fn unknown(page: &mut Page, told: &Told<'_>) {
    let unknown = told.unknown();
    if unknown.is_empty() {
        return;
    }
    page.section("Unknown devices");
    if !told.has_model {
        page.paragraph(
            "No model was given, so a device is known only by its label. Name these devices in a label file, or train a model \
             on devices that are labelled.",
        );
    }
    let mut table = Table::new([
        Column::texts("device"),
        Column::texts("address"),
        Column::texts("most like"),
        Column::texts("why it is unknown"),
        Column::texts("speaks"),
        Column::texts("names that it looked up"),
    ]);
    for entry in unknown {
        let said = told.answers.get(&entry.device);
        let words = |bag: &BTreeMap<String, u64>| {
            let words: Vec<&str> = bag.keys().take(MOST_NAMED).map(String::as_str).collect();
            (!words.is_empty()).then(|| words.join(", "))
        };
        table.add([
            Cell::from(told.name(entry)),
            Cell::from(entry.device.to_string()),
            Cell::from(said.map(|said| said.best_guess.clone())),
            Cell::from(said.and_then(|said| said.reason.clone())),
            Cell::from(words(&entry.services)),
            Cell::from(words(&entry.names)),
        ]);
    }
    table.drop_empty_columns();
    page.table(&table, "Devices without a label that no class of the model fits");
}

/// Findings by what to do about them.
fn to_do(page: &mut Page, advice: &[Advice]) {
    page.section("What to do");
    if advice.is_empty() {
        page.note(Tone::Good, "The audit has no error and no warning.");
        return;
    }
    let mut table = Table::new([
        Column::new("severity", Type::Badges),
        Column::new("finding", Type::Prose),
        Column::texts("devices"),
        Column::texts("seen, for example"),
        Column::texts("what to do"),
    ]);
    for advice in advice {
        let tone = if advice.severity == Severity::Error { Tone::Critical } else { Tone::Medium };
        let finding = Prose::new().strong(advice.rule).text(format!(" {}. {}", advice.title, advice.why));
        let names: Vec<&str> = advice.devices.iter().map(|device| device.name.as_str()).collect();
        table.add([
            Cell::from(Badge::new(advice.severity.as_str(), tone)),
            Cell::from(finding),
            Cell::from(names.join(", ")),
            Cell::from(advice.devices.first().map(|device| device.seen.clone())),
            Cell::from(advice.remediation),
        ]);
    }
    page.table(&table, "Errors and warnings by rule, the most severe first");
}

fn changes(page: &mut Page, told: &Told<'_>) {
    let Some(changes) = told.changes else { return };
    page.section("What changed");
    let [before, _] = &changes.sides;
    page.paragraph(format!(
        "Each device is compared with its own earlier time, {}. Unusual is a multiple of the most that this earlier time \
         explains.",
        before.name
    ));
    compare::page::tables(page, changes);
}

/// How much was seen and judged: what nobody could judge is not clean.
fn coverage(page: &mut Page, told: &Told<'_>) {
    page.section("How much was seen");
    let hours: BTreeSet<Timestamp> = told.windows.iter().map(|row| row.instance.window_start).collect();
    let (mut seen, mut judged) = (0, 0);
    for coverage in told.report.audit.coverage().into_values() {
        seen += coverage.seen;
        judged += coverage.judged;
    }
    let share = if seen > 0 { 100.0 * judged as f64 / seen as f64 } else { 0.0 };
    page.definitions([
        ("windows with traffic", counted(hours.len() as u64, "window", "windows")),
        ("windows of devices", counted(told.windows.len() as u64, "window", "windows")),
        ("flows that a rule is about", format!("{seen}, of which {judged} ({share:.0} %) could be judged")),
    ]);
    let (vantage, unjudged) = (told.report.vantage_table(), told.report.unjudged_table());
    if vantage.rows() > 0 {
        page.table(&vantage, "What the place of the capture shows, and what to do where it hides something");
    }
    if unjudged.rows() > 0 {
        page.table(&unjudged, "Flows that no rule could judge: nothing is known of them");
    }
}

fn method(page: &mut Page, told: &Told<'_>) {
    let model = if told.has_model {
        " A model that was trained on labelled traffic says which class each device is of; where it is not sure, or the traffic is \
         not like that of the class, the device is unknown."
    } else {
        ""
    };
    page.section("How this was made").paragraph(format!(
        "Everything here follows from captured traffic alone; no device was asked anything. Packets are put together to flows, \
         protocols are found by their content on any port, and what devices say in the clear is held against policy {} of {}. \
         {}{model} What a device does while nobody captures, and what it encrypts, is not seen.",
        told.policy.name(),
        told.policy.date(),
        told.policy.description(),
    ));
    page.details("Captures", |page| {
        page.list(told.report.header.captures.iter().map(|name| Prose::new().code(name.clone())));
    });
}
