//! The page on a store. What a store does not have is said on it.

use std::collections::BTreeMap;
use std::fmt::Write;

use thingprint_audit::Severity;
use thingprint_audit::report::{Advice, to_second};
use thingprint_figure::Page;
use thingprint_flow::{DeviceId, GatewayReason};
use thingprint_identity::Field;
use thingprint_table::{Badge, Cell, Column, Prose, Table, Tone, Type};
use thingprint_watch::{DeviceRecord, FindingRecord, WordCount};

use super::advice;
use super::in_words::{
    changes_first, changes_since, not_complete, not_judged_again, some_of, unknown_devices,
};
use super::inventory::{hints, to_minute};
use super::stored::{Stored, says, sentence};
use crate::commands::compare;
use crate::messages::counted;

/// Addresses and words of a device that a table shows.
const MOST_WORDS: usize = 5;
/// Events that stand at the top.
const MOST_AT_TOP: usize = 3;
/// Events in the table of them.
const MOST_EVENTS: usize = 100;
/// Findings of a device that are shown.
const MOST_FINDINGS: usize = 50;

/// Why a host may be a gateway, which a store has by name.
const REASONS: [GatewayReason; 7] = [
    GatewayReason::Given,
    GatewayReason::Forwards,
    GatewayReason::Advertises,
    GatewayReason::VirtualRouter,
    GatewayReason::ReceivesOnly,
    GatewayReason::MostSources,
    GatewayReason::MostPackets,
];

/// What a page on captures has and a store has not, and where it is to be had.
const ABSENT: [(&str, &str); 5] = [
    (
        "In how many flows each rule could look, and which devices could not be judged",
        "audit CAPTURE, or report CAPTURE. A device without a finding here is not thereby clean.",
    ),
    (
        "Which packets were cut or missing in streams, and what the place of the capture hides",
        "report CAPTURE, of an hour or a day at each tap",
    ),
    ("Devices whose connections nobody answers", "report CAPTURE"),
    ("Cipher suites by device, and fingerprints", "audit CAPTURE --html FILE"),
    ("What devices said word for word, and what in that contradicts itself", "identify CAPTURE"),
];

/// The page of a report on a store.
pub(super) fn page(told: &Stored<'_>) -> Page {
    let mut page = Page::new("Report on a network");
    let all = told.advice();
    page.summary(in_short(told));
    if let Some(why) = not_complete(&told.causes()) {
        page.note(Tone::Medium, why);
    }
    for event in told.doubts() {
        page.note(
            Tone::Medium,
            format!("This page may be wrong: {} ({}).", sentence(&event.text), to_second(event.at)),
        );
    }
    for warning in told.missing.warnings() {
        page.note(Tone::Medium, format!("This page may be wrong: {warning}."));
    }
    first(&mut page, told, &all);
    inventory(&mut page, told);
    unknown(&mut page, told);
    page.section("What to do");
    if all.is_empty() {
        page.paragraph("No finding that nobody acknowledged is an error or a warning.");
    } else {
        advice::table(&mut page, &all);
    }
    changes(&mut page, told);
    coverage(&mut page, told);
    findings(&mut page, told);
    method(&mut page, told);
    page
}

/// The whole in a few sentences.
fn in_short(told: &Stored<'_>) -> String {
    let Some((first, last)) = told.span() else { return format!("{} has no device.", told.name) };
    let mut text =
        format!("Seen: {}, from {} to {}.", told.devices_in_words(), to_second(first), to_second(last));
    if told.devices.is_empty() {
        return text;
    }
    let names: Vec<String> = told.unknown().into_iter().map(|record| told.name(record)).collect();
    _ = write!(text, " {}", unknown_devices(&names, told.is_judged()));
    if told.findings.is_empty() {
        text.push_str(" No finding is open.");
    } else {
        _ = write!(text, " Nobody acknowledged {}.", told.counts());
    }
    if let Some(changes) = told.changes {
        _ = write!(text, " {}", changes_since(changes));
    }
    text
}

