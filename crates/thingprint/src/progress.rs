use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use thingprint_table::escape;

use crate::terminal;

/// Shows on standard error how far long work is; hidden when that is no terminal, or with `-q`.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Progress through `total` bytes; without a total, what was done so far.
    pub(crate) fn bytes(what: &'static str, total: Option<u64>, is_quiet: bool) -> Self {
        let template = match total {
            Some(_) => "{msg} {wide_bar} {bytes}/{total_bytes} {eta}",
            None => "{msg} {spinner} {bytes} {elapsed}",
        };
        Self::new(what, total, is_quiet, template)
    }

    /// A line that says which of many steps is being done.
    pub(crate) fn steps(is_quiet: bool) -> Self {
        Self::new("", None, is_quiet, "{spinner} {wide_msg} {elapsed}")
    }

    fn new(what: &'static str, total: Option<u64>, is_quiet: bool, template: &str) -> Self {
        let target = if is_quiet { ProgressDrawTarget::hidden() } else { terminal::progress() };
        let bar = ProgressBar::with_draw_target(total, target).with_message(what);
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        Self(bar)
    }

    /// So much is done.
    pub(crate) fn set(&self, done: u64) {
        self.0.set_position(done);
    }

    /// This is being done.
    pub(crate) fn step(&self, what: &str) {
        self.0.set_message(escape::terminal(what));
        self.0.tick();
    }

    /// Takes the bar away while something else writes to the terminal.
    pub(crate) fn beside(&self, write: impl FnOnce()) {
        self.0.suspend(write);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl thingprint_pipeline::Progress for Progress {
    fn read(&self, bytes: u64) {
        self.set(bytes);
    }
}
