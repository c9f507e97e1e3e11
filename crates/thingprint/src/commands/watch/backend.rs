use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{ExtractionRecipe, Instance, Kind, Label, Labeled};
use thingprint_model::Model;
use thingprint_notify::Metrics;
use thingprint_report::Labels;
use thingprint_store::{ExportOptions, Reader, StoreError};
use thingprint_watch::{Choice, Health, Records, RecordsError, Request, RequestError, Trained};
use thingprint_web::{Backend, Why};

use super::clock;
use super::labelled::Labelled;
use super::model::Judging;
use crate::instances::RECIPE;

/// How long a request waits for the reading, which takes requests several times a second.
const PATIENCE: Duration = Duration::from_secs(10);
/// Last windows of a device that are explained: those of a day.
const EXPLAINED: usize = 24;
/// Most windows that a model is trained from: two years of hours of ten devices.
const MOST_WINDOWS: usize = 200_000;

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
    candidate: Mutex<Option<Model>>,
}

impl PageBackend {
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

    /// The stored windows of devices with labels: those of the page before those of the file.
    fn labelled(&self) -> Result<Vec<Labeled>, RequestError> {
        let failed = |error: &dyn std::fmt::Display| RequestError(error.to_string());
        let reader = self.reader().map_err(|error| failed(&error))?;
        let given = reader.labels().map_err(|error| failed(&error))?;
        let label_of = |instance: &Instance| {
            let given = given.iter().find(|given| given.device == instance.device);
            let of_page = given.map(|given| Label::new(given.label.clone(), Kind::Iot));
            of_page.or_else(|| self.labels.label_at(instance.device, None, instance.window_start).cloned())
        };
        let mut rows = Vec::new();
        let options = ExportOptions { recipe: Some(self.recipe.clone()), ..ExportOptions::default() };
        let counts = reader.export(&options, &mut |instances| {
            let labelled = instances.into_iter().filter_map(|instance| {
                let label = Some(label_of(&instance)?);
                Some(Labeled { instance, label })
            });
            rows.extend(labelled.take(MOST_WINDOWS.saturating_sub(rows.len())));
            Ok::<_, StoreError>(())
        });
        counts.map_err(|error| failed(&error))?;
        if rows.is_empty() {
            return Err(RequestError(
                "no whole window of a labelled device is stored: label devices, and wait for the first whole hour".to_owned(),
            ));
        }
        Ok(rows)
    }

    fn train(&self) -> Result<Trained, RequestError> {
        let rows = self.labelled()?;
        let present = locked(&self.judging).model.clone();
        let (model, trained) =
            thingprint_watch::train(&rows, present.as_deref(), (clock::now(), self.threads))?;
        let recipe = self.recipe.as_str().to_owned();
        let extraction = [(RECIPE.to_owned(), recipe)].into();
        *locked(&self.candidate) = Some(model.with_extraction(extraction));
        Ok(trained)
    }

    fn decide(&self, choice: Choice) -> Result<(), RequestError> {
        let candidate = locked(&self.candidate).take();
        let model = candidate.ok_or_else(|| RequestError("no model waits: train one first".to_owned()))?;
        match choice {
            Choice::Switch => self.ask(|answer| Job::Switch(Arc::new(model), answer)),
            Choice::Discard => Ok(()),
        }
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
