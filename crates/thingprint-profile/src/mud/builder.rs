use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use thingprint_flow::{DeviceIndex, FairMap, Flow, LetGo, LocalNets};
use thingprint_protocol::Heard;

use super::check::{CheckReport, Checker};
use super::contact::{Contact, ContactTally, Place};
use super::controllers::Controllers;
use super::draft::{Drafter, MudDraft, MudOptions};
use super::names::Names;
use super::profile::{Direction, MudProfile};

/// What is remembered at most, in bytes. Devices share both fairly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MudLimits {
    /// Of contacts of all devices. One takes some 400.
    pub contact_bytes: usize,
    /// Of names of addresses of all devices. One takes some 200.
    pub name_bytes: usize,
}

impl Default for MudLimits {
    fn default() -> Self {
        Self { contact_bytes: 64 << 20, name_bytes: 64 << 20 }
    }
}

/// Collects whom each device of a capture talks to, then writes the MUD profile of that, or checks it against one.
///
/// Flows may come in any order: names are looked up when a profile is written or checked, by all DNS answers of the
/// capture. Flows are best not cut at windows, since a connection without its beginning does not tell who opened it.
///
/// Where there is no room, devices let go of contacts that nobody answered, then of those that were not used for longest; and
/// of names of addresses that they talked to least recently.
#[derive(Clone, Debug)]
pub struct MudBuilder {
    pub(super) local_nets: LocalNets,
    pub(super) contacts: FairMap<Contact, ContactTally>,
    pub(super) names: Names,
    pub(super) controllers: Controllers,
    /// Addresses from which devices sent.
    pub(super) own: BTreeMap<DeviceIndex, BTreeSet<IpAddr>>,
    /// Flows from addresses for which there was no room among these.
    own_lost: BTreeMap<DeviceIndex, u64>,
}

/// Addresses of one device that are remembered: it has a few by each version of IP, and new ones by RFC 8981 each day.
const MOST_OWN: usize = 64;

impl Default for MudBuilder {
    fn default() -> Self {
        Self::new(MudLimits::default())
    }
}

impl MudBuilder {
    /// A builder that has heard nothing.
    pub fn new(limits: MudLimits) -> Self {
        Self {
            local_nets: LocalNets::default(),
            contacts: FairMap::new(limits.contact_bytes).ranked_by(ContactTally::rank),
            names: Names::new(limits.name_bytes),
            controllers: Controllers::default(),
            own: BTreeMap::new(),
            own_lost: BTreeMap::new(),
        }
    }

    /// The addresses of these networks are local, in addition to private ones.
    #[must_use]
    pub fn with_local_nets(self, local_nets: LocalNets) -> Self {
        Self { local_nets, ..self }
    }

    /// Says who serves a class of controllers, such as [`MudProfile::DNS_CONTROLLER`], or is the controller of devices
    /// ([`MudProfile::MY_CONTROLLER`]). Of a class of which nothing is said, those that DHCP names count, and any local
    /// address where DHCP names none.
    pub fn give_controller(&mut self, class: &str, address: IpAddr) {
        self.controllers.give(class.to_owned(), address);
    }

    /// A device is established when somebody answered it: floods of made-up addresses take nothing of it.
    pub fn establish(&mut self, device: DeviceIndex) {
        self.contacts.establish(device);
        self.names.establish(device);
        self.controllers.establish(device);
    }

    fn contact(&self, flow: &Flow<Heard>) -> Contact {
        let place = Place::among(flow.peer.addr, flow.local.addr, &self.local_nets);
        Contact { place, ..Contact::of(flow) }
    }

