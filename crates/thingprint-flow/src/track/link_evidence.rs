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
#[derive(Debug, Default)]
pub struct LinkEvidence {
    conversations: HashMap<FiveTuple, Conversation, RandomState>,
    two_way: u64,
    one_pair: u64,
    /// The first two hosts between which packets came back the way that they went.
    turned: Option<[MacAddr; 2]>,
    /// Whether there were other two.
    others_turned: bool,
}

#[derive(Clone, Copy, Debug)]
enum Conversation {
    /// One direction was seen, from the lower end or the higher one.
    OneWay {
        is_low: bool,
        pair: Pair,
    },
    TwoWay,
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
        let seen = self.conversations.entry(tuple).or_insert(Conversation::OneWay { is_low, pair });
        match *seen {
            Conversation::OneWay { is_low: before, pair: other } if before != is_low => {
                self.two_way += 1;
                self.one_pair += u64::from(pair == other);
                *seen = Conversation::TwoWay;
                self.note_turned(pair, other);
            }
            _ => {}
        }
    }

    /// Notes a conversation whose directions have the same two hosts at their ends, in turn.
    fn note_turned(&mut self, [source, destination]: Pair, other: Pair) {
        let (Some(source), Some(destination)) = (source, destination) else { return };
        if source != destination && other == [Some(destination), Some(source)] {
            let hosts = if source < destination { [source, destination] } else { [destination, source] };
            self.others_turned |= *self.turned.get_or_insert(hosts) != hosts;
        }
    }

    /// Forgets the conversations that went one way so far; where there are few of these, all.
    fn make_room(&mut self) {
        self.conversations.retain(|_, seen| matches!(seen, Conversation::TwoWay));
        if self.conversations.len() > MOST_CONVERSATIONS / 2 {
            self.conversations.clear();
        }
    }

    /// Conversations of which both directions were seen.
    pub const fn two_way(&self) -> u64 {
        self.two_way
    }

    /// What identifies a device here: its IP address where most conversations lie between one ordered pair of link
    /// addresses, unless several pairs of hosts have theirs in turn. Then link addresses do separate hosts, and whoever sends any
    /// number of conversations with a pair that does not, takes no address away from these.
    pub const fn identity(&self) -> Identity {
        let is_mostly_one_pair = self.one_pair * 2 > self.two_way;
        if is_mostly_one_pair && !self.others_turned { Identity::Ip } else { Identity::Mac }
    }
}
