use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use thingprint_audit::Severity;
use thingprint_change::{ChangeOptions, Comparison, DeviceDifferences, Side};
use thingprint_flow::DeviceId;
use thingprint_table::Format;

use self::row::{Kind, Row};
use self::side::SideRead;
use self::side_args::SideArgs;
use crate::args::GlobalArgs;
use crate::destinations::Destinations;
use crate::exit::{Misfit, Outcome, Usage};
use crate::files::write_file;
use crate::messages::{Messages, counted};
use crate::output::{Output, check_apart};

mod findings;
pub(super) mod page;
pub(super) mod reader;
mod row;
pub(super) mod side;
pub(super) mod side_args;
mod tables;
mod verdicts;

/// Compare two times of a network: what is new, gone or unusual
///
/// BEFORE and AFTER are each a capture, a folder or quoted glob of captures, a file of instances as `extract` writes it, or a
/// store of `watch`. Differences are ranked by how unusual they are for the device: 1 is the most that its own earlier time
/// explains. With captures on both sides, peers are compared; findings of captures and stores are compared, too, and with a model
/// the classes.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The earlier time, which says what is usual
    #[arg(value_name = "BEFORE")]
    before: OsString,

    /// The later time
    #[arg(value_name = "AFTER")]
    after: OsString,

    /// Compare no findings: captures are not audited, which saves a reading of both sides
    #[arg(long, conflicts_with = "policy")]
    no_audit: bool,

    /// Show differences that are usual for the device, or of which that cannot be said, too
    #[arg(long)]
    all: bool,

    /// Exit with status 3 when there is a row of this severity or a more severe one: note, warning or error
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Severity>,

    /// Write a page of HTML as well, which needs nothing beside it
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    html: Option<PathBuf>,

    #[command(flatten)]
    side: SideArgs,
}

/// What came of a comparison.
pub(super) struct Compared {
    rows: Vec<Row>,
    /// Rows that are usual or cannot be judged, and are left out.
    usual: u64,
    /// Rows that say no more than others, and are left out.
    explained: u64,
    devices: Vec<DeviceDifferences>,
    pub(super) sides: [SideRead; 2],
    /// A side without a window: then there is nothing to compare.
    empty_side: Option<String>,
    /// Why the comparison says little, or the wrong thing.
    doubts: Vec<String>,
    /// What could not be compared.
    pub(super) lacks: Vec<String>,
    /// Whether all was read and compared.
    pub(super) outcome: Outcome,
}

impl CompareArgs {
    /// The files that are written beside the result.
    pub(super) fn pages(&self) -> Option<&Path> {
        self.html.as_deref()
    }

    /// What would be written without pseudonyms.
    pub(super) fn names_everybody(&self) -> Option<&'static str> {
        self.html.as_ref().map(|_| "--html")
    }

    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        let output = Output::with_documents(global)?;
        if output.format() == Format::Sarif {
            return Err(Usage(
                "compare: unsupported format 'sarif': use table, json, csv or html".to_owned(),
            )
            .into());
        }
        if output.format() == Format::Html && output.has_pseudonyms() {
            let reason =
                "--pseudonyms: a page names devices as they are: choose table, csv, jsonl or parquet";
            return Err(Usage(reason.to_owned()).into());
        }
        self.destinations(&output).check(None)?;
        self.check_standard_input()?;
        let files = self.side.read(messages)?;
        let reader = self.side.reader(&files, global, messages);
        let sides = [&self.before, &self.after];
        let is_audited = !self.no_audit && sides.iter().all(|argument| reader::has_findings(argument));
        let read = |argument: &OsString| {
            let mut side = reader.read(std::slice::from_ref(argument), is_audited)?;
            side.keep_findings_alone();
            anyhow::Ok(side)
        };
        let [before, after] = sides.map(read);
        let (before, after) = (before?, after?);
        for side in [&before, &after] {
            output.check_apart(&side.inputs)?;
            check_apart(output.results(), self.html.as_deref(), &side.inputs)?;
        }
        check_alike(&before, &after)?;
        let sides = [before, after];
        side::report_both(&sides, messages);
        let compared = compared(sides, files.model.as_ref(), messages, self.all);
        if let Some(html) = &self.html {
            write_file(output.results(), html, page::page(&compared).html().as_bytes())?;
        }
        write(&compared, &output)?;
        compared.note(messages);
        let mut unusual = compared.rows.iter().filter(|row| row.is_unusual());
        let fails = self.fail_on.is_some_and(|severity| unusual.any(|row| row.severity >= severity));
        Ok(if fails { Outcome::Findings } else { compared.outcome })
    }

    /// What standard input gives cannot be both times.
    fn check_standard_input(&self) -> Result<(), Usage> {
        if self.before == "-" && self.after == "-" {
            let reason =
                "standard input is one time, and a comparison needs two: give a file for BEFORE or AFTER";
            return Err(Usage(reason.to_owned()));
        }
        Ok(())
    }

    fn destinations<'a>(&'a self, output: &'a Output) -> Destinations<'a> {
        let mut destinations = Destinations::of(output.results());
        destinations.add("--output", output.file()).add("--html", self.html.as_deref());
        for read in self.side.paths() {
            destinations.read(read);
        }
        for side in [&self.before, &self.after] {
            destinations.read(Some(side.as_ref()));
        }
        destinations
    }
}

