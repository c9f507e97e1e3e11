use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::{DeviceIndex, FairMap, Flow};
use thingprint_protocol::{DhcpMessage, Heard};

use super::attribute::Attribute;
use super::shown::{shown, shown_by_dhcp};
use super::traits::{MOST_VALUE_BYTES, MOST_VALUES, Traits};

/// Bytes that the values of all devices take.
const MOST_BYTES: usize = 48 << 20;
/// What is freed at once of an attribute that has too many values, as a share of these.
const FREED_SHARE: usize = 8;
/// Bytes that a value takes beside its text: the string, the count and the last use, with what the map keeps.
const VALUE_BYTES: usize = 96;

/// Collects what each device of a capture shows of itself, and tells what is shown by one device alone.
///
/// Where there is no room for more, devices let go of the values that they showed least recently; a device has a fair share.
#[derive(Clone, Debug)]
pub struct Fingerprints {
    /// Flows that show a value.
    values: FairMap<(Attribute, String), u64>,
    /// Number of values of each attribute.
    counts: BTreeMap<(DeviceIndex, Attribute), usize>,
}

impl Default for Fingerprints {
    /// With room for 48 MiB of values.
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
    pub fn new(most_bytes: usize) -> Self {
        Self { values: FairMap::new(most_bytes), counts: BTreeMap::new() }
    }

    /// Takes a flow.
    pub fn hear(&mut self, flow: &Flow<Heard>) {
        if !flow.state.messages.is_empty() {
            self.add(flow.device, shown(flow));
        }
    }

    /// Takes a DHCP message of a device that a relay sent on.
    pub fn hear_of(&mut self, device: DeviceIndex, message: &DhcpMessage) {
        self.add(device, shown_by_dhcp(message));
    }

    /// A device is established when somebody answered it: floods of made-up addresses take nothing of it.
    pub fn establish(&mut self, device: DeviceIndex) {
        self.values.establish(device);
    }

    /// Leaves out what turned out to be no device, such as the gateway, or a device whose index is given to another.
    pub fn forget(&mut self, device: DeviceIndex) {
        for ((attribute, _), _) in self.values.forget(device) {
            self.counts.remove(&(device, attribute));
        }
    }

    /// The devices that said something, in order, with what they show.
    pub fn devices(&self) -> impl Iterator<Item = (DeviceIndex, Traits)> {
        self.values.devices().filter_map(|device| Some((device, self.traits(device)?)))
    }

    /// What a device shows; `None` of one that shows nothing.
    pub fn traits(&self, device: DeviceIndex) -> Option<Traits> {
        let mut traits = Traits::with_dropped(self.values.lost(device));
        for ((attribute, value), flows) in self.values.entries(device) {
            traits.add(*attribute, value.clone(), *flows);
        }
        (self.values.len_of(device) > 0).then_some(traits)
    }

    /// Adds values that one flow shows.
    fn add(&mut self, device: DeviceIndex, shown: Vec<(Attribute, String)>) {
        let distinct: BTreeSet<(Attribute, String)> = shown.into_iter().collect();
        for shown in distinct {
            if let Some(flows) = self.values.use_mut(device, &shown) {
                *flows = flows.saturating_add(1);
            } else if shown.1.len() > MOST_VALUE_BYTES {
                self.values.lose(device, 1);
            } else {
                self.keep(device, shown);
            }
        }
    }

    fn keep(&mut self, device: DeviceIndex, shown: (Attribute, String)) {
        let attribute = shown.0;
        let count = self.counts.entry((device, attribute)).or_default();
        *count += 1;
        if *count > MOST_VALUES {
            let first = (attribute, String::new());
            let such = (&first, |(of, _): &(Attribute, String)| *of == attribute);
            for _ in self.values.let_go_among(device, such, MOST_VALUES / FREED_SHARE) {
                self.lose(device, attribute);
            }
        }
        let bytes = VALUE_BYTES + shown.1.len();
        for gone in self.values.insert(device, (shown, 1), bytes) {
            self.lose(gone.device, gone.key.0);
        }
    }

    /// Counts a value that a device had to let go of.
    fn lose(&mut self, device: DeviceIndex, attribute: Attribute) {
        self.values.lose(device, 1);
        if let Entry::Occupied(mut count) = self.counts.entry((device, attribute)) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    /// For each device the values that no other device of the capture shows, with the number of flows, in order; empty
    /// where there are fewer than two devices, since there is nobody to differ from.
    pub fn unique(&self) -> BTreeMap<DeviceIndex, Vec<(Attribute, &str, u64)>> {
        let devices: Vec<DeviceIndex> = self.values.devices().collect();
        if devices.len() < 2 {
            return BTreeMap::new();
        }
        let mut shown_by: BTreeMap<(Attribute, &str), u32> = BTreeMap::new();
        for ((attribute, value), _) in devices.iter().flat_map(|device| self.values.entries(*device)) {
            *shown_by.entry((*attribute, value)).or_default() += 1;
        }
        let is_unique = |attribute, value| shown_by.get(&(attribute, value)) == Some(&1);
        let mut unique = BTreeMap::new();
        for device in devices {
            let shown = self.values.entries(device);
            let shown = shown.map(|((attribute, value), flows)| (*attribute, value.as_str(), *flows));
            let own = shown.filter(|(attribute, value, _)| is_unique(*attribute, *value));
            unique.insert(device, own.collect());
        }
        unique
    }

    /// The lists of cipher suites that a device offers, the most frequent first.
    pub fn cipher_lists(&self, device: DeviceIndex) -> Vec<CipherList> {
        let codes =
            |word: &str| word.split('-').filter_map(|code| u32::from_str_radix(code, 16).ok()).collect();
        let lists = self.values.entries_from(device, &(Attribute::TlsCipherSuites, String::new()));
        let lists = lists.take_while(|((attribute, _), _)| *attribute == Attribute::TlsCipherSuites);
        let mut lists: Vec<CipherList> =
            lists.map(|((_, word), flows)| CipherList { suites: codes(word), flows: *flows }).collect();
        lists.sort_by_key(|list| std::cmp::Reverse(list.flows));
        lists
    }

    /// Values of a device that found no room, or that it had to let go of.
    pub fn dropped(&self, device: DeviceIndex) -> u64 {
        self.values.lost(device)
    }
}
