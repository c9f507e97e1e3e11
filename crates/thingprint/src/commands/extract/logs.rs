//! Instances from logs of other tools.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::ValueEnum;
use thingprint_flow::{FlowEnding, FlowOptions, PacketSize, WindowLength};
use thingprint_instance::{ExtractionRecipe, Instance, InstanceOptions, Labeled};
use thingprint_logs::{LogFile, LogFormat, LogInstances, LogLosses, ReadCounts, Survey};
use thingprint_report::Labels;

use crate::exit::{Outcome, Usage};
use crate::folder_walk::{FolderWalk, Skipped};
use crate::gateways::GatewayChoice;
use crate::inputs::Input;
use crate::left_out::report_left_out;
use crate::messages::{Messages, counted};
use crate::progress::Progress;

/// What instances are extracted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// Logs of Zeek: conn, dns, ssl, ntp and dhcp, as files of values or JSON
    Zeek,
    /// EVE JSON of Suricata: events of the types flow, dns, tls, quic and dhcp
    Eve,
}

impl Source {
    pub(super) const fn format(self) -> LogFormat {
        match self {
            Self::Zeek => LogFormat::Zeek,
            Self::Eve => LogFormat::Eve,
        }
    }
}

/// Logs that are to become instances, after a first reading.
#[derive(Debug)]
pub(super) struct LogExtraction<'a> {
    survey: Survey<'a>,
    options: InstanceOptions,
    labels: &'a Labels,
    messages: Messages,
}

