//! What is on the network: who devices are by what they say and by what they do.

use std::collections::BTreeMap;

use thingprint_audit::report::to_second;
use thingprint_figure::Page;
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_identity::{Field, Identity};
use thingprint_instance::DeviceEntry;
use thingprint_table::{Badge, Cell, Column, Prose, Table, Tone, Type};

use super::in_words::not_judged_again;
use super::told::Told;
use crate::identities::{contradictions, in_short, least_certainty};
use crate::messages::counted;

/// Addresses and names of a device that the inventory shows.
const MOST_ADDRESSES: usize = 3;
/// Words of a device that the table of unknown devices shows.
const MOST_WORDS: usize = 5;
/// Length of a time to the minute.
const TO_MINUTE: usize = "2026-11-30T12:00".len();

/// Every device, with what it is.
pub(super) fn inventory(page: &mut Page, told: &Told<'_>) {
    let mut windows: BTreeMap<DeviceId, u64> = BTreeMap::new();
    for row in told.windows {
        *windows.entry(row.instance.device).or_default() += 1;
    }
    let mut table = Table::new([
        Column::new("device", Type::Prose),
        Column::new("says it is", Type::Prose)
            .help("by what it says of itself, and how far that is to be trusted"),
        Column::new("behaves like", Type::Prose).help("what the model says; unknown where no class fits"),
        Column::new("findings", Type::Badges),
        Column::texts("looks up"),
        Column::count("hours").help("hours, or other windows, in which it sent anything"),
        Column::count("IP packets"),
        Column::texts("last seen"),
    ]);
    for entry in told.devices {
        let mut names: Vec<(&String, &u64)> = entry.names.iter().collect();
        names.sort_by(|a, b| b.1.cmp(a.1));
        let names: Vec<&str> = names.iter().take(MOST_ADDRESSES).map(|(name, _)| name.as_str()).collect();
        table.add([
            Cell::from(named(told, entry)),
            Cell::from(told.known.identity(entry.device).and_then(says)),
            Cell::from(behaves(told, entry.device)),
            Cell::Badges(findings(told, entry.device)),
            Cell::from((!names.is_empty()).then(|| names.join(", "))),
            Cell::from(windows.get(&entry.device).copied().unwrap_or(0)),
            Cell::from(entry.packets_up + entry.packets_down),
            Cell::from(entry.last_seen.map(to_minute)),
        ]);
    }
    table.drop_empty_columns();
    page.section("Devices").table(&table, "Everything that sent packets, but for gateways; times are UTC");
    identities(page, told);
}

/// The findings of a device; of one without a flow, that nobody could judge it.
fn findings(told: &Told<'_>, device: DeviceId) -> Vec<Badge> {
    let mut badges = told.report.badges(device);
    if badges.is_empty() {
        badges.push(Badge::new("not judged: no flow", Tone::Medium));
    }
    badges.extend(not_judged_again(told.changes, device));
    badges
}

/// The name of a device, with its addresses below.
fn named(told: &Told<'_>, entry: &DeviceEntry) -> Prose {
    let addresses = entry.addresses.keys().take(MOST_ADDRESSES).map(ToString::to_string);
    let mut of_device: Vec<String> = [entry.device.to_string()].into_iter().chain(addresses).collect();
    let name = told.known.name(entry);
    of_device.retain(|address| *address != name);
    of_device.dedup();
    Prose::new().strong(name).text(" ").text(of_device.join(", "))
}

/// Who a device says it is, in a few words.
fn says(identity: &Identity) -> Option<Prose> {
    let short = in_short(identity)?;
    let certainty = least_certainty(identity)?;
    Some(Prose::from(format!("{short} ({certainty})")))
}

/// What the model says of a device, and what the device says against it.
fn behaves(told: &Told<'_>, device: DeviceId) -> Option<Prose> {
    let said = told.known.answers.get(&device)?;
    let prose = Prose::from(said.class.clone());
    let disagreements = told.known.disagreements(device);
    if disagreements.is_empty() {
        return Some(prose);
    }
    Some(prose.text(": ").strong("contradicts what it says"))
}

