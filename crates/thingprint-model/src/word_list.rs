use std::collections::HashSet;
use std::hash::BuildHasher;
use std::ops::Deref;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::sequence;
use crate::vocabulary::MAX_WORDS;

/// Words that are looked up by their text, in no order.
pub(crate) type WordSet<'a> = HashSet<&'a str, RandomState>;

/// Words in byte order, each of which is found by its place; a file has the words alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct WordList {
    words: Vec<Box<str>>,
    /// The place of each word, by its hash. How words are hashed differs between lists, and nothing depends on the order here.
    places: HashTable<u32>,
    hashing: RandomState,
}

impl WordList {
    /// These words, which may come in any order and more than once.
    pub(crate) fn of<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        // Of words that come again and again, hashing costs less than sorting them all.
        let distinct: WordSet<'_> = words.into_iter().collect();
        let mut words: Vec<&str> = distinct.into_iter().collect();
        words.sort_unstable();
        words.into_iter().map(Box::from).collect::<Vec<Box<str>>>().into()
    }

    /// The place of a word.
    pub(crate) fn place(&self, word: &str) -> Option<usize> {
        let is_same = |place: &u32| self.words.get(*place as usize).is_some_and(|other| **other == *word);
        let place = self.places.find(self.hashing.hash_one(word), is_same)?;
        Some(*place as usize)
    }
}

impl From<Vec<Box<str>>> for WordList {
    /// A list of words that are in byte order, each once.
    fn from(words: Vec<Box<str>>) -> Self {
        let hashing = RandomState::default();
        let hash = |place: &u32| hashing.hash_one(words.get(*place as usize).map_or("", |word| word));
        let mut places = HashTable::with_capacity(words.len());
        for place in (0..).take(words.len()) {
            places.insert_unique(hash(&place), place, hash);
        }
        Self { words, places, hashing }
    }
}

impl PartialEq for WordList {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl Eq for WordList {}

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Words with many beginnings in common, some of which end in zeros; whether made here or read from a file.
        #[test]
        fn each_word_is_found_and_no_other(
            words in prop::collection::btree_set("(a|b|\u{0}|ä){0,12}", 0..60),
            others in prop::collection::vec("(a|b|\u{0}|ä){0,12}", 0..60),
        ) {
            let words: BTreeSet<String> = words;
            let made = WordList::of(words.iter().rev().chain(&words).map(String::as_str));
            let list: WordList = serde_json::from_str(&serde_json::to_string(&made).unwrap()).unwrap();
            prop_assert_eq!(&list, &made);
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
