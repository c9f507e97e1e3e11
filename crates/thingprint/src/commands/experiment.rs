//! Experiments: definitions are run on data sets, and results are written to folders.

mod cache;
mod captured;
mod environment;
mod flow_log;
mod simulated;
mod source;
mod watch;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context;
use clap::Args;
use thingprint_experiment::{Definition, Material, Report, run};

use crate::args::GlobalArgs;
use crate::exit::{Outcome, Usage};
use crate::files::write_file;
use crate::messages::Messages;
use cache::Cache;
use environment::Environment;
use source::{Library, Loaded, Missing};
use watch::Clock;

/// Folder of the definitions that come with the program's sources.
const DEFINITIONS: &str = "experiments";

/// Run experiments: definitions of what is asked of which data.
#[derive(Debug, Args)]
pub(crate) struct ExperimentArgs {
    /// Definitions, as in the folder experiments/
    #[arg(value_name = "FILE", required_unless_present = "all")]
    definitions: Vec<PathBuf>,

    /// Run every definition of the folder experiments/
    #[arg(long, conflicts_with = "definitions")]
    all: bool,

    /// Where the captures of a data set are (may be given several times)
    #[arg(long, value_name = "NAME=FOLDER")]
    data: Vec<Location>,

    /// Run on these data sets only, instead of all that a definition names
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    only: Vec<String>,

    /// Folder of the descriptions of data sets
    #[arg(long, value_name = "FOLDER", default_value = "datasets")]
    datasets: PathBuf,

    /// Folder that results are written to, one folder for each experiment and data set
    #[arg(long, value_name = "FOLDER", default_value = "results")]
    results: PathBuf,

    /// Folder of extracted instances, which later runs use again [default: in the user's cache folder]
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,

    /// Play simulated data sets for so many days only, to try things out
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: Option<u32>,
}

/// Where the captures of a data set are.
#[derive(Clone, Debug)]
struct Location {
    name: String,
    folder: PathBuf,
}

impl FromStr for Location {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').filter(|(name, folder)| !name.is_empty() && !folder.is_empty());
        let (name, folder) =
            parts.ok_or_else(|| format!("'{text}' names no data set: expected NAME=FOLDER"))?;
        Ok(Self { name: name.to_owned(), folder: PathBuf::from(folder) })
    }
}

impl ExperimentArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = Messages::new(global.quiet, global.verbose);
        if global.output.is_some() || global.format.is_some() {
            let problem = "experiment: results are folders: give where with --results";
            return Err(Usage(problem.to_owned()).into());
        }
        let definitions = self.definitions()?;
        let mut library = Library {
            datasets: &self.datasets,
            locations: self.data.iter().map(|data| (data.name.as_str(), data.folder.as_path())).collect(),
            days: self.days,
            cache: Cache::open(self.cache.as_deref())?,
            threads: global.threads(),
            messages,
        };
        let mut outcome = Outcome::Done;
        for definition in &definitions {
            for dataset in definition.data.iter().filter(|name| self.is_asked_for(name)) {
                outcome = outcome.max(self.run_one(definition, dataset, &mut library)?);
            }
        }
        Ok(outcome)
    }

    fn is_asked_for(&self, dataset: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == dataset)
    }

    fn definitions(&self) -> anyhow::Result<Vec<Definition>> {
        let paths = if self.all { definitions_in(Path::new(DEFINITIONS))? } else { self.definitions.clone() };
        let read = |path: &PathBuf| -> anyhow::Result<Definition> {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path).with_context(|| format!("failed to read {name}"))?;
            Definition::from_toml(&name, &text).context("failed to read the experiment")
        };
        paths.iter().map(read).collect()
    }

    /// Runs an experiment on a data set, and writes the result. Data that are not there are told, and no failure.
    fn run_one(
        &self,
        definition: &Definition,
        dataset: &str,
        library: &mut Library<'_>,
    ) -> anyhow::Result<Outcome> {
        let messages = library.messages;
        let context = || format!("failed to run experiment {} on {dataset}", definition.name);
        let Loaded { source, overrides, instances, flows, outcome, notes } =
            match library.load(definition, dataset).with_context(context)? {
                Ok(loaded) => loaded,
                Err(Missing { obtain }) => {
                    messages.warn(format!(
                        "experiment {} is skipped on {dataset}, whose captures are not here: {obtain}",
                        definition.name
                    ));
                    return Ok(Outcome::Done);
                }
            };
        let material = Material { dataset, overrides: &overrides, instances: &instances, flows: &flows };
        let mut clock = Clock::new(messages);
        let mut result = run(definition, &material, library.threads, &mut clock).with_context(context)?;
        result.remarks.extend(notes);
        let environment = Environment::of(&instances, library.threads).to_string();
        let report = Report { definition, source: &source, outcome: &result, environment: &environment };
        let folder = self.results.join(definition.run_name(dataset));
        write_result(&report, &folder)?;
        let verdict = match report.is_as_expected() {
            Some(true) => "as expected",
            Some(false) => "outside an expected band: see its report",
            None => "done",
        };
        messages.note(format!("{}: {verdict}", folder.display()));
        Ok(outcome)
    }
}

fn definitions_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let context = || format!("failed to read folder {} (run where it is)", folder.display());
    let entries = std::fs::read_dir(folder).with_context(context)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .with_context(context)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    Ok(paths)
}

/// Writes the files of a result; tables and figures of an earlier run that are no more are taken away.
fn write_result(report: &Report<'_>, folder: &Path) -> anyhow::Result<()> {
    let context = || format!("failed to write {}", folder.display());
    std::fs::create_dir_all(folder).with_context(context)?;
    let files = report.files().context("failed to write the result")?;
    for entry in std::fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
        let is_ours = path.extension().is_some_and(|extension| extension == "csv" || extension == "svg");
        let is_written = files.iter().any(|file| path.file_name().is_some_and(|name| *name == *file.name));
        if is_ours && !is_written {
            std::fs::remove_file(&path).with_context(context)?;
        }
    }
    for file in &files {
        write_file(&folder.join(&file.name), file.text.as_bytes())?;
    }
    Ok(())
}
