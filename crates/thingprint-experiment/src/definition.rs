//! What a file under `experiments/` says.
mod analysis;
mod expectation;
mod extraction;
mod injection;
mod metric;

pub use analysis::{
    Attack, AttackKind, Attacks, BagProbe, Characterise, Cost, LeaveOneOut, Merits, Scenarios, Share, Show,
    TrainingTime, Variant, WordProbe, Worked,
};
pub(crate) use analysis::{
    Checked, Method, check_share, check_single, check_training, ensure, random, threshold, whole,
};
pub(crate) use metric::{is_any, is_of_class, names};

pub use expectation::{Band, BandRule, Expectation};
pub use extraction::{Extraction, Need, Preset};
pub(crate) use injection::CLEAN;
pub use injection::{Injection, Strike};

use std::collections::BTreeSet;

use serde::Deserialize;
use thingprint_instance::ExtractionRecipe;

use crate::error::ExperimentError;
use crate::extraction_cost::Measurement;
use crate::fields::{Field, optional, required, tables};
use crate::run::{Analysis, Measuring};

/// The scenario of numbers of a whole data set, where other scenarios are classes.
pub(crate) const WHOLE: &str = "all";

/// An experiment: what is asked, of which data, how it is answered, and what the answer is expected to be.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Its name, which is that of its folder under `results/`: lower-case letters, digits and hyphens.
    pub name: String,
    /// Heading of the report.
    pub title: String,
    /// Where the paper has it, like `Table 2, §5.2`.
    pub place: String,
    /// What is asked.
    pub asks: String,
    /// What the paper found.
    pub found: String,
    /// How the result may mislead.
    pub misleads: String,
    /// Names of the data sets that it runs on, the most important first.
    pub data: Vec<String>,
    /// How captures become instances.
    #[serde(default)]
    pub extraction: Extraction,
    /// Seeds of splits and forests: the experiment runs once with each.
    pub seeds: Vec<u64>,
    /// What is done.
    pub analysis: Analysis,
    /// What the paper found or common sense expects.
    #[serde(default, rename = "expect")]
    pub expectations: Vec<Expectation>,
}

/// What a definition may have, for errors that name all that is wrong.
const FIELDS: [Field; 11] = [
    required::<String>("name", "a text"),
    required::<String>("title", "a text"),
    required::<String>("place", "a text"),
    required::<String>("asks", "a text"),
    required::<String>("found", "a text"),
    required::<String>("misleads", "a text"),
    required::<Vec<String>>("data", "a list of names of data sets"),
    optional::<Extraction>("extraction", "a table with preset and options"),
    required::<Vec<u64>>("seeds", "a list of whole numbers"),
    required::<Analysis>("analysis", "one table, as [analysis.scenarios]"),
    tables::<Expectation>("expect", "tables [[expect]] with scenario and metric", false),
];

