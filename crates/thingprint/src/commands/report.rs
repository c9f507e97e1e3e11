use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use thingprint_audit::report::{Captures, Report};
use thingprint_flow::{DeviceId, FlowOptions, WindowLength};
use thingprint_instance::DeviceEntry;
use thingprint_model::{Acceptance, Model};
use thingprint_pipeline::InventoryStage;
use thingprint_table::Format;

use self::page::Told;
use super::classify::Classified;
use super::classify::answer;
use super::compare::compared;
use super::compare::side::{Reader, SideRead};
use super::devices::inventory;
use crate::args::{ExtractionArgs, GlobalArgs};
use crate::destinations::Destinations;
use crate::exit::{Outcome, Usage};
use crate::files::read_labels;
use crate::inputs::Input;
use crate::label_report::report_labels;
use crate::left_out::report_left_out;
use crate::messages::Messages;
use crate::models::read_model;
use crate::output::Output;
use crate::reading::Reading;

mod page;

/// Write a report on a network for people who decide, as one page
///
/// What is on the network, what is unknown, what is unsafe and what to do about it, what changed since an earlier time, and how
/// much of the traffic was judged. The page needs nothing beside it, and prints well.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Captures: files, folders, quoted globs, or - for standard input
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<OsString>,

    /// A model, to say which class each device is of
    #[arg(short, long, value_name = "FILE")]
    model: Option<PathBuf>,

    /// What the devices are: CSV with the columns mac,label,kind
    #[arg(short, long, value_name = "FILE")]
    labels: Option<PathBuf>,

    /// An earlier time, to report what changed: a capture, a folder or quoted glob, instances, or a store
    #[arg(long, value_name = "BEFORE")]
    baseline: Option<OsString>,

    /// What counts as good: the name of a policy that is built in, or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "bcp2026")]
    policy: String,

    #[command(flatten)]
    extraction: ExtractionArgs,
}

impl ReportArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = Messages::new(global.quiet, global.verbose);
        let output = Output::with_documents(global)?;
        if output.format() != Format::Html {
            return Err(Usage(
                "report: writes a page of HTML: name a file such as -o report.html, or give --format html"
                    .to_owned(),
            )
            .into());
        }
        self.destinations(&output).check(None)?;
        let model = self.model.as_deref().map(read_model).transpose()?;
        let labels = read_labels(self.labels.as_deref(), messages)?;
        let policy = super::audit::read_policy(&self.policy)?;
        let reader = Reader {
            extraction: &self.extraction,
            model: model.as_ref(),
            labels: &labels,
            policy: Some(&policy),
            global,
            messages,
        };
        let before = self.baseline.as_ref().map(|argument| {
            let is_audited = super::compare::side::is_of_captures(argument);
            reader.read(std::slice::from_ref(argument), is_audited)
        });
        let before = before.transpose()?;
        let now = reader.read(&self.captures, true)?;
        for side in before.iter().chain([&now]) {
            output.check_apart(&side.inputs)?;
        }
        let (devices, outcome) = self.devices(&now, global)?;
        let seen = devices.iter().map(|entry| entry.device).collect();
        report_labels(&labels, &seen, messages);
        let answers = model.as_ref().map(|model| answers(&now, model, global)).unwrap_or_default();
        let (now, changes) = match before {
            Some(before) => {
                super::compare::check_alike(&before, &now)?;
                let mut compared = compared([before, now], model.as_ref(), messages, false);
                (std::mem::take(&mut compared.sides[1]), Some(compared))
            }
            None => (now, None),
        };
        let outcome =
            changes.iter().fold(outcome.max(now.outcome), |outcome, changes| outcome.max(changes.outcome));
        let mut now = now;
        let Some(survey) = &mut now.survey else { return Ok(outcome) };
        for audit in &mut survey.seen.audit.devices {
            let class = answers.get(&audit.device).and_then(answer::Said::accepted);
            audit.label = audit.label.take().or(class);
        }
        survey.report_oddities(messages);
        let find = |_, _| None;
        let captures = Captures { names: now.inputs.iter().map(Input::name).collect(), find: &find };
        let told = Told {
            report: &Report::new(&survey.seen, &captures, BTreeMap::new(), None),
            policy: &policy,
            devices: &devices,
            windows: &now.rows,
            labels: &labels,
            answers: &answers,
            has_model: model.is_some(),
            changes: changes.as_ref(),
        };
        output.with(|out| Ok(out.write_all(page::page(&told).html().as_bytes())?))?;
        messages.note(told.summary());
        Ok(outcome)
    }

    fn destinations<'a>(&'a self, output: &'a Output) -> Destinations<'a> {
        let mut destinations = Destinations::of(output.results());
        destinations.add("--output", output.file());
        destinations.read(self.model.as_deref()).read(self.labels.as_deref());
        destinations.read(self.baseline.as_deref().map(AsRef::as_ref));
        for capture in &self.captures {
            destinations.read(Some(capture.as_ref()));
        }
        destinations
    }

    /// The inventory, without gateways.
    fn devices(&self, now: &SideRead, global: &GlobalArgs) -> anyhow::Result<(Vec<DeviceEntry>, Outcome)> {
        let labels = read_labels(self.labels.as_deref(), Messages::new(true, false))?;
        let engine = self.extraction.models.read()?.engine();
        let reading = Reading {
            inputs: &now.inputs,
            flow: FlowOptions { window: WindowLength::Capture, ..self.extraction.flow.options()? },
            gateways: self.extraction.flow.device.gateways().policy(&labels),
            engine: &engine,
            threads: global.threads(),
            options: self.extraction.flow.device.trace_options(),
            wants_spans: false,
            keeps_gateways: false,
            shows_gateways: true,
            is_quiet: global.quiet,
        };
        let run = reading.run(&InventoryStage, |_| Ok(()))?;
        let messages = Messages::new(global.quiet, global.verbose);
        let whole = report_left_out(&run.summary.left_out, messages);
        Ok((inventory(run, self.extraction.flow.device.identity()), now.outcome.max(whole)))
    }
}

/// What a model says of each device: the class or `unknown`, and why it is unknown.
fn answers(now: &SideRead, model: &Model, global: &GlobalArgs) -> BTreeMap<DeviceId, answer::Said> {
    let classified = Classified::new(now.rows.clone(), model, global.threads());
    let answers = answer::of_devices(&classified, model, &Acceptance::default());
    answers.iter().map(answer::Answer::said).collect()
}
