//! Attributes that a model describes, read from a payload.
mod extract;
mod offset;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{Credential, ModelIndex, Sender, Text};

pub(crate) use extract::{Extractor, Input};

/// What a model's attributes were in one payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The model, in the set that the engine has.
    pub model: ModelIndex,
    /// Who sent the payload.
    pub sender: Sender,
    /// Names and values, in the order of the model; each name that the sender may send, once.
    pub attributes: Vec<(String, Value)>,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text.
    String(Text),
    /// Bytes as sent.
    Bytes(Vec<u8>),
    /// A whole number.
    Unsigned(u64),
    /// Several values.
    List(Vec<Self>),
    /// The payload has none.
    Absent,
    /// What nobody should read by chance, in the form in which it would be written otherwise.
    Secret(Credential),
}

impl Described {
    /// Lets secrets be written by `Display` and as JSON from now on.
    pub fn show_credentials(&mut self) {
        self.attributes.iter_mut().for_each(|(_, value)| value.show());
    }

    /// Bytes that it takes, about.
    pub(crate) fn held_bytes(&self) -> usize {
        let of =
            |(name, value): &(String, Value)| size_of::<(String, Value)>() + name.len() + value.held_bytes();
        size_of::<Self>() + self.attributes.iter().map(of).sum::<usize>()
    }
}

impl Value {
    /// The value as a secret; each one of a list.
    pub(crate) fn hidden(self) -> Self {
        match self {
            Self::List(values) => Self::List(values.into_iter().map(Self::hidden).collect()),
            Self::Secret(_) | Self::Absent => self,
            Self::String(text) => Self::Secret(Credential::new(text.reveal().to_owned())),
            _ => Self::Secret(Credential::new(self.to_string())),
        }
    }

    fn show(&mut self) {
        match self {
            Self::Secret(secret) => secret.show(),
            Self::List(values) => values.iter_mut().for_each(Self::show),
            Self::String(text) => text.show(),
            Self::Bytes(_) | Self::Unsigned(_) | Self::Absent => {}
        }
    }

    fn held_bytes(&self) -> usize {
        match self {
            Self::String(text) => text.held_bytes(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Unsigned(_) | Self::Absent => 0,
            Self::Secret(secret) => secret.reveal().len(),
            Self::List(values) => values.iter().map(|value| size_of::<Self>() + value.held_bytes()).sum(),
        }
    }
}

impl Serialize for Described {
    /// The attributes by name.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.attributes.iter().map(|(name, value)| (name, value)))
    }
}

impl Serialize for Value {
    /// Bytes as hexadecimal digits.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::String(text) => text.serialize(serializer),
            Self::Bytes(_) => serializer.collect_str(self),
            Self::Unsigned(number) => serializer.serialize_u64(*number),
            Self::Absent => serializer.serialize_none(),
            Self::List(values) => serializer.collect_seq(values),
            Self::Secret(secret) => secret.serialize(serializer),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write!(f, "{text}"),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::Unsigned(number) => write!(f, "{number}"),
            Self::Absent => Ok(()),
            Self::Secret(secret) => write!(f, "{secret}"),
            Self::List(values) => {
                for (index, value) in values.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "-" };
                    write!(f, "{separator}{value}")?;
                }
                Ok(())
            }
        }
    }
}
