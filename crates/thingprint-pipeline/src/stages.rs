//! The stages that the commands are made of.
mod flows;
mod identity;
mod instances;
mod inventory;
mod parts;
mod vantage;

pub use flows::{FlowId, FlowObserver, FlowRow, FlowStage};
pub use identity::IdentityStage;
pub use instances::InstanceStage;
pub use inventory::InventoryStage;
pub use parts::PartStage;
pub use vantage::VantageStage;
