//! Writing from a thread of its own, also where the disk is full.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use thingprint_store::{Problem, Receipt, StateValue, Writer, WriterOptions, Written};
use thingprint_watch::{Account, Records, Request, Update};

use crate::accounts::{Place, account, device, hour, sighting, windows};

const SOON: Duration = Duration::from_secs(20);

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < end, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn accounts_are_acknowledged_in_their_order_when_they_are_there() {
    let place = Place::new();
    let receipts = Arc::new(Mutex::new(Vec::new()));
    let (keeps, path) = (Arc::clone(&receipts), place.path.clone());
    let on_commit = move |receipt: Receipt| {
        let info = thingprint_store::Reader::open(&path).unwrap().info().unwrap();
        keeps.lock().unwrap().push((receipt, info.windows));
    };
    let options = WriterOptions { on_commit: Some(Box::new(on_commit)), ..WriterOptions::default() };
    let writer = Writer::spawn(place.store(), options).unwrap();
    for hours in 0..10 {
        assert_eq!(writer.write(windows(5, hours)).unwrap(), hours as u64 + 1);
    }
    assert!(writer.flush(SOON).unwrap());
    let stats = writer.stats();
    assert_eq!((stats.accounts, stats.committed, stats.windows, stats.waiting), (10, 10, 50, 0));
    writer.request(&Request::Mute { device: device(1), is_muted: true }, hour(1)).unwrap();
    let error = writer.request(&Request::Acknowledge { event: 9 }, hour(1)).unwrap_err();
    assert!(matches!(error.problem, Problem::NoEvent(9)));
    assert_eq!(writer.close(SOON).unwrap().committed, 10);
    let expected: Vec<(Receipt, u64)> = (1..=10)
        .map(|number| {
            (
                Receipt {
                    number,
                    written: Written { windows: 5, known_windows: 0, refused: 0 },
                    windows_dropped: 0,
                },
                5 * number,
            )
        })
        .collect();
    assert_eq!(*receipts.lock().unwrap(), expected);
}

#[test]
fn a_full_disk_is_shown_and_nothing_is_lost_when_there_is_room_again() {
    let place = Place::new();
    let writer = Writer::spawn(place.store(), WriterOptions::default()).unwrap();
    writer.write(windows(5, 0)).unwrap();
    assert!(writer.flush(SOON).unwrap());
    let bytes = place.reader().info().unwrap().bytes;
    writer.set_most_bytes(Some(bytes)).unwrap();
    for hours in 1..100 {
        writer.write(windows(50, hours)).unwrap();
    }
    until("the problem shows", || writer.problem().is_some());
    assert!(
        writer.problem().unwrap().contains("the disk is full; free some space"),
        "{:?}",
        writer.problem()
    );
    assert!(!writer.flush(Duration::from_millis(50)).unwrap());
    let before = place.reader().info().unwrap().windows;
    assert!(before < 99 * 50, "{before}");
    // What does not need room is carried out, and what needs it fails at once.
    assert!(writer.stats().failures > 0 && writer.stats().waiting > 0);

    writer.set_most_bytes(None).unwrap();
    assert!(writer.flush(SOON).unwrap());
    assert_eq!(writer.problem(), None);
    let stats = writer.close(SOON).unwrap();
    assert_eq!((stats.committed, stats.windows, stats.windows_dropped), (100, 5 + 99 * 50, 0));
    assert_eq!(place.reader().info().unwrap().windows, 5 + 99 * 50);
}

#[test]
fn what_waits_has_a_limit_and_what_is_dropped_is_counted() {
    let place = Place::new();
    let receipts = Arc::new(Mutex::new((0, 0)));
    let keeps = Arc::clone(&receipts);
    let on_commit = move |receipt: Receipt| {
        let mut sums = keeps.lock().unwrap();
        *sums = (sums.0 + receipt.written.windows, sums.1 + receipt.windows_dropped);
    };
    let options = WriterOptions {
        most_windows: 100,
        most_updates: 50,
        on_commit: Some(Box::new(on_commit)),
        ..WriterOptions::default()
    };
    let writer = Writer::spawn(place.store(), options).unwrap();
    writer.write(windows(5, 0)).unwrap();
    assert!(writer.flush(SOON).unwrap());
    writer.set_most_bytes(Some(1)).unwrap();
    for hours in 1..=40 {
        let mut account = windows(50, hours);
        account.updates.push(Update::Device(sighting(1, hour(hours))));
        writer.write(account).unwrap();
    }
    until("all were taken", || writer.stats().windows_dropped + writer.stats().windows >= 40 * 50 - 100);
    let many: Vec<Update> = (0..200).map(|number| Update::Device(sighting(number, hour(41)))).collect();
    writer.write(account(many)).unwrap();
    until("an account was dropped", || writer.stats().updates_dropped >= 40);
    // The last account alone is more than may wait, and went with the others.
    let stats = writer.close(Duration::from_millis(300)).unwrap();
    let info = place.reader().info().unwrap();
    assert_eq!(stats.windows + stats.windows_dropped, 5 + 40 * 50, "{stats:?}");
    assert!(info.windows < 40 * 50 && info.windows == stats.windows, "{info:?}");
    let (windows, dropped) = *receipts.lock().unwrap();
    assert!(windows == info.windows && dropped <= stats.windows_dropped, "{windows} {dropped} {stats:?}");
}

