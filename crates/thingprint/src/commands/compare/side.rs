//! One of the two times: instances of captures, of files or of a store.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;

use thingprint_audit::{Audit, Policy};
use thingprint_change::Losses;
use thingprint_flow::{DeviceId, FlowOptions, Timestamp, WindowLength};
use thingprint_instance::{EvidenceSet, ExtractionRecipe, Labeled, Semantics};
use thingprint_model::Model;
use thingprint_pipeline::{Event, FlowRow, FlowStage};
use thingprint_profile::Place;
use thingprint_report::Labels;
use thingprint_store::{ExportOptions, StoreError};

use crate::args::{ExtractionArgs, GlobalArgs};
use crate::commands::audit::survey::{Survey, Surveying};
use crate::exit::{Misfit, Outcome, Usage};
use crate::extraction::Extraction;
use crate::inputs::{Input, expand, is_capture_input, named};
use crate::instances::{InstanceTable, check_model_semantics, recipe_of};
use crate::left_out::report_left_out;
use crate::messages::{Messages, counted};
use crate::read_report::report_read;
use crate::reading::Reading;

/// The first bytes of every SQLite database.
const STORE_BYTES: &[u8; 16] = b"SQLite format 3\0";
/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;
/// Days of the earlier time from which on all of it can be judged.
const LEAST_DAYS: usize = 3;

/// How sides are read.
pub(in crate::commands) struct Reader<'a> {
    pub(in crate::commands) extraction: &'a ExtractionArgs,
    pub(in crate::commands) model: Option<&'a Model>,
    pub(in crate::commands) labels: &'a Labels,
    /// What captures are judged by; `None` where they are not.
    pub(in crate::commands) policy: Option<&'a Policy>,
    pub(in crate::commands) global: &'a GlobalArgs,
    pub(in crate::commands) messages: Messages,
}

/// What was read of a side.
#[derive(Default)]
pub(in crate::commands) struct SideRead {
    /// The argument.
    pub(in crate::commands) name: String,
    pub(in crate::commands) inputs: Vec<Input>,
    pub(in crate::commands) rows: Vec<Labeled>,
    /// How the instances were made, where that is known.
    pub(in crate::commands) recipe: Option<ExtractionRecipe>,
    /// Hosts that devices exchanged packets with, by window; of captures alone.
    pub(in crate::commands) peers: Vec<(DeviceId, Timestamp, String)>,
    /// What an audit saw; of captures alone.
    pub(in crate::commands) survey: Option<Survey>,
    pub(in crate::commands) outcome: Outcome,
}

impl SideRead {
    /// The findings, where captures were audited.
    pub(in crate::commands) fn audit(&self) -> Option<&Audit> {
        self.survey.as_ref().map(|survey| &survey.seen.audit)
    }

    /// Start of the first and of the last window.
    pub(in crate::commands) fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let starts = || self.rows.iter().map(|row| row.instance.window_start);
        starts().min().zip(starts().max())
    }
}

/// Whether an argument stands for captures.
pub(in crate::commands) fn is_of_captures(argument: &OsStr) -> bool {
    if is_store(Path::new(argument)) {
        return false;
    }
    // What is not there is reported where it is read.
    let silent = Messages::new(true, false);
    expand(&[argument.to_owned()], silent).is_ok_and(|(inputs, _)| inputs.iter().all(is_capture_input))
}

fn is_store(path: &Path) -> bool {
    let mut start = [0; STORE_BYTES.len()];
    path.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start == *STORE_BYTES
}

