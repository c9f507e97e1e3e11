use std::sync::{Arc, Mutex};

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_watch::{
    DeviceRecord, Event, EventFilter, FindingRecord, GivenLabel, Records, RecordsError, StandingChange,
    WindowRecord,
};

use super::World;

/// Access to what is kept.
pub(super) struct Snapshot(pub(super) Arc<Mutex<World>>);

impl Records for Snapshot {
    fn devices(&self) -> Result<Vec<DeviceRecord>, RecordsError> {
        Ok(self.0.lock().unwrap().devices.values().cloned().collect())
    }

    fn device(&self, device: DeviceId) -> Result<Option<DeviceRecord>, RecordsError> {
        Ok(self.0.lock().unwrap().devices.get(&device).cloned())
    }

    fn windows(
        &self,
        device: DeviceId,
        from: Timestamp,
        most: usize,
    ) -> Result<Vec<WindowRecord>, RecordsError> {
        let world = self.0.lock().unwrap();
        let windows = world.windows.get(&device).into_iter().flatten();
        Ok(windows.filter(|window| window.window_start >= from).take(most).cloned().collect())
    }

    fn instances(&self, device: DeviceId, most: usize) -> Result<Vec<WindowRecord>, RecordsError> {
        self.windows(device, Timestamp::MIN, most)
    }

    fn changes(&self, device: DeviceId) -> Result<Vec<StandingChange>, RecordsError> {
        let world = self.0.lock().unwrap();
        Ok(world.changes.iter().filter(|change| change.device == device).cloned().collect())
    }

    fn findings(&self, device: Option<DeviceId>) -> Result<Vec<FindingRecord>, RecordsError> {
        let world = self.0.lock().unwrap();
        let is_of = |finding: &&FindingRecord| device.is_none_or(|device| finding.device == device);
        let mut findings: Vec<FindingRecord> = world.findings.iter().filter(is_of).cloned().collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Ok(findings)
    }

    fn events(&self, filter: &EventFilter) -> Result<Vec<Event>, RecordsError> {
        let world = self.0.lock().unwrap();
        let is_wanted = |event: &&Event| {
            filter.device.is_none_or(|device| event.device == Some(device))
                && filter.kind.is_none_or(|kind| event.kind == kind)
                && filter.since.is_none_or(|since| event.at >= since)
                && filter.before.is_none_or(|before| event.id < before)
                && !(filter.is_open && event.acknowledged_at.is_some())
        };
        let most = if filter.most == 0 { usize::MAX } else { filter.most };
        Ok(world.events.iter().rev().filter(is_wanted).take(most).cloned().collect())
    }

    fn labels(&self) -> Result<Vec<GivenLabel>, RecordsError> {
        Ok(self.0.lock().unwrap().labels.clone())
    }
}
