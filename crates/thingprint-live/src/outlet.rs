use std::sync::mpsc::SyncSender;

use crate::batch::{Arena, Batch, Pool};
use crate::error::{LiveError, LiveErrorKind};
use crate::folder::ReadFile;
use crate::health::{SourceHealth, SourceState, Status};
use crate::stop::Stop;

/// Where a source hands over what it reads: every thread of it has one.
#[derive(Clone)]
pub(crate) struct Outlet {
    source: usize,
    name: String,
    sender: SyncSender<Delivery>,
    pool: Pool,
    status: Status,
    stop: Stop,
}

/// What comes from a source.
pub(crate) enum Delivery {
    /// Frames.
    Batch(Batch),
    /// A file of a folder whose frames were all delivered before.
    File(usize, ReadFile),
}

/// The intake takes nothing more.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the intake was stopped")]
pub(crate) struct Stopped;

impl Outlet {
    pub(crate) fn new(
        (source, name): (usize, String),
        sender: SyncSender<Delivery>,
        status: Status,
        stop: Stop,
    ) -> Self {
        Self { source, name, sender, pool: Pool::default(), status, stop }
    }

    /// The name of the source.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the intake was asked to end.
    pub(crate) const fn stop(&self) -> &Stop {
        &self.stop
    }

    pub(crate) fn stopped(&self) -> LiveError {
        LiveError::new(LiveErrorKind::Stopped, &self.name, "the intake was stopped")
    }

    /// An empty buffer.
    pub(crate) fn arena(&self) -> Arena {
        self.pool.take()
    }

    /// Hands over frames; waits while the channel is full.
    pub(crate) fn deliver(&self, arena: Arena) -> Result<(), Stopped> {
        let (packets, last) = (arena.len() as u64, arena.last_time());
        self.update(|health| {
            health.packets += packets;
            health.last_packet = last.or(health.last_packet);
        });
        self.send(Delivery::Batch(Batch::new(self.source, arena, self.pool.clone())))
    }

    /// Notes that all of a file was delivered.
    pub(crate) fn deliver_file(&self, file: ReadFile) -> Result<(), Stopped> {
        self.send(Delivery::File(self.source, file))
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut SourceHealth)) {
        self.status.update(change);
    }

    pub(crate) fn set_state(&self, state: SourceState, message: Option<String>) {
        self.status.set(state, message);
    }

    /// Notes that the source delivers; what is said of it stays if it did before.
    pub(crate) fn delivers(&self) {
        self.update(|health| {
            if health.state != SourceState::Reading {
                (health.state, health.message) = (SourceState::Reading, None);
            }
        });
    }

    pub(crate) fn notice(&self, text: impl Into<String>) {
        self.status.notice(text.into());
    }

    fn send(&self, delivery: Delivery) -> Result<(), Stopped> {
        if self.stop.is_set() {
            return Err(Stopped);
        }
        self.sender.send(delivery).map_err(|_| Stopped)
    }
}

/// An outlet of a source that a test reads, and what comes of it.
#[cfg(test)]
pub(crate) fn test_outlet(stop: &Stop) -> (Outlet, std::sync::mpsc::Receiver<Delivery>) {
    let (sender, receiver) = std::sync::mpsc::sync_channel(64);
    let status = crate::health::HealthBoard::new(["x".to_owned()]).status(0);
    #[allow(clippy::unwrap_used, reason = "the board has one source")]
    let status = status.unwrap();
    (Outlet::new((0, "x".to_owned()), sender, status, stop.clone()), receiver)
}
