//! Devices that have several addresses: proposals, never more.

use std::collections::BTreeMap;

use thingprint_flow::DeviceId;
use thingprint_identity::Statements;
use thingprint_instance::DeviceEntry;

/// Two addresses that seem to be of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// The address that was seen first.
    pub(super) first: DeviceId,
    pub(super) other: DeviceId,
    /// What they have in common.
    pub(super) reason: String,
}

/// What a device says to a DHCP server that others of its kind do not say in the same words: its name, with the software that
/// says it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Signature {
    name: String,
    options: String,
    class: String,
}

/// Pairs whose names and DHCP fingerprints agree, and whose times and addresses do not speak against it.
///
/// Two devices of one kind often have the name of their model and the same software. They have addresses of one block, and
/// are there at the same time: so these count as two.
pub(super) fn pairs(devices: &[(&DeviceEntry, &Statements)]) -> Vec<Pair> {
    let mut by_signature: BTreeMap<Signature, Vec<&DeviceEntry>> = BTreeMap::new();
    for (entry, statements) in devices {
        if let Some(signature) = signature(statements) {
            by_signature.entry(signature).or_default().push(entry);
        }
    }
    let mut pairs = Vec::new();
    for (signature, mut entries) in by_signature {
        entries.sort_by_key(|entry| (entry.first_seen, entry.device));
        let neighbours = entries.windows(2).filter_map(|pair| match pair {
            [one, other] => Some((*one, *other)),
            _ => None,
        });
        for (one, other) in neighbours {
            if let Some(how) = may_be_one(one, other) {
                let reason =
                    format!("both are '{}' to the DHCP server, with the same options, {how}", signature.name);
                pairs.push(Pair { first: one.device, other: other.device, reason });
            }
        }
    }
    pairs
}

fn signature(statements: &Statements) -> Option<Signature> {
    let of = |key: &str| {
        let mut values = statements.iter().filter(|(said, _)| said.source == "dhcp" && &*said.key == key);
        values.next().map(|(said, _)| said.value.to_lowercase())
    };
    let (name, options) = (of("host_name")?, of("requested_options")?);
    Some(Signature { name, options, class: of("vendor_class").unwrap_or_default() })
}

/// How two addresses may be of one device; `None` where they are of two.
fn may_be_one(one: &DeviceEntry, other: &DeviceEntry) -> Option<&'static str> {
    let times = |entry: &DeviceEntry| entry.first_seen.zip(entry.last_seen);
    let is_apart =
        times(one).zip(times(other)).is_some_and(|(one, other)| one.1 < other.0 || other.1 < one.0);
    let is_one_block = match (one.device, other.device) {
        (DeviceId::Mac(one), DeviceId::Mac(other)) => one.octets().get(..3) == other.octets().get(..3),
        _ => false,
    };
    match (one.is_randomised || other.is_randomised, is_apart) {
        (true, true) => Some("one after the other, and an address is randomised"),
        (true, false) => None,
        (false, _) if is_one_block => None,
        (false, true) => Some("one after the other"),
        (false, false) => Some("at the same time, with addresses of two makers"),
    }
}
