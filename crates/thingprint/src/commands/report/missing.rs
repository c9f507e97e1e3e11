//! What a report lacks, because it could not be read, was cut, or was too much.

use std::collections::BTreeMap;

use thingprint_flow::{DeviceId, DeviceLosses, LossCounts};

use crate::commands::compare::side::SideRead;
use crate::messages::{Kept, Messages};
use crate::read_report::report_read;

/// What a report lacks.
#[derive(Debug, Default)]
pub(super) struct Missing {
    /// What could not be read, or was cut, in sentences.
    pub(super) unread: Vec<String>,
    /// What caps left out of each device.
    pub(super) devices: BTreeMap<DeviceId, LossCounts>,
    /// The same of addresses that are not told apart.
    pub(super) others: LossCounts,
}

impl Missing {
    /// What is missing of the time that is reported, with what the inventory lacks, and of the earlier one.
    pub(super) fn of(now: &SideRead, before: Option<&SideRead>, of_inventory: &DeviceLosses) -> Self {
        let mut missing = Self { unread: unread(now), ..Self::default() };
        let earlier = before.into_iter().flat_map(unread);
        missing.unread.extend(earlier.map(|text| format!("In the earlier time: {text}")));
        let readings = now.summary.iter().chain(now.survey.iter().map(|survey| &survey.summary));
        for left_out in readings.map(|summary| &summary.left_out).chain([of_inventory]) {
            missing.add(left_out);
        }
        missing
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unread.is_empty() && self.devices.is_empty() && self.others.is_empty()
    }

    /// The captures are read more than once, and each reading reaches the caps of flows again: the larger number counts.
    fn add(&mut self, losses: &DeviceLosses) {
        for (device, counts) in losses.by_size() {
            merge(self.devices.entry(device).or_default(), counts);
        }
        merge(&mut self.others, losses.others());
    }
}

fn merge(counts: &mut LossCounts, others: &LossCounts) {
    for (kind, count) in others {
        let most = counts.entry(kind.clone()).or_default();
        *most = (*most).max(*count);
    }
}

/// What was warned of when a side was read.
fn unread(side: &SideRead) -> Vec<String> {
    let kept = Kept::new(Messages::new(true, false));
    if let Some(summary) = &side.summary {
        // A reading that failed as a whole was refused before.
        _ = report_read(&summary.read, side.captures.len(), &kept);
    }
    [side.warnings.clone(), kept.into_warnings()].concat()
}
