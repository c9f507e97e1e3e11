use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::time::{Duration, Instant};

use thingprint_flow::Timestamp;
use thingprint_watch::{Account, Request};

use super::progress::Progress;
use super::queue::{Queue, Waiting};
use super::{Receipt, WriterOptions};
use crate::account_writer::Written;
use crate::error::{Problem, StoreError};
use crate::prune::before;
use crate::store::{StateValue, Store};

/// Time until writing is tried again for the first time. Then it doubles.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// Time between two attempts at most: a person who frees the disk sees it work within a minute.
const LAST_RETRY: Duration = Duration::from_mins(1);

/// Time between two attempts while somebody waits for the end.
const CLOSING_RETRY: Duration = Duration::from_millis(100);

/// How long a statement waits for another program that holds the store. It is tried again anyway, and who closes a writer has
/// some seconds.
const BUSY: Duration = Duration::from_secs(1);

/// Nanoseconds of the packets' clock after which old rows are looked for again.
const PRUNE_EVERY_NS: i64 = 3_600_000_000_000;

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Job {
    Account { number: u64, account: Account, state: Vec<StateValue> },
    Request { request: Request, at: Timestamp, reply: SyncSender<Result<(), StoreError>> },
    MostBytes { most: Option<u64>, reply: SyncSender<Result<(), StoreError>> },
    Flush { until: Instant, reply: SyncSender<bool> },
    Close { until: Instant },
}

/// Somebody who waits until nothing waits any more.
struct Flushing {
    until: Instant,
    reply: SyncSender<bool>,
}

/// Writes the accounts that come.
pub(super) struct Worker {
    store: Store,
    options: WriterOptions,
    progress: Arc<Progress>,
    queue: Queue,
    flushing: Vec<Flushing>,
    /// When writing is tried again, and after which time once more; `None` while it works.
    retry: Option<(Instant, Duration)>,
    /// Since when rows are kept, where older ones may be left.
    pruning: Option<Timestamp>,
    /// Until when windows were final when old rows were looked for.
    pruned_at: Option<Timestamp>,
    closing: Option<Instant>,
}

impl Worker {
    pub(super) fn new(store: Store, options: WriterOptions, progress: Arc<Progress>) -> Self {
        // Where it cannot be set, each attempt only takes longer.
        let _ = store.wait_for_others(BUSY);
        Self {
            store,
            options,
            progress,
            queue: Queue::default(),
            flushing: Vec::new(),
            retry: None,
            pruning: None,
            pruned_at: None,
            closing: None,
        }
    }

