use serde::{Deserialize, Serialize};
use thingprint_flow::Timestamp;

use crate::parcel::{ParcelHead, RunId};

/// What a collector has of a tap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapState {
    /// The numbering of its parcels; `None` before the first one.
    pub run: Option<RunId>,
    /// The number of the next parcel.
    pub next: u64,
    /// The clock of the tap up to which everything came; `None` before the first parcel.
    pub until: Option<Timestamp>,
    /// Whether its sources ended.
    pub is_ended: bool,
    /// Parcels that came.
    pub parcels: u64,
    /// Parcels whose parts the tap dropped, since its spool was full.
    pub dropped: u64,
    /// Parcels that never came, by their numbers.
    pub missing: u64,
    /// Parcels that came after their windows were final.
    pub late: u64,
}

impl TapState {
    /// Whether a parcel came before.
    pub(crate) fn has(&self, head: &ParcelHead) -> bool {
        self.run.is_some_and(|run| head.run < run || head.run == run && head.number < self.next)
    }

    /// The time between the last parcel and this one, where others between them never came.
    pub(crate) fn gap_before(&self, head: &ParcelHead) -> Option<(Timestamp, Timestamp)> {
        let is_missing = self
            .run
            .is_some_and(|run| if run == head.run { head.number > self.next } else { head.number > 0 });
        let begin = head.span.map_or(head.until, |(start, _)| start);
        self.until.filter(|until| is_missing && *until < begin).map(|until| (until, begin))
    }

    /// Notes a parcel that did not come before; `is_late` says that its windows are final.
    pub(crate) fn note(&mut self, head: &ParcelHead, is_late: bool) {
        // A collector may begin later than a tap.
        self.missing += match self.run {
            Some(run) if run == head.run => head.number.saturating_sub(self.next),
            Some(_) => head.number,
            None => 0,
        };
        self.run = Some(head.run);
        self.next = head.number.saturating_add(1);
        self.until = Some(head.until);
        self.is_ended = head.is_last;
        self.parcels += 1;
        self.dropped += u64::from(head.is_dropped);
        self.late += u64::from(is_late);
    }
}
