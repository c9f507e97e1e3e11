//! From a definition and instances to an outcome.
mod acceptance;
mod answers;
mod attacks;
mod characterise;
mod classes;
mod comparison;
mod confidence;
mod differences;
mod injection;
mod leave_one_out;
mod merits;
mod scenarios;
mod training_time;
mod trial;
mod worked;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use serde::Deserialize;
use thingprint_instance::{EvidenceSet, ExtractionRecipe, Labeled};

use crate::definition::{
    Attacks, Characterise, Definition, LeaveOneOut, Merits, Method, Need, Scenarios, TrainingTime, Worked,
};
use crate::error::ExperimentError;
use crate::extraction_cost::ExtractionCost;
use crate::flows::FlowRecord;
use crate::outcome::Outcome;
pub(crate) use trial::Bench;

/// Declares the analyses: a line for each, with the type whose name definitions spell in kebab case, and the module that it
/// is in unless it is part of the definition.
macro_rules! analyses {
    ($($(#[$doc:meta])* $name:ident $(in $module:ident)?,)+) => {
        $($(mod $module; use $module::$name;)?)+

        /// What an experiment does with its data.
        #[derive(Clone, Debug, PartialEq, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Analysis {
            $($(#[$doc])* $name($name),)+
        }

        impl Analysis {
            /// What every analysis can be asked.
            pub(crate) fn method(&self) -> &dyn Method {
                match self {
                    $(Self::$name(method) => method,)+
                }
            }
        }
    };
}

analyses! {
    /// Trains and evaluates scenarios, in several variants where asked for.
    Scenarios,
    /// Trains on the first days of each device, or on some of its windows.
    TrainingTime,
    /// Ranks the inputs of stage-1 by information gain.
    Merits,
    /// Lets the model judge a device that is attacked.
    Attacks,
    /// Works out probabilities of words and classes by hand.
    Worked,
    /// Leaves each class out of the training in turn.
    LeaveOneOut,
    /// Trains on a data set and asks about the devices of others.
    OtherNetwork in other_network,
    /// Describes the traffic of devices.
    Characterise,
    /// Asks about windows under way, by what their evidence costs.
    LiveCost in live_cost,
}

/// What an experiment is run on: everything that [`Definition::needs`] asked for.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// Name of the data set.
    pub dataset: &'a str,
    /// How the data set has to be extracted, whatever the experiment says.
    pub overrides: &'a str,
    /// Instances for each need.
    pub instances: &'a [(Need, Vec<Labeled>)],
    /// Flows of labelled devices, where the analysis looks at them; empty when the caller has none.
    pub flows: &'a [FlowRecord],
    /// What extractions cost that [`Definition::measurement`] asked for; empty when nobody measured.
    pub extraction_costs: &'a [ExtractionCost],
}

/// Evidence whose extraction is measured, by name, and how often.
#[derive(Clone, Debug)]
pub(crate) struct Measuring {
    pub(crate) runs: u32,
    pub(crate) evidence: Vec<(String, EvidenceSet)>,
}

/// What the caller lends to a run: a clock, and an ear for progress.
pub trait Watch {
    /// Time since the last call of this function, and the most memory taken meanwhile.
    fn lap(&mut self) -> Lap;

    /// Hears what is done next, like `final, seed 3`.
    fn step(&mut self, what: &str);

    /// Is called before (`true`) and after (`false`) a training whose library prints to standard error unasked, so
    /// that the caller can keep that from the terminal.
    fn chatter(&mut self, begins: bool);
}

/// What passed between two calls of [`Watch::lap`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lap {
    /// Seconds.
    pub seconds: f64,
    /// Most memory that was taken beyond what the program held before, in bytes; `None` where nobody counts.
    pub peak_bytes: Option<u64>,
}

/// Runs an experiment on a data set with `jobs` threads. The outcome does not depend on their number, nor on the
/// watch but for [`Outcome::costs`].
pub fn run(
    definition: &Definition,
    material: &Material<'_>,
    jobs: NonZeroUsize,
    watch: &mut dyn Watch,
) -> Result<Outcome, ExperimentError> {
    let mut bench = Bench::new(definition, material, jobs, watch);
    let mut outcome = definition.analysis.method().run(&mut bench)?;
    if definition.analysis.method().is_on(material.dataset) {
        outcome.absent = absent(definition, bench.own_rows()?);
    }
    outcome.name_apart();
    Ok(outcome)
}

/// The classes that a definition names and these instances do not have.
fn absent(definition: &Definition, rows: &[Labeled]) -> Vec<String> {
    let labels = rows.iter().filter_map(|row| row.label.as_ref());
    let here: BTreeSet<&str> = labels.map(|label| label.class.as_str()).collect();
    definition.classes().into_iter().filter(|class| !here.contains(class)).map(str::to_owned).collect()
}

impl<'a> Material<'a> {
    /// The instances of a need.
    fn instances_of(&self, need: &Need) -> Result<&'a [Labeled], ExperimentError> {
        let found = self.instances.iter().find(|(other, _)| other == need);
        let rows = found.map(|(_, rows)| rows.as_slice());
        rows.ok_or_else(|| ExperimentError::NoInstances { need: need.to_string() })
    }
}

/// Notes what a recipe is, where it is not the default.
fn recipe_remark(recipe: &ExtractionRecipe) -> String {
    format!("Instances were extracted with: {}.", recipe.options_text())
}
