use std::collections::BTreeSet;

use thingprint_flow::Timestamp;

use super::{Difference, Reported};
use crate::alarm::Excess;
use crate::{Alarm, Measure};

/// What a device did in some windows of the later time, and in none of the earlier one.
#[derive(Clone, Debug, PartialEq)]
pub struct Passing {
    /// Starts of the windows, in order.
    pub windows: Vec<Timestamp>,
    /// What exceeded its limit in any of them.
    pub measures: BTreeSet<Measure>,
    /// What exceeded its limit by most.
    pub most: Excess,
    /// The window in which that was.
    pub at: Timestamp,
}

impl Passing {
    fn of(excess: &Excess, at: Timestamp) -> Self {
        Self { windows: vec![at], measures: BTreeSet::from([excess.measure]), most: excess.clone(), at }
    }

    fn add(&mut self, excess: &Excess, at: Timestamp) {
        if self.windows.last() != Some(&at) {
            self.windows.push(at);
        }
        self.measures.insert(excess.measure);
        if excess.ratio() > self.most.ratio() {
            self.most = excess.clone();
            self.at = at;
        }
    }
}

/// What exceeded its limit in the alarms of a device, which are in the order of time: what nothing else reports, and the rest.
pub(super) fn passing(
    alarms: &[&Alarm],
    reported: &Reported<'_>,
) -> impl Iterator<Item = Difference> + use<> {
    let (mut passing, mut explained): (Option<Passing>, Option<Passing>) = (None, None);
    for alarm in alarms {
        for excess in &alarm.excesses {
            let side =
                if reported.explains(excess, alarm.window_start) { &mut explained } else { &mut passing };
            match side {
                Some(side) => side.add(excess, alarm.window_start),
                None => *side = Some(Passing::of(excess, alarm.window_start)),
            }
        }
    }
    passing.map(Difference::Passing).into_iter().chain(explained.map(Difference::Explained))
}
