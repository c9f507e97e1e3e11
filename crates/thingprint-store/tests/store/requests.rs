//! What is written is found again, and what a person asks for is kept.

use thingprint_flow::Timestamp;
use thingprint_store::{FindingKey, Problem, StateValue, Written};
use thingprint_watch::{
    Account, Event, EventFilter, EventKind, FindingRecord, Records, Request, Sighting, Update, WindowRecord,
};

use crate::accounts::{
    Place, account, change, device, event, finding, hour, listed, sighting, standing, window, windows,
};

#[test]
fn a_device_is_found_with_all_that_is_known_of_it() {
    let place = Place::new();
    let mut store = place.store();
    let provisional =
        WindowRecord { instance: None, provisional_after_s: Some(90.5), ..listed(window(7, hour(2))) };
    let updates = vec![
        Update::Device(sighting(7, hour(1))),
        Update::Window(window(7, hour(0))),
        Update::Window(window(7, hour(1))),
        Update::Provisional(provisional.clone()),
        Update::Standing(device(7), standing(hour(1))),
        Update::Changed(change(7, hour(1))),
        Update::Finding(finding(7, "TLS 1.0")),
        Update::Event(event(1, EventKind::NewDevice, 7, "")),
        Update::Device(sighting(3, hour(1))),
    ];
    store.write(&account(updates)).unwrap();
    store.label(device(7), Some("Kitchen camera"), hour(3)).unwrap();

    let reader = place.reader();
    let devices = reader.devices().unwrap();
    assert_eq!(
        devices.iter().map(|record| record.sighting.device).collect::<Vec<_>>(),
        [device(3), device(7)]
    );
    let record = reader.device(device(7)).unwrap().unwrap();
    assert_eq!(record, devices[1]);
    assert_eq!(record.sighting, sighting(7, hour(1)));
    assert_eq!(record.label.as_deref(), Some("Kitchen camera"));
    assert_eq!(record.verdict, Some(standing(hour(1))));
    assert_eq!(record.provisional, Some(provisional));
    assert_eq!((record.windows, record.open_events, record.is_new, record.is_muted), (2, 1, true, false));
    assert_eq!((record.findings.error, record.findings.warning, record.findings.note), (1, 0, 0));
    assert_eq!(reader.device(device(8)).unwrap(), None);

    let of_device = |hours| listed(window(7, hour(hours)));
    assert_eq!(reader.windows(device(7), hour(0), 9).unwrap(), [of_device(1), of_device(0)]);
    assert_eq!(reader.windows(device(7), hour(1), 9).unwrap(), [of_device(1)]);
    assert_eq!(reader.windows(device(7), hour(0), 1).unwrap(), [of_device(1)]);
    assert_eq!(reader.instances(device(7), 9).unwrap(), [window(7, hour(1)), window(7, hour(0))]);
    assert_eq!(reader.changes(device(7)).unwrap(), [change(7, hour(1))]);
    assert_eq!(reader.findings(None).unwrap(), [finding(7, "TLS 1.0")]);
    assert_eq!(reader.findings(Some(device(3))).unwrap(), []);
    assert_eq!(reader.labels().unwrap()[0].label, "Kitchen camera");
    assert_eq!(reader.labels().unwrap()[0].at, hour(3));
}

#[test]
fn a_window_that_comes_again_stays_as_it_was() {
    let place = Place::new();
    let mut store = place.store();
    assert_eq!(store.write(&windows(3, 0)).unwrap(), Written { windows: 3, known_windows: 0, refused: 0 });
    let other = WindowRecord { packets_up: 99, ..window(1, hour(0)) };
    let piece = WindowRecord { part: 1, is_cut: true, ..window(1, hour(0)) };
    let written = store.write(&account(vec![Update::Window(other), Update::Window(piece)])).unwrap();
    assert_eq!(written, Written { windows: 1, known_windows: 1, refused: 0 });
    let found = place.reader().windows(device(1), hour(0), 9).unwrap();
    assert_eq!(
        found.iter().map(|window| (window.part, window.packets_up)).collect::<Vec<_>>(),
        [(1, 20), (0, 20)]
    );
    assert_eq!(place.reader().device(device(1)).unwrap().unwrap().windows, 2);
    assert_eq!(store.resume().unwrap().next_part(device(1), hour(0)), 2);
    assert_eq!(store.resume().unwrap().next_part(device(1), hour(1)), 0);
}