    /// Takes a flow; `spoken` is the name of the model that tells its protocol, if there is one.
    pub fn hear(&mut self, flow: &Flow<Heard>, spoken: Option<&str>) {
        self.controllers.hear(flow);
        self.hear_own(flow);
        let tally = ContactTally::of(flow, spoken);
        let contact = self.contact(flow);
        let gone = if let Some(known) = self.contacts.use_mut(flow.device, &contact) {
            let before = known.heap_bytes();
            known.add(tally);
            let more = known.heap_bytes().saturating_sub(before);
            if more > 0 { self.contacts.grow(flow.device, &contact, more) } else { Vec::new() }
        } else {
            let bytes = contact.bytes() + tally.heap_bytes();
            self.contacts.insert(flow.device, (contact, tally), bytes)
        };
        for LetGo { device, value, .. } in gone {
            self.contacts.lose(device, value.flows);
        }
        let contacts = &self.contacts;
        self.names.hear(flow, |address| {
            let mut from = contacts.entries_from(flow.device, &Contact::first_with(address));
            from.next().is_some_and(|(contact, _)| contact.peer == address)
        });
    }

    fn hear_own(&mut self, flow: &Flow<Heard>) {
        let address = flow.local.addr;
        if flow.up.packets > 0 && Place::of(address, address) != Place::Group && !address.is_unspecified() {
            let own = self.own.entry(flow.device).or_default();
            if own.len() < MOST_OWN {
                own.insert(address);
            } else if !own.contains(&address) {
                *self.own_lost.entry(flow.device).or_default() += 1;
            }
        }
    }

    /// Whom a device talked to. Pieces of connections, of which the beginning was not seen, are with the server that
    /// the device opened others to.
    pub fn contacts(&self, device: DeviceIndex) -> BTreeMap<Contact, ContactTally> {
        let heard = || self.contacts.entries(device);
        let is_client = |contact: &&Contact| contact.initiated == Direction::FromDevice;
        let opened: BTreeSet<_> =
            heard().map(|(contact, _)| contact).filter(is_client).map(Contact::server).collect();
        let mut settled: BTreeMap<Contact, ContactTally> = BTreeMap::new();
        for (contact, tally) in heard() {
            let turned = contact.turned(tally).filter(|(contact, _)| opened.contains(&contact.server()));
            let (contact, tally) = turned.unwrap_or_else(|| (contact.clone(), tally.clone()));
            match settled.get_mut(&contact) {
                Some(known) => known.add(tally),
                None => {
                    settled.insert(contact, tally);
                }
            }
        }
        settled
    }

    /// Flows of a device whose contacts found no room.
    pub fn dropped_flows(&self, device: DeviceIndex) -> u64 {
        self.contacts.lost(device)
    }

    /// Names of addresses, told to a device, that found no room.
    pub fn dropped_names(&self, device: DeviceIndex) -> u64 {
        self.names.lost(device)
    }

    /// Addresses of controllers, told to a device, that found no room.
    pub fn dropped_controllers(&self, device: DeviceIndex) -> u64 {
        self.controllers.lost(device)
    }

    /// Flows of a device from addresses that found no room among its own.
    pub fn dropped_addresses(&self, device: DeviceIndex) -> u64 {
        self.own_lost.get(&device).copied().unwrap_or(0)
    }

    /// Forgets a device whose index is given to another.
    pub fn forget(&mut self, device: DeviceIndex) {
        drop(self.contacts.forget(device));
        self.names.forget(device);
        self.controllers.forget(device);
        self.own.remove(&device);
        self.own_lost.remove(&device);
    }

    /// The profile of what a device was seen to do.
    pub fn profile(&self, device: DeviceIndex, options: &MudOptions) -> MudDraft {
        let contacts = self.contacts(device);
        let mut drafter = Drafter::new(&self.names, &self.controllers, device, contacts.iter());
        for (contact, tally) in &contacts {
            drafter.add(contact, tally, options);
        }
        drafter.finish(options)
    }

    /// What of a device's traffic a profile does not allow, and which of its entries were not used.
    pub fn check(&self, device: DeviceIndex, profile: &MudProfile) -> CheckReport {
        let mut checker = Checker::new(&self.names, &self.controllers, (device, profile));
        for (contact, tally) in &self.contacts(device) {
            checker.judge(contact, tally);
        }
        checker.finish(self.dropped_flows(device))
    }
}
