//! What one reading knew, another one goes on from.

use thingprint_store::Written;
use thingprint_watch::{EventKind, Records, Sighting, Update, WindowRecord, WordCount};

use crate::accounts::{Place, account, change, device, event, finding, hour, sighting, window, windows};

fn words(words: &[(&str, u64)]) -> Vec<WordCount> {
    words.iter().map(|(word, count)| WordCount { word: (*word).to_owned(), count: *count }).collect()
}

#[test]
fn what_was_known_of_a_device_is_known_after_a_restart() {
    let place = Place::new();
    let mut store = place.store();
    let at = |hours, up| Update::Device(Sighting { packets_up: up, ..sighting(1, hour(hours)) });
    store.write(&account(vec![at(1, 100)])).unwrap();
    store.write(&account(vec![at(2, 150)])).unwrap();
    drop(store);
    let mut store = place.store();
    let seen = |up| Sighting {
        addresses: vec!["192.168.1.77".parse().unwrap()],
        host_name: None,
        vendor_class: None,
        identity: None,
        names: words(&[("new.example.com", 9), ("api.example.com", 2)]),
        server_ports: Vec::new(),
        services: words(&[("tls", 5)]),
        first_seen: hour(9),
        packets_up: up,
        packets_down: 1,
        ..sighting(1, hour(10))
    };
    store.write(&account(vec![Update::Device(seen(4)), Update::Device(seen(7))])).unwrap();
    store.write(&account(vec![Update::Device(seen(10))])).unwrap();
    let found = place.reader().device(device(1)).unwrap().unwrap().sighting;
    let expected = Sighting {
        addresses: vec!["192.168.1.2".parse().unwrap(), "192.168.1.77".parse().unwrap()],
        names: words(&[("new.example.com", 9), ("api.example.com", 7)]),
        services: words(&[("tls", 5)]),
        packets_up: 150 + 10,
        packets_down: 200 + 1,
        ..sighting(1, hour(10))
    };
    assert_eq!(found, expected);
    let held = place.reader().addresses(Some(device(1))).unwrap();
    assert_eq!((held[1].value.as_str(), held[1].last_seen), ("192.168.1.2", hour(2)));
}

#[test]
fn what_is_known_of_a_device_has_an_end() {
    let place = Place::new();
    for reading in 0..3_u64 {
        let names: Vec<(String, u64)> =
            (0..32).map(|number| (format!("{reading}-{number}.example.com"), 10 * reading + 1)).collect();
        let names: Vec<(&str, u64)> = names.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        let addresses =
            (0..64).map(|number| format!("192.168.{reading}.{number}").parse().unwrap()).collect();
        let seen = Sighting { names: words(&names), addresses, ..sighting(1, hour(1)) };
        place.store().write(&account(vec![Update::Device(seen)])).unwrap();
    }
    let found = place.reader().device(device(1)).unwrap().unwrap().sighting;
    assert_eq!((found.names.len(), found.addresses.len()), (32, 64));
    assert!(found.names.iter().all(|name| name.count == 21), "{:?}", found.names);
    assert_eq!(found.addresses[0].to_string(), "192.168.2.0");
    assert_eq!(place.reader().addresses(None).unwrap().len(), 3 * 64);
}

#[test]
fn a_number_of_an_event_is_never_used_again() {
    let place = Place::new();
    let mut store = place.store();
    assert_eq!(store.resume().unwrap().next_event, 1);
    let events = vec![
        Update::Device(sighting(1, hour(1))),
        Update::Event(event(8, EventKind::NewDevice, 1, "")),
        Update::Event(event(7, EventKind::NewPort, 2, "x")),
    ];
    store.write(&account(events)).unwrap();
    store.write(&account(vec![Update::Event(event(7, EventKind::NewPort, 2, "x"))])).unwrap();
    store.forget(device(1)).unwrap();
    store.acknowledge(7, hour(3)).unwrap();
    assert_eq!(store.prune(hour(9)).unwrap().events, 1);
    assert_eq!(store.resume().unwrap().next_event, 9);
}

#[test]
fn an_update_that_the_tables_refuse_stops_nothing() {
    let place = Place::new();
    let mut store = place.store();
    let updates = vec![
        Update::Window(WindowRecord { window_s: f64::NAN, ..window(1, hour(1)) }),
        Update::Provisional(WindowRecord { window_s: f64::NAN, ..window(1, hour(2)) }),
        Update::Changed(thingprint_watch::StandingChange { confidence: f64::NAN, ..change(1, hour(1)) }),
        Update::Window(window(1, hour(3))),
        Update::Finding(finding(1, "TLS 1.0")),
    ];
    assert_eq!(store.write(&account(updates)).unwrap(), Written { windows: 1, known_windows: 0, refused: 3 });
    assert_eq!(store.write(&windows(2, 3)).unwrap(), Written { windows: 1, known_windows: 1, refused: 0 });
    assert_eq!(place.reader().findings(None).unwrap().len(), 1);
    assert_eq!(place.reader().changes(device(1)).unwrap(), []);
}
