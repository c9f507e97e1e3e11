use std::ffi::OsString;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use pyo3::prelude::{Bound, PyAny, PyAnyMethods, PyResult, Python, pyclass, pymethods};
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyBytesMethods};
use thingprint_command::call::Failure;
use thingprint_command::learning::{Learning, check_fit, read_model};
use thingprint_instance::{Attribute, BagName, EvidenceSet, Instance, Kind, Label, Labeled};
use thingprint_model::Prediction;
use thingprint_report::{InstanceFile, instances_of, write_instances};
use thingprint_table::Format;

use crate::batch::Table;
use crate::call::of_message;
use crate::error::{exception, input_error};
use crate::frame;

/// How long a call waits before it looks for signals.
const WAIT: Duration = Duration::from_millis(50);
/// What errors call the instances of a frame.
const FRAME: &str = "the frame";

/// Instances in memory, in the order of the frame that they are of.
#[pyclass(frozen, module = "thingprint._thingprint")]
#[derive(Debug)]
pub(crate) struct Instances(InstanceFile);

/// A trained classifier.
#[pyclass(frozen, module = "thingprint._thingprint")]
#[derive(Debug)]
pub(crate) struct Model(thingprint_model::Model);

#[pymethods]
impl Instances {
    /// The instances in a stream of Arrow, or of rows of this package.
    #[new]
    fn new(py: Python<'_>, rows: Source<'_>) -> PyResult<Self> {
        let table = match rows {
            Source::Stream(bytes) => {
                let bytes = bytes.as_bytes();
                py.detach(|| frame::read(bytes))
            }
            Source::Rows(table) => {
                let batches = table.batches.clone();
                py.detach(|| frame::of_batches(&batches))
            }
        };
        let table = table.map_err(|reason| input_error(py, format!("failed to read instances: {reason}")))?;
        let file = py.detach(|| instances_of(table, FRAME));
        file.map(Self).map_err(|error| input_error(py, format!("failed to read instances: {error}")))
    }

    /// The same instances with other labels, one for each; one that is the old one keeps its kind and family.
    fn labelled(&self, py: Python<'_>, classes: Vec<String>) -> PyResult<Self> {
        let InstanceFile { rows, recipe, unknown_columns } = &self.0;
        if classes.len() != rows.len() {
            let reason = format!("{} labels for {} instances", classes.len(), rows.len());
            return Err(input_error(py, reason));
        }
        let relabelled = rows.iter().zip(classes).map(|(row, class)| {
            let kept = row.label.clone().filter(|label| label.class == class);
            let kind = row.label.as_ref().map_or(Kind::Iot, |label| label.kind);
            let label = kept.unwrap_or_else(|| Label::new(class, kind));
            Labeled { instance: row.instance.clone(), label: Some(label) }
        });
        let rows = relabelled.collect();
        Ok(Self(InstanceFile { rows, recipe: recipe.clone(), unknown_columns: unknown_columns.clone() }))
    }

    /// The bytes of a file of JSON lines, which the command reads.
    fn to_jsonl<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let InstanceFile { rows, recipe, .. } = &self.0;
        let mut bytes = Vec::new();
        let written = py.detach(|| write_instances(rows, recipe.as_ref(), Format::Jsonl, &mut bytes));
        written.map_err(|error| input_error(py, error.to_string()))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The instances at some places.
    fn take(&self, places: Vec<usize>) -> Self {
        let InstanceFile { rows, recipe, unknown_columns } = &self.0;
        let rows = places.into_iter().filter_map(|place| rows.get(place).cloned()).collect();
        Self(InstanceFile { rows, recipe: recipe.clone(), unknown_columns: unknown_columns.clone() })
    }

    /// The classes of the labels; `None` where there is none.
    fn classes(&self) -> Vec<Option<&str>> {
        self.0.rows.iter().map(|row| Some(row.label.as_ref()?.class.as_str())).collect()
    }

    /// The numbers of each instance as little-endian floats of 64 bits, row by row; NaN where one is absent.
    fn numbers<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let each = |row: &Labeled| -> Vec<f64> {
            let number = |number| row.instance.attributes.get(number).unwrap_or(f64::NAN);
            EvidenceSet::all().numbers().map(number).collect()
        };
        PyBytes::new(py, &bytes(self.0.rows.iter().flat_map(each)))
    }

    /// Names of the numbers.
    #[staticmethod]
    fn number_names() -> Vec<&'static str> {
        EvidenceSet::all().numbers().map(Attribute::name).collect()
    }

    fn __len__(&self) -> usize {
        self.0.rows.len()
    }
}

