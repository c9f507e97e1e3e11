use serde::{Deserialize, Serialize};
use thingprint_flow::Timestamp;

use crate::ChangeOptions;
use crate::alarm::Alarm;
use crate::change::{Change, NetworkEvent};

/// The windows of all devices that start at one time, usually an hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hour {
    pub(crate) start: Timestamp,
    devices_seen: usize,
    alarms: Vec<Alarm>,
}

impl Hour {
    /// The hour that starts at a time.
    pub(crate) const fn at(start: Timestamp) -> Self {
        Self { start, devices_seen: 0, alarms: Vec::new() }
    }

    /// Adds a window of a device that has a baseline.
    pub(crate) fn add(&mut self, alarm: Option<Alarm>) {
        self.devices_seen += 1;
        self.alarms.extend(alarm);
    }

    /// The changes of the hour: one event where enough devices and a third of those seen alarm, else each alarm.
    pub(crate) fn close(mut self, options: &ChangeOptions) -> Vec<Change> {
        self.alarms.sort_by_key(|alarm| alarm.device);
        let alarming = self.alarms.len();
        if alarming >= options.event_devices && 3 * alarming >= self.devices_seen {
            let Self { start, devices_seen, alarms } = self;
            return vec![Change::Network(NetworkEvent { window_start: start, devices_seen, alarms })];
        }
        self.alarms.into_iter().map(Change::Alarm).collect()
    }
}
