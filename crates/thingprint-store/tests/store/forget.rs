//! A device is forgotten, to the last byte.

use serde_json::json;
use thingprint_instance::{Bag, BagName};
use thingprint_store::{Problem, StateValue};
use thingprint_watch::{
    Event, EventFilter, EventKind, FindingRecord, Records, Sighting, Update, WindowRecord,
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
