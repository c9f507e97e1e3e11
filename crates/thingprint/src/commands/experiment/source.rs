use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::Context;
use thingprint_experiment::{DataSource, Dataset, Definition, ExtractionCost, FlowRecord, Need};
use thingprint_instance::Labeled;
use thingprint_report::Transaction;

use super::cache::Cache;
use super::captured::Captured;
use super::simulated::Simulated;
use crate::exit::Outcome;
use crate::messages::Messages;
use crate::small_file::{MOST_WRITTEN_BYTES, read_text};

/// Where data sets come from.
#[derive(Debug)]
pub(super) struct Library<'a> {
    /// Folder of the descriptions.
    pub(super) datasets: &'a Path,
    /// Folders of captures, by data set.
    pub(super) locations: BTreeMap<&'a str, &'a Path>,
    /// Days that simulated data sets are played for, when not as long as they say.
    pub(super) days: Option<u32>,
    /// Data sets whose captures are not here, which was told.
    pub(super) missing: BTreeSet<String>,
    /// Whether what extraction costs is measured where an experiment asks for it; not of data beside its own.
    pub(super) measures: bool,
    /// What is written.
    pub(super) results: &'a Transaction,
    pub(super) cache: Cache,
    pub(super) threads: NonZeroUsize,
    pub(super) messages: Messages,
}

/// Everything that an experiment needs of a data set.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) source: DataSource,
    /// How the data set has to be extracted, whatever the experiment says.
    pub(super) overrides: String,
    pub(super) instances: Vec<(Need, Vec<Labeled>)>,
    pub(super) flows: Vec<FlowRecord>,
    /// What was measured of extractions, where that was asked for.
    pub(super) extraction_costs: Vec<ExtractionCost>,
    /// Captures read; `None` where the data are simulated.
    pub(super) captures: Option<usize>,
    pub(super) outcome: Outcome,
    /// What the report is to say of it.
    pub(super) notes: Vec<String>,
}

/// A data set whose captures are not here.
#[derive(Debug)]
pub(super) struct Missing {
    /// How to obtain them; `None` when that was told before.
    pub(super) obtain: Option<String>,
}

impl Library<'_> {
    /// What an experiment needs of a data set; `Missing` when its captures are not here.
    pub(super) fn load(
        &mut self,
        definition: &Definition,
        dataset: &str,
    ) -> anyhow::Result<Result<Loaded, Missing>> {
        if let Some(simulated) = Simulated::named(dataset, self.days)? {
            return simulated.load(definition, self).map(Ok);
        }
        let path = self.datasets.join(dataset).join("dataset.toml");
        let name = path.display().to_string();
        let text = read_text(&path, MOST_WRITTEN_BYTES)
            .with_context(|| format!("failed to read the data set's description {name}"))?;
        let description = Dataset::from_toml(&name, &text).context("failed to read the data set")?;
        let captured = match self.locations.get(dataset) {
            Some(location) => {
                Captured::find(dataset, &description, location, path.parent().unwrap_or(location))?
            }
            None => None,
        };
        let Some(captured) = captured else {
            let is_news = self.missing.insert(dataset.to_owned());
            return Ok(Err(Missing { obtain: is_news.then(|| description.obtain.trim().to_owned()) }));
        };
        captured.load(definition, self).map(Ok)
    }
}
