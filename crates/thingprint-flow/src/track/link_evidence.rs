use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::key::FiveTuple;
use super::options::Identity;
use crate::{MacAddr, Packet, Transport};

/// Conversations that are remembered at once.
const MOST_CONVERSATIONS: usize = 1024;

/// The link addresses of a packet: source and destination.
type Pair = [Option<MacAddr>; 2];

/// Whether link addresses separate the hosts of a trace, by its conversations over TCP and UDP.
///
/// They do not in captures of tunnels and VPNs, nor in those written by text2pcap or tcprewrite: there both directions
/// of a conversation have the same source and the same destination.
///
/// Conversations count by their packets: whoever sends a few frames each way between two addresses makes up any number of short
/// ones, and would have every device identified by its address. As with
/// [`GatewayWeight`](super::gateway_weight::GatewayWeight), that takes as many packets as all others send together.
#[derive(Debug, Default)]
pub struct LinkEvidence {
    conversations: HashMap<FiveTuple, Conversation, RandomState>,
    two_way: u64,
    /// Packets of these, and of those of them between one ordered pair of link addresses.
    packets: u64,
    one_pair_packets: u64,
}

#[derive(Clone, Copy, Debug)]
enum Conversation {
    /// One direction was seen, from the lower end or the higher one.
    OneWay { is_low: bool, pair: Pair, packets: u64 },
    /// Both were.
    TwoWay { is_one_pair: bool },
}

impl LinkEvidence {
    /// Takes in a packet.
    pub fn observe(&mut self, packet: &Packet<'_>) {
        let pair: Pair = [packet.src_mac, packet.dst_mac];
        let Some(ip) = packet.ip.as_ref().filter(|_| pair != [None; 2]) else { return };
        if matches!(ip.transport, Transport::Other(_)) {
            return;
        }
        if self.conversations.len() >= MOST_CONVERSATIONS {
            self.make_room();
        }
        let (tuple, is_low) = FiveTuple::of(ip);
        let first = Conversation::OneWay { is_low, pair, packets: 0 };
        let seen = self.conversations.entry(tuple).or_insert(first);
        match seen {
            Conversation::OneWay { is_low: before, pair: other, packets } if *before != is_low => {
                let (is_one_pair, packets) = (pair == *other, *packets + 1);
                *seen = Conversation::TwoWay { is_one_pair };
                self.two_way += 1;
                self.count(is_one_pair, packets);
            }
            Conversation::OneWay { packets, .. } => *packets += 1,
            Conversation::TwoWay { is_one_pair } => {
                let is_one_pair = *is_one_pair;
                self.count(is_one_pair, 1);
            }
        }
    }

    const fn count(&mut self, is_one_pair: bool, packets: u64) {
        self.packets += packets;
        if is_one_pair {
            self.one_pair_packets += packets;
        }
    }

    /// Forgets the conversations that went one way so far; where there are few of these, all.
    fn make_room(&mut self) {
        self.conversations.retain(|_, seen| matches!(seen, Conversation::TwoWay { .. }));
        if self.conversations.len() > MOST_CONVERSATIONS / 2 {
            self.conversations.clear();
        }
    }

    /// Conversations of which both directions were seen.
    pub const fn two_way(&self) -> u64 {
        self.two_way
    }

    /// What identifies a device here: its IP address where most packets of conversations lie between one ordered pair of link
    /// addresses each.
    pub const fn identity(&self) -> Identity {
        if self.one_pair_packets * 2 > self.packets { Identity::Ip } else { Identity::Mac }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ip, Timestamp};

    /// A conversation of so many packets each way; both directions have one ordered pair of link addresses, or the reversed ones.
    fn talk(evidence: &mut LinkEvidence, number: u16, packets: u16, is_one_pair: bool) {
        let [high, low] = number.to_be_bytes();
        let (device, server) = (([10, 0, high, low].into(), 40_000), ([52, 0, 0, 1].into(), 443));
        let (own, router) = (MacAddr::new([2, 0, 0, 0, high, low]), MacAddr::new([2, 0, 0, 1, 0, 0]));
        for at in 0..2 * packets {
            let is_sent = at % 2 == 0;
            let (src, dst) = if is_sent { (device, server) } else { (server, device) };
            let (src_mac, dst_mac) = if is_sent || is_one_pair { (own, router) } else { (router, own) };
            evidence.observe(&Packet {
                time: Timestamp::from_seconds(0),
                src_mac: Some(src_mac),
                dst_mac: Some(dst_mac),
                wire_bytes: 60,
                ip: Some(Ip::udp(src, dst, &[])),
                other: None,
            });
        }
    }

    #[test]
    fn short_conversations_that_somebody_made_up_hide_no_link_addresses() {
        let mut evidence = LinkEvidence::default();
        for number in 0..500 {
            if number < 20 {
                talk(&mut evidence, number, 50, false);
            }
            talk(&mut evidence, 1000 + number, 1, true);
        }
        assert_eq!((evidence.two_way(), evidence.identity()), (520, Identity::Mac));
        // A tunnel beside the same devices.
        talk(&mut evidence, 2000, 1500, true);
        assert_eq!(evidence.identity(), Identity::Ip);
    }
}
