//! Two times of a network compared with each other, device by device.

mod aspect;
mod numbers;
mod passing;
mod period;
mod reported;
mod words;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::Instance;

pub use aspect::Aspect;
pub use numbers::MovedNumber;
pub use passing::Passing;
pub use words::TurnedWord;

use self::period::Period;
use self::reported::Reported;
use crate::{Alarm, Change, ChangeOptions, Detector, DeviceState, Losses, NetworkEvent};

/// How far beyond what the earlier time shows is still usual.
const MARGIN: f64 = 1.25;
/// Most devices that are compared; of more, those with fewest windows give way, and their windows are counted.
const MOST_DEVICES: usize = 65_536;
/// What is freed at once where there are more, as a share of them.
const FREED_SHARE: usize = 8;

/// Compares what the devices of a network did in two times, each as a whole.
///
/// A [`Detector`] reports the window in which something happens. A comparison reports what is not as it was: devices that
/// came and went, words that came and went for good, volume and rhythm outside what is usual. What the detector reports is in it
/// as well, since an attack of an hour changes no middle value.
///
/// What is unusual is measured by the device's own earlier time: see [`Difference::unusual`].
///
/// Windows and peers are borrowed where they are kept anyway, and looked into device by device: so what is known of all devices
/// at once is no more than that.
#[derive(Clone, Debug)]
pub struct Comparison<'a> {
    devices: BTreeMap<DeviceId, [Windows<'a>; 2]>,
    /// The hosts that devices exchanged packets with, of the earlier and of the later time, where they are known.
    peers: [Option<Vec<Peer<'a>>>; 2],
    detector: Detector,
    windows_dropped: u64,
    most_devices: usize,
}

/// Windows of a device in one of the two times, in the order in which they came.
type Windows<'a> = Vec<Cow<'a, Instance>>;

/// A host that a device exchanged packets with, with the start of the window.
type Peer<'a> = (DeviceId, Timestamp, &'a str);

/// One of the two times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The earlier time, which says what is usual.
    Before,
    /// The later time.
    After,
}

/// Whether something came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Turn {
    /// It is in the later time alone.
    New,
    /// It is in the earlier time alone.
    Gone,
}

/// Whether a device is in both times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// In both.
    Both,
    /// In the later time alone.
    New,
    /// In the earlier time alone.
    Gone,
    /// In both, but silent at the end of the later time for longer than ever in the earlier one.
    Silent,
}

/// What differs between the two times.
#[derive(Clone, Debug, PartialEq)]
pub struct Differences {
    /// The devices of both times, in the order of their addresses.
    pub devices: Vec<DeviceDifferences>,
    /// Windows of the later time in which many devices did something new at once.
    pub events: Vec<NetworkEvent>,
    /// What was left out.
    pub losses: Losses,
}

/// What differs in a device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceDifferences {
    /// The device.
    pub device: DeviceId,
    /// Whether it is in both times.
    pub presence: Presence,
    /// Its windows in the earlier and in the later time.
    pub windows: [usize; 2],
    /// Start of its first and of its last window.
    pub seen: Option<(Timestamp, Timestamp)>,
    /// What is not as it was, the most unusual first.
    pub differences: Vec<Difference>,
}

/// Something of a device that is not as it was.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// Words that came or went.
    Words {
        /// What they are words of.
        aspect: Aspect,
        /// Whether they came or went.
        turn: Turn,
        /// The words, those that stayed away for longest first.
        words: Vec<TurnedWord>,
        /// How many words of this aspect come or go for good in as long a time, by the earlier time.
        usual: f64,
    },
    /// A number whose usual size is another one.
    Number {
        /// The number.
        aspect: Aspect,
        /// How it moved.
        moved: MovedNumber,
    },
    /// Something that no window of the earlier time had, and that did not last.
    Passing(Passing),
    /// Windows above a limit, by no more than what other differences of the device report.
    Explained(Passing),
}

