use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;
use clap::Args;
use thingprint_instance::Labeled;
use thingprint_model::{Acceptance, Model, ModelError, Scenario, Split, TestedFold, WindowAnswers};
use thingprint_report::Transaction;
use thingprint_table::Format;

use self::against::{Against, Compared};
use self::report::Tested;
use self::show::Show;
use crate::args::{GlobalArgs, TrainingArgs};
use crate::destinations::Destinations;
use crate::exit::{Misfit, Outcome, Usage};
use crate::inputs::{Input, expand_files, named};
use crate::instances::{InstanceTable, warn_of_absent_evidence};
use crate::messages::{Messages, counted};
use crate::models::read_model;
use crate::output::Output;
use crate::standard_output::is_standard_output;

mod against;
mod figures;
mod predictions;
mod report;
mod sections;
mod show;

pub(super) use report::{Report, Setting};
pub(super) use sections::{WIDTH, sections};

/// Most seeds of one evaluation.
const MOST_SEEDS: usize = 100;

/// What results name the split when a model is asked about all instances.
const NO_SPLIT: &str = "none";

const AGAINST: &str = "Compare with these predictions, or together with --model with this model: McNemar's test, and \
                       differences with intervals by a bootstrap over days of devices";

/// Measure a classifier on labelled instances.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// Instances, as `extract --labels` writes them
    #[arg(required = true, value_name = "INSTANCES")]
    instances: Vec<OsString>,

    /// Evaluate this model on all instances, instead of training on a part of them
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["split", "seeds"])]
    model: Option<PathBuf>,

    /// Instances that train: random=SHARE, time=SHARE (the first windows of each device), unit=SHARE (whole devices), or
    /// folds that test blocks of time in turn: cv=BLOCKS, forward=BLOCKS (trains on the blocks before)
    #[arg(long, value_name = "SPLIT", default_value = "random=0.7")]
    split: Split,

    /// Evaluate with each of these seeds, for means and deviations. Instances count once, however many seeds test them; random
    /// and unit splits test others with each seed, and all of them count
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    seeds: Vec<u64>,

    /// Evidence that the classifier uses: ports, domains, ciphers, stage0, low, low-medium, final, or all of these in
    /// turn [default: final, or the model's]
    #[arg(long, value_name = "SCENARIO")]
    scenario: Option<Scenarios>,

    /// Lowest confidence of an accepted answer
    #[arg(long, value_name = "SHARE", default_value_t = 0.8, value_parser = super::parse_threshold)]
    threshold: f64,

    /// Table to write [default: all that a format holds: all of them in table and json, whole reports in jsonl, summary in
    /// others]
    #[arg(long, value_enum, value_name = "TABLE", help_heading = "Output")]
    show: Option<Show>,

    /// Write every answer with the probability of each class to this file (.csv, .parquet, .json or .jsonl)
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    predictions: Option<PathBuf>,

    #[arg(long, value_name = "PREDICTIONS|MODEL", help = AGAINST)]
    against: Option<PathBuf>,

    /// Write confusion.svg, confusion.csv and calibration.svg to this folder
    #[arg(long, value_name = "FOLDER", help_heading = "Output")]
    figures: Option<PathBuf>,

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
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" { Ok(Self::All) } else { text.parse().map(Self::One) }
    }
}

