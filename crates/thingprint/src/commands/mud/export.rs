use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use thingprint_audit::report::{Observations, Profiles, to_second};
use thingprint_flow::{DeviceId, FlowOptions, WindowLength};
use thingprint_profile::{
    ExportDevice, ExportFormat, ExportNetwork, ExportNote, ExportPlan, MudBuilder, MudOptions, MudProfile,
    NftFamily, NoteKind, RuleTally,
};
use thingprint_report::Labels;

use crate::args::{FlowArgs, GlobalArgs, ModelArgs};
use crate::commands::audit::mud::{controller, profiles};
use crate::commands::audit::survey::{Survey, Surveying};
use crate::commands::audit::{DEFAULT_POLICY, read_policy};
use crate::copies::without_copies;
use crate::destinations::Destinations;
use crate::exit::{Outcome, Usage};
use crate::files::read_confirmed_labels;
use crate::inputs::{Input, expand};
use crate::label_report::report_labels;
use crate::messages::{Messages, counted};
use crate::output::Output;
use crate::reading::Reading;

/// The URL of profiles that are written for rules alone: a name that nobody owns (RFC 2606).
const URL: &str = "https://example.com/mud/device.json";
/// Entries that a warning names.
const MOST_NAMED: usize = 3;

/// Write rules for a firewall that let devices do what their profiles allow, and nothing else
///
/// Of captures alone, each device gets the rules of what it was seen to do. With --mud, devices have the rules of these
/// profiles, and captures say which addresses they and the hosts have that they talk to. Names become sets, which
/// dnsmasq fills while it runs. What a format cannot express stands in comments of the result, and in warnings.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Captures: files, folders, quoted globs, or - for standard input
    #[arg(required_unless_present = "mud", value_name = "CAPTURE")]
    captures: Vec<OsString>,

    /// What to write rules for
    #[arg(long, value_name = "FORMAT", help = format_help())]
    to: ExportFormat,

    /// Write rules of this profile: LABEL=FILE or ADDRESS=FILE; with captures also a file, or a folder of *.json, which go by
    /// their names to the devices of these labels or addresses
    #[arg(long, value_name = "[LABEL=]FILE|FOLDER")]
    mud: Vec<String>,

    /// Only of this device: its label or its address; may be given several times
    #[arg(long, value_name = "LABEL|ADDRESS")]
    device: Vec<String>,

    /// Where rules of nftables stand: bridge, which sees both MAC addresses and what devices send to each other, or inet,
    /// for a router without a bridge
    #[arg(long, value_name = "FAMILY", default_value_t)]
    family: NftFamily,

    /// Let pass also what others sent and the device never answered, or refused
    #[arg(long, conflicts_with = "mud")]
    mud_unanswered: bool,

    /// Say who serves a class of controllers: dns, ntp, dhcp, gateway, my-controller, or the URI of a class. May be given
    /// several times. Of a class without one, those that DHCP names count
    #[arg(long, value_name = "CLASS=ADDRESS", value_parser = controller)]
    controller: Vec<(String, IpAddr)>,

    /// What the devices are: CSV with the columns mac,label,kind
    #[arg(short, long, value_name = "FILE")]
    labels: Option<PathBuf>,

    #[command(flatten)]
    flow: FlowArgs,

    #[command(flatten)]
    models: ModelArgs,
}

fn format_help() -> String {
    let names: Vec<&str> = ExportFormat::ALL.iter().map(|format| format.name()).collect();
    format!("What to write rules for: {}", names.join(", "))
}

