use serde::{Deserialize, Serialize};

use crate::{Certainty, Field, Identity};

/// Who a device is, without the statements that it follows from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentitySummary {
    /// The brand under which it is sold.
    pub vendor: Option<SaidValue>,
    /// Its model.
    pub model: Option<SaidValue>,
    /// What it is for.
    #[serde(rename = "type")]
    pub device_type: Option<SaidValue>,
    /// What this unit is called.
    pub name: Option<SaidValue>,
    /// Its operating system.
    pub os: Option<SaidValue>,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidValue {
    /// The value.
    pub value: String,
    /// How far it is to be trusted.
    pub certainty: Certainty,
    /// The sources that say so, the most certain first.
    pub sources: Vec<String>,
}

impl IdentitySummary {
    /// The summary of an identity.
    pub fn of(identity: &Identity) -> Self {
        Self::default().followed_by(identity)
    }

    /// What is known of a device that was known as this one, and of which this is heard anew. What was known of a field stays
    /// where nothing as certain speaks of it: a device repeats itself seldom, and nobody hears all of it twice.
    #[must_use]
    pub fn followed_by(&self, identity: &Identity) -> Self {
        let of_field = |field: Field| {
            let answer = identity.answer(field);
            let known = self.get(field).cloned();
            // Claims that contradict one another have no value, and are as certain as the first of them.
            let certainty = answer.reasons.first().map(|claim| claim.certainty);
            if known.as_ref().is_some_and(|known| Some(known.certainty) > certainty) {
                return known;
            }
            let (value, certainty) = (answer.value.clone()?, answer.certainty?);
            Some(SaidValue { value, certainty, sources: answer.sources() })
        };
        Self {
            vendor: of_field(Field::Vendor),
            model: of_field(Field::Model),
            device_type: of_field(Field::Type),
            name: of_field(Field::Name),
            os: of_field(Field::Os),
        }
    }

    /// What is known of a field.
    pub const fn get(&self, field: Field) -> Option<&SaidValue> {
        match field {
            Field::Vendor => self.vendor.as_ref(),
            Field::Model => self.model.as_ref(),
            Field::Type => self.device_type.as_ref(),
            Field::Name => self.name.as_ref(),
            Field::Os => self.os.as_ref(),
        }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        Field::ALL.into_iter().all(|field| self.get(field).is_none())
    }

    /// In a few words: the vendor with the model, or else with the type.
    pub fn in_short(&self) -> Option<String> {
        let value = |field: Field| Some(self.get(field)?.value.as_str());
        let what = [Field::Model, Field::Type].into_iter().find_map(value);
        let words: Vec<&str> = [value(Field::Vendor), what].into_iter().flatten().collect();
        (!words.is_empty()).then(|| words.join(" "))
    }
}
