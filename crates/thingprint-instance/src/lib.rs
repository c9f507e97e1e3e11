//! Hourly instances of each device.
mod instance;

pub use instance::{
    Attribute, Attributes, Bag, Bags, Counts, Instance, Kind, Label, Labeled, ParseKindError, Spread,
};
