//! The flow table: packets in, flows of each device out.

mod client;
mod device;
mod flow;
mod gateway;
mod key;
mod options;
mod table;
mod tracker;
mod window;

pub use device::{DeviceIndex, is_private};
pub use flow::{Flow, FlowEnd, Tally};
pub use gateway::{GatewayVotes, elect_gateway};
pub use key::{Endpoint, FiveTuple, Sighting};
pub use options::{
    FlowEnding, FlowOptions, Identity, PacketSize, ParseOptionError, ServerPorts, WindowLength,
};
pub use tracker::{Finished, Observer, TrackCounts, Tracker};
pub use window::WindowIndex;
