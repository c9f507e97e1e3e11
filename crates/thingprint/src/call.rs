//! A command that another program calls: its rows come as tables, its messages as values, and it can be stopped.
//!
//! Whatever a command line can say can be said to [`Call::start`], and means the same. So who calls need not know how
//! captures are chosen, labelled and read.

mod line;
mod stoppable;

use std::ffi::OsString;
use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use thingprint_model::ModelError;
use thingprint_table::Table;

pub(crate) use self::line::Line;
pub use self::line::{Message, Stopped, Work};
pub(crate) use self::stoppable::Stoppable;
use crate::exit::{self, Outcome};

/// Tables that wait for whoever calls; beyond that the command waits.
const MOST_WAITING: usize = 4;

/// A command under way on a thread of its own. It is stopped when this is dropped.
#[derive(Debug)]
pub struct Call {
    line: &'static Line,
    tables: Receiver<Table>,
    thread: Option<JoinHandle<Result<Outcome, Failure>>>,
}

/// What came of waiting for a table.
#[derive(Debug)]
pub enum Next {
    /// The next rows. The first table of a result may have none: it shows the columns.
    Table(Table),
    /// Nothing in this time.
    NotYet,
    /// There are no more.
    End,
}

/// What is to be said of a result beside its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Whether all input was read, and no cap left anything out.
    pub is_whole: bool,
}

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// What the command says of it.
    pub message: String,
}

/// Kinds of failures, as exit statuses tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The options cannot be understood.
    Usage,
    /// A model and data do not fit each other.
    Misfit,
    /// Whoever called stopped it.
    Stopped,
    /// Something else, such as a file that cannot be read.
    Other,
}

impl Call {
    /// Starts a command, given as on a command line, without the name of the program.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Failure> {
        let (send, tables) = sync_channel(MOST_WAITING);
        let line = Line::open(send);
        let arguments: Vec<OsString> = [OsString::from("thingprint")].into_iter().chain(arguments).collect();
        let thread = std::thread::Builder::new().name("thingprint".to_owned()).spawn(move || {
            let hanging_up = line.hang_up_at_the_end();
            let outcome = crate::called(&arguments, line).map_err(|error| Failure::of(&error));
            drop(hanging_up);
            outcome
        });
        match thread {
            Ok(thread) => Ok(Self { line, tables, thread: Some(thread) }),
            Err(error) => {
                line.close();
                Err(Failure::other(format!("failed to start a thread: {error}")))
            }
        }
    }

    /// Waits for the next table.
    pub fn next(&self, wait: Duration) -> Next {
        match self.tables.recv_timeout(wait) {
            Ok(table) => Next::Table(table),
            Err(RecvTimeoutError::Timeout) => Next::NotYet,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }

    /// How far the command is.
    pub fn work(&self) -> Work {
        self.line.work()
    }

    /// What the command said since this was asked last.
    pub fn take_messages(&self) -> Vec<Message> {
        self.line.take_messages()
    }

    /// Waits for the end, and gives what there is to say of the result.
    ///
    /// # Errors
    /// What the command failed with.
    pub fn finish(&mut self) -> Result<Ending, Failure> {
        let Some(thread) = self.thread.take() else { return Err(Failure::other("it is over".to_owned())) };
        let outcome = thread.join().unwrap_or_else(|panic| Err(Failure::of_panic(&*panic)))?;
        Ok(Ending { is_whole: outcome != Outcome::Partial })
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.line.stop();
        self.line.close();
    }
}

impl Failure {
    /// What the command would say and exit with.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        if let Some(said) = error.downcast_ref::<clap::Error>() {
            return Self { kind: FailureKind::Usage, message: first_paragraph(&said.render().to_string()) };
        }
        let kind = match exit::status(error) {
            _ if error.is::<Stopped>() => FailureKind::Stopped,
            Some(exit::USAGE) => FailureKind::Usage,
            Some(exit::MISFIT) => FailureKind::Misfit,
            _ => FailureKind::Other,
        };
        Self { kind, message: format!("{error:#}") }
    }

    fn other(message: String) -> Self {
        Self { kind: FailureKind::Other, message }
    }

    fn of_panic(panic: &(dyn std::any::Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Self::other(format!("the command panicked: {text}"))
    }
}

