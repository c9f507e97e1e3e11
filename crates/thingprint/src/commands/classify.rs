use std::collections::BTreeMap;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use thingprint_flow::DeviceId;
use thingprint_instance::{Instance, InstanceOptions, Labeled, Semantics};
use thingprint_model::{Acceptance, DeviceVerdict, Model, Prediction};
use thingprint_report::Labels;
use thingprint_table::Format;

use self::explain::Explained;
use crate::args::{ExtractionArgs, GlobalArgs};
use crate::exit::{Misfit, Outcome};
use crate::extraction::Extraction;
use crate::files::read_labels;
use crate::inputs::{Input, expand, is_capture_input, named};
use crate::instances::{InstanceTable, check_model_semantics, recipe_of, warn_of_absent_evidence};
use crate::label_report::report_labels;
use crate::messages::Messages;
use crate::models::read_model;
use crate::output::Output;

pub(super) mod answer;
mod explain;

const DEVICES_HEADING: &str = "Devices, over all their windows";
const WINDOWS_HEADING: &str = "Devices by window";

/// Say which class each device is of, and how surely.
#[derive(Debug, Args)]
pub(crate) struct ClassifyArgs {
    /// Captures, or instances as `extract` writes them
    #[arg(required = true, value_name = "CAPTURE|INSTANCES")]
    inputs: Vec<OsString>,

    /// The model
    #[arg(short, long, value_name = "FILE")]
    model: PathBuf,

    /// Confidence from which on an answer is accepted; below it is unknown, as is what is not like its class by the model
    #[arg(long, value_name = "SHARE", default_value_t = 0.8, value_parser = super::parse_threshold)]
    threshold: f64,

    /// Which rows to give: one for each device, one for each window of a device, or both
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Per::Both)]
    per: Per,

    /// Show what spoke for and against the class of this device, or of all devices
    #[arg(long, value_name = "DEVICE", num_args = 0..=1, require_equals = true, default_missing_value = "all")]
    explain: Option<Explained>,

    /// What the devices are, to see which answers are right: CSV with the columns mac,label,kind
    #[arg(short, long, value_name = "FILE")]
    labels: Option<PathBuf>,

    #[command(flatten)]
    extraction: ExtractionArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Per {
    Device,
    Window,
    Both,
}

/// Instances to classify, with their predictions.
pub(super) struct Classified {
    rows: Vec<Labeled>,
    predictions: Vec<Prediction>,
    devices: Vec<DeviceVerdict>,
    /// Places of a device's rows.
    rows_of: BTreeMap<DeviceId, Vec<usize>>,
}

impl ClassifyArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let output = Output::of(global)?;
        let model = read_model(&self.model)?;
        let messages = Messages::new(global.quiet, global.verbose);
        let labels = read_labels(self.labels.as_deref(), messages)?;
        let (inputs, found) = expand(&self.inputs, messages)?;
        output.check_apart(&inputs)?;
        output.check_apart_from(&[Some(&self.model), self.labels.as_deref()])?;
        let (rows, outcome) = self.rows(inputs, &model, &labels, global)?;
        let outcome = outcome.max(found);
        report_labels(&labels, &rows.iter().map(|row| row.instance.device).collect(), messages);
        let classified = Classified::new(rows, &model, global.threads());
        if let Some(explained) = self.explain {
            explain::write(&classified, &model, explained, &output)?;
            return Ok(outcome);
        }
        self.write(&classified, &model, &output)?;
        Ok(outcome)
    }

    fn rows(
        &self,
        inputs: Vec<Input>,
        model: &Model,
        labels: &Labels,
        global: &GlobalArgs,
    ) -> anyhow::Result<(Vec<Labeled>, Outcome)> {
        let messages = Messages::new(global.quiet, global.verbose);
        let mut outcome = Outcome::Done;
        let (captures, tables): (Vec<Input>, Vec<Input>) = inputs.into_iter().partition(is_capture_input);
        let mut rows = Vec::new();
        if !captures.is_empty() {
            let protocols = self.extraction.models.read()?;
            check_model_semantics(model, Semantics::PRESENT)?;
            let options = match recipe_of(model)? {
                Some(recipe) => self.extraction.options_for(&recipe, model.evidence(), protocols.id())?,
                None => InstanceOptions {
                    evidence: self.extraction.evidence_for(model.evidence())?,
                    ..self.extraction.options(protocols.id())?
                },
            };
            let gateways = self.extraction.flow.device.gateways();
            let extraction = Extraction {
                inputs: &captures,
                options,
                gateways: &gateways,
                trace: self.extraction.flow.device.trace_options(),
                network_by: None,
                labels,
                protocols: &protocols,
                threads: global.threads(),
                messages,
            };
            let instances = extraction.instances()?;
            rows.extend(instances.rows);
            outcome = outcome.max(instances.outcome);
        }
        if !tables.is_empty() {
            let table = InstanceTable::read(&tables, messages)?;
            table.check_semantics(model)?;
            model.check_extraction(&table.extraction()).map_err(|error| Misfit(error.to_string()))?;
            model
                .check_evidence(table.rows.iter().map(|row| &row.instance))
                .with_context(|| format!("failed to classify {}", named(&self.inputs)))?;
            warn_of_absent_evidence(model.evidence(), &table.rows, messages);
            rows.extend(table.rows.into_iter().map(|row| relabelled(row, labels)));
        }
        Ok((rows, outcome))
    }

    fn write(&self, classified: &Classified, model: &Model, output: &Output) -> anyhow::Result<()> {
        let acceptance = Acceptance { confidence: self.threshold, ..Acceptance::default() };
        let devices = || answer::of_devices(classified, model, &acceptance);
        let windows = || answer::of_windows(classified, model, &acceptance);
        if output.format() == Format::Table {
            let mut sections = Vec::new();
            if self.per != Per::Window {
                sections.push((DEVICES_HEADING.to_owned(), answer::device_table(&devices())?));
            }
            if self.per != Per::Device {
                sections.push((WINDOWS_HEADING.to_owned(), answer::table(&windows())?));
            }
            return output.sections(&sections);
        }
        let answers = match self.per {
            Per::Device => devices(),
            Per::Window => windows(),
            Per::Both => devices().into_iter().chain(windows()).collect(),
        };
        output.table(&answer::table(&answers)?)
    }
}

impl Classified {
    /// Classifies instances.
    pub(super) fn new(rows: Vec<Labeled>, model: &Model, threads: NonZeroUsize) -> Self {
        let instances: Vec<&Instance> = rows.iter().map(|row| &row.instance).collect();
        let predictions = model.predict_all(&instances, threads);
        let devices = model.device_verdicts(&predictions);
        let mut rows_of: BTreeMap<DeviceId, Vec<usize>> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            rows_of.entry(row.instance.device).or_default().push(at);
        }
        Self { rows, predictions, devices, rows_of }
    }

    /// The rows of a device, in the order of all rows.
    fn rows_of(&self, device: DeviceId) -> impl Iterator<Item = &Labeled> {
        self.rows_of.get(&device).into_iter().flatten().filter_map(|at| self.rows.get(*at))
    }
}

/// The instance with the label that the label file gives it, else with the one that it has.
fn relabelled(mut row: Labeled, labels: &Labels) -> Labeled {
    let label = labels.label_of(row.instance.device, row.instance.capture.as_deref());
    row.label = label.cloned().or(row.label);
    row
}
