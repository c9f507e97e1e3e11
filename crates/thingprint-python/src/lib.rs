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
    use std::ffi::OsString;
    use std::num::NonZeroU32;
    use std::path::PathBuf;

    use pyo3::exceptions::PyValueError;
    use pyo3::prelude::{Bound, PyModule, PyModuleMethods, PyResult, Python, pyfunction};
    use pyo3::pybacked::PyBackedBytes;
    use pyo3::types::PyBytes;
    use thingprint_command::parts::{merge, places, split};
    use thingprint_flow::Timestamp;

    use super::call::of_message;
    use super::error::exception;

    /// Networks with their names and captures.
    type Networks = Vec<(Option<String>, Vec<PathBuf>)>;
    /// Messages: whether each is a warning, and its text.
    type Said = Vec<(bool, String)>;
    /// The name of the first capture of a part, and the times of its first and of its last frame.
    type Place = (Option<String>, Option<(i64, i64)>);

    #[pymodule_export]
    use super::batch::Table;
    #[pymodule_export]
    use super::call::Call;
    #[pymodule_export]
    use super::model::{Instances, Model};

    /// The captures that files, folders and globs stand for, by network; and what the command would say of them.
    #[pyfunction]
    #[pyo3(signature = (named, network_by = None))]
    fn captures(
        py: Python<'_>,
        named: Vec<OsString>,
        network_by: Option<&str>,
    ) -> PyResult<(Networks, Said)> {
        let found = py.detach(|| thingprint_command::captures::captures(&named, network_by));
        let (networks, messages) = found.map_err(|failure| exception(py, &failure))?;
        let networks = networks.into_iter().map(|found| (found.network, found.captures)).collect();
        Ok((networks, messages.into_iter().map(of_message).collect()))
    }

    /// One part file of the parts in several, which are of one network.
    #[pyfunction]
    fn merge_parts(py: Python<'_>, parts: Vec<PyBackedBytes>) -> PyResult<Bound<'_, PyBytes>> {
        let merged = py.detach(|| merge(parts.iter().map(|part| &**part)));
        merged.map(|bytes| PyBytes::new(py, &bytes)).map_err(|failure| exception(py, &failure))
    }

    /// A part file for each of so many shares of the devices.
    #[pyfunction]
    fn split_part(py: Python<'_>, part: PyBackedBytes, shares: u32) -> PyResult<Vec<Bound<'_, PyBytes>>> {
        let shares =
            NonZeroU32::new(shares).ok_or_else(|| PyValueError::new_err("no part is split into 0 shares"))?;
        let split = py.detach(|| split(&part, shares)).map_err(|failure| exception(py, &failure))?;
        Ok(split.iter().map(|bytes| PyBytes::new(py, bytes)).collect())
    }

    /// Where the parts in a part file are: the name of the first capture, and the times of the first and of the last frame,
    /// in nanoseconds since 1970.
    #[pyfunction]
    fn part_places(py: Python<'_>, part: PyBackedBytes) -> PyResult<Vec<Place>> {
        let places = py.detach(|| places(&part)).map_err(|failure| exception(py, &failure))?;
        let nanos = |(first, last): (Timestamp, Timestamp)| (first.as_nanos(), last.as_nanos());
        Ok(places.into_iter().map(|(name, span)| (name, span.map(nanos))).collect())
    }

    /// Notes the version of the program that the package is of.
    #[pymodule_init]
    fn note_version(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
