//! The report as a page of HTML.

use std::collections::{BTreeMap, BTreeSet};

use crate::{DeviceAudit, FindingCounts, Policy, Severity};
use thingprint_figure::Page;
use thingprint_profile::Attribute;
use thingprint_table::{Badge, Cell, Column, Prose, Table, Tone, Type};

use super::cipher_plot;
use super::left_out;
use super::lines::{document, documents, lines, title};
use super::tables::{evidence, flow_counts, has_unjudged, mark, name, protocols, unjudged, vantage};
use super::when::to_second;
use super::{Notice, Report, answer, counted};

/// Captures that are named.
const MOST_CAPTURES: usize = 8;
/// Bytes of a reference that stays on one line.
const MOST_TOGETHER: usize = 20;
/// Values of an attribute that are named.
const MOST_VALUES: usize = 20;
/// Entries of a profile that were not used and are named.
const MOST_UNUSED: usize = 40;

/// The page of a report.
pub(crate) fn page(report: &Report, policy: &Policy) -> Page {
    let mut page = Page::new("Audit of the devices of a network");
    let devices = report.devices();
    page.summary(format!(
        "{devices}, judged by policy {}: {}.",
        policy.name(),
        report.counts_and_not_judged()
    ));
    notices(&mut page, &report.header.notices);
    for line in left_out::lines(&report.header.left_out, &report.header.labels) {
        page.note(Tone::Medium, format!("{line}."));
    }
    for messages in &report.header.messages_left_out {
        page.note(Tone::Medium, format!("{messages}."));
    }
    summary(&mut page, report, policy);
    findings_of_devices(&mut page, report);
    rules(&mut page, report, policy);
    cipher_suites(&mut page, report);
    fingerprints(&mut page, report);
    profiles(&mut page, report);
    page
}

/// The findings of each device that has any.
pub(super) fn findings_of_devices(page: &mut Page, report: &Report) {
    for device in report.audit.devices.iter().filter(|device| !device.findings.is_empty()) {
        page.section(name(device)).table(&findings(device), format!("{} flows", device.flows));
    }
}

fn summary(page: &mut Page, report: &Report, policy: &Policy) {
    page.section("Summary");
    page.definitions(facts(report, policy));
    page.paragraph(
        "Flows are counted by protocol, as found by content: those on a standard port of the protocol, and in brackets \
         those on others. Judged are those that a rule about their protocol could judge. A value is unique where no other device of these captures shows it. A \
         finding is a rule that a device breaks, as severe as the worst value; below, each value has a line, and the cipher suites of \
         one grade stand together.",
    );
    page.table(&devices(report), "Devices");
    let kept = violations(report);
    if kept.columns().len() > 1 {
        page.paragraph("What devices do not keep, with the most severe finding against each document:")
            .table(&kept, "Violations by document");
    } else {
        page.paragraph("No flow that was judged does what the policy does not accept.");
    }
    for line in report.not_judged() {
        page.note(Tone::Medium, format!("{line}."));
    }
    if report.header.vantage.is_some() {
        page.paragraph("What the place of the capture shows, and what to do where it hides something:")
            .table(&vantage(report), "What the captures show");
    }
    if has_unjudged(report) {
        page.paragraph("Flows that no rule could judge are not clean: nothing is known of them.")
            .table(&unjudged(report), "Flows that were not judged");
    }
}

/// What there is to know about the reading.
pub(super) fn notices(page: &mut Page, notices: &[Notice]) {
    for notice in notices.iter().filter(|notice| !notice.is_fact) {
        let tone = if notice.level > Severity::Note { Tone::Medium } else { Tone::Note };
        page.note(tone, format!("{notice}."));
    }
}

fn facts(report: &Report, policy: &Policy) -> Vec<(&'static str, String)> {
    let header = &report.header;
    let mut captures: Vec<String> = header.captures.iter().take(MOST_CAPTURES).cloned().collect();
    if let Some(more) = header.captures.len().checked_sub(MOST_CAPTURES).filter(|more| *more > 0) {
        captures.push(format!("and {more} more"));
    }
    let mut facts = vec![
        ("policy", format!("{} of {}: {}", policy.name(), policy.date(), policy.description())),
        ("captures", captures.join(", ")),
    ];
    if let Some((first, last)) = header.span {
        facts.push(("traffic", format!("{} to {}", to_second(first), to_second(last))));
    }
    facts.push(("flows", report.flows_in_words()));
    if !header.gateways.is_empty() {
        let gateways: Vec<String> = header.gateways.0.keys().map(ToString::to_string).collect();
        facts.push(("gateway", format!("{}; what it forwards is not judged", gateways.join(", "))));
    }
    facts
}

