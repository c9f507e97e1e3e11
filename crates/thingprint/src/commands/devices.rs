use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use thingprint_audit::report::DoubtfulGateway;
use thingprint_flow::{DeviceId, FlowOptions, Gateways, Identity, MacAddr, WindowLength};
use thingprint_identity::Knowledge;
use thingprint_instance::{DeviceEntry, InventoryRecord};
use thingprint_pipeline::{IdentityStage, InventoryStage, RelayedClient, Run, Summary, VantageStage};
use thingprint_table::Format;

use crate::args::{DeviceArgs, GlobalArgs, KnowledgeArgs, ModelArgs};
use crate::copies::without_copies;
use crate::destinations::Destinations;
use crate::devices_seen::devices_in_words;
use crate::exit::{Outcome, Usage};
use crate::files::{read_labels, write_file};
use crate::identities::Identities;
use crate::inputs::expand;
use crate::label_report::report_labels;
use crate::left_out::report_left_out;
use crate::messages::Messages;
use crate::networks::{Network, NetworkBy, networks};
use crate::output::Output;
use crate::read_report::{gateways_in_words, report_contradictions};
use crate::reading::Reading;
use crate::vantage_report::{report_vantage, vantage_of};

mod several_addresses;
mod tables;
mod template;

use self::several_addresses::pairs;
use self::tables::{NetworkDevices, gateway_overview, overview, write_rows};
use self::template::{same_as, template};

/// Width of the overview, in terminal columns, where no terminal sets one.
const OVERVIEW_COLUMNS: usize = 100;

/// List the devices of captures.
#[derive(Debug, Args)]
pub(crate) struct DevicesArgs {
    /// Captures: files, folders, quoted globs, or - for standard input
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<OsString>,

    /// What is known of the devices already: CSV with the columns mac,label,kind
    #[arg(short, long, value_name = "FILE")]
    labels: Option<PathBuf>,

    /// Write a label file to fill in, with the devices that were found
    #[arg(long, value_name = "FILE")]
    labels_template: Option<PathBuf>,

    /// Show all columns in a table too, however wide it gets; the other formats always have all
    #[arg(long)]
    wide: bool,

    /// Keep networks apart, each with gateways of its own: captures of a folder, or each file; the column `network` has the
    /// name
    #[arg(long, value_enum, value_name = "WHAT")]
    network_by: Option<NetworkBy>,

    #[command(flatten)]
    knowledge: KnowledgeArgs,

    #[command(flatten)]
    device: DeviceArgs,

    #[command(flatten)]
    models: ModelArgs,
}

impl DevicesArgs {
    /// What would be written without pseudonyms.
    pub(super) fn names_everybody(&self) -> Option<&'static str> {
        self.labels_template.as_ref().map(|_| "--labels-template")
    }

    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        let options = self.device.over(FlowOptions::default())?;
        let output = Output::of(global)?;
        let labels = read_labels(self.labels.as_deref(), messages)?;
        self.check_template()?;
        let (inputs, found) = expand(&self.captures, messages)?;
        output.check_apart(&inputs)?;
        output.check_apart_from(&[self.labels.as_deref(), self.models.path()])?;
        output.check_apart_from(&self.knowledge.paths().map(Some).collect::<Vec<_>>())?;
        let mut destinations = Destinations::of(&global.results);
        destinations
            .add("--output", output.file())
            .add("--labels-template", self.labels_template.as_deref())
            .check(None)?;
        let inputs = without_copies(&inputs, messages);
        let engine = self.models.read()?.engine();
        let reading = Reading {
            inputs: &inputs,
            flow: FlowOptions { window: WindowLength::Capture, ..options },
            gateways: self.device.gateways().policy(&labels),
            engine: &engine,
            threads: global.threads(),
            options: self.device.trace_options(),
            wants_spans: false,
            keeps_gateways: false,
            shows_gateways: true,
            messages,
        };
        let knowledge = self.knowledge.read()?;
        let (networks, summary) = self.read(&reading, &knowledge, messages)?;
        let outcome = match self.network_by {
            None => reading.report(&summary, messages),
            Some(_) => reading.report_apart(&summary, messages),
        }?;
        match output.format() {
            Format::Table if !self.wide => {
                let mut tables = vec![overview(&networks, &labels, &output)?];
                tables.extend(gateway_overview(&networks)?);
                output.tables_within(&tables, OVERVIEW_COLUMNS)
            }
            _ => write_rows(&networks, &labels, &output),
        }?;
        let devices: Vec<&DeviceEntry> = networks.iter().flat_map(|network| &network.devices).collect();
        if let Some(path) = &self.labels_template {
            let found: Vec<_> = networks.iter().flat_map(NetworkDevices::identified).collect();
            let said: Vec<_> = networks.iter().flat_map(NetworkDevices::said).collect();
            let text = template(&found, &labels) + &same_as(&pairs(&said), &labels);
            write_file(&global.results, path, text.as_bytes())?;
            messages.note(format!("labels to fill in: {}", path.display()));
        }
        let whole = report_left_out(&summary.left_out, messages);
        report_labels(&labels, &devices.iter().map(|entry| entry.device).collect(), messages);
        Ok(outcome.max(found).max(whole))
    }
}

