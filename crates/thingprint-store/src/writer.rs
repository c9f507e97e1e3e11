mod progress;
mod queue;
mod worker;

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use thingprint_flow::Timestamp;
use thingprint_watch::{Account, Request};

use self::progress::Progress;
use self::worker::{Job, Worker};
use crate::account_writer::Written;
use crate::error::{Problem, StoreError};
use crate::store::{StateValue, Store};

pub use self::progress::WriterStats;

/// Accounts that wait between the reading and the writing while the store is sound. A commit takes milliseconds, so a
/// reading waits only where the disk is slower than the network.
const ACCOUNTS_BETWEEN: usize = 64;

/// Writes accounts from a thread of its own, in their order.
///
/// While the store can be written, [`write`](Self::write) waits for room where accounts come faster than the disk takes them,
/// and the waiting is counted. While it cannot, accounts wait in memory, writing is tried again after 1 s, then after
/// twice as long up to 60 s, and [`problem`](Self::problem) says why. If more wait than
/// [`WriterOptions::most_windows`], the oldest windows are dropped and counted, and until the writer ends, nothing that is written
/// says that they are there: final time stays before them, and the progress of folders as it was. An account that was acknowledged by
/// [`WriterOptions::on_commit`] is on the disk.
#[derive(Debug)]
pub struct Writer {
    jobs: SyncSender<Job>,
    progress: Arc<Progress>,
    thread: Option<JoinHandle<Option<Problem>>>,
    store: std::path::PathBuf,
}

/// How a [`Writer`] works.
pub struct WriterOptions {
    /// The time for which windows, changes and acknowledged events are kept; `None` for ever.
    pub keep: Option<Duration>,
    /// Windows that may wait while the store cannot be written. The default is 20,000: of 200 devices, those of four
    /// days, in some 200 MB.
    pub most_windows: usize,
    /// Other updates that may wait beside them, beyond which whole accounts are dropped and counted; 200,000.
    pub most_updates: usize,
    /// The clock of the machine: no window is pruned that it does not call old. It is given for tests.
    pub clock: fn() -> Timestamp,
    /// Called in the thread of the writer for each account that is on the disk now. It must not wait for this writer.
    pub on_commit: Option<Box<dyn FnMut(Receipt) + Send>>,
}

/// An account that is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The number that [`Writer::write`] gave.
    pub number: u64,
    /// What became of it.
    pub written: Written,
    /// Windows of it that are not on the disk, since they were dropped while the store could not be written.
    pub windows_dropped: u64,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            keep: None,
            most_windows: 20_000,
            most_updates: 200_000,
            clock: machine_clock,
            on_commit: None,
        }
    }
}

/// The time of the machine.
pub fn machine_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

impl std::fmt::Debug for WriterOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { keep, most_windows, most_updates, .. } = self;
        write!(
            f,
            "WriterOptions {{ keep: {keep:?}, most_windows: {most_windows}, most_updates: {most_updates} }}"
        )
    }
}

impl Writer {
    /// Begins to write a store. Fails where the system gives no thread.
    pub fn spawn(store: Store, options: WriterOptions) -> Result<Self, StoreError> {
        let (jobs, incoming) = mpsc::sync_channel(ACCOUNTS_BETWEEN);
        let progress = Arc::new(Progress::default());
        let path = store.path().to_owned();
        let worker = Worker::new(store, options, Arc::clone(&progress));
        let thread = thread::Builder::new().name("store".to_owned()).spawn(move || worker.run(&incoming));
        let thread = Some(thread.map_err(|error| Problem::from(error).at(&path))?);
        Ok(Self { jobs, progress, thread, store: path })
    }

    /// Hands over an account, and gives its number: 1 for the first. Fails where the writer has ended.
    pub fn write(&self, account: Account) -> Result<u64, StoreError> {
        self.write_with(account, Vec::new())
    }

    /// Hands over an account with the state that is true with it. A state is never kept before its account; while the store
    /// cannot be written, a later value of the same state takes its place.
    pub fn write_with(&self, account: Account, state: Vec<StateValue>) -> Result<u64, StoreError> {
        let number = self.progress.begin();
        self.send(Job::Account { number, account, state })?;
        Ok(number)
    }

    /// Carries out a request of a person, see [`Store::request`]. While the store cannot be written, this fails at once.
    pub fn request(&self, request: &Request, at: Timestamp) -> Result<(), StoreError> {
        self.ask(|reply| Job::Request { request: request.clone(), at, reply })?
    }

    /// The bytes that the file may grow to; `None` for as many as the disk has.
    pub fn set_most_bytes(&self, most: Option<u64>) -> Result<(), StoreError> {
        self.ask(|reply| Job::MostBytes { most, reply })?
    }

    /// Waits until everything that was handed over before is on the disk; not longer than a time. Whether it is.
    pub fn flush(&self, within: Duration) -> Result<bool, StoreError> {
        let until = Instant::now() + within;
        self.ask(|reply| Job::Flush { until, reply })
    }

    /// Why the store cannot be written now; `None` where it can.
    pub fn problem(&self) -> Option<String> {
        self.progress.problem()
    }

    /// Why old windows are kept, in words that say what to do; `None` where nothing is wrong. Writing goes on.
    pub fn warning(&self) -> Option<String> {
        self.progress.warning()
    }

    /// What was written, what waits, what was dropped.
    pub fn stats(&self) -> WriterStats {
        self.progress.stats()
    }

    /// Writes what waits, for no longer than a time, and ends. Fails where something was left.
    pub fn close(mut self, within: Duration) -> Result<WriterStats, StoreError> {
        self.send(Job::Close { until: Instant::now() + within })?;
        let left = self.thread.take().and_then(|thread| thread.join().unwrap_or(Some(Problem::Closed)));
        left.map_or_else(|| Ok(self.progress.stats()), |problem| Err(problem.at(&self.store)))
    }

    fn ask<T>(&self, job: impl FnOnce(SyncSender<T>) -> Job) -> Result<T, StoreError> {
        let (reply, answer): (_, Receiver<T>) = mpsc::sync_channel(1);
        self.send(job(reply))?;
        answer.recv().map_err(|_| self.closed())
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        let job = match self.jobs.try_send(job) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Disconnected(_)) => return Err(self.closed()),
            Err(TrySendError::Full(job)) => job,
        };
        let began = Instant::now();
        let sent = self.jobs.send(job);
        self.progress.waited(began.elapsed());
        sent.map_err(|_| self.closed())
    }

    fn closed(&self) -> StoreError {
        Problem::Closed.at(&self.store)
    }
}

/// A writer that is dropped without [`Writer::close`] writes what waits where that succeeds at once.
impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = self.jobs.send(Job::Close { until: Instant::now() });
            let _ = thread.join();
        }
    }
}
