use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use thingprint_flow::{
    DeviceId, FlowOptions, Frame, Identity, MacAddr, Packet, Tracker, WindowLength, elect_gateway,
};
use thingprint_profile::Matcher;
use thingprint_report::TableWriter;

use self::record::Recorder;
use self::rows::{Making, Rows};
use self::split::Split;
use crate::args::{FlowArgs, GlobalArgs, ModelArgs};
use crate::copies::without_copies;
use crate::exit::{Outcome, Usage};
use crate::files::{read_fingerprints, read_labels};
use crate::inputs::{Input, expand};
use crate::messages::{Messages, counted};
use crate::output::Output;
use crate::progress::Progress;
use crate::reading::{Followed, find_gateway, follow_frames, labelled_macs, report_losses, total_length};

mod likeness;
mod record;
mod rows;
mod split;

/// Frames between two looks for flows that are over.
const SWEEP_FRAMES: u64 = 1 << 16;

/// List the flows of captures
///
/// One row for each flow of each device, over the whole trace, with names as Zeek has them: a flow between two local
/// devices is told for both, and --split writes it twice. orig is the client: who sent a SYN; without one, whoever does
/// not have a known server port; else whoever has a port from 32768; else who sent the first packet. Protocols without
/// ports, such as ICMP, have port 0. Rows are in the order of first packets. JSON, JSON lines and CSV are written while
/// captures are read, where 65,536 rows are kept back for their order; a table for people and Parquet are kept in memory
/// until the end. To leave out the gateway, captures are read once before, unless --gateway says who it is; what cannot
/// be read twice, such as standard input, is kept in memory then.
#[derive(Debug, Args)]
pub(crate) struct FlowsArgs {
    /// Captures: files, folders, quoted globs, or - for standard input
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<OsString>,

    /// Add what is said in each flow: its messages as JSON, and JA3 and JA4 of TLS and QUIC clients
    ///
    /// At most 1,024 messages of a flow are told, and 256 MiB of messages of the flows that are open at a time;
    /// the column `messages_dropped` counts those beyond.
    #[arg(long)]
    attributes: bool,

    /// Show credentials in the messages of --attributes; without this they are ***. Host names, paths, user agents and
    /// DNS records are shown in any case
    #[arg(long)]
    show_credentials: bool,

    /// Say which known device of this file each flow looks like, and by what; `audit --fingerprints-out FILE` writes one
    ///
    /// The column `looks_like_answer` is `known` where the flow shows a value that one known device alone shows, `resembles`
    /// where that is little of what it shows or another comes close, `tied` where several fit equally, `unknown` where
    /// nothing that it shows tells, and empty where it shows nothing. `looks_like` has the names, `looks_like_score` how
    /// much speaks for the first, up to 1, and `looks_like_by` up to eight attributes with their values.
    #[arg(long, value_name = "FILE")]
    fingerprints: Option<PathBuf>,

    /// Write a capture for each flow into this folder, which has to be new or empty; a file is called
    /// NUMBER-PROTO-CLIENT-PORT-SERVER-PORT-SERVICE.pcap, with `none` for no service and `_` for the colons of IPv6
    #[arg(long, value_name = "FOLDER")]
    split: Option<PathBuf>,

    /// What the devices are, for the column `label`: CSV with the columns mac,label,kind
    #[arg(short, long, value_name = "FILE")]
    labels: Option<PathBuf>,

    #[command(flatten)]
    flow: FlowArgs,

    #[command(flatten)]
    models: ModelArgs,
}

/// Captures whose flows are to be written.
struct Listing<'a> {
    args: &'a FlowsArgs,
    inputs: &'a [Input],
    options: FlowOptions,
    making: Making<'a>,
    messages: Messages,
}

/// What was read and told.
struct Listed {
    followed: Followed,
    gateway: Option<MacAddr>,
    flows: u64,
    devices: usize,
}

