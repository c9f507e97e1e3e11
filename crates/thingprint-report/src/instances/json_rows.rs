//! Rows out of JSON objects, without a tree in between.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use thingprint_instance::Bag;

use thingprint_table::Cell;

/// Reads an object: for each of `names` its value, or `None` where the object does not have it. Other keys are noted
/// and skipped.
pub(super) struct RowSeed<'a> {
    pub(super) names: &'a [String],
    pub(super) unknown: &'a mut BTreeSet<String>,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = Vec<Option<Cell>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = Vec<Option<Cell>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an instance as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut cells = vec![None; self.names.len()];
        let mut expected = 0;
        while let Some(index) =
            map.next_key_seed(KeySeed { names: self.names, expected, unknown: self.unknown })?
        {
            if let Some((index, cell)) =
                index.and_then(|index| cells.get_mut(index).map(|cell| (index, cell)))
            {
                *cell = Some(map.next_value::<JsonCell>()?.0);
                expected = index + 1;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(cells)
    }
}

/// Reads a key: the place of the name that it is, or `None` where it is none of them, which is noted.
struct KeySeed<'a> {
    names: &'a [String],
    /// Our own files have the keys in order, so this name is most often the one.
    expected: usize,
    unknown: &'a mut BTreeSet<String>,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a column")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<usize>, E> {
        if self.names.get(self.expected).is_some_and(|name| name == key) {
            return Ok(Some(self.expected));
        }
        let index = self.names.iter().position(|name| name == key);
        if index.is_none() {
            self.unknown.insert(key.to_owned());
        }
        Ok(index)
    }
}

/// Reads a bag as CSV holds it.
pub(super) fn parse_bag(text: &str) -> Result<Bag, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let bag = deserializer.deserialize_any(BagVisitor)?;
    deserializer.end().map(|()| bag)
}

struct JsonCell(Cell);

impl<'de> Deserialize<'de> for JsonCell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor).map(Self)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, a truth value, null or a bag of words")
    }

    fn visit_unit<E>(self) -> Result<Cell, E> {
        Ok(Cell::Absent)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Cell, E> {
        Ok(flag.into())
    }

    fn visit_u64<E>(self, count: u64) -> Result<Cell, E> {
        Ok(count.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Cell, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, measure: f64) -> Result<Cell, E> {
        Ok(measure.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Cell, E> {
        Ok(text.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Cell, A::Error> {
        BagVisitor.visit_map(map).map(Cell::Bag)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Cell, A::Error> {
        BagVisitor.visit_seq(seq).map(Cell::Bag)
    }
}

/// A bag: an object of counts, or, as other programs write our Parquet files in JSON, a list of {word, count}.
struct BagVisitor;

impl<'de> Visitor<'de> for BagVisitor {
    type Value = Bag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a bag of words")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Bag, A::Error> {
        let mut bag = Bag::new();
        while let Some((word, count)) = map.next_entry()? {
            add(&mut bag, word, count);
        }
        Ok(bag)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Bag, A::Error> {
        let mut bag = Bag::new();
        while let Some(Counted { word, count }) = seq.next_element()? {
            add(&mut bag, word, count);
        }
        Ok(bag)
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    word: String,
    count: u64,
}

/// A word that comes twice counts as often as both say; one that was never seen is not in the bag.
fn add(bag: &mut Bag, word: String, count: u64) {
    if count > 0 {
        let sum = bag.entry(word).or_default();
        *sum = sum.saturating_add(count);
    }
}
