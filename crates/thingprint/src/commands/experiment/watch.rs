use std::time::Instant;

use thingprint_experiment::{Lap, Watch};

use super::silence::Silence;
use crate::memory;
use crate::messages::Messages;
use crate::progress::Progress;

/// A clock, a look at the memory that the program holds, and a line that says how far the run is.
#[derive(Debug)]
pub(super) struct Clock {
    last: Instant,
    messages: Messages,
    /// What is run, like `table2 on homes`.
    run: String,
    progress: Progress,
    silence: Option<Silence>,
}

impl Clock {
    pub(super) fn new(run: String, messages: Messages) -> Self {
        let progress = Progress::steps(messages.is_quiet());
        Self { last: Instant::now(), messages, run, progress, silence: None }
    }
}

impl Watch for Clock {
    fn lap(&mut self) -> Lap {
        let now = Instant::now();
        let lap =
            Lap { seconds: now.duration_since(self.last).as_secs_f64(), peak_bytes: memory::take_peak() };
        self.last = now;
        lap
    }

    fn step(&mut self, what: &str) {
        self.progress.beside(|| self.messages.detail(what));
        self.progress.step(&format!("{}: {what}", self.run));
    }

    fn chatter(&mut self, begins: bool) {
        self.silence = begins.then(Silence::begin).flatten();
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.progress.finish();
    }
}
