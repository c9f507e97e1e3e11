//! Devices that change, and devices that do not, window by window.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(clippy::float_cmp, reason = "counts are whole numbers, and 1.25 times them is exact")]

use DeviceState::{Compared, New, Silent, TooFew};
use proptest::prelude::*;
use thingprint_change::{
    Alarm, Baseline, Change, ChangeOptions, Detector, DeviceState, Measure, TooFewWindows,
};
use thingprint_flow::{DeviceId, MacAddr, Timestamp};
use thingprint_instance::{Attributes, Bag, BagName, Bags, Counts, Instance, Spreads};

/// Monday, 3 June 2024, 00:00 UTC.
const START_S: i64 = 1_717_372_800;
const PORTS: BagName = BagName::PORTS;
const SIZES: BagName = BagName::SIZES;
const SERVED: BagName = BagName::SERVED_PORTS;

fn device(last: u8) -> DeviceId {
    DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, last]))
}

fn hour(at: i64) -> Timestamp {
    Timestamp::from_seconds(START_S + at * 3600)
}

/// An hour of a device with these words.
fn window(last: u8, at: i64, words: &[(BagName, &str, u64)]) -> Instance {
    let mut bags: Bags = [PORTS, SIZES, SERVED].map(|bag| (bag, Bag::new())).into();
    for (name, word, count) in words {
        let mut bag = bags.get(*name).cloned().unwrap_or_default();
        bag.insert((*word).to_owned(), *count);
        bags.insert(*name, bag);
    }
    Instance {
        device: device(last),
        window_start: hour(at),
        window_s: 3600.0,
        capture: None,
        attributes: Attributes::default(),
        bags,
        counts: Counts { packets_up: 60, packets_down: 40, ..Counts::default() },
        spread: Spreads::default(),
    }
}

/// What devices do in an ordinary hour.
const USUAL: &[(BagName, &str, u64)] = &[(PORTS, "443", 2), (SIZES, "u6:443:40", 30)];

fn learned(devices: u8, hours: i64) -> Detector {
    let mut detector = Detector::new(ChangeOptions::default());
    for at in 0..hours {
        for last in 1..=devices {
            detector.learn(&window(last, at, USUAL));
        }
    }
    detector
}

/// The changes of these windows, with those of the last hour and day.
fn changes(detector: &mut Detector, windows: &[Instance]) -> Vec<Change> {
    let mut changes: Vec<Change> = windows.iter().flat_map(|window| detector.push(window)).collect();
    changes.extend(detector.close());
    changes
}

fn alarms(changes: &[Change]) -> Vec<&Alarm> {
    let mut alarms = Vec::new();
    for change in changes {
        if let Change::Alarm(alarm) = change {
            alarms.push(alarm);
        }
    }
    alarms
}

fn limit(windows: &[Instance], measure: Measure) -> f64 {
    Baseline::of(windows, &ChangeOptions::default()).unwrap().limit(measure).unwrap()
}

#[test]
fn a_limit_is_what_one_block_of_time_has_and_the_others_have_not() {
    // Six windows are three blocks of two. 'a' is in the first and the last block, 'b' twice in one block, 'c' once.
    let words: [&[(BagName, &str, u64)]; 6] = [
        &[(SIZES, "a", 900)],
        &[],
        &[(SIZES, "b", 20)],
        &[(SIZES, "b", 4), (SIZES, "c", 20)],
        &[],
        &[(SIZES, "a", 5)],
    ];
    let windows: Vec<Instance> = (0..).zip(words).map(|(at, words)| window(1, at, words)).collect();
    // 1.25 x (4 + 20); ports have no word, so that their floor is the limit.
    assert_eq!(limit(&windows, Measure::NewWords(SIZES)), 30.0);
    assert_eq!(limit(&windows, Measure::NewWords(PORTS)), 2.0);
    // 1.25 x two words, below the floor; bytes have a floor, too.
    assert_eq!(limit(&windows, Measure::NewSizes), 10.0);
    assert_eq!(limit(&windows, Measure::BytesUp), 50_000.0);
    // 1.25 x (60 + 40).
    assert_eq!(limit(&windows, Measure::Packets), 125.0);
    let stack = Measure::NewWords(BagName::STACK);
    let baseline = Baseline::of(&windows, &ChangeOptions::default()).unwrap();
    assert_eq!(baseline.limit(stack), None, "no window has the bag");
}

