//! Counts the frames of live sources, and says each second how the sources go.
//!
//!     cargo run --release -p thingprint-live --example count_frames -- interface:eth0
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

use std::time::{Duration, Instant};

use thingprint_live::{Intake, IntakeOptions, LiveError, Next, SourceSpec};

/// How often the counts are printed.
const SECOND: Duration = Duration::from_secs(1);

fn main() -> Result<(), LiveError> {
    let specs =
        std::env::args().skip(1).map(|text| SourceSpec::parse(&text)).collect::<Result<Vec<_>, _>>()?;
    let mut intake = Intake::start(specs, IntakeOptions::default())?;
    let (mut frames, mut batches, mut bytes) = (0_u64, 0_u64, 0_u64);
    let (mut shown, mut before) = (Instant::now(), 0);
    loop {
        match intake.next(SECOND) {
            Next::Frames(batch) => {
                batches += 1;
                frames += batch.len() as u64;
                bytes += batch.frames().map(|frame| u64::from(frame.wire_bytes)).sum::<u64>();
            }
            Next::Idle => {}
            Next::Ended => break,
        }
        if shown.elapsed() >= SECOND {
            println!("{frames} frames (+{}), {bytes} bytes, {batches} batches", frames - before);
            report(&intake);
            (shown, before) = (Instant::now(), frames);
        }
    }
    report(&intake);
    println!("{frames} frames, {bytes} bytes, {batches} batches");
    Ok(())
}

fn report(intake: &Intake) {
    for notice in intake.board().take_notices() {
        eprintln!("{}", notice.text);
    }
    for health in intake.health() {
        let dropped = health.dropped.map_or_else(|| "unknown".to_owned(), |dropped| dropped.to_string());
        let message = health.message.unwrap_or_default();
        println!(
            "  {}: {:?}, {} packets, dropped {dropped} {message}",
            health.name, health.state, health.packets
        );
    }
}
