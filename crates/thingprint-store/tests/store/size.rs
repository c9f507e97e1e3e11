//! How much room a store takes, and how long it takes to ask it: run by hand.

use std::time::Instant;

use thingprint_flow::Timestamp;
use thingprint_instance::{ExtractionRecipe, Instance, InstanceOptions};
use thingprint_watch::{Account, EventFilter, EventKind, Records, Update, WindowAnswer, WindowRecord};

use crate::accounts::{Place, device, event, finding, hour, sighting, standing, window};
use crate::instances::simulated;

fn record(number: u16, start: Timestamp, instance: &Instance) -> WindowRecord {
    let distribution = (0..28).map(|class| 1.0 / f64::from(class + 2 + i32::from(number % 7))).collect();
    let instance = Instance { device: device(number), window_start: start, ..instance.clone() };
    let answer = window(number, start).answer.map(|answer| WindowAnswer { distribution, ..answer });
    WindowRecord { instance: Some(Box::new(instance)), answer, ..window(number, start) }
}

fn timed<T>(what: &str, of: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let value = of();
    println!("{what}: {:.1} ms", 1e3 * begin.elapsed().as_secs_f64());
    value
}

#[test]
#[ignore = "takes a minute and prints measurements"]
fn ninety_days_of_fifty_devices_and_ten_thousand_devices() {
    let options = InstanceOptions::default();
    let instances = simulated(&options);
    let place = Place::new();
    let mut store = place.store();
    store.set_recipe(&ExtractionRecipe::of(&options)).unwrap();
    timed("2160 hours of 50 windows", || {
        for hours in 0..90 * 24 {
            let updates = (0..50).map(|number| {
                let instance = &instances[(usize::from(number) + hours) % instances.len()];
                Update::Window(record(number, hour(hours as i64), instance))
            });
            let account = Account { updates: updates.collect(), final_until: Some(hour(hours as i64 + 1)) };
            store.write(&account).unwrap();
        }
    });
    timed("10,000 devices in one account", || {
        let updates = (0..10_000).flat_map(|number| {
            [
                Update::Device(sighting(number, hour(9))),
                Update::Standing(device(number), standing(hour(1))),
                Update::Provisional(window(number, hour(90 * 24))),
                Update::Finding(finding(number, "TLS 1.0")),
                Update::Event(event(u64::from(number) + 1, EventKind::NewDevice, number, "")),
            ]
        });
        store.write(&Account { updates: updates.collect(), final_until: None }).unwrap();
    });
    let reader = place.reader();
    println!("{:?}", reader.info().unwrap());
    let devices = timed("devices()", || reader.devices().unwrap());
    assert_eq!(devices.len(), 10_000);
    timed("device()", || reader.device(device(7)).unwrap());
    let week = timed("windows() of 7 days", || reader.windows(device(7), hour(83 * 24), 1000).unwrap());
    assert_eq!(week.len(), 7 * 24);
    timed("windows() of 90 days", || reader.windows(device(7), hour(0), 10_000).unwrap());
    timed("instances() of 24 hours", || reader.instances(device(7), 24).unwrap());
    timed("events() of a page", || {
        reader.events(&EventFilter { most: 50, ..EventFilter::default() }).unwrap()
    });
    timed("findings() of all", || reader.findings(None).unwrap());
    timed("resume()", || store.resume().unwrap());
    drop(reader);
    drop(store);
    let mut store = timed("open() with the check", || place.store());
    timed("prune() of half", || store.prune(hour(45 * 24)).unwrap());
    timed("forget()", || store.forget(device(7)).unwrap());
    println!("{:?}", place.reader().info().unwrap());
}
