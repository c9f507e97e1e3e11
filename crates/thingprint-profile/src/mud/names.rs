use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use thingprint_flow::{DeviceIndex, FairMap, Flow};
use thingprint_protocol::{DnsData, DnsMessage, Heard, Message};

use super::contact::{Contact, Host, HostSource, is_domain_name};

/// Names that one address is known by, for one device.
const MOST_NAMES_OF_ADDRESS: usize = 64;
/// What is freed at once where an address has that many, as a share of them.
const FREED_SHARE: usize = 8;
/// What a name of an address takes beside its text, in bytes: its places in three maps.
const NAME_BYTES: usize = 224;

/// What tells that an address has a name; the best evidence first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameEvidence {
    /// A DNS answer to the device itself.
    OwnDns,
    /// A DNS answer to another device of the capture, where the device itself was told no name of the address.
    OtherDns,
    /// The server name that the client asked for in TLS or QUIC: a claim that anybody can make.
    ServerName,
    /// The host that the client asked for in HTTP: a claim that anybody can make.
    HttpHost,
}

impl NameEvidence {
    const ALL: [Self; 4] = [Self::OwnDns, Self::OtherDns, Self::ServerName, Self::HttpHost];

    /// What MUD files call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnDns => "lookup",
            Self::OtherDns => "lookup-of-others",
            Self::ServerName => "tls-server-name",
            Self::HttpHost => "http-host",
        }
    }

    /// What MUD files call so.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|evidence| evidence.as_str() == name)
    }

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
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// What each device was told, least recently used first where there is no room.
    told: FairMap<(IpAddr, Arc<str>), Use>,
    /// The same by address, with whether the device asked for this very name; the others are aliases that an answer went
    /// through.
    by_address: BTreeMap<(IpAddr, Arc<str>, DeviceIndex), bool>,
    /// How a device knows a name.
    by_name: BTreeMap<(Arc<str>, DeviceIndex), Known>,
}

/// How a device knows a name, by the addresses that it was told of it.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    addresses: u32,
    /// Those that it was told because it asked for this very name; of the others the name is an alias.
    asked: u32,
}

/// How a device uses a name that it was told of an address.
#[derive(Clone, Copy, Debug, Default)]
struct Use {
    /// Whether it talked to the address.
    is_contacted: bool,
}

impl Names {
    /// No names, and room for so many bytes of them.
    pub(super) fn new(most_bytes: usize) -> Self {
        let told = FairMap::new(most_bytes).ranked_by(|used: &Use| u8::from(used.is_contacted));
        Self { told, by_address: BTreeMap::new(), by_name: BTreeMap::new() }
    }

    /// A device has a share of its own from now on.
    pub(super) fn establish(&mut self, device: DeviceIndex) {
        self.told.establish(device);
    }

    /// Names of addresses that found no room.
    pub(super) fn lost(&self, device: DeviceIndex) -> u64 {
        self.told.lost(device)
    }

    /// Forgets what a device was told.
    pub(super) fn forget(&mut self, device: DeviceIndex) {
        for ((address, name), _) in self.told.forget(device) {
            self.leave_out(device, (address, name));
        }
    }

    /// Notes the DNS answers in a flow, and that the names of its peer are of use; `is_peer` says which addresses the device
    /// talked to before it was told their names.
    pub(super) fn hear(&mut self, flow: &Flow<Heard>, is_peer: impl Fn(IpAddr) -> bool) {
        for heard in &flow.state.messages {
            if let Message::Dns(message) = &heard.message
                && message.is_response()
            {
                self.note(flow.device, message, &is_peer);
            }
        }
        for answer in &flow.state.answers {
            self.note(flow.device, answer, &is_peer);
        }
        if flow.state.answers_dropped > 0 {
            self.told.lose(flow.device, flow.state.answers_dropped);
        }
        self.contact(flow.device, flow.peer.addr);
    }

    fn note(&mut self, device: DeviceIndex, message: &DnsMessage, is_peer: &impl Fn(IpAddr) -> bool) {
        let Some(asked) = message.questions.first().map(|question| question.name.as_str()) else { return };
        let chain = chain(asked, message);
        for answer in &message.answers {
            let DnsData::Address(address) = answer.data else { continue };
            let Some(owner) = chain.iter().position(|name| *name == answer.name) else { continue };
            let used = Use { is_contacted: is_peer(address) };
            for name in chain.iter().take(owner + 1) {
                self.keep(device, (address, name), (used, *name == asked));
            }
        }
    }

