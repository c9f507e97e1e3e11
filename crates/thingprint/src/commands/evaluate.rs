use std::collections::BTreeMap;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;
use clap::Args;
use serde::Serialize;
use thingprint_instance::{Instance, Labeled};
use thingprint_model::{Evaluation, Model, ModelError, Scenario, Split};
use thingprint_table::{Cell, Format, Table, Type};

use crate::args::{GlobalArgs, TrainingArgs};
use crate::exit::{Misfit, Outcome, Usage};
use crate::inputs::{expand_files, named};
use crate::instances::{InstanceTable, warn_of_absent_evidence};
use crate::messages::Messages;
use crate::models::read_model;
use crate::output::Output;

/// Measure a classifier on labelled instances.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// Instances, as `extract --labels` writes them
    #[arg(required = true, value_name = "INSTANCES")]
    instances: Vec<OsString>,

    /// Evaluate this model on all instances, instead of training on a part of them
    #[arg(short, long, value_name = "FILE", conflicts_with = "split")]
    model: Option<PathBuf>,

    /// Instances that train: random=SHARE, time=SHARE (the first windows of each device) or unit=SHARE (whole devices)
    #[arg(long, value_name = "SPLIT", default_value = "random=0.7")]
    split: Split,

    /// Evidence that the classifier uses: ports, domains, ciphers, stage0, low, low-medium, final, or all of these in
    /// turn [default: final, or the model's]
    #[arg(long, value_name = "SCENARIO")]
    scenario: Option<Scenarios>,

    /// Lowest confidence of an accepted answer
    #[arg(long, value_name = "SHARE", default_value_t = 0.8, value_parser = super::parse_threshold)]
    threshold: f64,

    #[command(flatten)]
    training: TrainingArgs,
}

/// One scenario or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scenarios {
    One(Scenario),
    All,
}

impl FromStr for Scenarios {
    type Err = thingprint_model::ModelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" { Ok(Self::All) } else { text.parse().map(Self::One) }
    }
}

/// How a model is evaluated.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// Name of the split that the rows come from.
    pub(super) split: String,
    /// Lowest confidence of an accepted answer.
    pub(super) threshold: f64,
    pub(super) threads: NonZeroUsize,
}

/// An evaluation, and how it came about.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    scenario: Scenario,
    split: String,
    seed: u64,
    generator: String,
    trained_on: u64,
    #[serde(flatten)]
    evaluation: Evaluation,
}

impl EvaluateArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let output = Output::of(global)?;
        let messages = Messages::new(global.quiet, global.verbose);
        let inputs = expand_files(&self.instances, messages)?;
        output.check_apart(&inputs)?;
        output.check_apart_from(&[self.model.as_deref()])?;
        let table = InstanceTable::read(&inputs, messages)?;
        let reports = match &self.model {
            Some(path) => {
                let model = read_model(path)?;
                warn_of_absent_evidence(model.evidence(), &table.rows, messages);
                vec![self.with_model(&model, &table, global)?]
            }
            None => self.with_split(&table, global)?,
        };
        write(&reports, self.scenario == Some(Scenarios::All), &output)?;
        Ok(Outcome::Done)
    }

    fn with_model(
        &self,
        model: &Model,
        table: &InstanceTable,
        global: &GlobalArgs,
    ) -> anyhow::Result<Report> {
        table.check_semantics(model)?;
        model.check_extraction(&table.extraction()).map_err(|error| Misfit(error.to_string()))?;
        let scenario = model.options().scenario;
        if self.scenario.is_some_and(|asked| asked != Scenarios::One(scenario)) {
            return Err(Usage(format!(
                "--scenario: the model was trained for scenario {scenario}; omit the option"
            ))
            .into());
        }
        let rows: Vec<&Labeled> = table.rows.iter().collect();
        let context = || format!("failed to evaluate on {}", named(&self.instances));
        model.check_evidence(table.rows.iter().map(|row| &row.instance)).with_context(context)?;
        Report::of(model, &rows, self.setting("none".to_owned(), global)).with_context(context)
    }

    fn with_split(&self, table: &InstanceTable, global: &GlobalArgs) -> anyhow::Result<Vec<Report>> {
        let context = || format!("failed to evaluate on {}", named(&self.instances));
        let partition = self.split.apply(&table.rows, global.seed).with_context(context)?;
        let rows = |part: &[usize]| -> Vec<&Labeled> { part.iter().map(|at| &table.rows[*at]).collect() };
        let (train, test) = (rows(&partition.train), rows(&partition.test));
        let scenarios = match self.scenario {
            Some(Scenarios::All) => Scenario::ALL.to_vec(),
            Some(Scenarios::One(scenario)) => vec![scenario],
            None => vec![Scenario::Final],
        };
        let mut reports = Vec::new();
        for scenario in scenarios {
            let options = self.training.options(scenario, global.seed);
            let model =
                Model::fit(train.iter().copied(), &options, global.threads()).with_context(context)?;
            let report = Report::of(&model, &test, self.setting(self.split.to_string(), global));
            reports.push(report.with_context(context)?);
        }
        Ok(reports)
    }

    fn setting(&self, split: String, global: &GlobalArgs) -> Setting {
        Setting { split, threshold: self.threshold, threads: global.threads() }
    }
}

