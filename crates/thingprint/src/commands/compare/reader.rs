//! Reads one of the two times: captures, files of instances or a store.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;

use thingprint_audit::Policy;
use thingprint_audit::report::MOST_DEVICES;
use thingprint_flow::{DeviceId, FlowOptions, LocalNets, Timestamp, WindowLength};
use thingprint_instance::{EvidenceSet, ExtractionRecipe, Labeled, Semantics};
use thingprint_model::Model;
use thingprint_pipeline::{Event, FlowRow, FlowStage};
use thingprint_profile::Place;
use thingprint_report::Labels;
use thingprint_store::{ExportOptions, StoreError, is_shared, shown};
use thingprint_watch::{Records, RecordsError};

use super::side::SideRead;
use crate::args::{ExtractionArgs, GlobalArgs};
use crate::commands::audit::survey::Surveying;
use crate::copies::without_copies;
use crate::exit::{Misfit, Outcome, Usage};
use crate::extraction::Extraction;
use crate::inputs::{Input, expand, is_capture_input, named};
use crate::instances::{InstanceTable, check_model_semantics, how_to_have, recipe_of};
use crate::left_out::larger_of;
use crate::messages::{Kept, Messages, Say, counted};
use crate::reading::Reading;

/// The first bytes of every SQLite database.
const STORE_BYTES: &[u8; 16] = b"SQLite format 3\0";

/// How sides are read.
pub(in crate::commands) struct Reader<'a> {
    pub(in crate::commands) extraction: &'a ExtractionArgs,
    pub(in crate::commands) model: Option<&'a Model>,
    pub(in crate::commands) labels: &'a Labels,
    /// What captures are judged by.
    pub(in crate::commands) policy: &'a Policy,
    pub(in crate::commands) global: &'a GlobalArgs,
    pub(in crate::commands) messages: Messages,
}

/// Whether an argument stands for what has findings: captures or a store.
pub(in crate::commands) fn has_findings(argument: &OsStr) -> bool {
    if is_store(Path::new(argument)) {
        return true;
    }
    // What is not there is reported where it is read.
    let silent = Messages::new(true, false);
    expand(&[argument.to_owned()], silent).is_ok_and(|(inputs, _)| inputs.iter().all(is_capture_input))
}

