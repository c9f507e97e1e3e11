use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use hashbrown::HashSet;

use super::key::FlowKey;
use crate::Timestamp;

const SECOND_NS: i64 = 1_000_000_000;
/// Entries of flows that ended early, beside as many as there are flows.
const MOST_SURPLUS: usize = 4096;

/// When the flows of a table have to be looked at again, by whole seconds.
///
/// A flow is entered once for each idle time that it lives, and not with each packet: when its second comes, it is
/// either over, or entered anew by the time of its last packet.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    due: BTreeMap<i64, Vec<(u64, FlowKey)>>,
    entries: usize,
}

impl Expiry {
    /// Enters a flow, to be looked at no earlier than `at`.
    pub(super) fn enter(&mut self, at: Timestamp, hash: u64, key: FlowKey) {
        self.entries += 1;
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
        let flows = self.due.pop_first().map(|(_, flows)| flows).unwrap_or_default();
        self.entries -= flows.len();
        flows
    }

    /// Whether there are many more entries than so many flows have: those of flows that ended early stay until their time.
    pub(super) const fn is_surplus(&self, flows: usize) -> bool {
        self.entries > 2 * flows + MOST_SURPLUS
    }

    /// Leaves out flows that are there no more, and what is entered again.
    pub(super) fn tidy(&mut self, is_there: impl Fn(u64, &FlowKey) -> bool) {
        let mut known = HashSet::with_hasher(RandomState::default());
        for flows in self.due.values_mut() {
            flows.retain(|(hash, key)| is_there(*hash, key) && known.insert(*key));
        }
        self.due.retain(|_, flows| !flows.is_empty());
        self.entries = self.due.values().map(Vec::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DeviceIndex;
    use crate::track::key::FiveTuple;

    #[test]
    fn flows_that_are_gone_leave_room() {
        let key = |number| FlowKey { device: DeviceIndex::new(number), tuple: FiveTuple::default() };
        let mut expiry = Expiry::default();
        for number in 0..100_000 {
            // One flow is there at a time; each ends early, for the next one.
            let at = Timestamp::from_seconds(i64::from(number));
            expiry.enter(at, 0, key(number % 3));
            if expiry.is_surplus(1) {
                expiry.tidy(|_, other| *other == key(number % 3));
            }
            assert!(expiry.entries <= MOST_SURPLUS + 2);
        }
        expiry.tidy(|_, other| *other == key(0));
        assert_eq!((expiry.entries, expiry.take()), (1, vec![(0, key(0))]));
        assert_eq!(expiry.next(), None);
    }
}
