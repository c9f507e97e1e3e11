use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::device::DeviceIndex;
use crate::{Ip, Packet};

/// One end of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Address.
    pub addr: IpAddr,
    /// Port; 0 for protocols without ports.
    pub port: u16,
}

/// A bidirectional 5-tuple: the same for both directions of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FiveTuple {
    // 128-bit integers compare and hash faster than `IpAddr`; IPv4 stands in the low 32 bits.
    low: u128,
    high: u128,
    low_port: u16,
    high_port: u16,
    protocol: u8,
    is_ipv6: bool,
}

impl FiveTuple {
    /// The tuple of a packet, and whether the packet's source is its lower end.
    #[inline]
    pub fn of(ip: &Ip<'_>) -> (Self, bool) {
        let (src, dst, is_ipv6) = match (ip.src, ip.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                (u128::from(src.to_bits()), u128::from(dst.to_bits()), false)
            }
            (src, dst) => (wide(src), wide(dst), true),
        };
        let protocol = ip.transport.number();
        let src_is_low = (src, ip.src_port) <= (dst, ip.dst_port);
        let ((low, low_port), (high, high_port)) = if src_is_low {
            ((src, ip.src_port), (dst, ip.dst_port))
        } else {
            ((dst, ip.dst_port), (src, ip.src_port))
        };
        (Self { low, high, low_port, high_port, protocol, is_ipv6 }, src_is_low)
    }

    /// IP protocol number.
    pub const fn protocol(&self) -> u8 {
        self.protocol
    }

    /// The lower and the higher end, in the order of address and port.
    pub fn endpoints(&self) -> [Endpoint; 2] {
        [
            Endpoint { addr: self.address(self.low), port: self.low_port },
            Endpoint { addr: self.address(self.high), port: self.high_port },
        ]
    }

    fn address(&self, bits: u128) -> IpAddr {
        match u32::try_from(bits) {
            Ok(bits) if !self.is_ipv6 => IpAddr::V4(Ipv4Addr::from_bits(bits)),
            _ => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        }
    }
}

fn wide(addr: IpAddr) -> u128 {
    match addr {
        IpAddr::V4(addr) => addr.to_ipv6_mapped().to_bits(),
        IpAddr::V6(addr) => addr.to_bits(),
    }
}

/// A flow as one device sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FlowKey {
    pub(super) device: DeviceIndex,
    pub(super) tuple: FiveTuple,
}

/// A packet as one of its devices sees it.
#[derive(Clone, Copy, Debug)]
pub struct DevicePacket<'a, 'p> {
    /// The device.
    pub device: DeviceIndex,
    /// Whether the device sent the packet.
    pub is_sent: bool,
    /// Whether the device was established before the packet; see [`Observer::established`](super::Observer::established).
    pub is_established: bool,
    /// The window that the packet counts in.
    pub window: super::WindowIndex,
    /// The packet's time; for a late packet, the start of its window.
    pub time: crate::Timestamp,
    /// Number of its frame in the trace.
    pub number: u64,
    /// The frame.
    pub packet: &'a Packet<'p>,
    /// The frame's IP packet.
    pub ip: &'a Ip<'p>,
}

/// A frame without an IP packet, as one of its devices sees it.
#[derive(Clone, Copy, Debug)]
pub struct DeviceFrame<'a, 'p> {
    /// The device.
    pub device: DeviceIndex,
    /// Whether the device sent the frame.
    pub is_sent: bool,
    /// The window that the frame counts in.
    pub window: super::WindowIndex,
    /// The frame; [`Packet::other`] has its `EtherType` and content.
    pub packet: &'a Packet<'p>,
}