impl Reader<'_> {
    /// Reads a side.
    pub(in crate::commands) fn read(
        &self,
        arguments: &[OsString],
        is_audited: bool,
    ) -> anyhow::Result<SideRead> {
        let name = named(arguments);
        let mut side = if let [path] = arguments
            && is_store(Path::new(path))
        {
            self.store(Path::new(path))?
        } else {
            let (inputs, found) = expand(arguments, self.messages)?;
            let (captures, tables): (Vec<Input>, Vec<Input>) = inputs.into_iter().partition(is_capture_input);
            let side = match (captures.is_empty(), tables.is_empty()) {
                (false, false) => {
                    let reason =
                        format!("{name}: holds captures and files of instances; give one kind for a side");
                    return Err(Usage(reason).into());
                }
                (false, true) => self.captures(captures, is_audited)?,
                _ => self.tables(tables)?,
            };
            SideRead { outcome: side.outcome.max(found), ..side }
        };
        if side.rows.iter().any(|row| row.instance.capture.is_some()) {
            return Err(Usage(format!(
                "{name}: windows that are whole captures differ in length and cannot be compared; extract windows of an hour"
            ))
            .into());
        }
        for row in &mut side.rows {
            let label = self.labels.label_at(row.instance.device, None, row.instance.window_start);
            row.label = label.cloned().or_else(|| row.label.take());
        }
        self.warn_of_absent_bags(&name, &side);
        Ok(SideRead { name, ..side })
    }

    fn captures(&self, captures: Vec<Input>, is_audited: bool) -> anyhow::Result<SideRead> {
        let protocols = self.extraction.models.read()?;
        let all = EvidenceSet::all();
        let options = match self.model.map(recipe_of).transpose()?.flatten() {
            Some(recipe) => self.extraction.options_for(&recipe, all, protocols.id())?,
            None => self.extraction.options(protocols.id())?,
        };
        if let Some(model) = self.model {
            check_model_semantics(model, Semantics::PRESENT)?;
        }
        let gateways = self.extraction.flow.device.gateways();
        let recipe = ExtractionRecipe::of(&options);
        let extraction = Extraction {
            inputs: &captures,
            options,
            gateways: &gateways,
            trace: self.extraction.flow.device.trace_options(),
            network_by: None,
            labels: self.labels,
            protocols: &protocols,
            threads: self.global.threads(),
            messages: self.messages,
        };
        let mut peers = BTreeSet::new();
        let window = extraction.options.flow.window;
        let instances = extraction.instances_and(FlowStage::default(), |event| match event {
            Event::Rows(rows) => peers.extend(rows.iter().filter_map(|row| peer_of(row, window))),
            Event::Restart => peers.clear(),
        })?;
        let mut side = SideRead {
            rows: instances.rows,
            recipe: Some(recipe),
            peers: peers
                .into_iter()
                .map(|(device, window, peer)| (device, window, peer.to_string()))
                .collect(),
            outcome: instances.outcome,
            ..SideRead::default()
        };
        if let Some(policy) = self.policy.filter(|_| is_audited) {
            self.audit(&captures, policy, &mut side)?;
        }
        Ok(SideRead { inputs: captures, ..side })
    }

    /// Reads captures once more, to judge them.
    fn audit(&self, captures: &[Input], policy: &Policy, side: &mut SideRead) -> anyhow::Result<()> {
        let engine = self.extraction.models.read()?.engine();
        let reading = Reading {
            inputs: captures,
            flow: FlowOptions { window: WindowLength::Capture, ..self.extraction.flow.options()? },
            gateways: self.extraction.flow.device.gateways().policy(self.labels),
            engine: &engine,
            threads: self.global.threads(),
            options: self.extraction.flow.device.trace_options(),
            wants_spans: false,
            keeps_gateways: false,
            shows_gateways: true,
            is_quiet: self.global.quiet,
        };
        // What could not be read and why was said when instances were extracted.
        let silent = Messages::new(true, false);
        let surveying = Surveying { reading, labels: self.labels, wants_mud: false, messages: silent };
        let survey = surveying.survey(policy)?;
        let read = report_read(&survey.summary.read, captures.len(), silent)?;
        let whole = report_left_out(&survey.summary.left_out, self.messages);
        side.outcome = side.outcome.max(read).max(whole);
        side.survey = Some(survey);
        Ok(())
    }

    fn tables(&self, tables: Vec<Input>) -> anyhow::Result<SideRead> {
        let table = InstanceTable::read(&tables, self.messages)?;
        if let Some(model) = self.model {
            table.check_semantics(model)?;
            model.check_extraction(&table.extraction()).map_err(|error| Misfit(error.to_string()))?;
            model.check_evidence(table.rows.iter().map(|row| &row.instance))?;
        }
        Ok(SideRead { inputs: tables, rows: table.rows, recipe: table.recipe, ..SideRead::default() })
    }

    fn store(&self, path: &Path) -> anyhow::Result<SideRead> {
        let failed = |error: StoreError| {
            anyhow::Error::new(error).context(format!("failed to read {}", path.display()))
        };
        let reader = thingprint_store::Reader::open(path).map_err(failed)?;
        let recipe = reader.recipe().map_err(failed)?;
        let options = ExportOptions { from: None, to: None, recipe: recipe.clone(), with_cut: false };
        let mut rows = Vec::new();
        let counts = reader
            .export::<StoreError>(&options, &mut |instances| {
                rows.extend(instances.into_iter().map(|instance| Labeled { instance, label: None }));
                Ok(())
            })
            .map_err(failed)?;
        if counts.unreadable > 0 {
            self.messages.warn(format!(
                "{}: left out: {} that cannot be read: the store is damaged",
                path.display(),
                counted(counts.unreadable, "window", "windows")
            ));
        }
        let outcome = if counts.unreadable > 0 { Outcome::Partial } else { Outcome::Done };
        Ok(SideRead {
            inputs: vec![Input::File(path.to_owned())],
            rows,
            recipe,
            outcome,
            ..SideRead::default()
        })
    }

    /// Names bags that the side lacks: what is in them cannot be compared.
    fn warn_of_absent_bags(&self, name: &str, side: &SideRead) {
        let has = side.rows.iter().fold(EvidenceSet::NONE, |set, row| set.with(row.instance.bags.evidence()));
        let absent = EvidenceSet::all().only(|_| false, |_| true).without(has);
        if !absent.is_empty() && !side.rows.is_empty() {
            self.messages.warn(format!(
                "{name}: lacks {absent}, which is not compared; extract it with --evidence all"
            ));
        }
    }
}

