use thingprint_flow::{DeviceId, Timestamp};

use super::device::{DeviceRecord, StandingChange};
use super::event::{Event, EventKind};
use super::finding::FindingRecord;
use super::request::GivenLabel;
use super::window::WindowRecord;

/// What can be asked of what is kept.
pub trait Records: Send {
    /// All devices, in the order of their addresses.
    fn devices(&self) -> Result<Vec<DeviceRecord>, RecordsError>;

    /// One device.
    fn device(&self, device: DeviceId) -> Result<Option<DeviceRecord>, RecordsError>;

    /// The last final windows of a device from a time on, the latest first, without instances.
    fn windows(
        &self,
        device: DeviceId,
        from: Timestamp,
        most: usize,
    ) -> Result<Vec<WindowRecord>, RecordsError>;

    /// The last windows of a device with their instances, the latest first.
    fn instances(&self, device: DeviceId, most: usize) -> Result<Vec<WindowRecord>, RecordsError>;

    /// How the verdict on a device changed, the latest first.
    fn changes(&self, device: DeviceId) -> Result<Vec<StandingChange>, RecordsError>;

    /// Findings of a device, or of all; the most severe first.
    fn findings(&self, device: Option<DeviceId>) -> Result<Vec<FindingRecord>, RecordsError>;

    /// Events, the latest first.
    fn events(&self, filter: &EventFilter) -> Result<Vec<Event>, RecordsError>;

    /// Labels that were given.
    fn labels(&self) -> Result<Vec<GivenLabel>, RecordsError>;
}

/// Which events are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this device.
    pub device: Option<DeviceId>,
    /// Of this kind.
    pub kind: Option<EventKind>,
    /// That happened at this time or later.
    pub since: Option<Timestamp>,
    /// That nobody acknowledged.
    pub is_open: bool,
    /// Of numbers below this one: the next page of a list.
    pub before: Option<u64>,
    /// At most so many; 0 for all.
    pub most: usize,
}

/// Why what is kept cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RecordsError(pub String);
