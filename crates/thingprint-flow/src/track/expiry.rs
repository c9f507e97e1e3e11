use std::collections::BTreeMap;

use super::key::FlowKey;
use crate::Timestamp;

const SECOND_NS: i64 = 1_000_000_000;

/// When the flows of a table have to be looked at again, by whole seconds.
///
/// A flow is entered once for each idle time that it lives, and not with each packet: when its second comes, it is
/// either over, or entered anew by the time of its last packet.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    due: BTreeMap<i64, Vec<(u64, FlowKey)>>,
}

impl Expiry {
    /// Enters a flow, to be looked at no earlier than `at`.
    pub(super) fn enter(&mut self, at: Timestamp, hash: u64, key: FlowKey) {
        self.due.entry(at.as_nanos().div_euclid(SECOND_NS) + 1).or_default().push((hash, key));
    }

    /// The next time at which [`Self::take`] gives anything.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let next = self.due.first_key_value().map(|(second, _)| Timestamp::from_seconds(*second));
        // Beyond the end of time, which only a damaged capture comes near, nothing is looked at again.
        next.filter(|at| *at < Timestamp::MAX)
    }

    /// The flows of the next second.
    pub(super) fn take(&mut self) -> Vec<(u64, FlowKey)> {
        self.due.pop_first().map(|(_, flows)| flows).unwrap_or_default()
    }
}
