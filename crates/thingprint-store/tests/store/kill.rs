//! A process that writes is killed at any moment.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_store::{Writer, WriterOptions};
use thingprint_watch::{EventFilter, EventKind, Records, Update};

use crate::accounts::{Place, device, event, hour, instance, sighting, windows};

/// Where the process that is killed writes; it is this test itself.
const STORE: &str = "THINGPRINT_KILL_STORE";

/// How often it is killed: more by hand.
const KILLS: &str = "THINGPRINT_KILLS";

/// Devices with a window in each hour.
const DEVICES: u16 = 40;

/// Writes hours from the first that is not there, and prints the number of each when it was acknowledged.
#[test]
#[ignore = "runs as the process that is killed"]
fn writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(STORE) else { return };
    let store = thingprint_store::Store::open(path.as_ref()).unwrap();
    let resume = store.resume().unwrap();
    let begin = Timestamp::from_seconds(crate::accounts::BEGIN);
    let next = resume.final_until.map_or(0, |until| until.nanos_since(begin) / 3_600_000_000_000);
    let said = move |receipt: thingprint_store::Receipt| {
        assert_eq!(receipt.windows_dropped, 0);
        let mut out = std::io::stdout().lock();
        writeln!(out, "hour {} is kept", next + receipt.number as i64 - 1).unwrap();
        out.flush().unwrap();
    };
    let options = WriterOptions { on_commit: Some(Box::new(said)), ..WriterOptions::default() };
    let writer = Writer::spawn(store, options).unwrap();
    for hours in next.. {
        let mut account = windows(DEVICES, hours);
        account.updates.push(Update::Device(sighting(1, hour(hours))));
        account.updates.push(Update::Event(event(hours as u64 + 1, EventKind::NewPort, 1, "tcp/23")));
        writer.write(account).unwrap();
    }
}

/// Runs the writer, kills it after a time, and gives the last hour that it acknowledged.
fn killed(place: &Place, after: Duration) -> Option<i64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::writes_until_it_is_killed", "--ignored", "--nocapture"])
        .env(STORE, &place.path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let reading = std::thread::spawn(move || {
        let hour = |line: String| line.strip_prefix("hour ")?.strip_suffix(" is kept")?.parse().ok();
        lines.map_while(Result::ok).filter_map(hour).last()
    });
    std::thread::sleep(after);
    // SIGKILL: nothing of the process runs after it.
    child.kill().unwrap();
    child.wait().unwrap();
    reading.join().unwrap()
}

/// The hours that are there, after a look at all of them.
fn hours_of(place: &Place) -> i64 {
    let reader = place.reader();
    assert_eq!(reader.check().unwrap(), [""; 0]);
    let mut found: BTreeMap<Timestamp, Vec<DeviceId>> = BTreeMap::new();
    for number in 0..DEVICES {
        for window in reader.instances(device(number), usize::MAX).unwrap() {
            assert_eq!(window.instance.as_deref(), Some(&instance(number, window.window_start)));
            found.entry(window.window_start).or_default().push(window.device);
        }
    }
    let all: Vec<DeviceId> = (0..DEVICES).map(device).collect();
    for (at, (start, devices)) in found.iter().enumerate() {
        assert_eq!(*start, hour(at as i64), "no hour is missing");
        assert_eq!(*devices, all, "hour {at} is whole, and no window is there twice");
    }
    let hours = found.len() as i64;
    assert_eq!(reader.final_until().unwrap(), (hours > 0).then(|| hour(hours)));
    assert_eq!(reader.events(&EventFilter::default()).unwrap().len() as i64, hours, "an hour has its event");
    hours
}

#[test]
fn a_killed_writer_loses_nothing_that_it_acknowledged() {
    let kills = std::env::var(KILLS).map_or(5, |kills| kills.parse::<u64>().unwrap());
    let place = Place::new();
    let (mut acknowledged, mut unacknowledged) = (None, 0);
    for kill in 0..kills {
        // Spread by the golden ratio over 20 to 420 ms, so that no two kills come at one moment of the work.
        let after = Duration::from_millis(20 + kill * 247 % 400);
        acknowledged = killed(&place, after).or(acknowledged);
        if !place.path.exists() {
            continue;
        }
        let hours = match thingprint_store::Reader::open(&place.path) {
            Ok(_) => hours_of(&place),
            // Killed before the store was made.
            Err(error) => {
                assert!(acknowledged.is_none(), "{error}");
                continue;
            }
        };
        let last = acknowledged.unwrap_or(-1);
        assert!(hours > last, "hour {last} was acknowledged after {after:?}, {hours} are there");
        unacknowledged += u64::from(hours > last + 1);
    }
    let hours = hours_of(&place);
    assert!(hours > 0);
    println!(
        "{kills} kills, {hours} hours of {DEVICES} windows, {unacknowledged} times the last one was not acknowledged"
    );
}
