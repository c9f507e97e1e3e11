use std::time::{Duration, Instant};

use crate::back_off::BackOff;
use crate::error::{LiveError, LiveErrorKind};
use crate::health::SourceState;
use crate::outlet::Outlet;

/// Reads a source in a thread of its own.
pub(crate) trait Source: Send {
    /// Reads until the source ends (then it is over) or fails (then it is tried again).
    ///
    /// It ends soon after the intake is stopped, however quiet the source is.
    fn run(&mut self, outlet: &Outlet) -> Result<(), LiveError>;

    /// Whether a failure ends it, since what it read cannot be had again.
    fn is_once(&self) -> bool {
        false
    }
}

/// Runs a source until it ends or the intake is stopped; one that fails is tried again, later each time.
pub(crate) fn supervise(mut source: Box<dyn Source>, outlet: &Outlet) {
    let mut back_off = BackOff::new();
    loop {
        let begun = Instant::now();
        let failure = source.run(outlet).err();
        let failure = failure.filter(|failure| failure.kind != LiveErrorKind::Stopped);
        match failure {
            Some(failure) if !source.is_once() && !outlet.stop().is_set() => {
                let wait = back_off.after(begun.elapsed());
                note_failure(outlet, &failure, wait);
                if outlet.stop().sleep(wait) {
                    return note_end(outlet, None);
                }
                outlet.update(|health| health.restarts += 1);
            }
            failure => return note_end(outlet, failure),
        }
    }
}

fn note_failure(outlet: &Outlet, failure: &LiveError, wait: Duration) {
    let message = format!("{failure} (tried again in {} s)", wait.as_secs());
    outlet.notice(format!("failed to read {message}"));
    outlet.update(|health| health.interruptions += 1);
    outlet.set_state(SourceState::Failed, Some(message));
}

pub(crate) fn note_end(outlet: &Outlet, failure: Option<LiveError>) {
    if let Some(failure) = &failure {
        outlet.notice(format!("failed to read {failure}"));
    } else if !outlet.stop().is_set() {
        outlet.notice(format!("{} ended", outlet.name()));
    }
    outlet.set_state(SourceState::Ended, failure.map(|failure| failure.to_string()));
}
