use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use thingprint_model::{Acceptance, MAX_BYTES, Model};
use thingprint_store::Store;

use super::kept;
use super::station::failed;
use crate::messages::Messages;
use crate::models::model_of;
use crate::small_file::read_bytes;

/// In place of the hash of a file, where no model was given.
const NONE: &str = "none";

/// The model that judges, and where it is from.
#[derive(Clone, Debug)]
pub(in crate::commands) struct Judging {
    /// `None` where nothing is judged.
    pub(in crate::commands) model: Option<Arc<Model>>,
    /// What it is called on the page.
    pub(in crate::commands) name: Option<String>,
    /// Whether it was trained on the page.
    pub(in crate::commands) is_trained: bool,
    /// The hash of the file that was given.
    pub(in crate::commands) of: String,
    pub(in crate::commands) acceptance: Acceptance,
}

impl Judging {
    /// The model of a file.
    pub(in crate::commands) fn open(path: Option<&Path>, acceptance: Acceptance) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self { model: None, name: None, is_trained: false, of: NONE.to_owned(), acceptance });
        };
        let name = path.display().to_string();
        let bytes = read_bytes(path, MAX_BYTES).with_context(|| format!("failed to read model {name}"))?;
        let model = model_of(&*bytes, &name)?;
        let of = blake3::hash(&bytes).to_hex().to_string();
        Ok(Self { model: Some(Arc::new(model)), name: Some(name), is_trained: false, of, acceptance })
    }

    /// The model that was trained on the page and took the place of this one in an earlier reading, as long as the file is the
    /// same or none is given. One that cannot be read,
    /// as of another version of the program, is left where it is, and this one judges.
    pub(in crate::commands) fn or_trained(self, store: &Store, messages: Messages) -> anyhow::Result<Self> {
        // Without a file, whatever was trained last judges.
        let of = self.model.is_some().then_some(self.of.as_str());
        let Some(bytes) = kept::trained_model(store, of).map_err(failed)? else { return Ok(self) };
        match model_of(&*bytes, "of the store") {
            Ok(model) => {
                let way_back = "--drop-trained drops it";
                messages.note(format_args!("the model that was trained on the page judges; {way_back}"));
                Ok(self.switched(Arc::new(model)))
            }
            Err(error) => {
                let judge = self.name.as_deref().unwrap_or("no model");
                messages.warn(format_args!(
                    "the model that was trained on the page cannot be used: {error:#}; {judge} judges; to have one of this \
                     network again, train on the page"
                ));
                Ok(self)
            }
        }
    }

    /// The same with another model, which was trained on the page.
    pub(in crate::commands) fn switched(self, model: Arc<Model>) -> Self {
        Self { model: Some(model), name: Some("trained on the page".to_owned()), is_trained: true, ..self }
    }

    /// What a watcher needs.
    pub(in crate::commands) fn judge(&self) -> Option<(Arc<Model>, Acceptance)> {
        self.model.clone().map(|model| (model, self.acceptance))
    }
}

#[cfg(test)]
mod tests {
    use thingprint_model::FalseAlarms;
    use thingprint_watch::Account;

    use super::*;

    #[test]
    fn a_stored_model_that_cannot_be_read_leaves_the_one_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("a.db")).unwrap();
        let state = kept::model_state(NONE, b"no model, but some bytes".to_vec());
        store.write_with(&Account::default(), &state).unwrap();
        let acceptance = Acceptance { confidence: 0.8, false_alarms: FalseAlarms::FivePercent };
        let judging = Judging::open(None, acceptance).unwrap();
        let judging = judging.or_trained(&store, Messages::new(true, false)).unwrap();
        assert!(judging.model.is_none() && !judging.is_trained);
    }
}
