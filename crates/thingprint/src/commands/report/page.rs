//! The page: what a reader needs first stands first.

use std::fmt::Write;

use thingprint_audit::Judgement;
use thingprint_audit::report::{Advice, to_second};
use thingprint_figure::Page;
use thingprint_table::{Prose, Tone};

use super::advice;
use super::coverage::coverage;
use super::in_words::{
    MOST_NAMED, changes_first, changes_since, more, not_complete, some_of, unknown_devices,
};
use super::inventory::{inventory, unknown};
use super::told::Told;
use crate::commands::compare;
use crate::messages::counted;

/// Packets of which one that was cut is worth a word.
const FEW_CUT: u64 = 100;

/// The page of a report.
pub(super) fn page(told: &Told<'_>) -> Page {
    let mut page = Page::new("Report on a network");
    let all = told.report.advice(told.policy);
    page.summary(in_short(told));
    if let Some(why) = not_complete(&told.missing.causes()) {
        page.note(Tone::Medium, why);
    }
    for warning in told.missing.warnings() {
        page.note(Tone::Medium, format!("This page may be wrong: {warning}."));
    }
    first(&mut page, told, &all);
    inventory(&mut page, told);
    unknown(&mut page, told);
    to_do(&mut page, told, &all);
    changes(&mut page, told);
    coverage(&mut page, told);
    told.report.write_findings(&mut page, told.policy);
    method(&mut page, told);
    page
}

/// The whole in a few sentences.
fn in_short(told: &Told<'_>) -> String {
    let mut text = match told.span() {
        Some((first, last)) => {
            format!("Seen: {}, from {} to {}.", told.devices_in_words(), to_second(first), to_second(last))
        }
        None => "No packet was read.".to_owned(),
    };
    if told.devices.is_empty() {
        return text;
    }
    let names: Vec<String> = told.unknown().into_iter().map(|entry| told.name(entry)).collect();
    _ = write!(text, " {} The audit has {}.", unknown_devices(&names, told.has_model), told.found());
    if let Some(changes) = told.changes {
        _ = write!(text, " {}", changes_since(changes));
    }
    text
}

/// What is worst, for whoever reads nothing else.
fn first(page: &mut Page, told: &Told<'_>, all: &[Advice]) {
    page.section("What to look at first");
    let mut items: Vec<Prose> = advice::items(all);
    let unknown = told.unknown();
    if !unknown.is_empty() {
        let count = counted(unknown.len() as u64, "device that nobody named", "devices that nobody named");
        let silent = unknown.iter().filter(|entry| !told.says_what_it_is(entry));
        let silent: Vec<String> = silent.map(|entry| told.name(entry)).collect();
        let silent = match silent.len() {
            0 => String::new(),
            some => format!(" {some} of them say nothing of what they are either: {}.", some_of(&silent)),
        };
        items.push(
            Prose::new()
                .strong(count)
                .text(format!(": find out what they are, and give them a label.{silent}")),
        );
    }
    items.extend(not_judged(told));
    items.extend(cut_packets(told));
    items.extend(unanswered(told));
    for entry in told.contradicting() {
        let why = told.known.disagreements(entry.device).join("; ");
        items.push(
            Prose::new()
                .strong(format!("{} is not what it says, or behaves otherwise", told.name(entry)))
                .text(format!(": it {why}. What to do: look whether it is the device that belongs there.")),
        );
    }
    items.extend(told.changes.into_iter().flat_map(changes_first));
    if told.devices.is_empty() {
        page.note(
            Tone::Medium,
            "Nothing was seen, so nothing is known: capture for days at a place that all devices pass.",
        );
    } else if items.is_empty() {
        page.note(Tone::Good, "Nothing: no error and no warning, and every device is known and was judged.");
    } else {
        page.list(items);
    }
}

/// Packets that were not captured whole, where flows could not be judged that may be so for it.
fn cut_packets(told: &Told<'_>) -> Option<Prose> {
    let packets = told.report.header.vantage?.packets;
    let Judgement { unjudged, unrecognised, .. } = told.report.audit.judgement();
    let is_cut = packets.cut.saturating_mul(FEW_CUT) > packets.packets && unjudged + unrecognised > 0;
    is_cut.then(|| {
        let head = format!("{} of {} packets were not captured whole", packets.cut, packets.packets);
        Prose::new().strong(head).text(format!(
            ": the longest has {} bytes, and {} could not be judged. What to do: capture again with whole packets \
             (tcpdump -s 0).",
            packets.snap_bytes,
            counted(unjudged + unrecognised, "flow", "flows")
        ))
    })
}

