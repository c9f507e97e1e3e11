use serde::{Deserialize, Serialize};
use thingprint_instance::{Bag, Kind};

use crate::error::FileFault;
use crate::file::MAX_BYTES;
use crate::options::Unseen;
use crate::word_list::{WordList, WordSet};

/// Most words of a list: as distinct words take four bytes of a file and more, no list is longer.
pub(crate) const MAX_WORDS: usize = (MAX_BYTES / 4) as usize;

/// Which column of a bag-of-words matrix each word has ([C §5.1]): the words of IoT-labelled training instances in
/// byte order, then one column `others`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vocabulary {
    words: WordList,
    rest: Rest,
}

/// What becomes of words without a column of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Rest {
    /// All of them count for `others`.
    Others,
    /// Those of non-IoT training instances (listed in byte order) count for `others`, the rest for nothing.
    OthersIfSeen(WordList),
}

/// A bag in columns: each column with its count, in no particular order; a column may occur more than once.
pub(crate) type Tokens = Vec<(u32, u64)>;

impl Vocabulary {
    /// The vocabulary of these training bags.
    pub fn of<'a>(bags: impl IntoIterator<Item = (&'a Bag, Kind)>, unseen: Unseen) -> Self {
        let (mut iot, mut non_iot) = (WordSet::default(), WordSet::default());
        for (bag, kind) in bags {
            let words = match kind {
                Kind::Iot => &mut iot,
                Kind::NonIot => &mut non_iot,
            };
            words.extend(bag.keys().map(String::as_str));
        }
        let rest = match unseen {
            Unseen::Others => Rest::Others,
            Unseen::Ignore => Rest::OthersIfSeen(WordList::of(non_iot.difference(&iot).copied())),
        };
        Self { words: WordList::of(iot), rest }
    }

    /// Number of columns, `others` included: V of the paper's equation 1.
    pub fn columns(&self) -> usize {
        self.words.len() + 1
    }

    /// The column that a word counts for, if any.
    pub fn column(&self, word: &str) -> Option<usize> {
        if let Some(column) = self.words.place(word) {
            return Some(column);
        }
        match &self.rest {
            Rest::Others => Some(self.words.len()),
            Rest::OthersIfSeen(seen) => seen.place(word).map(|_| self.words.len()),
        }
    }

    /// The word of a column; `None` for `others`.
    pub fn word(&self, column: usize) -> Option<&str> {
        self.words.get(column).map(|word| &**word)
    }

    /// A bag in columns.
    pub(crate) fn tokens(&self, bag: &Bag) -> Tokens {
        let token = |(word, &count): (&String, &u64)| {
            let column = self.column(word)?;
            Some((u32::try_from(column).ok()?, count))
        };
        bag.iter().filter_map(token).collect()
    }

    /// Refuses words that are out of order, in which no search would find them.
    pub(crate) fn check_loaded(&self) -> Result<(), FileFault> {
        let seen: &[Box<str>] = match &self.rest {
            Rest::Others => &[],
            Rest::OthersIfSeen(seen) => seen,
        };
        if [&*self.words, seen].iter().any(|words| !words.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes())) {
            return Err(FileFault::Inconsistent("its vocabulary is out of order"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bag(words: &[&str]) -> Bag {
        words.iter().map(|&word| (word.to_owned(), 1)).collect()
    }

    fn check(unseen: Unseen, word: &str, expected: Option<usize>) {
        let bags = [(bag(&["53", "443"]), Kind::Iot), (bag(&["443", "8080"]), Kind::NonIot)];
        let vocabulary = Vocabulary::of(bags.iter().map(|(bag, kind)| (bag, *kind)), unseen);
        assert_eq!(vocabulary.columns(), 3);
        assert_eq!(vocabulary.column(word), expected, "{word} with unseen = {unseen}");
    }

    #[test]
    fn words_of_iot_devices_have_columns_in_byte_order() {
        check(Unseen::Others, "443", Some(0));
        check(Unseen::Others, "53", Some(1));
    }

    #[test]
    fn every_other_word_counts_for_others() {
        check(Unseen::Others, "8080", Some(2));
        check(Unseen::Others, "9999", Some(2));
    }

    #[test]
    fn words_never_seen_can_be_left_out() {
        check(Unseen::Ignore, "443", Some(0));
        check(Unseen::Ignore, "8080", Some(2));
        check(Unseen::Ignore, "9999", None);
    }

    #[test]
    fn a_column_tells_its_word() {
        let words = bag(&["a", "b"]);
        let vocabulary = Vocabulary::of([(&words, Kind::Iot)], Unseen::Others);
        assert_eq!(
            [vocabulary.word(0), vocabulary.word(1), vocabulary.word(2)],
            [Some("a"), Some("b"), None]
        );
        assert_eq!(vocabulary.tokens(&bag(&["b", "x", "y"])), [(1, 1), (2, 1), (2, 1)]);
    }
}