/// Warns of sides that cannot say much.
pub(in crate::commands) fn warn_of_times(sides: &[SideRead; 2], messages: Messages) {
    for side in sides {
        if side.rows.is_empty() {
            messages.warn(format!("{}: no window of any device", side.name));
        }
    }
    let [before, after] = sides;
    if let (Some((_, end)), Some((begin, _))) = (before.span(), after.span())
        && begin <= end
    {
        messages.warn(format!(
            "{} begins before the end of {}: windows of both are compared as if they were before and after",
            after.name, before.name
        ));
    }
    let day = |row: &Labeled| row.instance.window_start.as_nanos().div_euclid(DAY_NS);
    let days: BTreeSet<i64> = before.rows.iter().map(day).collect();
    if !days.is_empty() && days.len() < LEAST_DAYS {
        messages.warn(format!(
            "{} is of {}: with fewer than {LEAST_DAYS}, what is usual for a device is hardly known",
            before.name,
            counted(days.len() as u64, "day", "days")
        ));
    }
}

/// Says what was left out because it was too much; the result is a part of what it should be, then.
pub(in crate::commands) fn warn_of_losses(losses: Losses, messages: Messages) -> Outcome {
    let told = [
        (
            losses.windows_dropped,
            "windows were left out: there are more devices or words than can be compared",
        ),
        (losses.words_dropped, "words found no room, and are not compared"),
        (losses.words_unfollowed, "new words were not followed: there are too many"),
    ];
    let mut outcome = Outcome::Done;
    for (count, what) in told.into_iter().filter(|(count, _)| *count > 0) {
        messages.warn(format!("{count} {what}"));
        outcome = Outcome::Partial;
    }
    outcome
}

/// What devices are called: by the later side, else by the earlier one.
pub(in crate::commands) fn names(sides: &[SideRead; 2]) -> BTreeMap<DeviceId, String> {
    let label = |row: &Labeled| Some((row.instance.device, row.label.as_ref()?.class.clone()));
    sides.iter().flat_map(|side| side.rows.iter().filter_map(label)).collect()
}

/// The host of the local network that a flow was with, at the start of its window; nothing of hosts that only one side speaks to.
fn peer_of(row: &FlowRow, window: WindowLength) -> Option<(DeviceId, Timestamp, IpAddr)> {
    let WindowLength::Span(length) = window else { return None };
    let FlowRow { device, flow, .. } = row;
    let is_both_ways = flow.up.packets > 0 && flow.down.packets > 0;
    let is_local = Place::of(flow.peer.addr, flow.local.addr) == Place::Local;
    let length = i64::try_from(length).ok().filter(|length| *length > 0)?;
    let start = flow.first.as_nanos().div_euclid(length).saturating_mul(length);
    (is_both_ways && is_local).then_some((*device, Timestamp::from_nanos(start), flow.peer.addr))
}