/// A failure of a model is of the kind that the command would tell by its exit status.
impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Self::of(&anyhow::Error::from(error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// What is wrong, without the usage and the hints that follow on a terminal.
fn first_paragraph(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    text.split("\n\n").next().unwrap_or(text).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn start(arguments: &[&str]) -> Call {
        Call::start(arguments.iter().map(OsString::from)).unwrap()
    }

    fn rows(call: &Call) -> (Vec<String>, usize) {
        let (mut columns, mut rows) = (Vec::new(), 0);
        loop {
            match call.next(Duration::from_millis(10)) {
                Next::Table(table) => {
                    columns = table.columns().iter().map(|column| column.name().to_owned()).collect();
                    rows += table.rows();
                }
                Next::NotYet => {}
                Next::End => return (columns, rows),
            }
        }
    }

    fn home() -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::with_suffix(".pcap").unwrap();
        let path = file.path().to_str().unwrap();
        let mut call = start(&["simulate", "--duration", "6h", "--output", path]);
        assert_eq!(rows(&call), (Vec::new(), 0));
        assert!(call.finish().unwrap().is_whole);
        file
    }

    #[test]
    fn rows_come_as_tables_and_messages_as_values() {
        let home = home();
        let mut call = start(&["extract", home.path().to_str().unwrap()]);
        let (columns, count) = rows(&call);
        assert_eq!(&columns[..2], ["device", "window_start"]);
        assert!(count > 8, "{count}");
        assert_eq!(call.finish(), Ok(Ending { is_whole: true }));
        let length = home.path().metadata().unwrap().len();
        assert_eq!(call.work(), Work { done: length, total: Some(length) });
        let said = call.take_messages();
        let note = Message::Note(format!("{count} instances, 0 of them labelled"));
        assert!(said.contains(&note), "{said:?}");
    }

    #[test]
    fn failures_have_the_kind_of_their_exit_status() {
        let failure = |arguments: &[&str]| {
            let mut call = start(arguments);
            rows(&call);
            call.finish().unwrap_err()
        };
        let unknown = failure(&["extract", "x.pcap", "--window", "soon"]);
        assert_eq!(unknown.kind, FailureKind::Usage);
        assert!(unknown.message.starts_with("invalid value 'soon' for '--window <LENGTH>'"), "{unknown}");
        assert!(!unknown.message.contains("--help"), "{unknown}");
        let missing = failure(&["extract", "no/such.pcap"]);
        assert_eq!(missing.kind, FailureKind::Other);
        assert_eq!(missing.message, "failed to read no/such.pcap: no such file or folder");
        let mut model = tempfile::NamedTempFile::new().unwrap();
        model.write_all(b"no model").unwrap();
        let misfit = failure(&["classify", "--model", model.path().to_str().unwrap(), "no/such.pcap"]);
        assert_eq!(misfit.kind, FailureKind::Misfit);
    }

    #[test]
    fn who_hangs_up_stops_the_command() {
        let home = home();
        let mut call = start(&["flows", home.path().to_str().unwrap(), "--no-gateway", "--jobs", "1"]);
        call.line.stop();
        rows(&call);
        assert_eq!(call.finish().unwrap_err().kind, FailureKind::Stopped);
    }

    #[test]
    fn a_result_that_is_no_table_wants_a_file() {
        let mut call = start(&["audit", "--rules", "--format", "json"]);
        assert_eq!(rows(&call), (Vec::new(), 0));
        let failure = call.finish().unwrap_err();
        assert_eq!(failure.message, "this result is no table: name a file for it with --output");
    }
}
