use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thingprint_flow::ParseOptionError;
use thingprint_protocol::schema::{Info, Model};

/// A fingerprint of protocol models: instances that were made with others mean something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelsId(u64);

impl ModelsId {
    /// The fingerprint of these models, which are given in the order in which they are tried.
    ///
    /// What a model says about itself, its description, sources and the like, is not part of it.
    pub fn of(models: &[Model]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for model in models {
            let info = Info { abbreviation: model.info.abbreviation.clone(), ..Info::default() };
            let plain = Model { schema: None, info, ..model.clone() };
            // `serde_json` fails on maps with keys that are no texts, and models have none.
            let json = serde_json::to_vec(&plain).unwrap_or_default();
            hasher.update(&(json.len() as u64).to_le_bytes());
            hasher.update(&json);
        }
        let hash = hasher.finalize();
        let first = hash.as_bytes().first_chunk().copied().unwrap_or_default();
        Self(u64::from_be_bytes(first))
    }
}

impl fmt::Display for ModelsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for ModelsId {
    type Err = ParseOptionError;

    /// Reads sixteen lower-case hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, ParseOptionError> {
        let id = u64::from_str_radix(text, 16).map(Self).ok().filter(|id| id.to_string() == text);
        id.ok_or_else(|| {
            ParseOptionError::new(text, "a fingerprint of models: expected 16 hexadecimal digits")
        })
    }
}

impl TryFrom<String> for ModelsId {
    type Error = ParseOptionError;

    fn try_from(text: String) -> Result<Self, ParseOptionError> {
        text.parse()
    }
}

impl From<ModelsId> for String {
    fn from(id: ModelsId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use thingprint_protocol::ModelSet;

    use super::*;

    #[test]
    fn what_a_model_says_of_itself_is_not_in_its_fingerprint_and_all_else_is() {
        let models = ModelSet::built_in_models();
        let changed = |change: fn(&mut Vec<Model>)| {
            let mut models = models.clone();
            change(&mut models);
            ModelsId::of(&models) != ModelsId::of(&ModelSet::built_in_models())
        };
        assert!(!changed(|_| {}));
        assert!(!changed(|models| models[0].schema = None));
        assert!(!changed(|models| models[0].info.description = Some("another".to_owned())));
        assert!(changed(|models| models[0].info.abbreviation = Some("another".to_owned())));
        assert!(changed(|models| models[0].contents.select = None));
        assert!(changed(|models| models[0].metadata.server_ports.clear()));
        assert!(changed(|models| models[0].attributes.clear()));
        assert!(changed(|models| models.swap(0, 1)));
        assert!(changed(|models| drop(models.pop())));
    }
}
