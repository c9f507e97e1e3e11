//! The report as a page of HTML.

use std::collections::{BTreeMap, BTreeSet};

use thingprint_audit::{DeviceAudit, Policy, Severity};
use thingprint_figure::{Badge, Page, PageCell, PageColumn, PageTable, Prose, Tone};
use thingprint_profile::Attribute;

use super::cipher_plot;
use super::lines::{Line, document, documents, lines, title};
use super::mud::Verdict;
use super::report::{Report, answer, counted};
use super::sections::{evidence, mark, name, port_counts, protocols};
use super::when::to_second;

/// Captures that are named.
const MOST_CAPTURES: usize = 8;
/// Bytes of a reference that stays on one line.
const MOST_TOGETHER: usize = 20;
/// Values of an attribute that are named.
const MOST_VALUES: usize = 20;
/// Entries of a profile that were not used and are named.
const MOST_UNUSED: usize = 40;

/// The page of a report.
pub(super) fn page(report: &Report, policy: &Policy) -> Page {
    let mut page = Page::new("Audit of the devices of a network");
    let devices = report.devices();
    page.summary(format!("{devices}, judged by policy {}: {}.", policy.name(), report.counts()));
    summary(&mut page, report, policy);
    for device in report.audit.devices.iter().filter(|device| !device.findings.is_empty()) {
        page.section(name(device)).table(&findings(device));
    }
    rules(&mut page, report, policy);
    cipher_suites(&mut page, report);
    fingerprints(&mut page, report);
    profiles(&mut page, report);
    page
}

