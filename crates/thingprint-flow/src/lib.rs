//! Captures in, flows out: a [`Trace`] of packets is followed by a [`Tracker`], which hands over the flows of each
//! device.
//!
//! A trace is made of captures (pcap or pcapng, plain or compressed), which are nothing but names and byte streams;
//! files are opened by whoever calls.
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]
#![warn(clippy::indexing_slicing)]
mod address;
mod capture;
mod decode;
mod error;
mod local_nets;
mod packet;
mod time;
mod track;

pub use address::{DeviceId, MacAddr, ParseDeviceError, ParseMacError, address_text};
pub use capture::{
    BelievedFrame, Block, ByteStream, Capture, CaptureWriter, ContentHash, EdgeFrame, ForeignFile,
    FrameReader, LinkType, PlacedPacket, SettledEdges, SourceClocks, TimeEdges, Trace, TraceOptions,
    decompress, foreign_file, is_capture, is_compressed,
};
pub use decode::{Copies, DecodeCounts, Decoder, Frame, Malformed, Tunnel, TunnelCounts, TunnelSet};
pub use error::{CaptureError, ProblemKind};
pub use local_nets::{LocalNet, LocalNets};
pub use packet::{Ip, NonIp, Packet, StackFields, SynFields, TcpFlags, TcpSegment, Transport, protocol_name};
pub use time::Timestamp;
pub use track::{
    CarriedFlow, DeviceFrame, DeviceIds, DeviceIndex, DeviceLosses, DeviceNumbers, DevicePacket, Endpoint,
    Ends, FairCap, FairMap, Finished, FiveTuple, Flow, FlowEdges, FlowEnd, FlowEnding, FlowHead, FlowJoiner,
    FlowOptions, FlowRecord, FlowRun, GatewayEvidence, GatewayPolicy, GatewayReason, GatewayWeight, Gateways,
    HeadLog, Identifier, Identity, JoinedFlows, LetGo, LinkEvidence, LossCounts, LossKind, LossLog, Observer,
    OwnAddresses, PacketSize, ParseOptionError, PartStart, Repeat, ServerPorts, SharedPacket, Taken, Tally,
    TrackCounts, Tracker, WindowIndex, WindowLength, is_private,
};
