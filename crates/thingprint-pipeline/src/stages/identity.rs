use std::convert::Infallible;

use thingprint_flow::{DeviceId, DeviceLosses, Timestamp};
use thingprint_identity::{IdentityObserver, IdentityOptions, Statements};
use thingprint_protocol::Engine;

use crate::router::SHARDS;
use crate::stage::{End, Stage};

/// Notes what devices say of themselves; what a shard leaves are its devices with that.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdentityStage {
    options: IdentityOptions,
}

impl IdentityStage {
    /// A stage whose shards share these caps.
    pub const fn new(options: IdentityOptions) -> Self {
        Self { options }
    }
}

impl Stage for IdentityStage {
    type Observer = IdentityObserver;
    type Row = Infallible;
    type Rest = Vec<(DeviceId, Statements)>;
    type Key = ();

    fn observer(&self, _: &Engine) -> IdentityObserver {
        IdentityObserver::new(self.options.shared_among(SHARDS))
    }

    fn take(&self, _: &mut IdentityObserver) -> Vec<Infallible> {
        Vec::new()
    }

    fn order(&self, row: &Infallible) -> (Timestamp, ()) {
        match *row {}
    }

    fn device(&self, row: &Infallible) -> Option<DeviceId> {
        match *row {}
    }

    fn left_out(&self, observer: &IdentityObserver) -> DeviceLosses {
        observer.left_out()
    }

    fn finish(&self, observer: IdentityObserver, _: &End) -> Vec<(DeviceId, Statements)> {
        observer.into_devices()
    }
}
