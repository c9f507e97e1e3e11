use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use hashbrown::{Equivalent, HashTable};

/// Entries that are looked through, one by one; more are found by their hashes.
const FEW: usize = 8;

/// A hash map whose entries stay in the order in which they came, so that nothing depends on hashes.
#[derive(Clone, Debug)]
pub(crate) struct OrderedMap<K, V> {
    entries: Vec<(K, V)>,
    /// Where they are more than a few.
    places: Option<Box<Places>>,
}

/// Places of entries by their hashes.
#[derive(Clone, Debug, Default)]
struct Places {
    table: HashTable<u32>,
    hasher: RandomState,
}

impl<K: Hash + Eq, V> OrderedMap<K, V> {
    /// Number of entries.
    pub(crate) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entries, in the order in which they came.
    pub(crate) fn entries(&self) -> &[(K, V)] {
        &self.entries
    }

    /// The entries, in the order in which they came.
    pub(crate) fn into_entries(self) -> Vec<(K, V)> {
        self.entries
    }

    /// The entry at a place.
    #[inline]
    pub(crate) fn at_mut(&mut self, place: u32) -> Option<&mut V> {
        self.entries.get_mut(place as usize).map(|(_, value)| value)
    }

    /// The place of a key.
    #[inline]
    pub(crate) fn place<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<u32> {
        if self.entries.len() <= FEW {
            let place = self.entries.iter().position(|(found, _)| key.equivalent(found))?;
            return u32::try_from(place).ok();
        }
        let is_key =
            |place: &u32| self.entries.get(*place as usize).is_some_and(|(found, _)| key.equivalent(found));
        let Places { table, hasher } = self.places.as_deref()?;
        table.find(hasher.hash_one(key), is_key).copied()
    }

    /// The value of a key.
    #[inline]
    pub(crate) fn get_mut<Q: Hash + Equivalent<K> + ?Sized>(&mut self, key: &Q) -> Option<&mut V> {
        self.at_mut(self.place(key)?)
    }

    /// Adds an entry whose key is not there; gives its place.
    pub(crate) fn push(&mut self, key: K, value: V) -> u32 {
        self.entries.push((key, value));
        if self.entries.len() > FEW {
            let next = self.places.as_ref().map_or(0, |places| places.table.len());
            (next..self.entries.len()).for_each(|place| self.note_place(place));
        }
        u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX)
    }

    fn note_place(&mut self, place: usize) {
        let Self { entries, places } = self;
        let Places { table, hasher } = &mut **places.get_or_insert_default();
        let hash_of = |place: usize| entries.get(place).map_or(0, |(key, _)| hasher.hash_one(key));
        let noted = u32::try_from(place).unwrap_or(u32::MAX);
        table.insert_unique(hash_of(place), noted, |noted| hash_of(*noted as usize));
    }

    /// Removes the entries behind the first `kept`, and gives them back.
    pub(crate) fn split_off(&mut self, kept: usize) -> Vec<(K, V)> {
        if let Some(places) = &mut self.places {
            places.table.retain(|place| (*place as usize) < kept);
        }
        self.entries.split_off(kept.min(self.entries.len()))
    }

    /// Removes all entries, and keeps the memory for a few.
    pub(crate) fn clear(&mut self) {
        self.places = None;
        self.entries.clear();
        if self.entries.capacity() > FEW {
            self.entries = Vec::new();
        }
    }
}

impl<K, V> Default for OrderedMap<K, V> {
    fn default() -> Self {
        Self { entries: Vec::new(), places: None }
    }
}

#[cfg(test)]
mod tests {
    use super::OrderedMap;

    #[test]
    fn entries_stay_in_their_order_and_are_found() {
        let mut map: OrderedMap<Box<str>, u64> = OrderedMap::default();
        for (place, key) in ["b", "a", "c"].into_iter().enumerate() {
            assert_eq!(map.get_mut(key), None);
            assert_eq!(map.push(key.into(), 1), u32::try_from(place).unwrap());
        }
        *map.get_mut("a").unwrap() += 1;
        assert_eq!(map.split_off(2), [("c".into(), 1)]);
        assert_eq!((map.place("a"), map.place("c")), (Some(1), None));
        assert_eq!(map.push("d".into(), 4), 2);
        assert_eq!(map.into_entries(), [("b".into(), 1), ("a".into(), 2), ("d".into(), 4)]);
    }

    #[test]
    fn keys_are_found_whether_few_or_many_are_left() {
        let mut map: OrderedMap<u64, u64> = OrderedMap::default();
        for _ in 0..2 {
            let from = u64::try_from(map.len()).unwrap();
            (from..1000).for_each(|key| _ = map.push(key << 20, key));
            for kept in [1000, 100, super::FEW, 3] {
                map.split_off(kept);
                let found = |key: &u64| map.place(&(key << 20)).map(u64::from) == Some(*key);
                assert_eq!((0..1000).filter(found).count(), kept);
            }
            map.clear();
            assert_eq!((map.len(), map.place(&0)), (0, None));
        }
    }
}