#[test]
fn a_past_of_two_windows_is_none() {
    let windows = [window(1, 0, USUAL), window(1, 1, USUAL)];
    let error = Baseline::of(&windows, &ChangeOptions::default()).unwrap_err();
    assert_eq!(error, TooFewWindows { windows: 2, least: 3 });
    assert_eq!(error.to_string(), "2 windows are too few for a baseline, which takes 3");
}

#[test]
fn an_alarm_says_what_is_new_and_since_when() {
    let mut detector = learned(1, 24);
    let scan = |at, count| window(1, at, &[(PORTS, "443", 2), (PORTS, "23", count), (PORTS, "2323", 1)]);
    // Two flows are within the floor, but they are when the words were first seen.
    let changes = changes(&mut detector, &[scan(24, 1), window(1, 25, USUAL), scan(26, 60)]);
    let [alarm] = alarms(&changes)[..] else { panic!("{changes:?}") };
    assert_eq!((alarm.device, alarm.window_start), (device(1), hour(26)));
    let [excess] = &alarm.excesses[..] else { panic!("{alarm:?}") };
    assert_eq!((excess.measure, excess.value, excess.limit), (Measure::NewWords(PORTS), 61.0, 2.0));
    assert_eq!(excess.new_words, 2);
    let words: Vec<_> = excess.words.iter().map(|new| (&*new.word, new.count, new.first_seen)).collect();
    assert_eq!(words, [("23", 60, hour(24)), ("2323", 1, hour(24))]);
}

#[test]
fn a_flood_of_known_words_shows_by_its_packets() {
    let mut detector = learned(1, 24);
    let mut flood = window(1, 24, USUAL);
    flood.counts.packets_down = 66;
    let changes = changes(&mut detector, &[flood]);
    let excess = &alarms(&changes)[0].excesses[0];
    assert_eq!((excess.measure, excess.value, excess.limit), (Measure::Packets, 126.0, 125.0));
    assert_eq!((excess.words.len(), excess.new_words), (0, 0));
}

#[test]
fn many_new_sizes_and_many_bytes_alarm_where_their_packets_are_few() {
    let mut detector = Detector::new(ChangeOptions::default());
    for at in 0..24 {
        // One of the blocks of time has 400 packets of a size that the others do not have.
        let odd: &[(BagName, &str, u64)] = &[(SIZES, "u6:443:90", 400)];
        detector.learn(&window(1, at, if at == 12 { odd } else { USUAL }));
    }
    let ports: Vec<String> = (0..11).map(|port| format!("d6:{port}:44")).collect();
    let scan: Vec<(BagName, &str, u64)> = ports.iter().map(|word| (SIZES, word.as_str(), 1)).collect();
    let mut upload = window(1, 25, USUAL);
    upload.counts.bytes_up = 60_000;
    let changes = changes(&mut detector, &[window(1, 24, &scan), upload]);
    let measures: Vec<Measure> = alarms(&changes)
        .into_iter()
        .flat_map(|alarm| alarm.excesses.iter().map(|excess| excess.measure))
        .collect();
    assert_eq!(measures, [Measure::NewSizes, Measure::BytesUp]);
}

