use std::fmt::Display;
use std::io::{self, Write};

use thingprint_report::{Format, Style, Table};

/// What is said on standard error beside the result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Messages {
    is_quiet: bool,
    is_verbose: bool,
}

impl Messages {
    /// Messages as loud as asked for.
    pub(crate) const fn new(is_quiet: bool, is_verbose: bool) -> Self {
        Self { is_quiet, is_verbose }
    }

    /// Whether only errors are said.
    pub(crate) const fn is_quiet(self) -> bool {
        self.is_quiet
    }

    /// Whether more is said than is needed.
    pub(crate) const fn is_verbose(self) -> bool {
        self.is_verbose
    }

    /// Something that makes the result less than was asked for.
    pub(crate) fn warn(self, text: impl Display) {
        if !self.is_quiet {
            say(format_args!("warning: {text}"));
        }
    }

    /// Something that a user wants to know once.
    pub(crate) fn note(self, text: impl Display) {
        if !self.is_quiet {
            say(text);
        }
    }

    /// A table for people, beside a result that goes elsewhere.
    pub(crate) fn table(self, table: &Table) {
        if !self.is_quiet {
            let style = Style { width: None, colour: false };
            let _ = thingprint_report::write(table, Format::Table, &mut io::stderr().lock(), style);
        }
    }

    /// Something for those who ask.
    pub(crate) fn detail(self, text: impl Display) {
        if self.is_verbose {
            say(text);
        }
    }
}

/// A number with the word for one, or the word for any other number.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// An error, which is always said.
pub(crate) fn error(text: impl Display) {
    say(format_args!("error: {text}"));
}

/// Says a line. That nobody can hear it is no reason to lose the result.
fn say(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
