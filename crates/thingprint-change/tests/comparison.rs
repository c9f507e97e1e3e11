//! Two times of a device: what lasted, what passed, and what is usual for it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::borrow::Cow;

use proptest::prelude::*;
use thingprint_change::{
    Aspect, ChangeOptions, Comparison, DeviceDifferences, Difference, Differences, Presence, Side, Turn,
};
use thingprint_flow::{DeviceId, MacAddr, Timestamp};
use thingprint_instance::{Attribute, Attributes, Bag, BagName, Bags, Counts, Instance, Spreads};

/// Monday, 3 June 2024, 00:00 UTC.
const START_S: i64 = 1_717_372_800;
const WEEK: i64 = 168;

fn device(last: u8) -> DeviceId {
    DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, last]))
}

fn hour(at: i64) -> Timestamp {
    Timestamp::from_seconds(START_S + at * 3600)
}

/// An hour of a device that looks up these names, opens a flow to port 443, and sends so many packets.
fn window(last: u8, at: i64, names: &[&str], packets_up: u64) -> Instance {
    let names = names.iter().map(|name| ((*name).to_owned(), 1));
    let bags = [BagName::PORTS, BagName::SIZES, BagName::DOMAINS].map(|bag| (bag, Bag::new()));
    let mut bags: Bags = bags.into();
    bags.insert(BagName::PORTS, Bag::from([("443".to_owned(), 2)]));
    bags.insert(BagName::DOMAINS, names.collect());
    Instance {
        device: device(last),
        window_start: hour(at),
        window_s: 3600.0,
        capture: None,
        attributes: Attributes::default(),
        bags,
        counts: Counts {
            flows: 2,
            packets_up,
            packets_down: packets_up,
            bytes_up: 80 * packets_up,
            bytes_down: 90 * packets_up,
        },
        spread: Spreads::default(),
    }
}

/// Compares a week of device 1 with the next; `of` gives the window of an hour, from 0.
fn weeks(of: impl Fn(i64) -> Option<Instance>) -> Differences {
    let mut comparison = Comparison::new(ChangeOptions::default());
    for at in 0..2 * WEEK {
        let side = if at < WEEK { Side::Before } else { Side::After };
        if let Some(window) = of(at) {
            comparison.add(side, Cow::Owned(window));
        }
    }
    comparison.finish()
}

fn only(differences: &Differences) -> &DeviceDifferences {
    let [device] = &differences.devices[..] else { panic!("{differences:?}") };
    device
}

/// What is more than usual, as names with `+` or `-` for words.
fn unusual(of: &DeviceDifferences) -> Vec<String> {
    let unusual =
        of.differences.iter().filter(|difference| difference.unusual().is_some_and(|ratio| ratio > 1.0));
    let name = |difference: &Difference| match difference {
        Difference::Words { aspect, turn: Turn::New, words, .. } => format!("+{aspect} {}", words[0].word),
        Difference::Words { aspect, turn: Turn::Gone, words, .. } => format!("-{aspect} {}", words[0].word),
        Difference::Number { aspect, .. } => aspect.to_string(),
        Difference::Passing(passing) => format!("passing {}", passing.most.measure),
        Difference::Explained(passing) => format!("explained {}", passing.most.measure),
    };
    unusual.map(name).collect()
}

/// The same without what other differences explain.
fn on_its_own(of: &DeviceDifferences) -> Vec<String> {
    unusual(of).into_iter().filter(|name| !name.starts_with("explained")).collect()
}

/// Packets that differ from hour to hour and from day to day.
fn packets(at: i64) -> u64 {
    let at = u64::try_from(at).unwrap();
    100 + 7 * (at % 24) + 5 * (at / 24 % 7)
}

#[test]
fn a_device_that_goes_on_as_before_has_no_unusual_difference() {
    let differences = weeks(|at| Some(window(1, at, &["home.example"], packets(at))));
    let device = only(&differences);
    assert_eq!((device.presence, unusual(device)), (Presence::Both, Vec::new()));
    assert!(differences.events.is_empty());
}

#[test]
fn a_name_that_comes_and_one_that_goes_are_unusual_however_late_in_the_week() {
    // The firmware changes on Thursday of the second week.
    let change = WEEK + 80;
    let differences = weeks(|at| {
        let name = if at < change { "old.example" } else { "new.example" };
        Some(window(1, at, &["home.example", name], packets(at)))
    });
    let device = only(&differences);
    assert_eq!(unusual(device), ["+domains new.example"], "the old name is in both weeks");
    let Difference::Words { words, usual, .. } = &device.differences[0] else { panic!("{device:?}") };
    assert_eq!((words[0].windows, words[0].first_seen), (88, hour(change)));
    assert!(*usual < 0.1, "{usual}");
    let gone = weeks(|at| {
        let names: &[&str] = if at < WEEK { &["home.example", "old.example"] } else { &["home.example"] };
        Some(window(1, at, names, packets(at)))
    });
    assert_eq!(unusual(only(&gone)), ["-domains old.example"]);
}

