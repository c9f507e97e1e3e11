//! What is old goes, and its space.

use std::time::Duration;

use thingprint_store::Pruned;
use thingprint_watch::{Event, EventFilter, EventKind, Records, Update};

use crate::accounts::{Place, account, change, device, event, hour, windows};

const DAY: Duration = Duration::from_hours(24);

#[test]
fn old_windows_changes_and_closed_events_go_and_devices_stay() {
    let place = Place::new();
    let mut store = place.store();
    assert_eq!(store.kept_from(DAY).unwrap(), None);
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
    let before = store.kept_from(DAY).unwrap().unwrap();
    assert_eq!(before, hour(48));
    let bytes = place.reader().info().unwrap().bytes;
    assert_eq!(store.prune(before).unwrap(), Pruned { windows: 48 * 40, changes: 1, events: 1 });
    assert_eq!(store.prune(before).unwrap(), Pruned::default());

    let reader = place.reader();
    let info = reader.info().unwrap();
    assert_eq!((info.windows, info.devices, info.first_window), (24 * 40, 40, Some(hour(48))));
    assert!(info.bytes < bytes / 2, "{} of {bytes}", info.bytes);
    assert_eq!(info.free_bytes, 0);
    let records = reader.devices().unwrap();
    assert!(records.iter().all(|record| record.windows == 24));
    let left: Vec<u64> =
        reader.events(&EventFilter::default()).unwrap().iter().map(|event| event.id).collect();
    assert_eq!(left, [3, 2]);
    assert_eq!(reader.changes(device(1)).unwrap(), [change(1, hour(48))]);
}
