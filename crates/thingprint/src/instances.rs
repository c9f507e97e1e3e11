//! Files of instances: several are one table, as long as they were made the same way.

use std::collections::BTreeMap;

use anyhow::Context;
use thingprint_instance::{Labeled, Recipe};
use thingprint_report::read_instances;

use crate::exit::Misfit;
use crate::inputs::Input;

/// Name of the entry of a model file that holds the recipe of its training instances.
const RECIPE: &str = "extraction";

/// Instances of one recipe.
#[derive(Debug, Default)]
pub(crate) struct InstanceTable {
    pub(crate) rows: Vec<Labeled>,
    /// How they were made, where the files say.
    pub(crate) recipe: Option<Recipe>,
}

impl InstanceTable {
    /// Reads files of instances.
    pub(crate) fn read(inputs: &[Input]) -> anyhow::Result<Self> {
        let mut table = Self::default();
        for input in inputs {
            let file = read_instances(&input.read()?, &input.name()).context("failed to read instances")?;
            table.add(file.rows, file.recipe, &input.name())?;
        }
        Ok(table)
    }

    fn add(&mut self, rows: Vec<Labeled>, recipe: Option<Recipe>, name: &str) -> anyhow::Result<()> {
        if let (Some(before), Some(recipe)) = (&self.recipe, &recipe)
            && before != recipe
        {
            return Err(Misfit(format!(
                "failed to read instances: {name} was extracted with '{recipe}', the files before it with '{before}'"
            ))
            .into());
        }
        self.recipe = self.recipe.take().or(recipe);
        self.rows.extend(rows);
        Ok(())
    }

    /// What a model is to remember of its training instances.
    pub(crate) fn extraction(&self) -> BTreeMap<String, String> {
        self.recipe.iter().map(|recipe| (RECIPE.to_owned(), recipe.to_string())).collect()
    }
}

/// The recipe of a model's training instances.
pub(crate) fn recipe_of(model: &thingprint_model::Model) -> anyhow::Result<Option<Recipe>> {
    let parse = |text: &String| text.parse::<Recipe>();
    let recipe = model.extraction().get(RECIPE).map(parse).transpose();
    recipe.map_err(|error| Misfit(format!("the model's extraction cannot be read: {error}")).into())
}
