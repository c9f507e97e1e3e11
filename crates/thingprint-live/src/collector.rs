use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thingprint_flow::{Frame, Timestamp};

use crate::batch::Arena;
use crate::outlet::{Outlet, Stopped};

/// Collects the frames of one capture into batches; who reads the capture and the stream below share it.
#[derive(Clone)]
pub(crate) struct Collector(Arc<Mutex<Pending>>);

struct Pending {
    outlet: Outlet,
    arena: Arena,
    last: Option<Timestamp>,
}

impl Collector {
    pub(crate) fn new(outlet: &Outlet) -> Self {
        let pending = Pending { outlet: outlet.clone(), arena: Arena::default(), last: None };
        Self(Arc::new(Mutex::new(pending)))
    }

    /// Adds a frame; the batch leaves when it is full.
    pub(crate) fn push(&self, frame: &Frame<'_>) -> Result<(), Stopped> {
        let mut pending = self.locked();
        if pending.arena.push(frame) {
            pending.outlet.update(|health| health.shortened += 1);
        }
        if pending.arena.is_full() { pending.flush() } else { Ok(()) }
    }

    /// Lets the batch leave as it is: the stream has nothing more for now.
    pub(crate) fn flush(&self) -> Result<(), Stopped> {
        self.locked().flush()
    }

    /// The highest time of all frames that left.
    pub(crate) fn last_time(&self) -> Option<Timestamp> {
        self.locked().last
    }

    fn locked(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn flush(&mut self) -> Result<(), Stopped> {
        if self.arena.is_empty() {
            return Ok(());
        }
        self.last = self.last.max(self.arena.last_time());
        let next = self.outlet.arena();
        self.outlet.deliver(std::mem::replace(&mut self.arena, next))
    }
}