impl ExportArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        if global.format.is_some() {
            let reason = "--format: rules have a form of their own: choose it with --to";
            return Err(Usage(reason.to_owned()).into());
        }
        let output = Output::verbatim(global);
        let labels = read_confirmed_labels(self.labels.as_deref(), messages)?;
        let profiles = profiles::read(&self.mud)?;
        let (devices, network, outcome) = if self.captures.is_empty() {
            self.check_destinations(&output, &[])?;
            let mut builder = MudBuilder::default().with_local_nets(self.flow.options()?.local_nets);
            self.give_controllers(&mut builder);
            (without_captures(&profiles, &labels)?, builder.export_network(), Outcome::Done)
        } else {
            self.seen(global, &output, (&labels, &profiles))?
        };
        let devices = self.chosen(devices, &labels)?;
        check_apart(&devices)?;
        let names: Vec<String> = devices.iter().map(|device| device.name.clone()).collect();
        let plan = ExportPlan::new(devices, network, self.family);
        let exported = plan.write(self.to);
        report(&exported.notes, messages);
        output.with(|out| Ok(out.write_all(exported.text.as_bytes())?))?;
        let count = counted(names.len() as u64, "device", "devices");
        messages.note(format!("rules of {count} for {}: {}", self.to, names.join(", ")));
        report_names(plan.tally(), self.to, messages);
        Ok(outcome)
    }

    /// The devices of the captures, with the profiles that are given or those of what they were seen to do.
    fn seen(
        &self,
        global: &GlobalArgs,
        output: &Output,
        (labels, profiles): (&Labels, &Profiles),
    ) -> anyhow::Result<(Vec<ExportDevice>, ExportNetwork, Outcome)> {
        let messages = global.messages();
        let (inputs, found) = expand(&self.captures, messages)?;
        self.check_destinations(output, &inputs)?;
        let inputs = without_copies(&inputs, messages);
        let engine = self.models.read()?.engine();
        let reading = Reading {
            inputs: &inputs,
            flow: FlowOptions { window: WindowLength::Capture, ..self.flow.options()? },
            gateways: self.flow.device.gateways().policy(labels),
            engine: &engine,
            threads: global.threads(),
            options: self.flow.device.trace_options(),
            wants_spans: false,
            keeps_gateways: false,
            shows_gateways: true,
            messages,
        };
        let surveying = Surveying { reading, labels, wants_mud: true };
        let mut survey = surveying.survey(&read_policy(DEFAULT_POLICY)?)?;
        self.give_controllers(&mut survey.seen.mud);
        let outcome = surveying.reading.report(&survey.summary, messages)?;
        let outcome = outcome.max(survey.report_losses(messages));
        report_labels(labels, &survey.seen.devices.values().copied().collect(), messages);
        let devices = self.devices(&survey, profiles, messages);
        profiles::check_used(profiles, messages)?;
        if devices.is_empty() {
            let reason = "no device of these captures is left to write rules for: check --mud, --gateway and the captures";
            anyhow::bail!("failed to write rules: {reason}");
        }
        // A profile of what somebody did in part is no whole profile.
        let is_whole = survey.seen.span.is_some() && is_complete(&survey.seen);
        let outcome = if is_whole { outcome } else { outcome.max(Outcome::Partial) };
        Ok((devices, survey.seen.mud.export_network(), outcome.max(found)))
    }

    fn devices(&self, survey: &Survey, profiles: &Profiles, messages: Messages) -> Vec<ExportDevice> {
        let seen = &survey.seen;
        let is_alone = seen.devices.len() == 1;
        let mut devices = Vec::new();
        for (index, id) in &seen.devices {
            let name = seen.name(*id);
            let mut widened = BTreeSet::new();
            let profile = if profiles.is_empty() {
                let made = seen.span.map(|(_, last)| to_second(last)).unwrap_or_default();
                let options =
                    MudOptions { with_unanswered: self.mud_unanswered, ..MudOptions::new(&name, URL, &made) };
                let draft = seen.mud.profile(*index, &options);
                if draft.unanswered_flows > 0 {
                    let flows = counted(draft.unanswered_flows, "flow", "flows");
                    messages.detail(format!("{name}: {flows} that it never answered do not pass"));
                }
                widened.extend(draft.widened.into_iter().map(|(_, entry)| entry));
                draft.profile
            } else {
                let Some(given) = profiles.of(*id, seen.labels.get(id), is_alone) else { continue };
                given.profile.clone()
            };
            let device = seen.mud.export_device(*index, (*id, &name), profile);
            devices.push(ExportDevice { widened, ..device });
        }
        devices
    }

    /// The devices that `--device` names; all without it.
    fn chosen(&self, devices: Vec<ExportDevice>, labels: &Labels) -> Result<Vec<ExportDevice>, Usage> {
        let mut devices = devices;
        let is_named = |device: &ExportDevice, wanted: &str| {
            let is_address = wanted.parse().is_ok_and(|id: DeviceId| is_of(device, id));
            device.name == wanted || is_address
        };
        if let Some(unknown) =
            self.device.iter().find(|wanted| !devices.iter().any(|device| is_named(device, wanted)))
        {
            let hint = if labels.is_empty() { ": give --labels to name devices by label" } else { "" };
            return Err(Usage(format!("--device: no device has the label or address '{unknown}'{hint}")));
        }
        if !self.device.is_empty() {
            devices.retain(|device| self.device.iter().any(|wanted| is_named(device, wanted)));
        }
        Ok(devices)
    }

    fn give_controllers(&self, builder: &mut MudBuilder) {
        for (class, address) in &self.controller {
            builder.give_controller(class, *address);
        }
    }

    fn check_destinations(&self, output: &Output, inputs: &[Input]) -> anyhow::Result<()> {
        let mut destinations = Destinations::of(output.results());
        destinations.add("--output", output.file()).read(self.labels.as_deref()).read(self.models.path());
        for given in &self.mud {
            destinations.read(Some(&profiles::path_of(given).1));
        }
        destinations.read_inputs(inputs).check(None)
    }
}

