use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use thingprint_watch::SinkHealth;

use crate::delivery::{Delivery, Failure};
use crate::error::NotifyError;
use crate::inbox::{Inbox, Work};
use crate::options::RetrySchedule;
use crate::sinks::Sink;

/// The time that a sink has to say goodbye, where everything is delivered.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// At the end there is no time for longer pauses: what fails once may go through a moment later.
const LAST_PAUSE: Duration = Duration::from_millis(250);

/// A receiver is never asked for longer than this pause, whatever it says: the schedule gives up after an hour.
const MAX_ASKED_PAUSE: Duration = Duration::from_mins(10);

/// A sink with its thread.
pub(crate) struct Outlet {
    inbox: Arc<Inbox>,
    thread: JoinHandle<()>,
}

impl Outlet {
    /// Starts the thread of a sink.
    pub(crate) fn start(
        name: &str,
        sink: Box<dyn Sink>,
        schedule: RetrySchedule,
    ) -> Result<Self, NotifyError> {
        let inbox = Arc::new(Inbox::new(name.to_owned()));
        let mut worker = Worker { inbox: Arc::clone(&inbox), sink, schedule };
        let thread = thread::Builder::new()
            .name("notify".to_owned())
            .spawn(move || worker.run())
            .map_err(|source| NotifyError::NoThread { sink: name.to_owned(), source })?;
        Ok(Self { inbox, thread })
    }

    /// What waits for the sink.
    pub(crate) fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Waits for the thread until the time; leaves it to itself where it does not end.
    pub(crate) fn join(self, by: Instant) -> SinkHealth {
        while !self.thread.is_finished() && Instant::now() < by {
            thread::sleep(Duration::from_millis(5));
        }
        self.inbox.health()
    }
}

/// What the thread of a sink does.
struct Worker {
    inbox: Arc<Inbox>,
    sink: Box<dyn Sink>,
    schedule: RetrySchedule,
}

impl Worker {
    fn run(&mut self) {
        loop {
            match self.inbox.next() {
                Work::Deliver(delivery) => self.deliver(&delivery),
                Work::Show(roster) => {
                    let shown = self.sink.show(roster, self.attempt_limit());
                    self.note(shown);
                }
                Work::Reopen => self.sink.reopen(),
                Work::Idle => {
                    let idled = self.sink.idle(self.attempt_limit());
                    self.note(idled);
                }
                Work::Stop => break,
            }
        }
        let limit = self.inbox.time_left().unwrap_or(CLOSE_LIMIT).min(CLOSE_LIMIT);
        self.sink.close(limit);
    }

    /// Tries until the event is taken, refused, or too old. An event that is in hand at the end stays among those that
    /// wait.
    fn deliver(&mut self, delivery: &Delivery) {
        for failures in 1.. {
            let failure = match self.sink.deliver(delivery, self.attempt_limit()) {
                Ok(()) => return self.inbox.delivered(),
                Err(failure) => failure,
            };
            let (why, pause) = match failure {
                Failure::Never { why } => return self.inbox.gave_up(delivery, &why),
                Failure::Later { why, pause_s } => (why, self.pause(failures, pause_s)),
            };
            if delivery.letter.accepted.elapsed() + pause >= self.schedule.give_up_after {
                return self.inbox.gave_up(delivery, &format!("gave up: {why}"));
            }
            self.inbox.failed(&why);
            let time_left = self.inbox.time_left();
            if time_left.is_some_and(|left| left.is_zero()) {
                return;
            }
            self.inbox.pause(time_left.map_or(pause, |left| pause.min(left).min(LAST_PAUSE)));
            if self.inbox.takes_reopen() {
                self.sink.reopen();
            }
        }
    }

    fn pause(&self, failures: u32, asked_s: Option<u64>) -> Duration {
        let own = self.schedule.pause(failures);
        asked_s.map_or(own, |asked| own.max(Duration::from_secs(asked)).min(MAX_ASKED_PAUSE))
    }

    /// The time that an attempt has.
    fn attempt_limit(&self) -> Duration {
        let limit = self.schedule.attempt_limit;
        self.inbox.time_left().map_or(limit, |left| left.min(limit)).max(Duration::from_millis(1))
    }

    fn note(&self, result: Result<bool, String>) {
        match result {
            Ok(true) => self.inbox.recovered(),
            Ok(false) => {}
            Err(why) => self.inbox.failed(&why),
        }
    }
}
