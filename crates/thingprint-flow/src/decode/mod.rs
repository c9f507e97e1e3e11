//! Frames to packets: link headers, IP headers, reassembly, ports.

mod aged;
mod counts;
mod coverage;
mod decoder;
mod extension;
mod frame;
mod ipv4;
mod ipv6;
mod link;
mod network;
mod reassembly;
mod transport;

pub use counts::{DecodeCounts, Malformed};
pub use decoder::Decoder;
pub use frame::Frame;