impl Difference {
    /// How unusual it is for this device, as a multiple of what is still usual: above 1 it is unusual. `None` where the
    /// earlier time is too short to know.
    ///
    /// - Words: for how many times their longest pause they are absent, over three. Where words of this kind come and go, no more
    ///   than their number over 1.25 times the usual one.
    /// - Numbers: how far the middle value moved on a scale of factors, over 1.25 times the distance of the most different day of
    ///   the earlier time.
    /// - What passed: the value over the limit that the earlier time sets, see [`Baseline`](crate::Baseline).
    pub fn unusual(&self) -> Option<f64> {
        match self {
            Self::Words { words, usual, .. } => {
                let known = words.iter().filter(|word| word.pauses.is_some()).map(TurnedWord::ratio);
                let most = known.max_by(f64::total_cmp)?;
                let lasting = words.iter().filter(|word| word.is_lasting()).count() as f64;
                Some(if *usual > 0.0 { most.min(lasting / (MARGIN * usual)) } else { most })
            }
            Self::Number { moved, .. } => moved.ratio,
            Self::Passing(passing) | Self::Explained(passing) => Some(passing.most.ratio()),
        }
    }

    /// What differs, in words and with its unit.
    pub fn title(&self) -> String {
        match self {
            Self::Words { aspect, .. } | Self::Number { aspect, .. } => aspect.title(),
            Self::Passing(passing) | Self::Explained(passing) => passing.most.measure.title(),
        }
    }

    /// What differs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Words { aspect, .. } | Self::Number { aspect, .. } => aspect.name(),
            Self::Passing(passing) | Self::Explained(passing) => passing.most.measure.name(),
        }
    }
}

impl<'a> Comparison<'a> {
    /// A comparison without windows.
    pub fn new(mut options: ChangeOptions) -> Self {
        options.adopt_after = None;
        let detector = Detector::new(options);
        Self {
            detector,
            devices: BTreeMap::new(),
            peers: [None, None],
            windows_dropped: 0,
            most_devices: MOST_DEVICES,
        }
    }

    /// Takes in a window, in any order.
    pub fn add(&mut self, side: Side, window: Cow<'a, Instance>) {
        if side == Side::Before {
            self.detector.learn(&window);
        }
        self.windows(side, window.device).push(window);
    }

    /// Takes in the hosts that devices exchanged packets with, each with the start of the window. Hosts are compared where those
    /// of both times were taken in: a device without any has had none.
    pub fn add_peers(&mut self, side: Side, peers: impl IntoIterator<Item = Peer<'a>>) {
        let [before, after] = &mut self.peers;
        let of_side = match side {
            Side::Before => before,
            Side::After => after,
        };
        of_side.get_or_insert_default().extend(peers);
    }