fn write(compared: &Compared, output: &Output) -> anyhow::Result<()> {
    match output.format() {
        Format::Table => output.sections_within(&tables::sections(compared), super::WIDTH),
        Format::Html => output.with(|out| Ok(out.write_all(page::page(compared).html().as_bytes())?)),
        _ => output.table(&tables::rows(&compared.rows)?),
    }
}

/// Compares two sides, all of the result or what is unusual.
pub(super) fn compared(
    mut sides: [SideRead; 2],
    model: Option<&thingprint_model::Model>,
    messages: Messages,
    has_all: bool,
) -> Compared {
    let doubts = side::doubts(&sides);
    for doubt in &doubts {
        messages.warn(doubt);
    }
    let mut lacks = side::nothing(&sides);
    let mut comparison = Comparison::new(ChangeOptions::default());
    for (read, side) in sides.iter().zip([Side::Before, Side::After]) {
        for row in &read.rows {
            comparison.add(side, Cow::Borrowed(&row.instance));
        }
        if let Some(peers) = &read.peers {
            let peers = peers.iter().map(|(device, window, peer)| (*device, *window, peer.as_str()));
            comparison.add_peers(side, peers);
        }
    }
    let differences = comparison.finish();
    for side in &mut sides {
        side.peers = None;
    }
    lacks.extend(side::losses(differences.losses));
    for lack in &lacks {
        messages.warn(lack);
    }
    let outcome = if lacks.is_empty() { Outcome::Done } else { Outcome::Partial };
    let names = side::names(&sides);
    let mut rows: Vec<Row> = differences.devices.iter().flat_map(Row::of_device).collect();
    rows.extend(differences.events.iter().map(Row::of_event));
    rows.extend(model.map(|model| verdicts::rows(&sides, model)).into_iter().flatten());
    rows.extend(findings::rows(&sides));
    for row in &mut rows {
        row.label = row.device.and_then(|device| names.get(&device).cloned());
    }
    // Of nothing, nobody knows what is new or gone.
    let empty_side = sides.iter().find(|side| side.rows.is_empty()).map(|side| side.name.clone());
    if empty_side.is_some() {
        rows.clear();
    }
    let all = rows.len();
    let explained = rows.iter().filter(|row| row.kind == Kind::Explained).count();
    if !has_all {
        rows.retain(Row::is_unusual);
    }
    let explained = if has_all { 0 } else { explained };
    rows.sort_by(Row::by_rank);
    let usual = (all - rows.len() - explained) as u64;
    let outcome = sides.iter().map(|side| side.outcome).fold(outcome, Outcome::max);
    let devices = differences.devices;
    Compared { rows, usual, explained: explained as u64, devices, sides, empty_side, doubts, lacks, outcome }
}

