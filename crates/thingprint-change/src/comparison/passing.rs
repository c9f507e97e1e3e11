use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::{DeviceId, Timestamp};

use crate::alarm::Excess;
use crate::{Alarm, Change, Measure};

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

/// The alarms of each device, those in events of the network left out; `is_known` says of an excess that it is reported otherwise.
pub(super) fn passing(
    changes: &[Change],
    is_known: impl Fn(DeviceId, &Excess) -> bool,
) -> BTreeMap<DeviceId, Passing> {
    let mut by_device: BTreeMap<DeviceId, Passing> = BTreeMap::new();
    for change in changes {
        let Change::Alarm(Alarm { device, window_start, excesses }) = change else { continue };
        for excess in excesses.iter().filter(|excess| !is_known(*device, excess)) {
            let passing = by_device.entry(*device).or_insert_with(|| Passing {
                windows: Vec::new(),
                measures: BTreeSet::new(),
                most: excess.clone(),
                at: *window_start,
            });
            if passing.windows.last() != Some(window_start) {
                passing.windows.push(*window_start);
            }
            passing.measures.insert(excess.measure);
            if excess.ratio() > passing.most.ratio() {
                passing.most = excess.clone();
                passing.at = *window_start;
            }
        }
    }
    by_device
}