impl Definition {
    /// Reads a definition; `file` is its name in errors. Unknown fields are refused.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, ExperimentError> {
        let definition: Self = toml::from_str(text)
            .map_err(|error| ExperimentError::of_toml(file, text, (error, FIELDS.as_slice())))?;
        let fail = |(field, problem)| ExperimentError::Field { file: file.to_owned(), field, problem };
        definition.check().map_err(fail)?;
        Ok(definition)
    }

    /// Name of the folder of results on one of its data sets: the experiment's own name for the first one.
    pub fn run_name(&self, dataset: &str) -> String {
        let is_first = self.data.first().is_some_and(|first| first == dataset);
        if is_first { self.name.clone() } else { format!("{}-{dataset}", self.name) }
    }

    /// The tables of instances that a run on this data set takes, each once; `overrides` is how the data set has to
    /// be extracted whatever the experiment says, like `window=capture`.
    pub fn needs(&self, dataset: &str, overrides: &str) -> Result<Vec<Need>, ExperimentError> {
        let own = self.need(&self.extraction, dataset, overrides)?;
        let mut needs = vec![own.clone()];
        for extraction in self.analysis.method().extractions() {
            needs.push(self.need(extraction, dataset, overrides)?);
        }
        for attack in self.analysis.method().attacks(dataset) {
            needs.push(Need { attack: Some(attack.clone()), ..own.clone() });
        }
        for seconds in self.analysis.method().so_far_s() {
            needs.push(Need { so_far_s: Some(*seconds), ..own.clone() });
        }
        if let Some(injection) = self.analysis.injection() {
            let need = self.need(&injection.extraction, dataset, overrides)?;
            needs.extend([need.clone(), Need { is_injected: true, ..need }]);
        }
        let mut seen = BTreeSet::new();
        needs.retain(|need| seen.insert(need.to_string()));
        Ok(needs)
    }

    /// The extractions of a data set whose cost is to be measured: those of the experiment, each with other evidence.
    pub fn measurement(
        &self,
        dataset: &str,
        overrides: &str,
    ) -> Result<Option<Measurement>, ExperimentError> {
        let method = self.analysis.method();
        let Some(Measuring { runs, evidence }) = method.measuring() else { return Ok(None) };
        let own = self.need(&self.extraction, dataset, overrides)?.recipe;
        let extractions = evidence.into_iter().map(|(name, evidence)| (name, own.with_evidence(evidence)));
        Ok(Some(Measurement {
            runs,
            after_s: method.so_far_s().to_vec(),
            extractions: extractions.collect(),
        }))
    }

    /// The data sets beside this one whose instances a run on it takes: the table that the experiment's own extraction
    /// gives.
    pub fn others(&self, dataset: &str) -> Vec<&str> {
        let others = self.analysis.method().others().iter().map(String::as_str);
        others.filter(|other| *other != dataset).collect()
    }

    /// The classes that it names: those that the paper has numbers of.
    pub fn classes(&self) -> BTreeSet<&str> {
        let mut classes: BTreeSet<&str> = self.analysis.method().classes().into_iter().collect();
        for expectation in &self.expectations {
            classes
                .extend(expectation.class().filter(|_| !matches!(self.analysis, Analysis::Characterise(_))));
            if matches!(self.analysis, Analysis::Characterise(_)) && expectation.scenario != WHOLE {
                classes.insert(&expectation.scenario);
            }
        }
        classes
    }

    /// The instances that one extraction of a data set gives.
    pub(crate) fn need(
        &self,
        extraction: &Extraction,
        dataset: &str,
        overrides: &str,
    ) -> Result<Need, ExperimentError> {
        let recipe: ExtractionRecipe =
            extraction.recipe(overrides).map_err(|error| ExperimentError::Field {
                file: self.name.clone(),
                field: "extraction".to_owned(),
                problem: error.to_string(),
            })?;
        Ok(Need { dataset: dataset.to_owned(), recipe, attack: None, so_far_s: None, is_injected: false })
    }

    /// Field and problem of the first unsupported value.
    fn check(&self) -> Result<(), (String, String)> {
        let fail = |field: &str, problem: &str| Err((field.to_owned(), problem.to_owned()));
        if !is_folder_name(&self.name) {
            return fail("name", "expected lower-case letters, digits and hyphens");
        }
        if self.data.is_empty() || !self.data.iter().all(|name| is_folder_name(name)) || has_twice(&self.data)
        {
            return fail("data", "expected names of data sets, each once");
        }
        if self.seeds.is_empty() || has_twice(&self.seeds) {
            return fail("seeds", "expected at least one seed, each once");
        }
        for (field, text) in [("title", &self.title), ("asks", &self.asks), ("misleads", &self.misleads)] {
            if text.trim().is_empty() {
                return fail(field, "says nothing");
            }
        }
        self.extraction.recipe("").map_err(|error| ("extraction".to_owned(), error.to_string()))?;
        self.analysis.check()?;
        let is_shared = self.analysis.injection().is_some_and(|change| change.extraction == self.extraction);
        if is_shared && self.data.iter().any(|dataset| !self.analysis.method().attacks(dataset).is_empty()) {
            let problem =
                "expected another one than that of the experiment, from which attacked hours are left out";
            return fail("analysis.change.extraction", problem);
        }
        for (at, expectation) in self.expectations.iter().enumerate() {
            expectation
                .check(&self.data)
                .and_then(|()| self.analysis.check_metric(&expectation.scenario, &expectation.metric))
                .map_err(|(field, problem)| (format!("expect[{at}].{field}"), problem))?;
        }
        Ok(())
    }
}

fn is_folder_name(name: &str) -> bool {
    let is_fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && !name.starts_with('-') && name.chars().all(is_fine)
}

/// Whether an item comes twice.
pub(crate) fn has_twice<T: Ord>(items: &[T]) -> bool {
    let mut seen = BTreeSet::new();
    !items.iter().all(|item| seen.insert(item))
}

#[cfg(test)]
mod tests;
