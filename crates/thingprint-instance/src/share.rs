use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use thingprint_flow::DeviceId;

/// One of several shares of the devices of a network, so that each can be merged apart from the others.
///
/// A device is in the same share wherever it was captured: its address decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    number: u32,
    of: NonZeroU32,
}

impl Share {
    /// All shares of so many, in order.
    pub fn all(of: NonZeroU32) -> impl Iterator<Item = Self> {
        (0..of.get()).map(move |number| Self { number, of })
    }

    /// Whether it is the first one, which keeps what is counted for all devices together.
    pub const fn is_first(self) -> bool {
        self.number == 0
    }

    /// Whether a device is in it.
    pub fn has(self, device: DeviceId) -> bool {
        let hash = blake3::hash(&address(device));
        let [a, b, c, d, ..] = *hash.as_bytes();
        u32::from_le_bytes([a, b, c, d]) % self.of == self.number
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "share {} of {}", u64::from(self.number) + 1, self.of)
    }
}

fn address(device: DeviceId) -> Vec<u8> {
    match device {
        DeviceId::Mac(mac) => mac.octets().to_vec(),
        DeviceId::Ip(IpAddr::V4(addr)) => addr.octets().to_vec(),
        DeviceId::Ip(IpAddr::V6(addr)) => addr.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thingprint_flow::MacAddr;

    #[test]
    fn every_device_is_in_one_share_and_shares_are_alike() {
        let shares: Vec<Share> = Share::all(NonZeroU32::new(5).unwrap()).collect();
        let mut counts = [0; 5];
        for number in 0..1000_u16 {
            let [high, low] = number.to_be_bytes();
            let device = DeviceId::Mac(MacAddr::new([2, 0, 0, 0, high, low]));
            let of: Vec<usize> = (0..5).filter(|at| shares[*at].has(device)).collect();
            assert_eq!(of.len(), 1);
            counts[of[0]] += 1;
        }
        assert!(counts.iter().all(|count| (150..250).contains(count)), "{counts:?}");
        assert_eq!(shares[1].to_string(), "share 2 of 5");
    }
}
