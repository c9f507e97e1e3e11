use std::net::IpAddr;

use thingprint_flow::{DeviceId, Frame};

use crate::router::SHARDS;

/// What keys are made of where there is nothing else yet: the digits of π.
const SEEDS: [u64; 2] = [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344];

/// Which shard each device is in: a hash of its address, with a key that the first frame gives.
///
/// A shard has a part of each cap. If the hash were the same for every trace, somebody could make up addresses that all fall into
/// the shard of another device, and exhaust its caps with few of them. The time and the bytes of the first frame are the same in
/// every reading of a trace, so results do not depend on chance; but who sends packets into a network does not know with which
/// frame, and at which microsecond, a capture begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharding {
    keys: [u64; 2],
}

impl Default for Sharding {
    fn default() -> Self {
        Self { keys: SEEDS }
    }
}

impl Sharding {
    /// The sharding of a trace that begins with this frame.
    pub fn of_first(frame: &Frame<'_>) -> Self {
        let [one, other] = SEEDS;
        let mut state =
            mixed(frame.time.as_nanos().cast_unsigned() ^ one, u64::from(frame.wire_bytes) ^ other);
        for chunk in frame.bytes.chunks(size_of::<u64>()) {
            let mut bytes = [0; size_of::<u64>()];
            bytes.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            state = mixed(state ^ u64::from_le_bytes(bytes), other).wrapping_add(one);
        }
        Self { keys: [mixed(state, one | 1), mixed(state ^ other, one) | 1] }
    }

    /// The shard of a device.
    #[inline]
    pub fn shard_of(self, device: DeviceId) -> usize {
        let [high, low] = match device {
            DeviceId::Mac(mac) => {
                let mut bytes = [0; 8];
                bytes[2..].copy_from_slice(&mac.octets());
                [0, u64::from_be_bytes(bytes)]
            }
            DeviceId::Ip(IpAddr::V4(addr)) => [1, u64::from(addr.to_bits())],
            DeviceId::Ip(IpAddr::V6(addr)) => halves(addr.to_bits()),
        };
        let [one, other] = self.keys;
        // Twice, since a single product keeps what addresses that are close together have in common.
        let hash = mixed(mixed(low ^ one, other) ^ high, one | 1);
        usize::try_from(hash >> (u64::BITS - SHARDS.trailing_zeros())).unwrap_or(0)
    }
}

/// Both halves of a product: each bit depends on all bits of both factors.
#[inline]
fn mixed(one: u64, other: u64) -> u64 {
    let [high, low] = halves(u128::from(one).wrapping_mul(u128::from(other)));
    high ^ low
}

#[inline]
fn halves(bits: u128) -> [u64; 2] {
    let low = bits & u128::from(u64::MAX);
    [bits >> 64, low].map(|half| u64::try_from(half).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use thingprint_flow::{MacAddr, Timestamp};

    use super::*;

    fn mac(number: u32) -> DeviceId {
        let [a, b, c, d] = number.to_be_bytes();
        DeviceId::Mac(MacAddr::new([2, 0x44, a, b, c, d]))
    }

    fn beginning(at_ns: i64) -> Sharding {
        let time = Timestamp::from_seconds(1_717_372_800).plus_nanos(at_ns);
        Sharding::of_first(&Frame { time, bytes: b"a first frame", wire_bytes: 60, ..Frame::default() })
    }

    fn most_in_a_shard(sharding: Sharding, devices: &[DeviceId]) -> usize {
        let mut counts = [0; SHARDS];
        for device in devices {
            counts[sharding.shard_of(*device)] += 1;
        }
        counts.into_iter().max().unwrap_or(0)
    }

    #[test]
    fn addresses_that_meet_in_a_shard_of_one_trace_do_not_in_another() {
        let (one, other) = (beginning(0), beginning(1000));
        let devices: Vec<DeviceId> =
            (0..).map(mac).filter(|device| one.shard_of(*device) == 7).take(1000).collect();
        assert_eq!(most_in_a_shard(one, &devices), 1000);
        // Sixteen in each on average.
        assert!(most_in_a_shard(other, &devices) < 40, "{}", most_in_a_shard(other, &devices));
        assert_eq!(beginning(0), one, "the same frame gives the same shards");
    }

    #[test]
    fn neighbouring_addresses_are_spread_evenly() {
        for at_ns in 0..20 {
            let sharding = beginning(at_ns);
            let macs: Vec<DeviceId> = (0..6400).map(mac).collect();
            let addresses: Vec<DeviceId> = (0..6400_u32)
                .map(|number| DeviceId::Ip(IpAddr::from((0x0a00_0000 + number).to_be_bytes())))
                .collect();
            let hosts: Vec<DeviceId> = (0..6400_u128)
                .map(|number| DeviceId::Ip(IpAddr::from(((0x2001_0db8_u128 << 96) + number).to_be_bytes())))
                .collect();
            for devices in [macs, addresses, hosts] {
                let most = most_in_a_shard(sharding, &devices);
                assert!(most < 150, "{most} in a shard, 100 on average");
            }
        }
    }
}
