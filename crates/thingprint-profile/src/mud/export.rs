//! What rules for firewalls need to know of devices and their network.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use thingprint_flow::{DeviceId, DeviceIndex, is_private};

use super::builder::MudBuilder;
use super::contact::Place;
use super::names::NameEvidence;
use super::prefix::Prefix;
use super::profile::{Direction, MudProfile};
use crate::{ExportDevice, ExportNetwork};

impl MudBuilder {
    /// A device to write rules for, with the addresses that were seen of it and of the names in its profile.
    pub fn export_device(
        &self,
        device: DeviceIndex,
        (id, name): (DeviceId, &str),
        profile: MudProfile,
    ) -> ExportDevice {
        let mut answers = self.names.addresses_of(&names(&profile));
        let (mut claimed, mut contradicted) = (BTreeSet::new(), BTreeSet::new());
        for (name, addresses) in self.claims(device, &names(&profile)) {
            // What DNS says of a name holds: a device that lies must not open a set to whatever address it likes.
            match answers.entry(name) {
                Entry::Occupied(told) => {
                    contradicted.insert(told.key().clone());
                }
                Entry::Vacant(free) => {
                    claimed.insert(free.key().clone());
                    free.insert(addresses);
                }
            }
        }
        let mut addresses = self.own.get(&device).cloned().unwrap_or_default();
        let mac = match id {
            DeviceId::Mac(mac) => Some(mac),
            DeviceId::Ip(address) => {
                addresses.insert(address);
                None
            }
        };
        let widened = BTreeSet::new();
        ExportDevice {
            name: name.to_owned(),
            mac,
            addresses,
            profile,
            answers,
            claimed,
            contradicted,
            widened,
        }
    }

    /// The addresses that have one of these names by what the device says alone.
    fn claims(&self, device: DeviceIndex, wanted: &BTreeSet<&str>) -> BTreeMap<String, BTreeSet<IpAddr>> {
        let mut claims: BTreeMap<String, BTreeSet<IpAddr>> = BTreeMap::new();
        for contact in self.contacts(device).keys() {
            for name in self.names.known(device, contact).filter(|name| wanted.contains(name)) {
                if self.names.evidence(device, contact, name).is_some_and(NameEvidence::is_claim) {
                    claims.entry(name.to_owned()).or_default().insert(contact.peer);
                }
            }
        }
        claims
    }

    /// The network: its local addresses, and who serves the classes of controllers.
    pub fn export_network(&self) -> ExportNetwork {
        let mut network = ExportNetwork::default();
        for net in self.local_nets.iter() {
            if let Some(block) = Prefix::new(net.first(), net.prefix_bits()) {
                network.add_local(block);
            }
        }
        // Of a public network only what is there: that an address lies in the same network says nothing of who has it.
        let contacts = self.own.keys().flat_map(|device| self.contacts.entries(*device));
        let met =
            contacts.filter(|(contact, _)| contact.place == Place::Local).map(|(contact, _)| contact.peer);
        let seen = self.own.values().flatten().copied().chain(met);
        for address in seen.filter(|address| address.is_ipv6() && !is_private(*address)) {
            network.add_local(Prefix::host(address));
        }
        for (class, address) in self.controllers.known() {
            network.add_controller(class, address);
        }
        network
    }
}

/// The names that entries of a profile have.
fn names(profile: &MudProfile) -> BTreeSet<&str> {
    let lists = [Direction::FromDevice, Direction::ToDevice]
        .into_iter()
        .flat_map(|direction| profile.policy(direction));
    let networks = lists.flat_map(|list| &list.entries).filter_map(|entry| entry.network.as_ref());
    networks
        .flat_map(|network| [&network.source_name, &network.destination_name])
        .flatten()
        .map(String::as_str)
        .collect()
}
