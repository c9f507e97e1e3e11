use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::Instance;

use crate::alarm::Alarm;
use crate::change::Change;
use crate::hour::Hour;
use crate::watched::Watched;
use crate::{ChangeOptions, DeviceStatus};

/// Most devices that are watched; windows of further ones are counted.
const MOST_DEVICES: usize = 4096;
/// Most bytes of the windows and words of all devices.
const MOST_BYTES: usize = 1 << 30;
/// A day in nanoseconds.
const DAY_NS: i64 = 86_400_000_000_000;

/// Compares the windows of a network's devices with their past, window by window.
///
/// First it learns the past; each window from the first one pushed is compared. Windows are pushed in the order of their
/// starts, as a pipeline hands them out. Its state can be written down and read again between any two windows. Memory
/// is bounded: devices, windows of the past, words of each bag and new words that are followed have a limit each, and all
/// of them together take about 1 GiB at most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detector {
    options: ChangeOptions,
    devices: BTreeMap<DeviceId, Watched>,
    /// The hour under way; `None` before the first window is compared.
    hour: Option<Hour>,
    /// Start of the day under way.
    day: Option<Timestamp>,
    losses: Losses,
    /// Bytes of the windows and words of all devices.
    bytes: usize,
}

/// What a detector left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Losses {
    /// Windows of devices beyond the most that are watched, and windows of the past for which there was no room.
    pub windows_dropped: u64,
    /// Words for which baselines had no room: they count as new.
    pub words_dropped: u64,
    /// New words that were not followed for changes by day, as often as they came.
    pub words_unfollowed: u64,
}

impl Detector {
    /// A detector that knows no device.
    pub const fn new(options: ChangeOptions) -> Self {
        let losses = Losses { windows_dropped: 0, words_dropped: 0, words_unfollowed: 0 };
        Self { options, devices: BTreeMap::new(), hour: None, day: None, losses, bytes: 0 }
    }

    /// Takes in a window of the past, in any order; windows of a device that come behind its first comparison are left
    /// out.
    pub fn learn(&mut self, window: &Instance) {
        if self.bytes >= MOST_BYTES {
            self.losses.windows_dropped += 1;
        } else if let Some(watched) = self.watched(window.device) {
            let before = watched.bytes();
            watched.learn(window);
            let after = watched.bytes();
            self.count_bytes(before, after);
        }
    }

    /// Compares a window, and gives the changes of hours and days that it ends. One that comes too late for its hour is
    /// compared by itself.
    pub fn push(&mut self, window: &Instance) -> Vec<Change> {
        let mut changes = self.advance(window.window_start);
        let (options, has_room) = (self.options.clone(), self.bytes < MOST_BYTES);
        let Some(watched) = self.watched(window.device) else { return changes };
        let before = watched.bytes();
        let excesses = watched.compare(window, &options, has_room);
        let after = watched.bytes();
        self.count_bytes(before, after);
        let Some(excesses) = excesses else { return changes };
        let (device, window_start) = (window.device, window.window_start);
        let alarm = (!excesses.is_empty()).then_some(Alarm { device, window_start, excesses });
        match &mut self.hour {
            Some(hour) if hour.start == window.window_start => hour.add(alarm),
            _ => changes.extend(alarm.map(Change::Alarm)),
        }
        changes
    }

    /// Forgets a device; when it comes back, its past is learned anew.
    pub fn forget(&mut self, device: DeviceId) {
        if let Some(watched) = self.devices.remove(&device) {
            self.bytes = self.bytes.saturating_sub(watched.bytes());
        }
    }

    /// Ends the hour and the day under way, and gives their changes: at the end of all windows.
    pub fn close(&mut self) -> Vec<Change> {
        let mut changes = self.end_hour();
        changes.extend(self.end_day());
        changes
    }

    /// Each device, whether it changed or not, in the order of addresses; `now` is the start of the last window of all
    /// devices.
    pub fn devices(&self, now: Option<Timestamp>) -> impl Iterator<Item = DeviceStatus> {
        let margin = self.options.margin;
        self.devices.iter().map(move |(device, watched)| watched.status(*device, now, margin))
    }

