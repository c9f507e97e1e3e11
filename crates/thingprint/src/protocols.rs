//! The built-in protocol models, and those that the user adds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use thingprint_instance::ModelsId;
use thingprint_protocol::schema::Model;
use thingprint_protocol::{Engine, Limits, ModelSet, dialect};

use crate::files::read_given;
use crate::small_file::{MOST_WRITTEN_BYTES, read_bytes};

/// The protocols to detect.
#[derive(Debug)]
pub(crate) struct Protocols {
    set: Arc<ModelSet>,
    /// The files of models by abbreviation; all others are built in.
    files: BTreeMap<String, String>,
}

impl Protocols {
    /// The built-in models.
    pub(crate) fn built_in() -> Self {
        Self { set: ModelSet::built_in(), files: BTreeMap::new() }
    }

    /// The built-in models, with those that a file or the files of a folder add and replace.
    pub(crate) fn read(own_path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(own_path) = own_path else { return Ok(Self::built_in()) };
        let mut files = BTreeMap::new();
        let mut own = Vec::new();
        for path in model_files(own_path)? {
            let model = read_protocol(&path)?;
            let name = path.display().to_string();
            if let Some(other) = files.insert(model.name().to_owned(), name.clone()) {
                bail!("failed to read protocol models: {other} and {name} are both of '{}'", model.name());
            }
            own.push(model);
        }
        let set = ModelSet::built_in_with(own).context("failed to read protocol models")?;
        Ok(Self { set: Arc::new(set), files })
    }

    /// The models.
    pub(crate) fn models(&self) -> &[Model] {
        self.set.models()
    }

    /// The file that a model is from; `None` for a built-in one.
    pub(crate) fn file_of(&self, model: &Model) -> Option<&str> {
        self.files.get(model.name()).map(String::as_str)
    }

    /// What instances record of the models: nothing if they are the built-in ones.
    pub(crate) fn id(&self) -> Option<ModelsId> {
        let id = ModelsId::of(self.models());
        (id != ModelsId::of(ModelSet::built_in().models())).then_some(id)
    }

    /// An engine that detects them.
    pub(crate) fn engine(&self) -> Engine {
        Engine::with_models(Arc::clone(&self.set), Limits::default())
    }
}

/// Reads a model in either form, and checks that it compiles.
pub(crate) fn read_protocol(path: &Path) -> anyhow::Result<Model> {
    let context = || format!("failed to read protocol model {}", path.display());
    let model =
        read_given(path, MOST_WRITTEN_BYTES).and_then(|text| parse_protocol(&text)).with_context(context)?;
    ModelSet::compile([model.clone()]).with_context(context)?;
    Ok(model)
}

/// A model in the form of the schema, or in the published one. The error for a text that is neither is that of the form
/// it resembles.
pub(crate) fn parse_protocol(text: &str) -> anyhow::Result<Model> {
    let error = match Model::from_json(text) {
        Ok(model) => return Ok(model),
        Err(error) => error,
    };
    if !dialect::is_published(text) {
        return Err(error.into());
    }
    dialect::from_json(text).context("in the published form")
}

/// The models in a folder, ordered by name; any other path is a model itself. JSON Schemas, which editors want beside
/// models, are skipped.
pub(crate) fn model_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(vec![folder.to_owned()]);
    }
    let context = || format!("failed to read protocol models {}", folder.display());
    let entries = std::fs::read_dir(folder).with_context(context)?;
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.with_context(context)?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "json") && !is_schema(path));
    paths.sort();
    if paths.is_empty() {
        bail!("{}: no model (*.json) in this folder", context());
    }
    Ok(paths)
}

fn is_schema(path: &Path) -> bool {
    let value = read_bytes(path, MOST_WRITTEN_BYTES).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let dialect = |value: serde_json::Value| value.get("$schema")?.as_str().map(str::to_owned);
    value.and_then(dialect).is_some_and(|dialect| dialect.contains("json-schema.org/"))
}
