//! Captures, and logs of other tools, to instances.

mod logs;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use thingprint_flow::{FlowOptions, GatewayPolicy, TraceOptions, WindowLength};
use thingprint_instance::{ExtractionRecipe, InstanceOptions, Labeled, Part, PartFile, PartId, Partial};
use thingprint_pipeline::{Event, PartStage};
use thingprint_report::{Labels, instance_overview, into_instance_table};
use thingprint_table::Format;

use crate::args::{ExtractionArgs, GlobalArgs};
use crate::copies::without_copies;
use crate::devices_seen::DevicesSeen;
use crate::exit::{Outcome, Usage};
use crate::extraction::Extraction;
use crate::files::read_labels_to_keep;
use crate::inputs::{Input, expand};
use crate::label_report::report_labels;
use crate::left_out::report_left_out;
use crate::messages::{Messages, counted};
use crate::networks::NetworkBy;
use crate::output::Output;
use crate::protocols::Protocols;
use crate::reading::Reading;
use crate::row_output::RowEvent;

use logs::{LogExtraction, Source, expand_logs, log_files, log_options};

/// Instances that become a table at a time: a window may have those of many devices.
const ROWS_OF_A_TABLE: usize = 1024;

/// Turn captures into instances
///
/// Rows leave when a window is final: 302 s of the trace after its end, when nothing can change it any more. They are
/// in the order of windows, then of devices. Without --gateway, the gateways of files are elected by the first frames
/// and verified at the end, and rows wait for that; those of standard input are decided at the close of each window.
#[derive(Debug, Args)]
pub(crate) struct ExtractArgs {
    /// Captures: files, folders, quoted globs, or - for standard input
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<OsString>,

    /// Read logs of another tool instead of captures: files, or folders with logs in them, also below them
    #[arg(long, value_enum, value_name = "TOOL", conflicts_with_all = ["partial", "network_by"])]
    from: Option<Source>,

    /// What the devices are: CSV with the columns mac,label,kind, or capture,mac,label[,kind]
    #[arg(short, long, value_name = "FILE")]
    labels: Option<PathBuf>,

    /// Write a part of a trace instead of instances: `merge` makes instances of the parts of one network
    #[arg(long, conflicts_with = "labels", requires = "output")]
    partial: bool,

    /// Keep networks apart, each with gateways of its own: captures of a folder, or each file; the column `capture` has
    /// the name of the network
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "partial")]
    network_by: Option<NetworkBy>,

    #[command(flatten)]
    extraction: ExtractionArgs,
}

