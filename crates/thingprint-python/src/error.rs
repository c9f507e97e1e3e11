//! Failures as exceptions of the package.

use pyo3::prelude::{Py, PyErr, Python};
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use thingprint_command::call::{Failure, FailureKind};

/// The Python module that declares exceptions.
const MODULE: &str = "thingprint._errors";

/// A failure as the exception of its kind.
pub(crate) fn exception(py: Python<'_>, failure: &Failure) -> PyErr {
    let class = match failure.kind {
        FailureKind::Usage => &USAGE,
        FailureKind::Misfit => &MISFIT,
        FailureKind::Stopped | FailureKind::Other => &INPUT,
    };
    class.with(py, failure.message.clone())
}

/// What cannot be taken as input, as an exception.
pub(crate) fn input_error(py: Python<'_>, message: String) -> PyErr {
    INPUT.with(py, message)
}

static USAGE: Class = Class { name: "UsageError", class: PyOnceLock::new() };
static MISFIT: Class = Class { name: "ModelMismatch", class: PyOnceLock::new() };
static INPUT: Class = Class { name: "InputError", class: PyOnceLock::new() };

/// A class of exceptions, looked up once.
struct Class {
    name: &'static str,
    class: PyOnceLock<Py<PyType>>,
}

impl Class {
    fn with(&self, py: Python<'_>, message: String) -> PyErr {
        match self.class.import(py, MODULE, self.name) {
            Ok(class) => PyErr::from_type(class.clone(), (message,)),
            Err(error) => error,
        }
    }
}
