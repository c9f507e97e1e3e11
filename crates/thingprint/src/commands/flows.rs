use std::cell::RefCell;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, ValueEnum};
use thingprint_flow::{FlowOptions, Frame, Identity, WindowLength};
use thingprint_pipeline::{Event, FlowObserver, FlowRow, FlowStage, FrameTap, Summary};
use thingprint_profile::Matcher;

use self::rows::{FlowColumns, Rows};
use self::split::Split;
use crate::args::{FlowArgs, GlobalArgs, ModelArgs};
use crate::copies::without_copies;
use crate::devices_seen::DevicesSeen;
use crate::exit::{Outcome, Usage};
use crate::files::{read_confirmed_labels, read_fingerprints};
use crate::inputs::expand;
use crate::label_report::report_labels;
use crate::left_out::report_left_out;
use crate::messages::{Messages, counted};
use crate::networks::{Network, NetworkBy, networks};
use crate::output::Output;
use crate::read_report::gateways_in_words;
use crate::reading::Reading;
use crate::row_output::RowEvent;
use crate::vantage_report::report_place;

mod likeness;
mod row;
mod rows;
mod split;
mod waiting;

/// The order in which flows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// That of their first packets, as far as 65,536 rows that wait, and 96 MiB of them, allow it
    Start,
    /// That in which they end, each within 2 s of the trace
    End,
}

/// List the flows of captures
///
/// One row for each flow of each device, over the whole trace, with names as Zeek has them: a flow between two local
/// devices is told for both, and --split writes it twice. orig is the client: who sent a SYN; without one, whoever does
/// not have a known server port; else whoever has a port from 32768; else who sent the first packet. Protocols without
/// ports, such as ICMP, have port 0. Rows of files are in the order of first packets, for which 65,536 rows wait, or
/// 96 MiB of them; those of standard input, and with --order end, leave as flows end, each within 2 s of the trace after it is final. JSON,
/// JSON lines and CSV are written while captures are read, a table for people at the end. Without --gateway, the
/// gateways of files are elected by the first frames and verified at the end; rows of standard input wait until they
/// are decided: by 50,000 frames or at the first full hour.
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

    /// Order of the rows [default: start for files, end for what cannot be read twice]
    #[arg(long, value_enum, value_name = "ORDER")]
    order: Option<Order>,

    /// Keep networks apart, each with gateways of its own: captures of a folder, or each file; the column `network` has the
    /// name. Who the gateways are is found out first, in a reading of its own
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "split")]
    network_by: Option<NetworkBy>,

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
    reading: Reading<'a>,
    columns: FlowColumns<'a>,
    messages: Messages,
}

/// What was read and written.
struct Listed {
    summary: Summary,
    /// Whether it is whole.
    outcome: Outcome,
    flows: u64,
    devices: DevicesSeen,
}

