use serde::{Deserialize, Serialize};
use thingprint_flow::Timestamp;

/// Bursts of queries: queries chained by short silences.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bursts {
    seen: Option<Seen>,
    /// What a burst of an earlier part may go on into; `None` where there is no such part.
    head: Option<Box<BurstHead>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    last_start: Timestamp,
    last_query: Timestamp,
}

/// The bursts near the start of a part, by the first and the last query of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct BurstHead {
    /// No query of an earlier part is later than this.
    by: Timestamp,
    chains: Vec<(Timestamp, Timestamp)>,
    /// Whether the last of them begins a burst, whatever came before.
    is_settled: bool,
}

/// What a query does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It belongs to the burst before it.
    Joins,
    /// It is the first one.
    First,
    /// It starts another burst, after a silence since this time; the interval between the starts, in nanoseconds.
    Starts(Timestamp, Option<u64>),
}

impl Bursts {
    /// The bursts of a part of a trace; no query of an earlier part is later than `by`.
    pub(crate) fn behind(by: Timestamp) -> Self {
        let head = BurstHead { by, chains: Vec::new(), is_settled: false };
        Self { seen: None, head: Some(Box::new(head)) }
    }

    /// Takes a query; gives the nanoseconds from the start of the burst before when it starts another.
    ///
    /// Where a burst before the part may change them, intervals wait for [`Self::join`].
    pub(crate) fn query(&mut self, time: Timestamp, burst_gap_ns: u64) -> Option<u64> {
        let step = self.step(time, burst_gap_ns);
        match self.head.as_mut().filter(|head| !head.is_settled) {
            None => match step {
                Step::Starts(_, interval_ns) => interval_ns,
                Step::Joins | Step::First => None,
            },
            Some(head) => {
                head.take(time, step, burst_gap_ns);
                None
            }
        }
    }

    /// The next query starts a burst, and no interval ends with it: the clock stepped back.
    pub(crate) fn break_off(&mut self) {
        if let Some(seen) = &mut self.seen {
            // What lies longer ago than any interval that counts.
            (seen.last_start, seen.last_query) = (Timestamp::MIN, Timestamp::MIN);
        }
        if let Some(head) = &mut self.head {
            head.is_settled = true;
        }
    }

    /// Appends the bursts of the part that follows; gives the intervals that end in it and wait, each with the start
    /// of its later burst.
    pub(crate) fn join(&mut self, next: &Self, burst_gap_ns: u64) -> Vec<(u64, Timestamp)> {
        let mut intervals = Vec::new();
        let chains = next.head.as_ref().map_or(&[][..], |head| &head.chains);
        for (from, to) in chains {
            if let Step::Starts(_, Some(interval_ns)) = self.step(*from, burst_gap_ns) {
                intervals.push((interval_ns, *from));
            }
            if let Some(seen) = &mut self.seen {
                seen.last_query = seen.last_query.max(*to);
            }
        }
        if next.head.as_ref().is_none_or(|head| head.is_settled) {
            self.seen = next.seen.or(self.seen);
        }
        intervals
    }

    fn step(&mut self, time: Timestamp, burst_gap_ns: u64) -> Step {
        let Some(seen) = &mut self.seen else {
            self.seen = Some(Seen { last_start: time, last_query: time });
            return Step::First;
        };
        if silence_ns(seen.last_query, time) < burst_gap_ns {
            seen.last_query = seen.last_query.max(time);
            return Step::Joins;
        }
        let before = std::mem::replace(seen, Seen { last_start: time, last_query: time });
        Step::Starts(before.last_query, u64::try_from(time.nanos_since(before.last_start)).ok())
    }
}

impl BurstHead {
    fn take(&mut self, time: Timestamp, step: Step, burst_gap_ns: u64) {
        let since = match step {
            Step::Joins => {
                if let Some((_, to)) = self.chains.last_mut() {
                    *to = time.max(*to);
                }
                return;
            }
            Step::First => self.by,
            Step::Starts(since, _) => since.max(self.by),
        };
        self.chains.push((time, time));
        self.is_settled = silence_ns(since, time) >= burst_gap_ns;
    }
}

fn silence_ns(since: Timestamp, time: Timestamp) -> u64 {
    u64::try_from(time.nanos_since(since)).unwrap_or(0)
}
