use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thingprint_watch::SinkHealth;

use crate::clock;
use crate::delivery::{Delivery, Letter};
use crate::roster::Roster;

/// Events that wait for a sink. A network has some dozens in an hour: this is a bad day without its receiver.
const MAX_WAITING: usize = 1000;

/// Their bytes in JSON: 1000 events of usual size are a tenth of it.
const MAX_WAITING_BYTES: usize = 4 * 1024 * 1024;

/// A sink without events is asked this often whether it has something to do, such as coming back to a broker.
const IDLE: Duration = Duration::from_millis(500);

/// What a sink is to do next.
pub(crate) enum Work {
    /// Delivers an event.
    Deliver(Delivery),
    /// Shows the devices.
    Show(Arc<Roster>),
    /// Opens again what it has open.
    Reopen,
    /// Looks after itself.
    Idle,
    /// Ends.
    Stop,
}

/// What waits for a sink, and how the sink goes.
pub(crate) struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    letters: VecDeque<Arc<Letter>>,
    bytes: usize,
    roster: Option<Arc<Roster>>,
    must_reopen: bool,
    /// Whether a letter is out of the queue and not delivered yet.
    has_in_hand: bool,
    /// Whether the sink does something.
    is_busy: bool,
    /// Events that never came, since the last one that did.
    left_out: u64,
    stop_by: Option<Instant>,
    health: SinkHealth,
}

impl Inbox {
    /// An empty inbox of a sink of this name.
    pub(crate) fn new(name: String) -> Self {
        let health = SinkHealth { name, ..SinkHealth::default() };
        Self { state: Mutex::new(State { health, ..State::default() }), changed: Condvar::new() }
    }

    /// Puts events behind those that wait. What does not fit is counted.
    pub(crate) fn put(&self, letters: &[Arc<Letter>]) {
        let mut state = self.lock();
        for letter in letters {
            let bytes = state.bytes.saturating_add(letter.json.len());
            if state.letters.len() >= MAX_WAITING || bytes > MAX_WAITING_BYTES || state.stop_by.is_some() {
                state.left_out += 1;
                state.health.dropped += 1;
            } else {
                state.bytes = bytes;
                state.letters.push_back(Arc::clone(letter));
            }
        }
        self.changed.notify_all();
    }

    /// Puts the devices as they are now; those that wait are out of date.
    pub(crate) fn show(&self, roster: &Arc<Roster>) {
        self.lock().roster = Some(Arc::clone(roster));
        self.changed.notify_all();
    }

    /// Asks the sink to open again what it has open.
    pub(crate) fn reopen(&self) {
        self.lock().must_reopen = true;
        self.changed.notify_all();
    }

    /// Asks the sink to end, and to have delivered by then what it can.
    pub(crate) fn stop(&self, by: Instant) {
        self.lock().stop_by = Some(by);
        self.changed.notify_all();
    }

    /// How the sink goes.
    pub(crate) fn health(&self) -> SinkHealth {
        let state = self.lock();
        let waiting = state.letters.len() as u64 + u64::from(state.has_in_hand);
        SinkHealth { waiting, ..state.health.clone() }
    }

    /// Waits until nothing waits and nothing is done; whether it came to that in time.
    pub(crate) fn wait_empty(&self, by: Instant) -> bool {
        let mut state = self.lock();
        loop {
            let is_empty = state.letters.is_empty() && state.roster.is_none() && !state.is_busy;
            let left = by.saturating_duration_since(Instant::now());
            if is_empty || left.is_zero() {
                return is_empty;
            }
            state = self.wait(state, left);
        }
    }