impl ExtractArgs {
    /// What would be written without pseudonyms.
    pub(super) fn names_everybody(&self) -> Option<&'static str> {
        self.partial.then_some("--partial")
    }

    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        let protocols = self.extraction.models.read()?;
        let options = self.extraction.options(protocols.id())?;
        self.check(&options)?;
        let output = if self.partial { part_output(global) } else { Output::of(global) }?;
        if let Some(source) = self.from {
            return self.run_logs(global, &output, (source, options));
        }
        let labels = read_labels_to_keep(self.labels.as_deref(), messages)?;
        let (inputs, found) = expand(&self.captures, messages)?;
        output.check_apart(&inputs)?;
        output.check_apart_from(&[self.labels.as_deref(), self.extraction.models.path()])?;
        if self.partial {
            return Ok(self.write_part(global, &output, (&inputs, options), &protocols)?.max(found));
        }
        let recipe = ExtractionRecipe::of(&options);
        let gateways = self.extraction.flow.device.gateways();
        let extraction = Extraction {
            inputs: &inputs,
            options,
            gateways: &gateways,
            trace: self.extraction.flow.device.trace_options(),
            network_by: self.network_by,
            labels: &labels,
            protocols: &protocols,
            threads: global.threads(),
            messages,
        };
        let table = |rows: Vec<Labeled>| match output.format() {
            Format::Table => instance_overview(&rows, Some(&recipe)),
            _ => into_instance_table(rows, Some(&recipe)),
        };
        let mut counts = Counts::default();
        let (outcome, _) = output.rows(&table(Vec::new()), extraction.is_streaming(), |write| {
            extraction.stream(&mut |event| match event {
                Event::Rows(rows) => {
                    counts.add(&rows, &labels);
                    let mut rows = rows.into_iter().peekable();
                    while rows.peek().is_some() {
                        write(RowEvent::Rows(table(rows.by_ref().take(ROWS_OF_A_TABLE).collect())))?;
                    }
                    Ok(())
                }
                Event::Restart => {
                    counts = Counts::default();
                    write(RowEvent::Restart)
                }
            })
        })?;
        counts.report(&labels, output.format(), messages);
        Ok(outcome.max(found))
    }

    fn check(&self, options: &InstanceOptions) -> Result<(), Usage> {
        if self.network_by.is_some() && options.flow.window == WindowLength::Capture {
            let reason = "--network-by: with --window capture each file is a trace of its own, and so a network; leave out one";
            return Err(Usage(reason.to_owned()));
        }
        Ok(())
    }

    /// Instances of logs.
    fn run_logs(
        &self,
        global: &GlobalArgs,
        output: &Output,
        (source, options): (Source, InstanceOptions),
    ) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        let format = source.format();
        let labels = read_labels_to_keep(self.labels.as_deref(), messages)?;
        let options = log_options(format, options)?;
        let (inputs, found) = expand_logs(format, &self.captures, messages)?;
        output.check_apart(&inputs)?;
        output.check_apart_from(&[self.labels.as_deref()])?;
        let gateways = self.extraction.flow.device.gateways();
        let files = log_files(&inputs);
        let extraction = LogExtraction::of(format, &files, (options, gateways), (&labels, messages))?;
        let recipe = extraction.recipe();
        let mut counts = Counts::default();
        let table = |rows: Vec<Labeled>| match output.format() {
            Format::Table => instance_overview(&rows, Some(&recipe)),
            _ => into_instance_table(rows, Some(&recipe)),
        };
        let outcome = output.rows(&table(Vec::new()), true, |write| {
            extraction.stream(&mut |rows| {
                counts.add(&rows, &labels);
                write(RowEvent::Rows(table(rows)))
            })
        })?;
        counts.report(&labels, output.format(), messages);
        Ok(outcome.max(found))
    }

    /// Writes the captures as one part.
    fn write_part(
        &self,
        global: &GlobalArgs,
        output: &Output,
        (inputs, options): (&[Input], InstanceOptions),
        protocols: &Protocols,
    ) -> anyhow::Result<Outcome> {
        if !matches!(options.flow.window, WindowLength::Span(_)) {
            let reason =
                "--partial: windows of whole captures are never in two parts; leave out --window capture";
            return Err(Usage(reason.to_owned()).into());
        }
        let messages = global.messages();
        let inputs = without_copies(inputs, messages);
        let engine = protocols.engine();
        let gateways = self.extraction.flow.device.gateways();
        let reading = Reading {
            inputs: &inputs,
            // What a part says of a device must not depend on how long it was silent.
            flow: FlowOptions { forget_after_ns: None, ..options.flow.clone() },
            gateways: GatewayPolicy::default(),
            engine: &engine,
            threads: global.threads(),
            options: TraceOptions {
                hash: true,
                keeps_edges: true,
                ..self.extraction.flow.device.trace_options()
            },
            wants_spans: false,
            keeps_gateways: true,
            shows_gateways: false,
            messages,
        };
        let run = reading.run(&PartStage::new(options.clone()), |_| Ok(()))?;
        let outcome = reading.report(&run.summary, messages)?;
        let outcome = outcome.max(report_left_out(&run.summary.left_out, messages));
        let hashes: Vec<u8> =
            run.summary.read.hashes.iter().flatten().flat_map(|hash| *hash.bytes()).collect();
        let first = inputs.first().map(Input::file_name);
        let mut part = Part::new(PartId::of_bytes(&hashes), first, run.summary.evidence)
            .with_datagrams_cut(run.summary.read.counts.datagrams_cut)
            .with_times(run.summary.read.edges.clone())
            .with_left_out(run.summary.left_out.clone());
        for devices in run.rests {
            part.add(devices, run.summary.span);
        }
        let mut parts = Partial::default();
        parts.insert(part);
        // Where link addresses do not separate hosts, parts identify devices by IP address, and do not fit others.
        let identity = run.summary.read.identity(options.flow.identity);
        let flow = FlowOptions { identity, ..options.flow.clone() };
        let recipe = ExtractionRecipe::of(&InstanceOptions { flow, ..options });
        let settings = self.extraction.flow.device.part_settings();
        let file = PartFile { recipe, gateways: gateways.given, settings, share: None, parts };
        output.with(|out| file.write(out).context("failed to write the part"))?;
        messages.note(format!("a part of {}", counted(run.summary.read.frames, "frame", "frames")));
        Ok(outcome)
    }
}

/// Instances that were written.
#[derive(Debug, Default)]
pub(super) struct Counts {
    rows: u64,
    labelled: u64,
    devices: DevicesSeen,
}

impl Counts {
    pub(super) fn add(&mut self, rows: &[Labeled], labels: &Labels) {
        self.rows += rows.len() as u64;
        for row in rows {
            self.devices.see(row.instance.device, labels);
        }
        self.labelled += rows.iter().filter(|row| row.label.is_some()).count() as u64;
    }

    /// Says what was written, and which labels fit it.
    pub(super) fn report(&self, labels: &Labels, format: Format, messages: Messages) {
        if self.rows > 0 {
            report_labels(labels, &self.devices.for_labels(), messages);
        }
        if format != Format::Table {
            let rows = counted(self.rows, "instance", "instances");
            messages.note(format!("{rows}, {} of them labelled", self.labelled));
        }
    }
}

/// Where a part goes, which has one form.
fn part_output(global: &GlobalArgs) -> Result<Output, Usage> {
    match global.format {
        Some(format) => Err(Usage(format!("--partial: unsupported format '{format}': a part has one form"))),
        None => Output::binary(global),
    }
}