/// Who devices say they are, field by field.
fn identities(page: &mut Page, told: &Told<'_>) {
    let fields = Field::ALL.map(|field| Column::texts(field.as_str()));
    let mut table = Table::new(
        [Column::texts("device")].into_iter().chain(fields).chain([Column::texts("what contradicts")]),
    );
    for entry in told.devices {
        let Some(identity) = told.known.identity(entry.device) else { continue };
        let against = [contradictions(identity), told.known.disagreements(entry.device)].concat().join("; ");
        let of_fields = Field::ALL.map(|field| answered(identity, field));
        if of_fields.iter().all(Option::is_none) && against.is_empty() {
            continue;
        }
        let cells = [Cell::from(told.name(entry))].into_iter().chain(of_fields.map(Cell::from));
        table.add(cells.chain([Cell::from((!against.is_empty()).then_some(against))]));
    }
    table.drop_empty_columns();
    if table.rows() > 0 {
        page.paragraph(
            "What devices say of themselves, with how far it is to be trusted and where they say it. Declared is what stands \
             in a field for it; likely follows from what such devices have; vendor only follows from the address or from the \
             cloud. A device can say what it likes.",
        );
        page.table(&table, "Who the devices say they are");
    }
}

/// The value of a field, with certainty and sources.
fn answered(identity: &Identity, field: Field) -> Option<String> {
    let answer = identity.answer(field);
    let (value, certainty) = (answer.value.as_ref()?, answer.certainty?);
    Some(format!("{value} ({certainty}: {})", answer.sources().join(", ")))
}

/// Devices of which nobody says what they are.
pub(super) fn unknown(page: &mut Page, told: &Told<'_>) {
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
        Column::new("device", Type::Prose),
        Column::new("says it is", Type::Prose),
        Column::texts("most like"),
        Column::texts("why it is unknown"),
        Column::texts("speaks"),
        Column::texts("looks up"),
        Column::new("hint", Type::Badges),
    ]);
    for entry in unknown {
        let said = told.known.answers.get(&entry.device);
        let words = |bag: &BTreeMap<String, u64>| {
            let words: Vec<&str> = bag.keys().take(MOST_WORDS).map(String::as_str).collect();
            (!words.is_empty()).then(|| words.join(", "))
        };
        table.add([
            Cell::from(named(told, entry)),
            Cell::from(told.known.identity(entry.device).and_then(says)),
            Cell::from(said.map(|said| said.best_guess.clone())),
            Cell::from(why(told, entry)),
            Cell::from(words(&entry.services)),
            Cell::from(words(&entry.names)),
            Cell::Badges(hints(entry.device)),
        ]);
    }
    table.drop_empty_columns();
    page.table(&table, "Devices without a label that no class of the model fits");
}

/// Why nobody knows what a device is.
fn why(told: &Told<'_>, entry: &DeviceEntry) -> Option<String> {
    let packets = entry.packets_up + entry.packets_down;
    if packets == 0 {
        return Some("it sent no IP packet: only frames of the local network, such as ARP".to_owned());
    }
    let reason = told.known.answers.get(&entry.device).and_then(|said| said.reason.clone());
    let too_little = told
        .has_model
        .then(|| format!("it sent too little to be judged: {}", counted(packets, "IP packet", "IP packets")));
    reason.or(too_little)
}

/// What its address says of a device.
pub(super) fn hints(device: DeviceId) -> Vec<Badge> {
    match device {
        DeviceId::Mac(mac) if mac.is_locally_administered() => {
            vec![Badge::new("randomised address", Tone::Plain)]
        }
        _ => Vec::new(),
    }
}

/// A time to the minute.
pub(super) fn to_minute(time: Timestamp) -> String {
    let text = to_second(time);
    text.get(..TO_MINUTE).unwrap_or(&text).replace('T', "\u{a0}")
}
