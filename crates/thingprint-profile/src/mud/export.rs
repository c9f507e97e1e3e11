//! What rules for firewalls need to know of devices and their network.

use std::collections::BTreeSet;

use thingprint_flow::{DeviceId, DeviceIndex, is_private};

use super::builder::MudBuilder;
use super::prefix::Prefix;
use super::profile::{Direction, MudProfile};
use crate::{ExportDevice, ExportNetwork};

/// Bits of an IPv6 network (RFC 4291 §2.5.4).
const IPV6_NETWORK_BITS: u8 = 64;

impl MudBuilder {
    /// A device to write rules for, with the addresses that were seen of it and of the names in its profile.
    pub fn export_device(
        &self,
        device: DeviceIndex,
        (id, name): (DeviceId, &str),
        profile: MudProfile,
    ) -> ExportDevice {
        let mut answers = self.names.addresses_of(&names(&profile));
        for contact in self.contacts(device).keys() {
            for name in self.names.known(device, contact) {
                if let Some(addresses) = answers.get_mut(name) {
                    addresses.insert(contact.peer);
                } else if names(&profile).contains(name) {
                    answers.insert(name.to_owned(), BTreeSet::from([contact.peer]));
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
        ExportDevice { name: name.to_owned(), mac, addresses, profile, answers, widened }
    }

    /// The network: its local addresses, and who serves the classes of controllers.
    pub fn export_network(&self) -> ExportNetwork {
        let mut network = ExportNetwork::default();
        for net in self.local_nets.iter() {
            if let Some(block) = Prefix::new(net.first(), net.prefix_bits()) {
                network.add_local(block);
            }
        }
        let own = self.own.values().flatten().filter(|address| address.is_ipv6() && !is_private(**address));
        for block in own.filter_map(|address| Prefix::new(*address, IPV6_NETWORK_BITS)) {
            network.add_local(block);
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
