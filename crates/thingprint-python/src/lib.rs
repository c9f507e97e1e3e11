//! The Python package `thingprint`: runs commands in the process of Python, and hands their rows over as Arrow tables.
//!
//! What users see is Python code beside this crate (`python/thingprint`); here is what that code cannot do itself.

#![expect(clippy::needless_pass_by_value, reason = "pyo3 hands arguments over by value")]

mod batch;
mod call;
mod error;
mod export;
mod frame;
mod model;
mod row;

use pyo3::prelude::pymodule;

/// What the Python code of the package calls.
#[pymodule]
mod _thingprint {
    use pyo3::prelude::{Bound, PyModule, PyModuleMethods, PyResult, Python, pyfunction};
    use pyo3::pybacked::PyBackedBytes;
    use pyo3::types::PyBytes;
    use thingprint_command::parts::merge;

    use super::error::exception;

    #[pymodule_export]
    use super::batch::Table;
    #[pymodule_export]
    use super::call::Call;
    #[pymodule_export]
    use super::model::{Instances, Model};

    /// One part file of the parts in several, which are of one network.
    #[pyfunction]
    fn merge_parts(py: Python<'_>, parts: Vec<PyBackedBytes>) -> PyResult<Bound<'_, PyBytes>> {
        let merged = py.detach(|| merge(parts.iter().map(|part| &**part)));
        merged.map(|bytes| PyBytes::new(py, &bytes)).map_err(|failure| exception(py, &failure))
    }

    /// Notes the version of the program that the package is of.
    #[pymodule_init]
    fn note_version(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
