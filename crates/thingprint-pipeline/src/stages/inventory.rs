use std::convert::Infallible;

use thingprint_flow::{DeviceId, DeviceLosses, Timestamp};
use thingprint_instance::{Inventory, InventoryRecord};
use thingprint_protocol::Engine;

use crate::stage::{End, Stage};

/// Lists the devices, and what gateways say for themselves; what a shard leaves are the records of its hosts.
#[derive(Clone, Copy, Debug, Default)]
pub struct InventoryStage;

impl Stage for InventoryStage {
    type Observer = Inventory;
    type Row = Infallible;
    type Rest = Vec<InventoryRecord>;
    type Key = ();

    fn observer(&self, engine: &Engine) -> Inventory {
        Inventory::new(engine)
    }

    fn take(&self, _: &mut Inventory) -> Vec<Infallible> {
        Vec::new()
    }

    fn order(&self, row: &Infallible) -> (Timestamp, ()) {
        match *row {}
    }

    fn device(&self, row: &Infallible) -> Option<DeviceId> {
        match *row {}
    }

    fn left_out(&self, observer: &Inventory) -> DeviceLosses {
        observer.left_out()
    }

    fn finish(&self, observer: Inventory, _: &End) -> Vec<InventoryRecord> {
        observer.into_records()
    }
}
