use std::collections::BTreeSet;
use std::sync::Arc;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_report::Labels;
use thingprint_store::Reader;
use thingprint_watch::{
    DeviceRecord, Event, EventFilter, FindingRecord, GivenLabel, Records, RecordsError, StandingChange,
    WindowRecord,
};

/// Records with the labels of a file, where the page gave none.
pub(super) struct Labelled {
    pub(super) reader: Reader,
    pub(super) labels: Arc<Labels>,
    /// Since when the labels of the file hold.
    pub(super) since: Timestamp,
}

impl Labelled {
    fn label(&self, mut record: DeviceRecord) -> DeviceRecord {
        let of_file = || self.labels.label_of(record.sighting.device, None).map(|label| label.class.clone());
        record.label = record.label.take().or_else(of_file);
        record
    }
}

impl Records for Labelled {
    fn devices(&self) -> Result<Vec<DeviceRecord>, RecordsError> {
        let devices = self.reader.devices()?;
        Ok(devices.into_iter().map(|device| self.label(device)).collect())
    }

    fn device(&self, device: DeviceId) -> Result<Option<DeviceRecord>, RecordsError> {
        Ok(self.reader.device(device)?.map(|device| self.label(device)))
    }

    fn windows(
        &self,
        device: DeviceId,
        from: Timestamp,
        most: usize,
    ) -> Result<Vec<WindowRecord>, RecordsError> {
        self.reader.windows(device, from, most)
    }

    fn instances(&self, device: DeviceId, most: usize) -> Result<Vec<WindowRecord>, RecordsError> {
        self.reader.instances(device, most)
    }

    fn changes(&self, device: DeviceId) -> Result<Vec<StandingChange>, RecordsError> {
        self.reader.changes(device)
    }

    fn findings(&self, device: Option<DeviceId>) -> Result<Vec<FindingRecord>, RecordsError> {
        self.reader.findings(device)
    }

    fn events(&self, filter: &EventFilter) -> Result<Vec<Event>, RecordsError> {
        self.reader.events(filter)
    }

    fn labels(&self) -> Result<Vec<GivenLabel>, RecordsError> {
        let mut given = self.reader.labels()?;
        let known: BTreeSet<DeviceId> = given.iter().map(|given| given.device).collect();
        let of_file = self.labels.devices().filter(|device| !known.contains(device));
        given.extend(of_file.filter_map(|device| {
            let label = self.labels.label_of(device, None)?.class.clone();
            Some(GivenLabel { device, label, at: self.since })
        }));
        Ok(given)
    }
}
