//! Sinks against receivers of this machine: what arrives, what is tried again, and what is left out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that cannot go on should stop, and one that is skipped says why"
)]

mod files;
mod mqtt;
mod queue;
mod receiver;
mod syslog;
mod webhook;

use std::time::{Duration, Instant};

use thingprint_flow::Timestamp;
use thingprint_notify::{Notifier, NotifyOptions, RetrySchedule, SinkSpec};
use thingprint_watch::{Event, EventKind, Severity};

/// What a test waits for at most: far more than a busy machine takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A schedule in which a second of retries is a few milliseconds.
const FAST: RetrySchedule = RetrySchedule {
    first_pause: Duration::from_millis(10),
    longest_pause: Duration::from_millis(40),
    give_up_after: PATIENCE,
    attempt_limit: Duration::from_secs(5),
};

fn event(id: u64) -> Event {
    Event {
        id,
        at: Timestamp::from_seconds(1_700_000_000),
        kind: EventKind::NewDevice,
        severity: Severity::Warning,
        device: Some("a8:40:7c:0b:33:f2".parse().unwrap()),
        subject: "a8:40:7c:0b:33:f2".to_owned(),
        text: "a8:40:7c:0b:33:f2 was seen for the first time".to_owned(),
        evidence: serde_json::Map::new(),
        times: 1,
        acknowledged_at: None,
    }
}

fn events(ids: std::ops::RangeInclusive<u64>) -> Vec<Event> {
    ids.map(event).collect()
}

fn start(spec: &str, options: NotifyOptions) -> Notifier {
    Notifier::start(&[spec.parse::<SinkSpec>().unwrap()], options).unwrap()
}

fn fast() -> NotifyOptions {
    NotifyOptions { schedule: FAST, ..NotifyOptions::default() }
}

/// Waits until it is so.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
