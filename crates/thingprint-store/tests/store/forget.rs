//! A device is forgotten, to the last byte.

use serde_json::json;
use thingprint_instance::{Bag, BagName};
use thingprint_store::{Problem, StateValue};
use thingprint_watch::{
    Event, EventFilter, EventKind, FindingRecord, Records, Sighting, Update, WindowRecord, WordCount,
};

use crate::accounts::{
    Place, account, change, device, event, finding, hour, sighting, standing, window, windows,
};

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

/// What is said of device 7, by itself and by others.
fn updates() -> Vec<Update> {
    let (gone, mac) = (device(7), device(7).to_string());
    let told = Event {
        text: format!("{mac} (Thing-Number-7, 192.168.1.8) talked to 192.168.1.80"),
        evidence: serde_json::Map::from_iter([("peer".to_owned(), json!([mac.to_uppercase()]))]),
        ..event(2, EventKind::NewPort, 3, "192.168.1.8")
    };
    let named =
        FindingRecord { example: "tcp 192.168.1.8:51000 > 198.51.100.1:443".to_owned(), ..finding(3, "x") };
    let mut looked_up = window(3, hour(40));
    let domains = Bag::from([("thing-number-7.lan".to_owned(), 3)]);
    looked_up.instance.as_mut().unwrap().bags.insert(BagName::DOMAINS, domains);
    let shared = Sighting { addresses: vec!["192.168.1.9".parse().unwrap()], ..sighting(7, hour(2)) };
    vec![
        Update::Device(sighting(7, hour(1))),
        Update::Device(shared),
        Update::Device(sighting(8, hour(1))),
        Update::Device(sighting(3, hour(1))),
        Update::Standing(gone, standing(hour(1))),
        Update::Changed(change(7, hour(1))),
        Update::Finding(finding(7, "TLS 1.0")),
        Update::Finding(named),
        Update::Event(event(1, EventKind::NewDevice, 7, "")),
        Update::Event(told),
        Update::Event(Event {
            text: "192.168.1.9 is shared".to_owned(),
            ..event(3, EventKind::NewPort, 8, "")
        }),
        Update::Window(looked_up),
        Update::Provisional(WindowRecord { instance: None, ..window(7, hour(40)) }),
    ]
}

