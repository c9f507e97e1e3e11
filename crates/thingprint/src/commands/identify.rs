use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use thingprint_flow::{DeviceId, FlowOptions, WindowLength};
use thingprint_identity::{Answer, Claim, Field, Identity};
use thingprint_pipeline::{IdentityStage, Run};
use thingprint_table::{Cell, Format, Table, Type};

use crate::args::{DeviceArgs, GlobalArgs, KnowledgeArgs, ModelArgs};
use crate::copies::without_copies;
use crate::exit::{Outcome, Usage};
use crate::files::read_confirmed_labels;
use crate::identities::{Identities, contradictions, least_certainty, reasons, values};
use crate::inputs::expand;
use crate::label_report::report_labels;
use crate::left_out::report_left_out;
use crate::messages::counted;
use crate::output::Output;
use crate::reading::Reading;
use crate::vantage_report::report_place;

/// Say who devices are by what they say of themselves: vendor, model, type, name and system, with the reasons.
#[derive(Debug, Args)]
pub(crate) struct IdentifyArgs {
    /// Captures: files, folders, quoted globs, or - for standard input
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<OsString>,

    /// Show the reasons for these devices: each value with its certainty, its source and what the device said
    #[arg(long = "device", value_name = "ADDRESS,...", value_delimiter = ',')]
    only: Vec<DeviceId>,

    /// Show what devices said, word for word
    #[arg(long)]
    statements: bool,

    /// What the devices are: CSV with the columns mac,label,kind
    #[arg(short, long, value_name = "FILE")]
    labels: Option<PathBuf>,

    #[command(flatten)]
    knowledge: KnowledgeArgs,

    #[command(flatten)]
    device: DeviceArgs,

    #[command(flatten)]
    models: ModelArgs,
}

impl IdentifyArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        let options = self.device.over(FlowOptions::default())?;
        let output = Output::of(global)?;
        let knowledge = self.knowledge.read()?;
        let labels = read_confirmed_labels(self.labels.as_deref(), messages)?;
        let (inputs, found) = expand(&self.captures, messages)?;
        output.check_apart(&inputs)?;
        output.check_apart_from(&[self.models.path(), self.labels.as_deref()])?;
        output.check_apart_from(&self.knowledge.paths().map(Some).collect::<Vec<_>>())?;
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
        let Run { rests, summary } = reading.run(&IdentityStage::default(), |_| Ok(()))?;
        let outcome = reading.report(&summary, messages)?;
        report_place(&summary.read, messages);
        let identities = Identities::of(rests, (&summary, self.device.identity()), &knowledge);
        self.check_seen(&identities)?;
        let is_gateway =
            |device: DeviceId| matches!(device, DeviceId::Mac(mac) if summary.gateways.contains(mac));
        let seen =
            identities.iter().map(|(device, ..)| device).filter(|device| !is_gateway(*device)).collect();
        report_labels(&labels, &seen, messages);
        let named = |device: DeviceId| Named {
            device,
            is_gateway: is_gateway(device),
            label: labels.label_of(device, None).map(|label| label.class.clone()),
        };
        output.table(&self.table(&identities, &named, output.format())?)?;
        let named = identities.iter().filter(|(.., identity)| is_named(identity)).count();
        let gateways = identities.iter().filter(|(device, ..)| is_gateway(*device)).count() as u64;
        let devices = counted(identities.iter().count() as u64 - gateways, "device", "devices");
        let gateways = match gateways {
            0 => String::new(),
            some => format!(" and {}", counted(some, "gateway", "gateways")),
        };
        messages.note(format!("{devices}{gateways}, {named} of them with a vendor, model or type"));
        identities.report_dropped(messages);
        let whole = report_left_out(&summary.left_out, messages);
        Ok(outcome.max(found).max(whole))
    }

    /// A device that was asked for and is not in the captures is a mistake.
    fn check_seen(&self, identities: &Identities) -> Result<(), Usage> {
        let seen: BTreeSet<DeviceId> = identities.iter().map(|(device, ..)| device).collect();
        match self.only.iter().find(|device| !seen.contains(device)) {
            Some(device) => Err(Usage(format!(
                "--device: {device} sent nothing in these captures; devices lists who did"
            ))),
            None => Ok(()),
        }
    }

    fn table(
        &self,
        identities: &Identities,
        named: &dyn Fn(DeviceId) -> Named,
        format: Format,
    ) -> anyhow::Result<Table> {
        let is_asked = |device: DeviceId| self.only.is_empty() || self.only.contains(&device);
        let asked = identities.iter().filter(|(device, ..)| is_asked(*device));
        if self.statements {
            let mut table = Table::new([
                ("device", Type::Text),
                ("source", Type::Text),
                ("key", Type::Text),
                ("value", Type::Text),
                ("times", Type::Unsigned),
            ]);
            for (device, statements, _) in asked {
                for (statement, said) in statements.iter() {
                    table.push([
                        Cell::from(device.to_string()),
                        Cell::from(statement.source),
                        Cell::from(statement.key.to_string()),
                        Cell::from(statement.value.to_string()),
                        Cell::from(said.times),
                    ])?;
                }
            }
            return Ok(table);
        }
        if !self.only.is_empty() {
            return detail(asked.map(|(device, _, identity)| (device, identity)));
        }
        overview(asked.map(|(device, _, identity)| (named(device), identity)), format)
    }
}

