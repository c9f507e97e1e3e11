//! What the place of a capture shows, and what to do where it hides something.

use thingprint_flow::DeviceId;
use thingprint_pipeline::{ReadSummary, Summary};
use thingprint_profile::{DeviceVantage, Vantage, VantageTopic};

use crate::messages::Say;

/// What the devices of all shards show, without gateways.
pub(crate) fn vantage_of(shards: Vec<Vec<(DeviceId, DeviceVantage)>>, summary: &Summary) -> Vantage {
    let is_gateway =
        |device: DeviceId| matches!(device, DeviceId::Mac(mac) if summary.gateways.contains(mac));
    let devices = shards.into_iter().flatten().filter(|(device, _)| !is_gateway(*device));
    Vantage::of(devices.map(|(_, shows)| shows), summary.read.place)
}

/// Says what the place of a capture hides.
pub(crate) fn report_vantage(vantage: &Vantage, messages: impl Say) {
    for note in vantage.notes() {
        match note.topic {
            // Every command warns of packets that were cut.
            VantageTopic::SnapLength => {}
            _ if note.is_severe => messages.warn(note),
            VantageTopic::EncryptedDns | VantageTopic::EncryptedHello => messages.fact(note),
            _ => messages.detail(note),
        }
    }
}

/// Says what is severe of the packets as a whole, where devices are not looked at for it.
pub(crate) fn report_place(read: &ReadSummary, messages: impl Say) {
    for note in read.place.severe_notes() {
        messages.warn(note);
    }
}