    /// What was left out.
    pub fn losses(&self) -> Losses {
        let words_dropped = self.devices.values().map(Watched::words_dropped).sum();
        let words_unfollowed = self.devices.values().map(Watched::words_unfollowed).sum();
        Losses { words_dropped, words_unfollowed, ..self.losses }
    }

    fn watched(&mut self, device: DeviceId) -> Option<&mut Watched> {
        if self.devices.len() >= MOST_DEVICES && !self.devices.contains_key(&device) {
            self.losses.windows_dropped += 1;
            return None;
        }
        Some(self.devices.entry(device).or_insert_with(Watched::new))
    }

    const fn count_bytes(&mut self, before: usize, after: usize) {
        self.bytes = self.bytes.saturating_sub(before).saturating_add(after);
    }

    fn advance(&mut self, start: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.hour.as_ref().is_none_or(|hour| hour.start < start) {
            changes.extend(self.end_hour());
            self.hour = Some(Hour::at(start));
        }
        let day = day_of(start);
        if self.day.is_none_or(|current| current < day) {
            changes.extend(self.end_day());
            self.day = Some(day);
        }
        changes
    }

    fn end_hour(&mut self) -> Vec<Change> {
        self.hour.take().map(|hour| hour.close(&self.options)).unwrap_or_default()
    }

    fn end_day(&mut self) -> Vec<Change> {
        let Self { options, devices, day, bytes, .. } = self;
        let Some(day) = day.take() else { return Vec::new() };
        let ended = devices.iter_mut().map(|(device, watched)| watched.end_day(*device, day, options));
        let changes = ended.flatten().map(Change::Day).collect();
        *bytes = devices.values().map(Watched::bytes).sum();
        changes
    }
}

/// Start of the day of a time, UTC.
fn day_of(time: Timestamp) -> Timestamp {
    Timestamp::from_nanos(time.as_nanos().div_euclid(DAY_NS).saturating_mul(DAY_NS))
}

#[cfg(test)]
mod tests {
    use thingprint_instance::{Attributes, Bag, BagName, Bags, Counts, Spreads};

    use super::*;

    fn window(at: i64, word: &str) -> Instance {
        Instance {
            device: "02:00:00:00:00:01".parse().unwrap(),
            window_start: Timestamp::from_seconds(at * 3600),
            window_s: 3600.0,
            capture: None,
            attributes: Attributes::default(),
            bags: Bags::from([(BagName::PORTS, Bag::from([(word.to_owned(), 1)]))]),
            counts: Counts::default(),
            spread: Spreads::default(),
        }
    }

    fn check_bytes(detector: &Detector) {
        let bytes: usize = detector.devices.values().map(Watched::bytes).sum();
        assert_eq!(detector.bytes, bytes);
    }

    #[test]
    fn bytes_are_counted_as_windows_come() {
        let mut detector = Detector::new(ChangeOptions::default());
        (0..5).for_each(|at| detector.learn(&window(at, "443")));
        check_bytes(&detector);
        let learned = detector.bytes;
        let _ = detector.push(&window(5, "443"));
        assert!(detector.bytes < learned, "a baseline keeps the words alone: {} bytes", detector.bytes);
        for at in 6..48 {
            let _ = detector.push(&window(at, &at.to_string()));
            check_bytes(&detector);
        }
    }

    #[test]
    fn without_room_nothing_more_is_kept() {
        let mut detector = Detector::new(ChangeOptions::default());
        (0..3).for_each(|at| detector.learn(&window(at, "443")));
        let learned = detector.clone();
        detector.bytes = MOST_BYTES;
        detector.learn(&window(3, "80"));
        assert_eq!((detector.losses().windows_dropped, &detector.devices), (1, &learned.devices));
        let mut detector = learned;
        let _ = detector.push(&window(4, "443"));
        let before = detector.devices.values().map(Watched::bytes).sum::<usize>();
        detector.bytes = MOST_BYTES;
        let _ = detector.push(&window(5, "80"));
        assert_eq!(detector.devices.values().map(Watched::bytes).sum::<usize>(), before);
        assert_eq!(detector.losses().words_unfollowed, 1);
    }
}