impl FlowsArgs {
    /// What would be written without pseudonyms.
    pub(super) fn names_everybody(&self) -> Option<&'static str> {
        let options = [
            (self.split.is_some(), "--split"),
            (self.fingerprints.is_some(), "--fingerprints"),
            (self.show_credentials, "--show-credentials"),
        ];
        options.into_iter().find_map(|(is_given, option)| is_given.then_some(option))
    }

    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        self.check()?;
        let messages = global.messages();
        let options = FlowOptions { window: WindowLength::Capture, ..self.flow.options()? };
        let engine = self.models.read()?.engine();
        let output = Output::of(global)?;
        let labels = read_confirmed_labels(self.labels.as_deref(), messages)?;
        let known = self.fingerprints.as_deref().map(read_fingerprints).transpose()?;
        let matcher = known.as_ref().map(Matcher::new);
        let (inputs, found) = expand(&self.captures, messages)?;
        output.check_apart(&inputs)?;
        let given = [self.fingerprints.as_deref(), self.labels.as_deref(), self.models.path()];
        output.check_apart_from(&given)?;
        let inputs = without_copies(&inputs, messages);
        let columns = FlowColumns {
            labels: &labels,
            engine: &engine,
            matcher: matcher.as_ref(),
            has_attributes: self.attributes,
            shows_credentials: self.show_credentials,
            has_networks: self.network_by.is_some(),
        };
        let reading = Reading {
            inputs: &inputs,
            flow: options,
            gateways: self.flow.device.gateways().policy(&labels),
            engine: &engine,
            threads: global.threads(),
            options: self.flow.device.trace_options(),
            wants_spans: false,
            keeps_gateways: false,
            shows_gateways: false,
            messages,
        };
        let listing = Listing { args: self, reading: reading.clone(), columns, messages };
        let listed = listing.write(&output)?;
        let outcome = match self.network_by {
            None => reading.report(&listed.summary, messages),
            Some(_) => reading.report_apart(&listed.summary, messages),
        }?;
        report_place(&listed.summary.read, messages);
        report_labels(&labels, &listed.devices.for_labels(), messages);
        listed.report(messages);
        Ok(outcome.max(found).max(listed.outcome))
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
    fn write(mut self, output: &Output) -> anyhow::Result<Listed> {
        if let Some(by) = self.args.network_by {
            return self.write_networks(output, &networks(self.reading.inputs, by));
        }
        let split = self.args.split.as_deref().map(|folder| Split::into_folder(folder, output.results()));
        let split = split.transpose()?;
        if split.is_some() {
            self.settle_gateways("--split")?;
        }
        let mut rows = Rows::new(self.columns, self.order(), split);
        let summary = output.rows(&self.columns.columns(), self.reading.is_streaming(), |write| {
            let summary = self.read(&mut rows, |rows, event| match event {
                Event::Rows(flows) => rows.take(flows)?.map_or(Ok(()), |part| write(RowEvent::Rows(part))),
                Event::Restart => {
                    rows.restart();
                    write(RowEvent::Restart)
                }
            })?;
            write(RowEvent::Rows(rows.rest()?))?;
            Ok(summary)
        })?;
        Ok(self.listed(summary, rows))
    }

    /// Writes the flows of one network after the other.
    fn write_networks(&self, output: &Output, networks: &[Network]) -> anyhow::Result<Listed> {
        let mut rows = Rows::new(self.columns, self.order(), None);
        let mut all = Summary::default();
        output.rows(&self.columns.columns(), true, |write| {
            for Network { name, inputs } in networks {
                let reading = Reading { inputs, ..self.reading.clone() };
                let mut listing = Listing { reading, ..*self };
                listing.settle_gateways("--network-by")?;
                rows.enter(name);
                let summary = listing.read(&mut rows, |rows, event| match event {
                    Event::Rows(flows) => {
                        rows.take(flows)?.map_or(Ok(()), |part| write(RowEvent::Rows(part)))
                    }
                    Event::Restart => bail!("failed to read {name}: its gateways changed"),
                })?;
                write(RowEvent::Rows(rows.rest()?))?;
                self.messages.note(format!("network {name}: {}", gateways_in_words(&summary.gateways)));
                all.add_trace(summary, self.reading.flow.identity);
            }
            Ok(())
        })?;
        Ok(self.listed(all, rows))
    }

    fn read<'r>(
        &self,
        rows: &mut Rows<'r>,
        mut take: impl FnMut(&mut Rows<'r>, Event<FlowRow>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Summary> {
        let stage = FlowStage {
            has_messages: self.columns.wants_messages(),
            notes_packets: rows.has_split(),
            has_community_ids: true,
            ..FlowStage::default()
        };
        if !rows.has_split() {
            return Ok(self.reading.run(&stage, |event| take(rows, event))?.summary);
        }
        let rows = RefCell::new(rows);
        let mut tap = SplitTap { rows: &rows };
        let sink = |event| take(&mut rows.borrow_mut(), event);
        Ok(self.reading.run_tapped(&stage, sink, &mut tap)?.summary)
    }

    /// In which order rows leave.
    fn order(&self) -> Order {
        let is_stream = !self.reading.is_rewindable();
        self.args.order.unwrap_or(if is_stream { Order::End } else { Order::Start })
    }

    /// Finds out who the gateways are before anything is written: captures of flows cannot be taken back.
    fn settle_gateways(&mut self, option: &str) -> anyhow::Result<()> {
        if self.reading.gateways.is_settled() || self.reading.flow.identity == Identity::Ip {
            return Ok(());
        }
        if let Some(input) = self.reading.inputs.iter().find(|input| !input.is_rewindable()) {
            let name = input.name();
            return Err(Usage(format!(
                "{option}: {name} cannot be read twice to find the gateway; name it with --gateway, or say --no-gateway"
            ))
            .into());
        }
        let given = self.reading.pipeline().elect(&self.reading.source()).macs();
        self.reading.gateways.is_none = given.is_empty();
        self.reading.gateways.given = given;
        Ok(())
    }

    fn listed(&self, summary: Summary, mut rows: Rows<'_>) -> Listed {
        let outcome = report_left_out(&summary.left_out, self.messages);
        rows.report(self.messages);
        rows.close_split(summary.read.counts.fragments_held, self.messages);
        Listed { summary, outcome, flows: rows.written(), devices: rows.devices().clone() }
    }
}

/// Writes each frame into the captures of its flows.
struct SplitTap<'s, 'r> {
    rows: &'s RefCell<&'s mut Rows<'r>>,
}

impl FrameTap<FlowStage, anyhow::Error> for SplitTap<'_, '_> {
    fn frame(&mut self, frame: &Frame<'_>, observer: &mut FlowObserver) -> anyhow::Result<()> {
        self.rows.borrow_mut().write_frame(observer.take_seen(), frame)
    }
}

impl Listed {
    fn report(&self, messages: Messages) {
        let flows = counted(self.flows, "flow", "flows");
        let devices = self.devices.in_words();
        messages.note(format!("{flows} of {devices}"));
    }
}