impl FlowsArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        self.check()?;
        let messages = Messages::new(global.quiet, global.verbose);
        let options = FlowOptions { window: WindowLength::Capture, ..self.flow.options()? };
        let engine = self.models.read()?.engine();
        let output = Output::of(global)?;
        let labels = read_labels(self.labels.as_deref())?;
        let known = self.fingerprints.as_deref().map(read_fingerprints).transpose()?;
        let matcher = known.as_ref().map(Matcher::new);
        let (inputs, found) = expand(&self.captures, messages)?;
        output.check_apart(&inputs)?;
        let given = [self.fingerprints.as_deref(), self.labels.as_deref(), self.models.path()];
        output.check_apart_from(&given)?;
        let inputs = without_copies(&inputs, messages);
        let making = Making {
            labels: &labels,
            engine: &engine,
            matcher: matcher.as_ref(),
            has_attributes: self.attributes,
            shows_credentials: self.show_credentials,
        };
        let listing = Listing { args: self, inputs: &inputs, options, making, messages };
        let mut listed = None;
        output.with_style(|format, style, out| {
            let mut writer = TableWriter::new(making.columns(), format, style, out);
            listed = Some(listing.write(&mut writer)?);
            Ok(writer.finish()?)
        })?;
        let Some(listed) = listed else { return Ok(found) };
        let outcome = listed.followed.report(messages)?;
        listed.followed.report_unowned(self.flow.device.identity(), listed.gateway, messages);
        listed.report(messages);
        Ok(outcome.max(found))
    }
}

impl FlowsArgs {
    fn check(&self) -> Result<(), Usage> {
        if self.show_credentials && !self.attributes {
            let reason =
                "--show-credentials: credentials are in messages, which are listed with --attributes only";
            return Err(Usage(reason.to_owned()));
        }
        Ok(())
    }
}

impl Listing<'_> {
    fn write(mut self, writer: &mut TableWriter<'_>) -> anyhow::Result<Listed> {
        let labelled = labelled_macs(self.making.labels);
        let is_known = self.find_gateway(&labelled)?;
        let mut split = self.args.split.as_deref().map(Split::into_folder).transpose()?;
        let recorder = Recorder::new(self.making.engine, self.making.wants_messages(), split.is_some());
        let mut tracker = Tracker::new(self.options.clone(), recorder);
        let mut rows = Rows::new(self.making, is_known);
        let mut frames = 0_u64;
        let progress = Progress::bytes("reading", total_length(self.inputs), self.messages.is_quiet());
        let each = |frame: &Frame<'_>, packet: &Packet<'_>| -> anyhow::Result<()> {
            tracker.push(packet);
            if let Some(split) = &mut split {
                split.write(tracker.observer_mut().take_seen(), frame)?;
            }
            frames += 1;
            if frames.is_multiple_of(SWEEP_FRAMES) {
                tracker.close_idle();
            }
            if tracker.observer().closed().is_empty() {
                return Ok(());
            }
            let closed = tracker.observer_mut().take_closed();
            rows.add(closed, tracker.devices(), split.as_mut())?;
            rows.write_due(writer)
        };
        let followed = follow_frames(self.inputs, self.args.flow.device.sort, Some(&progress), each)?;
        progress.finish();
        tracker.close_idle();
        let mut finished = tracker.finish();
        rows.add(finished.observer.take_closed(), &finished.devices, split.as_mut())?;
        let gateway = self.options.gateway.or_else(|| elect_gateway(&finished.votes, &labelled));
        if !is_known && let Some(gateway) = gateway {
            rows.leave_out(DeviceId::Mac(gateway));
        }
        rows.write_all(writer)?;
        report_losses(finished.counts, finished.observer.losses(), self.messages);
        rows.report(self.messages);
        if let Some(split) = split {
            split.report(followed.fragments_held(), self.messages);
        }
        Ok(Listed { followed, gateway, flows: rows.written(), devices: rows.devices() })
    }

    /// Finds out who the gateway is, before anything is written, and says whether that worked.
    fn find_gateway(&mut self, labelled: &BTreeSet<MacAddr>) -> anyhow::Result<bool> {
        if self.options.gateway.is_some() || self.options.identity == Identity::Ip {
            return Ok(true);
        }
        if let Some(input) = self.inputs.iter().find(|input| !input.is_rewindable()) {
            if self.args.split.is_some() {
                let name = input.name();
                return Err(Usage(format!(
                    "--split: {name} cannot be read twice, to find out who the gateway is; give it with --gateway"
                ))
                .into());
            }
            return Ok(false);
        }
        self.options.gateway = find_gateway(self.inputs, labelled);
        Ok(true)
    }
}

impl Listed {
    fn report(&self, messages: Messages) {
        let gateway =
            self.gateway.map_or("no gateway was seen".to_owned(), |mac| format!("the gateway is {mac}"));
        let flows = counted(self.flows, "flow", "flows");
        let devices = counted(self.devices as u64, "device", "devices");
        messages.note(format!("{flows} of {devices}; {gateway}"));
    }
}
