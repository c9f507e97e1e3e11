//! What a flood of addresses leaves.

use thingprint_store::MOST_DEVICES;

use crate::accounts::{Place, device, hour, windows};

/// A flood of addresses leaves twice as many devices as a reading goes on from.
#[test]
fn a_reading_goes_on_from_the_devices_that_were_seen_last() {
    let place = Place::new();
    let mut store = place.store();
    store.write(&windows(3, 200)).unwrap();
    let flood = "WITH RECURSIVE n (x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n WHERE x < 131071)
         INSERT INTO devices (device, first_seen, last_seen)
         SELECT printf('02:00:00:%02x:%02x:%02x', x >> 16, (x >> 8) & 255, x & 255), x, x FROM n";
    rusqlite::Connection::open(&place.path).unwrap().execute_batch(flood).unwrap();
    let begin = std::time::Instant::now();
    let resume = store.resume().unwrap();
    println!("resume() with 131,072 devices of a flood: {:?}", begin.elapsed());
    assert_eq!((resume.devices.len(), resume.devices_left_out), (MOST_DEVICES, 65_536 + 3));
    let of_flood = resume.devices.iter().filter(|record| record.sighting.last_seen < hour(0));
    assert!(of_flood.clone().all(|record| record.sighting.last_seen.as_nanos() >= 65_536 + 3));
    assert_eq!(of_flood.count(), MOST_DEVICES - 3);
    assert_eq!(resume.windows.len(), 3);
    assert_eq!(resume.windows[&device(1)].len(), 1);
    assert_eq!(store.prune(hour(0)).unwrap().devices, 131_072);
    assert_eq!(store.resume().unwrap().devices.len(), 3);
}
