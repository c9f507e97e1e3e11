//! Several captures that are read to their ends, as one trace: in the order of their packets, and not of their arrival.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use thingprint_flow::{ByteStream, Capture, CaptureError, Trace, TraceOptions};

use crate::collector::Collector;
use crate::error::{LiveError, LiveErrorKind};
use crate::outlet::{Outlet, Stopped};
use crate::source::note_end;

/// Packets between two looks at the counts and at whether the intake was stopped.
const PACKETS_BETWEEN_LOOKS: u64 = 4096;

/// Whether the bytes of a file can be had more than once, so that others can be read between them.
pub(crate) fn can_be_joined(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}

/// Reads captures, each of which has an outlet of its own, to their ends.
pub(crate) fn read_joined(files: &[(PathBuf, Outlet)]) {
    let outlets: Vec<&Outlet> = files.iter().map(|(_, outlet)| outlet).collect();
    let collectors: Vec<Collector> = outlets.iter().map(|outlet| Collector::new(outlet)).collect();
    let captures = files.iter().map(|(path, outlet)| {
        let path = path.clone();
        Capture::new(outlet.name(), move || Ok(Box::new(File::open(&path)?) as ByteStream))
    });
    let mut trace = Trace::new(captures.collect(), TraceOptions::default());
    for outlet in &outlets {
        outlet.delivers();
    }
    let read = frames(&mut trace, &outlets, &collectors);
    show_times(&trace, &outlets);
    for outlet in outlets {
        let problem = trace.problems().iter().find(|problem| problem.capture == outlet.name());
        note_end(
            outlet,
            if read.is_ok() { problem.map(|problem| unreadable(outlet, problem)) } else { None },
        );
    }
}

/// Lets the frames leave in their order: those of one capture before those of another that come behind them.
fn frames(trace: &mut Trace, outlets: &[&Outlet], collectors: &[Collector]) -> Result<(), Stopped> {
    let mut current: Option<usize> = None;
    let mut count = 0_u64;
    while let Some(next) = trace.next_placed() {
        let Some(collector) = collectors.get(next.capture) else { continue };
        if let Some(before) = current.replace(next.capture).filter(|before| *before != next.capture)
            && let Some(before) = collectors.get(before)
        {
            before.flush()?;
        }
        collector.push(&next.frame)?;
        count += 1;
        if count.is_multiple_of(PACKETS_BETWEEN_LOOKS) && outlets.iter().any(|outlet| outlet.stop().is_set())
        {
            return Err(Stopped);
        }
    }
    collectors.iter().try_for_each(Collector::flush)
}

/// Shows what was noted of times: those in the future by the first capture, since a trace counts them for all.
fn show_times(trace: &Trace, outlets: &[&Outlet]) {
    if let Some(first) = outlets.first() {
        first.update(|health| health.wrongly_timed += trace.wrongly_timed());
    }
    for (name, steps) in trace.steps_back() {
        if let Some(outlet) = outlets.iter().find(|outlet| outlet.name() == name) {
            outlet.update(|health| health.steps_back += steps);
        }
    }
}

fn unreadable(outlet: &Outlet, problem: &CaptureError) -> LiveError {
    let CaptureError { reason, offset, packets, .. } = problem;
    let reason = format!("{reason} (byte {offset}, after {packets} packets)");
    LiveError::new(LiveErrorKind::Unreadable, outlet.name(), reason)
}