#[test]
fn a_window_that_is_final_ends_what_was_said_so_far() {
    let place = Place::new();
    let mut store = place.store();
    store.write(&account(vec![Update::Provisional(window(1, hour(4)))])).unwrap();
    store.write(&account(vec![Update::Window(window(1, hour(3)))])).unwrap();
    assert!(place.reader().device(device(1)).unwrap().unwrap().provisional.is_some());
    store.write(&account(vec![Update::Window(window(1, hour(4)))])).unwrap();
    assert_eq!(place.reader().device(device(1)).unwrap().unwrap().provisional, None);
}

#[test]
fn nothing_is_said_so_far_of_a_gateway() {
    let place = Place::new();
    let mut store = place.store();
    let so_far = |number| Update::Provisional(window(number, hour(4)));
    store.write(&account(vec![so_far(1), so_far(2)])).unwrap();
    let gateway = Sighting { gateway: Some("forwards".to_owned()), ..sighting(1, hour(4)) };
    store.write(&account(vec![Update::Device(gateway), Update::Device(sighting(2, hour(4)))])).unwrap();
    let is_there = |number| place.reader().device(device(number)).unwrap().unwrap().provisional.is_some();
    assert_eq!((is_there(1), is_there(2)), (false, true));
}

#[test]
fn findings_add_up() {
    let place = Place::new();
    let mut store = place.store();
    let first = finding(1, "TLS 1.0");
    let mut again = first.clone();
    (again.flows, again.first_seen, again.last_seen) = (5, hour(2), hour(9));
    let updates = [first.clone(), again, finding(1, "TLS 1.1")].map(Update::Finding).to_vec();
    store.write(&account(updates)).unwrap();
    let found = place.reader().findings(Some(device(1))).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].flows, found[0].first_seen, found[0].last_seen), (7, hour(1), hour(9)));
}

#[test]
fn addresses_and_names_have_a_history() {
    let place = Place::new();
    let mut store = place.store();
    let moved = Sighting {
        addresses: vec!["192.168.1.99".parse().unwrap()],
        host_name: Some("renamed".to_owned()),
        ..sighting(1, hour(30))
    };
    let silent = Sighting { host_name: None, ..moved.clone() };
    let updates = [sighting(1, hour(1)), sighting(1, hour(2)), moved, silent].map(Update::Device);
    store.write(&account(updates.to_vec())).unwrap();
    let reader = place.reader();
    let of = |held: Vec<thingprint_store::Held>| -> Vec<(String, Timestamp, Timestamp)> {
        held.into_iter().map(|held| (held.value, held.first_seen, held.last_seen)).collect()
    };
    let expected =
        [("192.168.1.99".to_owned(), hour(30), hour(30)), ("192.168.1.2".to_owned(), hour(1), hour(2))];
    assert_eq!(of(reader.addresses(Some(device(1))).unwrap()), expected);
    let expected =
        [("renamed".to_owned(), hour(30), hour(30)), ("thing-number-1".to_owned(), hour(1), hour(2))];
    assert_eq!(of(reader.host_names(None).unwrap()), expected);
    assert_eq!(reader.device(device(1)).unwrap().unwrap().sighting.host_name.as_deref(), Some("renamed"));
}

#[test]
fn events_are_filtered() {
    let place = Place::new();
    let mut store = place.store();
    let later = Event { at: hour(5), ..event(3, EventKind::NewPort, 2, "tcp/23") };
    let network = Event { device: None, ..event(4, EventKind::CaptureLoss, 0, "eth0") };
    let events =
        [event(1, EventKind::NewDevice, 1, ""), event(2, EventKind::NewPort, 1, "tcp/23"), later, network];
    store.write(&account(events.map(Update::Event).to_vec())).unwrap();
    store.acknowledge(2, hour(6)).unwrap();
    let reader = place.reader();
    let check = |filter: EventFilter, expected: &[u64]| {
        let found: Vec<u64> = reader.events(&filter).unwrap().iter().map(|event| event.id).collect();
        assert_eq!(found, expected, "{filter:?}");
    };
    let all = EventFilter::default;
    check(all(), &[4, 3, 2, 1]);
    check(EventFilter { device: Some(device(1)), ..all() }, &[2, 1]);
    check(EventFilter { kind: Some(EventKind::NewPort), ..all() }, &[3, 2]);
    check(EventFilter { since: Some(hour(5)), ..all() }, &[3]);
    check(EventFilter { is_open: true, ..all() }, &[4, 3, 1]);
    check(EventFilter { before: Some(3), most: 1, ..all() }, &[2]);
    assert_eq!(reader.events(&all()).unwrap()[0].device, None);
}

