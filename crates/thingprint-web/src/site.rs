use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_watch::{DeviceRecord, Health, Records, RecordsError};
use tokio::sync::{Semaphore, broadcast};

use crate::backend::Backend;
use crate::options::WebOptions;
use crate::problem::Problem;
use crate::time;
use crate::training::Training;
use crate::update::Message;
use crate::why::Why;

/// For how long a list of devices serves all that ask for it: 200 open pages then cost as much as one. The page's script
/// waits a little longer after an update, so that it sees what it was told of.
const LIST_AGE: Duration = Duration::from_secs(1);
/// For how long evidence about a device serves all that ask for it: a model runs over windows to make it.
const WHY_AGE: Duration = Duration::from_secs(5);
/// Devices whose evidence is kept for that time. Each may be some 100 KiB.
const MOST_WHYS: usize = 64;
/// Messages that wait for a slow client before it is told to load its view again.
pub(crate) const MOST_WAITING: usize = 512;
/// Requests that may ask the backend at a time; more wait. A database on a disk gains nothing from more.
pub(crate) const WORKERS: usize = 8;

/// What all handlers share.
pub(crate) struct Site {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) options: WebOptions,
    /// The port that is listened at.
    pub(crate) port: u16,
    pub(crate) updates: broadcast::Sender<Message>,
    /// Clients of live updates that may still come.
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) training: Training,
    list: Mutex<Option<(Instant, Arc<Vec<DeviceRecord>>)>>,
    whys: Mutex<BTreeMap<DeviceId, (Instant, Option<Why>)>>,
}

impl Site {
    pub(crate) fn new(backend: Arc<dyn Backend>, options: WebOptions, port: u16) -> Self {
        Self {
            backend,
            port,
            updates: broadcast::Sender::new(MOST_WAITING),
            streams: Arc::new(Semaphore::new(options.limits.streams)),
            training: Training::default(),
            list: Mutex::new(None),
            whys: Mutex::default(),
            options,
        }
    }

    pub(crate) fn records(&self) -> Result<Box<dyn Records>, RecordsError> {
        self.backend.records()
    }

    /// All devices, as they were at most a second ago. Who asks while they are read waits for the same list.
    pub(crate) fn devices(&self) -> Result<Arc<Vec<DeviceRecord>>, RecordsError> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, devices)) = list.as_ref()
            && read.elapsed() < LIST_AGE
        {
            return Ok(Arc::clone(devices));
        }
        let begin = Instant::now();
        let devices = Arc::new(self.records()?.devices()?);
        *list = Some((begin, Arc::clone(&devices)));
        Ok(devices)
    }

    /// What speaks for the class of a device, as it was at most a few seconds ago. Nobody waits for that of another.
    pub(crate) fn why(&self, device: DeviceId) -> Result<Option<Why>, RecordsError> {
        let is_fresh = |(read, _): &(Instant, Option<Why>)| read.elapsed() < WHY_AGE;
        let kept = || self.whys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, why)) = kept().get(&device).filter(|kept| is_fresh(kept)) {
            return Ok(why.clone());
        }
        let begin = Instant::now();
        let why = self.backend.explain(device)?;
        let mut kept = kept();
        kept.retain(|_, kept| is_fresh(kept));
        if kept.len() < MOST_WHYS {
            kept.insert(device, (begin, why.clone()));
        }
        Ok(why)
    }

    /// Has the next view read everything anew, since somebody changed something and wants to see it.
    pub(crate) fn forget(&self) {
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.whys.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Says something to all clients of live updates.
    pub(crate) fn say(&self, message: Message) {
        // Nobody listens, which is no failure.
        let _ = self.updates.send(message);
    }
}

/// The clock of the packets: what ages are counted from. That of the machine before the first packet.
pub(crate) fn clock(health: &Health) -> Timestamp {
    health.clock.unwrap_or_else(time::now)
}

/// Answers a question on a thread that may wait.
pub(crate) async fn ask<T: Send + 'static>(
    site: &Arc<Site>,
    question: impl FnOnce(&Site) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let site = Arc::clone(site);
    let answer = tokio::task::spawn_blocking(move || question(&site)).await;
    answer.unwrap_or_else(|_| {
        let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        Err(Problem::new(
            status,
            "The page failed to make this view. The log of the program has the details.",
        ))
    })
}