/// Whether a path stands for a store.
pub(in crate::commands) fn is_store(path: &Path) -> bool {
    if is_shared(path) {
        return true;
    }
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
        let name = match arguments {
            [path] if is_shared(Path::new(path)) => shown(Path::new(path)).display().to_string(),
            _ => named(arguments),
        };
        let mut side = if let [path] = arguments
            && is_store(Path::new(path))
        {
            let kept = Kept::new(self.messages.later());
            let side = Self::store(Path::new(path), &kept)?;
            SideRead { notices: kept.into_notices(), ..side }
        } else {
            let kept = Kept::new(self.messages.later());
            let (inputs, found) = expand(arguments, &kept)?;
            let (captures, tables): (Vec<Input>, Vec<Input>) = inputs.into_iter().partition(is_capture_input);
            let side = match (captures.is_empty(), tables.is_empty()) {
                (false, false) => {
                    let reason =
                        format!("{name}: holds captures and files of instances; give one kind for a side");
                    return Err(Usage(reason).into());
                }
                (false, true) => self.captures(captures, is_audited, &kept)?,
                _ => self.tables(tables)?,
            };
            SideRead { outcome: side.outcome.max(found), notices: kept.into_notices(), ..side }
        };
        if side.rows.iter().any(|row| row.instance.capture.is_some()) {
            return Err(Usage(format!(
                "{name}: windows that are whole captures differ in length and cannot be compared; extract windows of an hour"
            ))
            .into());
        }
        for row in &mut side.rows {
            let label = self.labels.label_at(row.instance.device, None, row.instance.window_start);
            row.label = label.cloned().or_else(|| row.label.take().filter(|label| !label.is_proposed()));
        }
        self.warn_of_absent_bags(&name, &side);
        Ok(SideRead { name, ..side })
    }

    fn captures(&self, inputs: Vec<Input>, is_audited: bool, kept: &Kept) -> anyhow::Result<SideRead> {
        check_readable(&inputs, is_audited)?;
        let captures = without_copies(&inputs, kept);
        let protocols = self.extraction.models.read()?;
        let all = EvidenceSet::all();
        let mut options = match self.model.map(recipe_of).transpose()?.flatten() {
            Some(recipe) => self.extraction.options_for(&recipe, all, protocols.id())?,
            None => self.extraction.options(protocols.id())?,
        };
        // Those of both sides are kept at once.
        options.flow.max_devices = options.flow.max_devices.min(MOST_DEVICES);
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
        let FlowOptions { window, local_nets, .. } = extraction.options.flow.clone();
        let stage = FlowStage::default();
        let (rows, summary) = extraction.rows_and((&captures, kept), stage, |event| match event {
            Event::Rows(rows) => {
                peers.extend(rows.iter().filter_map(|row| peer_of(row, window, &local_nets)));
            }
            Event::Restart => peers.clear(),
        })?;
        let mut side = SideRead {
            rows,
            recipe: Some(recipe),
            peers: Some(
                peers.into_iter().map(|(device, window, peer)| (device, window, peer.to_string())).collect(),
            ),
            ..SideRead::default()
        };
        // The audit reads more of the streams: what it says of the reading holds for both.
        side.outcome = if is_audited {
            self.audit((&captures, kept), &mut side)?
        } else {
            extraction.report_reading(&captures, &summary, kept)?
        };
        let audited = side.survey.as_ref().map(|survey| &survey.summary.left_out);
        side.left_out = larger_of([&summary.left_out].into_iter().chain(audited));
        if !side.left_out.is_empty() {
            side.outcome = side.outcome.max(Outcome::Partial);
        }
        side.summary = Some(summary);
        Ok(SideRead { inputs, captures, ..side })
    }

    /// Reads captures once more, to judge them.
    fn audit(&self, (captures, kept): (&[Input], &Kept), side: &mut SideRead) -> anyhow::Result<Outcome> {
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
            messages: self.global.messages(),
        };
        let surveying = Surveying { reading, labels: self.labels, wants_mud: false };
        let survey = surveying.survey(self.policy)?;
        let outcome = surveying.reading.report(&survey.summary, kept)?;
        survey.report_oddities(kept);
        side.survey = Some(survey);
        Ok(outcome)
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

    fn store(path: &Path, kept: &Kept) -> anyhow::Result<SideRead> {
        let name = shown(path);
        let failed = |error: StoreError| {
            anyhow::Error::new(error).context(format!("failed to read {}", name.display()))
        };
        let failed_records = |error: RecordsError| {
            anyhow::Error::new(error).context(format!("failed to read {}", name.display()))
        };
        let reader = thingprint_store::Reader::open(path).map_err(failed)?;
        let stored = reader.findings(None).map_err(failed_records)?;
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
            kept.missing(format!(
                "{}: left out: {} that cannot be read: the store is damaged",
                name.display(),
                counted(counts.unreadable, "window", "windows")
            ));
        }
        let outcome = if counts.unreadable > 0 { Outcome::Partial } else { Outcome::Done };
        Ok(SideRead {
            inputs: vec![Input::File(shown(path))],
            rows,
            recipe,
            stored: Some(stored),
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
                "{name}: lacks {absent}, which is not compared; {}",
                how_to_have(side.recipe.as_ref().map(ExtractionRecipe::origin).unwrap_or_default())
            ));
        }
    }
}

/// Refuses what gives its bytes once where they are read twice.
fn check_readable(inputs: &[Input], is_audited: bool) -> Result<(), Usage> {
    match inputs.iter().find(|input| !input.is_rewindable()) {
        Some(input) if is_audited => Err(Usage(format!(
            "{} gives its packets once, and an audit reads them again: save them to a file, or leave the audit out with --no-audit \
             of compare",
            input.described()
        ))),
        _ => Ok(()),
    }
}

/// The host of the local networks that a flow was with, at the start of its window; nothing of hosts that only one side speaks to.
fn peer_of(
    row: &FlowRow,
    window: WindowLength,
    local_nets: &LocalNets,
) -> Option<(DeviceId, Timestamp, IpAddr)> {
    let WindowLength::Span(length) = window else { return None };
    let FlowRow { device, flow, .. } = row;
    let is_both_ways = flow.up.packets > 0 && flow.down.packets > 0;
    let is_local = Place::among(flow.peer.addr, flow.local.addr, local_nets) == Place::Local;
    let length = i64::try_from(length).ok().filter(|length| *length > 0)?;
    let start = flow.first.as_nanos().div_euclid(length).saturating_mul(length);
    (is_both_ways && is_local).then_some((*device, Timestamp::from_nanos(start), flow.peer.addr))
}
