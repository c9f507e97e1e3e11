//! At which UDP ports a device serves, where the flows leave open who asked.

use std::collections::{BTreeMap, BTreeSet};

use super::contact::{Contact, ContactTally, FIRST_USER_PORT};
use super::port::PortSpan;
use super::profile::Direction;

const UDP: u8 = 17;

/// A port of the device that talks to so many picked ports is one at which it serves.
const FEWEST_ASKERS: usize = 4;
/// UDP ports at which a device serves: those that others asked, and those from which it talks to many picked ports,
/// whose owners must have asked before.
pub(super) fn served_ports<'c>(
    contacts: impl Iterator<Item = (&'c Contact, &'c ContactTally)>,
) -> BTreeSet<u16> {
    let mut served = BTreeSet::new();
    let mut picked: BTreeMap<u16, BTreeSet<u16>> = BTreeMap::new();
    for (contact, tally) in contacts {
        if contact.protocol == UDP && contact.initiated == Direction::ToDevice {
            served.extend(contact.server_port);
        } else if let Some((own, other)) = own_port(contact, tally) {
            picked.entry(own).or_default().insert(other);
        }
    }
    let is_served = |(own, others): (u16, BTreeSet<u16>)| (others.len() >= FEWEST_ASKERS).then_some(own);
    served.extend(picked.into_iter().filter_map(is_served));
    served
}

/// The one UDP port from which a device sent to a port that may be a picked one, and that port.
pub(super) fn own_port(contact: &Contact, tally: &ContactTally) -> Option<(u16, u16)> {
    let PortSpan { low, high } = tally.client_ports;
    let other = contact.server_port?;
    let is_own = contact.protocol == UDP && contact.initiated == Direction::FromDevice && low == high;
    let is_picked = low >= FIRST_USER_PORT && other >= FIRST_USER_PORT && other != low;
    (is_own && is_picked).then_some((low, other))
}
