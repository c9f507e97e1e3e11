use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{ExtractionRecipe, Instance, Labeled};
use thingprint_model::Model;
use thingprint_notify::Metrics;
use thingprint_report::Labels;
use thingprint_store::{ExportOptions, Reader, StoreError};
use thingprint_watch::{Choice, Health, Records, RecordsError, Request, RequestError, Trained};
use thingprint_web::{Backend, Why};

use super::clock;
use super::labelled::{Labelled, label_of};
use super::model::Judging;
use super::newest::Newest;
use crate::instances::RECIPE;

/// How long a request waits for the reading, which takes requests several times a second.
const PATIENCE: Duration = Duration::from_secs(10);
/// Last windows of a device that are explained: those of a day.
const EXPLAINED: usize = 24;

/// What the thread of the reading does for others.
pub(super) enum Job {
    /// What a person asked for.
    Request(Request, SyncSender<Result<(), RequestError>>),
    /// This model judges from now on.
    Switch(Arc<Model>, SyncSender<Result<(), RequestError>>),
}

/// Where the page has its data from.
pub(super) struct PageBackend {
    store: PathBuf,
    recipe: ExtractionRecipe,
    labels: Arc<Labels>,
    since: Timestamp,
    threads: NonZeroUsize,
    metrics: Metrics,
    health: Mutex<Health>,
    judging: Mutex<Judging>,
    jobs: Mutex<Sender<Job>>,
    candidate: Mutex<Option<Arc<Model>>>,
}

impl PageBackend {
    /// The store as messages name it.
    pub(super) fn store_name(&self) -> PathBuf {
        thingprint_store::shown(&self.store)
    }

    pub(super) fn new(
        (store, recipe): (PathBuf, ExtractionRecipe),
        (labels, judging): (Labels, Judging),
        threads: NonZeroUsize,
        jobs: Sender<Job>,
    ) -> Self {
        Self {
            store,
            recipe,
            labels: Arc::new(labels),
            since: clock::now(),
            threads,
            metrics: Metrics::new(),
            health: Mutex::default(),
            judging: Mutex::new(judging),
            jobs: Mutex::new(jobs),
            candidate: Mutex::default(),
        }
    }

    /// How the reading goes now.
    pub(super) fn set_health(&self, health: Health) {
        self.metrics.update(&health, clock::now());
        *locked(&self.health) = health;
    }

    /// This model judges from now on.
    pub(super) fn set_judging(&self, judging: Judging) {
        *locked(&self.judging) = judging;
    }

    /// What a device is called, where a person gave it this label or none.
    pub(super) fn label_of(&self, device: DeviceId, given: Option<&str>) -> Option<String> {
        label_of(given, &self.labels, (device, None)).map(|label| label.class)
    }

    fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.store)
    }

    /// Has the thread of the reading do something.
    fn ask(&self, job: impl FnOnce(SyncSender<Result<(), RequestError>>) -> Job) -> Result<(), RequestError> {
        let (answer, answered) = sync_channel(1);
        let ends = || RequestError("the reading ends; try again after the next start".to_owned());
        locked(&self.jobs).send(job(answer)).map_err(|_| ends())?;
        answered.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            Err(RequestError(
                "the reading is busy: it may still carry this out; look again in a while".to_owned(),
            ))
        })
    }

    /// The newest stored windows of devices with labels, and what to know of those that are left out.
    fn labelled(&self) -> Result<(Vec<Labeled>, Vec<String>), RequestError> {
        let failed = |error: &dyn std::fmt::Display| RequestError(error.to_string());
        let reader = self.reader().map_err(|error| failed(&error))?;
        let given = reader.labels().map_err(|error| failed(&error))?;
        let given: BTreeMap<DeviceId, String> =
            given.into_iter().map(|given| (given.device, given.label)).collect();
        let mut newest = Newest::default();
        let options = ExportOptions { recipe: Some(self.recipe.clone()), ..ExportOptions::default() };
        let counts = reader.export(&options, &mut |instances| {
            for instance in instances {
                let given = given.get(&instance.device).map(String::as_str);
                let label = label_of(given, &self.labels, (instance.device, Some(instance.window_start)));
                if label.is_some() {
                    newest.add(Labeled { instance, label });
                }
            }
            Ok::<_, StoreError>(())
        });
        let warnings = newest.warnings(&counts.map_err(|error| failed(&error))?);
        let rows = newest.into_rows();
        if rows.is_empty() {
            let why = "no whole window of a labelled device is stored: label devices, and wait for the first whole hour";
            return Err(RequestError([&[why.to_owned()], warnings.as_slice()].concat().join("; ")));
        }
        Ok((rows, warnings))
    }

    fn train(&self) -> Result<Trained, RequestError> {
        let (rows, warnings) = self.labelled()?;
        let present = locked(&self.judging).model.clone();
        let (model, mut trained) =
            thingprint_watch::train(&rows, present.as_deref(), (clock::now(), self.threads))?;
        trained.warnings.extend(warnings);
        let recipe = self.recipe.as_str().to_owned();
        let extraction = [(RECIPE.to_owned(), recipe)].into();
        *locked(&self.candidate) = Some(Arc::new(model.with_extraction(extraction)));
        Ok(trained)
    }

    fn decide(&self, choice: Choice) -> Result<(), RequestError> {
        let candidate = locked(&self.candidate).take();
        let model = candidate.ok_or_else(|| RequestError("no model waits: train one first".to_owned()))?;
        if choice == Choice::Discard {
            return Ok(());
        }
        let switched = self.ask(|answer| Job::Switch(Arc::clone(&model), answer));
        if switched.is_err() {
            // It can be taken at another try, unless another one was trained meanwhile.
            locked(&self.candidate).get_or_insert(model);
        }
        switched
    }
}

impl Backend for PageBackend {
    fn records(&self) -> Result<Box<dyn Records>, RecordsError> {
        let reader = self.reader().map_err(|error| RecordsError(error.to_string()))?;
        Ok(Box::new(Labelled { reader, labels: Arc::clone(&self.labels), since: self.since }))
    }

    fn health(&self) -> Health {
        locked(&self.health).clone()
    }

    fn request(&self, request: Request) -> Result<Option<Trained>, RequestError> {
        match request {
            Request::Train => self.train().map(Some),
            Request::Decide(choice) => self.decide(choice).map(|()| None),
            other => self.ask(|answer| Job::Request(other, answer)).map(|()| None),
        }
    }

    fn explain(&self, device: DeviceId) -> Result<Option<Why>, RecordsError> {
        let failed = |error: &dyn std::fmt::Display| RecordsError(error.to_string());
        let Some(model) = locked(&self.judging).model.clone() else { return Ok(None) };
        let windows = self.records()?.instances(device, EXPLAINED)?;
        let windows: Vec<&Instance> =
            windows.iter().filter_map(|window| window.instance.as_deref()).collect();
        if windows.is_empty() {
            return Ok(None);
        }
        let explanation = model.explain(&windows, None).map_err(|error| failed(&error))?;
        let json = serde_json::to_value(&explanation).map_err(|error| failed(&error))?;
        serde_json::from_value(json).map(Some).map_err(|error| failed(&error))
    }

    fn metrics(&self) -> String {
        if let Ok(devices) = self.records().and_then(|records| records.devices()) {
            self.metrics.count(&devices);
        }
        self.metrics.render()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
