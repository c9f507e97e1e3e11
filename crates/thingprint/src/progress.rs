use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use thingprint_table::escape;

use crate::call::Line;
use crate::messages::Messages;
use crate::terminal;

/// Shows on standard error how far long work is; hidden when that is no terminal, or with `-q`.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Who else wants to know.
    line: Option<&'static Line>,
}

impl Progress {
    /// Progress through `total` bytes; without a total, what was done so far.
    pub(crate) fn bytes(what: &'static str, total: Option<u64>, messages: Messages) -> Self {
        if let Some(line) = line_of(messages) {
            line.begin_work(total);
        }
        let template = match total {
            Some(_) => "{msg} {wide_bar} {bytes}/{total_bytes} {eta}",
            None => "{msg} {spinner} {bytes} {elapsed}",
        };
        let is_hidden = messages.is_quiet() || messages.line().is_some();
        Self { line: line_of(messages), ..Self::new(what, total, is_hidden, template) }
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
        Self { bar, line: None }
    }

    /// So much is done.
    pub(crate) fn set(&self, done: u64) {
        self.bar.set_position(done);
        if let Some(line) = self.line {
            line.has_done(done);
        }
    }

    /// This is being done.
    pub(crate) fn step(&self, what: &str) {
        self.bar.set_message(escape::terminal(what));
        self.bar.tick();
    }

    /// Takes the bar away while something else writes to the terminal.
    pub(crate) fn beside(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl thingprint_pipeline::Progress for Progress {
    fn read(&self, bytes: u64) {
        self.set(bytes);
    }
}

/// Who calls the command, and wants to know how far it is.
fn line_of(messages: Messages) -> Option<&'static Line> {
    messages.line().filter(|_| !messages.is_quiet())
}
