use std::fmt::Display;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use thingprint_audit::Severity;
use thingprint_audit::report::Notice;
use thingprint_table::{Format, Style, Table};

use crate::call::{Line, Message, Stopped};
use crate::terminal;

/// Messages on standard error, apart from the result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Messages {
    is_quiet: bool,
    is_verbose: bool,
    /// Who gets them instead of standard error.
    line: Option<&'static Line>,
}

impl Messages {
    /// Messages as loud as asked for.
    pub(crate) const fn new(is_quiet: bool, is_verbose: bool) -> Self {
        Self { is_quiet, is_verbose, line: None }
    }

    /// The same, for whoever calls the command.
    pub(crate) const fn to(self, line: Option<&'static Line>) -> Self {
        Self { line, ..self }
    }

    /// Messages that nobody gets. Who calls the command can stop it all the same.
    pub(crate) const fn silent(self) -> Self {
        Self { is_quiet: true, is_verbose: false, ..self }
    }

    /// Messages whose warnings and notes are said later, by [`Messages::tell`].
    pub(crate) const fn later(self) -> Self {
        Self { is_quiet: true, ..self }
    }

    /// Says what was kept; `whose` stands before it.
    pub(crate) fn tell(self, whose: &str, notice: &Notice) {
        if notice.level > Severity::Note {
            self.warn(format_args!("{whose}{notice}"));
        } else {
            self.note(format_args!("{whose}{notice}"));
        }
    }

    /// The line to whoever calls the command.
    pub(crate) const fn line(self) -> Option<&'static Line> {
        self.line
    }

    /// Fails when whoever calls the command does not want its result any more.
    pub(crate) fn check_wanted(self) -> Result<(), Stopped> {
        self.line.map_or(Ok(()), Line::check_wanted)
    }

    /// Whether only errors are printed.
    pub(crate) const fn is_quiet(self) -> bool {
        self.is_quiet
    }

    /// Whether details are printed.
    pub(crate) const fn is_verbose(self) -> bool {
        self.is_verbose
    }

    /// A problem that makes the result incomplete.
    pub(crate) fn warn(self, text: impl Display) {
        match self.line {
            _ if self.is_quiet => {}
            Some(line) => line.say(Message::Warning(text.to_string())),
            None => say(format_args!("warning: {text}")),
        }
    }

    /// A line about the run.
    pub(crate) fn note(self, text: impl Display) {
        match self.line {
            _ if self.is_quiet => {}
            Some(line) => line.say(Message::Note(text.to_string())),
            None => say(text),
        }
    }

    /// A table for people, when the result goes elsewhere.
    pub(crate) fn table(self, table: &Table) {
        if !self.is_quiet && self.line.is_none() {
            let style = Style::default();
            let _ = thingprint_table::write(table, Format::Table, &mut terminal::messages(), style);
        }
    }

    /// A detail, printed with `--verbose`.
    pub(crate) fn detail(self, text: impl Display) {
        match self.line {
            _ if !self.is_verbose => {}
            Some(line) => line.say(Message::Note(text.to_string())),
            None => say(text),
        }
    }
}

/// A receiver of messages.
pub(crate) trait Say: Copy {
    /// A problem that makes the result incomplete.
    fn warn(self, text: impl Display);
    /// A problem for which the result lacks something of what was given: the exit status says so, too.
    fn missing(self, text: impl Display) {
        self.warn(text);
    }
    /// The same of what caps left out, for which pages have a place of their own.
    fn lost(self, text: impl Display) {
        self.missing(text);
    }
    /// A line about the run.
    fn note(self, text: impl Display);
    /// A line about the run for which pages have a place of their own.
    fn fact(self, text: impl Display) {
        self.note(text);
    }
    /// A detail, printed with `--verbose`.
    fn detail(self, text: impl Display);
}

impl Say for Messages {
    fn warn(self, text: impl Display) {
        Self::warn(self, text);
    }

    fn note(self, text: impl Display) {
        Self::note(self, text);
    }

    fn detail(self, text: impl Display) {
        Self::detail(self, text);
    }
}

/// Messages that are printed, each once, with warnings and notes kept for a report.
#[derive(Debug)]
pub(crate) struct Kept {
    messages: Messages,
    notices: Mutex<Vec<Notice>>,
}

impl Kept {
    /// Prints messages as these do.
    pub(crate) const fn new(messages: Messages) -> Self {
        Self { messages, notices: Mutex::new(Vec::new()) }
    }

    /// The warnings, sorted: threads print them in any order.
    pub(crate) fn into_warnings(self) -> Vec<String> {
        let warnings = self.into_notices().into_iter().filter(|notice| notice.level > Severity::Note);
        let mut warnings: Vec<String> = warnings.map(|notice| notice.text).collect();
        warnings.sort_unstable();
        warnings
    }

    /// Warnings and notes in the order in which they came.
    pub(crate) fn into_notices(self) -> Vec<Notice> {
        self.notices.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what was not said before; whether it was not.
    fn keep(&self, (level, incomplete, is_fact): (Severity, bool, bool), text: String) -> bool {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = notices.iter().all(|notice| notice.text != text);
        if is_new {
            notices.push(Notice { level, incomplete, text, is_fact });
        }
        is_new
    }
}

impl Say for &Kept {
    fn warn(self, text: impl Display) {
        if self.keep((Severity::Warning, false, false), text.to_string()) {
            self.messages.warn(text);
        }
    }

    fn missing(self, text: impl Display) {
        if self.keep((Severity::Warning, true, false), text.to_string()) {
            self.messages.warn(text);
        }
    }

    fn lost(self, text: impl Display) {
        if self.keep((Severity::Warning, true, true), text.to_string()) {
            self.messages.warn(text);
        }
    }

    fn note(self, text: impl Display) {
        if self.keep((Severity::Note, false, false), text.to_string()) {
            self.messages.note(text);
        }
    }

    fn fact(self, text: impl Display) {
        if self.keep((Severity::Note, false, true), text.to_string()) {
            self.messages.note(text);
        }
    }

    fn detail(self, text: impl Display) {
        self.messages.detail(text);
    }
}

/// A number with the word for one, or the word for any other number.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// An error, which is always printed.
pub(crate) fn error(text: impl Display) {
    say(format_args!("error: {text}"));
}

/// Writes a message. Names in it may come from outside, and hold an end of line: what follows one stands apart from the start
/// of a line, where messages begin. A closed standard error must not lose the result.
fn say(message: impl Display) {
    let message = message.to_string().replace('\n', "\n  ");
    let _ = writeln!(terminal::messages(), "{message}");
}
