use std::sync::Arc;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchIterator};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use pyo3::prelude::{Bound, PyAny, PyRef, PyResult, Python, pyclass, pymethods};
use pyo3::types::{PyCapsule, PyDict};

use crate::row::dict;

/// Rows that other libraries take over without a copy, by the Arrow C stream interface.
#[pyclass(frozen, module = "thingprint._thingprint")]
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
}

#[pymethods]
impl Table {
    /// One table of the rows of several, which have the same columns.
    #[staticmethod]
    fn concat(first: PyRef<'_, Self>, others: Vec<PyRef<'_, Self>>) -> Self {
        let batches = std::iter::once(&first).chain(&others).flat_map(|table| table.batches.iter().cloned());
        Self { schema: Arc::clone(&first.schema), batches: batches.collect() }
    }

    /// A table without columns and rows.
    #[staticmethod]
    fn empty() -> Self {
        Self { schema: Arc::new(Schema::empty()), batches: Vec::new() }
    }

    /// Some rows as dicts, from the first number up to the second.
    fn rows<'py>(&self, py: Python<'py>, start: usize, stop: usize) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let places = self.batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
        let places = places.skip(start).take(stop.saturating_sub(start));
        places.map(|(batch, row)| dict(py, batch, row)).collect()
    }

    /// Names of the columns that hold words with their counts.
    #[getter]
    fn bag_names(&self) -> Vec<String> {
        self.names_of(|r#type| matches!(r#type, DataType::LargeList(item) if item.data_type().is_nested()))
    }

    /// Names of the columns that hold lists of texts.
    #[getter]
    fn list_names(&self) -> Vec<String> {
        self.names_of(|r#type| matches!(r#type, DataType::LargeList(item) if !item.data_type().is_nested()))
    }

    /// Names of the columns.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The rows as a stream of the Arrow C interface; what a consumer would rather have is left to the consumer.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let batches = self.batches.clone().into_iter().map(Ok::<_, ArrowError>);
        let reader = RecordBatchIterator::new(batches, Arc::clone(&self.schema));
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), c"arrow_array_stream")
    }
}

impl Table {
    fn names_of(&self, is_meant: impl Fn(&DataType) -> bool) -> Vec<String> {
        let fields = self.schema.fields().iter().filter(|field| is_meant(field.data_type()));
        fields.map(|field| field.name().clone()).collect()
    }
}
