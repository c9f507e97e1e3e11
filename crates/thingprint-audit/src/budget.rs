use std::cmp::Reverse;
use std::collections::BTreeMap;

use thingprint_flow::DeviceIndex;

use crate::AuditLimits;
use crate::rule::Rank;

/// Where sightings are kept: the device, and the rule by its place in [`Rule::all`](crate::Rule::all).
pub(crate) type Holder = (DeviceIndex, usize);

/// How many sightings are kept of all devices, and where the least important ones are.
///
/// Where several places hold equally unimportant ones, the device that came last gives way: who makes up addresses to
/// fill the memory does not push out what was known before.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: AuditLimits,
    /// Sightings by importance and place.
    kept: BTreeMap<(Rank, Reverse<Holder>), usize>,
    /// All of them.
    all: usize,
}

impl Budget {
    pub(crate) const fn new(limits: AuditLimits) -> Self {
        Self { limits, kept: BTreeMap::new(), all: 0 }
    }

    /// The place that has to give up its least important sighting for one more `on` a place, which holds `held` and a
    /// `least` one among them: `None` where there is room.
    pub(crate) fn giver(&self, on: Holder, held: usize, least: Option<Rank>) -> Option<(Rank, Holder)> {
        if held >= self.limits.per_rule.max(1) {
            return least.map(|rank| (rank, on));
        }
        if self.all < self.limits.all.max(1) {
            return None;
        }
        self.kept.keys().next().map(|(rank, Reverse(holder))| (*rank, *holder))
    }

    pub(crate) fn add(&mut self, rank: Rank, holder: Holder) {
        *self.kept.entry((rank, Reverse(holder))).or_default() += 1;
        self.all += 1;
    }

    pub(crate) fn remove(&mut self, rank: Rank, holder: Holder) {
        let key = (rank, Reverse(holder));
        let Some(count) = self.kept.get_mut(&key) else { return };
        *count -= 1;
        self.all -= 1;
        if *count == 0 {
            self.kept.remove(&key);
        }
    }
}
