use std::collections::{BTreeMap, VecDeque};

use thingprint_flow::DeviceId;
use thingprint_instance::Labeled;
use thingprint_store::ExportCounts;

/// Windows of a device that a model is trained from: twelve weeks of hours. Older ones say less of what it is now.
const MOST_OF_DEVICE: usize = 2016;
/// Windows of all devices: those of a hundred devices. An instance has some KB.
const MOST_WINDOWS: usize = 200_000;

/// The newest windows of each device, of those that come in the order of time.
#[derive(Default)]
pub(super) struct Newest {
    devices: BTreeMap<DeviceId, VecDeque<Labeled>>,
    count: usize,
    left_out: u64,
}

impl Newest {
    /// Takes the next window; the oldest one of its device goes where there are too many, or that of the device with most.
    pub(super) fn add(&mut self, row: Labeled) {
        let device = row.instance.device;
        let of_device = self.devices.entry(device).or_default();
        of_device.push_back(row);
        self.count += 1;
        let most = (of_device.len() > MOST_OF_DEVICE).then_some(device);
        let crowded = || self.devices.iter().max_by_key(|(_, rows)| rows.len()).map(|(device, _)| *device);
        let from = most.or_else(|| (self.count > MOST_WINDOWS).then(crowded).flatten());
        if let Some(rows) = from.and_then(|device| self.devices.get_mut(&device)) {
            rows.pop_front();
            self.count -= 1;
            self.left_out += 1;
        }
    }

    /// What to know of windows that are not among those that a model is trained from.
    pub(super) fn warnings(&self, counts: &ExportCounts) -> Vec<String> {
        let parts = [
            (self.left_out, "older windows were left out: the newest 2016 of each device count"),
            (counts.other_recipe, "windows were left out, since they were made by other options"),
            (counts.unreadable, "windows were left out, since the store is damaged there"),
        ];
        let some = parts.into_iter().filter(|(number, _)| *number > 0);
        some.map(|(number, why)| format!("{number} {why}")).collect()
    }

    /// The windows, by device.
    pub(super) fn into_rows(self) -> Vec<Labeled> {
        self.devices.into_values().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::Timestamp;
    use thingprint_instance::{Attributes, Bags, Counts, Instance, Spreads};

    use super::*;

    #[test]
    fn the_newest_windows_of_each_device_stay_and_the_others_are_counted() {
        let mut newest = Newest::default();
        let devices: [DeviceId; 2] =
            ["02:00:00:00:00:01", "02:00:00:00:00:02"].map(|text| text.parse().unwrap());
        let row = |device, second| Labeled {
            instance: Instance {
                device,
                window_start: Timestamp::from_seconds(second),
                window_s: 3600.0,
                capture: None,
                attributes: Attributes::default(),
                bags: Bags::default(),
                counts: Counts::default(),
                spread: Spreads::default(),
            },
            label: None,
        };
        (0..).take(MOST_OF_DEVICE + 3).for_each(|second| newest.add(row(devices[0], second)));
        newest.add(row(devices[1], 0));
        let warnings = newest.warnings(&ExportCounts { other_recipe: 4, ..ExportCounts::default() });
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].starts_with("3 older") && warnings[1].starts_with("4 windows"), "{warnings:?}");
        let rows = newest.into_rows();
        assert_eq!(rows.len(), MOST_OF_DEVICE + 1);
        assert_eq!(rows[0].instance.window_start, Timestamp::from_seconds(3));
    }
}