    /// Works until it is closed; gives the problem because of which something was left.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) -> Option<Problem> {
        loop {
            if let Some(job) = self.next(jobs) {
                self.take(job);
            }
            let left = self.write_all();
            self.answer();
            let Some(until) = self.closing else { continue };
            match left {
                Some(_) if Instant::now() < until => {
                    // Whoever closes hands over nothing more, and waits: so it is tried again soon.
                    self.retry = self.retry.map(|(_, delay)| (Instant::now() + CLOSING_RETRY, delay));
                }
                left => return left,
            }
        }
    }

    /// The next thing to do; `None` where it is time to try again, to prune, or to end.
    fn next(&mut self, jobs: &Receiver<Job>) -> Option<Job> {
        let disconnected = if let Some((at, _)) = self.retry {
            let until = self.flushing.iter().map(|flushing| flushing.until).fold(at, Instant::min);
            match jobs.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(job) => return Some(job),
                Err(error) => error == RecvTimeoutError::Disconnected,
            }
        } else if self.pruning.is_none() {
            match jobs.recv() {
                Ok(job) => return Some(job),
                Err(_) => true,
            }
        } else {
            match jobs.try_recv() {
                Ok(job) => return Some(job),
                Err(error) => {
                    self.prune();
                    error == TryRecvError::Disconnected
                }
            }
        };
        if disconnected {
            self.closing.get_or_insert_with(Instant::now);
        }
        None
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Account { number, account, state } => {
                self.queue.push(number, account, state);
                self.drop_oldest();
            }
            // Nobody waits for the answer any more where it cannot be sent.
            Job::Request { request, at, reply } => _ = reply.send(self.store.request(&request, at)),
            Job::MostBytes { most, reply } => {
                let _ = reply.send(self.store.set_most_bytes(most));
                self.retry = self.retry.map(|(_, delay)| (Instant::now(), delay));
            }
            Job::Flush { until, reply } => self.flushing.push(Flushing { until, reply }),
            Job::Close { until } => self.closing = Some(until),
        }
    }

    /// Writes what waits, unless it is too early to try again; gives the problem for which something still waits.
    fn write_all(&mut self) -> Option<Problem> {
        if self.closing.is_none() && self.retry.is_some_and(|(at, _)| Instant::now() < at) {
            return None;
        }
        if let Some(until) = self.closing {
            let left = until.saturating_duration_since(Instant::now());
            let _ = self.store.wait_for_others(left.min(BUSY));
        }
        while let Some((account, state)) = self.queue.next() {
            match self.store.write_with(account, &state) {
                Ok(written) => self.written(written),
                Err(error) => return Some(self.failed(error)),
            }
        }
        self.retry = None;
        None
    }

    fn written(&mut self, written: Written) {
        let Some(Waiting { number, final_until, windows_dropped, .. }) = self.queue.pop_written() else {
            return;
        };
        self.retry = None;
        self.progress.set_problem(None);
        let state_bytes = self.queue.sizes().state_bytes as u64;
        self.progress.count(|stats| {
            stats.committed += 1;
            stats.windows += written.windows;
            stats.updates_refused += written.refused;
            stats.waiting -= 1;
            stats.state_bytes = state_bytes;
        });
        if let Some(on_commit) = &mut self.options.on_commit {
            on_commit(Receipt { number, written, windows_dropped });
        }
        self.look_for_old(final_until);
    }

    /// Notes a failure, and when to try again.
    fn failed(&mut self, error: StoreError) -> Problem {
        self.progress.set_problem(Some(format!("failed to {error}")));
        self.progress.count(|stats| stats.failures += 1);
        let delay = self.retry.map_or(FIRST_RETRY, |(_, delay)| delay);
        self.retry = Some((Instant::now() + delay, (2 * delay).min(LAST_RETRY)));
        error.problem
    }

    /// Keeps what waits within its limits.
    fn drop_oldest(&mut self) {
        let dropped = self.queue.limit(self.options.most_windows, self.options.most_updates);
        let state_bytes = self.queue.sizes().state_bytes as u64;
        self.progress.count(|stats| {
            stats.windows_dropped += dropped.windows;
            stats.updates_dropped += dropped.others;
            stats.waiting -= dropped.accounts;
            stats.state_bytes = state_bytes;
        });
    }

    /// Answers those who wait until all is written.
    fn answer(&mut self) {
        let (is_done, now) = (self.queue.is_empty(), Instant::now());
        self.flushing.retain(|flushing| {
            let is_over = is_done || now >= flushing.until;
            if is_over {
                let _ = flushing.reply.send(is_done);
            }
            !is_over
        });
    }

    /// Looks for old rows where the clock moved on since the last time, or stepped back.
    fn look_for_old(&mut self, final_until: Option<Timestamp>) {
        let (Some(keep), Some(until)) = (self.options.keep, final_until) else { return };
        let now = until.min((self.options.clock)());
        if self.pruned_at.is_some_and(|at| (0..PRUNE_EVERY_NS).contains(&now.nanos_since(at))) {
            return;
        }
        self.pruned_at = Some(now);
        let before = before(now, keep);
        let jump = self.store.jump_behind(before, keep).unwrap_or_default();
        self.pruning = if jump.is_some() { None } else { Some(before) };
        self.progress.set_warning(jump.map(|jump| {
            format!(
                "{jump}: the clock may have jumped, and they are not pruned; check the clocks of the machine and of the sources. \
                 'thingprint store STORE prune --despite-jump' prunes them"
            )
        }));
    }

    /// Takes out some old rows. What fails is tried again an hour later: until then there is only more than need be.
    fn prune(&mut self) {
        let Some(before) = self.pruning else { return };
        let pruned = self.store.prune_some(before);
        let Ok(pruned) = pruned else {
            self.pruning = None;
            return;
        };
        self.progress.count(|stats| {
            stats.windows_pruned += pruned.windows;
            stats.devices_pruned += pruned.devices;
        });
        let is_more = !pruned.is_empty() || self.store.shrink_some().unwrap_or(false);
        if !is_more {
            self.pruning = None;
        }
    }
}
