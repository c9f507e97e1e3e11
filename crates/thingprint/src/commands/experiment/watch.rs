use std::fs;
use std::time::Instant;

use thingprint_experiment::{Lap, Watch};

use crate::messages::Messages;

/// A clock, and what Linux tells of the memory that the program holds.
#[derive(Debug)]
pub(super) struct Clock {
    last: Instant,
    messages: Messages,
}

impl Clock {
    pub(super) fn new(messages: Messages) -> Self {
        Self { last: Instant::now(), messages }
    }
}

impl Watch for Clock {
    fn lap(&mut self) -> Lap {
        let now = Instant::now();
        let lap = Lap { seconds: now.duration_since(self.last).as_secs_f64(), peak_bytes: peak_bytes() };
        // Lets the peak begin anew (proc(5)); where that is not possible, it is the peak since the program began.
        let _ = fs::write("/proc/self/clear_refs", "5");
        self.last = now;
        lap
    }

    fn step(&mut self, what: &str) {
        self.messages.detail(what);
    }
}

/// `VmHWM` of proc(5), which is in kB; `None` elsewhere.
fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| 1024 * kilobytes)
}