/// What is worst, for whoever reads nothing else.
fn first(page: &mut Page, told: &Stored<'_>, all: &[Advice]) {
    page.section("What to look at first");
    if told.devices.is_empty() {
        page.note(
            Tone::Medium,
            "Nothing was seen, so nothing is known: look whether the watch reads, and let it run for days at a place that all \
             devices pass.",
        );
        return;
    }
    let mut items: Vec<Prose> = advice::items(all);
    let unknown = told.unknown();
    if !unknown.is_empty() {
        let count = counted(unknown.len() as u64, "device that nobody named", "devices that nobody named");
        let names: Vec<String> = unknown.into_iter().map(|record| told.name(record)).collect();
        items.push(Prose::new().strong(count).text(format!(
            ": {}. What to do: find out what they are, and give them a label.",
            some_of(&names)
        )));
    }
    for (record, why) in told.contradicting() {
        let head = format!("{} is not what it says, or behaves otherwise", told.name(record));
        items.push(
            Prose::new().strong(head).text(format!(
                ": it says {why}. What to do: look whether it is the device that belongs there."
            )),
        );
    }
    items.extend(told.changes.into_iter().flat_map(changes_first));
    let mut happened = told.happened();
    happened.retain(|event| event.severity > Severity::Note);
    if !happened.is_empty() {
        let count = counted(happened.len() as u64, "event to look into", "events to look into");
        let texts: Vec<&str> = happened.iter().take(MOST_AT_TOP).map(|event| sentence(&event.text)).collect();
        items.push(Prose::new().strong(count).text(format!(
            ", the latest: {}. What to do: see under \u{201c}What changed\u{201d}, and acknowledge what you know.",
            texts.join("; ")
        )));
    }
    if !items.is_empty() {
        page.list(items);
    } else if told.causes().is_empty() {
        // Green would say that everything was judged, which a store does not know.
        page.note(
            Tone::Plain,
            "No error or warning is open, and every device is known. What could not be judged is not in a store.",
        );
    } else {
        page.note(
            Tone::Medium,
            "Nothing is open, which says little: something is missing, as the top of this page says.",
        );
    }
}

/// Every device, with what it is.
fn inventory(page: &mut Page, told: &Stored<'_>) {
    let mut table = Table::new([
        Column::new("device", Type::Prose),
        Column::texts("says it is").help("by what it says of itself"),
        Column::new("behaves like", Type::Prose).help("what the model says; unknown where no class fits"),
        Column::new("findings", Type::Badges)
            .help("rules that it breaks, as far as nobody acknowledged them"),
        Column::count("open events"),
        Column::texts("looks up"),
        Column::count("windows").help("windows that are kept of it"),
        Column::texts("last seen"),
    ]);
    for record in &told.devices {
        table.add([
            Cell::from(named(told, record)),
            Cell::from(says(record)),
            Cell::from(behaves(told, record)),
            Cell::Badges(badges(told, record.sighting.device)),
            Cell::from(record.open_events),
            Cell::from(words(&record.sighting.names)),
            Cell::from(record.windows),
            Cell::from(to_minute(record.sighting.last_seen)),
        ]);
    }
    table.drop_empty_columns();
    page.section("Devices").table(&table, "Everything that was seen, but for gateways; times are UTC");
    identities(page, told);
}

fn named(told: &Stored<'_>, record: &DeviceRecord) -> Prose {
    let name = told.own_name(record);
    let addresses = record.sighting.addresses.iter().take(MOST_WORDS).map(ToString::to_string);
    let mut all: Vec<String> = [record.sighting.device.to_string()].into_iter().chain(addresses).collect();
    all.retain(|address| *address != name);
    all.dedup();
    Prose::new().strong(name).text(" ").text(all.join(", "))
}

fn behaves(told: &Stored<'_>, record: &DeviceRecord) -> Option<Prose> {
    match (told.class(record), told.doubt(record)) {
        (Some(class), _) => Some(Prose::from(class)),
        (None, Some(_)) => Some(Prose::from("unknown")),
        (None, None) if told.is_judged() => Some(Prose::from("not judged yet")),
        (None, None) => None,
    }
}

fn badges(told: &Stored<'_>, device: DeviceId) -> Vec<Badge> {
    let counts = told.counts_of(|finding| finding.device == device);
    let badge = |severity: &Severity| {
        let count = counts.at(*severity);
        let word = severity.as_str();
        (count > 0).then(|| {
            Badge::new(format!("{count} {word}{}", if count == 1 { "" } else { "s" }), tone(*severity))
        })
    };
    let mut badges: Vec<Badge> = Severity::ALL.iter().rev().filter_map(badge).collect();
    if badges.is_empty() {
        // Green would say that it was judged.
        badges.push(Badge::new("none open", Tone::Plain));
    }
    badges.extend(not_judged_again(told.changes, device));
    badges
}

const fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Note => Tone::Note,
        Severity::Warning => Tone::Medium,
        Severity::Error => Tone::Critical,
    }
}

fn words(words: &[WordCount]) -> Option<String> {
    let words: Vec<&str> = words.iter().take(MOST_WORDS).map(|word| word.word.as_str()).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Who devices say they are, field by field.
fn identities(page: &mut Page, told: &Stored<'_>) {
    let fields = Field::ALL.map(|field| Column::texts(field.as_str()));
    let mut table = Table::new([Column::texts("device")].into_iter().chain(fields));
    for record in &told.devices {
        let Some(identity) = &record.sighting.identity else { continue };
        if identity.summary.is_empty() {
            continue;
        }
        let of_field = |field: Field| {
            let said = identity.summary.get(field)?;
            Some(format!("{} ({}: {})", said.value, said.certainty, said.sources.join(", ")))
        };
        let cells = Field::ALL.map(|field| Cell::from(of_field(field)));
        table.add([Cell::from(told.name(record))].into_iter().chain(cells));
    }
    table.drop_empty_columns();
    if table.rows() > 0 {
        page.table(
            &table,
            "Who the devices say they are, with how far it is to be trusted and where they say it",
        );
    }
}

/// Devices of which nobody says what they are.
fn unknown(page: &mut Page, told: &Stored<'_>) {
    let unknown = told.unknown();
    if unknown.is_empty() {
        return;
    }
    page.section("Unknown devices");
    if !told.is_judged() {
        page.paragraph(
            "The watch had no model, so a device is known only by its label. Label these devices on the page of the watch or in a \
             label file, or report with a model that was trained on labelled devices.",
        );
    }
    let mut table = Table::new([
        Column::new("device", Type::Prose),
        Column::texts("says it is"),
        Column::texts("most like"),
        Column::texts("why it is unknown"),
        Column::texts("speaks"),
        Column::texts("looks up"),
        Column::new("hint", Type::Badges),
    ]);
    for record in unknown {
        let (best_guess, reason) = told.doubt(record).unzip();
        let seen = &record.sighting;
        let reason = match reason {
            None if seen.packets_up + seen.packets_down == 0 => {
                Some("only frames of the local network, such as ARP, were seen of it".to_owned())
            }
            reason => reason,
        };
        table.add([
            Cell::from(named(told, record)),
            Cell::from(says(record)),
            Cell::from(best_guess),
            Cell::from(reason),
            Cell::from(words(&seen.services)),
            Cell::from(words(&seen.names)),
            Cell::Badges(hints(seen.device)),
        ]);
    }
    table.drop_empty_columns();
    page.table(&table, "Devices that neither a label nor a model names");
}

/// What changed since an earlier time, where one is given, and what happened that nobody acknowledged.
fn changes(page: &mut Page, told: &Stored<'_>) {
    let happened = told.happened();
    page.section("What changed");
    if let Some(changes) = told.changes {
        page.paragraph(format!(
            "Each device is compared with its own earlier time, {}. Unusual is a multiple of the most that this earlier time \
             explains: 1 is still usual.",
            changes.sides[0].name
        ));
        compare::page::tables(page, changes);
    }
    if happened.is_empty() {
        page.paragraph("There is no event that nobody acknowledged.");
        return;
    }
    let mut table = Table::new([
        Column::texts("at"),
        Column::new("severity", Type::Badges),
        Column::texts("device"),
        Column::texts("what happened"),
        Column::count("times"),
    ]);
    for event in happened.iter().take(MOST_EVENTS) {
        table.add([
            Cell::from(to_minute(event.at)),
            Cell::from(Badge::new(event.severity.as_str(), tone(event.severity))),
            Cell::from(event.device.map(|device| told.name_of(device))),
            Cell::from(event.text.clone()),
            Cell::from(event.times),
        ]);
    }
    page.table(&table, "Events that nobody acknowledged, the latest first");
    let left = happened.len().saturating_sub(MOST_EVENTS);
    if left > 0 {
        let events = counted(left as u64, "earlier event", "earlier events");
        page.paragraph(format!("{events} more are in the store: store {} events --open.", told.name));
    }
}

/// How much was seen, and what a store does not have.
fn coverage(page: &mut Page, told: &Stored<'_>) {
    let gateways: Vec<String> = told
        .gateways
        .iter()
        .map(|record| {
            let name = record.sighting.gateway.as_deref().unwrap_or_default();
            let reason = REASONS.iter().find(|reason| reason.as_str() == name);
            let reason = reason.map_or_else(|| name.to_owned(), ToString::to_string);
            format!("{} ({reason})", record.sighting.device)
        })
        .collect();
    let gateways = if gateways.is_empty() {
        "none was found: every address is taken for a device".to_owned()
    } else {
        format!("{}; what it forwards is that of the devices behind", gateways.join(", "))
    };
    let info = &told.info;
    let cut = match info.cut_windows {
        0 => String::new(),
        cut => format!(
            ", of which {cut} were under way when a reading began or ended, so that packets are missing"
        ),
    };
    let span = match info.first_window.zip(info.last_window) {
        Some((first, last)) => format!(", from {} to {}", to_second(first), to_second(last)),
        None => String::new(),
    };
    let acknowledged = match told.acknowledged {
        0 => "none".to_owned(),
        count => format!("{count}; they are left out here"),
    };
    page.section("How much was seen").definitions([
        ("gateway", gateways),
        ("windows with traffic", counted(told.times, "window", "windows") + &span),
        ("windows of devices", counted(info.windows, "window", "windows") + &cut),
        ("findings that somebody acknowledged", acknowledged),
    ]);
    let causes = told.causes();
    if causes.is_empty() {
        page.note(
            Tone::Plain,
            "The store has no event of lost packets, missing parts or limits that were reached.",
        );
    } else {
        page.paragraph("Missing:").list(causes.into_iter().take(MOST_EVENTS).map(Prose::from));
    }
    for note in told.missing.notes() {
        page.note(Tone::Note, format!("{note}."));
    }
    let mut table = Table::new([Column::texts("what"), Column::texts("where it is to be had")]);
    for (what, place) in ABSENT {
        table.add([Cell::from(what), Cell::from(place)]);
    }
    page.table(&table, "What a store does not keep, and this page does not have");
}

/// The findings of each device that has any.
fn findings(page: &mut Page, told: &Stored<'_>) {
    let mut devices: BTreeMap<DeviceId, Vec<&FindingRecord>> = BTreeMap::new();
    for finding in &told.findings {
        devices.entry(finding.device).or_default().push(finding);
    }
    for (device, findings) in devices {
        let mut table = Table::new([
            Column::new("severity", Type::Badges),
            Column::new("finding", Type::Prose),
            Column::texts("by"),
            Column::count("flows"),
            Column::texts("expected"),
            Column::texts("first seen"),
            Column::texts("last seen"),
        ]);
        for finding in findings.iter().take(MOST_FINDINGS) {
            let text = Prose::new().strong(finding.rule.clone()).text(format!(" {}", finding.seen));
            table.add([
                Cell::from(Badge::new(finding.severity.as_str(), tone(finding.severity))),
                Cell::from(text),
                Cell::from(finding.by.clone()),
                Cell::from(finding.flows),
                Cell::from(format!("{}; see {}", finding.expected, finding.reference)),
                Cell::from(to_minute(finding.first_seen)),
                Cell::from(to_minute(finding.last_seen)),
            ]);
        }
        let name = told.name_of(device);
        let title = if name == device.to_string() { name } else { format!("{name} ({device})") };
        let left = findings.len().saturating_sub(MOST_FINDINGS);
        let left = match left {
            0 => String::new(),
            left => format!("; {left} less severe ones are left out: store {} findings {device}", told.name),
        };
        page.section(title).table(&table, format!("Findings that nobody acknowledged{left}"));
    }
}

fn method(page: &mut Page, told: &Stored<'_>) {
    let model = match (told.has_model, told.is_judged()) {
        (true, _) => {
            " What devices behave like is what the model says that was given for this page, of the windows in the store."
        }
        (false, true) => " What devices behave like is the verdict that stood when this page was written.",
        (false, false) => "",
    };
    page.section("How this was made").paragraph(format!(
        "Everything here is what {} has of captured traffic; no device was asked anything, and no packet was read again. The \
         findings are those of the policy that the watch was given; why a rule matters is said by policy {} of {}.{model} What \
         a device does while nobody captures, and what it encrypts, is not seen.",
        told.name,
        told.policy.name(),
        told.policy.date(),
    ));
}
