use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thingprint_change::Detector;
use thingprint_flow::{DeviceId, Gateways, Timestamp};

use crate::device_state::Presence;
use crate::known::KnownWords;
use crate::records::{Event, Sighting, Standing, WindowRecord};

/// What a reading goes on from: what an earlier one left in the store.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    /// The devices.
    pub devices: Vec<ResumedDevice>,
    /// The number of the next event.
    pub next_event: u64,
    /// Events that are open.
    pub open_events: Vec<Event>,
    /// The rules that devices are known to break, acknowledged or not.
    pub findings: BTreeSet<(DeviceId, String)>,
    /// How many pieces of windows are stored that are not final for all devices: those that a reading was stopped in.
    pub parts: BTreeMap<(DeviceId, Timestamp), u32>,
    /// Every window that ends by this time is stored.
    pub final_until: Option<Timestamp>,
    /// What [`Watcher::take_memory`](crate::Watcher::take_memory) gave last.
    pub state: Option<Vec<u8>>,
}

/// A device of an earlier reading.
#[derive(Clone, Debug)]
pub struct ResumedDevice {
    /// As it was seen last.
    pub sighting: Sighting,
    /// The label that it was given.
    pub label: Option<String>,
    /// Whether its events go to the page alone.
    pub is_muted: bool,
    /// The verdict that stood.
    pub standing: Option<Standing>,
    /// Its last windows, the latest last, with the distributions of their answers.
    pub windows: Vec<WindowRecord>,
}

/// What a watcher remembers beside what the store has in columns.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Memory {
    pub(crate) gateways: Gateways,
    pub(crate) detector: Detector,
    pub(crate) devices: Vec<(DeviceId, KnownWords, Presence)>,
}