#[test]
fn closing_says_when_something_is_left() {
    let place = Place::new();
    let writer = Writer::spawn(place.store(), WriterOptions::default()).unwrap();
    writer.set_most_bytes(Some(1)).unwrap();
    for hours in 0..20 {
        writer.write(windows(50, hours)).unwrap();
    }
    let error = writer.close(Duration::from_millis(300)).unwrap_err();
    assert!(matches!(error.problem, Problem::Full), "{error}");
}

#[test]
fn a_writer_that_is_dropped_has_written_what_it_was_given() {
    let place = Place::new();
    let writer = Writer::spawn(place.store(), WriterOptions::default()).unwrap();
    for hours in 0..50 {
        writer.write(windows(5, hours)).unwrap();
    }
    drop(writer);
    assert_eq!(place.reader().info().unwrap().windows, 250);
    drop(place.store());
}

#[test]
fn old_rows_go_while_it_writes() {
    let place = Place::new();
    let keep = Some(Duration::from_hours(24));
    let options = WriterOptions { keep, clock: || hour(1000), ..WriterOptions::default() };
    let writer = Writer::spawn(place.store(), options).unwrap();
    for hours in 0..100 {
        writer.write(windows(5, hours)).unwrap();
    }
    assert!(writer.flush(SOON).unwrap());
    until("old windows go", || place.reader().info().unwrap().first_window >= Some(hour(75)));
    let stats = writer.close(SOON).unwrap();
    let info = place.reader().info().unwrap();
    assert_eq!(stats.windows_pruned + info.windows, 500);
    assert!(info.windows >= 24 * 5, "{info:?}");
    assert_eq!(place.reader().windows(device(1), hour(99), 9).unwrap().len(), 1);
}

#[test]
fn nothing_says_that_dropped_windows_are_there_and_the_latest_state_is_kept() {
    let place = Place::new();
    let options = WriterOptions { most_windows: 100, most_updates: 50, ..WriterOptions::default() };
    let writer = Writer::spawn(place.store(), options).unwrap();
    let state = |name: &str, value: String| StateValue {
        name: name.to_owned(),
        device: None,
        value: Some(value.into_bytes()),
    };
    let states =
        |hours: i64| vec![state("folders", format!("{hours:04}")), state("watcher", format!("{hours:096}"))];
    writer.write_with(windows(50, 0), states(0)).unwrap();
    assert!(writer.flush(SOON).unwrap());
    assert_eq!(writer.stats().state_bytes, 0);
    writer.set_most_bytes(Some(1)).unwrap();
    for hours in 1..=40 {
        writer.write_with(windows(50, hours), states(hours)).unwrap();
    }
    writer.write_with(Account::default(), vec![state("model", "m".to_owned())]).unwrap();
    until("windows were dropped", || {
        writer.stats().windows_dropped >= 37 * 50 && writer.stats().state_bytes == 97
    });
    let kept = writer.stats().windows / 50;
    writer.set_most_bytes(None).unwrap();
    assert!(writer.flush(SOON).unwrap());
    let done = writer.close(SOON).unwrap();
    assert_eq!((done.windows + done.windows_dropped, done.state_bytes), (41 * 50, 0));
    let store = place.store();
    // The first window that was dropped came behind those that were there before the disk was full.
    assert_eq!(place.reader().final_until().unwrap(), Some(hour(i64::try_from(kept).unwrap())));
    let text = |name| String::from_utf8(store.state(name, None).unwrap().unwrap()).unwrap();
    assert_eq!(text("folders"), format!("{:04}", kept - 1));
    assert_eq!((text("watcher"), text("model")), (format!("{:096}", 40), "m".to_owned()));
}

#[test]
fn closing_waits_for_another_program_no_longer_than_it_may() {
    let place = Place::new();
    let writer = Writer::spawn(place.store(), WriterOptions::default()).unwrap();
    let other = rusqlite::Connection::open(&place.path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    writer.write(windows(5, 0)).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let begin = Instant::now();
    let error = writer.close(Duration::from_secs(2)).unwrap_err();
    let took = begin.elapsed();
    assert!(matches!(error.problem, Problem::Busy), "{error}");
    assert!(took < Duration::from_millis(3500), "{took:?}");
    drop(other);
}
