use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, DeviceIndex, DeviceLosses, FairCap, LossKind, Timestamp};
use thingprint_instance::Instance;

use crate::alarm::Alarm;
use crate::change::Change;
use crate::hour::Hour;
use crate::watched::Watched;
use crate::{ChangeOptions, DeviceStatus};

/// Most devices that are watched; those without a baseline give way to others.
const MOST_DEVICES: usize = 4096;
/// Most bytes of the windows and words of all devices, which they share fairly.
const MOST_BYTES: usize = 1 << 30;
/// What is freed at once where there are too many devices, as a share of them.
const FREED_SHARE: usize = 8;
/// Windows of devices that are not compared, or no part of a baseline.
const WINDOWS: LossKind = LossKind::new("baseline_windows");
/// New words that are not followed any more.
const NEW_WORDS: LossKind = LossKind::new("new_words");
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
    #[serde(skip)]
    limits: Limits,
    /// What devices had to give up since the detector was made or read.
    #[serde(skip)]
    left_out: DeviceLosses,
}

/// What is kept at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limits {
    devices: usize,
    bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { devices: MOST_DEVICES, bytes: MOST_BYTES }
    }
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
    pub fn new(options: ChangeOptions) -> Self {
        Self {
            options,
            devices: BTreeMap::new(),
            hour: None,
            day: None,
            losses: Losses::default(),
            bytes: 0,
            limits: Limits::default(),
            left_out: DeviceLosses::default(),
        }
    }

    /// Takes in a window of the past, in any order; windows of a device that come behind its first comparison are left
    /// out.
    pub fn learn(&mut self, window: &Instance) {
        let watched = self.watched(window.device);
        let before = watched.bytes();
        watched.learn(window);
        let after = watched.bytes();
        self.count_bytes(before, after);
    }

    /// Compares a window, and gives the changes of hours and days that it ends. One that comes too late for its hour is
    /// compared by itself.
    pub fn push(&mut self, window: &Instance) -> Vec<Change> {
        let mut changes = self.advance(window.window_start);
        let options = self.options.clone();
        let watched = self.watched(window.device);
        let before = watched.bytes();
        let excesses = watched.compare(window, &options);
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

    /// What caps left out, by device, since the detector was made or read.
    pub const fn left_out(&self) -> &DeviceLosses {
        &self.left_out
    }

    fn watched(&mut self, device: DeviceId) -> &mut Watched {
        if self.devices.len() >= self.limits.devices.max(1) && !self.devices.contains_key(&device) {
            self.make_room_for_devices();
        }
        self.devices.entry(device).or_insert_with(Watched::new)
    }

    /// Forgets devices without a baseline, those first that were hardly answered, then those that were silent for longest; where
    /// there are none, one with a baseline.
    fn make_room_for_devices(&mut self) {
        let order = self.devices.iter().map(|(device, watched)| (watched.rank(&self.options), *device));
        let mut order: Vec<_> = order.collect();
        order.sort_unstable();
        let newcomers = order.iter().filter(|((is_established, ..), _)| !is_established).count();
        let count = newcomers.min(self.limits.devices / FREED_SHARE).max(1);
        for (_, device) in order.into_iter().take(count) {
            let windows = self.devices.get(&device).map_or(0, Watched::all_windows);
            self.forget(device);
            self.lose(device, (windows, 0));
        }
    }

    fn count_bytes(&mut self, before: usize, after: usize) {
        self.bytes = self.bytes.saturating_sub(before).saturating_add(after);
        if self.bytes > self.limits.bytes {
            self.make_room();
        }
    }

    /// The devices that have most give up some of it.
    fn make_room(&mut self) {
        let mut cap = FairCap::new(self.limits.bytes);
        for (number, watched) in (0..).map(DeviceIndex::new).zip(self.devices.values()) {
            if watched.is_established(&self.options) {
                cap.establish(number);
            }
            cap.take(number, watched.bytes());
        }
        let ids: Vec<DeviceId> = self.devices.keys().copied().collect();
        for (number, excess) in cap.excess() {
            let Some(device) = ids.get(number.as_usize()) else { continue };
            let Some(watched) = self.devices.get_mut(device) else { continue };
            let before = watched.bytes();
            let given_up = watched.give_up(excess);
            let after = watched.bytes();
            self.bytes = self.bytes.saturating_sub(before).saturating_add(after);
            self.lose(*device, given_up);
        }
    }

    fn lose(&mut self, device: DeviceId, (windows, words): (u64, u64)) {
        self.losses.windows_dropped += windows;
        self.left_out.add(device, WINDOWS, windows);
        self.left_out.add(device, NEW_WORDS, words);
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

    fn device(number: u16) -> DeviceId {
        let [high, low] = number.to_be_bytes();
        DeviceId::Mac(thingprint_flow::MacAddr::new([2, 0, 0, 0, high, low]))
    }

    fn window_of(number: u16, at: i64, words: &[String]) -> Instance {
        let bag: Bag = words.iter().map(|word| (word.clone(), 1)).collect();
        Instance { device: device(number), bags: Bags::from([(BagName::PORTS, bag)]), ..window(at, "443") }
    }

    /// Six devices with a day each, among the windows that `flood` gives; then a day that is compared.
    fn home(limits: Limits, mut flood: impl FnMut(i64) -> Vec<Instance>) -> (Vec<Change>, Detector) {
        let mut detector = Detector { limits, ..Detector::new(ChangeOptions::default()) };
        let answered = Counts { packets_up: 1, packets_down: 1, ..Counts::default() };
        let usual = |at| {
            let windows = (0..6_u16).map(move |number| window_of(number, at, &["443".to_owned()]));
            windows.map(|window| Instance { counts: answered, ..window })
        };
        let mut changes = Vec::new();
        for at in 0..48 {
            let odd = (at == 40)
                .then(|| window_of(3, at, &(0..200).map(|port| port.to_string()).collect::<Vec<_>>()));
            for window in flood(at).into_iter().chain(usual(at)).chain(odd) {
                if at < 24 {
                    detector.learn(&window);
                } else {
                    changes.extend(detector.push(&window));
                }
                assert!(detector.devices.len() <= limits.devices && detector.bytes <= limits.bytes);
            }
            check_bytes(&detector);
        }
        changes.extend(detector.close());
        let home = |change: &Change| match change {
            Change::Alarm(alarm) => alarm.device < device(6),
            Change::Day(day) => day.device < device(6),
            Change::Network(_) => false,
        };
        changes.retain(home);
        (changes, detector)
    }

    fn states(detector: &Detector) -> Vec<DeviceStatus> {
        detector.devices(None).filter(|status| status.device < device(6)).collect()
    }

    #[test]
    fn made_up_devices_take_the_place_of_no_device_with_a_baseline() {
        let (expected, alone) = home(Limits::default(), |_| Vec::new());
        assert!(expected.len() == 1 && alone.left_out().is_empty(), "{expected:?}");
        let limits = Limits { devices: 16, ..Limits::default() };
        let flood = |at: i64| {
            let first = 100 + 50 * u16::try_from(at).unwrap();
            (first..first + 50).map(|number| window_of(number, at, &["80".to_owned()])).collect()
        };
        let (found, flooded) = home(limits, flood);
        assert_eq!((found, states(&flooded)), (expected, states(&alone)));
        let left: u64 = flooded.devices.values().map(Watched::all_windows).sum();
        let all = 48 * 6 + 1 + 48 * 50;
        assert_eq!(left + flooded.losses().windows_dropped, all);
        assert_eq!(flooded.left_out().totals()[&WINDOWS], all - left);
        assert!((0..6).all(|number| flooded.left_out().of(device(number)).is_none()));
    }

    #[test]
    fn the_device_with_most_words_gives_up_its_own() {
        let (expected, alone) = home(Limits::default(), |_| Vec::new());
        let limits = Limits { bytes: 150_000, ..Limits::default() };
        let flood =
            |at: i64| vec![window_of(9, at, &(0..300).map(|n| format!("{at}-{n}")).collect::<Vec<_>>())];
        let (found, flooded) = home(limits, flood);
        assert_eq!((found, states(&flooded)), (expected, states(&alone)));
        let lost = flooded.left_out().of(device(9)).unwrap();
        assert!(lost[&WINDOWS] > 0 && flooded.left_out().by_size().len() == 1, "{lost:?}");
    }
}
