//! The flow table: packets in, flows of each device out.

mod answerers;
mod claim;
mod client;
mod counts;
mod device;
mod device_ids;
mod device_losses;
mod device_numbers;
mod edge;
mod expiry;
mod fair;
mod fair_map;
mod flow;
mod gateway;
mod gateway_evidence;
mod gateway_weight;
mod identify;
mod key;
mod link_evidence;
mod loss_log;
mod observer;
mod options;
mod own_addresses;
mod passages;
mod streams;
mod table;
mod tracker;
mod window;

pub use counts::TrackCounts;
pub use device::{DeviceIndex, is_private};
pub use device_ids::DeviceIds;
pub use device_losses::{DeviceLosses, LossCounts, LossKind};
pub use device_numbers::DeviceNumbers;
pub use edge::{
    CarriedFlow, FlowEdges, FlowHead, FlowJoiner, FlowRecord, FlowRun, HeadLog, JoinedFlows, PartStart, Taken,
};
pub use fair::FairCap;
pub(crate) use fair::excess_over;
pub use fair_map::{FairMap, LetGo};
pub use flow::{Flow, FlowEnd, Tally};
pub use gateway::{GatewayPolicy, GatewayReason, Gateways};
pub use gateway_evidence::{GatewayEvidence, Repeat};
pub use gateway_weight::GatewayWeight;
pub use identify::{Ends, Identifier};
pub use key::{DeviceFrame, DevicePacket, Endpoint, FiveTuple};
pub use link_evidence::LinkEvidence;
pub use loss_log::LossLog;
pub use observer::Observer;
pub use options::{
    FlowEnding, FlowOptions, Identity, PacketSize, ParseOptionError, ServerPorts, WindowLength,
};
pub use own_addresses::OwnAddresses;
pub use tracker::{Finished, SharedPacket, Tracker};
pub use window::WindowIndex;