#[test]
fn a_forgotten_device_is_in_no_byte_of_the_file() {
    let place = Place::new();
    let mut store = place.store();
    let (gone, mac) = (device(7), device(7).to_string());
    for hours in 0..30 {
        store.write(&windows(10, hours)).unwrap();
    }
    let updates = updates();
    let state = |name: &str, of, value: &str| StateValue {
        name: name.to_owned(),
        device: of,
        value: Some(value.as_bytes().to_vec()),
    };
    let state = [
        state("change", Some(gone), "values"),
        state("change", Some(device(8)), "values"),
        state("all", None, &format!("[\"{mac}\"]")),
        state("folder", None, "a.pcap"),
    ];
    store.write_with(&account(updates), &state).unwrap();
    store.label(gone, Some("Anna's lamp"), hour(2)).unwrap();
    assert!(contains(&place.bytes(), &mac));

    let forgotten = store.forget(gone).unwrap();
    assert_eq!(forgotten.state, ["all", "change"]);
    assert_eq!(forgotten.mentions, 5, "subject, text, evidence, example, instance");
    assert!(forgotten.rows > 30 && !forgotten.is_log_left);
    let bytes = place.bytes();
    for word in [mac.as_str(), "thing-number-7", "Thing-Number-7", "Anna", "192.168.1.8:"] {
        assert!(!contains(&bytes, word), "{word}");
    }
    let reader = place.reader();
    assert_eq!(reader.device(gone).unwrap(), None);
    assert_eq!(reader.devices().unwrap().len(), 9);
    let events = reader.events(&EventFilter::default()).unwrap();
    assert_eq!(events.iter().map(|event| event.id).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(events[0].text, "192.168.1.9 is shared");
    assert_eq!(events[1].text, "[forgotten] ([forgotten], [forgotten]) talked to 192.168.1.80");
    assert_eq!(events[1].evidence["peer"], json!(["[forgotten]"]));
    let window = reader.instances(device(3), 1).unwrap().remove(0);
    let domains = window.instance.unwrap().bags.take(BagName::DOMAINS).unwrap();
    assert_eq!(domains, Bag::from([("[forgotten].lan".to_owned(), 3)]));
    assert_eq!(store.state("folder", None).unwrap().as_deref(), Some(&b"a.pcap"[..]));
    assert_eq!(reader.check().unwrap(), [""; 0]);
    assert!(matches!(store.forget(gone).unwrap_err().problem, Problem::NoDevice(_)));
}

/// A device with this host name is forgotten, and what others said of a device with another name stays as it was.
fn forgets_name(name: &str) {
    let place = Place::new();
    let mut store = place.store();
    let named = |number, name: &str| Sighting {
        host_name: Some(name.to_owned()),
        names: vec![WordCount { word: format!("{name}.lan"), count: 3 }],
        ..sighting(number, hour(1))
    };
    let mut looked_up = window(3, hour(40));
    let other = looked_up.instance.clone().unwrap().bags;
    let bag = Bag::from([(format!("{name}.lan"), 3), ("word.example.com.device-null-count".to_owned(), 2)]);
    looked_up.instance.as_mut().unwrap().bags.insert(BagName::DOMAINS, bag);
    let evidence = serde_json::Map::from_iter([
        ("count".to_owned(), json!(443)),
        ("device".to_owned(), json!(null)),
        ("word".to_owned(), json!([name, true])),
        ("camera".to_owned(), json!({ "null": 443 })),
    ]);
    let told =
        Event { evidence, text: format!("it asked for {name}.lan"), ..event(2, EventKind::NewPort, 3, "x") };
    let updates = vec![
        Update::Device(named(7, name)),
        Update::Device(Sighting { host_name: None, ..named(3, name) }),
        Update::Event(told),
        Update::Window(looked_up),
        Update::Window(window(7, hour(40))),
    ];
    let state = |name: &str, value: &str| StateValue {
        name: name.to_owned(),
        device: None,
        value: Some(value.as_bytes().to_vec()),
    };
    let kept =
        [state("folders", &json!({ "word": name }).to_string()), state("model", &format!("x {name} x"))];
    store.write_with(&account(updates), &kept).unwrap();
    store.label(device(3), Some(&format!("beside {name}")), hour(2)).unwrap();

    assert_eq!(store.forget(device(7)).unwrap().state, [""; 0], "{name}");
    for of in &kept {
        assert_eq!(store.state(&of.name, None).unwrap(), of.value, "{name}");
    }
    let reader = place.reader();
    let gone = "[forgotten]";
    let found = &reader.events(&EventFilter::default()).unwrap()[0];
    assert_eq!(found.evidence["word"], json!([gone, true]), "{name}");
    assert_eq!(found.evidence["count"], json!(443));
    assert_eq!(found.evidence["device"], json!(null));
    assert_eq!(found.evidence["camera"], json!({ "null": 443 }));
    if name != "443" {
        assert_eq!(found.text, format!("it asked for {gone}.lan"));
    }
    let devices = reader.devices().unwrap();
    assert_eq!(devices[0].label, Some(format!("beside {name}")));
    assert_eq!(devices[0].sighting.names, [WordCount { word: format!("{gone}.lan"), count: 3 }]);
    assert_eq!(devices[0].sighting.server_ports, sighting(3, hour(1)).server_ports);
    let mut bags = reader.instances(device(3), 1).unwrap().remove(0).instance.unwrap().bags;
    assert_eq!(bags.get(BagName::PORTS), other.get(BagName::PORTS));
    let domains = bags.take(BagName::DOMAINS).unwrap();
    assert_eq!(domains.get(&format!("{gone}.lan")), Some(&3), "{name}: {domains:?}");
    assert_eq!(domains.len(), 2);
    assert_eq!(reader.check().unwrap(), [""; 0]);
}

#[test]
fn a_host_name_is_forgotten_as_a_word_and_nothing_else_is() {
    for name in ["null", "device", "count", "443", "word", "camera", "a\"b", "a\\b", "forgotten", "Ünnas-tv"]
    {
        forgets_name(name);
    }
}

#[test]
fn an_instance_that_nobody_can_read_goes_and_stops_nothing() {
    let place = Place::new();
    let mut store = place.store();
    store.write(&windows(3, 0)).unwrap();
    drop(store);
    let connection = rusqlite::Connection::open(&place.path).unwrap();
    let damage = format!("UPDATE windows SET instance = x'28b52ffd' WHERE device = '{}'", device(1));
    connection.execute_batch(&damage).unwrap();
    drop(connection);
    let forgotten = place.store().forget(device(0)).unwrap();
    assert_eq!((forgotten.rows, forgotten.damaged), (2, 1));
    assert_eq!(place.reader().instances(device(1), 9).unwrap()[0].instance, None);
    assert_eq!(place.reader().instances(device(2), 9).unwrap(), [window(2, hour(0))]);
}

#[test]
fn a_forgetting_that_was_not_finished_can_be() {
    let place = Place::new();
    let mut store = place.store();
    store.write(&windows(3, 0)).unwrap();
    let other = rusqlite::Connection::open(&place.path).unwrap();
    other.execute_batch("BEGIN").unwrap();
    let count = || other.query_row("SELECT count(*) FROM windows", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count(), 3);
    let forgotten = store.forget(device(0)).unwrap();
    assert!(forgotten.is_log_left && forgotten.rows == 2, "{forgotten:?}");
    assert_eq!(count(), 3, "the reader sees what was there when it began");
    other.execute_batch("COMMIT").unwrap();
    drop(other);
    assert!(contains(&place.bytes(), &device(0).to_string()));
    let finished = store.forget(device(0)).unwrap();
    assert_eq!(finished, thingprint_store::Forgotten::default());
    assert!(!contains(&place.bytes(), &device(0).to_string()));
    assert!(matches!(store.forget(device(0)).unwrap_err().problem, Problem::NoDevice(_)));
}

#[test]
fn a_device_of_which_only_an_event_speaks_is_forgotten() {
    let place = Place::new();
    let mut store = place.store();
    store.write(&account(vec![Update::Event(event(1, EventKind::WentSilent, 5, ""))])).unwrap();
    assert_eq!(store.forget(device(5)).unwrap().rows, 1);
    assert!(!contains(&place.bytes(), &device(5).to_string()));
}

#[test]
fn findings_that_become_equal_are_one_with_the_flows_of_both() {
    let place = Place::new();
    let mut store = place.store();
    let seen = |text: &str| Update::Finding(finding(3, text));
    let updates = vec![
        Update::Device(sighting(7, hour(1))),
        seen("asks thing-number-7"),
        seen("asks THING-NUMBER-7"),
        seen("asks another"),
    ];
    store.write(&account(updates)).unwrap();
    store.forget(device(7)).unwrap();
    let found = place.reader().findings(Some(device(3))).unwrap();
    let found: Vec<_> = found.iter().map(|finding| (finding.seen.as_str(), finding.flows)).collect();
    assert_eq!(found, [("asks [forgotten]", 4), ("asks another", 2)]);
}