impl<'a> LogExtraction<'a> {
    /// Reads logs for the first time.
    pub(super) fn of(
        format: LogFormat,
        files: &'a [LogFile],
        (options, gateways): (InstanceOptions, GatewayChoice),
        (labels, messages): (&'a Labels, Messages),
    ) -> anyhow::Result<Self> {
        let progress = Progress::steps(messages.is_quiet());
        let known = match gateways {
            GatewayChoice { is_none: true, .. } => Some(BTreeSet::new()),
            GatewayChoice { given, .. } => (!given.is_empty()).then_some(given),
        };
        let mut read = 0_usize;
        let survey = Survey::of(format, files, (options.flow.local_nets.clone(), known), &mut |file| {
            read += 1;
            progress.step(&format!("looking at {} ({read} of {})", file.name(), files.len()));
        })?;
        progress.finish();
        let options = fitted(&survey, options, messages);
        Ok(Self { survey, options, labels, messages })
    }

    /// The recipe of the instances, which depends on what the logs tell.
    pub(super) fn recipe(&self) -> ExtractionRecipe {
        ExtractionRecipe::of(&self.options)
    }

    /// Reads the logs for the second time, and gives instances to `sink` as they become final.
    pub(super) fn stream(
        &self,
        sink: &mut dyn FnMut(Vec<Labeled>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Outcome> {
        let Self { survey, options, labels, messages } = self;
        let mut instances = LogInstances::new(survey, options.clone());
        let (mut reader, mut rows, mut events) = (survey.reader(), 0_u64, 0_u64);
        let progress = Progress::steps(messages.is_quiet());
        let mut give = |ready: Vec<Instance>| -> anyhow::Result<()> {
            rows += ready.len() as u64;
            let labelled = ready.into_iter().map(|instance| {
                let label = labels.label_at(instance.device, None, instance.window_start).cloned();
                Labeled { instance, label }
            });
            sink(labelled.collect())
        };
        while let Some(event) = reader.next_event() {
            instances.push(event);
            events += 1;
            if events.is_multiple_of(EVENTS_OF_A_STEP) {
                progress.step(&format!("{events} records"));
            }
            let ready = instances.take_ready();
            if !ready.is_empty() {
                give(ready)?;
            }
        }
        instances.finish();
        give(instances.take_ready())?;
        progress.finish();
        if rows == 0 {
            messages.warn("no device sent enough for an instance");
        }
        let mut outcome = report_read(reader.counts(), *messages);
        let dropped = survey.addresses_dropped();
        if dropped > 0 {
            let owners = counted(dropped, "owner of an address", "owners of addresses");
            messages.warn(format!("{owners} were dropped, so some names and messages may have no device"));
            outcome = Outcome::Partial;
        }
        Ok(outcome.max(report_losses(&instances.losses(), *messages)))
    }
}

/// Records after which progress is shown.
const EVENTS_OF_A_STEP: u64 = 100_000;

/// The options that instances of these logs have: with the evidence that the logs tell of, and who is a device in them.
fn fitted(survey: &Survey<'_>, mut options: InstanceOptions, messages: Messages) -> InstanceOptions {
    let (evidence, absences) = survey.evidence(options.evidence);
    for absence in absences {
        messages.note(format!("these logs lack {}, which comes from {}", absence.evidence, absence.told_by));
    }
    options.evidence = evidence;
    let identity = survey.identity(options.flow.identity);
    if identity != options.flow.identity {
        messages.warn(
            "the logs hold no link address, so devices are identified by IP address; log them (in Zeek by the policy script \
             protocols/conn/mac-logging or dhcp.log, in Suricata by ethernet: yes), or give --identity ip",
        );
    }
    options.flow.identity = identity;
    let gateways: Vec<String> = survey.gateways().iter().map(ToString::to_string).collect();
    if !gateways.is_empty() {
        messages.note(format!("gateways, which are not devices: {}", gateways.join(", ")));
    }
    options
}

/// The options of instances of these logs. What has no meaning for connections that another tool made is refused.
pub(super) fn log_options(format: LogFormat, mut options: InstanceOptions) -> Result<InstanceOptions, Usage> {
    let fail = |reason: &str| Err(Usage(format!("--from: {reason}")));
    let default = FlowOptions::default();
    if options.flow.window == WindowLength::Capture {
        return fail("logs are no captures; give a window with a length");
    }
    if !matches!(options.flow.ending, FlowEnding::Connection { .. }) || options.flow.ending != default.ending
    {
        return fail("the tool that wrote the logs decided when a connection ends; omit --preset");
    }
    let size = size(format);
    if options.flow.size != size && options.flow.size != default.size {
        return fail("logs have one kind of sizes; omit --size");
    }
    if options.models.is_some() {
        return fail("protocol models read packets; omit --models");
    }
    (options.flow.size, options.origin) = (size, format.origin());
    Ok(options)
}

/// What the bytes of a connection are: Zeek counts IP packets, Suricata frames.
const fn size(format: LogFormat) -> PacketSize {
    match format {
        LogFormat::Zeek => PacketSize::Ip,
        LogFormat::Eve => PacketSize::Wire,
    }
}

/// The files as logs.
pub(super) fn log_files(inputs: &[Input]) -> Vec<LogFile> {
    let files = inputs.iter().filter_map(Input::path).map(|path| {
        let opened = path.to_owned();
        LogFile::new(path.display().to_string(), move || Ok(Box::new(File::open(&opened)?)))
    });
    files.collect()
}

/// The files that arguments stand for: files as named, and folders with every log in them. What is not there, or cannot be
/// read, is a warning as long as something else is; the input is partial then.
pub(super) fn expand_logs(
    format: LogFormat,
    arguments: &[OsString],
    messages: Messages,
) -> anyhow::Result<(Vec<Input>, Outcome)> {
    let (mut inputs, mut seen) = (Vec::new(), BTreeSet::new());
    let (mut missing, mut skipped) = (Vec::new(), Skipped::default());
    for argument in arguments {
        if argument == "-" {
            bail!("failed to read standard input: logs are read twice; give files or folders");
        }
        match logs_of(format, argument, &mut skipped) {
            Ok((found, unreadable)) => {
                let found = found.into_iter().map(Input::File);
                inputs.extend(found.filter(|input| seen.insert(input.identity())));
                missing.extend(unreadable);
            }
            Err(error) => missing.push(format!("{error:#}")),
        }
    }
    if inputs.is_empty() {
        bail!("{}", missing.join("; "));
    }
    skipped.report(&format!("log of {format}"), messages);
    for text in &missing {
        messages.warn(text);
    }
    Ok((inputs, if missing.is_empty() { Outcome::Done } else { Outcome::Partial }))
}

/// The files that one argument stands for, and what could not be read below a folder.
fn logs_of(
    format: LogFormat,
    argument: &OsStr,
    skipped: &mut Skipped,
) -> anyhow::Result<(Vec<PathBuf>, Vec<String>)> {
    let (path, text) = (Path::new(argument), argument.to_string_lossy());
    if path.is_dir() {
        let mut walk = FolderWalk::of(path);
        walk.take_skipped(skipped);
        let is_log =
            |path: &PathBuf| path.file_name().is_some_and(|name| format.is_named(&name.to_string_lossy()));
        let (logs, others): (Vec<_>, Vec<_>) = walk.files.into_iter().partition(is_log);
        skipped.files.extend(others);
        if logs.is_empty() {
            let nothing = format!("there is no log of {format} in this folder");
            bail!("failed to read {text}: {}", [vec![nothing], walk.unreadable].concat().join("; "));
        }
        return Ok((logs, walk.unreadable));
    }
    if path.is_file() {
        return Ok((vec![path.to_owned()], Vec::new()));
    }
    if text.contains(['*', '?', '[']) {
        let paths =
            glob::glob(&text).with_context(|| format!("failed to read {text}: the glob is malformed"))?;
        let found: Vec<PathBuf> = paths.filter_map(Result::ok).filter(|path| path.is_file()).collect();
        if found.is_empty() {
            bail!("failed to read {text}: nothing matches this glob");
        }
        return Ok((found, Vec::new()));
    }
    if path.exists() {
        bail!("failed to read {text}: logs are read twice; give files or folders");
    }
    bail!("failed to read {text}: no such file or folder")
}

/// Says what was read.
fn report_read(counts: &ReadCounts, messages: Messages) -> Outcome {
    messages.detail(counted(counts.records, "record", "records"));
    for (what, count) in &counts.unused {
        messages.detail(format!("{count} {what}, which say nothing for instances"));
    }
    for (file, (count, line, problem)) in &counts.problems {
        let lines = counted(*count, "line", "lines");
        messages.warn(format!("failed to read {lines} of {file}; the first is line {line}: {problem}"));
    }
    for file in &counts.empty {
        messages.warn(format!("{file} holds no record"));
    }
    for (file, (line, reason)) in &counts.cut {
        messages.warn(match line {
            0 => format!("failed to read {file}: {reason}"),
            line => format!(
                "failed to read {file} to its end; the last line that was read is line {line}: {reason}"
            ),
        });
    }
    let is_whole = counts.problems.is_empty() && counts.cut.is_empty();
    if is_whole { Outcome::Done } else { Outcome::Partial }
}

/// Says what is in no instance, or not where it belongs.
fn report_losses(losses: &LogLosses, messages: Messages) -> Outcome {
    if losses.late > 0 {
        messages.warn(format!(
            "{} began more than 24 h before they were logged, and count in a later window",
            counted(losses.late, "connection or message", "connections or messages")
        ));
    }
    if losses.ownerless > 0 {
        messages.warn(format!(
            "{} no known link address, and what they did is in no instance; --identity ip identifies devices by IP address",
            counted(losses.ownerless as u64, "address inside has", "addresses inside have")
        ));
    }
    if losses.forgotten > 0 {
        messages.warn(format!(
            "{} forgotten: there are too many, and of these nobody answered, or they were silent for longest",
            counted(losses.forgotten, "device was", "devices were")
        ));
    }
    report_left_out(&losses.left_out, messages)
}
