//! Values that a definition spells as text: splits, scenarios, recipes.
use std::fmt::Display;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, de};
use thingprint_instance::EvidenceSet;
use thingprint_model::{Recipe, TrainOptions};

/// Reads a value by its `FromStr`.
pub(crate) fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

/// Reads an optional value by its `FromStr`.
pub(crate) fn parsed_option<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    parsed(deserializer).map(Some)
}

/// Reads options of training. Evidence that is not given is that of the recipe, and `without` takes some of it away.
pub(crate) fn training<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TrainOptions, D::Error> {
    const EVIDENCE: &str = "evidence";
    let mut fields = toml::Table::deserialize(deserializer)?;
    let without: EvidenceSet = taken(&mut fields, "without")?.unwrap_or(EvidenceSet::NONE);
    let recipe: Option<Recipe> = fields.get("recipe").cloned().map(read).transpose()?;
    let evidence: Option<EvidenceSet> = taken(&mut fields, EVIDENCE)?;
    let options: TrainOptions = read(toml::Value::Table(fields))?;
    let evidence = evidence.unwrap_or_else(|| recipe.unwrap_or(options.recipe).evidence());
    Ok(TrainOptions { evidence: evidence.without(without), ..options })
}

/// Reads optional options of training.
pub(crate) fn training_option<'de, D>(deserializer: D) -> Result<Option<TrainOptions>, D::Error>
where
    D: Deserializer<'de>,
{
    training(deserializer).map(Some)
}

/// Takes a field out of a table.
fn taken<T: DeserializeOwned, E: de::Error>(fields: &mut toml::Table, name: &str) -> Result<Option<T>, E> {
    fields.remove(name).map(read).transpose()
}

fn read<T: DeserializeOwned, E: de::Error>(value: toml::Value) -> Result<T, E> {
    value.try_into().map_err(de::Error::custom)
}
