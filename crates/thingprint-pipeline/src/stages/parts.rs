use std::convert::Infallible;

use thingprint_flow::{DeviceId, DeviceLosses, Timestamp};
use thingprint_instance::{InstanceOptions, PartDevices, PartObserver};
use thingprint_protocol::Engine;

use crate::router::SHARDS;
use crate::shard::FLOW_SHARE;
use crate::stage::{End, Stage};

/// Keeps what a [`Part`](thingprint_instance::Part) is made of; what a shard leaves are its devices.
#[derive(Clone, Debug)]
pub struct PartStage {
    options: InstanceOptions,
}

impl PartStage {
    /// A stage that makes parts by these options.
    pub fn new(mut options: InstanceOptions) -> Self {
        options.flow.max_flows = options.flow.max_flows.div_ceil(FLOW_SHARE);
        options.max_bytes = options.max_bytes.div_ceil(SHARDS);
        Self { options }
    }
}

impl Stage for PartStage {
    type Observer = PartObserver;
    type Row = Infallible;
    type Rest = PartDevices;
    type Key = ();

    fn observer(&self, _: &Engine) -> PartObserver {
        PartObserver::new(self.options.clone())
    }

    fn take(&self, _: &mut PartObserver) -> Vec<Infallible> {
        Vec::new()
    }

    fn order(&self, row: &Infallible) -> (Timestamp, ()) {
        match *row {}
    }

    fn device(&self, row: &Infallible) -> Option<DeviceId> {
        match *row {}
    }

    fn left_out(&self, observer: &PartObserver) -> DeviceLosses {
        observer.left_out()
    }

    fn finish(&self, observer: PartObserver, end: &End) -> PartDevices {
        observer.into_part_devices(&end.devices, &end.carried)
    }
}
