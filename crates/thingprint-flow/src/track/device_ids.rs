use crate::{DeviceId, DeviceIndex};

/// The ids of the devices of a tracker, for an observer that needs them later.
#[derive(Clone, Debug, Default)]
pub struct DeviceIds(Vec<Option<DeviceId>>);

impl DeviceIds {
    /// Notes a device; see [`Observer::device`](crate::Observer::device).
    pub fn note(&mut self, device: DeviceIndex, id: DeviceId) {
        let at = device.as_usize();
        if self.0.len() <= at {
            self.0.resize(at + 1, None);
        }
        if let Some(place) = self.0.get_mut(at) {
            *place = Some(id);
        }
    }

    /// Forgets a device; see [`Observer::forget`](crate::Observer::forget).
    pub fn forget(&mut self, device: DeviceIndex) {
        if let Some(place) = self.0.get_mut(device.as_usize()) {
            *place = None;
        }
    }

    /// The id of a device.
    pub fn of(&self, device: DeviceIndex) -> Option<DeviceId> {
        self.0.get(device.as_usize()).copied().flatten()
    }

    /// The devices by index; nothing where one was forgotten.
    pub fn iter(&self) -> impl Iterator<Item = Option<DeviceId>> + '_ {
        self.0.iter().copied()
    }
}
