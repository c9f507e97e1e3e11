use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use crate::Timestamp;

/// A map that knows the age of its entries and the memory that they take, so that it can be kept small.
#[derive(Debug)]
pub(super) struct Aged<K, V> {
    serials: HashMap<K, u64>,
    /// By the order in which they came.
    entries: BTreeMap<u64, Entry<K, V>>,
    next_serial: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Entry<K, V> {
    key: K,
    since: Timestamp,
    bytes: usize,
    value: V,
}

impl<K: Copy + Eq + Hash, V> Aged<K, V> {
    /// The value for a key.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let serial = self.serials.get(key)?;
        self.entries.get_mut(serial).map(|entry| &mut entry.value)
    }

    /// Adds a value for a key that has none.
    pub(super) fn insert(&mut self, key: K, since: Timestamp, value: V) {
        self.serials.insert(key, self.next_serial);
        self.entries.insert(self.next_serial, Entry { key, since, bytes: 0, value });
        self.next_serial += 1;
    }

    /// Says that the value for a key takes so many bytes now.
    pub(super) fn set_bytes(&mut self, key: &K, bytes: usize) {
        let entry = self.serials.get(key).and_then(|serial| self.entries.get_mut(serial));
        if let Some(entry) = entry {
            self.bytes = self.bytes - entry.bytes + bytes;
            entry.bytes = bytes;
        }
    }

    /// Takes the value for a key out.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let serial = self.serials.remove(key)?;
        let entry = self.entries.remove(&serial)?;
        self.bytes -= entry.bytes;
        Some(entry.value)
    }

    /// Takes out what is older than `oldest`.
    pub(super) fn expire(&mut self, oldest: Timestamp) -> Vec<V> {
        self.pop_while(|first, _| first.since < oldest)
    }

    /// Takes out the oldest entries until at most so many entries and bytes are left.
    pub(super) fn shrink(&mut self, entries: usize, bytes: usize) -> Vec<V> {
        self.pop_while(|_, map| map.entries.len() > entries || map.bytes > bytes)
    }

    /// The keys with their values, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.values().map(|entry| (&entry.key, &entry.value))
    }

    fn pop_while(&mut self, is_due: impl Fn(&Entry<K, V>, &Self) -> bool) -> Vec<V> {
        let mut popped = Vec::new();
        while let Some((_, first)) = self.entries.first_key_value()
            && is_due(first, self)
        {
            let key = first.key;
            popped.extend(self.remove(&key));
        }
        popped
    }
}

impl<K, V> Default for Aged<K, V> {
    fn default() -> Self {
        Self { serials: HashMap::new(), entries: BTreeMap::new(), next_serial: 0, bytes: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Aged<char, u32> {
        let mut aged = Aged::default();
        for (n, key) in (0..).zip(['a', 'b', 'c']) {
            aged.insert(key, Timestamp::from_seconds(n.into()), n);
            aged.set_bytes(&key, 100);
        }
        aged
    }

    #[test]
    fn the_oldest_entries_go_first() {
        let mut aged = three();
        assert_eq!(aged.shrink(2, 1000), [0]);
        assert_eq!(aged.get_mut(&'a'), None);
        assert_eq!(aged.get_mut(&'b'), Some(&mut 1));
    }

    #[test]
    fn bytes_are_those_of_the_entries_that_are_left() {
        let mut aged = three();
        aged.set_bytes(&'a', 10);
        assert_eq!(aged.shrink(10, 210), []);
        assert_eq!(aged.remove(&'b'), Some(1));
        assert_eq!(aged.shrink(10, 110), []);
        assert_eq!(aged.shrink(10, 109), [0]);
        assert_eq!(aged.iter().count(), 1);
    }

    #[test]
    fn entries_expire_by_the_time_they_came() {
        let mut aged = three();
        assert_eq!(aged.expire(Timestamp::from_seconds(1)), [0]);
        assert_eq!(aged.expire(Timestamp::from_seconds(9)), [1, 2]);
        assert_eq!(aged.iter().count(), 0);
    }
}
