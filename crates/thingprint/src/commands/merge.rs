use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::BufRead;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use thingprint_flow::{MacAddr, TraceOptions};
use thingprint_instance::{
    Assembled, EdgeCounts, ExtractionRecipe, InstanceOptions, Labeled, PartFile, PartSettings, Semantics,
    Share,
};
use thingprint_pipeline::add_edges;
use thingprint_protocol::Engine;
use thingprint_report::{Labels, instance_overview, into_instance_table};
use thingprint_table::Format;

use super::extract::Counts;
use crate::args::GlobalArgs;
use crate::exit::{Misfit, Outcome};
use crate::files::read_labels_to_keep;
use crate::gateways::GatewayChoice;
use crate::inputs::{Input, expand_files};
use crate::instances::check_semantics;
use crate::left_out::report_left_out;
use crate::messages::{Messages, counted};
use crate::output::Output;
use crate::read_report::report_wrongly_timed;

/// Make instances of the parts that `extract --partial` wrote
///
/// The parts are of one network, in any order; a part that comes twice counts once. The instances are those of one
/// reading of all captures, wherever they were cut; messages and datagrams in progress at a cut are counted and
/// reported. Rows are in the order of windows, then of devices.
#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Files of parts, or quoted globs
    #[arg(required = true, value_name = "PART")]
    parts: Vec<OsString>,

    /// What the devices are: CSV with the columns mac,label,kind
    #[arg(short, long, value_name = "FILE")]
    labels: Option<PathBuf>,

    /// MAC address of a gateway, which is not a device; repeat it for several [default: those that the parts name, or
    /// whoever forwards]
    #[arg(long, value_name = "MAC")]
    gateway: Vec<MacAddr>,

    /// There is no gateway: make instances of every device
    #[arg(long, conflicts_with = "gateway")]
    no_gateway: bool,
}

impl MergeArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        let output = Output::of(global)?;
        let labels = read_labels_to_keep(self.labels.as_deref(), messages)?;
        let inputs = expand_files(&self.parts, messages)?;
        output.check_apart(&inputs)?;
        output.check_apart_from(&[self.labels.as_deref()])?;
        let mut merged = read(&inputs)?;
        let options = options_of(&merged)?;
        let parts = merged.parts.len();
        let trace = trace_options(&merged);
        let wrongly_timed = add_edges(&mut merged.parts, &Engine::default(), (&options, trace));
        let named = self.gateway.iter().copied().collect();
        let given = if self.gateway.is_empty() { merged.gateways.clone() } else { named };
        let choice = GatewayChoice { given, is_none: self.no_gateway };
        let assembled = merged.assemble(&options, &choice.policy(&labels));
        report(&assembled, parts, messages);
        let whole = report_left_out(&assembled.left_out, messages);
        // Frames that are left out are those of all shares.
        if merged.share.is_none_or(Share::is_first) {
            report_wrongly_timed(wrongly_timed, messages);
        }
        let rows = labelled(assembled, &labels);
        let mut counts = Counts::default();
        counts.add(&rows, &labels);
        let table = match output.format() {
            Format::Table => instance_overview(&rows, Some(&merged.recipe)),
            _ => into_instance_table(rows, Some(&merged.recipe)),
        };
        output.table(&table)?;
        // Labelled devices that are not in this share are in others.
        if merged.share.is_none() {
            counts.report(&labels, output.format(), messages);
        }
        Ok(whole)
    }
}

/// Reads parts of one recipe.
fn read(inputs: &[Input]) -> anyhow::Result<PartFile> {
    joined(inputs.iter().map(|input| Ok((input.open()?, input.name()))))
}

/// Parts of one recipe in files, each with its name.
pub(crate) fn joined<R: BufRead>(
    files: impl IntoIterator<Item = anyhow::Result<(R, String)>>,
) -> anyhow::Result<PartFile> {
    let mut merged: Option<PartFile> = None;
    for file in files {
        let (mut bytes, name) = file?;
        if bytes.fill_buf().with_context(|| format!("failed to read {name}"))?.is_empty() {
            bail!("failed to read {name}: the file is empty; extract it again");
        }
        let file = PartFile::read(&mut bytes).with_context(|| format!("failed to read {name}"))?;
        merged = Some(match merged {
            None => file,
            Some(before) => join(before, file, &name)?,
        });
    }
    merged.context("failed to merge: there is no part")
}

