use std::borrow::Borrow;
use std::collections::BTreeMap;

use super::device::DeviceIndex;
use super::fair::FairCap;

/// What is kept of each device by key, under a cap that devices share fairly.
///
/// Where the cap is exceeded, [`FairCap`] says which devices have to let go of how much. Each of these lets go of what it
/// used least recently; what [ranks](Self::ranked_by) lower goes before that. What was let go comes back, so that the
/// holder can count it ([`lose`](Self::lose)).
#[derive(Clone, Debug)]
pub struct FairMap<K, V> {
    cap: FairCap,
    /// By the index of the device.
    devices: Vec<BTreeMap<K, Kept<V>>>,
    /// Number of uses so far.
    uses: u64,
    rank: fn(&V) -> u8,
}

/// What a device had to let go of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetGo<K, V> {
    /// The device.
    pub device: DeviceIndex,
    /// The key.
    pub key: K,
    /// What was kept by it.
    pub value: V,
}

#[derive(Clone, Debug)]
struct Kept<V> {
    value: V,
    size: usize,
    /// Number of the last use.
    last: u64,
}

impl<K: Ord, V> FairMap<K, V> {
    /// An empty map, whose entries have a size of `limit` together at most, over all devices.
    pub fn new(limit: usize) -> Self {
        Self { cap: FairCap::new(limit), devices: Vec::new(), uses: 0, rank: |_| 0 }
    }

    /// Lets a device keep entries of a higher rank before others, however long they were not used.
    #[must_use]
    pub fn ranked_by(self, rank: fn(&V) -> u8) -> Self {
        Self { rank, ..self }
    }

    /// A device is established when somebody answered it: see [`FairCap::establish`].
    pub fn establish(&mut self, device: DeviceIndex) {
        self.cap.establish(device);
    }

    /// The value of a key, which counts as used.
    pub fn use_mut<Q: Ord + ?Sized>(&mut self, device: DeviceIndex, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let kept = self.devices.get_mut(device.as_usize())?.get_mut(key)?;
        self.uses += 1;
        kept.last = self.uses;
        Some(&mut kept.value)
    }

    /// Keeps a value of this size, in the place of one that is there; returns what devices let go of for it, which may be
    /// the value itself.
    #[must_use]
    pub fn insert(&mut self, device: DeviceIndex, (key, value): (K, V), size: usize) -> Vec<LetGo<K, V>> {
        self.uses += 1;
        let kept = Kept { value, size, last: self.uses };
        if let Some(before) = self.entries_mut(device).insert(key, kept) {
            self.cap.give_back(device, before.size);
        }
        if self.cap.take(device, size) { self.settle() } else { Vec::new() }
    }

    /// The entry of a key became larger by so much; returns what devices let go of for it.
    #[must_use]
    pub fn grow(&mut self, device: DeviceIndex, key: &K, more: usize) -> Vec<LetGo<K, V>> {
        let kept = self.devices.get_mut(device.as_usize()).and_then(|entries| entries.get_mut(key));
        let Some(kept) = kept else { return Vec::new() };
        kept.size = kept.size.saturating_add(more);
        if self.cap.take(device, more) { self.settle() } else { Vec::new() }
    }

    /// Removes an entry.
    pub fn remove(&mut self, device: DeviceIndex, key: &K) -> Option<V> {
        let kept = self.devices.get_mut(device.as_usize())?.remove(key)?;
        self.cap.give_back(device, kept.size);
        Some(kept.value)
    }

    /// Lets a device go of so many entries, among those from a key on as long as their keys are such: of the lowest rank, and
    /// used least recently.
    pub fn let_go_among(
        &mut self,
        device: DeviceIndex,
        (from, is_such): (&K, impl Fn(&K) -> bool),
        count: usize,
    ) -> Vec<LetGo<K, V>>
    where
        K: Clone,
    {
        let Some(entries) = self.devices.get(device.as_usize()) else { return Vec::new() };
        let among = entries.range(from..).take_while(|(key, _)| is_such(key));
        let mut order: Vec<_> = among.map(|(key, kept)| ((self.rank)(&kept.value), kept.last, key)).collect();
        order.sort_unstable_by_key(|(rank, last, _)| (*rank, *last));
        let going: Vec<K> = order.into_iter().take(count).map(|(_, _, key)| key.clone()).collect();
        let gone = going.into_iter().filter_map(|key| {
            let value = self.remove(device, &key)?;
            Some(LetGo { device, key, value })
        });
        gone.collect()
    }

