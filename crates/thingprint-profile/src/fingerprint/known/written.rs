//! The fingerprint file as text, without a copy of what is in it.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use thingprint_flow::ContentHash;

use super::{FORMAT, KnownDevices, VERSION};
use crate::fingerprint::attribute::Attribute;
use crate::fingerprint::traits::Traits;
use crate::{ProfileError, ProfileFault};

/// The file, with a final line break.
pub(super) fn to_json(known: &KnownDevices) -> Result<String, ProfileError> {
    let devices = Devices(&known.devices);
    let document =
        Document { captures: Captures(&known.captures), devices, format: FORMAT, version: VERSION };
    let mut text = serde_json::to_string_pretty(&document).map_err(|error| ProfileError {
        path: "the document".to_owned(),
        fault: ProfileFault::Syntax(error.to_string()),
    })?;
    text.push('\n');
    Ok(text)
}

/// Members in the order of their names.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(skip_serializing_if = "Captures::is_empty")]
    captures: Captures<'a>,
    devices: Devices<'a>,
    format: &'static str,
    version: u32,
}

struct Captures<'a>(&'a [ContentHash]);

struct Devices<'a>(&'a BTreeMap<String, Traits>);

struct Shown<'a>(&'a Traits);

struct ValuesOf<'a>(&'a Traits, Attribute);

impl Captures<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Captures<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

impl Serialize for Devices<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, traits)| (name, Shown(traits))))
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut attributes: Vec<Attribute> = self.0.attributes().collect();
        attributes.sort_by_key(|attribute| attribute.name());
        serializer
            .collect_map(attributes.iter().map(|attribute| (attribute.name(), ValuesOf(self.0, *attribute))))
    }
}

impl Serialize for ValuesOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.values(self.1))
    }
}
