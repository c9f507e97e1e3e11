use std::collections::BTreeMap;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use thingprint_flow::DeviceId;
use thingprint_identity::Knowledge;
use thingprint_instance::{Instance, InstanceOptions, Labeled, Semantics};
use thingprint_model::{Acceptance, DayVerdict, DeviceVerdict, FalseAlarms, Model, Prediction};
use thingprint_report::Labels;
use thingprint_table::Format;

use self::answer::Shown;
use self::answers::{Answers, Part, Said};
use self::baseline::{BaselineArgs, Comparison};
use self::explain::Explained;
use self::gathered::Gathered;
use crate::args::{ExtractionArgs, GlobalArgs, KnowledgeArgs};
use crate::destinations::Destinations;
use crate::exit::{Outcome, Usage};
use crate::extraction::Extraction;
use crate::files::read_confirmed_labels;
use crate::inputs::{Input, expand, is_capture_input};
use crate::instances::{check_model_semantics, recipe_of};
use crate::label_report::report_labels;
use crate::messages::Messages;
use crate::models::read_model;
use crate::output::{Output, check_apart};

pub(super) mod answer;
mod answers;
mod baseline;
mod changes;
mod explain;
mod gathered;

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

    /// How many windows of known devices may be taken for those of strangers: 5% or 1%
    #[arg(long, value_name = "SHARE", default_value_t = FalseAlarms::FivePercent)]
    false_alarms: FalseAlarms,

    /// Which rows to give: one for each device, each day of a device, each window of a device, or device and window
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Per::Both)]
    per: Per,

    /// Give the smallest set of classes with this much of the probability for each row, such as 0.95
    #[arg(long, value_name = "MASS", value_parser = parse_mass)]
    sets: Option<f64>,

    /// Give the probability of each class
    #[arg(long)]
    probabilities: bool,

    /// Show all columns in a table too, however wide it gets; the other formats always have all
    #[arg(long)]
    wide: bool,

    /// Show what spoke for and against the class of this device, or of all devices
    #[arg(long, value_name = "DEVICE", num_args = 0..=1, require_equals = true, default_missing_value = "all")]
    explain: Option<Explained>,

    /// Draw what spoke for and against the class of the device of --explain, as SVG
    #[arg(long, value_name = "FILE", requires = "explain")]
    figure: Option<PathBuf>,

    /// What the devices are, to see which answers are right: CSV with the columns mac,label,kind
    #[arg(short, long, value_name = "FILE")]
    labels: Option<PathBuf>,

    #[command(flatten)]
    baseline: BaselineArgs,

    #[command(flatten)]
    knowledge: KnowledgeArgs,

    #[command(flatten)]
    extraction: ExtractionArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Per {
    Device,
    Day,
    Window,
    Both,
}

impl Per {
    const fn parts(self) -> &'static [Part] {
        match self {
            Self::Device => &[Part::Devices],
            Self::Day => &[Part::Days],
            Self::Window => &[Part::Windows],
            Self::Both => &[Part::Devices, Part::Windows],
        }
    }
}

/// Instances to classify, with their predictions.
pub(super) struct Classified {
    rows: Vec<Labeled>,
    predictions: Vec<Prediction>,
    devices: Vec<DeviceVerdict>,
    days: Vec<DayVerdict>,
    /// Places of a device's rows.
    rows_of: BTreeMap<DeviceId, Vec<usize>>,
}

/// What is known of devices beside their traffic.
struct Known<'k> {
    labels: &'k Labels,
    knowledge: &'k Knowledge,
}