/// Devices whose connections nobody answers, though answers to them are captured.
fn unanswered(told: &Told<'_>) -> Option<Prose> {
    let devices = told.unanswered();
    if devices.is_empty() {
        return None;
    }
    let count = counted(devices.len() as u64, "device that gets no answer", "devices that get no answer");
    let named: Vec<String> = devices
        .iter()
        .take(MOST_NAMED)
        .map(|(entry, shows)| {
            let of = counted(shows.tcp_flows, "TCP connection", "TCP connections");
            format!("{} ({} of {of})", told.name(entry), shows.unanswered_flows)
        })
        .collect();
    let more = more(devices.len(), named.len());
    Some(Prose::new().strong(count).text(format!(
        ": {}{more}. What to do: see whether the service that they call is still there, and whether a firewall stops them.",
        named.join(", ")
    )))
}

/// The devices of which the audit knows nothing.
fn not_judged(told: &Told<'_>) -> Option<Prose> {
    let devices = told.not_judged();
    if devices.is_empty() {
        return None;
    }
    let count =
        counted(devices.len() as u64, "device that could not be judged", "devices that could not be judged");
    let named: Vec<String> = devices
        .iter()
        .take(MOST_NAMED)
        .map(|(entry, why)| format!("{} ({})", told.name(entry), why.trim_start_matches("not judged: ")))
        .collect();
    let more = devices.len() - named.len();
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Some(Prose::new().strong(count).text(format!(
        ": {}{more}. Nothing is known of what they do. {}",
        named.join("; "),
        remedies(told).join(" ")
    )))
}

/// What to do about devices that could not be judged, by the reasons that there are.
fn remedies(told: &Told<'_>) -> Vec<&'static str> {
    let mut all = Judgement::default();
    let mut has_flows = true;
    for (entry, _) in told.not_judged() {
        let judgement = told.judgement(entry);
        has_flows &= judgement.flows() > 0;
        all.add(judgement);
    }
    let remedies = [
        (
            all.unrecognised + all.unjudged > 0,
            "What to do: capture longer, from the start of their connections on, at a place that all their packets pass; what is still \
             not recognised is encrypted or of a protocol that nobody described.",
        ),
        (all.without_rule > 0, "Where a protocol has no rule, no capture helps."),
        (
            !has_flows,
            "A device without a flow shows itself by broadcasts alone: capture where its own packets pass.",
        ),
    ];
    remedies.into_iter().filter_map(|(is_there, remedy)| is_there.then_some(remedy)).collect()
}

/// Findings by what to do about them.
fn to_do(page: &mut Page, told: &Told<'_>, all: &[Advice]) {
    page.section("What to do");
    let not_judged = told.not_judged();
    if all.is_empty() && not_judged.is_empty() {
        page.note(Tone::Good, "The audit has no error and no warning.");
        return;
    }
    if !not_judged.is_empty() {
        let of =
            format!("{} of {}", not_judged.len(), counted(told.devices.len() as u64, "device", "devices"));
        page.note(
            Tone::Medium,
            format!("The audit could not judge {of}: that they have no findings says nothing."),
        );
    }
    if all.is_empty() {
        page.paragraph("Of what could be judged, nothing is an error or a warning.");
        return;
    }
    advice::table(page, all);
}

fn changes(page: &mut Page, told: &Told<'_>) {
    let Some(changes) = told.changes else { return };
    page.section("What changed");
    let [before, _] = &changes.sides;
    let span = before.span().map_or_else(String::new, |(first, last)| {
        format!(", whose hours begin from {} to {}", to_second(first), to_second(last))
    });
    page.paragraph(format!(
        "Each device is compared with its own earlier time, {}{span}. Unusual is a multiple of the most that this earlier time \
         explains: 1 is still usual.",
        before.name
    ));
    compare::page::tables(page, changes);
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