/// What instances are read from.
#[derive(pyo3::FromPyObject)]
enum Source<'py> {
    Rows(pyo3::PyRef<'py, Table>),
    Stream(Bound<'py, PyBytes>),
}

#[pymethods]
impl Model {
    /// Learns from labelled instances: the model, and what `train` would say of them. Where `trees` has the numbers of the
    /// first tree and of the one behind the last, the model has these trees alone.
    #[staticmethod]
    #[pyo3(signature = (instances, options, trees = None))]
    fn fit(
        py: Python<'_>,
        instances: &Instances,
        options: Vec<OsString>,
        trees: Option<(u32, u32)>,
    ) -> PyResult<(Self, Vec<(bool, String)>)> {
        let learning = Learning::parse(options).map_err(|failure| exception(py, &failure))?;
        let file = instances.0.clone();
        let learn = move || match trees {
            Some((start, end)) => learning.fit_trees(file, start..end),
            None => learning.fit(file),
        };
        let learned = beside(py, learn)?.map_err(|failure| exception(py, &failure))?;
        let messages = learned.messages.into_iter().map(of_message).collect();
        Ok((Self(learned.model), messages))
    }

    /// The model that has the trees of these models, given as the bytes of their files, one after the other.
    #[staticmethod]
    fn join(py: Python<'_>, models: Vec<PyBackedBytes>) -> PyResult<Self> {
        let joined = py.detach(|| {
            let read = models.iter().map(|bytes| read_model(bytes, "of some trees"));
            let models = read.collect::<Result<Vec<_>, Failure>>()?;
            thingprint_model::Model::join(models).map_err(Failure::from)
        });
        joined.map(Self).map_err(|failure| exception(py, &failure))
    }

    /// How many trees options of `train` ask for.
    #[staticmethod]
    fn trees(py: Python<'_>, options: Vec<OsString>) -> PyResult<u32> {
        Ok(Learning::parse(options).map_err(|failure| exception(py, &failure))?.trees())
    }

    /// The model in the bytes of its file.
    #[staticmethod]
    #[pyo3(signature = (bytes, name = "the bytes"))]
    fn from_bytes(py: Python<'_>, bytes: &[u8], name: &str) -> PyResult<Self> {
        py.detach(|| read_model(bytes, name)).map(Self).map_err(|failure| exception(py, &failure))
    }

    /// The bytes of its file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let mut bytes = Vec::new();
        py.detach(|| self.0.write_to(&mut bytes)).map_err(|error| exception(py, &Failure::from(error)))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// How it is pickled: as the bytes of its file.
    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        Ok((slf.get_type().getattr("from_bytes")?, (slf.get().to_bytes(py)?,)))
    }

    /// The options that it was trained with, as `train` takes them; what has no value is left out.
    #[getter]
    fn options(&self) -> Vec<(&'static str, String)> {
        let options = self.0.options();
        let mut listed = vec![
            ("scenario", options.scenario.to_string()),
            ("recipe", options.recipe.to_string()),
            ("evidence", options.evidence.to_string()),
            ("stage0", options.stage0.to_string()),
            ("stage1", options.stage1.to_string()),
            ("prior", options.prior.to_string()),
            ("unseen", options.unseen.to_string()),
            ("trees", options.trees.to_string()),
            ("seed", options.seed.to_string()),
        ];
        listed.extend(options.attributes_per_node.map(|number| ("attributes_per_node", number.to_string())));
        listed.extend(options.out_of_fold.map(|folds| ("out_of_fold", folds.to_string())));
        listed
    }

    /// The classes in order: the name, the kind, and how many instances it was trained on.
    #[getter]
    fn classes(&self) -> Vec<(String, String, u64)> {
        let classes = self.0.classes().iter();
        classes.map(|class| (class.name.to_string(), class.kind.to_string(), class.instances)).collect()
    }

    /// Names of the bags that it looks at.
    #[getter]
    fn bags(&self) -> Vec<&'static str> {
        self.0.evidence().bags().map(BagName::name).collect()
    }

    /// The best guess for each instance; and the probability of each class, as little-endian floats of 64 bits, row by row.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        instances: &Instances,
        jobs: Option<usize>,
    ) -> PyResult<(Vec<String>, Bound<'py, PyBytes>)> {
        let predictions = self.predictions(py, instances, jobs)?;
        let classes = predictions.iter().map(|prediction| prediction.class.to_string()).collect();
        let shares = predictions.iter().flat_map(|prediction| prediction.distribution.iter().copied());
        Ok((classes, PyBytes::new(py, &bytes(shares))))
    }

    /// What stage-0 says of each bag of each instance: the number of the class, and how sure it is; NaN where a bag says
    /// nothing. As little-endian floats of 64 bits, row by row.
    fn stage0<'py>(
        &self,
        py: Python<'py>,
        instances: &Instances,
        jobs: Option<usize>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let predictions = self.predictions(py, instances, jobs)?;
        let each = |prediction: &Prediction| -> Vec<f64> {
            let of_bag = |bag| match prediction.stage0.get(&bag) {
                Some(verdict) => {
                    let number = self.0.classes().number(&verdict.class);
                    [number.map_or(f64::NAN, |number| number as f64), verdict.confidence]
                }
                None => [f64::NAN, f64::NAN],
            };
            self.0.evidence().bags().flat_map(of_bag).collect()
        };
        Ok(PyBytes::new(py, &bytes(predictions.iter().flat_map(each))))
    }
}

impl Model {
    fn predictions(
        &self,
        py: Python<'_>,
        instances: &Instances,
        jobs: Option<usize>,
    ) -> PyResult<Vec<Prediction>> {
        let jobs = jobs.map(|jobs| OsString::from(format!("--jobs={jobs}")));
        let threads = Learning::parse(jobs).map_err(|failure| exception(py, &failure))?.threads();
        let rows: Vec<&Instance> = instances.0.rows.iter().map(|row| &row.instance).collect();
        py.detach(|| {
            check_fit(&self.0, instances.0.recipe.as_ref(), rows.iter().copied())?;
            Ok(self.0.predict_all(&rows, threads))
        })
        .map_err(|failure: Failure| exception(py, &failure))
    }
}

/// Works on another thread, so that a signal ends the wait.
fn beside<T: Send + 'static>(py: Python<'_>, work: impl FnOnce() -> T + Send + 'static) -> PyResult<T> {
    let (send, done) = sync_channel(1);
    std::thread::spawn(move || send.send(work()));
    let done = std::sync::Mutex::new(done);
    loop {
        let next =
            py.detach(|| done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv_timeout(WAIT));
        match next {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(input_error(py, "the training panicked".to_owned()));
            }
        }
    }
}

fn bytes(values: impl Iterator<Item = f64>) -> Vec<u8> {
    values.flat_map(f64::to_le_bytes).collect()
}