fn summary(page: &mut Page, report: &Report, policy: &Policy) {
    page.section("Summary");
    page.definitions(facts(report, policy));
    page.paragraph(
        "Flows are counted by protocol, as found by content: those on a standard port of the protocol, and in brackets \
         those on others. A value is unique where no other device of these captures shows it. Each value that the \
         policy does not accept is a finding of its own; below, the cipher suites of one grade stand together.",
    );
    page.table(&devices(report));
    for (count, what) in report.header.dropped.in_words().into_iter().filter(|(count, _)| *count > 0) {
        page.note(Tone::Medium, format!("{count} {what}."));
    }
    let kept = violations(report);
    if kept.columns.len() > 1 {
        page.paragraph("What devices do not keep, with the gravest finding against each document:")
            .table(&kept);
    } else {
        page.paragraph("No device did what the policy does not accept.");
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
    if let Some(gateway) = header.gateway {
        facts.push(("gateway", format!("{gateway}, which is not judged")));
    }
    facts
}

fn devices(report: &Report) -> PageTable {
    let protocols = protocols(report);
    let marks = [PageColumn::new("fingerprint").help("values that no other device of these captures shows")];
    let columns = ["device", "flows"].map(PageColumn::new).into_iter();
    let columns = columns.chain(protocols.iter().map(|protocol| PageColumn::new(*protocol))).chain(marks);
    let row = |device: &DeviceAudit| {
        let count =
            |protocol: &&str| port_counts(device.protocols.get(*protocol)).map(|count| together(&count));
        let counts = protocols.iter().map(|protocol| text(count(protocol)));
        let cells = [PageCell::from(name(device)), device.flows.into()];
        cells.into_iter().chain(counts).chain([text(mark(report, device))]).collect()
    };
    PageTable {
        caption: "Devices".into(),
        columns: columns.chain([PageColumn::new("findings")]).collect(),
        rows: report.audit.devices.iter().map(|device| with_badges(row(device), device)).collect(),
    }
}

/// A row with how many findings of each severity there are.
fn with_badges(mut row: Vec<PageCell>, device: &DeviceAudit) -> Vec<PageCell> {
    let badge = |severity: Severity| {
        let count = device.findings.iter().filter(|finding| finding.severity == severity).count();
        (count > 0).then(|| Badge::new(counted(count, severity), tone(severity)))
    };
    let left_out =
        (device.dropped > 0).then(|| Badge::new(format!("{} left out", device.dropped), Tone::Plain));
    let badges: Vec<Badge> = Severity::ALL.into_iter().rev().filter_map(badge).chain(left_out).collect();
    let none = || vec![Badge::new("none", Tone::Good)];
    row.push(PageCell::Badges(if badges.is_empty() { none() } else { badges }));
    row
}

/// Devices by the documents that they do not keep.
fn violations(report: &Report) -> PageTable {
    let of_devices: Vec<_> = report.audit.devices.iter().map(|device| (device, documents(device))).collect();
    let all: BTreeSet<&str> =
        of_devices.iter().flat_map(|(_, kept)| kept.keys()).map(String::as_str).collect();
    let row = |(device, found): &(&DeviceAudit, _)| {
        let found: &std::collections::BTreeMap<String, Severity> = found;
        let cell = |document: &&str| match found.get(*document) {
            Some(severity) => Badge::new(severity.as_str(), tone(*severity)).into(),
            None => PageCell::Absent,
        };
        let short = device.label.clone().unwrap_or_else(|| device.device.to_string());
        [PageCell::from(short)].into_iter().chain(all.iter().map(cell)).collect()
    };
    let columns = [PageColumn::new("device")].into_iter();
    PageTable {
        caption: "Violations by document".into(),
        columns: columns.chain(all.iter().map(|document| PageColumn::new(*document))).collect(),
        rows: of_devices.iter().filter(|(_, found)| !found.is_empty()).map(row).collect(),
    }
}

fn findings(device: &DeviceAudit) -> PageTable {
    let row = |line: Line| {
        let found = Prose::new().strong(line.rule).text(format!(" {}: {}", title(line.rule), line.seen));
        vec![
            Badge::new(line.severity.as_str(), tone(line.severity)).into(),
            found.into(),
            line.by.into(),
            together(&line.share()).into(),
            references(Prose::from(format!("{}; see ", line.expected)), line.reference.split("; ")).into(),
            line.first.into(),
        ]
    };
    let columns = ["severity", "finding", "by", "flows", "expected", "first seen"];
    PageTable {
        caption: Prose::from(format!("{} flows", device.flows)),
        columns: columns.map(PageColumn::new).into(),
        rows: lines(device).into_iter().map(row).collect(),
    }
}

/// The rules that were broken, in words.
fn rules(page: &mut Page, report: &Report, policy: &Policy) {
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
    let left_out = match cipher_plot::left_out(report) {
        0 => String::new(),
        more => format!(" {more} more lists are not drawn."),
    };
    page.section("Cipher suites offered");
    page.figure(&grades, format!("Grade of each suite in the order in which clients offer them.{left_out}"));
    page.figure(
        &cipher_plot::lines(report),
        format!("The same lists by the codes of the suites: a shape that may tell a device.{left_out}"),
    );
}

fn fingerprints(page: &mut Page, report: &Report) {
    page.section("Fingerprints");
    if report.likenesses().next().is_some() {
        page.table(&likenesses(report));
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

fn likenesses(report: &Report) -> PageTable {
    let row = |(device, likeness): (&DeviceAudit, &thingprint_profile::Likeness)| {
        let (word, names) = answer(&likeness.answer);
        let tone = match word {
            "known" => Tone::Good,
            "resembles" | "tied" => Tone::Note,
            _ => Tone::Plain,
        };
        let score = likeness.candidates.first().map(|best| best.score);
        vec![
            name(device).into(),
            Badge::new(word, tone).into(),
            names.join(", ").into(),
            PageCell::number(score, 3),
            text(evidence(likeness)),
        ]
    };
    PageTable {
        caption: "Known devices that these look like".into(),
        columns: ["device", "answer", "looks like", "score", "by"].map(PageColumn::new).into(),
        rows: report.likenesses().map(row).collect(),
    }
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
    let row = |(device, verdict): (&DeviceAudit, &Verdict)| {
        let checked = verdict.report();
        vec![
            name(device).into(),
            PageCell::Code(verdict.file().to_owned()),
            checked.flows.into(),
            checked.denied_flows.into(),
            checked.implied_flows.into(),
            checked.claimed_flows.into(),
            checked.entries.len().into(),
            verdict.unused().count().into(),
        ]
    };
    let columns = [
        "device",
        "profile",
        "flows",
        "not allowed",
        "allowed by default",
        "allowed by the device's word alone",
        "entries",
        "entries never used",
    ];
    page.table(&PageTable {
        caption: "Traffic held against profiles".into(),
        columns: columns.map(PageColumn::new).into(),
        rows: report.verdicts().map(row).collect(),
    });
    for (device, verdict) in report.verdicts() {
        let unused: Vec<String> = verdict.unused().take(MOST_UNUSED).collect();
        if !unused.is_empty() {
            page.details(format!("{}: entries never used", name(device)), |page| {
                page.list(unused);
            });
        }
    }
}

const fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Note => Tone::Note,
        Severity::Warning => Tone::Medium,
        Severity::Error => Tone::Critical,
    }
}

fn text(text: Option<String>) -> PageCell {
    text.map_or(PageCell::Absent, PageCell::Text)
}
