//! What a desk forgets of devices that are silent.

use thingprint_flow::{DeviceId, Timestamp};

use super::Desk;
use crate::device_state::DeviceState;

/// Devices that are remembered; of more, those that were silent for longest are forgotten here. The store keeps them.
const MOST_DEVICES: usize = 1 << 16;
/// A device that was silent for so long has no baseline any more, in nanoseconds: its place is another one's.
const BASELINE_NS: i64 = 7 * 86_400_000_000_000;

impl Desk {
    /// Makes room for devices that are there: baselines of those that were silent for a week go. Where there are too many, those
    /// go first that nobody answered, then those in one window alone, and of these the ones that were silent for longest.
    pub(super) fn forget_silent(&mut self, now: Timestamp) {
        let last_seen = |state: &DeviceState| {
            state.sighting.as_ref().map_or(Timestamp::MIN, |sighting| sighting.last_seen)
        };
        let since = now.plus_nanos(-BASELINE_NS);
        for (device, _) in self.devices.iter().filter(|(_, state)| last_seen(state) < since) {
            self.detector.forget(*device);
        }
        let surplus = self.devices.len().saturating_sub(MOST_DEVICES);
        if surplus == 0 {
            return;
        }
        let is_named = |device: &DeviceId| self.labels.contains_key(device);
        let rank = |device: &DeviceId, state: &DeviceState| {
            (is_named(device), state.is_established, state.known.windows() > 1, last_seen(state), *device)
        };
        let mut by_rank: Vec<(bool, bool, bool, Timestamp, DeviceId)> =
            self.devices.iter().map(|(device, state)| rank(device, state)).collect();
        by_rank.sort_unstable();
        for (.., device) in by_rank.into_iter().take(surplus + MOST_DEVICES / 8) {
            self.devices.remove(&device);
            self.detector.forget(device);
            self.forgotten += 1;
        }
    }
}
