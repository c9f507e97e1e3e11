use std::collections::BTreeMap;

use thingprint_flow::{DeviceId, WindowIndex};

/// Spans of windows that are remembered of a device; one that is always on has one.
const MOST_SPANS: usize = 4096;
/// Devices that are listed with the words that they lack.
const MOST_DEVICES: usize = 1024;

/// The windows of a device whose instances were handed out.
#[derive(Clone, Debug, Default)]
pub(crate) struct HandedOut(Vec<(WindowIndex, WindowIndex)>);

/// Which instances come again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceLosses {
    /// Instances of windows that had been handed out before the clock stepped back, by window.
    pub repeated: BTreeMap<WindowIndex, u64>,
}

/// Words that were left out of the bags of each device; a word counts as often as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WordsDropped {
    devices: BTreeMap<DeviceId, u64>,
    /// Those of devices beyond the most that are listed.
    others: u64,
}

impl WordsDropped {
    /// Counts words of a device.
    pub(crate) fn add(&mut self, device: DeviceId, words: u64) {
        if words == 0 {
            return;
        }
        let has_room = self.devices.len() < MOST_DEVICES;
        match self.devices.get_mut(&device) {
            Some(count) => *count += words,
            None if has_room => _ = self.devices.insert(device, words),
            None => self.others += words,
        }
    }

    /// Adds those of others.
    pub fn merge(&mut self, other: &Self) {
        other.devices.iter().for_each(|(device, words)| self.add(*device, *words));
        self.others += other.others;
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.devices.values().sum::<u64>() + self.others
    }

    /// The devices that most words were left out of, with their number, the most first.
    pub fn most(&self, devices: usize) -> Vec<(DeviceId, u64)> {
        let mut most: Vec<_> = self.devices.iter().map(|(device, words)| (*device, *words)).collect();
        most.sort_by_key(|(device, words)| (std::cmp::Reverse(*words), *device));
        most.truncate(devices);
        most
    }
}

impl HandedOut {
    /// Notes a window; whether it had been handed out before.
    pub(crate) fn note(&mut self, window: WindowIndex) -> bool {
        if self.0.iter().rev().any(|(first, last)| (*first..=*last).contains(&window)) {
            return true;
        }
        match self.0.last_mut() {
            Some((_, last)) if last.0.checked_add(1) == Some(window.0) => *last = window,
            _ => self.0.push((window, window)),
        }
        if self.0.len() > MOST_SPANS {
            self.0.remove(0);
        }
        false
    }
}

impl InstanceLosses {
    /// Adds those of others.
    pub fn merge(&mut self, other: &Self) {
        for (window, instances) in &other.repeated {
            *self.repeated.entry(*window).or_default() += instances;
        }
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::WindowIndex;

    use super::HandedOut;

    #[test]
    fn windows_that_follow_each_other_are_one_span() {
        let mut handed_out = HandedOut::default();
        let note = |handed_out: &mut HandedOut, window| handed_out.note(WindowIndex(window));
        assert!([3, 4, 5, 9, 10, 1].into_iter().all(|window| !note(&mut handed_out, window)));
        assert_eq!(handed_out.0.len(), 3);
        assert!([1, 3, 5, 10].into_iter().all(|window| note(&mut handed_out, window)));
        assert!(!note(&mut handed_out, 2) && !note(&mut handed_out, 6));
    }
}
