//! What is known of a device, together with what a reading has seen of it since it began.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;

use thingprint_flow::DeviceId;
use thingprint_watch::{Sighting, WordCount};

/// Words of a kind that are kept of a device: as many as a reading gives.
const MOST_WORDS: usize = 32;

/// Addresses that are kept with a device: as many as a reading gives. All that it had are in its history.
const MOST_ADDRESSES: usize = 64;

/// Packets that earlier readings counted of a device.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Base {
    up: u64,
    down: u64,
}

/// The base of each device that this reading has seen. A reading knows a limited number of devices, so this has an end.
pub(crate) type Bases = BTreeMap<DeviceId, Base>;

impl Base {
    /// What is known before the first sighting of a reading.
    pub(crate) fn of(known: Option<&Sighting>) -> Self {
        known.map_or_else(Self::default, |known| Self { up: known.packets_up, down: known.packets_down })
    }
}

/// A device as it is known from now on. A reading counts from its begin: packets are added to those of earlier readings, and
/// a word has the larger one of its counts.
pub(crate) fn merged(known: Option<Sighting>, seen: &Sighting, base: Base) -> Sighting {
    let packets_up = base.up.saturating_add(seen.packets_up);
    let packets_down = base.down.saturating_add(seen.packets_down);
    let Some(known) = known else { return Sighting { packets_up, packets_down, ..seen.clone() } };
    Sighting {
        addresses: addresses(known.addresses, &seen.addresses),
        host_name: seen.host_name.clone().or(known.host_name),
        vendor_class: seen.vendor_class.clone().or(known.vendor_class),
        identity: seen.identity.clone().or(known.identity),
        names: words(known.names, &seen.names),
        server_ports: words(known.server_ports, &seen.server_ports),
        served_ports: words(known.served_ports, &seen.served_ports),
        services: words(known.services, &seen.services),
        packets_up,
        packets_down,
        ..seen.clone()
    }
}

/// All addresses in order; where there are too many, those that were seen now stay.
fn addresses(known: Vec<IpAddr>, seen: &[IpAddr]) -> Vec<IpAddr> {
    let mut all = seen.to_vec();
    all.extend(known.into_iter().filter(|address| !seen.contains(address)));
    all.truncate(MOST_ADDRESSES);
    all.sort_unstable();
    all
}

/// All words with their larger counts, the most frequent first; too many lose the least frequent.
fn words(known: Vec<WordCount>, seen: &[WordCount]) -> Vec<WordCount> {
    let mut all: BTreeMap<String, u64> = BTreeMap::new();
    for WordCount { word, count } in known.into_iter().chain(seen.iter().cloned()) {
        let most = all.entry(word).or_default();
        *most = count.max(*most);
    }
    let mut all: Vec<WordCount> = all.into_iter().map(|(word, count)| WordCount { word, count }).collect();
    all.sort_by(|a, b| (Reverse(a.count), &a.word).cmp(&(Reverse(b.count), &b.word)));
    all.truncate(MOST_WORDS);
    all
}