    /// What is kept of a device from a key on, in the order of keys.
    pub fn entries_from<'a>(
        &'a self,
        device: DeviceIndex,
        from: &K,
    ) -> impl Iterator<Item = (&'a K, &'a V)> + use<'a, K, V> {
        let entries = self.devices.get(device.as_usize()).map(|entries| entries.range(from..));
        entries.into_iter().flatten().map(|(key, kept)| (key, &kept.value))
    }

    /// What is kept of a device, in the order of keys.
    pub fn entries(&self, device: DeviceIndex) -> impl Iterator<Item = (&K, &V)> {
        let entries = self.devices.get(device.as_usize()).into_iter().flatten();
        entries.map(|(key, kept)| (key, &kept.value))
    }

    /// The value of a key, which does not count as used by that.
    pub fn get<Q: Ord + ?Sized>(&self, device: DeviceIndex, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        Some(&self.devices.get(device.as_usize())?.get(key)?.value)
    }

    /// Number of entries of a device.
    pub fn len_of(&self, device: DeviceIndex) -> usize {
        self.devices.get(device.as_usize()).map_or(0, BTreeMap::len)
    }

    /// The devices of which anything is kept, in order.
    pub fn devices(&self) -> impl Iterator<Item = DeviceIndex> {
        let devices = (0..).map(DeviceIndex::new).zip(&self.devices);
        devices.filter(|(_, entries)| !entries.is_empty()).map(|(device, _)| device)
    }

    /// Size of all entries.
    pub const fn used(&self) -> usize {
        self.cap.used()
    }

    /// Counts what was lost of a device.
    pub fn lose(&mut self, device: DeviceIndex, count: u64) {
        self.cap.lose(device, count);
    }

    /// What was lost of a device.
    pub fn lost(&self, device: DeviceIndex) -> u64 {
        self.cap.lost(device)
    }

    /// Forgets a device, whose index may be given to another; returns what was kept of it.
    pub fn forget(&mut self, device: DeviceIndex) -> impl Iterator<Item = (K, V)> + use<K, V> {
        self.cap.forget(device);
        let entries = self.devices.get_mut(device.as_usize()).map(std::mem::take).unwrap_or_default();
        entries.into_iter().map(|(key, kept)| (key, kept.value))
    }

    fn settle(&mut self) -> Vec<LetGo<K, V>> {
        let mut all = Vec::new();
        for (device, excess) in self.cap.excess() {
            let Some(entries) = self.devices.get_mut(device.as_usize()) else { continue };
            let bound = bound_of(entries, excess, self.rank);
            let goes = |_: &K, kept: &mut Kept<V>| Some(((self.rank)(&kept.value), kept.last)) <= bound;
            let mut freed = 0_usize;
            all.extend(entries.extract_if(.., goes).map(|(key, entry)| {
                freed = freed.saturating_add(entry.size);
                LetGo { device, key, value: entry.value }
            }));
            self.cap.give_back(device, freed);
        }
        all
    }

    fn entries_mut(&mut self, device: DeviceIndex) -> &mut BTreeMap<K, Kept<V>> {
        let at = device.as_usize();
        if at >= self.devices.len() {
            self.devices.resize_with(at + 1, BTreeMap::new);
        }
        // The line above made room for it.
        #[expect(clippy::indexing_slicing, reason = "the vector was made long enough above")]
        &mut self.devices[at]
    }
}

