//! Training and classification, for the commands and for programs that have instances in memory.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::ops::Range;

use anyhow::Context;
use clap::Parser;
use thingprint_instance::{ExtractionRecipe, Instance};
use thingprint_model::{Model, Recipe, Scenario, TrainOptions};
use thingprint_report::InstanceFile;

use crate::args::{TrainingArgs, Trust};
use crate::call::{Failure, Line, Message};
use crate::exit::Misfit;
use crate::instances::{InstanceTable, check_model_semantics, extraction_of, warn_of_absent_evidence};
use crate::messages::Messages;
use crate::models::model_of;

/// How a classifier is trained: the options of `train`.
#[derive(Debug, Parser)]
#[command(name = "train", no_binary_name = true, disable_help_flag = true)]
pub struct Learning {
    #[arg(long, default_value_t = Scenario::Final)]
    scenario: Scenario,

    #[command(flatten)]
    training: TrainingArgs,

    #[arg(long, default_value_t = 1)]
    seed: u64,

    #[arg(long)]
    jobs: Option<NonZeroUsize>,
}

/// A model, and what was said while it was trained.
#[derive(Debug)]
pub struct Learned {
    /// The model that `train` writes of the same instances.
    pub model: Model,
    /// What `train` says of them.
    pub messages: Vec<Message>,
}

impl Learning {
    /// How options of `train` say it, given as on a command line.
    ///
    /// # Errors
    /// When they cannot be understood.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Failure> {
        Self::try_parse_from(arguments).map_err(|error| Failure::of(&error.into()))
    }

    /// Learns from instances with labels, whatever their order.
    ///
    /// # Errors
    /// What `train` fails with.
    pub fn fit(&self, file: InstanceFile) -> Result<Learned, Failure> {
        self.fit_some(file, None)
    }

    /// The same with some trees of the forest only, by their numbers: such models are joined by [`Model::join`].
    ///
    /// # Errors
    /// What `train` fails with, and when the forest has no such trees.
    pub fn fit_trees(&self, file: InstanceFile, trees: Range<u32>) -> Result<Learned, Failure> {
        self.fit_some(file, Some(trees))
    }

    /// How many trees the forest has.
    pub fn trees(&self) -> u32 {
        self.training.options(self.scenario, self.seed).trees
    }

    fn fit_some(&self, file: InstanceFile, trees: Option<Range<u32>>) -> Result<Learned, Failure> {
        let options = self.training.options(self.scenario, self.seed);
        let (model, messages) = Line::listen(|line| {
            let messages = Messages::new(false, false).to(Some(line));
            let mut table = InstanceTable::of_file(file, messages)?;
            let settings = Settings { options: &options, trust: self.training.trust, trees };
            learn(&mut table, settings, self.threads(), messages).context("failed to train")
        });
        model.map(|model| Learned { model, messages }).map_err(|error| Failure::of(&error))
    }

    /// Threads to run.
    pub fn threads(&self) -> NonZeroUsize {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.jobs.unwrap_or_else(cores)
    }
}

/// How is learned.
pub(crate) struct Settings<'a> {
    pub(crate) options: &'a TrainOptions,
    pub(crate) trust: Option<Trust>,
    /// Some trees of the forest, by their numbers; all where it is `None`.
    pub(crate) trees: Option<Range<u32>>,
}

/// Learns from labelled instances.
pub(crate) fn learn(
    table: &mut InstanceTable,
    Settings { options, trust, trees }: Settings<'_>,
    threads: NonZeroUsize,
    messages: Messages,
) -> anyhow::Result<Model> {
    table.settle_proposals(trust)?;
    if options.recipe == Recipe::Best {
        warn_of_absent_evidence(options.evidence, table, messages);
    }
    let model = match trees {
        Some(trees) => Model::fit_trees(&table.rows, options, trees, threads)?,
        None => Model::fit(&table.rows, options, threads)?,
    };
    Ok(model.with_extraction(table.extraction()))
}

/// Refuses instances that `classify` would refuse for a model.
///
/// # Errors
/// When they were extracted in another way than those that the model was trained on, or lack what it looks at.
pub fn check_fit<'a>(
    model: &Model,
    recipe: Option<&ExtractionRecipe>,
    instances: impl IntoIterator<Item = &'a Instance>,
) -> Result<(), Failure> {
    let check = || -> anyhow::Result<()> {
        if let Some(recipe) = recipe {
            check_model_semantics(model, recipe.semantics())?;
        }
        let extraction = extraction_of(recipe);
        model.check_extraction(&extraction).map_err(|error| Misfit(error.to_string()))?;
        Ok(model.check_evidence(instances)?)
    };
    check().map_err(|error| Failure::of(&error))
}

/// Reads a model file; errors give its name.
///
/// # Errors
/// When the bytes are no model that this version can use.
pub fn read_model(bytes: &[u8], name: &str) -> Result<Model, Failure> {
    model_of(bytes, name).map_err(|error| Failure::of(&error))
}
