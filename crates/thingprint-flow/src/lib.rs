//! Captures in, flows out: a [`Trace`](https://en.wikipedia.org/wiki/Packet_analyzer) of packets is turned into the flows of each device.
mod address;
mod packet;
mod time;
mod track;

pub use address::{DeviceId, MacAddr, ParseDeviceError, ParseMacError};
pub use packet::{Ip, Packet, TcpFlags, TcpSegment, Transport};
pub use time::Timestamp;
pub use track::{
    DeviceIndex, Endpoint, Finished, FiveTuple, Flow, FlowEnd, FlowEnding, FlowOptions, GatewayVotes, Identity,
    Observer, PacketSize, ServerPorts, Sighting, Tally, TrackCounts, Tracker, WindowIndex, WindowLength,
    elect_gateway, is_private,
};