    fn windows(&mut self, side: Side, device: DeviceId) -> &mut Windows<'a> {
        if self.devices.len() >= self.most_devices && !self.devices.contains_key(&device) {
            self.make_room();
        }
        let [before, after] = self.devices.entry(device).or_default();
        match side {
            Side::Before => before,
            Side::After => after,
        }
    }

    /// Leaves out the devices that have fewest windows, and of these those that came last: addresses that are made up have one or
    /// none.
    fn make_room(&mut self) {
        let count = |[before, after]: &[Windows<'a>; 2]| before.len() + after.len();
        let first = |[before, after]: &[Windows<'a>; 2]| {
            before.iter().chain(after).map(|window| window.window_start).min()
        };
        let rank = |(device, windows): (&DeviceId, &[Windows<'a>; 2])| {
            (count(windows), Reverse(first(windows)), Reverse(*device))
        };
        let mut order: Vec<_> = self.devices.iter().map(rank).collect();
        order.sort_unstable();
        order.truncate((self.most_devices / FREED_SHARE).max(1));
        for (windows, _, Reverse(device)) in &order {
            self.devices.remove(device);
            self.windows_dropped += *windows as u64;
        }
    }

    /// What differs.
    pub fn finish(self) -> Differences {
        let Self { devices, mut peers, mut detector, windows_dropped, .. } = self;
        let mut later: Vec<&Instance> =
            devices.values().flat_map(|[_, after]| after).map(Cow::as_ref).collect();
        later.sort_by_key(|window| (window.window_start, window.device));
        let mut changes: Vec<Change> = later.iter().flat_map(|window| detector.push(window)).collect();
        changes.extend(detector.close());
        let silent = silent(&detector, later.iter().map(|window| window.window_start).max());
        let mut losses = detector.losses();
        losses.windows_dropped += windows_dropped;
        let alarms = alarms_by_device(&changes);
        // Stable: what a device exchanged packets with stays in the order in which it came.
        peers.iter_mut().flatten().for_each(|peers| peers.sort_by_key(|(device, ..)| *device));
        let mut compared = Vec::new();
        for (device, windows) in &devices {
            let [before, after] = [0, 1].map(|side| {
                let peers =
                    peers.get(side).and_then(|peers| peers.as_deref().map(|peers| of_device(*device, peers)));
                period(windows.get(side).map(Vec::as_slice).unwrap_or_default(), peers)
            });
            losses.words_dropped += before.words_dropped + after.words_dropped;
            let periods = [before, after];
            if let Some(mut found) = compare(*device, &periods, silent.contains(device)) {
                add_passing(&mut found, alarms.get(device).map(Vec::as_slice), (&periods, windows));
                let rank = |difference: &Difference| difference.unusual().unwrap_or(0.0);
                found.differences.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
                compared.push(found);
            }
        }
        let events = changes.into_iter().filter_map(|change| match change {
            Change::Network(event) => Some(event),
            Change::Alarm(_) | Change::Day(_) => None,
        });
        Differences { events: events.collect(), devices: compared, losses }
    }
}

/// What a device did in one of the two times.
fn period(windows: &[Cow<'_, Instance>], peers: Option<&[Peer<'_>]>) -> Period {
    let mut period = Period::default();
    for window in windows {
        period.add(window);
    }
    for (_, start, peer) in peers.unwrap_or_default() {
        period.add_word(Aspect::Peers, peer, *start);
    }
    period.complete(peers.is_some());
    period
}

/// The peers of a device among those of all, which are in the order of devices.
fn of_device<'p, 'a>(device: DeviceId, peers: &'p [Peer<'a>]) -> &'p [Peer<'a>] {
    let from = peers.partition_point(|(of, ..)| *of < device);
    let to = peers.partition_point(|(of, ..)| *of <= device);
    peers.get(from..to).unwrap_or_default()
}

