use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use thingprint_flow::{DeviceIndex, Flow};
use thingprint_protocol::{DnsData, DnsMessage, Heard, Message};

use super::contact::{Contact, Host, HostSource, is_domain_name};

/// Names that one address is known by, for one device.
const MOST_NAMES_OF_ADDRESS: usize = 64;

/// What tells that an address has a name; the best evidence first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameEvidence {
    /// A DNS answer to the device itself.
    OwnDns,
    /// A DNS answer to another device of the capture.
    OtherDns,
    /// The server name that the client asked for in TLS or QUIC: a claim that anybody can make.
    ServerName,
    /// The host that the client asked for in HTTP: a claim that anybody can make.
    HttpHost,
}

impl NameEvidence {
    /// Whether it is only what the client itself says, so that a device which lies passes by it.
    pub const fn is_claim(self) -> bool {
        matches!(self, Self::ServerName | Self::HttpHost)
    }
}

/// Why DNS answers do not tell the name of a peer; worded to follow "no entry for this peer".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameDoubt {
    /// No answer names its address: it may have come before the capture began, or got lost.
    NoAnswer,
    /// The device names this host inside the flows, while answers gave it other addresses of the host.
    Contradicted(Host),
}

/// The names of addresses, by the DNS answers of a capture.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    addresses: BTreeMap<IpAddr, BTreeMap<String, Known>>,
    /// Who was told an address of which name; no more than there are in `addresses`.
    told: BTreeMap<String, BTreeSet<DeviceIndex>>,
    kept: usize,
    pub(super) dropped: u64,
}

/// How a name is known.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Whether somebody asked for this very name; the others are aliases that an answer went through.
    is_asked: bool,
    /// Who was told.
    devices: BTreeSet<DeviceIndex>,
}

impl Names {
    /// Notes the DNS answers in a flow, up to `most` names of addresses in all.
    pub(super) fn hear(&mut self, flow: &Flow<Heard>, most: usize) {
        for heard in &flow.state.messages {
            if let Message::Dns(message) = &heard.message
                && message.is_response()
            {
                self.note(flow.device, message, most);
            }
        }
        for answer in &flow.state.answers {
            self.note(flow.device, answer, most);
        }
        self.dropped += flow.state.answers_dropped;
    }

    fn note(&mut self, device: DeviceIndex, message: &DnsMessage, most: usize) {
        let Some(asked) = message.questions.first().map(|question| question.name.as_str()) else { return };
        let chain = chain(asked, message);
        for answer in &message.answers {
            let DnsData::Address(address) = answer.data else { continue };
            let Some(owner) = chain.iter().position(|name| *name == answer.name) else { continue };
            for name in chain.iter().take(owner + 1) {
                self.keep((address, name), (device, *name == asked), most);
            }
        }
    }

    fn keep(
        &mut self,
        (address, name): (IpAddr, &str),
        (device, is_asked): (DeviceIndex, bool),
        most: usize,
    ) {
        let names = self.addresses.get(&address);
        let known = names.and_then(|names| names.get(name));
        let is_new = !known.is_some_and(|known| known.devices.contains(&device));
        let is_full = names.is_some_and(|names| names.len() >= MOST_NAMES_OF_ADDRESS) && known.is_none();
        if is_new && (self.kept >= most || is_full) {
            self.dropped += 1;
            return;
        }
        self.kept += usize::from(is_new);
        let known = self.addresses.entry(address).or_default().entry(name.to_owned()).or_default();
        known.is_asked |= is_asked;
        known.devices.insert(device);
        self.told.entry(name.to_owned()).or_default().insert(device);
    }

    /// The addresses that DNS answers gave to each of these names, to whichever device.
    pub(super) fn addresses_of(&self, wanted: &BTreeSet<&str>) -> BTreeMap<String, BTreeSet<IpAddr>> {
        let mut found: BTreeMap<String, BTreeSet<IpAddr>> = BTreeMap::new();
        for (address, names) in &self.addresses {
            for name in names.keys().filter(|name| wanted.contains(name.as_str())) {
                found.entry(name.clone()).or_default().insert(*address);
            }
        }
        found
    }