impl DevicesArgs {
    /// The devices of each network, and what is known of all captures together.
    fn read(
        &self,
        reading: &Reading<'_>,
        knowledge: &Knowledge,
        messages: Messages,
    ) -> anyhow::Result<(Vec<NetworkDevices>, Summary)> {
        let Some(by) = self.network_by else {
            let (network, summary) = self.read_network((reading, knowledge), None, messages)?;
            return Ok((vec![network], summary));
        };
        let (mut found, mut all) = (Vec::new(), Summary::default());
        for Network { name, inputs } in networks(reading.inputs, by) {
            let reading = Reading { inputs: &inputs, ..reading.clone() };
            let (network, summary) = self.read_network((&reading, knowledge), Some(name), messages)?;
            all.add_trace(summary, self.device.identity());
            found.push(network);
        }
        Ok((found, all))
    }

    fn read_network(
        &self,
        (reading, knowledge): (&Reading<'_>, &Knowledge),
        name: Option<String>,
        messages: Messages,
    ) -> anyhow::Result<(NetworkDevices, Summary)> {
        let stages = ((InventoryStage, VantageStage), IdentityStage::default());
        let Run { rests, summary } = reading.run(&stages, |_| Ok(()))?;
        let (rests, said): (Vec<_>, Vec<_>) = rests.into_iter().unzip();
        let (records, places): (Vec<_>, Vec<_>) = rests.into_iter().unzip();
        let identities = Identities::of(said, (&summary, self.device.identity()), knowledge);
        let (mut devices, mut gateways) = listed(records, &summary.gateways);
        add_clients(&mut devices, &summary, self.device.identity());
        add_contradictions(&mut devices, &summary);
        add_doubts(&mut gateways, &summary);
        if name.is_some() {
            report_contradictions(&summary, messages);
        }
        report_vantage(&vantage_of(places, &summary), messages);
        let network = name.as_ref().map_or_else(String::new, |name| format!("network {name}: "));
        let silent = devices.iter().filter(|entry| entry.packets_up + entry.packets_down == 0).count();
        let count = devices_in_words((devices.len(), silent), gateways.len());
        // Of what could not be read at all, the error is all there is to say.
        if summary.read.frames > 0 || summary.read.problems.is_empty() {
            let gateways = name
                .as_ref()
                .map_or_else(String::new, |_| format!("; {}", gateways_in_words(&summary.gateways)));
            messages.note(format!("{network}{count}{gateways}"));
        }
        identities.report_dropped(messages);
        Ok((NetworkDevices { name, devices, gateways, identities }, summary))
    }
}

/// Adds to gateways why it is doubtful that they are some.
fn add_doubts(gateways: &mut [DeviceEntry], summary: &Summary) {
    for doubtful in &summary.doubtful_gateways {
        let device = DeviceId::Mac(doubtful.0);
        if let Some(entry) = gateways.iter_mut().find(|entry| entry.device == device) {
            entry.contradictions.push(DoubtfulGateway::new(*doubtful).why());
        }
    }
}

/// The devices of all shards and the gateways, each in the order of their ids.
fn listed(shards: Vec<Vec<InventoryRecord>>, gateways: &Gateways) -> (Vec<DeviceEntry>, Vec<DeviceEntry>) {
    let mut routers: BTreeMap<MacAddr, DeviceEntry> =
        gateways.0.iter().map(|(mac, reason)| (*mac, DeviceEntry::of_gateway(*mac, *reason))).collect();
    let mut devices = Vec::with_capacity(shards.iter().map(Vec::len).sum());
    for record in shards.into_iter().flatten() {
        match record.device() {
            DeviceId::Mac(mac) if gateways.contains(mac) => {
                let reason = gateways.0.get(&mac).copied();
                routers.extend(reason.map(|reason| (mac, record.into_gateway(reason))));
            }
            _ => devices.extend(record.into_device()),
        }
    }
    devices.sort_by_key(|entry| entry.device);
    (devices, routers.into_values().collect())
}

/// The devices of a reading, without gateways, in the order of their ids.
pub(super) fn inventory(run: Run<Vec<InventoryRecord>>, asked: Identity) -> Vec<DeviceEntry> {
    let Run { rests, summary } = run;
    let (mut devices, _) = listed(rests, &summary.gateways);
    add_clients(&mut devices, &summary, asked);
    add_contradictions(&mut devices, &summary);
    devices
}

/// Adds what relays passed on of devices, also of those that sent no frame of their own here.
fn add_clients(devices: &mut Vec<DeviceEntry>, summary: &Summary, asked: Identity) {
    for relayed in summary.read.relayed.believed(&summary.gateways) {
        let Some(device) = summary.device_of(relayed, asked) else { continue };
        if summary.gateways.contains(relayed.client) {
            continue;
        }
        let at = devices.binary_search_by_key(&device, |entry| entry.device);
        let at = at.unwrap_or_else(|at| {
            devices.insert(at, DeviceEntry::of_silent(device, (relayed.first, relayed.last)));
            at
        });
        if let Some(entry) = devices.get_mut(at) {
            entry.hear_of(&relayed.message);
        }
    }
}

/// Adds what devices said of others in DHCP requests, though they are no relays.
fn add_contradictions(devices: &mut [DeviceEntry], summary: &Summary) {
    for RelayedClient { client, sender, message, .. } in
        summary.read.relayed.contradictions(&summary.gateways)
    {
        let sender = DeviceId::Mac(*sender);
        let Ok(at) = devices.binary_search_by_key(&sender, |entry| entry.device) else { continue };
        let facts = [
            ("host_name", message.host_name.as_deref().map(str::to_owned)),
            ("vendor_class", message.vendor_class.as_deref().map(str::to_owned)),
            ("mud_url", message.mud_url.as_ref().map(ToString::to_string)),
        ];
        let facts = facts.into_iter().filter_map(|(fact, value)| Some(format!(" {fact}={}", value?)));
        let said = format!("dhcp chaddr={client}{}", facts.collect::<String>());
        if let Some(entry) = devices.get_mut(at) {
            entry.contradictions.push(said);
        }
    }
}

impl DevicesArgs {
    /// A label file that somebody filled in is not written over, unless its labels come along.
    fn check_template(&self) -> Result<(), Usage> {
        let Some(path) = self.labels_template.as_deref().filter(|path| path.exists()) else { return Ok(()) };
        let carried = self.labels.as_deref().and_then(|path| path.canonicalize().ok());
        if carried == path.canonicalize().ok() {
            return Ok(());
        }
        let name = path.display();
        Err(Usage(format!(
            "--labels-template: {name} is there already; give another name, or carry its labels over with --labels {name}"
        )))
    }
}