#[test]
fn what_comes_once_a_day_is_new_and_what_came_twice_is_not() {
    let daily = weeks(|at| {
        let names: &[&str] =
            if at >= WEEK && at % 24 == 5 { &["home.example", "daily.example"] } else { &["home.example"] };
        Some(window(1, at, names, packets(at)))
    });
    assert_eq!(unusual(only(&daily)), ["+domains daily.example"]);
    let twice = weeks(|at| {
        let names: &[&str] = if at == WEEK + 3 || at == WEEK + 90 {
            &["home.example", "rare.example"]
        } else {
            &["home.example"]
        };
        Some(window(1, at, names, packets(at)))
    });
    let device = only(&twice);
    assert!(unusual(device).is_empty(), "{device:?}");
    let rare = device.differences.iter().find_map(|difference| match difference {
        Difference::Words { words, .. } => Some(words[0].clone()),
        _ => None,
    });
    assert_eq!(rare.unwrap().pauses, None, "two windows say nothing of a pause");
}

#[test]
fn a_device_whose_names_change_each_week_has_that_as_its_usual() {
    // Names of a content network: another one each three and a half days.
    let differences = weeks(|at| {
        let name = format!("edge{}.example", at / 84);
        Some(window(1, at, &["home.example", &name], packets(at)))
    });
    let device = only(&differences);
    let new = device
        .differences
        .iter()
        .find(|difference| matches!(difference, Difference::Words { turn: Turn::New, .. }));
    let Some(Difference::Words { usual, .. }) = new else { panic!("{device:?}") };
    assert!((1.9..=2.1).contains(usual), "{usual}");
    assert!(unusual(device).is_empty(), "{device:?}");
    let steady = weeks(|at| {
        let name = if at < WEEK { "old.example" } else { "new.example" };
        Some(window(1, at, &["home.example", name], packets(at)))
    });
    assert_eq!(unusual(only(&steady)), ["+domains new.example", "-domains old.example"]);
}

#[test]
fn volume_outside_all_days_is_unusual_and_its_usual_range_is_shown() {
    let differences = weeks(|at| {
        let factor = if at < WEEK { 1 } else { 4 };
        Some(window(1, at, &["home.example"], factor * packets(at)))
    });
    let device = only(&differences);
    let mut names = unusual(device);
    names.sort();
    assert_eq!(names, ["bytes_down", "bytes_up", "explained packets", "packets"]);
    let packets = device.differences.iter().find_map(|difference| match difference {
        Difference::Number { aspect: Aspect::Packets, moved } => Some(moved.clone()),
        _ => None,
    });
    let moved = packets.unwrap();
    assert!(
        (220.0..=260.0).contains(&moved.usual.0) && (500.0..=580.0).contains(&moved.usual.1),
        "{moved:?}"
    );
    assert!(moved.after > 3.9 * moved.before, "{moved:?}");
}

#[test]
fn an_hour_of_new_ports_passes_and_is_reported_once() {
    let differences = weeks(|at| {
        let mut window = window(1, at, &["home.example"], packets(at));
        if at == WEEK + 20 {
            window.bags.insert(BagName::PORTS, Bag::from([("443".to_owned(), 2), ("23".to_owned(), 600)]));
        }
        Some(window)
    });
    let device = only(&differences);
    assert_eq!(unusual(device), ["passing ports"]);
    let Some(Difference::Passing(passing)) = device.differences.first() else { panic!("{device:?}") };
    assert_eq!(
        (passing.windows.as_slice(), passing.most.words[0].word.as_str()),
        (&[hour(WEEK + 20)][..], "23")
    );
}

#[test]
fn a_port_that_stays_is_reported_as_new_and_not_as_passing() {
    let differences = weeks(|at| {
        let mut window = window(1, at, &["home.example"], packets(at));
        if at >= WEEK + 20 {
            window.bags.insert(BagName::PORTS, Bag::from([("443".to_owned(), 2), ("8883".to_owned(), 6)]));
        }
        Some(window)
    });
    let device = only(&differences);
    assert_eq!(on_its_own(device), ["+ports 8883"]);
    let explained = device.differences.iter().find_map(|difference| match difference {
        Difference::Explained(passing) => Some(passing.windows.len()),
        _ => None,
    });
    assert_eq!(explained, Some(148), "all windows with the port: those that alarm teach no word");
}