impl Compared {
    /// How many rows say that something is worse or other than before: all but findings that are not there any more.
    pub(super) fn changes(&self) -> usize {
        self.rows.iter().filter(|row| !row.kind.is_gone_finding()).count()
    }

    /// What became of findings that are not there any more, in words; nothing where there is none.
    pub(super) fn gone_findings(&self) -> Vec<String> {
        let of = |kind| self.rows.iter().filter(|row| row.kind == kind).count() as u64;
        let fates = [
            (Kind::MendedFinding, "mended"),
            (Kind::UnseenFinding, "not seen again, which does not say that they are mended"),
            (Kind::UnjudgedFinding, "not judged again"),
        ];
        let fates = fates.into_iter().map(|(kind, fate)| (of(kind), fate)).filter(|(count, _)| *count > 0);
        fates.map(|(count, fate)| format!("{} {fate}", counted(count, "finding", "findings"))).collect()
    }

    /// How many rows are of findings that were not judged again.
    pub(super) fn findings_not_judged_again(&self) -> u64 {
        self.rows.iter().filter(|row| row.kind == Kind::UnjudgedFinding).count() as u64
    }

    /// The findings of a device that were not judged again: the rules, and how severe the worst was.
    pub(super) fn not_judged_again(&self, device: DeviceId) -> Option<(Severity, Vec<&str>)> {
        let is_meant = |row: &&Row| row.kind == Kind::UnjudgedFinding && row.device == Some(device);
        let rows = || self.rows.iter().filter(is_meant);
        let worst = rows().filter_map(|row| row.earlier_severity).max()?;
        let worst_rows = rows().filter(|row| row.earlier_severity == Some(worst));
        Some((worst, worst_rows.map(|row| row.what.as_str()).collect()))
    }

    /// Calls devices that have no label by what else is known of them.
    pub(super) fn call(&mut self, name: impl Fn(DeviceId) -> Option<String>) {
        for row in self.rows.iter_mut().filter(|row| row.label.is_none()) {
            row.label = row.device.and_then(&name);
        }
    }

    /// The most unusual rows in words, at most so many.
    pub(super) fn most(&self, most: usize) -> Vec<String> {
        let changes = self.rows.iter().filter(|row| !row.kind.is_gone_finding());
        changes.take(most).map(Row::in_words).collect()
    }

    /// What came out, in a line.
    fn note(&self, messages: Messages) {
        let of = |severity| self.rows.iter().filter(|row| row.severity == severity).count() as u64;
        let devices = counted(self.devices.len() as u64, "device", "devices");
        messages.note(format!(
            "{devices}: {}, {}, {}",
            counted(of(Severity::Error), "error", "errors"),
            counted(of(Severity::Warning), "warning", "warnings"),
            counted(of(Severity::Note), "note", "notes")
        ));
        if self.usual > 0 {
            messages.note(format!(
                "left out: {} that are usual for the device, or of which its earlier time is too short to say that; --all \
                 shows them",
                counted(self.usual, "difference", "differences")
            ));
        }
        if self.explained > 0 {
            messages.note(format!("held back: {}; --all shows them", self.held_back()));
        }
    }

    /// How many devices exceed limits by what is reported of them otherwise.
    fn held_back(&self) -> String {
        format!(
            "windows of {} that exceed a limit by no more than what is reported as new for good or outside its range",
            counted(self.explained, "device", "devices")
        )
    }
}

/// Refuses instances that were extracted in different ways.
pub(super) fn check_alike(before: &SideRead, after: &SideRead) -> Result<(), Misfit> {
    let (Some(of_before), Some(of_after)) = (&before.recipe, &after.recipe) else { return Ok(()) };
    let (of_before, of_after) = (of_before.without_evidence(), of_after.without_evidence());
    if of_before == of_after {
        return Ok(());
    }
    let (one, other) = of_before.differences(&of_after);
    Err(Misfit(format!(
        "{} was extracted with '{one}', {} with '{other}'; extract both with the same options",
        before.name, after.name
    )))
}
