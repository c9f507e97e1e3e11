use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How writing goes, for the threads on both sides.
#[derive(Debug, Default)]
pub(super) struct Progress(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    stats: WriterStats,
    problem: Option<String>,
    warning: Option<String>,
}

/// What a writer has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterStats {
    /// Accounts that were handed over.
    pub accounts: u64,
    /// Accounts that are on the disk.
    pub committed: u64,
    /// Windows that are on the disk since.
    pub windows: u64,
    /// Accounts that wait, in the channel or since the store cannot be written.
    pub waiting: u64,
    /// Windows that were dropped, since more waited than may.
    pub windows_dropped: u64,
    /// Other updates that were dropped with them.
    pub updates_dropped: u64,
    /// Updates that the tables refused, such as a number that is none, and that were left out.
    pub updates_refused: u64,
    /// Bytes of state that wait: of each state the latest value.
    pub state_bytes: u64,
    /// How often the reading had to wait for the store.
    pub waits: u64,
    /// How long it waited, all together.
    pub waited: Duration,
    /// How often writing failed and was tried again.
    pub failures: u64,
    /// Windows that were pruned, since they were older than the time for which they are kept.
    pub windows_pruned: u64,
    /// Devices that were pruned, since nothing else of them was left.
    pub devices_pruned: u64,
}

impl Progress {
    /// Counts an account that is handed over; gives its number.
    pub(super) fn begin(&self) -> u64 {
        let mut state = self.state();
        state.stats.accounts += 1;
        state.stats.waiting += 1;
        state.stats.accounts
    }

    pub(super) fn waited(&self, time: Duration) {
        let mut state = self.state();
        state.stats.waits += 1;
        state.stats.waited += time;
    }

    pub(super) fn problem(&self) -> Option<String> {
        self.state().problem.clone()
    }

    pub(super) fn stats(&self) -> WriterStats {
        self.state().stats
    }

    /// Counts what happened.
    pub(super) fn count(&self, change: impl FnOnce(&mut WriterStats)) {
        change(&mut self.state().stats);
    }

    pub(super) fn set_problem(&self, problem: Option<String>) {
        self.state().problem = problem;
    }

    pub(super) fn warning(&self) -> Option<String> {
        self.state().warning.clone()
    }

    pub(super) fn set_warning(&self, warning: Option<String>) {
        self.state().warning = warning;
    }

    /// Nothing that is counted can be half done, so a thread that panicked does no harm here.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