    fn keep(&mut self, device: DeviceIndex, (address, name): (IpAddr, &str), (used, is_asked): (Use, bool)) {
        let name = self.shared(name);
        let key = (address, name);
        if self.told.use_mut(device, &key).is_none() {
            if self.told_of(device, address).count() >= MOST_NAMES_OF_ADDRESS {
                self.make_room(device, address);
            }
            let bytes = NAME_BYTES + key.1.len();
            self.by_name.entry((Arc::clone(&key.1), device)).or_default().addresses += 1;
            self.by_address.insert((address, Arc::clone(&key.1), device), false);
            for gone in self.told.insert(device, (key.clone(), used), bytes) {
                self.lose(gone.device, gone.key);
            }
        }
        if is_asked
            && let Some(known @ false) = self.by_address.get_mut(&(address, Arc::clone(&key.1), device))
        {
            *known = true;
            self.by_name.entry((key.1, device)).or_default().asked += 1;
        }
    }

    /// A device talked to an address, whose names are of use.
    fn contact(&mut self, device: DeviceIndex, address: IpAddr) {
        let names: Vec<Arc<str>> = self.told_of(device, address).cloned().collect();
        for name in names {
            if let Some(used) = self.told.use_mut(device, &(address, name)) {
                used.is_contacted = true;
            }
        }
    }

    /// The names that a device was told of an address.
    fn told_of(&self, device: DeviceIndex, address: IpAddr) -> impl Iterator<Item = &Arc<str>> {
        let from = (address, Arc::from(""));
        let told = self.told.entries_from(device, &from);
        told.take_while(move |((of, _), _)| *of == address).map(|((_, name), _)| name)
    }

    /// Makes room for more names of an address.
    fn make_room(&mut self, device: DeviceIndex, address: IpAddr) {
        let from = (address, Arc::from(""));
        let such = (&from, |(of, _): &(IpAddr, Arc<str>)| *of == address);
        for gone in self.told.let_go_among(device, such, MOST_NAMES_OF_ADDRESS / FREED_SHARE) {
            self.lose(device, gone.key);
        }
    }

    /// Counts what a device had to let go of.
    fn lose(&mut self, device: DeviceIndex, told: (IpAddr, Arc<str>)) {
        self.told.lose(device, 1);
        self.leave_out(device, told);
    }

    fn leave_out(&mut self, device: DeviceIndex, (address, name): (IpAddr, Arc<str>)) {
        let was_asked = self.by_address.remove(&(address, Arc::clone(&name), device)).unwrap_or(false);
        if let Entry::Occupied(mut known) = self.by_name.entry((name, device)) {
            let Known { addresses, asked } = known.get_mut();
            *addresses = addresses.saturating_sub(1);
            *asked = asked.saturating_sub(u32::from(was_asked));
            if *addresses == 0 {
                known.remove();
            }
        }
    }

    /// A name, kept once for all who were told it.
    fn shared(&self, name: &str) -> Arc<str> {
        let new: Arc<str> = Arc::from(name);
        let known = self.by_name.range((Arc::clone(&new), DeviceIndex::new(0))..).next();
        known.filter(|((known, _), _)| *known == new).map_or(new, |((known, _), _)| Arc::clone(known))
    }

    /// The names of an address, with who was told and whether these asked for it.
    fn of_address(&self, address: IpAddr) -> impl Iterator<Item = (&str, DeviceIndex, bool)> {
        let from = (address, Arc::from(""), DeviceIndex::new(0));
        let known = self.by_address.range(from..).take_while(move |((of, ..), _)| *of == address);
        known.map(|((_, name, device), is_asked)| (&**name, *device, *is_asked))
    }

    /// The addresses that DNS answers gave to each of these names, to whichever device.
    pub(super) fn addresses_of(&self, wanted: &BTreeSet<&str>) -> BTreeMap<String, BTreeSet<IpAddr>> {
        let mut found: BTreeMap<String, BTreeSet<IpAddr>> = BTreeMap::new();
        for (address, name, _) in self.by_address.keys().filter(|(_, name, _)| wanted.contains(&**name)) {
            found.entry(name.to_string()).or_default().insert(*address);
        }
        found
    }