/// A week with a port that is new from its 20th hour on, and in the 22nd hour with other flows as well.
fn with_lasting_port(odd: &[(&str, u64)]) -> Vec<String> {
    let differences = weeks(|at| {
        let mut ports = Bag::from([("443".to_owned(), 2)]);
        ports.extend((at >= WEEK + 20).then(|| ("8883".to_owned(), 6)));
        ports
            .extend(odd.iter().filter(|_| at == WEEK + 22).map(|(port, count)| ((*port).to_owned(), *count)));
        let mut window = window(1, at, &["home.example"], packets(at));
        window.bags.insert(BagName::PORTS, ports);
        Some(window)
    });
    on_its_own(only(&differences))
}

#[test]
fn what_lasts_hides_nothing_else_in_its_windows() {
    assert_eq!(with_lasting_port(&[]), ["+ports 8883"]);
    let names = |odd| with_lasting_port(odd).into_iter().filter(|name| name.starts_with("passing")).count();
    assert_eq!(names(&[("23", 600)]), 1, "another port");
    assert_eq!(names(&[("8883", 600)]), 1, "the same port, far more often than on other hours");
    // An alarm names five words, of which 8883 is the first.
    let few = [("1", 5), ("2", 5), ("3", 5), ("4", 5), ("5", 5), ("6", 5)];
    assert_eq!(names(&few), 1, "ports that are hardly used");
}

#[test]
fn volume_beyond_what_grew_is_reported_beside_it() {
    let differences = weeks(|at| {
        let factor = if at < WEEK { 1 } else { 4 };
        let odd = if at == WEEK + 50 { 30 } else { 1 };
        Some(window(1, at, &["home.example"], odd * factor * packets(at)))
    });
    let names = on_its_own(only(&differences));
    assert!(names.iter().any(|name| name.starts_with("passing")), "{names:?}");
    let Some(Difference::Passing(passing)) =
        only(&differences).differences.iter().find(|difference| matches!(difference, Difference::Passing(_)))
    else {
        panic!("{differences:?}")
    };
    assert_eq!(passing.windows, [hour(WEEK + 50)], "other hours are those of the growth");
}

#[test]
fn the_first_host_that_a_device_speaks_to_is_new_and_its_last_one_gone() {
    let peers = |earlier: &[&'static str], later: &[&'static str]| {
        let mut comparison = Comparison::new(ChangeOptions::default());
        for (side, first, hosts) in [(Side::Before, 0, earlier), (Side::After, WEEK, later)] {
            let hours = || first..first + WEEK;
            hours().for_each(|at| {
                comparison.add(side, Cow::Owned(window(1, at, &["home.example"], packets(at))));
            });
            let spoken = hours().flat_map(|at| hosts.iter().map(move |host| (device(1), hour(at), *host)));
            comparison.add_peers(side, spoken);
        }
        unusual(only(&comparison.finish()))
    };
    assert_eq!(peers(&[], &["192.168.1.7"]), ["+peers 192.168.1.7"]);
    assert_eq!(peers(&["192.168.1.7"], &[]), ["-peers 192.168.1.7"]);
    assert_eq!(peers(&["192.168.1.7"], &["192.168.1.7"]), Vec::<String>::new());
    // Of instances it is not known whom devices speak to.
    let mut comparison = Comparison::new(ChangeOptions::default());
    for at in 0..2 * WEEK {
        let side = if at < WEEK { Side::Before } else { Side::After };
        comparison.add(side, Cow::Owned(window(1, at, &["home.example"], packets(at))));
    }
    comparison.add_peers(Side::After, (WEEK..2 * WEEK).map(|at| (device(1), hour(at), "192.168.1.7")));
    assert_eq!(unusual(only(&comparison.finish())), Vec::<String>::new());
}

#[test]
fn devices_that_do_something_new_in_one_hour_are_reported_one_by_one() {
    let mut comparison = Comparison::new(ChangeOptions::default());
    for at in 0..2 * WEEK {
        let side = if at < WEEK { Side::Before } else { Side::After };
        for last in 1..=4 {
            let mut window = window(last, at, &["home.example"], packets(at));
            if at == WEEK + 30 && last < 4 {
                window.bags.insert(BagName::PORTS, Bag::from([("23".to_owned(), 600)]));
            }
            comparison.add(side, Cow::Owned(window));
        }
    }
    let differences = comparison.finish();
    assert_eq!(differences.events.len(), 1, "{:?}", differences.events);
    let passing: Vec<_> = differences.devices.iter().map(unusual).collect();
    assert_eq!(passing[..3], [["passing ports"], ["passing ports"], ["passing ports"]]);
    assert!(passing[3].is_empty());
}