fn devices(report: &Report) -> Table {
    let protocols = protocols(report);
    let columns = [Column::texts("device"), Column::count("flows"), Column::count("judged")].into_iter();
    let columns = columns.chain(protocols.iter().map(|protocol| Column::texts(*protocol))).chain([
        Column::texts("fingerprint").help("values that no other device of these captures shows"),
        Column::new("findings", Type::Badges),
    ]);
    let mut table = Table::new(columns);
    for device in &report.audit.devices {
        let count = |protocol: &&str| flow_counts(device, protocol).map(|count| together(&count));
        let counts = protocols.iter().map(|protocol| Cell::from(count(protocol)));
        let judged = device.judgement.judged;
        let cells = [Cell::from(name(device)), Cell::from(device.flows), Cell::from(judged)];
        let cells = cells.into_iter().chain(counts);
        table.add(cells.chain([Cell::from(mark(report, device)), Cell::Badges(badges(device))]));
    }
    table
}

/// How many rules a device breaks, by the severity of the worst value.
pub(super) fn badges(device: &DeviceAudit) -> Vec<Badge> {
    let counts = FindingCounts::of_device(device);
    let badge = |severity: Severity| {
        let count = counts.at(severity);
        (count > 0).then(|| Badge::new(counted(count, severity), tone(severity)))
    };
    let gave_way =
        (device.dropped > 0).then(|| Badge::new(format!("{} left out", device.dropped), Tone::Plain));
    let mut badges: Vec<Badge> = Severity::ALL.into_iter().rev().filter_map(badge).chain(gave_way).collect();
    let judgement = device.judgement;
    if device.not_judged().is_some() {
        badges.extend([Badge::new("not judged", Tone::Medium), Badge::new(judgement.reasons(), Tone::Plain)]);
    } else if badges.is_empty() && judgement.is_whole() {
        badges.push(Badge::new("none", Tone::Good));
    } else if badges.is_empty() {
        // Green would say that the whole device is clean.
        let none = format!("none in {} of {} flows", judgement.judged, judgement.flows());
        badges.push(Badge::new(none, Tone::Plain));
    }
    badges
}

/// Devices by the documents that they do not keep.
fn violations(report: &Report) -> Table {
    let of_devices: Vec<_> = report.audit.devices.iter().map(|device| (device, documents(device))).collect();
    let all: BTreeSet<&str> =
        of_devices.iter().flat_map(|(_, kept)| kept.keys()).map(String::as_str).collect();
    let columns = all.iter().map(|document| Column::new(*document, Type::Badges));
    let mut table = Table::new([Column::texts("device")].into_iter().chain(columns));
    for (device, found) in of_devices.iter().filter(|(_, found)| !found.is_empty()) {
        let badge = |severity: &Severity| vec![Badge::new(severity.as_str(), tone(*severity))];
        let cell = |document: &&str| Cell::from(found.get(*document).map(badge));
        table.add([Cell::from(device.name())].into_iter().chain(all.iter().map(cell)));
    }
    table
}

fn findings(device: &DeviceAudit) -> Table {
    let mut table = Table::new([
        Column::new("severity", Type::Badges),
        Column::new("finding", Type::Prose),
        Column::texts("by"),
        Column::texts("flows"),
        Column::new("expected", Type::Prose),
        Column::texts("first seen"),
    ]);
    for line in lines(device) {
        let found = Prose::new().strong(line.rule).text(format!(" {}: {}", title(line.rule), line.seen));
        let expected = Prose::from(format!("{}; see ", line.expected));
        table.add([
            Cell::from(Badge::new(line.severity.as_str(), tone(line.severity))),
            Cell::from(found),
            Cell::from(line.by),
            Cell::from(together(&line.share())),
            Cell::from(references(expected, line.reference.split("; "))),
            Cell::from(line.first),
        ]);
    }
    table
}

/// The rules that were broken, in words.
pub(super) fn rules(page: &mut Page, report: &Report, policy: &Policy) {
    let broken = report.broken_rules(policy);
    if broken.is_empty() {
        return;
    }
    page.section("The rules behind the findings");
    for rule in &broken {
        page.details(format!("{} {}", rule.rule, rule.title), |page| {
            let said = rule.said().into_iter().map(|(what, text)| (what, Prose::from(text)));
            page.definitions(
                said.chain([(
                    "reference",
                    references(Prose::new(), rule.reference.iter().map(String::as_str)),
                )]),
            );
        });
    }
}

/// A text that stays on one line.
fn together(text: &str) -> String {
    text.replace(' ', "\u{a0}")
}

/// Adds references, with links to RFCs.
fn references<'a>(mut prose: Prose, references: impl IntoIterator<Item = &'a str>) -> Prose {
    for (at, reference) in references.into_iter().enumerate() {
        if at > 0 {
            prose = prose.text("; ");
        }
        let number = document(reference).strip_prefix("RFC ").filter(|number| number.parse::<u32>().is_ok());
        prose = match number {
            Some(number) => {
                let is_short = reference.len() <= MOST_TOGETHER;
                let text = if is_short { together(reference) } else { reference.to_owned() };
                prose.link(text, format!("https://www.rfc-editor.org/rfc/rfc{number}"))
            }
            None => prose.text(reference),
        };
    }
    prose
}

