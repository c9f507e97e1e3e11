use std::convert::Infallible;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{InstanceObserver, InstanceOptions, PartDevices};
use thingprint_protocol::Engine;

use crate::stage::{End, Stage};

/// Keeps what a [`Part`](thingprint_instance::Part) is made of; what a shard leaves are its devices.
#[derive(Clone, Debug)]
pub struct PartStage {
    options: InstanceOptions,
}

impl PartStage {
    /// A stage that makes parts by these options.
    pub const fn new(options: InstanceOptions) -> Self {
        Self { options }
    }
}

impl Stage for PartStage {
    type Observer = InstanceObserver;
    type Row = Infallible;
    type Rest = PartDevices;
    type Key = ();

    fn observer(&self, _: &Engine) -> InstanceObserver {
        InstanceObserver::keeping(self.options.clone())
    }

    fn take(&self, _: &mut InstanceObserver) -> Vec<Infallible> {
        Vec::new()
    }

    fn order(&self, row: &Infallible) -> (Timestamp, ()) {
        match *row {}
    }

    fn device(&self, row: &Infallible) -> Option<DeviceId> {
        match *row {}
    }

    fn finish(&self, observer: InstanceObserver, end: &End) -> PartDevices {
        observer.into_part_devices(&end.devices, &end.open_flows)
    }
}
