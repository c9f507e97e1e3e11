use std::collections::BTreeSet;
use std::sync::Arc;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{Kind, Label};
use thingprint_report::Labels;
use thingprint_store::Reader;
use thingprint_watch::{
    DeviceRecord, Event, EventFilter, FindingRecord, GivenLabel, Records, RecordsError, StandingChange,
    WindowRecord,
};

/// What a device is, everywhere: what a person said on the page; else what the file of labels says, of a time where one is
/// given.
pub(super) fn label_of(
    given: Option<&str>,
    labels: &Labels,
    (device, at): (DeviceId, Option<Timestamp>),
) -> Option<Label> {
    let of_page = given.map(|label| Label::new(label, Kind::Iot));
    of_page.or_else(|| {
        let of_file =
            at.map_or_else(|| labels.label_of(device, None), |at| labels.label_at(device, None, at));
        of_file.cloned()
    })
}

/// Records with the labels of a file, where the page gave none.
pub(super) struct Labelled {
    pub(super) reader: Reader,
    pub(super) labels: Arc<Labels>,
    /// Since when the labels of the file hold.
    pub(super) since: Timestamp,
}

impl Labelled {
    fn label(&self, mut record: DeviceRecord) -> DeviceRecord {
        let label = label_of(record.label.as_deref(), &self.labels, (record.sighting.device, None));
        record.label = label.map(|label| label.class);
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
            let label = label_of(None, &self.labels, (device, None))?.class;
            Some(GivenLabel { device, label, at: self.since })
        }));
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_comes_before_the_file_and_the_file_comes_back() {
        let file = "mac,label,kind\n02:00:00:00:00:01,camera,iot\n";
        let labels = Labels::read(file.as_bytes(), "labels.csv").unwrap();
        let device: DeviceId = "02:00:00:00:00:01".parse().unwrap();
        let class = |given: Option<&str>| label_of(given, &labels, (device, None)).map(|label| label.class);
        assert_eq!(class(Some("doorbell")).as_deref(), Some("doorbell"));
        assert_eq!(class(None).as_deref(), Some("camera"), "what was taken back on the page");
        let at = Some(Timestamp::from_seconds(1_700_000_000));
        let class = |given: Option<&str>| label_of(given, &labels, (device, at)).map(|label| label.class);
        assert_eq!(
            (class(Some("doorbell")).as_deref(), class(None).as_deref()),
            (Some("doorbell"), Some("camera"))
        );
    }
}
