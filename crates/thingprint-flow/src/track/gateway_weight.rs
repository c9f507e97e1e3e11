use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::gateway::GatewayReason;

/// Addresses whose packets are counted; of more, those of fewest packets are forgotten.
const MOST_ADDRESSES: usize = 16;
/// A host that sends so many times as many packets for itself as for others is no gateway. Of 325 captures of homes, gateways that
/// forward for several hosts sent more for others than for themselves in each; who forges packets of a device has to forge so many.
const OWN_TIMES: u64 = 4;
/// Packets of its own that are no evidence yet.
const FEW_PACKETS: u64 = 32;
/// Packets that a router advertisement stands for: it speaks for all that the router forwards, and comes every few minutes.
const PACKETS_OF_AN_ADVERTISEMENT: u64 = 8;

/// How many packets a host sent for itself and for others, as far as its addresses tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GatewayWeight {
    /// Packets to one host from the address inside, or of its own, that it sent most from.
    pub own: u64,
    /// Those of them to addresses outside, which a gateway does not send on this side.
    pub own_outside: u64,
    /// Packets from addresses outside; a router advertisement stands for 8.
    pub others: u64,
    /// Those of them that it sent: a router advertisement stands for none.
    pub forwarded: u64,
}

/// Packets that a host sent, by address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<(IpAddr, u64)>", into = "Vec<(IpAddr, u64)>")]
pub(super) enum OwnPackets {
    #[default]
    None,
    /// Of a single address, as nearly all hosts have it.
    One((IpAddr, u64)),
    /// Of two or more addresses, in their order.
    More(Vec<(IpAddr, u64)>),
}

impl GatewayWeight {
    pub(super) fn of([own, outside]: [&OwnPackets; 2], (packets, advertisements): (u64, u64)) -> Self {
        let others = packets.saturating_add(advertisements.saturating_mul(PACKETS_OF_AN_ADVERTISEMENT));
        Self { own: own.most(), own_outside: outside.most(), others, forwarded: packets }
    }

    /// Whether it speaks for itself so much that nothing that it forwards for several hosts makes it a gateway.
    ///
    /// Packets to hosts inside may be answers, which anybody can ask a gateway for; so they say nothing of whoever forwards `most` of all.
    pub const fn is_of_a_device(self, most: u64) -> bool {
        let speaks = self.own > self.others.saturating_mul(OWN_TIMES).saturating_add(FEW_PACKETS);
        self.forwarded < most && speaks || self.turns_outside()
    }

    /// Whether it turns to hosts outside so much that it is no gateway, which does not do that on the side of its devices. Router
    /// advertisements are of no weight here: they cost a frame each to forge.
    pub const fn turns_outside(self) -> bool {
        self.own_outside > self.forwarded.saturating_mul(OWN_TIMES).saturating_add(FEW_PACKETS)
    }

    /// Whether it turns to hosts outside so much that it is no gateway, also where no other is seen: there, a gateway may say more
    /// itself than it forwards, such as answers of DNS.
    pub const fn is_behind_another(self) -> bool {
        self.own_outside > self.others.saturating_mul(OWN_TIMES).saturating_add(FEW_PACKETS)
    }

    /// Whether it is doubtful that it is a gateway for this reason: it speaks for itself more than for others, or turns to hosts outside
    /// by itself, however much it forwards, since whoever forges packets of a device may forge any number of them.
    pub const fn is_doubtful(self, reason: GatewayReason) -> bool {
        match reason {
            GatewayReason::Forwards | GatewayReason::Advertises => {
                self.own > self.others.saturating_add(FEW_PACKETS) || self.own_outside > FEW_PACKETS
            }
            GatewayReason::MostSources | GatewayReason::MostPackets => {
                self.own_outside > self.others.saturating_add(FEW_PACKETS)
            }
            GatewayReason::Given | GatewayReason::VirtualRouter | GatewayReason::ReceivesOnly => false,
        }
    }
}

impl OwnPackets {
    /// Counts packets from an address.
    #[inline]
    pub(super) fn add(&mut self, address: IpAddr, packets: u64) {
        match self {
            Self::None => *self = Self::One((address, packets)),
            Self::One((of, count)) if *of == address => *count = count.saturating_add(packets),
            Self::One(_) | Self::More(_) => self.add_among(address, packets),
        }
    }