#[test]
fn alarms_of_a_third_of_the_devices_are_one_event() {
    let probed = |last| window(last, 24, &[(SIZES, "d6:80:44", 60)]);
    let of = |alarming: u8| {
        let mut detector = learned(9, 24);
        let windows: Vec<Instance> = (1..=9)
            .map(|last| if last <= alarming { probed(last) } else { window(last, 24, USUAL) })
            .collect();
        changes(&mut detector, &windows)
    };
    assert_eq!(alarms(&of(2)).len(), 2);
    let changes = of(3);
    let [Change::Network(event)] = &changes[..] else { panic!("{changes:?}") };
    let devices: Vec<DeviceId> = event.alarms.iter().map(|alarm| alarm.device).collect();
    assert_eq!((event.window_start, event.devices_seen), (hour(24), 9));
    assert_eq!(devices, [1, 2, 3].map(device));
}

#[test]
fn words_of_half_a_day_are_reported_once_and_belong_to_the_past() {
    let mut detector = learned(1, 24);
    let updated: &[(BagName, &str, u64)] = &[(PORTS, "443", 2), (PORTS, "8883", 1)];
    let day = |from: i64, updated_hours: i64| {
        (0..24).map(move |at| window(1, from + at, if at < updated_hours { updated } else { USUAL }))
    };
    let windows: Vec<Instance> = day(24, 11).chain(day(48, 12)).chain(day(72, 24)).collect();
    let changes = changes(&mut detector, &windows);
    let [Change::Day(change)] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!((change.device, change.day), (device(1), hour(48)));
    let [word] = &change.words[..] else { panic!("{change:?}") };
    assert_eq!((word.bag, &*word.word, word.windows, word.of_windows), (PORTS, "8883", 12, 24));
    assert_eq!(word.first_seen, hour(24));
}

#[test]
fn words_of_few_windows_or_of_alarms_do_not_become_known() {
    let probed = |hours: std::ops::Range<i64>, flows: u64| {
        let mut detector = learned(1, 24);
        let day = (24..48).map(|at| {
            let scan: &[(BagName, &str, u64)] = &[(SERVED, "tcp/23", flows)];
            window(1, at, if hours.contains(&at) { scan } else { USUAL })
        });
        let windows: Vec<Instance> = day.chain([window(1, 48, &[(SERVED, "tcp/23", 60)])]).collect();
        let changes = changes(&mut detector, &windows);
        let last = alarms(&changes).last().is_some_and(|alarm| alarm.window_start == hour(48));
        let is_day = |change: &Change| matches!(change, Change::Day(_));
        (changes.iter().any(is_day), last)
    };
    // Quiet flows in three windows of a day, in which the bag has no other word; then in half of them.
    assert_eq!(probed(30..33, 1), (false, true));
    assert_eq!(probed(30..42, 1), (true, false));
    // A day of alarms does not make the word a known one.
    assert_eq!(probed(24..48, 60), (false, true));
}

#[test]
fn words_are_followed_after_a_scan_of_all_ports() {
    let mut detector = learned(1, 24);
    let ports: Vec<String> = (10_000..15_000).map(|port| port.to_string()).collect();
    let scan: Vec<(BagName, &str, u64)> = ports.iter().map(|port| (PORTS, port.as_str(), 1)).collect();
    let updated: &[(BagName, &str, u64)] = &[(PORTS, "443", 2), (PORTS, "8883", 1)];
    let scanned = std::iter::once(window(1, 24, &scan));
    let windows: Vec<Instance> = scanned.chain((48..72).map(|at| window(1, at, updated))).collect();
    let changes = changes(&mut detector, &windows);
    assert!(changes.iter().any(|change| matches!(change, Change::Day(_))), "{}", changes.len());
    // Those beyond the 4,096 that are followed, and those that were given up.
    assert_eq!(detector.losses().words_unfollowed, 5_000);
}

