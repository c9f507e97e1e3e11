use std::fmt;

use serde::{Deserialize, Serialize};

/// What an identity says of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// The brand under which it is sold.
    Vendor,
    /// Its model, as the vendor writes it.
    Model,
    /// What it is for: one of the types of the table `types`.
    Type,
    /// What its owner or the vendor called this unit.
    Name,
    /// Its operating system, with a version where it says one.
    Os,
}

impl Field {
    /// Every field, in the order of outputs.
    pub const ALL: [Self; 5] = [Self::Vendor, Self::Model, Self::Type, Self::Name, Self::Os];

    /// The name in outputs and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vendor => "vendor",
            Self::Model => "model",
            Self::Type => "type",
            Self::Name => "name",
            Self::Os => "os",
        }
    }

    /// The field of a name; `None` for any other text.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