/// The unusual differences of a device whose hours are of one length of flows and one size each.
fn of_numbers(hours: impl Fn(i64) -> Option<(f64, u64)>) -> Vec<String> {
    let differences = weeks(|at| {
        let (duration_s, packets) = hours(at)?;
        let mut window = window(1, at, &["home.example"], packets);
        window.attributes.set(Attribute::FLOW_DURATION_S, Some(duration_s));
        Some(window)
    });
    let mut names = on_its_own(only(&differences));
    names.retain(|name| !name.starts_with("passing"));
    names
}

#[test]
fn seconds_below_one_are_seconds() {
    assert_eq!(of_numbers(|at| Some((if at < WEEK { 0.1 } else { 0.4 }, 100))), ["flow_duration_s"]);
    assert!(of_numbers(|at| Some((if at < WEEK { 0.001 } else { 0.004 }, 100))).is_empty());
}

#[test]
fn an_hour_of_a_day_does_not_stand_for_the_day() {
    // Of the first day there is an hour, with forty times the usual packets.
    let grown = |at: i64| match at {
        0 => Some((1.0, 4000)),
        1..24 => None,
        _ => Some((1.0, if at < WEEK { 100 } else { 300 })),
    };
    assert_eq!(of_numbers(grown).len(), 3, "packets and bytes in both directions: {:?}", of_numbers(grown));
    // Of the later time there is an hour: it says nothing of days.
    let short = |at: i64| (at <= WEEK).then_some((1.0, if at < WEEK { 100 } else { 300 }));
    assert!(of_numbers(short).is_empty(), "{:?}", of_numbers(short));
    // A day and an hour of each of two more are not three days.
    let hours = |at: i64| match at {
        0..=24 | 48 => Some((1.0, 100)),
        WEEK.. => Some((1.0, 300)),
        _ => None,
    };
    assert!(of_numbers(hours).is_empty(), "{:?}", of_numbers(hours));
}

#[test]
fn devices_that_come_go_or_fall_silent_are_told_apart() {
    let mut comparison = Comparison::new(ChangeOptions::default());
    for at in 0..2 * WEEK {
        let side = if at < WEEK { Side::Before } else { Side::After };
        let is_there = [true, at >= WEEK, at < WEEK, at < WEEK + 30];
        for (last, _) in (1..).zip(is_there).filter(|(_, is_there)| *is_there) {
            comparison.add(side, Cow::Owned(window(last, at, &["home.example"], packets(at))));
        }
    }
    // Mentioned by others alone.
    comparison.add_peers(Side::After, [(device(9), hour(WEEK), "192.168.1.7")]);
    let differences = comparison.finish();
    let presences: Vec<_> = differences.devices.iter().map(|of| (of.device, of.presence)).collect();
    let expected = [Presence::Both, Presence::New, Presence::Gone, Presence::Silent];
    assert_eq!(presences, (1..).map(device).zip(expected).collect::<Vec<_>>());
}

#[test]
fn without_days_of_the_past_nothing_is_called_unusual() {
    let mut comparison = Comparison::new(ChangeOptions::default());
    comparison.add(Side::Before, Cow::Owned(window(1, 0, &["old.example"], 100)));
    comparison.add(Side::After, Cow::Owned(window(1, 1, &["new.example"], 900)));
    let differences = comparison.finish();
    let device = only(&differences);
    assert!(device.differences.len() >= 4, "what differs is there: {device:?}");
    assert!(device.differences.iter().all(|difference| difference.unusual().is_none()), "{device:?}");
}

proptest! {
    /// The order in which windows come changes nothing.
    #[test]
    fn windows_come_in_any_order(mut order in Just((0..2 * 72_i64).collect::<Vec<_>>()).prop_shuffle()) {
        let compare = |order: &[i64]| {
            let mut comparison = Comparison::new(ChangeOptions::default());
            for at in order {
                let side = if *at < 72 { Side::Before } else { Side::After };
                let name = if *at < 90 { "old.example" } else { "new.example" };
                comparison.add(side, Cow::Owned(window(1, *at, &["home.example", name], packets(*at))));
            }
            comparison.finish()
        };
        let shuffled = compare(&order);
        order.sort_unstable();
        prop_assert_eq!(shuffled, compare(&order));
    }
}
