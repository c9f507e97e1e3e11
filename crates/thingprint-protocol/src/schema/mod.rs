//! The form of a protocol model: a JSON file that describes how to detect a protocol and how to read its attributes.
//!
//! It follows the protocol paper's §III: `info`, `metadata` and `contents`, and `attributes`, which the paper left
//! open. Every part may be missing; what that means is said at each.
mod attribute;
mod contents;
mod list;
mod metadata;
mod opening;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::{Fault, ModelError, dialect};

pub use attribute::{Attribute, ByteOrder, Capture, Direction, OptionField, Range, Reading, ValueType};
pub use contents::{Condition, Contents, Matcher, Measure, Section, Statistic};
pub use metadata::{EtherType, IpProtocol, Metadata, ServerPort, TrafficMode};
pub use opening::Opening;

/// The JSON Schema of a [`Model`], for editors and for those who write models.
pub const MODEL_SCHEMA: &str = include_str!("../../models/schema.json");

/// What a model without an abbreviation is called.
const UNNAMED: &str = "unnamed";

/// A protocol as data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Model {
    /// Where the JSON Schema of this file is, for editors.
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// What the protocol is. Missing: nothing is said about it.
    #[serde(skip_serializing_if = "is_default")]
    pub info: Info,
    /// Where the protocol is found. Missing: anywhere over TCP or UDP.
    #[serde(skip_serializing_if = "is_default")]
    pub metadata: Metadata,
    /// How to detect the protocol. Missing: it is never detected.
    #[serde(skip_serializing_if = "is_default")]
    pub contents: Contents,
    /// How the opening of a TCP connection is read, where another protocol begins behind it; such a model has no attributes.
    /// Missing: the protocol has the connection to itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opening: Option<Opening>,
    /// What is read from the protocol's messages. Missing: nothing. Attributes of the same name are alternatives: the
    /// first that is found in a payload counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
}

/// What a protocol is called and where it is defined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Info {
    /// Short name, such as `http`; it stands for the protocol in every output. A model with the abbreviation of another
    /// replaces it. Missing: `unnamed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abbreviation: Option<String>,
    /// Name by its standard, such as `Hypertext Transfer Protocol`. Missing: unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standard_name: Option<String>,
    /// What the protocol is for. Missing: unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Public documents that define the protocol, such as the address of an RFC. Missing: unknown.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "list::of")]
    pub source: Vec<String>,
    /// Version of the model, counted up with every change. Missing: unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Day of the last change, as `2026-11-21`. Missing: unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update: Option<String>,
}

impl Model {
    /// Reads a model from JSON that follows the schema.
    pub fn from_json(text: &str) -> Result<Self, ModelError> {
        serde_json::from_str(text).map_err(|error| ModelError {
            model: named_in(text).unwrap_or_else(|| UNNAMED.to_owned()),
            path: format!("line {}, column {}", error.line(), error.column()),
            fault: Fault::Form(without_place(&error)),
        })
    }

    /// Reads a model from JSON that follows the schema, or has the form in which the protocol paper published its models.
    pub fn from_any_json(text: &str) -> Result<Self, ModelError> {
        if dialect::is_published(text) { dialect::from_json(text) } else { Self::from_json(text) }
    }

    /// The model's name in every output.
    pub fn name(&self) -> &str {
        self.info.abbreviation.as_deref().unwrap_or(UNNAMED)
    }

    /// Whether it has a name of its own.
    pub(crate) fn has_name(&self) -> bool {
        self.info.abbreviation.as_deref().is_some_and(|name| !name.is_empty())
    }

    /// An error at a place of this model.
    pub(crate) fn error(&self, path: impl Into<String>, fault: Fault) -> ModelError {
        ModelError { model: self.name().to_owned(), path: path.into(), fault }
    }
}

/// The abbreviation in a JSON text that cannot be read as a model.
pub(crate) fn named_in(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    value.pointer("/info/abbreviation")?.as_str().map(str::to_owned)
}

/// What an error says, without the place, which is said apart.
pub(crate) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(reason, _)| reason.to_owned())
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