/// A device with what is known of it beside what it says.
struct Named {
    device: DeviceId,
    is_gateway: bool,
    label: Option<String>,
}

fn is_named(identity: &Identity) -> bool {
    [Field::Vendor, Field::Model, Field::Type].iter().any(|field| identity.value(*field).is_some())
}

/// A row for each device. Reasons and contradictions are too long for a table on a terminal, which has `--device` for them.
fn overview<'i>(
    identities: impl Iterator<Item = (Named, &'i Identity)>,
    format: Format,
) -> anyhow::Result<Table> {
    let is_brief = format == Format::Table;
    let first = [("device", Type::Text), ("class", Type::Text), ("label", Type::Text)].into_iter();
    let fields = Field::ALL.map(|field| (field.as_str(), Type::Text));
    let lists = [("reasons", Type::List), ("contradictions", Type::List)];
    let last = if is_brief { &lists[1..] } else { &lists[..] };
    let certainty = [("certainty", Type::Text)];
    let columns = first.chain(fields).chain(certainty).chain(last.iter().copied());
    let mut table = Table::new(columns);
    for (Named { device, is_gateway, label }, identity) in identities {
        let mut row = vec![
            Cell::from(device.to_string()),
            Cell::from(if is_gateway { "gateway" } else { "device" }),
            Cell::from(label),
        ];
        row.extend(values(Some(identity), &str::to_owned));
        row.push(Cell::from(least_certainty(identity).map(|certainty| certainty.to_string())));
        row.extend((!is_brief).then(|| Cell::from(reasons(identity))));
        row.push(Cell::from(contradictions(identity)));
        table.push(row)?;
    }
    Ok(table)
}

/// A row for each claim: what speaks for the value of a field, and what against it.
fn detail<'i>(identities: impl Iterator<Item = (DeviceId, &'i Identity)>) -> anyhow::Result<Table> {
    let mut table = Table::new([
        ("device", Type::Text),
        ("field", Type::Text),
        ("value", Type::Text),
        ("certainty", Type::Text),
        ("use", Type::Text),
        ("source", Type::Text),
        ("said", Type::Text),
    ]);
    for (device, identity) in identities {
        for field in Field::ALL {
            let Answer { value, reasons, contradictions, .. } = identity.answer(field);
            let of_reasons = if value.is_some() { "reason" } else { "undecided" };
            let claims = reasons.iter().map(|claim| (claim, of_reasons));
            let against = if value.is_some() { "contradiction" } else { "undecided" };
            for (claim, purpose) in claims.chain(contradictions.iter().map(|claim| (claim, against))) {
                table.push(row(device, field, claim, purpose))?;
            }
        }
    }
    Ok(table)
}

fn row(device: DeviceId, field: Field, claim: &Claim, purpose: &str) -> [Cell; 7] {
    [
        Cell::from(device.to_string()),
        Cell::from(field.as_str()),
        Cell::from(claim.value.clone()),
        Cell::from(claim.certainty.as_str()),
        Cell::from(purpose),
        Cell::from(claim.source()),
        Cell::from(format!("{}={}", claim.statement.key, claim.statement.value)),
    ]
}