impl Report {
    /// Evaluates a model on the labelled ones of these rows.
    pub(super) fn of(model: &Model, rows: &[&Labeled], setting: Setting) -> Result<Self, ModelError> {
        let Setting { split, threshold, threads } = setting;
        let labelled: Vec<(&Instance, &str)> =
            rows.iter().filter_map(|row| Some((&row.instance, row.label.as_ref()?.class.as_str()))).collect();
        let instances: Vec<&Instance> = labelled.iter().map(|(instance, _)| *instance).collect();
        let predictions = model.predict_all(&instances, threads);
        let answers = predictions.iter().zip(labelled.iter().map(|(_, class)| *class));
        let options = model.options();
        Ok(Self {
            scenario: options.scenario,
            split,
            seed: options.seed,
            generator: model.origin().generator.clone(),
            trained_on: model.classes().instances(),
            evaluation: Evaluation::new(model.classes(), answers, threshold)?,
        })
    }
}

fn write(reports: &[Report], is_by_scenario: bool, output: &Output) -> anyhow::Result<()> {
    match output.format() {
        Format::Json if is_by_scenario => {
            let by_name: BTreeMap<String, &Report> =
                reports.iter().map(|report| (report.scenario.to_string(), report)).collect();
            output.json(&BTreeMap::from([("scenarios", by_name)]))
        }
        Format::Json => output.json(&reports.first()),
        Format::Jsonl => output.json_lines(reports),
        Format::Table => output.sections(&sections(reports)?),
        _ => output.table(&summary(reports)?),
    }
}

/// The tables of evaluations, for people.
pub(super) fn sections(reports: &[Report]) -> anyhow::Result<Vec<(String, Table)>> {
    let mut sections = vec![("Scenarios".to_owned(), summary(reports)?)];
    for report in reports {
        sections.push((format!("Classes, scenario {}", report.scenario), per_class(&report.evaluation)?));
        if let Some(confusion) = confusion(&report.evaluation)? {
            let heading = format!("Confusion matrix, scenario {}: rows are true classes", report.scenario);
            sections.push((heading, confusion));
        }
    }
    Ok(sections)
}

fn summary(reports: &[Report]) -> anyhow::Result<Table> {
    let mut table = Table::new([
        ("scenario", Type::Text),
        ("split", Type::Text),
        ("seed", Type::Unsigned),
        ("trained_on", Type::Unsigned),
        ("instances", Type::Unsigned),
        ("accuracy", Type::Real),
        ("rrse", Type::Real),
        ("macro_f1", Type::Real),
        ("threshold", Type::Real),
        ("coverage", Type::Real),
        ("accepted_accuracy", Type::Real),
        ("calibration_error", Type::Real),
    ]);
    for report in reports {
        let evaluation = &report.evaluation;
        table.push([
            Cell::from(report.scenario.to_string()),
            Cell::from(report.split.clone()),
            Cell::from(report.seed),
            Cell::from(report.trained_on),
            Cell::from(evaluation.instances),
            Cell::from(evaluation.accuracy),
            Cell::from(evaluation.rrse),
            Cell::from(evaluation.macro_f1),
            Cell::from(evaluation.threshold),
            Cell::from(evaluation.coverage),
            Cell::from(evaluation.accepted_accuracy),
            Cell::from(evaluation.calibration_error),
        ])?;
    }
    Ok(table)
}

/// As in Table 2 of the classification paper: who was told right and how surely, who was mistaken for whom.
fn per_class(evaluation: &Evaluation) -> anyhow::Result<Table> {
    let mut table = Table::new([
        ("class", Type::Text),
        ("instances", Type::Unsigned),
        ("correct", Type::Text),
        ("mistaken_for", Type::Text),
    ]);
    for class in &evaluation.per_class {
        let correct = class.correct.map(|share| cell(share, class.confidence));
        let mistakes: Vec<String> = class
            .mistaken_for
            .iter()
            .map(|mistake| format!("{}: {}", mistake.class, cell(mistake.share, Some(mistake.confidence))))
            .collect();
        table.push([
            Cell::from(class.class.to_string()),
            Cell::from(class.instances),
            Cell::from(correct),
            Cell::from((!mistakes.is_empty()).then(|| mistakes.join(", "))),
        ])?;
    }
    Ok(table)
}

/// A share and a mean confidence, the way Table 2 prints them.
fn cell(share: f64, confidence: Option<f64>) -> String {
    let confidence = confidence.map_or("-".to_owned(), |confidence| format!("{confidence:.2}"));
    format!("{:.1}% [{confidence}]", 100.0 * share)
}

/// The confusion matrix; `None` when it is too wide to read, where JSON has it.
fn confusion(evaluation: &Evaluation) -> anyhow::Result<Option<Table>> {
    /// Most classes that a line of text has room for.
    const MOST_CLASSES: usize = 20;
    if evaluation.classes.len() > MOST_CLASSES {
        return Ok(None);
    }
    let numbers: Vec<String> = (1..=evaluation.classes.len()).map(|number| number.to_string()).collect();
    let columns = [("class", Type::Text), ("no", Type::Unsigned)].into_iter();
    let mut table = Table::new(columns.chain(numbers.iter().map(|number| (number.as_str(), Type::Unsigned))));
    for (at, (class, row)) in evaluation.classes.iter().zip(&evaluation.confusion).enumerate() {
        let counts = row.iter().map(|count| Cell::from((*count > 0).then_some(*count)));
        table.push([Cell::from(class.to_string()), Cell::from(at as u64 + 1)].into_iter().chain(counts))?;
    }
    Ok(Some(table))
}
