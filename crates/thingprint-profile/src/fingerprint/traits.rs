use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::Flow;
use thingprint_protocol::Heard;

use super::attribute::Attribute;
use super::shown::shown;

/// Values of one attribute of one device that are remembered: a computer asks for some thousand names in a month.
pub(super) const MOST_VALUES: usize = 1 << 14;
/// Length of a value that is remembered, in bytes: the longest lists of cipher suites have some 500.
pub(super) const MOST_VALUE_BYTES: usize = 4096;

/// What a line of a file takes beside a value, in bytes.
const LINE_BYTES: usize = 36;

/// Time servers of a device that may be a list of its own; with more, they are taken from a pool.
const MOST_OWN_SERVERS: usize = 16;

/// The values that a device, or a flow, shows of each attribute, with the number of flows that show each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    values: BTreeMap<Attribute, BTreeMap<String, u64>>,
    dropped: u64,
}

impl Traits {
    /// What one flow shows.
    pub fn of(flow: &Flow<Heard>) -> Self {
        let mut traits = Self::default();
        traits.hear(flow);
        traits
    }

    /// Adds what another flow of the same device shows. At most 16,384 values of an attribute are remembered, and none
    /// longer than 4,096 bytes.
    pub fn hear(&mut self, flow: &Flow<Heard>) {
        let distinct: BTreeSet<(Attribute, String)> = shown(flow).into_iter().collect();
        for (attribute, value) in distinct {
            self.add(attribute, value, 1);
        }
    }

    /// Nothing yet, where so many values found no room.
    pub(super) fn with_dropped(dropped: u64) -> Self {
        Self { dropped, ..Self::default() }
    }

    /// Adds a value that so many flows show.
    pub(super) fn add(&mut self, attribute: Attribute, value: String, flows: u64) {
        let values = self.values.entry(attribute).or_default();
        if let Some(count) = values.get_mut(&value) {
            *count = count.saturating_add(flows);
        } else if values.len() >= MOST_VALUES || value.len() > MOST_VALUE_BYTES {
            self.dropped = self.dropped.saturating_add(1);
        } else {
            values.insert(value, flows);
        }
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

    /// Flows that show its values, each as often as it shows one.
    pub(super) fn flows(&self) -> u64 {
        self.iter().map(|(.., flows)| flows).fold(0, u64::saturating_add)
    }

    /// Bytes of its values in a file, at most.
    pub(super) fn file_bytes(&self) -> usize {
        self.iter().map(|(_, value, _)| file_bytes(value)).sum()
    }

    /// Gives up the values that fewest flows show, until so many bytes of a file are free; returns how many.
    pub(super) fn give_up(&mut self, excess: usize) -> u64 {
        let mut order: Vec<_> =
            self.iter().map(|(attribute, value, flows)| (flows, attribute, value.to_owned())).collect();
        order.sort_unstable();
        let (mut freed, mut given_up) = (0, 0);
        for (_, attribute, value) in order {
            if freed >= excess {
                break;
            }
            freed += file_bytes(&value);
            given_up += 1;
            if let Some(values) = self.values.get_mut(&attribute) {
                values.remove(&value);
            }
        }
        given_up
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

/// Bytes of a value in a file, at most: as JSON writes it, with its number of flows on a line of its own.
fn file_bytes(value: &str) -> usize {
    let escaped: usize = value.chars().map(|c| if c.is_control() { 6 } else { c.len_utf8() + 1 }).sum();
    escaped + LINE_BYTES
}