    fn add_among(&mut self, address: IpAddr, packets: u64) {
        let mut counts = Vec::from(std::mem::take(self));
        match counts.binary_search_by_key(&address, |(of, _)| *of) {
            Ok(at) => {
                if let Some((_, count)) = counts.get_mut(at) {
                    *count = count.saturating_add(packets);
                }
            }
            Err(at) => {
                counts.insert(at, (address, packets));
                bound(&mut counts);
            }
        }
        *self = Self::from(counts);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        other.counts().iter().for_each(|(address, packets)| self.add(*address, *packets));
    }

    /// The packets of the address with most.
    fn most(&self) -> u64 {
        self.counts().iter().map(|(_, packets)| *packets).max().unwrap_or(0)
    }

    const fn counts(&self) -> &[(IpAddr, u64)] {
        match self {
            Self::None => &[],
            Self::One(count) => std::slice::from_ref(count),
            Self::More(counts) => counts.as_slice(),
        }
    }
}

/// Forgets half of the addresses where there are too many.
fn bound(counts: &mut Vec<(IpAddr, u64)>) {
    if counts.len() <= MOST_ADDRESSES {
        return;
    }
    counts.sort_unstable_by_key(|(address, packets)| (std::cmp::Reverse(*packets), *address));
    counts.truncate(MOST_ADDRESSES / 2);
    counts.sort_unstable();
}

impl From<Vec<(IpAddr, u64)>> for OwnPackets {
    fn from(counts: Vec<(IpAddr, u64)>) -> Self {
        match counts.as_slice() {
            [] => Self::None,
            [count] => Self::One(*count),
            _ => Self::More(counts),
        }
    }
}

impl From<OwnPackets> for Vec<(IpAddr, u64)> {
    fn from(packets: OwnPackets) -> Self {
        match packets {
            OwnPackets::None => Self::new(),
            OwnPackets::One(count) => vec![count],
            OwnPackets::More(counts) => counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_with_most_packets_stays_however_many_others_are_made_up() {
        let mut own = OwnPackets::default();
        let address = |number: u16| IpAddr::from([10, 0, number.to_be_bytes()[0], number.to_be_bytes()[1]]);
        (0..500).for_each(|_| own.add(address(7), 1));
        for number in 100..5000 {
            own.add(address(number), 1);
            assert!(own.counts().len() <= MOST_ADDRESSES);
        }
        assert_eq!(own.most(), 500);
        let mut other = OwnPackets::default();
        other.add(address(7), 20);
        own.merge(&other);
        assert_eq!(own.most(), 520);
    }

    #[test]
    fn who_speaks_for_itself_is_a_device() {
        let weight = |own, others| GatewayWeight { own, own_outside: 0, others, forwarded: others };
        assert!(!weight(32, 0).is_of_a_device(1) && weight(33, 0).is_of_a_device(1));
        assert!(weight(433, 100).is_of_a_device(101) && !weight(432, 100).is_of_a_device(101));
        // Who forwards most of all may be asked for any number of answers.
        assert!(!weight(433, 100).is_of_a_device(100));
        assert!(GatewayWeight { own_outside: 433, ..weight(433, 100) }.is_of_a_device(100));
        let is_doubtful = |own| weight(own, 100).is_doubtful(GatewayReason::Forwards);
        assert!(is_doubtful(133) && !is_doubtful(132));
        // A gateway that answers questions of one device.
        let answering = weight(5204, 69);
        assert!(!answering.is_behind_another() && !answering.is_doubtful(GatewayReason::MostPackets));
        assert!(GatewayWeight { own_outside: 309, ..answering }.is_behind_another());
    }

    #[test]
    fn forged_advertisements_make_no_gateway_of_who_turns_to_hosts_outside() {
        let own = |own_outside| GatewayWeight { own: 700, own_outside, others: 8 * 1000, forwarded: 2 };
        assert!(own(41).is_of_a_device(3) && !own(40).is_of_a_device(3));
        assert!(
            own(33).is_doubtful(GatewayReason::Advertises) && !own(32).is_doubtful(GatewayReason::Advertises)
        );
    }
}
