//! Bytes on the wire: headers with their checksums, and the messages of each protocol.

pub(crate) mod arp;
pub(crate) mod certificate;
mod checksum;
pub(crate) mod dhcp;
pub(crate) mod dns;
pub(crate) mod http;
pub(crate) mod icmp;
pub(crate) mod ipv6;
pub(crate) mod mdns;
mod noise;
pub(crate) mod ntp;
mod packet;
pub(crate) mod quic;
pub(crate) mod ssdp;
pub(crate) mod tls;

pub(crate) use checksum::Sum;
pub(crate) use noise::Noise;
pub(crate) use packet::{Datagram, End, Head, Options, Path, Payload, Segment, Transport, flag};

/// The link address of all stations.
pub(crate) const BROADCAST: [u8; 6] = [0xff; 6];

/// A length for a 16-bit field. Nothing that is written here comes near the limit.
pub(crate) fn length16(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// Appends a 16-bit number in network order.
pub(crate) fn put16(bytes: &mut Vec<u8>, number: u16) {
    bytes.extend_from_slice(&number.to_be_bytes());
}

/// Appends a 32-bit number in network order.
pub(crate) fn put32(bytes: &mut Vec<u8>, number: u32) {
    bytes.extend_from_slice(&number.to_be_bytes());
}