/// Adds what alarmed, also in events of the network: that many devices did something new says of none what it did.
fn add_passing(
    compared: &mut DeviceDifferences,
    alarms: Option<&[&Alarm]>,
    ([before, _], [_, after]): (&[Period; 2], &[Windows<'_>; 2]),
) {
    let Some(alarms) = alarms else { return };
    let mut windows: Vec<&Instance> = after.iter().map(Cow::as_ref).collect();
    windows.sort_by_key(|window| window.window_start);
    let passing = passing::passing(alarms, &Reported::of(before, windows, &compared.differences));
    compared.differences.extend(passing);
}

fn alarms_by_device(changes: &[Change]) -> BTreeMap<DeviceId, Vec<&Alarm>> {
    let mut alarms: BTreeMap<DeviceId, Vec<&Alarm>> = BTreeMap::new();
    for alarm in changes.iter().flat_map(alarms_of) {
        alarms.entry(alarm.device).or_default().push(alarm);
    }
    alarms
}

fn silent(detector: &Detector, end: Option<Timestamp>) -> BTreeSet<DeviceId> {
    let silent = detector.devices(end).filter(|status| status.state == DeviceState::Silent);
    silent.map(|status| status.device).collect()
}

/// What differs in a device; nothing of one of which there is no window, and that others mention alone.
fn compare(device: DeviceId, [before, after]: &[Period; 2], is_silent: bool) -> Option<DeviceDifferences> {
    let presence = match (before.windows.len(), after.windows.len()) {
        (0, 0) => return None,
        (0, _) => Presence::New,
        (_, 0) => Presence::Gone,
        _ if is_silent => Presence::Silent,
        _ => Presence::Both,
    };
    let starts = || before.windows.iter().chain(&after.windows).copied();
    Some(DeviceDifferences {
        device,
        presence,
        windows: [before.windows.len(), after.windows.len()],
        seen: starts().min().zip(starts().max()),
        differences: match presence {
            Presence::Both | Presence::Silent => differences(before, after),
            Presence::New | Presence::Gone => Vec::new(),
        },
    })
}

/// What differs in the words and numbers of a device that is in both times.
fn differences(before: &Period, after: &Period) -> Vec<Difference> {
    let aspects = Aspect::of_words().map(|(aspect, _)| aspect).chain([Aspect::Peers]);
    let words = aspects.flat_map(|aspect| {
        let usual = words::usual_turns(aspect, before, after);
        [Turn::New, Turn::Gone].into_iter().filter_map(move |turn| {
            let words = words::turned(aspect, turn, before, after);
            (!words.is_empty()).then_some(Difference::Words { aspect, turn, words, usual })
        })
    });
    let numbers = after.numbers.keys().filter_map(|aspect| {
        let moved = numbers::moved(*aspect, before, after)?;
        Some(Difference::Number { aspect: *aspect, moved })
    });
    words.chain(numbers).collect()
}

fn alarms_of(change: &Change) -> &[Alarm] {
    match change {
        Change::Alarm(alarm) => std::slice::from_ref(alarm),
        Change::Network(event) => &event.alarms,
        Change::Day(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::MacAddr;
    use thingprint_instance::{Attributes, Bag, BagName, Bags, Counts, Spreads};

    use super::*;

    fn device(number: u16) -> DeviceId {
        let [high, low] = number.to_be_bytes();
        DeviceId::Mac(MacAddr::new([2, 0, 0, 0, high, low]))
    }

    fn window(number: u16, hour: i64) -> Instance {
        Instance {
            device: device(number),
            window_start: Timestamp::from_seconds(hour * 3600),
            window_s: 3600.0,
            capture: None,
            attributes: Attributes::default(),
            bags: Bags::from([(BagName::PORTS, Bag::from([("443".to_owned(), 1)]))]),
            counts: Counts::default(),
            spread: Spreads::default(),
        }
    }

    #[test]
    fn made_up_devices_take_the_place_of_none_with_more_windows() {
        let compared = |made_up: u16| {
            let mut comparison = Comparison { most_devices: 64, ..Comparison::new(ChangeOptions::default()) };
            for hour in 0..20 {
                let side = if hour < 10 { Side::Before } else { Side::After };
                (0..4).for_each(|number| comparison.add(side, Cow::Owned(window(number, hour))));
                for number in (100..100 + made_up).filter(|number| i64::from(*number) % 20 == hour) {
                    comparison.add(side, Cow::Owned(window(number, hour)));
                }
                assert!(comparison.devices.len() <= 64);
            }
            let Differences { devices, losses, .. } = comparison.finish();
            let windows: usize = devices.iter().map(|device| device.windows.iter().sum::<usize>()).sum();
            assert_eq!(windows as u64 + losses.windows_dropped, 80 + u64::from(made_up), "{losses:?}");
            let home = devices.into_iter().filter(|found| found.device < device(100));
            home.map(|device| (device.device, device.windows)).collect::<Vec<_>>()
        };
        assert_eq!(compared(0).len(), 4);
        assert_eq!(compared(2000), compared(0));
    }
}