fn cipher_suites(page: &mut Page, report: &Report) {
    let grades = cipher_plot::grades(report);
    if grades.rows.is_empty() {
        return;
    }
    let beyond = match cipher_plot::left_out(report) {
        0 => String::new(),
        more => format!(" {more} more lists are not drawn."),
    };
    page.section("Cipher suites offered");
    page.figure(&grades, format!("Grade of each suite in the order in which clients offer them.{beyond}"));
    page.figure(
        &cipher_plot::lines(report),
        format!("The same lists by the codes of the suites: a shape that may tell a device.{beyond}"),
    );
}

fn fingerprints(page: &mut Page, report: &Report) {
    page.section("Fingerprints");
    if report.likenesses().next().is_some() {
        page.table(&likenesses(report), "Known devices that these look like");
    }
    page.paragraph("What no other device of these captures shows, by attribute:");
    for device in &report.audit.devices {
        let Some(shows) = report.shows(device.device).filter(|shows| shows.unique() > 0) else { continue };
        page.details(format!("{}: {} unique values", name(device), shows.unique()), |page| {
            let mut by_attribute: BTreeMap<Attribute, Vec<&str>> = BTreeMap::new();
            for value in shows.values.iter().filter(|value| value.is_unique) {
                by_attribute.entry(value.attribute).or_default().push(&value.value);
            }
            page.definitions(by_attribute.iter().flat_map(|(attribute, values)| named(*attribute, values)));
        });
    }
}

/// The first values of an attribute, and how many more there are: lists of time servers are long.
fn named<'a>(
    attribute: Attribute,
    values: &'a [&str],
) -> impl Iterator<Item = (&'static str, Prose)> + use<'a> {
    let more = values.len().saturating_sub(MOST_VALUES);
    let more = (more > 0).then(|| Prose::from(format!("and {more} more, which the JSON result has")));
    let values = values.iter().take(MOST_VALUES).map(|value| Prose::new().code(*value));
    values.chain(more).map(move |value| (attribute.name(), value))
}

fn likenesses(report: &Report) -> Table {
    let mut table = Table::new([
        Column::texts("device"),
        Column::new("answer", Type::Badges),
        Column::texts("looks like"),
        Column::decimals("score", 3),
        Column::texts("by"),
    ]);
    for (device, likeness) in report.likenesses() {
        let (word, names) = answer(&likeness.answer);
        let tone = match word {
            "known" => Tone::Good,
            "resembles" | "tied" => Tone::Note,
            _ => Tone::Plain,
        };
        table.add([
            Cell::from(name(device)),
            Cell::from(Badge::new(word, tone)),
            Cell::from(names.join(", ")),
            Cell::from(likeness.candidates.first().map(|best| best.score)),
            Cell::from(evidence(likeness)),
        ]);
    }
    table
}

fn profiles(page: &mut Page, report: &Report) {
    if report.verdicts().next().is_none() {
        return;
    }
    page.section("MUD profiles");
    page.paragraph(
        "What a profile does not allow is among the findings of its device, as MUD-001. Flows are allowed by the device's \
         word alone where only its server name or Host header says whom it talks to, and no DNS answer does.",
    );
    page.table(&verdicts(report), "Traffic held against profiles");
    for (device, verdict) in report.verdicts() {
        let unused: Vec<String> = verdict.unused().take(MOST_UNUSED).collect();
        if !unused.is_empty() {
            page.details(format!("{}: entries never used", name(device)), |page| {
                page.list(unused);
            });
        }
    }
}

fn verdicts(report: &Report) -> Table {
    let counts = [
        "flows",
        "not allowed",
        "allowed by default",
        "allowed by the device's word alone",
        "entries",
        "entries never used",
    ];
    let columns = [Column::texts("device"), Column::new("profile", Type::Prose)];
    let mut table = Table::new(columns.into_iter().chain(counts.map(Column::count)));
    for (device, verdict) in report.verdicts() {
        let checked = verdict.report();
        table.add([
            Cell::from(name(device)),
            Cell::from(Prose::new().code(verdict.file())),
            Cell::from(checked.flows),
            Cell::from(checked.denied_flows),
            Cell::from(checked.implied_flows),
            Cell::from(checked.claimed_flows),
            Cell::from(checked.entries.len()),
            Cell::from(verdict.unused().count()),
        ]);
    }
    table
}

const fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Note => Tone::Note,
        Severity::Warning => Tone::Medium,
        Severity::Error => Tone::Critical,
    }
}
