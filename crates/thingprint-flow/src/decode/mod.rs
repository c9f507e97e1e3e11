//! Frames to packets: link headers, IP headers, reassembly, ports.

mod aged;
mod copies;
mod counts;
mod coverage;
mod decoder;
mod extension;
mod frame;
mod ipv4;
mod ipv6;
mod link;
mod network;
mod ordinary;
mod reassembly;
mod senders;
mod syn;
mod transport;
mod tunnel;

pub use copies::Copies;
pub use counts::{DecodeCounts, Malformed};
pub use decoder::Decoder;
pub use frame::Frame;
pub use tunnel::{Tunnel, TunnelCounts, TunnelSet};
