//! Experiments: definitions are run on data sets, and results are written to folders.

mod cache;
mod captured;
mod environment;
mod extent;
mod flow_log;
mod injected;
mod measured;
mod silence;
mod simulated;
mod source;
mod watch;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, bail};
use clap::{ArgGroup, Args};
use thingprint_experiment::{Definition, Material, Report, run};
use thingprint_report::Transaction;

use crate::args::GlobalArgs;
use crate::exit::{Outcome, Usage};
use crate::messages;
use crate::small_file::{MOST_WRITTEN_BYTES, read_text};
use cache::Cache;
use environment::Environment;
use extent::Extent;
use source::{Library, Loaded, Missing};
use watch::Clock;

/// Folder of the definitions that come with the program's sources.
const DEFINITIONS: &str = "experiments";

/// Most expectations that are named on the terminal; the report has them all.
const MOST_NAMED: usize = 3;

/// Run experiments: definitions of what is asked of which data
///
/// Seeds are those of the definitions, and results are folders: --seed changes nothing here, and --format and --output
/// are refused.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true))]
pub(crate) struct ExperimentArgs {
    /// Definitions, as in the folder experiments/
    #[arg(value_name = "FILE", group = "which")]
    definitions: Vec<PathBuf>,

    /// Run every definition of the folder experiments/
    #[arg(long, group = "which")]
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
        let messages = global.messages();
        if global.output.is_some() || global.format.is_some() {
            let problem = "experiment: results are folders: give where with --results";
            return Err(Usage(problem.to_owned()).into());
        }
        let definitions = self.definitions()?;
        self.check(&definitions)?;
        // Hours are not spent on what could not be written.
        let context = || format!("failed to write to folder {}", self.results.display());
        global.results.folder(&self.results).map(drop).with_context(context)?;
        let mut library = Library {
            datasets: &self.datasets,
            locations: self.data.iter().map(|data| (data.name.as_str(), data.folder.as_path())).collect(),
            days: self.days,
            missing: BTreeSet::new(),
            measures: true,
            results: &global.results,
            cache: Cache::open(self.cache.as_deref(), &global.results, messages)?,
            threads: global.threads(),
            messages,
        };
        let asked = |definition: &'_ Definition| -> Vec<String> {
            definition.data.iter().filter(|name| self.is_asked_for(name)).cloned().collect()
        };
        let runs: Vec<(&Definition, String)> =
            definitions.iter().flat_map(|one| asked(one).into_iter().map(move |name| (one, name))).collect();
        let outcome = self.run_all(&runs, &mut library)?;
        outcome.context(
            "failed to run any experiment: none of the captures is here (--data NAME=FOLDER says where)",
        )
    }

    /// Runs what there is, one after the other. One that fails is told at once, and again at the end, when the others
    /// have been run. `None` when there are no captures for any.
    fn run_all(
        &self,
        runs: &[(&Definition, String)],
        library: &mut Library<'_>,
    ) -> anyhow::Result<Option<Outcome>> {
        let mut outcome = None;
        let mut failed = Vec::new();
        for (definition, dataset) in runs {
            match self.run_one(definition, dataset, library) {
                Ok(done) => outcome = outcome.max(done),
                Err(error) if runs.len() == 1 => return Err(error),
                Err(error) => {
                    messages::error(format!("{error:#}"));
                    failed.push(format!("{} on {dataset}", definition.name));
                }
            }
        }
        if !failed.is_empty() {
            bail!("{} of {} runs failed: {}", failed.len(), runs.len(), failed.join(", "));
        }
        Ok(outcome)
    }

    /// Refuses what would be passed over: data sets that nobody names, folders that are none, and two results in one
    /// folder. Captures of a data set that these definitions do not need may be given.
    fn check(&self, definitions: &[Definition]) -> Result<(), Usage> {
        let data_sets: BTreeSet<&str> =
            definitions.iter().flat_map(|one| &one.data).map(String::as_str).collect();
        let is_known = |name: &str| data_sets.contains(name) || self.datasets.join(name).is_dir();
        let unknown = self.data.iter().map(|location| &location.name).find(|name| !is_known(name));
        let stranger = unknown.or_else(|| self.only.iter().find(|name| !data_sets.contains(name.as_str())));
        if let Some(stranger) = stranger {
            let known: Vec<&str> = data_sets.into_iter().collect();
            return Err(Usage(format!(
                "experiment: no definition given runs on data set '{stranger}', but on {}",
                known.join(", ")
            )));
        }
        if let Some(location) = self.data.iter().find(|location| !location.folder.is_dir()) {
            let Location { name, folder } = location;
            return Err(Usage(format!(
                "experiment: --data {name}={}: there is no such folder",
                folder.display()
            )));
        }
        let mut seen = BTreeSet::new();
        match definitions.iter().find(|definition| !seen.insert(&definition.name)) {
            Some(twice) => Err(Usage(format!("experiment: two definitions have the name '{}'", twice.name))),
            None => Ok(()),
        }
    }

    fn is_asked_for(&self, dataset: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == dataset)
    }

    fn definitions(&self) -> anyhow::Result<Vec<Definition>> {
        let paths = if self.all { definitions_in(Path::new(DEFINITIONS))? } else { self.definitions.clone() };
        let read = |path: &PathBuf| -> anyhow::Result<Definition> {
            let name = path.display().to_string();
            let text =
                read_text(path, MOST_WRITTEN_BYTES).with_context(|| format!("failed to read {name}"))?;
            Definition::from_toml(&name, &text).context("failed to read the experiment")
        };
        paths.iter().map(read).collect()
    }

    /// Runs an experiment on a data set, and writes the result. Data that are not there are told, and no failure:
    /// `None`.
    fn run_one(
        &self,
        definition: &Definition,
        dataset: &str,
        library: &mut Library<'_>,
    ) -> anyhow::Result<Option<Outcome>> {
        let messages = library.messages;
        let context = || format!("failed to run experiment {} on {dataset}", definition.name);
        let Loaded {
            source,
            overrides,
            mut instances,
            flows,
            extraction_costs,
            captures,
            mut outcome,
            notes,
        } = match library.load(definition, dataset).with_context(context)? {
            Ok(loaded) => loaded,
            Err(Missing { obtain }) => {
                let skipped = format!("experiment {} is skipped on {dataset}", definition.name);
                match obtain {
                    Some(obtain) => {
                        messages.warn(format!("{skipped}, whose captures are not here: {obtain}"));
                    }
                    None => messages.warn(format!("{skipped}, too")),
                }
                return Ok(None);
            }
        };
        for other in definition.others(dataset) {
            library.measures = false;
            let loaded = library.load(definition, other).with_context(context);
            library.measures = true;
            if let Ok(loaded) = loaded? {
                instances.extend(loaded.instances);
                outcome = outcome.max(loaded.outcome);
            }
        }
        let material = Material {
            dataset,
            overrides: &overrides,
            instances: &instances,
            flows: &flows,
            extraction_costs: &extraction_costs,
        };
        let mut clock = Clock::new(format!("{} on {dataset}", definition.name), messages);
        let mut result = run(definition, &material, library.threads, &mut clock).with_context(context)?;
        drop(clock);
        result.remarks.extend(notes);
        if !result.absent.is_empty() {
            let absent = some_of(&result.absent);
            messages.warn(format!(
                "{} on {dataset}: classes that are not in the data: {absent}",
                definition.name
            ));
        }
        let rows = instances.first().map(|(_, rows)| rows.as_slice()).unwrap_or_default();
        let report = Report {
            definition,
            source: &source,
            read: &Extent { captures, rows }.to_string(),
            outcome: &result,
            environment: &Environment::of(&instances).to_string(),
            machine: &environment::machine(library.threads),
        };
        let folder = self.results.join(definition.run_name(dataset));
        write_result(&report, &folder, library.results)?;
        let verdict = match report.is_as_expected() {
            Some(true) => "as expected".to_owned(),
            Some(false) => format!("not as expected: {}", some_of(&report.misses())),
            None => "done".to_owned(),
        };
        messages.note(format!("{}: {verdict}", folder.display()));
        Ok(Some(outcome))
    }
}

/// The first names of a list, and how many there are beside.
fn some_of(names: &[String]) -> String {
    let (shown, others) = names.split_at(names.len().min(MOST_NAMED));
    let others = if others.is_empty() { String::new() } else { format!(", and {} more", others.len()) };
    format!("{}{others}", shown.join(", "))
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
///
/// It is in its place whatever becomes of the next experiment.
fn write_result(report: &Report<'_>, folder: &Path, results: &Transaction) -> anyhow::Result<()> {
    let context = || format!("failed to write {}", folder.display());
    let files = report.files().context("failed to write the result")?;
    let mut staged = results.folder(folder).with_context(context)?;
    for file in &files {
        staged.write(&file.name, file.text.as_bytes()).with_context(context)?;
    }
    let is_written = |path: &Path| files.iter().any(|file| path.file_name() == Some(file.name.as_ref()));
    for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let is_ours = path.extension().is_some_and(|extension| extension == "csv" || extension == "svg");
        if let Some(name) = path.file_name().filter(|_| is_ours && !is_written(&path)) {
            staged.take_away(Path::new(name));
        }
    }
    staged.finish();
    results.commit().with_context(context)
}
