use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What a device does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// It joins the network.
    Join,
    /// It leaves the network.
    Leave,
    /// It prolongs the lease of its address.
    Renew,
    /// One of its activities comes due.
    Start(usize),
    /// A session goes on.
    Continue(usize),
}

/// Events in the order of their times; those of one moment in the order in which they were planned.
#[derive(Default)]
pub(super) struct Agenda {
    events: BinaryHeap<Reverse<(i64, u64, Event)>>,
    planned: u64,
}

impl Agenda {
    pub(super) fn plan(&mut self, at: i64, event: Event) {
        self.planned += 1;
        self.events.push(Reverse((at, self.planned, event)));
    }

    /// When the next event is due.
    pub(super) fn next_time(&self) -> Option<i64> {
        self.events.peek().map(|Reverse((at, ..))| *at)
    }

    pub(super) fn next(&mut self) -> Option<(i64, Event)> {
        self.events.pop().map(|Reverse((at, _, event))| (at, event))
    }

    pub(super) fn clear(&mut self) {
        self.events.clear();
    }
}
