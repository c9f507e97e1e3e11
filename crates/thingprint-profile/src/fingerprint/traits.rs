use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::Flow;
use thingprint_protocol::{DhcpMessage, Heard};

use super::attribute::Attribute;
use super::shown::{shown, shown_by_dhcp};

/// Values of one attribute of one device that are remembered.
pub(super) const MOST_VALUES: usize = 1024;
/// Length of a value that is remembered, in bytes: the longest lists of cipher suites have some 500.
pub(super) const MOST_VALUE_BYTES: usize = 4096;

/// Time servers of a device that may be a list of its own; with more, they are taken from a pool.
const MOST_OWN_SERVERS: usize = 16;

/// Bytes that a value takes beside its text: the string and the count, with what the map keeps.
const VALUE_BYTES: usize = 64;

/// The values that a device, or a flow, shows of each attribute, with the number of flows that show each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    values: BTreeMap<Attribute, BTreeMap<String, u64>>,
    dropped: u64,
    /// What the values take.
    bytes: usize,
}

impl Traits {
    /// What one flow shows.
    pub fn of(flow: &Flow<Heard>) -> Self {
        let mut traits = Self::default();
        traits.hear(flow);
        traits
    }

    /// Adds what another flow of the same device shows. At most 1,024 values of an attribute are remembered, and none
    /// longer than 4,096 bytes.
    pub fn hear(&mut self, flow: &Flow<Heard>) {
        self.hear_within(flow, usize::MAX);
    }

    /// Adds what another flow shows; new values take so many bytes at most.
    pub(super) fn hear_within(&mut self, flow: &Flow<Heard>, room_bytes: usize) {
        self.add_all_within(shown(flow), room_bytes);
    }

    /// Adds what a DHCP message shows that a relay passed on; new values take so many bytes at most.
    pub(super) fn hear_dhcp_within(&mut self, message: &DhcpMessage, room_bytes: usize) {
        self.add_all_within(shown_by_dhcp(message), room_bytes);
    }

    fn add_all_within(&mut self, shown: Vec<(Attribute, String)>, room_bytes: usize) {
        let most_bytes = self.bytes.saturating_add(room_bytes);
        let distinct: BTreeSet<(Attribute, String)> = shown.into_iter().collect();
        for (attribute, value) in distinct {
            self.add_within((attribute, value), 1, most_bytes);
        }
    }

    /// Adds a value that so many flows show.
    pub(super) fn add(&mut self, attribute: Attribute, value: String, flows: u64) {
        self.add_within((attribute, value), flows, usize::MAX);
    }

    fn add_within(&mut self, (attribute, value): (Attribute, String), flows: u64, most_bytes: usize) {
        let values = self.values.entry(attribute).or_default();
        if let Some(count) = values.get_mut(&value) {
            *count = count.saturating_add(flows);
            return;
        }
        let bytes = self.bytes.saturating_add(value.len() + VALUE_BYTES);
        if values.len() >= MOST_VALUES || value.len() > MOST_VALUE_BYTES || bytes > most_bytes {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        self.bytes = bytes;
        values.insert(value, flows);
    }

    /// Bytes that the values take.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds what the same device showed elsewhere.
    pub fn join(&mut self, other: &Self) {
        for (attribute, value, flows) in other.iter() {
            self.add(attribute, value.to_owned(), flows);
        }
        self.dropped = self.dropped.saturating_add(other.dropped);
    }

    /// Every attribute and value with the number of flows, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Attribute, &str, u64)> {
        self.values.iter().flat_map(|(attribute, values)| {
            values.iter().map(|(value, flows)| (*attribute, value.as_str(), *flows))
        })
    }

    /// The values of one attribute with the number of flows, in order.
    pub fn values(&self, attribute: Attribute) -> impl Iterator<Item = (&str, u64)> {
        let values = self.values.get(&attribute).into_iter().flatten();
        values.map(|(value, flows)| (value.as_str(), *flows))
    }

    /// The attributes that are shown.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute> {
        let shown = self.values.iter().filter(|(_, values)| !values.is_empty());
        shown.map(|(attribute, _)| *attribute)
    }

    /// Every attribute and value that may tell it from others: not time servers from a pool, of which anybody may get the
    /// same.
    pub(super) fn telling(&self) -> impl Iterator<Item = (Attribute, &str)> {
        let has_pool = self.has_pool();
        self.iter()
            .filter(move |(attribute, ..)| !has_pool || *attribute != Attribute::NtpServer)
            .map(|(attribute, value, _)| (attribute, value))
    }

    /// Whether its time servers are from a pool: there are more of them than anybody's own.
    pub(super) fn has_pool(&self) -> bool {
        self.values(Attribute::NtpServer).count() > MOST_OWN_SERVERS
    }

    /// Whether a value is shown.
    pub fn has(&self, attribute: Attribute, value: &str) -> bool {
        self.values.get(&attribute).is_some_and(|values| values.contains_key(value))
    }

    /// Whether nothing is shown.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Values that found no room, each time that one was shown.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}
