use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use thingprint_flow::TraceOptions;
use thingprint_instance::{EvidenceSet, ExtractionRecipe, InstanceOptions, Labeled};
use thingprint_model::{Acceptance, Model, Recipe, Split, TrainOptions};
use thingprint_report::write_instances;
use thingprint_sim::{SimulationOptions, home};
use thingprint_table::Format;

use super::classify::Classified;
use super::classify::answer::{self, Shown};
use super::evaluate::{Report, Setting, WIDTH, sections};
use super::simulate::{label_file, write_frames};
use crate::args::GlobalArgs;
use crate::exit::{Outcome, Usage};
use crate::extraction::Extraction;
use crate::files::read_labels;
use crate::gateways::GatewayChoice;
use crate::inputs::Input;
use crate::instances::InstanceTable;
use crate::messages::Messages;
use crate::output::Output;
use crate::protocols::Protocols;
use crate::sorted_instances::Has;

/// Share of each device's windows that trains; the later ones test.
const SPLIT: Split = Split::Time(0.7);
/// Confidence from which on an answer is accepted.
const THRESHOLD: f64 = 0.8;

/// Simulate a home, train on it, and show how well its devices are classified.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Folder for the files of the demonstration
    #[arg(long, value_name = "FOLDER", default_value = "thingprint-demo")]
    folder: PathBuf,
}

/// What the demonstration leaves behind.
#[derive(Debug)]
struct Files {
    capture: PathBuf,
    labels: PathBuf,
    instances: PathBuf,
    model: PathBuf,
}

impl DemoArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        if global.output.is_some() {
            return Err(Usage(
                "--output: unsupported by demo, which writes several files; use --folder".to_owned(),
            )
            .into());
        }
        let output =
            Output::of(&GlobalArgs { format: global.format.or(Some(Format::Table)), ..global.clone() })?;
        let context = || format!("failed to create the folder {}", self.folder.display());
        let staged = global.results.folder(&self.folder).with_context(context)?;
        let files = Files::inside(staged.path());
        simulate(&files, global.seed, messages)?;
        let table = extract(&files, global, messages)?;
        let (model, evaluation, tested) = learn(&table, global)?;
        let model = model.with_extraction(table.extraction());
        write(&files.model, |out| Ok(model.write_to(out)?))?;
        let model = crate::models::read_model(&files.model)?;
        let classified = Classified::new(tested, &model, global.threads());
        let acceptance = Acceptance { confidence: THRESHOLD, ..Acceptance::default() };
        let verdicts = answer::of_devices(&classified, &model, &acceptance);
        let shown = Shown { has: Has { labels: true, captures: false }, ..Shown::default() };
        if output.format() == Format::Table {
            let mut tables = sections(std::slice::from_ref(&evaluation), None)?;
            let mut verdicts = answer::overview(&verdicts, &model, shown)?;
            verdicts.drop_empty_columns();
            tables.push(("Devices of the simulated home, over the windows that tested".to_owned(), verdicts));
            output.sections_within(&tables, WIDTH)?;
        } else {
            output.table(&answer::table(&verdicts, &model, shown)?)?;
        }
        staged.finish();
        Files::inside(&self.folder).describe(messages);
        Ok(Outcome::Done)
    }
}

/// Writes a file of the folder, which is read before it appears.
fn write<T>(path: &Path, write: impl FnOnce(&mut dyn Write) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let context = || format!("failed to write {}", path.file_name().unwrap_or_default().display());
    let mut out = BufWriter::new(File::create(path).with_context(context)?);
    let written = write(&mut out).with_context(context)?;
    out.flush().with_context(context)?;
    Ok(written)
}

fn simulate(files: &Files, seed: u64, messages: Messages) -> anyhow::Result<()> {
    let home = home().context("failed to read the built-in home")?;
    let options = SimulationOptions { seed, ..SimulationOptions::default() };
    let frames = write(&files.capture, |out| write_frames(&home, options, out, messages))?;
    messages.note(format!("simulated: {} devices, two days, {frames} frames", home.labels().len()));
    write(&files.labels, |out| Ok(out.write_all(label_file(&home).as_bytes())?))
}

fn extract(files: &Files, global: &GlobalArgs, messages: Messages) -> anyhow::Result<InstanceTable> {
    let labels = read_labels(Some(&files.labels), messages)?;
    let options = InstanceOptions { evidence: EvidenceSet::all(), ..InstanceOptions::default() };
    let recipe = ExtractionRecipe::of(&options);
    let inputs = [Input::File(files.capture.clone())];
    let gateways = GatewayChoice::default();
    let extraction = Extraction {
        inputs: &inputs,
        options,
        gateways: &gateways,
        trace: TraceOptions::default(),
        network_by: None,
        labels: &labels,
        protocols: &Protocols::built_in(),
        threads: global.threads(),
        messages,
    };
    let rows = extraction.instances()?.rows;
    write(&files.instances, |out| Ok(write_instances(&rows, Some(&recipe), Format::Parquet, out)?))?;
    messages.note(format!("extracted: {} hourly instances", rows.len()));
    Ok(InstanceTable { rows, recipe: Some(recipe) })
}

/// Trains on the first windows of each device and evaluates on the others, which are given back.
fn learn(table: &InstanceTable, global: &GlobalArgs) -> anyhow::Result<(Model, Report, Vec<Labeled>)> {
    let context = "failed to learn the simulated home";
    let partition = SPLIT.apply(&table.rows, global.seed).context(context)?.into_first();
    let train = partition.train.iter().map(|at| &table.rows[*at]);
    let options = TrainOptions { seed: global.seed, ..TrainOptions::of(Recipe::Best) };
    let model = Model::fit(train, &options, global.threads()).context(context)?;
    let test: Vec<&Labeled> = partition.test.iter().map(|at| &table.rows[*at]).collect();
    let setting = Setting { split: SPLIT.to_string(), threshold: THRESHOLD, threads: global.threads() };
    let report = Report::of(&model, &test, setting).context(context)?;
    let tested = test.into_iter().cloned().collect();
    Ok((model, report, tested))
}

impl Files {
    fn inside(folder: &Path) -> Self {
        Self {
            capture: folder.join("home.pcap"),
            labels: folder.join("labels.csv"),
            instances: folder.join("instances.parquet"),
            model: folder.join("home.model"),
        }
    }

    fn describe(&self, messages: Messages) {
        for (what, path) in [
            ("simulated capture", &self.capture),
            ("labels", &self.labels),
            ("instances", &self.instances),
            ("model", &self.model),
        ] {
            messages.note(format!("{what}: {}", path.display()));
        }
    }
}