/// Whether nothing was left out of what devices were seen to do.
fn is_complete(seen: &Observations) -> bool {
    seen.devices.keys().all(|device| seen.mud.dropped_flows(*device) == 0)
}

/// The devices of profiles that say whose they are.
fn without_captures(profiles: &Profiles, labels: &Labels) -> Result<Vec<ExportDevice>, Usage> {
    let mut devices = Vec::new();
    for given in profiles.all() {
        let path = given.path.display();
        let Some(owner) = &given.owner else {
            return Err(Usage(format!(
                "--mud: whose profile is {path}? Give --mud ADDRESS={path}, or captures of the device"
            )));
        };
        let ids = match owner.parse::<DeviceId>() {
            Ok(id) => vec![id],
            Err(_) => {
                labels.devices().filter(|id| labels.classes_of(*id).any(|class| class == owner)).collect()
            }
        };
        if ids.is_empty() {
            return Err(Usage(format!(
                "--mud: '{owner}' is no address, and no label of --labels: give its address, or captures of the device"
            )));
        }
        devices.extend(ids.into_iter().map(|id| without_answers(id, owner, &given.profile)));
    }
    Ok(devices)
}

fn without_answers(id: DeviceId, name: &str, profile: &MudProfile) -> ExportDevice {
    let (mac, addresses) = match id {
        DeviceId::Mac(mac) => (Some(mac), BTreeSet::new()),
        DeviceId::Ip(address) => (None, BTreeSet::from([address])),
    };
    ExportDevice {
        name: name.to_owned(),
        mac,
        addresses,
        profile: profile.clone(),
        answers: BTreeMap::new(),
        claimed: BTreeSet::new(),
        contradicted: BTreeSet::new(),
        widened: BTreeSet::new(),
    }
}

fn is_of(device: &ExportDevice, id: DeviceId) -> bool {
    match id {
        DeviceId::Mac(mac) => device.mac == Some(mac),
        DeviceId::Ip(address) => device.addresses.contains(&address),
    }
}

/// Refuses two profiles for one device.
fn check_apart(devices: &[ExportDevice]) -> Result<(), Usage> {
    let mut seen = BTreeSet::new();
    let double = devices.iter().filter_map(|device| device.mac).find(|mac| !seen.insert(*mac));
    double.map_or(Ok(()), |mac| Err(Usage(format!("--mud: {mac} has two profiles: give one"))))
}

/// Says how many rules go by less than a name that the device looked up.
fn report_names(tally: RuleTally, format: ExportFormat, messages: Messages) {
    let kinds = [
        (tally.by_address, "by an Internet address, of which no name is known"),
        (tally.by_lookup_of_others, "by a name that other devices looked up"),
        (tally.by_claim, "by a name that no DNS answer confirms"),
    ];
    let found = kinds.into_iter().filter(|(count, _)| *count > 0);
    let found: Vec<String> = found.map(|(count, how)| format!("{count} {how}")).collect();
    if !found.is_empty() {
        let rules = counted(tally.rules, "rule", "rules");
        let marks = if format.has_rules() {
            "each has a comment".to_owned()
        } else {
            format!("{format} gets names alone; the rules that go with them say which in comments")
        };
        messages.note(format!("of {rules}, {}: {marks}", found.join(", ")));
    }
}

/// Says what rules cannot express: each reason once for a device, with some of its entries.
fn report(notes: &[ExportNote], messages: Messages) {
    let mut grouped: BTreeMap<(&Option<String>, NoteKind, &str), Vec<&str>> = BTreeMap::new();
    for note in notes {
        let entries = grouped.entry((&note.device, note.kind, note.reason.as_str())).or_default();
        entries.extend(note.entry.as_deref());
    }
    for ((device, kind, reason), entries) in grouped {
        let device = device.as_deref().map(|name| format!("{name}: ")).unwrap_or_default();
        let named: Vec<&str> = entries.iter().take(MOST_NAMED).copied().collect();
        let more = if entries.len() > MOST_NAMED { ", ..." } else { "" };
        let entries = match entries.len() {
            0 => String::new(),
            count => format!(": {} ({}{more})", counted(count as u64, "entry", "entries"), named.join(", ")),
        };
        messages.warn(format!("{device}{}{entries}: {reason}", kind.name()));
    }
}
