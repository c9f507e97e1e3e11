use std::collections::{BTreeMap, VecDeque};

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_watch::{Account, Update};

use crate::store::{PROGRESS, StateValue};

/// Accounts that are not on the disk yet, the oldest first, and the state that belongs to them.
///
/// Of each state only the latest value waits: it replaces the others as soon as it is written. It is written with its own
/// account or a later one, so that no state speaks of windows that are not on the disk.
///
/// Where windows were dropped, nothing on the disk may say that they are there: from then on final time ends before them, and
/// the progress of sources stays as it was, so that the next start reads them again where it can.
#[derive(Debug, Default)]
pub(super) struct Queue {
    accounts: VecDeque<Waiting>,
    state: BTreeMap<Key, Pending>,
    /// Accounts at the front without a window.
    without_windows: usize,
    sizes: Sizes,
    /// Start of the first window that was dropped.
    dropped_from: Option<Timestamp>,
}

type Key = (String, Option<DeviceId>);

/// A state that waits.
#[derive(Debug)]
struct Pending {
    /// Number of the account with which it is true.
    number: u64,
    value: Option<Vec<u8>>,
}

/// An account that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) number: u64,
    pub(super) account: Account,
    /// Until when its reading is final, whatever was dropped.
    pub(super) final_until: Option<Timestamp>,
    /// Windows that it had.
    pub(super) windows_dropped: u64,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) windows: usize,
    /// Updates that are no windows, and one for each account.
    pub(super) others: usize,
    pub(super) state_bytes: usize,
}

/// What was dropped, since too much waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    pub(super) accounts: u64,
    pub(super) windows: u64,
    pub(super) others: u64,
}

impl Queue {
    pub(super) fn push(&mut self, number: u64, account: Account, state: Vec<StateValue>) {
        let windows = windows(&account);
        self.sizes.windows += windows;
        self.sizes.others += account.updates.len() - windows + 1;
        let final_until = account.final_until;
        self.accounts.push_back(Waiting { number, account, final_until, windows_dropped: 0 });
        for StateValue { name, device, value } in state {
            if !self.is_held(&name) {
                self.put((name, device), Pending { number, value });
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    pub(super) const fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// The oldest account as it is written, and the state that is true with it.
    pub(super) fn next(&mut self) -> Option<(&Account, Vec<StateValue>)> {
        let next = self.accounts.front_mut()?;
        if let Some(from) = self.dropped_from {
            next.account.final_until = next.final_until.map(|until| until.min(from));
        }
        let due = self.state.iter().filter(|(_, pending)| pending.number <= next.number);
        let state = due.map(|((name, device), Pending { value, .. })| StateValue {
            name: name.clone(),
            device: *device,
            value: value.clone(),
        });
        Some((&next.account, state.collect()))
    }

    /// Takes out the oldest account, which is on the disk with its state.
    pub(super) fn pop_written(&mut self) -> Option<Waiting> {
        let written = self.pop()?;
        let is_left = |pending: &Pending| pending.number > written.number;
        let gone: usize = self.state.values().filter(|pending| !is_left(pending)).map(Pending::bytes).sum();
        self.sizes.state_bytes = self.sizes.state_bytes.saturating_sub(gone);
        self.state.retain(|_, pending| is_left(pending));
        Some(written)
    }

    /// Keeps what waits within these limits: first the oldest windows go, then whole accounts. The last account stays without
    /// its updates, since state waits for it.
    pub(super) fn limit(&mut self, most_windows: usize, most_others: usize) -> Dropped {
        let mut dropped = Dropped::default();
        while self.sizes.windows > most_windows && self.without_windows < self.accounts.len() {
            dropped.windows += self.drop_windows(self.without_windows);
            self.without_windows += 1;
        }
        let most = most_windows.saturating_add(most_others);
        while self.sizes.windows + self.sizes.others > most && !self.accounts.is_empty() {
            dropped.windows += self.drop_windows(0);
            if self.accounts.len() > 1 {
                let gone = self.pop().map_or(0, |waiting| waiting.account.updates.len());
                dropped.others += gone as u64;
                dropped.accounts += 1;
            } else {
                dropped.others += self.clear_last();
                break;
            }
        }
        dropped
    }

    fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.accounts.pop_front()?;
        let windows = windows(&waiting.account);
        self.sizes.windows = self.sizes.windows.saturating_sub(windows);
        self.sizes.others = self.sizes.others.saturating_sub(waiting.account.updates.len() - windows + 1);
        self.without_windows = self.without_windows.saturating_sub(1);
        Some(waiting)
    }

    /// Takes the windows out of an account; how many there were.
    fn drop_windows(&mut self, at: usize) -> u64 {
        let Some(waiting) = self.accounts.get_mut(at) else { return 0 };
        let starts = waiting.account.updates.iter().filter_map(|update| match update {
            Update::Window(window) => Some(window.window_start),
            _ => None,
        });
        let Some(first) = starts.min() else { return 0 };
        let before = waiting.account.updates.len();
        waiting.account.updates.retain(|update| !matches!(update, Update::Window(_)));
        let dropped = before - waiting.account.updates.len();
        waiting.windows_dropped += dropped as u64;
        self.sizes.windows = self.sizes.windows.saturating_sub(dropped);
        self.hold(first);
        dropped as u64
    }

    fn clear_last(&mut self) -> u64 {
        let Some(waiting) = self.accounts.front_mut() else { return 0 };
        let cleared = std::mem::take(&mut waiting.account.updates).len();
        self.sizes.others = self.sizes.others.saturating_sub(cleared);
        cleared as u64
    }

    /// A window of this start is not on the disk, and will not be.
    fn hold(&mut self, first: Timestamp) {
        self.dropped_from = Some(self.dropped_from.map_or(first, |known| known.min(first)));
        let held = self.state.extract_if(.., |(name, _), _| PROGRESS == name);
        let bytes: usize = held.map(|(_, pending)| pending.bytes()).sum();
        self.sizes.state_bytes = self.sizes.state_bytes.saturating_sub(bytes);
    }

    fn is_held(&self, name: &str) -> bool {
        self.dropped_from.is_some() && name == PROGRESS
    }

    fn put(&mut self, key: Key, pending: Pending) {
        self.sizes.state_bytes += pending.bytes();
        if let Some(before) = self.state.insert(key, pending) {
            self.sizes.state_bytes = self.sizes.state_bytes.saturating_sub(before.bytes());
        }
    }
}

impl Pending {
    fn bytes(&self) -> usize {
        self.value.as_ref().map_or(0, Vec::len)
    }
}

fn windows(account: &Account) -> usize {
    account.updates.iter().filter(|update| matches!(update, Update::Window(_))).count()
}
