//! What was found out about the addresses of the latest packets.

use std::net::IpAddr;

use thingprint_flow::{Ip, MacAddr, Packet};

/// Slots of the table, one for each value of eight bits: a network has fewer conversations at a time.
const SLOTS: usize = 1 << 8;

/// The link and IP addresses of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    src_mac: Option<MacAddr>,
    dst_mac: Option<MacAddr>,
    src: IpAddr,
    dst: IpAddr,
}

/// A value for each of the latest addresses: a later one takes the place of another with the same hash.
#[derive(Debug)]
pub(crate) struct Recent<V> {
    slots: Box<[Option<(Addresses, V)>]>,
}

/// Where the value of some addresses belongs.
pub(crate) struct Slot<'a, V> {
    addresses: Addresses,
    place: &'a mut Option<(Addresses, V)>,
}

impl<V: Copy> Default for Recent<V> {
    fn default() -> Self {
        Self { slots: vec![None; SLOTS].into() }
    }
}

impl<V: Copy> Recent<V> {
    #[inline]
    pub(crate) fn slot(&mut self, addresses: Addresses) -> Slot<'_, V> {
        Slot { addresses, place: &mut self.slots[addresses.hash()] }
    }
}

impl<V: Copy> Slot<'_, V> {
    /// The value, if it is still there.
    #[inline]
    pub(crate) fn get(&self) -> Option<&V> {
        self.place.as_ref().filter(|(addresses, _)| *addresses == self.addresses).map(|(_, value)| value)
    }

    /// Puts the value in its place.
    pub(crate) fn set(self, value: V) {
        *self.place = Some((self.addresses, value));
    }
}

impl Addresses {
    #[inline]
    pub(crate) const fn of(packet: &Packet<'_>, ip: &Ip<'_>) -> Self {
        Self { src_mac: packet.src_mac, dst_mac: packet.dst_mac, src: ip.src, dst: ip.dst }
    }

    /// Below [`SLOTS`].
    #[inline]
    fn hash(&self) -> usize {
        let bits = |address: IpAddr| match address {
            IpAddr::V4(address) => u64::from(address.to_bits()),
            IpAddr::V6(address) => {
                let segments = address.segments().into_iter();
                segments.fold(0, |bits: u64, segment| bits.rotate_left(16) ^ u64::from(segment))
            }
        };
        // Copies of a packet on both sides of a router differ in their link addresses only.
        let link = self.src_mac.map_or(0, |mac| u64::from(mac.octets()[5]));
        let mixed = bits(self.src).rotate_left(32) ^ bits(self.dst) ^ link.rotate_left(24);
        // The golden ratio in 64 bits spreads neighbouring addresses.
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize
    }
}
