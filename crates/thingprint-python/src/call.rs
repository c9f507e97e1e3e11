use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use arrow_schema::SchemaRef;
use pyo3::prelude::{PyErr, PyResult, Python, pyclass, pymethods};
use thingprint_command::call::{Call as Command, Message, Next, Work};
use thingprint_table::Table as Rows;

use crate::batch::Table;
use crate::error::{exception, input_error};
use crate::export::{batch, schema};

/// Rows of a batch, where there are so many.
const ROWS_OF_A_BATCH: usize = 8192;
/// How long a call waits before it looks for signals.
const WAIT: Duration = Duration::from_millis(50);

/// A command that runs beside Python, and is stopped when nobody wants it any more.
#[pyclass(frozen, module = "thingprint._thingprint")]
#[derive(Debug)]
pub(crate) struct Call(Mutex<State>);

#[derive(Debug)]
struct State {
    command: Command,
    schema: Option<SchemaRef>,
    waiting: Option<Rows>,
}

/// What came of a while of waiting.
enum Step {
    Batch(Rows),
    NotYet,
    End,
}

#[pymethods]
impl Call {
    /// Starts a command, given as on a command line.
    #[new]
    fn new(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<Self> {
        let command = Command::start(arguments).map_err(|failure| exception(py, &failure))?;
        Ok(Self(Mutex::new(State { command, schema: None, waiting: None })))
    }

    /// Waits a while for rows: whether more may come, and those that came.
    fn poll(&self, py: Python<'_>) -> PyResult<(bool, Option<Table>)> {
        py.check_signals()?;
        let (step, known) = py.detach(|| {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let step = state.step();
            if let Step::Batch(rows) = &step {
                state.schema.get_or_insert_with(|| schema(rows));
            }
            (step, state.schema.clone())
        });
        match (step, known) {
            (Step::Batch(rows), Some(schema)) => {
                let batch = py.detach(|| batch(&schema, &rows)).map_err(|error| no_arrow(py, &error))?;
                Ok((true, Some(Table { schema, batches: vec![batch] })))
            }
            (Step::End, _) => Ok((false, None)),
            _ => Ok((true, None)),
        }
    }

    /// Bytes that are done, and all of them where that is known.
    fn work(&self) -> (u64, Option<u64>) {
        let Work { done, total } = self.0.lock().unwrap_or_else(PoisonError::into_inner).command.work();
        (done, total)
    }

    /// What the command said since this was asked last: whether it is a warning, and the text.
    fn take_messages(&self) -> Vec<(bool, String)> {
        let messages = self.0.lock().unwrap_or_else(PoisonError::into_inner).command.take_messages();
        messages.into_iter().map(of_message).collect()
    }

    /// Waits for the end: whether the result is whole. Raises what the command failed with.
    fn finish(&self, py: Python<'_>) -> PyResult<bool> {
        let ending = py.detach(|| self.0.lock().unwrap_or_else(PoisonError::into_inner).command.finish());
        ending.map(|ending| ending.is_whole).map_err(|failure| exception(py, &failure))
    }
}

impl State {
    fn step(&mut self) -> Step {
        loop {
            match self.command.next(WAIT) {
                Next::Table(rows) => {
                    let rows = match self.waiting.take() {
                        None => rows,
                        Some(mut before) => {
                            before.append(rows);
                            before
                        }
                    };
                    if rows.rows() >= ROWS_OF_A_BATCH {
                        return Step::Batch(rows);
                    }
                    self.waiting = Some(rows);
                }
                Next::NotYet => return Step::NotYet,
                Next::End => return self.waiting.take().map_or(Step::End, Step::Batch),
            }
        }
    }
}

pub(crate) fn of_message(message: Message) -> (bool, String) {
    match message {
        Message::Warning(text) => (true, text),
        Message::Note(text) => (false, text),
    }
}

fn no_arrow(py: Python<'_>, error: &arrow_schema::ArrowError) -> PyErr {
    input_error(py, format!("failed to hand over rows: {error}"))
}