#[test]
fn what_a_person_acknowledged_stays_acknowledged() {
    let place = Place::new();
    let mut store = place.store();
    let events = vec![
        Update::Finding(finding(1, "TLS 1.0")),
        Update::Finding(finding(2, "TLS 1.0")),
        Update::Event(event(1, EventKind::Finding, 1, "TLS 1.0")),
        Update::Event(event(2, EventKind::NewDevice, 1, "")),
    ];
    store.write(&account(events.clone())).unwrap();
    for id in [1, 2] {
        store.request(&Request::Acknowledge { event: id }, hour(8)).unwrap();
    }
    // The watch does not know of it yet, and counts on.
    store.write(&account(events)).unwrap();
    store.request(&Request::Acknowledge { event: 1 }, hour(9)).unwrap();
    let reader = place.reader();
    let record = reader.device(device(1)).unwrap().unwrap();
    assert_eq!((record.findings.error, record.open_events, record.is_new), (0, 0, false));
    assert_eq!(reader.events(&EventFilter::default()).unwrap()[1].acknowledged_at, Some(hour(8)));
    assert_eq!(reader.findings(Some(device(1))).unwrap()[0].acknowledged_at, Some(hour(8)));
    assert_eq!(reader.findings(Some(device(2))).unwrap()[0].acknowledged_at, None);
}

#[test]
fn requests_about_nothing_are_refused() {
    let place = Place::new();
    let mut store = place.store();
    let problem = |error: thingprint_store::StoreError| error.problem;
    assert!(matches!(problem(store.acknowledge(9, hour(1)).unwrap_err()), Problem::NoEvent(9)));
    assert!(matches!(problem(store.mute(device(1), true).unwrap_err()), Problem::NoDevice(_)));
    assert!(matches!(problem(store.label(device(1), Some("x"), hour(1)).unwrap_err()), Problem::NoDevice(_)));
    store.write(&account(vec![Update::Device(sighting(1, hour(1)))])).unwrap();
    let long = "ä".repeat(201);
    let error = store.label(device(1), Some(&long), hour(1)).unwrap_err();
    assert!(matches!(error.problem, Problem::LongLabel { found: 201, most: 200 }), "{error}");
    store.label(device(1), Some(&long[2..]), hour(1)).unwrap();
    assert!(matches!(
        problem(store.label(device(1), Some(" Unknown"), hour(1)).unwrap_err()),
        Problem::ReservedLabel
    ));
    store.label(device(1), None, hour(1)).unwrap();
    assert_eq!(place.reader().labels().unwrap(), []);
    store.mute(device(1), true).unwrap();
    assert!(place.reader().device(device(1)).unwrap().unwrap().is_muted);
}

