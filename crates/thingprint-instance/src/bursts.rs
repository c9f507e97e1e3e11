use serde::{Deserialize, Serialize};
use thingprint_flow::Timestamp;

/// Bursts of queries: queries chained by short silences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bursts(Option<Seen>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    first_start: Timestamp,
    last_start: Timestamp,
    last_query: Timestamp,
}

/// What joins two parts of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joint {
    /// No query before or none after.
    None,
    /// The burst went on over the edge.
    InProgress,
    /// The time between the last burst's start and the next one's, and when the next one started.
    Interval(u64, Timestamp),
}

impl Bursts {
    /// Takes a query; gives the nanoseconds from the start of the burst before when it starts another.
    pub(crate) fn query(&mut self, time: Timestamp, burst_gap_ns: u64) -> Option<u64> {
        let Some(seen) = &mut self.0 else {
            self.0 = Some(Seen { first_start: time, last_start: time, last_query: time });
            return None;
        };
        let silence_ns = u64::try_from(time.nanos_since(seen.last_query)).unwrap_or(0);
        if silence_ns < burst_gap_ns {
            seen.last_query = seen.last_query.max(time);
            return None;
        }
        let interval_ns = u64::try_from(time.nanos_since(seen.last_start)).ok();
        seen.last_start = time;
        seen.last_query = time;
        interval_ns
    }

    /// The next query starts a burst, and no interval ends with it: the clock stepped back.
    pub(crate) fn break_off(&mut self) {
        if let Some(seen) = &mut self.0 {
            // What lies longer ago than any interval that counts.
            (seen.last_start, seen.last_query) = (Timestamp::MIN, Timestamp::MIN);
        }
    }

    /// Appends the bursts of the part that follows.
    pub(crate) fn join(&mut self, next: &Self, burst_gap_ns: u64) -> Joint {
        let (Some(seen), Some(next)) = (&mut self.0, next.0) else {
            self.0 = self.0.or(next.0);
            return Joint::None;
        };
        let silence_ns = u64::try_from(next.first_start.nanos_since(seen.last_query)).unwrap_or(0);
        let interval_ns = u64::try_from(next.first_start.nanos_since(seen.last_start));
        let is_one_burst = next.last_start == next.first_start && silence_ns < burst_gap_ns;
        let last_start = if is_one_burst { seen.last_start } else { next.last_start };
        *seen = Seen {
            first_start: seen.first_start.min(next.first_start),
            last_start: last_start.max(seen.last_start),
            last_query: next.last_query.max(seen.last_query),
        };
        match interval_ns {
            Ok(interval_ns) if silence_ns >= burst_gap_ns => Joint::Interval(interval_ns, next.first_start),
            _ => Joint::InProgress,
        }
    }
}
