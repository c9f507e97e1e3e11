use std::collections::BTreeMap;

use thingprint_flow::{DeviceId, DeviceIndex, FairCap, Observer};
use thingprint_instance::InstanceObserver;

/// The devices that logs tell of, by number. Where there are too many, those that nobody answered and that are silent for
/// longest are forgotten.
#[derive(Debug)]
pub(crate) struct DeviceTable {
    numbers: BTreeMap<DeviceId, DeviceIndex>,
    entries: Vec<Option<Entry>>,
    free: Vec<DeviceIndex>,
    cap: FairCap,
    /// Devices that were forgotten.
    pub(crate) forgotten: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    id: DeviceId,
    is_established: bool,
}

impl DeviceTable {
    /// A table of at most so many devices.
    pub(crate) const fn new(max_devices: usize) -> Self {
        Self {
            numbers: BTreeMap::new(),
            entries: Vec::new(),
            free: Vec::new(),
            cap: FairCap::new(max_devices),
            forgotten: 0,
        }
    }

    /// The number of a device, which the observer comes to know with its first event.
    pub(crate) fn index(&mut self, id: DeviceId, observer: &mut InstanceObserver) -> DeviceIndex {
        if let Some(index) = self.numbers.get(&id) {
            // It was heard again.
            self.cap.take(*index, 0);
            return *index;
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            DeviceIndex::new(u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX))
        });
        self.numbers.insert(id, index);
        if let Some(entry) = self.entries.get_mut(index.as_usize()) {
            *entry = Some(Entry { id, is_established: false });
        }
        observer.device(index, id);
        if self.cap.take(index, 1) {
            for (other, _) in self.cap.excess() {
                self.forget(other, index, observer);
            }
        }
        index
    }

    /// Somebody answered a device in a connection.
    pub(crate) fn establish(&mut self, index: DeviceIndex, observer: &mut InstanceObserver) {
        let Some(Some(entry)) = self.entries.get_mut(index.as_usize()) else { return };
        entry.is_established = true;
        self.cap.establish(index);
        observer.established(index);
    }

    pub(crate) fn is_established(&self, index: DeviceIndex) -> bool {
        matches!(self.entries.get(index.as_usize()), Some(Some(entry)) if entry.is_established)
    }

    /// Forgets a device, but for the one that is being told of.
    fn forget(&mut self, index: DeviceIndex, told_of: DeviceIndex, observer: &mut InstanceObserver) {
        if index == told_of {
            return;
        }
        if let Some(entry) = self.entries.get_mut(index.as_usize()).and_then(Option::take) {
            self.numbers.remove(&entry.id);
            self.free.push(index);
            self.cap.give_back(index, 1);
            self.cap.forget(index);
            observer.forget(index);
            self.forgotten += 1;
        }
    }
}
