use serde::{Deserialize, Serialize};

use crate::{Certainty, Field, IdentitySummary, Knowledge, SaidValue};

/// What the name of a class says of its devices: `Amcrest camera` are cameras of Amcrest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassName {
    device_type: Option<String>,
    vendor: Option<String>,
}

/// What a device says of itself, and the name of its class says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreement {
    /// The field.
    pub field: Field,
    /// What the device says.
    pub said: String,
    /// How far that is to be trusted.
    pub certainty: Certainty,
    /// What the name of the class says.
    pub of_class: String,
    /// The sources by which the device says it.
    pub sources: Vec<String>,
}

impl ClassName {
    /// What a name says by the tables; nothing of a field where its words say several things.
    pub fn of(name: &str, knowledge: &Knowledge) -> Self {
        let words = words(name);
        let phrases = phrases(&words);
        let types = longest(&phrases, |phrase| knowledge.type_of_words(phrase));
        let vendors = longest(&phrases, |phrase| knowledge.known_vendor(phrase));
        Self { device_type: only(types), vendor: only(vendors) }
    }

    /// What a device says that does not fit. What is only known by an address block or a cloud is not said by the device.
    pub fn disagreements(&self, identity: &IdentitySummary, knowledge: &Knowledge) -> Vec<Disagreement> {
        let of_fields = [(Field::Type, &self.device_type), (Field::Vendor, &self.vendor)];
        let disagreement = |(field, of_class): (Field, &Option<String>)| {
            let (of_class, known) = (of_class.as_ref()?, identity.get(field)?);
            let SaidValue { value: said, certainty, sources } = known;
            let is_same = match field {
                Field::Vendor => knowledge.is_one_vendor(said, of_class),
                _ => said == of_class,
            };
            let agrees = is_same || knowledge.are_related(field, said, of_class);
            (*certainty > Certainty::VendorOnly && !agrees).then(|| Disagreement {
                field,
                said: said.clone(),
                certainty: *certainty,
                of_class: of_class.clone(),
                sources: sources.clone(),
            })
        };
        of_fields.into_iter().filter_map(disagreement).collect()
    }
}

impl std::fmt::Display for Disagreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { field, said, certainty, of_class, sources } = self;
        write!(f, "{field} {said} ({certainty}, by {}), not {of_class}", sources.join(" and "))
    }
}

/// Words in lower case, cut at everything but letters and digits and where a capital letter follows a small one.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_small = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || is_small && letter.is_uppercase() {
            words.push(String::new());
        }
        is_small = letter.is_lowercase();
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Every run of words, the longest first, each with where it begins and how many words it has.
fn phrases(words: &[String]) -> Vec<(usize, usize, String)> {
    let lengths = (1..=words.len()).rev();
    lengths
        .flat_map(|length| {
            words.windows(length).enumerate().map(move |(at, words)| (at, length, words.join(" ")))
        })
        .collect()
}

/// What the longest phrases say; words of a phrase that said something say nothing by themselves.
fn longest<'k>(phrases: &[(usize, usize, String)], of: impl Fn(&str) -> Option<&'k str>) -> Vec<&'k str> {
    let mut taken: Vec<(usize, usize)> = Vec::new();
    let mut found = Vec::new();
    for (at, length, phrase) in phrases {
        let end = at + length;
        if taken.iter().all(|(start, stop)| end <= *start || stop <= at)
            && let Some(says) = of(phrase)
        {
            taken.push((*at, end));
            found.push(says);
        }
    }
    found
}

/// The one thing that all say.
fn only(mut says: Vec<&str>) -> Option<String> {
    says.sort_unstable();
    says.dedup();
    match says.as_slice() {
        [one] => Some((*one).to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_type_and_vendor_where_its_words_do() {
        let knowledge = Knowledge::builtin().unwrap();
        for (name, device_type, vendor) in [
            ("Amcrest Camera", Some("camera"), Some("Amcrest")),
            ("TP-Link Light Bulb", Some("light"), Some("TP-Link")),
            ("TP-LinkPlugHS110", Some("smart-plug"), Some("TP-Link")),
            ("laptop", Some("computer"), None),
            ("lumenhaus-bulb", Some("light"), None),
            ("Camera Printer", None, None),
            ("thing", None, None),
            ("", None, None),
        ] {
            let expected =
                ClassName { device_type: device_type.map(str::to_owned), vendor: vendor.map(str::to_owned) };
            assert_eq!(ClassName::of(name, &knowledge), expected, "{name}");
        }
    }
}