    /// The host that the client of a contact named, if that may tell a name: not where DNS told the device other
    /// addresses of it.
    fn claim<'c>(&self, device: DeviceIndex, contact: &'c Contact) -> Option<&'c Host> {
        contact.host.as_ref().filter(|host| !self.is_told(device, &host.name))
    }

    /// Whether a device was told some address of a name.
    fn is_told(&self, device: DeviceIndex, name: &str) -> bool {
        self.by_name.contains_key(&(Arc::from(name), device))
    }

    /// Whether a device asked for a name itself; an alias that an answer went through is none.
    fn has_asked(&self, device: DeviceIndex, name: &str) -> bool {
        self.by_name.get(&(Arc::from(name), device)).is_some_and(|known| known.asked > 0)
    }

    /// Why the name of a contact's peer is in doubt, where it is.
    pub(super) fn doubt(&self, device: DeviceIndex, contact: &Contact) -> Option<NameDoubt> {
        match (&contact.host, self.claim(device, contact)) {
            (Some(host), None) if !self.of_address(contact.peer).any(|(name, ..)| name == host.name) => {
                Some(NameDoubt::Contradicted(host.clone()))
            }
            (_, None) if self.of_address(contact.peer).next().is_none() => Some(NameDoubt::NoAnswer),
            _ => None,
        }
    }

    /// The names for which there is [evidence](Self::evidence) that the peer of a contact has them.
    pub(super) fn known<'c>(
        &'c self,
        device: DeviceIndex,
        contact: &'c Contact,
    ) -> impl Iterator<Item = &'c str> {
        let mut last = None;
        let told = self.of_address(contact.peer).map(|(name, ..)| name);
        // Those who were told the same stand behind each other.
        let told = told.filter(move |name| last.replace(*name) != Some(*name));
        told.chain(self.claim(device, contact).map(|host| host.name.as_str()))
    }

    /// What tells that the peer of a device's contact has this name.
    pub(super) fn evidence(
        &self,
        device: DeviceIndex,
        contact: &Contact,
        name: &str,
    ) -> Option<NameEvidence> {
        let from = (contact.peer, Arc::from(name), DeviceIndex::new(0));
        if self.by_address.contains_key(&(contact.peer, Arc::clone(&from.1), device)) {
            return Some(NameEvidence::OwnDns);
        }
        let known = self.by_address.range(from..).next();
        let is_known = known.is_some_and(|((of, known, _), _)| (*of, &**known) == (contact.peer, name));
        match self.claim(device, contact) {
            _ if is_known => Some(NameEvidence::OtherDns),
            Some(host) if host.name == name => Some(host.evidence()),
            _ => None,
        }
    }

    /// The names that the peer of a contact is to be written by, and what tells them: those of its address that the device
    /// asked for; else those that others asked for, of which the device asked for some while it was told other addresses; else
    /// all that others asked for; else the host that the device named inside the flows. Where DNS gives several names and the
    /// device named one of them, it is that one.
    pub(super) fn of(&self, device: DeviceIndex, contact: &Contact) -> (Vec<String>, NameEvidence) {
        let host = contact.host.as_ref();
        let names_of = |is_wanted: &dyn Fn(&str, DeviceIndex) -> bool| -> Vec<String> {
            let asked = self.of_address(contact.peer).filter(|(.., is_asked)| *is_asked);
            let wanted = asked.filter(|(name, told, _)| is_wanted(name, *told) && is_domain_name(name));
            let mut names: Vec<String> = wanted.map(|(name, ..)| name.to_owned()).collect();
            names.dedup();
            match host.filter(|host| names.contains(&host.name)) {
                Some(host) => vec![host.name.clone()],
                None => names,
            }
        };
        let own = names_of(&|_, told| told == device);
        let known = if own.is_empty() { names_of(&|name, _| self.has_asked(device, name)) } else { own };
        if !known.is_empty() {
            return (known, NameEvidence::OwnDns);
        }
        let others = names_of(&|_, _| true);
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
