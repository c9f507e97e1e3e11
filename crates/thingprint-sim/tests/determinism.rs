//! What a simulation depends on, and what it does not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;
use std::io::Read;

use thingprint_sim::{CaptureReader, Home, Simulation, SimulationOptions, home};

/// A frame that outlives the simulation.
type Kept = (i64, u32, Vec<u8>);

fn options(duration_s: u64, seed: u64) -> SimulationOptions {
    SimulationOptions { duration_s, seed, ..SimulationOptions::default() }
}

fn play(home: &Home, options: SimulationOptions) -> Vec<Kept> {
    let mut simulation = Simulation::new(home, options).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = simulation.next_frame() {
        frames.push((frame.time_ns, frame.original_bytes, frame.bytes.to_vec()));
    }
    frames
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    let home = home().unwrap();
    let first = play(&home, options(7200, 5));
    assert!(first.len() > 2000, "{}", first.len());
    assert!(first == play(&home, options(7200, 5)));
    assert!(first != play(&home, options(7200, 6)));
}

#[test]
fn time_never_goes_back_and_stays_inside_the_span() {
    let options = SimulationOptions { start_s: 1_000_000, ..options(86_400, 2) };
    let frames = play(&home().unwrap(), options);
    assert!(frames.is_sorted_by_key(|(time_ns, ..)| *time_ns));
    let (first, last) = (frames.first().unwrap().0, frames.last().unwrap().0);
    assert!(first >= 1_000_000_000_000_000);
    assert!(last < (1_000_000 + 86_400) * 1_000_000_000);
    assert!(last > (1_000_000 + 86_300) * 1_000_000_000);
}

#[test]
fn a_longer_simulation_begins_like_a_shorter_one() {
    let home = home().unwrap();
    let short = play(&home, options(20_000, 3));
    let long = play(&home, options(40_000, 3));
    assert!(long.len() > short.len());
    assert!(long[..short.len()] == short[..]);
}

#[test]
fn a_device_that_joins_changes_nothing_about_the_others() {
    let whole = home().unwrap();
    let mut fewer = whole.clone();
    let joining = BTreeSet::from(["laptop", "osprel-camera"]);
    fewer.profiles.retain(|profile| !joining.contains(profile.label.as_str()));
    let macs: Vec<[u8; 6]> = whole
        .profiles
        .iter()
        .filter(|profile| joining.contains(profile.label.as_str()))
        .flat_map(|profile| profile.units.iter().map(|unit| unit.mac.0))
        .collect();
    let speaks_with = |frame: &[u8]| macs.iter().any(|mac| frame[..6] == *mac || frame[6..12] == *mac);
    let mut frames = play(&whole, options(86_400, 4));
    let all = frames.len();
    frames.retain(|(.., bytes)| !speaks_with(bytes));
    assert!(frames.len() < all);
    assert!(frames == play(&fewer, options(86_400, 4)));
}

#[test]
fn a_short_capture_has_the_times_lengths_and_beginnings_of_the_whole() {
    let home = home().unwrap();
    let whole = play(&home, options(3600, 8));
    let short = play(&home, SimulationOptions { snaplen: Some(96), ..options(3600, 8) });
    let cut = |(time_ns, original_bytes, bytes): Kept| {
        let kept = bytes.len().min(96);
        (time_ns, original_bytes, bytes[..kept].to_vec())
    };
    assert!(whole.iter().any(|(_, original_bytes, _)| *original_bytes > 96));
    assert!(whole.into_iter().map(cut).collect::<Vec<_>>() == short);
}

#[test]
fn a_capture_holds_every_frame() {
    let home = home().unwrap();
    let options = SimulationOptions { snaplen: Some(200), ..options(7200, 9) };
    let frames = play(&home, options);
    let mut reader = CaptureReader::new(Simulation::new(&home, options).unwrap());
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    assert_eq!(reader.frames(), frames.len() as u64);
    let number = |place: usize| u32::from_le_bytes(bytes[place..place + 4].try_into().unwrap());
    assert_eq!([number(0), number(16), number(20)], [0xa1b2_3c4d, 200, 1]);
    let mut place = 24;
    for (time_ns, original_bytes, frame) in &frames {
        assert_eq!(i64::from(number(place)) * 1_000_000_000 + i64::from(number(place + 4)), *time_ns);
        assert_eq!(number(place + 12), *original_bytes);
        let end = place + 16 + usize::try_from(number(place + 8)).unwrap();
        assert_eq!(&bytes[place + 16..end], &frame[..]);
        place = end;
    }
    assert_eq!(place, bytes.len());
}