impl EvaluateArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let output = Output::of(global)?;
        let messages = global.messages();
        self.check_usage()?;
        let inputs = expand_files(&self.instances, messages)?;
        output.check_apart(&inputs)?;
        output.check_apart_from(&[self.model.as_deref(), self.against.as_deref()])?;
        self.check_destinations(&inputs, global)?;
        let against = self.against.as_deref().map(|path| Against::read(path, self.model.is_some()));
        let against = against.transpose()?;
        if let (Some(against), Some(path)) = (&against, &self.against) {
            against.check_split(&self.split_name(), path, messages)?;
        }
        let mut table = InstanceTable::read(&inputs, messages)?;
        table.settle_proposals(self.training.trust).context("failed to evaluate")?;
        let model = self.model.as_deref().map(read_model).transpose()?;
        let mut reports = Vec::new();
        for scenario in self.scenarios(model.as_ref())? {
            // What models said is let go of before the next scenario.
            let tested = match &model {
                Some(model) => self.with_model(model, &table, global)?,
                None => self.with_split(scenario, &table, global)?,
            };
            let mut report = tested.report(self.threshold).with_context(|| self.failure())?;
            report.comparison = self.compared(against.as_ref(), &tested, &table, global)?;
            report.note(&self.split, messages);
            self.write_beside(&tested, &report, &global.results)?;
            reports.push(report);
        }
        self.write(&reports, &output, messages)?;
        Ok(Outcome::Done)
    }

    /// Refuses options that do not go together.
    fn check_usage(&self) -> Result<(), Usage> {
        let mut seen = self.seeds.clone();
        seen.sort_unstable();
        seen.dedup();
        if seen.len() < self.seeds.len() || seen.len() > MOST_SEEDS {
            return Err(Usage(format!("--seeds: expected up to {MOST_SEEDS} seeds, each once")));
        }
        let single = [
            ("--predictions", self.predictions.is_some()),
            ("--against", self.against.is_some()),
            ("--figures", self.figures.is_some()),
        ];
        let asked = single.into_iter().find(|(_, is_asked)| *is_asked && self.is_by_scenario());
        match asked {
            Some((option, _)) => Err(Usage(format!("{option}: choose one scenario instead of all"))),
            None if self.show == Some(Show::Comparison) && self.against.is_none() => {
                Err(Usage("--show comparison: --against says with what".to_owned()))
            }
            None => Ok(()),
        }
    }

    /// Whether a folder is made for results.
    pub(crate) const fn makes_folder(&self) -> bool {
        self.figures.is_some()
    }

    /// Refuses files that would replace an input or another result.
    fn check_destinations(&self, inputs: &[Input], global: &GlobalArgs) -> anyhow::Result<()> {
        let names: Vec<PathBuf> = inputs.iter().map(|input| PathBuf::from(input.name())).collect();
        let figures: Vec<PathBuf> = self.figures.iter().flat_map(|folder| figures::files(folder)).collect();
        let mut read = vec![self.model.as_deref(), self.against.as_deref()];
        read.extend(names.iter().map(|name| Some(name.as_path())));
        let mut destinations = Destinations::of(&global.results);
        for path in read {
            destinations.read(path);
        }
        if let Some(path) = &self.predictions {
            predictions::format_of(path)?;
        }
        let output = global.output.as_deref().filter(|path| !is_standard_output(path));
        for (option, path) in [("--output", output), ("--predictions", self.predictions.as_deref())] {
            destinations.add(option, path);
        }
        for figure in &figures {
            destinations.add("--figures", Some(figure));
        }
        // The folder is made when no name is refused; other files may go into it.
        destinations.check_names(None)?;
        if let Some(folder) = &self.figures {
            global.results.make_folder(folder).context("failed to write --figures")?;
        }
        destinations.check(None)
    }

    fn is_by_scenario(&self) -> bool {
        self.scenario == Some(Scenarios::All)
    }

    /// The split as results name it.
    fn split_name(&self) -> String {
        if self.model.is_some() { NO_SPLIT.to_owned() } else { self.split.to_string() }
    }

    fn failure(&self) -> String {
        format!("failed to evaluate on {}", named(&self.instances))
    }

    fn acceptance(&self) -> Acceptance {
        Acceptance { confidence: self.threshold, ..Acceptance::default() }
    }

    /// The scenarios to evaluate: that of a model, or those that are asked for.
    fn scenarios(&self, model: Option<&Model>) -> Result<Vec<Scenario>, Usage> {
        let own = model.map(|model| model.options().scenario);
        match (own, self.scenario) {
            (Some(own), asked) if asked.is_some_and(|asked| asked != Scenarios::One(own)) => {
                Err(Usage(format!("--scenario: the model was trained for scenario {own}; omit the option")))
            }
            (Some(own), _) => Ok(vec![own]),
            (None, Some(Scenarios::All)) => Ok(Scenario::ALL.to_vec()),
            (None, Some(Scenarios::One(scenario))) => Ok(vec![scenario]),
            (None, None) => Ok(vec![Scenario::Final]),
        }
    }

    fn with_model(
        &self,
        model: &Model,
        table: &InstanceTable,
        global: &GlobalArgs,
    ) -> anyhow::Result<Tested> {
        let messages = global.messages();
        warn_of_absent_evidence(model.evidence(), table, messages);
        Ok(Tested::of(model, self.split_name(), self.ask(model, table, global)?))
    }

    /// Asks a model about all instances.
    fn ask(&self, model: &Model, table: &InstanceTable, global: &GlobalArgs) -> anyhow::Result<TestedFold> {
        table.check_semantics(model)?;
        model.check_extraction(&table.extraction()).map_err(|error| Misfit(error.to_string()))?;
        model.check_evidence(table.rows.iter().map(|row| &row.instance)).with_context(|| self.failure())?;
        Ok(model.tested(1, model.answers(&table.rows, &self.acceptance(), global.threads())))
    }

    /// Trains and tests a scenario on each fold with each seed.
    fn with_split(
        &self,
        scenario: Scenario,
        table: &InstanceTable,
        global: &GlobalArgs,
    ) -> anyhow::Result<Tested> {
        let seeds = if self.seeds.is_empty() { vec![global.seed] } else { self.seeds.clone() };
        let mut tested = Tested::empty(scenario, self.split_name());
        for seed in seeds {
            let folds = self.split.apply(&table.rows, seed).with_context(|| self.failure())?;
            tested.short_devices = folds.short_devices;
            for (number, partition) in (1..).zip(&folds.partitions) {
                let rows = |part: &[usize]| -> Vec<&Labeled> {
                    part.iter().filter_map(|at| table.rows.get(*at)).collect()
                };
                let options = self.training.options(scenario, seed);
                let model = Model::fit(rows(&partition.train), &options, global.threads())
                    .with_context(|| self.failure())?;
                let answers = model.answers(rows(&partition.test), &self.acceptance(), global.threads());
                tested.add(&model, model.tested(number, answers));
            }
        }
        Ok(tested)
    }

    /// Compares with what `--against` names.
    fn compared(
        &self,
        against: Option<&Against>,
        tested: &Tested,
        table: &InstanceTable,
        global: &GlobalArgs,
    ) -> anyhow::Result<Option<Compared>> {
        let (Some(against), Some(path)) = (against, &self.against) else { return Ok(None) };
        let asked;
        let other = match against {
            Against::Model(model) => {
                asked = WindowAnswers::of_model(&self.ask(model, table, global)?);
                &asked
            }
            Against::Predictions(file) => file.answers(),
        };
        Compared::of(tested, other, path, global).map(Some)
    }

    /// Writes the files beside the result.
    fn write_beside(&self, tested: &Tested, report: &Report, results: &Transaction) -> anyhow::Result<()> {
        if let Some(path) = &self.predictions {
            predictions::write(path, tested, results)?;
        }
        if let Some(folder) = &self.figures {
            figures::write(folder, report.evaluation(), results)?;
        }
        Ok(())
    }

    fn write(&self, reports: &[Report], output: &Output, messages: Messages) -> anyhow::Result<()> {
        match (output.format(), self.show) {
            (Format::Json, None) if self.is_by_scenario() => {
                let by_name: BTreeMap<String, &Report> =
                    reports.iter().map(|report| (report.scenario().to_string(), report)).collect();
                output.json(&BTreeMap::from([("scenarios", by_name)]))
            }
            (Format::Json, None) => output.json(&reports.first()),
            (Format::Jsonl, None) => output.json_lines(reports),
            (Format::Table, show) => {
                let shown = sections(reports, show)?;
                if reports.iter().any(|report| sections::leaves_out_confusion(report.evaluation(), show)) {
                    messages.note(
                        "the confusion matrix is too wide for a table: --figures FOLDER draws it and writes it as CSV, and \
                         --show confusion with --format csv lists it",
                    );
                }
                output.sections_within(&shown, WIDTH)
            }
            (_, show) => output.table(&show.unwrap_or(Show::Summary).table(reports)?),
        }
    }
}

impl Report {
    /// Says what the numbers leave out or count as wrong.
    fn note(&self, split: &Split, messages: Messages) {
        let (short, untrained) = self.gaps();
        if short > 0 {
            let devices = counted(short, "device has", "devices have");
            messages
                .note(format!("{devices} fewer windows than {split} has blocks: not every fold tests them"));
        }
        if untrained > 0 {
            let windows = counted(untrained, "window is", "windows are");
            messages
                .note(format!("{windows} of a class that the fold did not train on, and counted as wrong"));
        }
        if let Some(compared) = &self.comparison {
            compared.note(messages);
        }
    }
}