/// Rank and last use up to which entries go, that so much is free.
fn bound_of<K, V>(entries: &BTreeMap<K, Kept<V>>, excess: usize, rank: fn(&V) -> u8) -> Option<(u8, u64)> {
    let mut order: Vec<_> = entries.values().map(|kept| (rank(&kept.value), kept.last, kept.size)).collect();
    order.sort_unstable();
    let (mut freed, mut bound) = (0_usize, None);
    for (rank, last, size) in order {
        if freed >= excess {
            break;
        }
        freed = freed.saturating_add(size);
        bound = Some((rank, last));
    }
    bound
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn device(number: u32) -> DeviceIndex {
        DeviceIndex::new(number)
    }

    fn keys(map: &FairMap<u32, u8>, number: u32) -> Vec<u32> {
        map.entries(device(number)).map(|(key, _)| *key).collect()
    }

    #[test]
    fn a_device_lets_go_of_what_it_used_least_recently() {
        let mut map = FairMap::new(8);
        for key in 0..8 {
            assert_eq!(map.insert(device(0), (key, 0), 1), []);
        }
        assert_eq!(map.use_mut(device(0), &0), Some(&mut 0));
        let gone = map.insert(device(0), (8, 0), 1);
        assert_eq!(gone.iter().map(|gone| gone.key).collect::<Vec<_>>(), [1, 2], "down to 7/8 of the cap");
        assert_eq!(keys(&map, 0), [0, 3, 4, 5, 6, 7, 8]);
        assert_eq!((map.used(), map.remove(device(0), &3), map.used()), (7, Some(0), 6));
    }

    #[test]
    fn what_ranks_lower_goes_first() {
        let mut map = FairMap::new(8).ranked_by(|value: &u8| *value);
        for key in 0..9 {
            let gone = map.insert(device(0), (key, u8::from(key < 4)), 1);
            assert_eq!(
                gone.iter().map(|gone| gone.key).collect::<Vec<_>>(),
                if key < 8 { vec![] } else { vec![4, 5] }
            );
        }
        assert_eq!(map.entries_from(device(0), &7).map(|(key, _)| *key).collect::<Vec<_>>(), [7, 8]);
        let mut let_go = |from, count| {
            let gone = map.let_go_among(device(0), (&from, |key: &u32| *key < 8), count);
            gone.into_iter().map(|gone| gone.key).collect::<Vec<_>>()
        };
        assert_eq!((let_go(2, 3), let_go(9, 1)), (vec![6, 7, 2], vec![]));
        assert_eq!(map.used(), 4);
    }

    #[test]
    fn an_entry_that_grows_pays_for_it() {
        let mut map = FairMap::new(8);
        assert_eq!(map.insert(device(0), (1, 0), 3), []);
        assert_eq!(map.insert(device(1), (2, 0), 3), []);
        let gone = map.grow(device(0), &1, 4);
        assert_eq!(gone, [LetGo { device: device(0), key: 1, value: 0 }]);
        assert_eq!((map.used(), keys(&map, 1)), (3, vec![2]));
        assert_eq!(map.insert(device(1), (2, 1), 5), [], "in its place");
        assert_eq!((map.used(), map.forget(device(1)).collect::<Vec<_>>()), (5, vec![(2, 1)]));
        assert_eq!((map.used(), map.devices().count()), (0, 0));
    }

    proptest! {
        /// Whatever one device inserts in between, others keep all of what fits their fair share.
        #[test]
        fn a_flood_of_one_device_takes_no_entry_of_others(
            inserts in prop::collection::vec((1_u32..9, 0_u32..40, 1_usize..4), 0..50),
            flood in prop::collection::vec((0_u32..400, 1_usize..100), 1..60),
            is_established in any::<bool>(),
        ) {
            let (mut map, mut alone) = (FairMap::new(400), FairMap::new(usize::MAX));
            (1..9).for_each(|number| map.establish(device(number)));
            if is_established {
                map.establish(device(0));
            }
            for at in 0..inserts.len().max(flood.len()) {
                if let Some(&(number, key, size)) = inserts.get(at) {
                    let gone = map.insert(device(number), (key, 0_u8), size);
                    prop_assert!(gone.iter().all(|gone| gone.device == device(0)));
                    prop_assert!(alone.insert(device(number), (key, 0_u8), size).is_empty());
                }
                if let Some(&(key, size)) = flood.get(at) {
                    let gone = map.insert(device(0), (key, 0_u8), size);
                    prop_assert!(gone.iter().all(|gone| gone.device == device(0)));
                }
                prop_assert!(map.used() <= 400);
            }
            for number in 1..9 {
                prop_assert_eq!(keys(&map, number), keys(&alone, number));
            }
        }
    }
}
