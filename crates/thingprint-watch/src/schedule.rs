use std::collections::BTreeMap;

use thingprint_flow::{DeviceId, DeviceIndex, Timestamp, WindowIndex};

use crate::sightings::Begun;

/// Most looks that wait: beyond them, devices are judged at the end of their windows alone. Addresses that nobody answered have
/// half of them.
const MOST_WAITING: usize = 1 << 18;

/// When devices are looked at before their windows end.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    due: BTreeMap<Timestamp, Vec<Look>>,
    waiting: usize,
    dropped: u64,
}

/// A device to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) device: DeviceId,
    /// Its index in the shard; another device may have it by now.
    pub(crate) index: DeviceIndex,
    pub(crate) window: WindowIndex,
    /// Time of its first packet in the window.
    pub(crate) first: Timestamp,
}

impl Schedule {
    /// Looks at a device at these times.
    pub(crate) fn add(&mut self, begun: &Begun, times: impl IntoIterator<Item = Timestamp>) {
        let Begun { device, index, window, first, is_established } = *begun;
        let most = if is_established { MOST_WAITING } else { MOST_WAITING / 2 };
        for at in times {
            if self.waiting >= most {
                self.dropped += 1;
                continue;
            }
            self.due.entry(at).or_default().push(Look { device, index, window, first });
            self.waiting += 1;
        }
    }

    /// The devices that are to be looked at by now, each window once, about so many of them; the others come next.
    pub(crate) fn take_due(&mut self, now: Timestamp, most: usize) -> Vec<Look> {
        let mut looks = Vec::new();
        while looks.len() < most
            && let Some(mut entry) = self.due.first_entry().filter(|entry| *entry.key() <= now)
        {
            let room = most - looks.len();
            if entry.get().len() > room {
                looks.extend(entry.get_mut().drain(..room));
            } else {
                looks.extend(entry.remove());
            }
        }
        self.waiting -= looks.len();
        looks.sort_by_key(|look| (look.device, look.window));
        looks.dedup_by_key(|look| (look.device, look.window));
        looks
    }

    /// Looks that were left out.
    pub(crate) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Forgets everything: the clock stepped back.
    pub(crate) fn clear(&mut self) {
        *self = Self { dropped: self.dropped, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thingprint_flow::WindowLength;

    #[test]
    fn looks_are_due_at_their_times_and_missed_ones_come_once() {
        let at = Timestamp::from_seconds;
        let window = WindowLength::default().index_of(at(0));
        let device = "02:00:00:00:00:01".parse().unwrap();
        let begun = Begun { device, index: DeviceIndex::new(0), window, first: at(5), is_established: true };
        let mut schedule = Schedule::default();
        schedule.add(&begun, [at(65), at(305), at(905)]);
        assert!(schedule.take_due(at(64), 9).is_empty());
        assert_eq!(schedule.take_due(at(65), 9).len(), 1);
        assert_eq!(schedule.take_due(at(2000), 9).len(), 1);
        assert_eq!((schedule.waiting, schedule.due.len()), (0, 0));
    }

    #[test]
    fn made_up_addresses_leave_room_for_devices() {
        let at = Timestamp::from_seconds;
        let window = WindowLength::default().index_of(at(0));
        let device = "02:00:00:00:00:01".parse().unwrap();
        let begun = |is_established| Begun {
            device,
            index: DeviceIndex::new(0),
            window,
            first: at(5),
            is_established,
        };
        let mut schedule = Schedule::default();
        schedule.add(&begun(false), (0..1 << 18).map(at));
        assert_eq!(schedule.dropped(), 1 << 17);
        schedule.add(&begun(true), (0..1 << 17).map(at));
        assert_eq!(schedule.dropped(), 1 << 17);
        schedule.add(&begun(true), [at(0)]);
        assert_eq!(schedule.dropped(), (1 << 17) + 1);
    }
}