#[test]
fn words_for_which_a_baseline_has_no_room_count_on_both_sides() {
    // The first hour takes all but a few bytes of the room of a megabyte; each of the others has ten words.
    let long = "x".repeat((1 << 20) - 5);
    let busy = |at: i64| {
        let names: Vec<String> = (0..10).map(|name| format!("{at}-{name}-long")).collect();
        let words: Vec<(BagName, &str, u64)> = names.iter().map(|name| (PORTS, name.as_str(), 1)).collect();
        window(1, at, &words)
    };
    let first = window(1, 0, &[(PORTS, &long, 1)]);
    let windows: Vec<Instance> = std::iter::once(first).chain((1..9).map(busy)).collect();
    let baseline = Baseline::of(&windows, &ChangeOptions::default()).unwrap();
    assert!(baseline.words_dropped() > 0);
    assert_eq!(baseline.limit(Measure::NewWords(PORTS)), Some(12.5));
    assert!(baseline.judge(&busy(5)).iter().all(|excess| excess.measure != Measure::NewWords(PORTS)));
}

#[test]
fn devices_are_new_known_too_little_compared_or_silent() {
    let mut detector = learned(3, 24);
    detector.learn(&window(4, 0, USUAL));
    let windows = [1, 2, 4, 5].map(|last| window(last, 24, USUAL));
    let _ = changes(&mut detector, &windows);
    let _ = changes(&mut detector, &[window(2, 27, USUAL), window(2, 28, USUAL)]);
    let states: Vec<DeviceState> = detector.devices(Some(hour(28))).map(|status| status.state).collect();
    // The first falls silent for four hours, the third does not appear.
    assert_eq!(states, [Silent, Compared, Silent, TooFew, New]);
}

#[test]
fn a_new_device_gets_a_baseline_where_that_is_asked_for() {
    let options = ChangeOptions { adopt_after: Some(24), ..ChangeOptions::default() };
    let mut detector = Detector::new(options);
    let scan = |at| window(1, at, &[(PORTS, "23", 60)]);
    let windows: Vec<Instance> = (0..24).map(|at| window(1, at, USUAL)).chain([scan(24)]).collect();
    assert_eq!(alarms(&changes(&mut detector, &windows)).len(), 1);
    assert!(changes(&mut Detector::new(ChangeOptions::default()), &windows).is_empty());
}

#[test]
fn a_late_window_is_compared_by_itself() {
    let mut detector = learned(1, 24);
    assert!(detector.push(&window(1, 30, USUAL)).is_empty());
    let late = detector.push(&window(1, 29, &[(PORTS, "23", 60)]));
    assert_eq!(alarms(&late).len(), 1);
}

/// Some hours of three devices.
fn story() -> impl Strategy<Value = Vec<Instance>> {
    let word = ("[a-d]", 0_u64..200).prop_map(|(word, count)| (word, count + 1));
    let hour = (1_u8..4, proptest::collection::vec(word, 0..4));
    proptest::collection::vec(hour, 0..60).prop_map(|hours| {
        (0..)
            .zip(hours)
            .map(|(at, (last, words))| {
                let words: Vec<_> =
                    words.iter().map(|(word, count)| (SIZES, word.as_str(), *count)).collect();
                window(last, at / 3, &words)
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn a_detector_goes_on_where_it_was_written_down(past in story(), now in story(), at in 0_usize..60) {
        let mut detector = Detector::new(ChangeOptions::default());
        for window in &past {
            detector.learn(window);
        }
        let mut whole = detector.clone();
        let (before, after) = now.split_at(at.min(now.len()));
        let mut found: Vec<Change> = before.iter().flat_map(|window| detector.push(window)).collect();
        let bytes = postcard::to_stdvec(&detector).unwrap();
        let mut detector: Detector = postcard::from_bytes(&bytes).unwrap();
        found.extend(changes(&mut detector, after));
        prop_assert_eq!(found, changes(&mut whole, &now));
        prop_assert_eq!(detector, whole);
    }

    #[test]
    fn windows_of_the_past_do_not_alarm(past in story(), seed in any::<u64>()) {
        let mut shuffled = past.clone();
        shuffled.sort_by_key(|window| window.window_start.as_nanos().cast_unsigned().wrapping_mul(seed | 1));
        let mut detector = Detector::new(ChangeOptions::default());
        for window in &shuffled {
            detector.learn(window);
        }
        prop_assert_eq!(changes(&mut detector, &past), []);
    }
}
