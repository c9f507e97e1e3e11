//! Instances of devices: what each device did in each window, as the classification paper defines it.
//!
//! A [`Builder`] takes the packets of a trace and gives a [`Part`]; a [`Partial`] joins the parts of a trace,
//! however it was cut, and assembles the [`Instance`]s.
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]

mod activity;
mod builder;
mod bursts;
mod device_entry;
mod device_state;
mod evidence;
mod exact_sum;
mod handed_out;
mod instance;
mod instance_observer;
mod inventory;
mod lookup;
mod memory;
mod models_id;
mod open_windows;
mod options;
mod origin;
mod part;
mod part_file;
mod part_observer;
mod partial;
mod recipe;
mod semantics;
mod share;
mod spool;
mod stats;
mod tally;

pub use builder::{BuildCounts, Builder};
pub use device_entry::{DeviceEntry, InventoryRecord};
pub use evidence::{Attribute, BagName, CollectionCost, EvidenceSet, Unit, UnknownEvidence};
pub use handed_out::InstanceLosses;
pub use instance::{
    Attributes, Bag, Bags, Counts, Instance, Kind, Label, Labeled, ParseKindError, Spread, Spreads,
};
pub use instance_observer::InstanceObserver;
pub use inventory::Inventory;
pub use models_id::ModelsId;
pub use options::{InstanceOptions, NameSource, PortScope, PortWord, RateMean};
pub use origin::Origin;
pub use part::{Part, PartDevices, PartId};
pub use part_file::{PartFile, PartFileError, PartSettings};
pub use part_observer::{PartObserver, PartState};
pub use partial::{Assembled, EdgeCounts, Partial, SharedWindow};
pub use recipe::ExtractionRecipe;
pub use semantics::Semantics;
pub use share::Share;
pub use spool::{read_spooled, write_spooled};
