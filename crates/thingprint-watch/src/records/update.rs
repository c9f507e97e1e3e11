use thingprint_flow::Timestamp;

use super::device::{Sighting, Standing, StandingChange};
use super::event::Event;
use super::finding::FindingRecord;
use super::window::WindowRecord;
use thingprint_flow::DeviceId;

/// Something that is known now. What comes together is kept together.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// A device as it was seen so far.
    Device(Sighting),
    /// A window is final.
    Window(WindowRecord),
    /// A window as it looks so far; it takes the place of what was said of it before.
    Provisional(WindowRecord),
    /// The verdict on a device that stands.
    Standing(DeviceId, Standing),
    /// The verdict that stands is another one than before.
    Changed(StandingChange),
    /// A finding; one that is known gets more flows.
    Finding(FindingRecord),
    /// An event; one of a known number takes its place.
    Event(Event),
}

/// Updates that are kept together: all of them, or none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// The updates, in the order of time.
    pub updates: Vec<Update>,
    /// Every window that ends by this time is final; `None` where nothing is final yet.
    pub final_until: Option<Timestamp>,
}
