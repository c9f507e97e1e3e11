use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thingprint_change::Detector;
use thingprint_flow::{DeviceId, Gateways, Timestamp};
use thingprint_instance::ExtractionRecipe;

use crate::device_state::Presence;
use crate::known::KnownWords;
use crate::options::WatchOptions;
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
    /// Findings that are known, acknowledged or not: device, rule, what was said.
    pub findings: BTreeSet<(DeviceId, String, String)>,
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

/// What a watcher remembers beside its accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Bytes for [`Resume::state`].
    pub bytes: Vec<u8>,
    /// The devices that it is about.
    pub devices: Vec<DeviceId>,
}

/// Number of the form in which a watcher remembers things; raised when a field changes.
const FORM: u32 = 2;

/// What a watcher remembers beside what the store has in columns.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Memory {
    pub(crate) gateways: Gateways,
    pub(crate) detector: Detector,
    pub(crate) devices: Vec<(DeviceId, KnownWords, Presence)>,
    /// Identifies the model whose answers are stored.
    pub(crate) judged_by: Option<u64>,
}

impl Memory {
    /// Nothing is remembered.
    pub(crate) fn new(options: &WatchOptions) -> Self {
        Self {
            gateways: Gateways::default(),
            detector: Detector::new(options.change.clone()),
            devices: Vec::new(),
            judged_by: None,
        }
    }

    /// How windows are made, and who is a device: what was learned another way says nothing here.
    pub(crate) fn recipe(options: &WatchOptions) -> String {
        let flow = &options.pipeline.flow;
        format!("{} identity={:?}", ExtractionRecipe::of(&options.instance).as_str(), flow.identity)
    }

    /// Reads what an earlier reading remembered; `None` where another version of the program wrote it, or windows were made
    /// another way: then it is learned anew.
    pub(crate) fn read(bytes: Option<&[u8]>, options: &WatchOptions) -> Option<Self> {
        let ((form, recipe), rest) = postcard::take_from_bytes::<(u32, String)>(bytes?).ok()?;
        let is_same = form == FORM && recipe == Self::recipe(options);
        postcard::from_bytes(rest).ok().filter(|_| is_same)
    }

    pub(crate) fn write(&self, recipe: &str) -> Option<Vec<u8>> {
        let mut bytes = postcard::to_allocvec(&(FORM, recipe)).ok()?;
        bytes.extend(postcard::to_allocvec(self).ok()?);
        Some(bytes)
    }
}