#[test]
fn a_reading_goes_on_where_the_last_one_ended() {
    let place = Place::new();
    let mut store = place.store();
    for hours in 0..30 {
        store.write(&windows(2, hours)).unwrap();
    }
    let gateway = Sighting { gateway: Some("forwards".to_owned()), ..sighting(9, hour(1)) };
    let updates = vec![
        Update::Device(gateway),
        Update::Finding(finding(1, "TLS 1.0")),
        Update::Event(event(41, EventKind::NewPort, 1, "tcp/23")),
        Update::Event(event(42, EventKind::NewPort, 1, "tcp/25")),
    ];
    let state = |name: &str, value: Option<&[u8]>| StateValue {
        name: name.to_owned(),
        device: None,
        value: value.map(<[u8]>::to_vec),
    };
    let early = Account { updates, final_until: Some(hour(3)) };
    store.write_with(&early, &[state("folder", Some(b"a.pcap")), state("gone", Some(b"1"))]).unwrap();
    store.write_with(&account(Vec::new()), &[state("gone", None)]).unwrap();
    store.acknowledge(41, hour(30)).unwrap();
    store.mute(device(0), true).unwrap();
    drop(store);

    let store = place.store();
    let resume = store.resume().unwrap();
    assert_eq!(resume.final_until, Some(hour(3)), "it says less than before: its clock stepped back");
    assert_eq!(resume.next_event, 43);
    assert_eq!(resume.open_events.iter().map(|event| event.id).collect::<Vec<_>>(), [42]);
    assert_eq!((resume.gateways(), resume.muted()), ([device(9)].into(), [device(0)].into()));
    let windows = &resume.windows[&device(1)];
    assert_eq!(windows.len(), 24);
    let expected = WindowRecord { instance: None, ..window(1, hour(29)) };
    assert_eq!(windows[0], expected);
    let key = FindingKey {
        device: device(1),
        rule: "tls-version".to_owned(),
        by: "device".to_owned(),
        seen: "TLS 1.0".to_owned(),
    };
    assert_eq!(resume.findings, [key].into());
    assert_eq!(store.state("folder", None).unwrap().as_deref(), Some(&b"a.pcap"[..]));
    assert_eq!(store.state("gone", None).unwrap(), None);
    assert_eq!(store.state("folder", Some(device(1))).unwrap(), None);
}

#[test]
fn many_events_are_acknowledged_or_none() {
    let place = Place::new();
    let mut store = place.store();
    let events = (1..=50).map(|id| Update::Event(event(id, EventKind::NewPort, 1, "x"))).collect();
    store.write(&account(events)).unwrap();
    let open =
        || place.reader().events(&EventFilter { is_open: true, ..EventFilter::default() }).unwrap().len();
    let error = store.acknowledge_many(&[1, 2, 99], hour(2)).unwrap_err();
    assert!(matches!(error.problem, Problem::NoEvent(99)));
    assert_eq!(open(), 50);
    store.request(&Request::AcknowledgeAll { events: (1..=48).collect() }, hour(2)).unwrap();
    assert_eq!(open(), 2);
    store.acknowledge_many(&[], hour(2)).unwrap();
}

#[test]
fn a_finding_is_acknowledged_with_its_events() {
    let place = Place::new();
    let mut store = place.store();
    let other = FindingRecord { rule: "telnet".to_owned(), ..finding(1, "x") };
    let mut about_other = event(3, EventKind::Finding, 1, "telnet");
    about_other.evidence.clear();
    let updates = vec![
        Update::Finding(finding(1, "TLS 1.0")),
        Update::Finding(finding(1, "TLS 1.1")),
        Update::Finding(finding(2, "TLS 1.0")),
        Update::Finding(other),
        Update::Event(event(1, EventKind::Finding, 1, "TLS 1.0")),
        Update::Event(event(2, EventKind::NewPort, 1, "x")),
        Update::Event(about_other),
        Update::Event(event(4, EventKind::Finding, 2, "TLS 1.0")),
    ];
    store.write(&account(updates)).unwrap();
    assert_eq!(store.acknowledge_finding(device(1), "tls-version", hour(2)).unwrap(), 2);
    assert_eq!(store.acknowledge_finding(device(1), "tls-version", hour(3)).unwrap(), 0);
    let open: Vec<u64> = place
        .reader()
        .events(&EventFilter { is_open: true, ..EventFilter::default() })
        .unwrap()
        .iter()
        .map(|event| event.id)
        .collect();
    assert_eq!(open, [4, 3, 2]);
    let findings = place.reader().findings(None).unwrap();
    let closed: Vec<_> = findings.iter().filter(|finding| finding.acknowledged_at.is_some()).collect();
    assert_eq!(closed.len(), 2);
    assert!(closed.iter().all(|finding| finding.acknowledged_at == Some(hour(2))));
    let request = Request::AcknowledgeFinding { device: device(3), rule: "telnet".to_owned() };
    let error = store.request(&request, hour(4)).unwrap_err();
    assert!(matches!(error.problem, Problem::NoFinding { .. }), "{error}");
}
