use std::convert::Infallible;

use thingprint_flow::{DeviceId, DeviceLosses, Timestamp};
use thingprint_profile::{DeviceVantage, VantageObserver};
use thingprint_protocol::Engine;

use crate::stage::{End, Stage};

/// Counts what the place of a capture shows; what a shard leaves are its devices with that.
#[derive(Clone, Copy, Debug, Default)]
pub struct VantageStage;

impl Stage for VantageStage {
    type Observer = VantageObserver;
    type Row = Infallible;
    type Rest = Vec<(DeviceId, DeviceVantage)>;
    type Key = ();

    fn observer(&self, _: &Engine) -> VantageObserver {
        VantageObserver::default()
    }

    fn take(&self, _: &mut VantageObserver) -> Vec<Infallible> {
        Vec::new()
    }

    fn order(&self, row: &Infallible) -> (Timestamp, ()) {
        match *row {}
    }

    fn device(&self, row: &Infallible) -> Option<DeviceId> {
        match *row {}
    }

    fn left_out(&self, observer: &VantageObserver) -> DeviceLosses {
        observer.left_out()
    }

    fn finish(&self, observer: VantageObserver, _: &End) -> Vec<(DeviceId, DeviceVantage)> {
        observer.into_devices()
    }
}