    /// The host that the client of a contact named, if that may tell a name: not where DNS told the device other
    /// addresses of it.
    fn claim<'c>(&self, device: DeviceIndex, contact: &'c Contact) -> Option<&'c Host> {
        let is_told = |host: &&Host| self.told.get(&host.name).is_some_and(|told| told.contains(&device));
        contact.host.as_ref().filter(|host| !is_told(host))
    }

    /// Why the name of a contact's peer is in doubt, where it is.
    pub(super) fn doubt(&self, device: DeviceIndex, contact: &Contact) -> Option<NameDoubt> {
        let known = self.addresses.get(&contact.peer);
        match (&contact.host, self.claim(device, contact)) {
            (Some(host), None) if !known.is_some_and(|names| names.contains_key(&host.name)) => {
                Some(NameDoubt::Contradicted(host.clone()))
            }
            (_, None) if known.is_none() => Some(NameDoubt::NoAnswer),
            _ => None,
        }
    }

    /// The names for which there is [evidence](Self::evidence) that the peer of a contact has them.
    pub(super) fn known<'c>(
        &'c self,
        device: DeviceIndex,
        contact: &'c Contact,
    ) -> impl Iterator<Item = &'c str> {
        let told = self.addresses.get(&contact.peer).into_iter().flat_map(BTreeMap::keys);
        told.map(String::as_str).chain(self.claim(device, contact).map(|host| host.name.as_str()))
    }

    /// What tells that the peer of a device's contact has this name.
    pub(super) fn evidence(
        &self,
        device: DeviceIndex,
        contact: &Contact,
        name: &str,
    ) -> Option<NameEvidence> {
        let known = self.addresses.get(&contact.peer).and_then(|names| names.get(name));
        match (known, self.claim(device, contact)) {
            (Some(known), _) if known.devices.contains(&device) => Some(NameEvidence::OwnDns),
            (Some(_), _) => Some(NameEvidence::OtherDns),
            (None, Some(host)) if host.name == name => Some(host.evidence()),
            _ => None,
        }
    }

    /// The names that the peer of a contact is to be written by, and what tells them: those that the device asked
    /// for, else those that others asked for, else the host that the device named inside the flows. Where DNS gives
    /// several names and the device named one of them, it is that one.
    pub(super) fn of(&self, device: DeviceIndex, contact: &Contact) -> (Vec<String>, NameEvidence) {
        let host = contact.host.as_ref();
        let asked = |is_wanted: &dyn Fn(&Known) -> bool| -> Vec<String> {
            let known = self.addresses.get(&contact.peer).into_iter().flatten();
            let asked =
                known.filter(|(name, known)| known.is_asked && is_wanted(known) && is_domain_name(name));
            let names: Vec<String> = asked.map(|(name, _)| name.clone()).collect();
            match host.filter(|host| names.contains(&host.name)) {
                Some(host) => vec![host.name.clone()],
                None => names,
            }
        };
        let own = asked(&|known| known.devices.contains(&device));
        if !own.is_empty() {
            return (own, NameEvidence::OwnDns);
        }
        let others = asked(&|_| true);
        match (others.is_empty(), self.claim(device, contact)) {
            (true, Some(host)) => (vec![host.name.clone()], host.evidence()),
            _ => (others, NameEvidence::OtherDns),
        }
    }
}

/// The names from the one asked for along the aliases (RFC 1034 §3.6.2), each behind the one that it is an alias of. An
/// answer about other names tells nothing of these.
fn chain<'m>(asked: &'m str, message: &'m DnsMessage) -> Vec<&'m str> {
    let mut chain = vec![asked];
    while let Some(&last) = chain.last()
        && chain.len() < MOST_NAMES_OF_ADDRESS
    {
        let alias = message.answers.iter().find_map(|answer| match &answer.data {
            DnsData::Name(target) if answer.name == last => Some(target.as_str()),
            _ => None,
        });
        match alias {
            Some(alias) if !chain.contains(&alias) => chain.push(alias),
            _ => break,
        }
    }
    chain
}

impl fmt::Display for NameDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer => f.write_str("no DNS answer in these captures names it"),
            Self::Contradicted(Host { name, source }) => {
                let place = match source {
                    HostSource::ServerName => "the TLS server name",
                    HostSource::HttpHost => "Host",
                };
                write!(f, "{place} says {name}, DNS says otherwise")
            }
        }
    }
}

impl Host {
    const fn evidence(&self) -> NameEvidence {
        match self.source {
            HostSource::ServerName => NameEvidence::ServerName,
            HostSource::HttpHost => NameEvidence::HttpHost,
        }
    }
}
