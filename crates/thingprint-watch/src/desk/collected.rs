use thingprint_flow::Timestamp;
use thingprint_instance::Instance;

use super::{Desk, PARTS_NS};
use crate::records::{Sighting, Update};
use crate::{describe, news};

/// What is given whole by others, without packets.
impl Desk {
    /// Takes a final window of a device that was seen between these times.
    pub(crate) fn collected(&mut self, instance: &Instance, times: (Timestamp, Timestamp)) {
        let counts = instance.counts;
        let state = self.devices.entry(instance.device).or_default();
        let (up, down) = &mut state.collected;
        *up = up.saturating_add(counts.packets_up);
        *down = down.saturating_add(counts.packets_down);
        let sighting = describe::sighting_of(instance, times, state.collected);
        self.sight(sighting);
        self.final_window(instance);
    }

    /// Packets are missing from one time to another.
    pub(crate) fn note_missing(&mut self, from: Timestamp, to: Timestamp) {
        self.coverage.note_missing(from, to);
    }

    /// Every window that ends by this time was given.
    pub(crate) fn close_until(&mut self, until: Timestamp) {
        self.final_until = self.final_until.max(Some(until));
        self.coverage.forget_before(until.plus_nanos(-PARTS_NS));
        self.forget_silent(until);
    }

    /// Takes in a device without addresses.
    fn sight(&mut self, mut sighting: Sighting) {
        let state = self.devices.entry(sighting.device).or_default();
        let is_new = state.sighting.is_none();
        if let Some(before) = &state.sighting {
            sighting.first_seen = sighting.first_seen.min(before.first_seen);
            sighting.last_seen = sighting.last_seen.max(before.last_seen);
        }
        state.is_established = true;
        let is_back = state.presence.comes_back();
        state.sighting = Some(sighting.clone());
        if is_new {
            let label = self.labels.get(&sighting.device).map(String::as_str);
            self.book.note_new_device(news::new_device(&sighting, label));
        }
        if is_back {
            let name = self.name(sighting.device);
            self.book.note(news::presence((sighting.device, sighting.last_seen), &name, true));
        }
        self.updates.push(Update::Device(sighting));
    }
}