fn join(before: PartFile, file: PartFile, name: &str) -> anyhow::Result<PartFile> {
    if before.recipe != file.recipe {
        let (this, others): (&ExtractionRecipe, &ExtractionRecipe) = (&file.recipe, &before.recipe);
        check_semantics((name, this.semantics()), ("the parts before it", others.semantics()))?;
        let (this, others) = this.differences(others);
        return Err(Misfit(format!(
            "failed to merge: {name} was extracted with '{this}', the parts before it with '{others}'; extract all with \
             the same options"
        ))
        .into());
    }
    check_settings(&before.settings, &file.settings, name)?;
    check_shares(before.share, file.share, name)?;
    let gateways: BTreeSet<MacAddr> = before.gateways.union(&file.gateways).copied().collect();
    Ok(PartFile {
        recipe: before.recipe,
        gateways,
        settings: before.settings,
        share: before.share,
        parts: before.parts.merge(file.parts),
    })
}

/// Refuses a part that tells of other devices.
fn check_shares(before: Option<Share>, share: Option<Share>, name: &str) -> Result<(), Misfit> {
    if before == share {
        return Ok(());
    }
    let of = |share: Option<Share>| share.map_or_else(|| "all".to_owned(), |share| share.to_string());
    Err(Misfit(format!(
        "failed to merge: {name} tells of {} of the devices, the parts before it of {}; merge parts of the same share",
        of(share),
        of(before)
    )))
}

/// Refuses a part whose captures were read in another way.
fn check_settings(before: &PartSettings, settings: &PartSettings, name: &str) -> Result<(), Misfit> {
    let mut options = settings.options().into_iter().zip(before.options());
    let differing = options.find(|(this, others)| this != others);
    let Some(((option, this), (_, others))) = differing else { return Ok(()) };
    let value = |value: String| if value.is_empty() { "not given".to_owned() } else { value };
    Err(Misfit(format!(
        "failed to merge: {option} is {} for {name}, and {} for the parts before it; extract all with the same options",
        value(this),
        value(others)
    )))
}

/// The options by which the parts were extracted.
fn options_of(parts: &PartFile) -> anyhow::Result<InstanceOptions> {
    check_semantics(("the parts", parts.recipe.semantics()), ("this program", Semantics::PRESENT))?;
    let mut options = parts.recipe.options().map_err(|error| Misfit(error.to_string()))?;
    options.flow.local_nets = parts.settings.local_nets.clone();
    Ok(options)
}

/// How the captures of the parts were read.
fn trace_options(parts: &PartFile) -> TraceOptions {
    let PartSettings { tunnels, drops_copies, .. } = parts.settings;
    TraceOptions { tunnels, drops_copies, ..TraceOptions::default() }
}

fn labelled(assembled: Assembled, labels: &Labels) -> Vec<Labeled> {
    let label = |instance| {
        let instance: thingprint_instance::Instance = instance;
        let label = labels.label_at(instance.device, None, instance.window_start).cloned();
        Labeled { instance, label }
    };
    let mut rows: Vec<Labeled> = assembled.instances.into_iter().map(label).collect();
    rows.sort_by_key(|row| (row.instance.window_start, row.instance.device));
    rows
}

fn report(assembled: &Assembled, parts: usize, messages: Messages) {
    messages.detail(counted(parts as u64, "part", "parts"));
    for (mac, reason) in &assembled.gateways.0 {
        messages.note(format!("the gateway is {mac} ({reason})"));
    }
    let EdgeCounts { messages: cut_messages, datagrams, flows, overlaps } = assembled.differences;
    let edges = [
        (cut_messages, ["message", "messages"], "in progress at the end of a part: missing or counted twice"),
        (datagrams, ["datagram", "datagrams"], "without all fragments at the end of a part: missing"),
        (flows, ["flow", "flows"], "with more packets than a part keeps: joined by their sums alone"),
        (overlaps, ["part", "parts"], "overlapping an earlier part: what both captured is counted twice"),
    ];
    for (count, [one, many], what) in edges.into_iter().filter(|(count, ..)| *count > 0) {
        messages.warn(format!("{} {what}", counted(count, one, many)));
    }
}
