//! Devices as the records show them.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::net::IpAddr;

use thingprint_flow::{DeviceId, Gateways, Timestamp, is_private};
use thingprint_instance::{Attribute, Bag, BagName, DeviceEntry, Instance};

use crate::records::{Sighting, WindowAnswer, WindowRecord, WordCount};
use crate::sightings::SeenDevice;

/// Most names, ports and protocols that are shown of a device.
const MOST_WORDS: usize = 32;
/// Most addresses that are shown of a device.
pub(crate) const MOST_ADDRESSES: usize = 64;
/// A host that claims no address and sends from more of the Internet than this forwards packets of others, though it is not
/// known as a gateway yet.
const MOST_PUBLIC: usize = 4;

/// A device as it was seen.
pub(crate) fn sighting(seen: SeenDevice, gateways: &Gateways) -> Sighting {
    let device = seen.record.device();
    let reason = match device {
        DeviceId::Mac(mac) => gateways.0.get(&mac).copied(),
        DeviceId::Ip(_) => None,
    };
    let claimed: BTreeSet<IpAddr> = seen.record.claimed().collect();
    let DeviceEntry {
        is_randomised,
        addresses,
        host_name,
        vendor_class,
        names,
        server_ports,
        served_ports,
        services,
        packets_up,
        packets_down,
        ..
    } = match reason {
        Some(reason) => seen.record.into_gateway(reason),
        // One that sent nothing but frames without IP is a device as well, with the addresses that it claims.
        None => seen.record.into_device().unwrap_or_else(|| DeviceEntry {
            addresses: claimed.iter().map(|address| (*address, 0)).collect(),
            ..DeviceEntry::new(device)
        }),
    };
    let (first_seen, last_seen) = seen.times;
    Sighting {
        device,
        gateway: reason.map(|reason| reason.as_str().to_owned()),
        is_randomised,
        addresses: own_addresses(addresses.into_keys(), &claimed),
        host_name,
        vendor_class,
        identity: None,
        names: most_frequent(names),
        server_ports: most_frequent(server_ports),
        served_ports: most_frequent(served_ports),
        services: most_frequent(services),
        first_seen,
        last_seen,
        packets_up,
        packets_down,
    }
}

/// The addresses that are the device's own: those of local networks and those that it claims. It may have sent from others
/// for whom it forwards.
fn own_addresses(addresses: impl Iterator<Item = IpAddr>, claimed: &BTreeSet<IpAddr>) -> Vec<IpAddr> {
    let is_own = |address: &IpAddr| is_private(*address) || claimed.contains(address);
    let (mut own, others): (Vec<_>, Vec<_>) = addresses.partition(is_own);
    if own.is_empty() && others.len() <= MOST_PUBLIC {
        own = others;
    }
    own.sort_unstable();
    own.truncate(MOST_ADDRESSES);
    own
}

fn most_frequent(words: Bag) -> Vec<WordCount> {
    let mut words: Vec<WordCount> =
        words.into_iter().map(|(word, count)| WordCount { word, count }).collect();
    words.sort_by(|a, b| (Reverse(a.count), &a.word).cmp(&(Reverse(b.count), &b.word)));
    words.truncate(MOST_WORDS);
    words
}

/// A device as its final window shows it, which was seen between these times; `packets` were seen of it since the reading
/// began, up and down.
pub(crate) fn sighting_of(
    instance: &Instance,
    (first_seen, last_seen): (Timestamp, Timestamp),
    (packets_up, packets_down): (u64, u64),
) -> Sighting {
    let words = |bag: BagName| instance.bags.get(bag).cloned().map(most_frequent).unwrap_or_default();
    Sighting {
        device: instance.device,
        gateway: None,
        is_randomised: DeviceEntry::new(instance.device).is_randomised,
        addresses: Vec::new(),
        host_name: None,
        vendor_class: None,
        identity: None,
        names: words(BagName::DOMAINS),
        server_ports: words(BagName::PORTS),
        served_ports: words(BagName::SERVED_PORTS),
        services: Vec::new(),
        first_seen,
        last_seen,
        packets_up,
        packets_down,
    }
}

/// A window as a record.
pub(crate) fn window(instance: &Instance, answer: Option<WindowAnswer>) -> WindowRecord {
    let counts = instance.counts;
    WindowRecord {
        device: instance.device,
        window_start: instance.window_start,
        window_s: instance.window_s,
        part: 0,
        is_cut: false,
        provisional_after_s: None,
        packets_up: counts.packets_up,
        packets_down: counts.packets_down,
        bytes_up: counts.bytes_up,
        bytes_down: counts.bytes_down,
        flows: counts.flows,
        sleep_time_s: instance.attributes.get(Attribute::SLEEP_TIME_S),
        answer,
        instance: None,
    }
}
