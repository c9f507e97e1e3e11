use std::collections::{BTreeMap, BTreeSet};
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
    /// The server name that the device asked for in TLS or QUIC.
    ServerName,
    /// The host that the device asked for in HTTP.
    HttpHost,
}

/// The names of addresses, by the DNS answers of a capture.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    addresses: BTreeMap<IpAddr, BTreeMap<String, Known>>,
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
    }

    fn note(&mut self, device: DeviceIndex, message: &DnsMessage, most: usize) {
        let asked = message.questions.first().map(|question| question.name.as_str());
        for answer in &message.answers {
            let DnsData::Address(address) = answer.data else { continue };
            let aliases = message.answers.iter().map(|answer| answer.name.as_str());
            for name in asked.into_iter().chain(aliases).take(MOST_NAMES_OF_ADDRESS) {
                let names = self.addresses.entry(address).or_default();
                let is_new = !names.get(name).is_some_and(|known| known.devices.contains(&device));
                if is_new && (self.kept >= most || names.len() >= MOST_NAMES_OF_ADDRESS) {
                    self.dropped += 1;
                    continue;
                }
                self.kept += usize::from(is_new);
                let known = names.entry(name.to_owned()).or_default();
                known.is_asked |= asked == Some(name);
                known.devices.insert(device);
            }
        }
    }

    /// What tells that the peer of a device's contact has this name.
    pub(super) fn evidence(
        &self,
        device: DeviceIndex,
        contact: &Contact,
        name: &str,
    ) -> Option<NameEvidence> {
        let known = self.addresses.get(&contact.peer).and_then(|names| names.get(name));
        match (known, &contact.host) {
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
        match (others.is_empty(), host) {
            (true, Some(host)) => (vec![host.name.clone()], host.evidence()),
            _ => (others, NameEvidence::OtherDns),
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