impl ClassifyArgs {
    /// What would be written without pseudonyms.
    pub(super) fn names_everybody(&self) -> Option<&'static str> {
        self.figure.as_ref().map(|_| "--figure")
    }

    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let output = Output::of(global)?;
        let model = read_model(&self.model)?;
        let messages = global.messages();
        let labels = read_confirmed_labels(self.labels.as_deref(), messages)?;
        self.check_explained()?;
        let (inputs, found) = expand(&self.inputs, messages)?;
        output.check_apart(&inputs)?;
        output.check_apart_from(&[Some(&self.model), self.labels.as_deref()])?;
        self.check_figure(&inputs, &output)?;
        output.check_apart_from(&self.knowledge.paths().map(Some).collect::<Vec<_>>())?;
        let knowledge = self.knowledge.read()?;
        let known = Known { labels: &labels, knowledge: &knowledge };
        let mut gathered = self.gather(inputs, &self.inputs, &model, (&known, global))?;
        let identities = std::mem::take(&mut gathered.identities);
        let outcome = gathered.outcome.max(found);
        report_labels(&labels, &gathered.devices, messages);
        if let Some(explained) = self.explain {
            let rows = gathered.rows_where(|device| explained.has(device), messages)?;
            let classified = Classified::new(rows, &model, global.threads());
            explain::write(
                &classified,
                (&model, &self.acceptance()),
                explained,
                (&output, self.figure.as_deref()),
            )?;
            return Ok(outcome);
        }
        let answers = Answers {
            model: &model,
            acceptance: self.acceptance(),
            shown: Shown { sets: self.sets, probabilities: self.probabilities, has: gathered.has() },
            threads: global.threads(),
            is_wide: self.wide,
            said: Said { identities: &identities, knowledge: &knowledge, messages },
        };
        let outcome = if self.baseline.baseline.is_empty() {
            gathered.each_row(messages, |rows| answers.write(rows, self.per.parts(), &output))?;
            outcome
        } else {
            let rows = gathered.rows_where(|_| true, messages)?;
            let (comparison, past) = self.compare(&rows, &model, &known, global)?;
            answers.write_with(rows, self.per.parts(), &comparison, &output)?;
            outcome.max(past)
        };
        if output.format() == Format::Table {
            note_likeness(&model, self.false_alarms, messages);
        }
        Ok(outcome)
    }

    /// What an answer has to reach.
    const fn acceptance(&self) -> Acceptance {
        Acceptance { confidence: self.threshold, false_alarms: self.false_alarms }
    }

    /// What changed since the baseline.
    fn compare(
        &self,
        rows: &[Labeled],
        model: &Model,
        known: &Known<'_>,
        global: &GlobalArgs,
    ) -> anyhow::Result<(Comparison, Outcome)> {
        let messages = global.messages();
        let (inputs, found) = expand(&self.baseline.baseline, messages)?;
        Output::of(global)?.check_apart(&inputs)?;
        let past =
            self.gather(inputs, &self.baseline.baseline, model, (known, global)).context("--baseline")?;
        let outcome = past.outcome.max(found);
        let past = past.rows_where(|_| true, messages)?;
        let comparison = Comparison::of(&past, rows, messages)?;
        let outcome = outcome.max(comparison.outcome);
        Ok((comparison, outcome))
    }

    /// Brings the instances of captures and of files.
    fn gather(
        &self,
        inputs: Vec<Input>,
        arguments: &[OsString],
        model: &Model,
        (known, global): (&Known<'_>, &GlobalArgs),
    ) -> anyhow::Result<Gathered> {
        let Known { labels, knowledge } = *known;
        let messages = global.messages();
        let (captures, files): (Vec<Input>, Vec<Input>) = inputs.into_iter().partition(is_capture_input);
        let mut gathered = Gathered::default();
        if !captures.is_empty() {
            let protocols = self.extraction.models.read()?;
            check_model_semantics(model, Semantics::PRESENT)?;
            let evidence = self.baseline.evidence(model.evidence(), self.extraction.evidence);
            let options = match recipe_of(model)? {
                Some(recipe) => self.extraction.options_for(&recipe, evidence, protocols.id())?,
                None => InstanceOptions {
                    evidence: self.extraction.evidence_for(evidence)?,
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
            gathered.add_captures(&extraction, knowledge)?;
        }
        if !files.is_empty() {
            gathered.add_files(&files, arguments, model, (labels, messages))?;
        }
        Ok(gathered)
    }

    /// Refuses an address where an input is expected: `--explain` takes one behind an equals sign.
    fn check_explained(&self) -> Result<(), Usage> {
        let address = self.inputs.iter().map(|input| input.to_string_lossy());
        let mut addresses =
            address.filter(|text| text.parse::<DeviceId>().is_ok() && !Path::new(&**text).exists());
        match addresses.next() {
            Some(address) if self.explain.is_some() => {
                Err(Usage(format!("{address}: no such file; to explain a device write --explain={address}")))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a figure in the place of an input or of the result.
    fn check_figure(&self, inputs: &[Input], output: &Output) -> anyhow::Result<()> {
        let Some(figure) = &self.figure else { return Ok(()) };
        check_apart(output.results(), Some(figure), inputs)?;
        let mut destinations = Destinations::of(output.results());
        destinations.read(Some(&self.model)).read(self.labels.as_deref());
        destinations.add("--output", output.file()).add("--figure", Some(figure));
        destinations.check(None)
    }
}

/// Says what likeness means, and below which answers are unknown; on standard error.
fn note_likeness(model: &Model, false_alarms: FalseAlarms, messages: Messages) {
    let Some(thresholds) = model.likeness_thresholds() else { return };
    let least = match false_alarms {
        FalseAlarms::FivePercent => thresholds.five_percent,
        FalseAlarms::OnePercent => thresholds.one_percent,
    };
    messages.note(format!(
        "likeness is 0 where a window is as usual for its class; below {least:.1} a window is unknown, as {false_alarms} of \
         the training's own windows were; below {:.1} a device or day is",
        thresholds.day
    ));
}

fn parse_mass(text: &str) -> Result<f64, String> {
    let mass = text.parse::<f64>().ok().filter(|mass| *mass > 0.0 && *mass <= 1.0);
    mass.ok_or_else(|| "expected a share above 0 and up to 1".to_owned())
}

impl Classified {
    /// Classifies instances.
    pub(super) fn new(rows: Vec<Labeled>, model: &Model, threads: NonZeroUsize) -> Self {
        let instances: Vec<&Instance> = rows.iter().map(|row| &row.instance).collect();
        let predictions = model.predict_all(&instances, threads);
        let devices = model.device_verdicts(&predictions);
        let days = model.day_verdicts(&predictions);
        let mut rows_of: BTreeMap<DeviceId, Vec<usize>> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            rows_of.entry(row.instance.device).or_default().push(at);
        }
        Self { rows, predictions, devices, days, rows_of }
    }

    /// The rows of a device, in the order of all rows.
    fn rows_of(&self, device: DeviceId) -> impl Iterator<Item = &Labeled> {
        self.rows_of.get(&device).into_iter().flatten().filter_map(|at| self.rows.get(*at))
    }
}
