use std::collections::BTreeSet;

use crate::{DeviceId, DeviceIds, DeviceIndex, DeviceLosses, LossKind};

/// Writes down what caps of an observer leave out, for devices that are known by their index.
///
/// Its methods are those of [`Observer`](crate::Observer): it has to hear of the devices that come, are established and are
/// forgotten. What an address lost that was forgotten without an answer is not told apart from others any more.
#[derive(Clone, Debug)]
pub struct LossLog {
    ids: DeviceIds,
    established: BTreeSet<DeviceIndex>,
    losses: DeviceLosses,
}

impl Default for LossLog {
    fn default() -> Self {
        Self { ids: DeviceIds::default(), established: BTreeSet::new(), losses: DeviceLosses::of_a_shard() }
    }
}

impl LossLog {
    /// A device is there; see [`Observer::device`](crate::Observer::device).
    pub fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        self.ids.note(device, id);
    }

    /// A device is established; see [`Observer::established`](crate::Observer::established).
    pub fn established(&mut self, device: DeviceIndex) {
        self.established.insert(device);
    }

    /// A device is forgotten; see [`Observer::forget`](crate::Observer::forget).
    pub fn forget(&mut self, device: DeviceIndex) {
        let is_established = self.established.remove(&device);
        if let Some(id) = self.ids.of(device).filter(|_| !is_established) {
            self.losses.fold(id);
        }
        self.ids.forget(device);
    }

    /// Counts what a device lost.
    pub fn add(&mut self, device: DeviceIndex, kind: LossKind, count: u64) {
        match self.ids.of(device) {
            Some(id) => self.losses.add(id, kind, count),
            None => self.losses.add_other(kind, count),
        }
    }

    /// What was lost so far.
    pub const fn losses(&self) -> &DeviceLosses {
        &self.losses
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MacAddr;

    #[test]
    fn what_an_address_lost_that_nobody_answered_is_summed_up_once_it_is_forgotten() {
        let mut log = LossLog::default();
        let ids = [1, 2].map(|last| DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, last])));
        for (number, id) in (0..).zip(ids) {
            log.device(DeviceIndex::new(number), id);
            log.add(DeviceIndex::new(number), LossKind::FLOWS, 3);
        }
        log.established(DeviceIndex::new(1));
        assert_eq!((log.losses().by_size().len(), log.losses().others().len()), (2, 0));
        log.forget(DeviceIndex::new(0));
        log.forget(DeviceIndex::new(1));
        let named: Vec<_> = log.losses().by_size().into_iter().map(|(id, _)| id).collect();
        assert_eq!((named, log.losses().others()[&LossKind::FLOWS]), (vec![ids[1]], 3));
    }
}
