//! What is old goes, and its space.

use std::time::Duration;

use thingprint_flow::Timestamp;
use thingprint_store::{Jump, Pruned, Writer, WriterOptions};
use thingprint_watch::{Event, EventFilter, EventKind, Records, Update};

use crate::accounts::{
    BEGIN, Place, account, change, device, event, finding, hour, sighting, standing, window, windows,
};

const DAY: Duration = Duration::from_hours(24);

#[test]
fn old_windows_changes_and_closed_events_go_and_devices_stay() {
    let place = Place::new();
    let mut store = place.store();
    assert_eq!(store.kept_from(DAY, hour(99)).unwrap(), None);
    for hours in 0..72 {
        store.write(&windows(40, hours)).unwrap();
    }
    let at = |id, hours| Update::Event(Event { at: hour(hours), ..event(id, EventKind::NewPort, 1, "x") });
    let updates = vec![
        Update::Changed(change(1, hour(47))),
        Update::Changed(change(1, hour(48))),
        at(1, 1),
        at(2, 2),
        at(3, 60),
    ];
    store.write(&account(updates)).unwrap();
    for id in [1, 3] {
        store.acknowledge(id, hour(70)).unwrap();
    }
    let before = store.kept_from(DAY, hour(99)).unwrap().unwrap();
    assert_eq!(before, hour(48));
    let bytes = place.reader().info().unwrap().bytes;
    assert_eq!(store.prune(before).unwrap(), Pruned { windows: 48 * 40, changes: 1, events: 1, devices: 0 });
    assert_eq!(store.prune(before).unwrap(), Pruned::default());

    let reader = place.reader();
    let info = reader.info().unwrap();
    assert_eq!((info.windows, info.devices, info.first_window), (24 * 40, 40, Some(hour(48))));
    assert!(info.bytes < bytes / 2 || !Place::SHRINKS, "{} of {bytes}", info.bytes);
    assert_eq!(info.free_bytes, 0);
    let records = reader.devices().unwrap();
    assert!(records.iter().all(|record| record.windows == 24));
    let left: Vec<u64> =
        reader.events(&EventFilter::default()).unwrap().iter().map(|event| event.id).collect();
    assert_eq!(left, [3, 2]);
    assert_eq!(reader.changes(device(1)).unwrap(), [change(1, hour(48))]);
}

/// 2038-01-19 03:00:00 UTC, in hours after the begin.
const YEAR_2038: i64 = (2_147_482_800 - BEGIN) / 3600;

/// A clock that is as wrong as that of the packets.
fn clock_of_2038() -> Timestamp {
    hour(YEAR_2038 + 100)
}

#[test]
fn an_account_of_2038_does_not_empty_a_store() {
    let place = Place::new();
    let mut store = place.store();
    for hours in 0..72 {
        store.write(&windows(4, hours)).unwrap();
    }
    store.write(&windows(4, YEAR_2038)).unwrap();
    // The clock of the machine stands against that of the packets.
    assert_eq!(store.kept_from(DAY, hour(73)).unwrap(), Some(hour(49)));
    assert_eq!(store.jump(DAY, hour(73)).unwrap(), None);
    // Where it is wrong as well, the hole in time does.
    let jump = Jump { old: 72 * 4, all: 73 * 4, last: hour(71), next: hour(YEAR_2038) };
    assert_eq!(store.jump(DAY, clock_of_2038()).unwrap(), Some(jump));
    assert!(jump.to_string().starts_with("288 of 292 windows are too old"), "{jump}");
    // The reading noticed the step back.
    store.write(&windows(4, 72)).unwrap();
    assert_eq!(place.reader().final_until().unwrap(), Some(hour(73)));
    assert_eq!(store.kept_from(DAY, clock_of_2038()).unwrap(), Some(hour(49)));
}

#[test]
fn a_writer_keeps_what_a_jump_makes_old_and_says_so_until_half_of_the_time_is_there_again() {
    let place = Place::new();
    let options = WriterOptions { keep: Some(DAY), clock: clock_of_2038, ..WriterOptions::default() };
    let writer = Writer::spawn(place.store(), options).unwrap();
    let wait = Duration::from_secs(20);
    for hours in 0..20 {
        writer.write(windows(4, hours)).unwrap();
    }
    for hours in 0..11 {
        writer.write(windows(4, YEAR_2038 + hours)).unwrap();
        assert!(writer.flush(wait).unwrap());
        let warning = writer.warning().unwrap();
        assert!(warning.contains("80 of ") && warning.contains("--despite-jump"), "{hours}: {warning}");
    }
    assert_eq!(writer.stats().windows_pruned, 0);
    for hours in 11..26 {
        writer.write(windows(4, YEAR_2038 + hours)).unwrap();
    }
    assert!(writer.flush(wait).unwrap());
    assert_eq!(writer.warning(), None);
    let until = std::time::Instant::now() + wait;
    while writer.stats().windows_pruned < 80 {
        assert!(std::time::Instant::now() < until, "{:?}", writer.stats());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn devices_of_which_nothing_is_left_go() {
    let place = Place::new();
    let mut store = place.store();
    let mut updates: Vec<Update> =
        (0..1500).map(|number| Update::Device(sighting(number, hour(1)))).collect();
    updates.push(Update::Device(sighting(9, hour(60))));
    updates.push(Update::Window(window(0, hour(60))));
    updates.push(Update::Finding(finding(1, "TLS 1.0")));
    updates.push(Update::Event(event(1, EventKind::NewPort, 2, "x")));
    updates.push(Update::Event(event(2, EventKind::NewDevice, 5, "")));
    updates.push(Update::Standing(device(5), standing(hour(1))));
    store.write(&account(updates)).unwrap();
    store.label(device(3), Some("lamp"), hour(1)).unwrap();
    store.mute(device(4), true).unwrap();
    store.acknowledge(2, hour(2)).unwrap();
    let pruned = store.prune(hour(48)).unwrap();
    assert_eq!(pruned, Pruned { devices: 1500 - 6, events: 1, ..Pruned::default() });
    let reader = place.reader();
    let left: Vec<_> = reader.devices().unwrap().iter().map(|record| record.sighting.device).collect();
    assert_eq!(left, [0, 1, 2, 3, 4, 9].map(device));
    let held = reader.addresses(None).unwrap();
    assert!(held.iter().all(|held| left.contains(&held.device)), "{held:?}");
    // One that comes back counts from where its reading does.
    store.write(&account(vec![Update::Device(sighting(7, hour(61)))])).unwrap();
    assert_eq!(reader.device(device(7)).unwrap().unwrap().sighting, sighting(7, hour(61)));
}
