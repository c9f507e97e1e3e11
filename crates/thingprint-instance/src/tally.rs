use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, Flow, Timestamp};

use crate::options::{InstanceOptions, PortScope, RateMean};
use crate::stats::{RealStats, WholeStats};
use crate::{Attribute, Attributes, Bag, Bags, Counts, Instance, Spread};

const NANOS: f64 = 1e9;

/// What a device did in a window so far: everything that its instance is made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct WindowTally {
    flows: u64,
    packets_up: u64,
    packets_down: u64,
    bytes_up: u64,
    bytes_down: u64,
    volume: WholeStats,
    duration_ns: WholeStats,
    rate_bps: RealStats,
    /// Volume of the flows that have a duration.
    timed_volume: u128,
    pub(crate) sleep_ns: WholeStats,
    pub(crate) dns_ns: WholeStats,
    pub(crate) ntp_ns: WholeStats,
    ports: BTreeMap<(u8, u16), u64>,
    domains: Bag,
    cipher_suites: Bag,
    pub(crate) words_dropped: u64,
}

impl WindowTally {
    /// Counts a closed flow.
    pub(crate) fn flow<S>(&mut self, flow: &Flow<S>, options: &InstanceOptions) {
        self.flows += 1;
        self.packets_up += flow.up.packets;
        self.packets_down += flow.down.packets;
        self.bytes_up = self.bytes_up.saturating_add(flow.up.bytes);
        self.bytes_down = self.bytes_down.saturating_add(flow.down.bytes);
        self.volume.add(flow.bytes());
        self.duration_ns.add(flow.duration_ns());
        if flow.duration_ns() > 0 {
            self.timed_volume += u128::from(flow.bytes());
            self.rate_bps.add(8.0 * flow.bytes() as f64 / (flow.duration_ns() as f64 / NANOS));
        }
        if flow.is_client && is_in_scope(flow, options.port_scope) {
            let key = (flow.tuple.protocol(), flow.server_port());
            let has_room = self.ports.len() < options.max_words;
            match self.ports.get_mut(&key) {
                Some(count) => *count += 1,
                None if has_room => _ = self.ports.insert(key, 1),
                None => self.words_dropped += 1,
            }
        }
    }

    /// Counts a name that the device asked for.
    pub(crate) fn domain(&mut self, name: &str, max_words: usize) {
        self.words_dropped += count_word(&mut self.domains, name, max_words);
    }

    /// Counts a list of cipher suites that the device offered.
    pub(crate) fn cipher_suites(&mut self, list: &str, max_words: usize) {
        self.words_dropped += count_word(&mut self.cipher_suites, list, max_words);
    }

    /// Adds what another part of the trace saw of the same window.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.flows += other.flows;
        self.packets_up += other.packets_up;
        self.packets_down += other.packets_down;
        self.bytes_up = self.bytes_up.saturating_add(other.bytes_up);
        self.bytes_down = self.bytes_down.saturating_add(other.bytes_down);
        self.volume.merge(&other.volume);
        self.duration_ns.merge(&other.duration_ns);
        self.rate_bps.merge(&other.rate_bps);
        self.timed_volume += other.timed_volume;
        self.sleep_ns.merge(&other.sleep_ns);
        self.dns_ns.merge(&other.dns_ns);
        self.ntp_ns.merge(&other.ntp_ns);
        self.words_dropped += other.words_dropped;
        for (key, count) in &other.ports {
            *self.ports.entry(*key).or_default() += count;
        }
        for (mine, theirs) in
            [(&mut self.domains, &other.domains), (&mut self.cipher_suites, &other.cipher_suites)]
        {
            for (word, count) in theirs {
                *mine.entry(word.clone()).or_default() += count;
            }
        }
    }

    /// The instance of a device's window that begins at a time and lasts so many nanoseconds.
    pub(crate) fn instance(
        &self,
        device: DeviceId,
        (window_start, window_ns): (Timestamp, u64),
        options: &InstanceOptions,
    ) -> Instance {
        Instance {
            device,
            window_start,
            window_s: window_ns as f64 / NANOS,
            capture: None,
            attributes: self.attributes(options.rate),
            bags: self.bags(options),
            counts: self.counts(),
            spread: self.spread(),
        }
    }

    pub(crate) const fn counts(&self) -> Counts {
        Counts {
            flows: self.flows,
            packets_up: self.packets_up,
            packets_down: self.packets_down,
            bytes_up: self.bytes_up,
            bytes_down: self.bytes_down,
        }
    }

    pub(crate) fn attributes(&self, rate: RateMean) -> Attributes {
        let mut attributes = Attributes::default();
        attributes.set(Attribute::FlowVolumeBytes, self.volume.mean(1.0));
        attributes.set(Attribute::FlowDurationS, self.duration_ns.mean(NANOS));
        attributes.set(Attribute::FlowRateBps, self.rate(rate));
        attributes.set(Attribute::SleepTimeS, self.sleep_ns.mean(NANOS));
        attributes.set(Attribute::DnsIntervalS, self.dns_ns.mean(NANOS));
        attributes.set(Attribute::NtpIntervalS, self.ntp_ns.mean(NANOS));
        attributes
    }

    pub(crate) fn spread(&self) -> [Option<Spread>; 6] {
        [
            self.volume.spread(1.0),
            self.duration_ns.spread(NANOS),
            self.rate_bps.spread(),
            self.sleep_ns.spread(NANOS),
            self.dns_ns.spread(NANOS),
            self.ntp_ns.spread(NANOS),
        ]
    }

    pub(crate) fn bags(&self, options: &InstanceOptions) -> Bags {
        let mut ports = Bag::new();
        for (&(protocol, port), count) in &self.ports {
            *ports.entry(options.port_word.word(protocol, port)).or_default() += count;
        }
        Bags { ports, domains: self.domains.clone(), cipher_suites: self.cipher_suites.clone() }
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate is a float; 53 bits are as good as it gets")]
    fn rate(&self, mean: RateMean) -> Option<f64> {
        match mean {
            RateMean::Flows => self.rate_bps.mean(),
            RateMean::Sum => {
                let duration_ns = self.duration_ns.sum();
                (duration_ns > 0).then(|| 8.0 * self.timed_volume as f64 / (duration_ns as f64 / NANOS))
            }
        }
    }
}

fn is_in_scope<S>(flow: &Flow<S>, scope: PortScope) -> bool {
    let peer = flow.peer.addr;
    match scope {
        PortScope::All => true,
        PortScope::Internet => {
            let is_broadcast = matches!(peer, std::net::IpAddr::V4(addr) if addr.is_broadcast());
            !(thingprint_flow::is_private(peer) || peer.is_multicast() || peer.is_loopback() || is_broadcast)
        }
    }
}

/// Counts a word; gives 1 when there was no room for it.
fn count_word(bag: &mut Bag, word: &str, max_words: usize) -> u64 {
    if let Some(count) = bag.get_mut(word) {
        *count += 1;
    } else if bag.len() < max_words {
        bag.insert(word.to_owned(), 1);
    } else {
        return 1;
    }
    0
}
