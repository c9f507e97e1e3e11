use std::collections::BTreeMap;

use thingprint_flow::{DeviceIndex, Flow};
use thingprint_protocol::{DhcpMessage, Heard};

use super::attribute::Attribute;
use super::traits::Traits;

/// Bytes that the values of all devices take.
const MOST_BYTES: usize = 256 << 20;

/// Collects what each device of a capture shows of itself, and tells what is shown by one device alone.
#[derive(Clone, Debug)]
pub struct Fingerprints {
    devices: BTreeMap<DeviceIndex, Traits>,
    /// Bytes that are left for values.
    room_bytes: usize,
}

impl Default for Fingerprints {
    /// With room for 256 MiB of values.
    fn default() -> Self {
        Self::new(MOST_BYTES)
    }
}

/// A list of cipher suites that a device offers: a line of the protocol paper's Fig. 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CipherList {
    /// The codes in the order offered; the figure draws the binary logarithm of each over its place.
    pub suites: Vec<u32>,
    /// Flows that offer this list.
    pub flows: u64,
}

impl Fingerprints {
    /// A collector that has heard nothing, whose values take so many bytes at most, over all devices; values beyond
    /// are counted.
    pub const fn new(most_bytes: usize) -> Self {
        Self { devices: BTreeMap::new(), room_bytes: most_bytes }
    }

    /// Takes a flow.
    pub fn hear(&mut self, flow: &Flow<Heard>) {
        if !flow.state.messages.is_empty() {
            let traits = self.devices.entry(flow.device).or_default();
            let before = traits.bytes();
            traits.hear_within(flow, self.room_bytes);
            self.room_bytes = self.room_bytes.saturating_sub(traits.bytes() - before);
        }
    }

    /// Takes a DHCP message of a device that a relay sent on.
    pub fn hear_of(&mut self, device: DeviceIndex, message: &DhcpMessage) {
        let traits = self.devices.entry(device).or_default();
        let before = traits.bytes();
        traits.hear_dhcp_within(message, self.room_bytes);
        self.room_bytes = self.room_bytes.saturating_sub(traits.bytes() - before);
    }

    /// Leaves out what turned out to be no device, such as the gateway.
    pub fn forget(&mut self, device: DeviceIndex) {
        if let Some(forgotten) = self.devices.remove(&device) {
            self.room_bytes = self.room_bytes.saturating_add(forgotten.bytes());
        }
    }

    /// The devices that said something, in order, with what they show.
    pub fn devices(&self) -> impl Iterator<Item = (DeviceIndex, &Traits)> {
        self.devices.iter().map(|(device, traits)| (*device, traits))
    }

    /// What a device shows.
    pub fn traits(&self, device: DeviceIndex) -> Option<&Traits> {
        self.devices.get(&device)
    }

    /// For each device the values that no other device of the capture shows, with the number of flows, in order; empty
    /// where there are fewer than two devices, since there is nobody to differ from.
    pub fn unique(&self) -> BTreeMap<DeviceIndex, Vec<(Attribute, &str, u64)>> {
        if self.devices.len() < 2 {
            return BTreeMap::new();
        }
        let mut shown_by: BTreeMap<(Attribute, &str), u32> = BTreeMap::new();
        for (attribute, value, _) in self.devices.values().flat_map(Traits::iter) {
            *shown_by.entry((attribute, value)).or_default() += 1;
        }
        let is_unique = |attribute, value| shown_by.get(&(attribute, value)) == Some(&1);
        let mut unique = BTreeMap::new();
        for (device, traits) in &self.devices {
            let own = traits.iter().filter(|(attribute, value, _)| is_unique(*attribute, *value));
            unique.insert(*device, own.collect());
        }
        unique
    }

    /// The lists of cipher suites that a device offers, the most frequent first.
    pub fn cipher_lists(&self, device: DeviceIndex) -> Vec<CipherList> {
        let Some(traits) = self.devices.get(&device) else { return Vec::new() };
        let codes =
            |word: &str| word.split('-').filter_map(|code| u32::from_str_radix(code, 16).ok()).collect();
        let lists = traits.values(Attribute::TlsCipherSuites);
        let mut lists: Vec<CipherList> =
            lists.map(|(word, flows)| CipherList { suites: codes(word), flows }).collect();
        lists.sort_by_key(|list| std::cmp::Reverse(list.flows));
        lists
    }

    /// Values that found no room.
    pub fn dropped(&self) -> u64 {
        self.devices.values().map(Traits::dropped).fold(0, u64::saturating_add)
    }
}
