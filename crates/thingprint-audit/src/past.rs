use std::collections::BTreeMap;
use std::net::IpAddr;

use thingprint_flow::Timestamp;

/// Sessions of TLS of a device that are remembered, those offered last.
pub(crate) const MOST_SESSIONS: usize = 64;
/// Peers within a day up to which a device has few; one more is remembered.
pub(crate) const FEW_PEERS: usize = 16;
/// How long a peer counts.
const DAY_NS: u64 = 86_400 * 1_000_000_000;

/// What rules remember of the earlier flows of a device: a bounded number of each.
///
/// Flows come when they end, so that times may go back; what counts is how far apart they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Past {
    /// When each session was offered first and last.
    sessions: BTreeMap<u64, (Timestamp, Timestamp)>,
    /// When each peer was last heard.
    peers: BTreeMap<IpAddr, Timestamp>,
}

impl Past {
    /// Remembers that a session is offered; gives how long before or after that it was offered first, in seconds, where it
    /// was before.
    pub(crate) fn offer(&mut self, session: u64, time: Timestamp) -> Option<u64> {
        if let Some((first, last)) = self.sessions.get_mut(&session) {
            let apart_s = first.as_nanos().abs_diff(time.as_nanos()) / 1_000_000_000;
            (*first, *last) = ((*first).min(time), (*last).max(time));
            return Some(apart_s);
        }
        if self.sessions.len() >= MOST_SESSIONS {
            forget_oldest(&mut self.sessions, |(_, last)| *last);
        }
        self.sessions.insert(session, (time, time));
        None
    }

    /// Remembers that a peer was heard; tells whether there are more than a few within a day.
    pub(crate) fn hear(&mut self, peer: IpAddr, time: Timestamp) -> bool {
        self.peers.retain(|_, last| last.as_nanos().abs_diff(time.as_nanos()) < DAY_NS);
        let last = self.peers.entry(peer).or_insert(time);
        *last = (*last).max(time);
        if self.peers.len() > FEW_PEERS + 1 {
            forget_oldest(&mut self.peers, |last| *last);
        }
        self.peers.len() > FEW_PEERS
    }
}

/// Forgets the entry with the earliest time, of equal ones the first.
fn forget_oldest<K: Ord + Copy, V>(entries: &mut BTreeMap<K, V>, time: impl Fn(&V) -> Timestamp) {
    let oldest = entries.iter().min_by_key(|(_, entry)| time(entry)).map(|(key, _)| *key);
    if let Some(oldest) = oldest {
        entries.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use thingprint_flow::Timestamp;

    use super::{FEW_PEERS, MOST_SESSIONS, Past};

    fn at(seconds: u32) -> Timestamp {
        Timestamp::from_seconds(seconds.into())
    }

    fn peer(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(0xcb00_7100 + number))
    }

    #[test]
    fn a_session_is_known_by_its_first_time_in_whatever_order_flows_come() {
        let mut past = Past::default();
        assert_eq!(past.offer(1, at(5000)), None);
        assert_eq!(past.offer(1, at(5600)), Some(600));
        assert_eq!(past.offer(1, at(4000)), Some(1000));
        assert_eq!(past.offer(1, at(5600)), Some(1600));
    }

    #[test]
    fn sessions_have_a_cap_and_those_offered_long_ago_go() {
        let mut past = Past::default();
        for session in 0..u32::try_from(MOST_SESSIONS).unwrap() {
            assert_eq!(past.offer(session.into(), at(100 + session)), None);
        }
        assert_eq!(past.offer(0, at(300)), Some(200));
        assert_eq!(past.offer(1000, at(400)), None);
        assert_eq!(past.sessions.len(), MOST_SESSIONS);
        assert_eq!(past.offer(0, at(500)), Some(400), "it was offered later than others");
        assert_eq!(past.offer(1, at(500)), None, "it was forgotten");
    }

    #[test]
    fn many_peers_are_more_than_sixteen_within_a_day() {
        let mut past = Past::default();
        for number in 0..u32::try_from(FEW_PEERS).unwrap() {
            assert!(!past.hear(peer(number), at(100 + number)));
            assert!(!past.hear(peer(0), at(100 + number)), "the same again");
        }
        assert!(past.hear(peer(99), at(1000)));
        assert!((100..9999).all(|number| past.hear(peer(number), at(2000))));
        assert_eq!(past.peers.len(), FEW_PEERS + 1);
        assert!(!past.hear(peer(0), at(2000 + 86_400)), "the next day");
        assert_eq!(past.peers.len(), 1);
    }
}
