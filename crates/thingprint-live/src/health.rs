use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thingprint_flow::Timestamp;

/// Notices that are kept until somebody takes them; a network that fails each second fills this in a quarter of an hour.
const MOST_NOTICES: usize = 1000;

/// How a source goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceHealth {
    /// What it is called: `eth0`, `tcp://sensor:57012`, a folder.
    pub name: String,
    /// Whether it delivers.
    pub state: SourceState,
    /// Why it does not; what is known beside.
    pub message: Option<String>,
    /// Packets that came from it.
    pub packets: u64,
    /// Packets that it lost, since it was read too slowly; `None` where it cannot know.
    pub dropped: Option<u64>,
    /// How often it was begun again: after failures, and as a server for each sender behind the first.
    pub restarts: u64,
    /// How often it stopped to deliver: it failed, or as a server lost its last sender.
    pub interruptions: u64,
    /// Time of its last packet.
    pub last_packet: Option<Timestamp>,
    /// Packets that were left out, since their times lie alone in the future.
    pub wrongly_timed: u64,
    /// How often its clock stepped back by more than 300 s.
    pub steps_back: u64,
    /// Packets of which only the first 256 KiB were kept.
    pub shortened: u64,
    /// Files of a folder that are no captures, hidden files, folders, and senders that were refused.
    pub left_out: u64,
    /// Captures that could not be read, or not to their end.
    pub unread: u64,
}

/// Whether a source delivers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceState {
    /// It is being opened.
    #[default]
    Starting,
    /// It delivers, or waits for packets.
    Reading,
    /// It failed, and is tried again.
    Failed,
    /// It ended.
    Ended,
}

/// Something that happened to a source, for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Place of the source among those that the intake was given.
    pub source: usize,
    /// What happened, in a sentence without an end.
    pub text: String,
}

/// Notices that nobody has taken yet.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    kept: VecDeque<Notice>,
    lost: u64,
}

/// How all sources go; can be asked from any thread.
#[derive(Clone, Debug, Default)]
pub struct HealthBoard {
    sources: Vec<Arc<Mutex<SourceHealth>>>,
    notices: Arc<Mutex<Notices>>,
}

/// Where a source writes how it goes.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    source: usize,
    health: Arc<Mutex<SourceHealth>>,
    notices: Arc<Mutex<Notices>>,
}

impl HealthBoard {
    pub(crate) fn new(names: impl IntoIterator<Item = String>) -> Self {
        let health = names.into_iter().map(|name| SourceHealth { name, ..SourceHealth::default() });
        Self { sources: health.map(|health| Arc::new(Mutex::new(health))).collect(), ..Self::default() }
    }

    /// How each source goes, in the order in which the intake was given them.
    pub fn health(&self) -> Vec<SourceHealth> {
        self.sources.iter().map(|health| locked(health).clone()).collect()
    }

    /// What happened since this was called last, in that order.
    ///
    /// The last 1000 notices are kept; where there were more, the first one says how many are not there.
    pub fn take_notices(&self) -> Vec<Notice> {
        let mut notices = locked(&self.notices);
        let lost = std::mem::take(&mut notices.lost);
        let first = notices.kept.front().map(|notice| notice.source);
        let gap = first.filter(|_| lost > 0);
        let gap = gap.map(|source| Notice { source, text: format!("{lost} earlier notices were not kept") });
        gap.into_iter().chain(notices.kept.drain(..)).collect()
    }

    pub(crate) fn status(&self, source: usize) -> Option<Status> {
        let health = Arc::clone(self.sources.get(source)?);
        Some(Status { source, health, notices: Arc::clone(&self.notices) })
    }
}

impl Status {
    pub(crate) fn update(&self, change: impl FnOnce(&mut SourceHealth)) {
        change(&mut locked(&self.health));
    }

    /// Sets the state and what is said of it.
    pub(crate) fn set(&self, state: SourceState, message: Option<String>) {
        self.update(|health| (health.state, health.message) = (state, message));
    }

    pub(crate) fn notice(&self, text: String) {
        let mut notices = locked(&self.notices);
        if notices.kept.len() >= MOST_NOTICES {
            notices.kept.pop_front();
            notices.lost += 1;
        }
        notices.kept.push_back(Notice { source: self.source, text });
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_that_nobody_takes_are_counted() {
        let board = HealthBoard::new(["a".to_owned()]);
        let status = board.status(0).unwrap();
        (0..MOST_NOTICES + 2).for_each(|number| status.notice(number.to_string()));
        let notices = board.take_notices();
        assert_eq!(notices.len(), MOST_NOTICES + 1);
        assert_eq!(notices[0].text, "2 earlier notices were not kept");
        assert_eq!((notices[1].text.as_str(), board.take_notices()), ("2", vec![]));
        assert!(board.status(1).is_none());
    }
}
