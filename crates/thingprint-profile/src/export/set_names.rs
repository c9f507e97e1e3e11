use std::collections::{BTreeMap, BTreeSet};

use super::text::identifier;

/// Bytes of what a set is called after: with what is added, it has room in the 31 bytes of an ipset.
const MOST_BYTES: usize = 20;

/// Gives identifiers to texts: no two texts have the same one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SetNames {
    given: BTreeMap<String, String>,
}

impl SetNames {
    /// Identifiers for these texts. Those given do not depend on the order in which the texts come.
    pub(super) fn new<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let texts: BTreeSet<&str> = texts.collect();
        let mut taken = BTreeSet::new();
        let given = texts.into_iter().map(|text| (text.to_owned(), free(text, &mut taken)));
        Self { given: given.collect() }
    }

    /// Identifiers for texts of which some may be the same, in their order.
    pub(super) fn each<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
        let mut taken = BTreeSet::new();
        texts.map(|text| free(text, &mut taken)).collect()
    }

    /// The identifier of a text that was named; one of its own form for another text.
    pub(super) fn of(&self, text: &str) -> String {
        self.given.get(text).cloned().unwrap_or_else(|| identifier(text, MOST_BYTES))
    }
}

/// An identifier that is not taken yet, and is from now on.
fn free(text: &str, taken: &mut BTreeSet<String>) -> String {
    let wanted = identifier(text, MOST_BYTES);
    let numbered = (2..).map(|number: u64| {
        let number = number.to_string();
        let kept = MOST_BYTES.saturating_sub(number.len() + 1);
        format!("{}_{number}", identifier(text, kept))
    });
    let mut names = std::iter::once(wanted.clone()).chain(numbered);
    names.find(|name| taken.insert(name.clone())).unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_texts_have_one_identifier() {
        let texts = ["a.example", "a-example", "A.example", "a.example.2", "a_example_2", "灯", "", "device"];
        let long: Vec<String> = (0..30).map(|number| format!("very-long-name-of-a-host-{number}")).collect();
        let all = || texts.iter().copied().chain(long.iter().map(String::as_str));
        let names = SetNames::new(all());
        let given: BTreeSet<String> = all().map(|text| names.of(text)).collect();
        assert_eq!(given.len(), all().count(), "{given:?}");
        assert!(given.iter().all(|name| name.len() <= 20), "{given:?}");
        let turned: Vec<&str> = all().collect();
        assert_eq!(SetNames::new(turned.into_iter().rev()), names);
        assert_eq!(
            SetNames::each(["Lamp", "lamp", "lamp_2", "Lamp"].into_iter()),
            ["lamp", "lamp_2", "lamp_2_2", "lamp_3"]
        );
    }
}
