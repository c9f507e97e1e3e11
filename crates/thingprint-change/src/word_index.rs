use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Words with a number each, up to a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WordIndex {
    places: BTreeMap<String, u32>,
    bytes: usize,
}

/// Most bytes of the words of one bag of one device.
const MOST_BYTES: usize = 1 << 20;
/// What a word takes beside its text, in bytes.
const WORD_BYTES: usize = 48;

impl WordIndex {
    /// The number of a word, which is added; `None` when there is no room for it.
    pub(crate) fn add(&mut self, word: &str) -> Option<u32> {
        if let Some(place) = self.places.get(word) {
            return Some(*place);
        }
        let place = u32::try_from(self.places.len()).ok()?;
        if self.bytes + word.len() > MOST_BYTES {
            return None;
        }
        self.bytes += word.len();
        self.places.insert(word.to_owned(), place);
        Some(place)
    }

    /// Whether a word is there.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.places.contains_key(word)
    }

    /// Bytes of the words, with what they take beside their texts.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + WORD_BYTES * self.places.len()
    }

    /// How many words there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_a_limit() {
        let mut index = WordIndex::default();
        let long = "x".repeat(MOST_BYTES - 1);
        assert_eq!(
            [index.add(&long), index.add("a"), index.add("b"), index.add("a")],
            [Some(0), Some(1), None, Some(1)]
        );
        assert!(index.has("a") && !index.has("b"));
    }
}
