//! Rows as Python's own values.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampNanosecondType, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::{Bound, IntoPyObject, PyAny, PyDictMethods, PyListMethods, PyResult, Python};
use pyo3::types::{PyDateTime, PyDict, PyList, PyTzInfo};

const NANOS_OF_A_MICROSECOND: i64 = 1_000;
const MICROS_OF_A_SECOND: i64 = 1_000_000;

/// A row as a dict.
pub(crate) fn dict<'py>(py: Python<'py>, batch: &RecordBatch, row: usize) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        dict.set_item(field.name(), value(py, column.as_ref(), row)?)?;
    }
    Ok(dict)
}

/// A value; `None` where it is absent.
fn value<'py>(py: Python<'py>, column: &dyn Array, row: usize) -> PyResult<Bound<'py, PyAny>> {
    if column.is_null(row) {
        return Ok(py.None().into_bound(py));
    }
    match column.data_type() {
        DataType::LargeUtf8 => column.as_string::<i64>().value(row).into_bound_py_any(py),
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(row).into_bound_py_any(py),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into_bound_py_any(py),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).into_bound_py_any(py),
        DataType::Boolean => column.as_boolean().value(row).into_bound_py_any(py),
        DataType::Timestamp(..) => time(py, column.as_primitive::<TimestampNanosecondType>().value(row)),
        DataType::LargeList(_) => {
            let values = column.as_list::<i64>().value(row);
            match values.as_struct_opt() {
                Some(words) => bag(py, words.columns()),
                None => list(py, values.as_ref()),
            }
        }
        _ => Ok(py.None().into_bound(py)),
    }
}

/// A time in UTC, to the microsecond below.
fn time(py: Python<'_>, nanos: i64) -> PyResult<Bound<'_, PyAny>> {
    let micros = nanos.div_euclid(NANOS_OF_A_MICROSECOND);
    let seconds = micros.div_euclid(MICROS_OF_A_SECOND);
    let utc = PyTzInfo::utc(py)?;
    // Whole seconds have a float of their own; what is below a second is added as a number of microseconds.
    let whole = PyDateTime::from_timestamp(py, seconds as f64, Some(&utc))?;
    let rest = i32::try_from(micros.rem_euclid(MICROS_OF_A_SECOND)).unwrap_or_default();
    let rest = pyo3::types::PyDelta::new(py, 0, 0, rest, false)?;
    pyo3::prelude::PyAnyMethods::add(whole.as_any(), rest)
}

fn list<'py>(py: Python<'py>, values: &dyn Array) -> PyResult<Bound<'py, PyAny>> {
    let list = PyList::empty(py);
    for at in 0..values.len() {
        list.append(value(py, values, at)?)?;
    }
    Ok(list.into_any())
}

/// Words with their counts as a dict.
fn bag<'py>(py: Python<'py>, columns: &[arrow_array::ArrayRef]) -> PyResult<Bound<'py, PyAny>> {
    let dict = PyDict::new(py);
    if let [words, counts] = columns {
        for at in 0..words.len() {
            dict.set_item(value(py, words.as_ref(), at)?, value(py, counts.as_ref(), at)?)?;
        }
    }
    dict.into_pyobject(py).map(Bound::into_any).map_err(Into::into)
}
