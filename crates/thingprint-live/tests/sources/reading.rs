//! What comes of an intake.

use std::time::{Duration, Instant};

use thingprint_live::{Intake, IntakeOptions, Next, SourceHealth, SourceSpec, SourceState};

use crate::captures::BEGIN_S;

/// Nothing that these tests wait for takes so long.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

/// Starts an intake of one source that polls often.
pub(crate) fn start(spec: &str) -> Intake {
    start_with(spec, IntakeOptions::default())
}

pub(crate) fn start_with(spec: &str, options: IntakeOptions) -> Intake {
    let spec = SourceSpec::parse(spec).unwrap();
    Intake::start(vec![spec], IntakeOptions { poll: POLL, ..options }).unwrap()
}

/// The seconds of the next frames behind the begin of the captures, until there are so many.
pub(crate) fn take(intake: &mut Intake, frames: usize) -> Vec<i64> {
    let (begun, mut seconds) = (Instant::now(), Vec::new());
    while seconds.len() < frames {
        match intake.next(POLL) {
            Next::Frames(batch) => {
                seconds.extend(batch.frames().map(|frame| frame.time.as_nanos() / 1_000_000_000 - BEGIN_S));
            }
            Next::Idle => assert!(begun.elapsed() < PATIENCE, "{seconds:?}, {:?}", intake.health()),
            Next::Ended => panic!("ended after {seconds:?}, {:?}", intake.health()),
        }
    }
    seconds
}

/// Waits until the health of the only source is so; frames must not come meanwhile.
pub(crate) fn wait_for(intake: &mut Intake, is_so: impl Fn(&SourceHealth) -> bool) -> SourceHealth {
    let begun = Instant::now();
    loop {
        let health = intake.health().remove(0);
        if is_so(&health) {
            return health;
        }
        assert!(begun.elapsed() < PATIENCE, "{health:?}");
        assert!(!matches!(intake.next(POLL), Next::Frames(_)), "frames came: {health:?}");
    }
}

/// Waits until the only source has failed with this in its message.
pub(crate) fn wait_for_failure(intake: &mut Intake, message: &str) -> SourceHealth {
    wait_for(intake, |health| health.state == SourceState::Failed && says(health, message))
}

pub(crate) fn says(health: &SourceHealth, message: &str) -> bool {
    health.message.as_ref().is_some_and(|said| said.contains(message))
}

/// Nothing comes for a while.
pub(crate) fn expect_nothing(intake: &mut Intake) {
    if let Next::Frames(batch) = intake.next(Duration::from_millis(300)) {
        panic!("{} frames came", batch.len());
    }
}

/// Stops an intake, which takes less than a second and leaves nothing behind.
pub(crate) fn stop(intake: Intake) {
    let begun = Instant::now();
    assert_eq!(intake.stop(), [""; 0]);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}