    /// What to do next; waits for it.
    pub(crate) fn next(&self) -> Work {
        let mut state = self.lock();
        state.is_busy = false;
        self.changed.notify_all();
        let idle_from = Instant::now() + IDLE;
        loop {
            if let Some(work) = state.take() {
                state.is_busy = !matches!(work, Work::Stop);
                return work;
            }
            let left = idle_from.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Work::Idle;
            }
            state = self.wait(state, left);
        }
    }

    /// Waits before another attempt; ends early when the sink is asked to end meanwhile, or to open its files again.
    pub(crate) fn pause(&self, pause: Duration) {
        let end = Instant::now() + pause;
        let mut state = self.lock();
        let was_stopping = state.stop_by.is_some();
        while state.stop_by.is_some() == was_stopping && !state.must_reopen {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.wait(state, left);
        }
    }

    /// The time that is left until the sink has to end; `None` where it need not.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        self.lock().stop_by.map(|by| by.saturating_duration_since(Instant::now()))
    }

    /// Whether the sink is to open again what it has open; asked once.
    pub(crate) fn takes_reopen(&self) -> bool {
        std::mem::take(&mut self.lock().must_reopen)
    }

    /// The event was delivered.
    pub(crate) fn delivered(&self) {
        let mut state = self.lock();
        state.has_in_hand = false;
        state.health.delivered += 1;
        state.health.problem = None;
        state.health.last_delivery = Some(clock::now());
    }

    /// An attempt failed.
    pub(crate) fn failed(&self, why: &str) {
        self.lock().health.problem = Some(why.to_owned());
    }

    /// Nothing is wrong any more.
    pub(crate) fn recovered(&self) {
        self.lock().health.problem = None;
    }

    /// The event will not be delivered: it is left out, with those that were left out before it.
    pub(crate) fn gave_up(&self, delivery: &Delivery, why: &str) {
        let mut state = self.lock();
        state.has_in_hand = false;
        state.left_out += delivery.left_out + 1;
        state.health.dropped += 1;
        state.health.problem = Some(why.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Counts and queues: nothing is half done where a thread ended.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, most: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, most).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl State {
    fn take(&mut self) -> Option<Work> {
        if std::mem::take(&mut self.must_reopen) {
            return Some(Work::Reopen);
        }
        if self.stop_by.is_some_and(|by| by <= Instant::now()) {
            return Some(Work::Stop);
        }
        // Before events: who looks for devices should know the one that an event is about.
        if let Some(roster) = self.roster.take() {
            return Some(Work::Show(roster));
        }
        if let Some(letter) = self.letters.pop_front() {
            self.bytes = self.bytes.saturating_sub(letter.json.len());
            self.has_in_hand = true;
            return Some(Work::Deliver(Delivery { letter, left_out: std::mem::take(&mut self.left_out) }));
        }
        self.stop_by.map(|_| Work::Stop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::tests::event;

    fn letters(count: u64, text: &str) -> Vec<Arc<Letter>> {
        (1..=count).map(|id| Arc::new(Letter::new(&event(id, text), "run"))).collect()
    }

    fn deliver(inbox: &Inbox) -> Delivery {
        match inbox.next() {
            Work::Deliver(delivery) => delivery,
            _ => panic!("expected an event"),
        }
    }

    #[test]
    fn what_does_not_fit_is_counted_and_the_next_event_says_so() {
        let inbox = Inbox::new("x".to_owned());
        inbox.put(&letters(MAX_WAITING as u64 + 5, "x"));
        let health = inbox.health();
        assert_eq!((health.waiting, health.dropped), (MAX_WAITING as u64, 5));
        let first = deliver(&inbox);
        assert_eq!((first.letter.event.id, first.left_out), (1, 5));
        inbox.delivered();
        assert_eq!(deliver(&inbox).left_out, 0);
        let health = inbox.health();
        assert_eq!((health.delivered, health.waiting), (1, MAX_WAITING as u64 - 1));
    }

    #[test]
    fn bytes_are_bounded_as_well() {
        let inbox = Inbox::new("x".to_owned());
        inbox.put(&letters(900, &"x".repeat(20_000)));
        let bytes = letters(1, &"x".repeat(20_000))[0].json.len() as u64;
        let health = inbox.health();
        assert!(health.waiting * bytes <= MAX_WAITING_BYTES as u64, "{health:?}");
        assert!(health.waiting > 150 && health.waiting + health.dropped == 900, "{health:?}");
    }

    #[test]
    fn an_event_that_is_given_up_is_left_out_with_those_before_it() {
        let inbox = Inbox::new("x".to_owned());
        inbox.put(&letters(MAX_WAITING as u64 + 2, "x"));
        let first = deliver(&inbox);
        inbox.gave_up(&first, "refused");
        assert_eq!(deliver(&inbox).left_out, 3);
        let health = inbox.health();
        assert_eq!((health.dropped, health.problem.as_deref()), (3, Some("refused")));
    }

    #[test]
    fn nothing_is_taken_on_after_the_end() {
        let inbox = Inbox::new("x".to_owned());
        inbox.put(&letters(1, "x"));
        inbox.stop(Instant::now() + Duration::from_mins(1));
        inbox.put(&letters(1, "y"));
        assert_eq!(deliver(&inbox).letter.event.text, "x");
        assert!(matches!(inbox.next(), Work::Stop));
        assert_eq!(inbox.health().dropped, 1);
    }
}
