use std::collections::HashSet;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::sequence;
use crate::vocabulary::MAX_WORDS;

/// Words in byte order, each of which is found by its place; a file has the words alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WordList {
    words: Vec<Box<str>>,
    /// The beginning of each word, in the same order: what lies side by side is searched faster than what lies elsewhere.
    beginnings: Vec<u64>,
}

impl WordList {
    /// These words, which may come in any order and more than once.
    pub(crate) fn of<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        // Of words that come again and again, hashing costs less than sorting them all.
        let distinct: HashSet<&str> = words.into_iter().collect();
        let mut words: Vec<&str> = distinct.into_iter().collect();
        words.sort_unstable();
        words.into_iter().map(Box::from).collect::<Vec<Box<str>>>().into()
    }

    /// The place of a word.
    pub(crate) fn place(&self, word: &str) -> Option<usize> {
        let beginning = beginning(word);
        let from = self.beginnings.partition_point(|other| *other < beginning);
        let same = self.beginnings.get(from..)?.partition_point(|other| *other == beginning);
        let words = self.words.get(from..from + same)?;
        Some(from + words.binary_search_by(|other| other.as_bytes().cmp(word.as_bytes())).ok()?)
    }
}

impl From<Vec<Box<str>>> for WordList {
    /// A list of words that are in byte order; others are not found.
    fn from(words: Vec<Box<str>>) -> Self {
        Self { beginnings: words.iter().map(|word| beginning(word)).collect(), words }
    }
}

impl Deref for WordList {
    type Target = [Box<str>];

    fn deref(&self) -> &[Box<str>] {
        &self.words
    }
}

impl Serialize for WordList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for WordList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        sequence::ascending::<_, _, MAX_WORDS>(deserializer).map(Self::from)
    }
}

/// The first eight bytes of a word, as a number whose order is that of the bytes.
fn beginning(word: &str) -> u64 {
    let word = word.as_bytes();
    if let Some(bytes) = word.first_chunk() {
        return u64::from_be_bytes(*bytes);
    }
    let shifted = |bits: u64, byte: &u8| bits << 8 | u64::from(*byte);
    let bits = word.iter().fold(0, shifted);
    // Nothing is shifted by all bits where there is no byte.
    bits.checked_shl(u64::BITS - 8 * u32::try_from(word.len()).unwrap_or(0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Words with many beginnings in common, some of which end in zeros.
        #[test]
        fn each_word_is_found_and_no_other(
            words in prop::collection::btree_set("(a|b|\u{0}|ä){0,12}", 0..60),
            others in prop::collection::vec("(a|b|\u{0}|ä){0,12}", 0..60),
        ) {
            let words: BTreeSet<String> = words;
            let list = WordList::of(words.iter().rev().chain(&words).map(String::as_str));
            prop_assert_eq!(list.len(), words.len());
            for (place, word) in words.iter().enumerate() {
                prop_assert_eq!(list.place(word), Some(place));
            }
            for other in others.iter().filter(|other| !words.contains(*other)) {
                prop_assert_eq!(list.place(other), None);
            }
        }
    }
}
