//! Sequences of a model file, checked item by item while they are read.
//!
//! How many items are promised is never believed, and the first item that does not fit ends the reading, so that a
//! small file cannot make a large model of worthless items.
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// An item with a name that a search finds it by.
pub(crate) trait Named {
    /// The name.
    fn name(&self) -> &str;
}

impl Named for Box<str> {
    fn name(&self) -> &str {
        self
    }
}

/// Reads a sequence of no more than `MOST` items.
pub(crate) fn at_most<'de, D, T, const MOST: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(Checked::<T, _> {
        most: MOST,
        follows: |_: &T, _: &T| true,
        item: PhantomData,
    })
}

/// Reads a sequence of no more than `MOST` items, whose names ascend in byte order.
pub(crate) fn ascending<'de, D, T, const MOST: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Named,
{
    let follows = |last: &T, next: &T| last.name().as_bytes() < next.name().as_bytes();
    deserializer.deserialize_seq(Checked::<T, _> { most: MOST, follows, item: PhantomData })
}

/// Takes items while there are not too many and each may follow the one before it.
struct Checked<T, F> {
    most: usize,
    follows: F,
    item: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>, F: Fn(&T, &T) -> bool> Visitor<'de> for Checked<T, F> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a sequence of at most {} items", self.most)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            if items.len() == self.most {
                return Err(A::Error::custom("a list is too long"));
            }
            if items.last().is_some_and(|last| !(self.follows)(last, &item)) {
                return Err(A::Error::custom("a list is out of order"));
            }
            items.push(item);
        }
        items.shrink_to_fit();
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde::de::value::{Error, SeqDeserializer};

    use super::*;

    /// How a reading of these words ends, and how many of them were taken until then.
    fn read<'a>(words: impl Iterator<Item = &'a str>) -> (Result<usize, String>, usize) {
        let taken = Cell::new(0);
        let counted = words.inspect(|_| taken.set(taken.get() + 1));
        let words: Result<Vec<Box<str>>, Error> = ascending::<_, _, 3>(SeqDeserializer::new(counted));
        (words.map(|words| words.len()).map_err(|error| error.to_string()), taken.get())
    }

    fn check<'a>(words: impl Iterator<Item = &'a str>, expected: Result<usize, &str>, expected_taken: usize) {
        let (found, taken) = read(words);
        assert_eq!((found, taken), (expected.map_err(str::to_owned), expected_taken));
    }

    #[test]
    fn words_in_order_are_read() {
        check([].into_iter(), Ok(0), 0);
        check(["", "a", "b"].into_iter(), Ok(3), 3);
    }

    #[test]
    fn the_first_word_out_of_order_ends_the_reading() {
        check(std::iter::repeat_n("", 1 << 30), Err("a list is out of order"), 2);
        check(std::iter::repeat_n("a", 1 << 30), Err("a list is out of order"), 2);
        check(["b", "a", "c"].into_iter(), Err("a list is out of order"), 2);
    }

    #[test]
    fn the_first_item_too_many_ends_the_reading() {
        check(["a", "b", "c", "d", "e"].into_iter(), Err("a list is too long"), 4);
        let zeros = SeqDeserializer::<_, Error>::new(std::iter::repeat_n(0_u8, 1 << 30));
        let found: Result<Vec<u8>, Error> = at_most::<_, _, 3>(zeros);
        assert_eq!(found.map_err(|error| error.to_string()), Err("a list is too long".to_owned()));
    }
}
