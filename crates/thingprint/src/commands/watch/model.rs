use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use thingprint_model::{Acceptance, Model};
use thingprint_store::Store;

use super::kept;
use super::station::failed;
use crate::models::model_of;

/// In place of the hash of a file, where no model was given.
const NONE: &str = "none";

/// The model that judges, and where it is from.
#[derive(Clone, Debug)]
pub(super) struct Judging {
    /// `None` where nothing is judged.
    pub(super) model: Option<Arc<Model>>,
    /// What it is called on the page.
    pub(super) name: Option<String>,
    /// The hash of the file that was given.
    pub(super) of: String,
    pub(super) acceptance: Acceptance,
}

impl Judging {
    /// The model of a file; or the one that was trained on the page in its place, as long as the file is the same.
    pub(super) fn open(path: Option<&Path>, acceptance: Acceptance) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self { model: None, name: None, of: NONE.to_owned(), acceptance });
        };
        let name = path.display().to_string();
        let bytes = std::fs::read(path).with_context(|| format!("failed to read model {name}"))?;
        let model = model_of(&*bytes, &name)?;
        let of = blake3::hash(&bytes).to_hex().to_string();
        Ok(Self { model: Some(Arc::new(model)), name: Some(name), of, acceptance })
    }

    /// The model that was trained on the page and took the place of this one in an earlier reading.
    pub(super) fn or_trained(self, store: &Store) -> anyhow::Result<Self> {
        let Some(bytes) = kept::trained_model(store, &self.of).map_err(failed)? else { return Ok(self) };
        let model = model_of(&*bytes, "of the store")?;
        Ok(self.switched(Arc::new(model)))
    }

    /// The same with another model, which was trained on the page.
    pub(super) fn switched(self, model: Arc<Model>) -> Self {
        Self { model: Some(model), name: Some("trained on the page".to_owned()), ..self }
    }

    /// What a watcher needs.
    pub(super) fn judge(&self) -> Option<(Arc<Model>, Acceptance)> {
        self.model.clone().map(|model| (model, self.acceptance))
    }
}
