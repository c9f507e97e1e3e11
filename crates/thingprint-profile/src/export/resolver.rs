//! Entries of a profile made rules: what stands for addresses there becomes addresses and names.

use super::device::ExportDevice;
use super::network::ExportNetwork;
use super::note::{ExportNote, NoteKind};
use super::rule::{Header, KnownBy, PeerMatch, Rule};
use crate::mud::is_domain_name;
use crate::{
    AccessList, Action, Direction, Entry, ListKind, MudProfile, NameEvidence, Network, Peer, Place, Prefix,
    TransportMatch,
};

/// `EtherType`s of the two versions of IP.
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const TCP: u8 = 6;
const UDP: u8 = 17;
/// Conditions on ICMP that rules can have although no flow shows them.
const ICMP_CONDITIONS: [&str; 2] = ["icmp.type", "icmp.code"];
/// Peers at a time of an entry for anybody. A device that talks to its like through the Internet holds some tens of peers;
/// what scans has thousands.
const MOST_PEERS: u32 = 1024;

/// Makes the rules of one device.
pub(super) struct Resolver<'a> {
    pub(super) devices: &'a [ExportDevice],
    pub(super) network: &'a ExportNetwork,
    pub(super) device: &'a ExportDevice,
    pub(super) notes: Vec<ExportNote>,
}

/// A condition that no rule can have, by its name.
struct Unwritable(String);

impl Resolver<'_> {
    /// The rules of an access list, in its order.
    pub(super) fn rules(&mut self, direction: Direction, list: &AccessList) -> Vec<Rule> {
        let mut rules = Vec::new();
        for entry in &list.entries {
            for is_ipv6 in versions(list, entry) {
                match self.rule(direction, entry, is_ipv6) {
                    Ok(rule) => rules.push(rule),
                    Err(Unwritable(reason)) => self.note(NoteKind::LeftOut, entry, reason),
                }
            }
        }
        rules
    }

    /// The rule of an entry. Where it has a condition that no rule can have, one that accepts is left out, and one that
    /// drops is written without: so what passes is never more than the profile says.
    fn rule(&mut self, direction: Direction, entry: &Entry, is_ipv6: bool) -> Result<Rule, Unwritable> {
        self.check_conditions(entry)?;
        let mut peers = Vec::new();
        for peer in &entry.peers {
            peers.push(self.peer(entry, peer, is_ipv6)?);
        }
        let mut own = None;
        if let Some(network) = &entry.network {
            let (prefix, name) = peer_side(network, direction);
            peers.extend(prefix.map(|prefix| PeerMatch::Blocks(vec![prefix])));
            if let Some(name) = name {
                peers.extend(self.name(entry, name)?);
            }
            let (prefix, name) = peer_side(network, opposite(direction));
            if name.is_some() {
                return Err(Unwritable("a name of the device itself".to_owned()));
            }
            own = prefix;
        }
        let header = header(entry, direction);
        if matches!(header, Header::Icmp { kind: None, code: Some(_) }) {
            return Err(Unwritable("a code of ICMP without a type".to_owned()));
        }
        let peers = joined(peers);
        if peers.iter().any(|peer| *peer == PeerMatch::Blocks(Vec::new())) {
            return Err(Unwritable("no address fits all of its conditions".to_owned()));
        }
        let mut rule = Rule {
            entry: entry.name.clone(),
            direction,
            is_ipv6,
            own,
            peers,
            header,
            action: entry.action,
            most_peers: None,
            known_by: (entry.action == Action::Accept).then(|| self.known_by(entry, direction)).flatten(),
        };
        if rule.known_by == Some(KnownBy::OthersLookup) {
            let reason = "by a name that other devices looked up, and this one did not".to_owned();
            self.note(NoteKind::Assumed, entry, reason);
        }
        if rule.action == Action::Accept && rule.is_for_strangers() {
            rule.most_peers = Some(MOST_PEERS);
            let reason = format!("for any address: with no more than {MOST_PEERS} peers at a time");
            self.note(NoteKind::Narrowed, entry, reason);
        }
        Ok(rule)
    }

    /// By what the Internet host of an entry is known, where that is less than a name which the device looked up.
    fn known_by(&self, entry: &Entry, direction: Direction) -> Option<KnownBy> {
        let network = entry.network.as_ref()?;
        let (prefix, name) = peer_side(network, direction);
        if name.is_some() {
            return match entry.name_evidence? {
                NameEvidence::OwnDns => None,
                NameEvidence::OtherDns => Some(KnownBy::OthersLookup),
                NameEvidence::ServerName | NameEvidence::HttpHost => Some(KnownBy::OwnClaim),
            };
        }
        let prefix = prefix.filter(|prefix| prefix.bits() > 0 && entry.peers.is_empty())?;
        let is_internet = !self.network.is_local(prefix.address())
            && Place::of(prefix.address(), prefix.address()) == Place::Internet;
        is_internet.then_some(KnownBy::Address)
    }

    /// The condition that a peer has a name. What drops has none: sets never hold all addresses of a name, and who knows another
    /// one would pass by it.
    fn name(&mut self, entry: &Entry, name: &str) -> Result<Option<PeerMatch>, Unwritable> {
        if entry.action == Action::Accept {
            return domain_name(name).map(Some);
        }
        self.note(
            NoteKind::Narrowed,
            entry,
            "whatever the address: nobody knows all addresses of a name".to_owned(),
        );
        Ok(None)
    }

    fn check_conditions(&mut self, entry: &Entry) -> Result<(), Unwritable> {
        let unjudged = entry.unjudged.iter().filter(|name| !ICMP_CONDITIONS.contains(&name.as_str()));
        let ethernet = entry.ethernet.iter().flat_map(|header| {
            let addresses = [("eth.source", &header.source), ("eth.destination", &header.destination)];
            addresses.into_iter().filter(|(_, address)| address.is_some()).map(|(name, _)| name.to_owned())
        });
        let conditions: Vec<String> = unjudged.cloned().chain(ethernet).collect();
        if conditions.is_empty() {
            return Ok(());
        }
        let reason = format!("no rule has the condition {}", conditions.join(", "));
        if entry.action == Action::Accept {
            return Err(Unwritable(reason));
        }
        self.note(NoteKind::Narrowed, entry, reason);
        Ok(())
    }

    /// The addresses that a profile describes without addresses.
    fn peer(&mut self, entry: &Entry, peer: &Peer, is_ipv6: bool) -> Result<PeerMatch, Unwritable> {
        let class = match peer {
            Peer::LocalNetworks => return Ok(PeerMatch::Local),
            Peer::Controller(class) => class.as_str(),
            Peer::MyController => MudProfile::MY_CONTROLLER,
            Peer::Manufacturer(host) => {
                return self.devices_with("of this manufacturer", is_ipv6, |url| host_of(url) == Some(host));
            }
            Peer::SameManufacturer => {
                let own = host_of(&self.device.profile.mud_url).map(str::to_owned);
                return self.devices_with("of the same manufacturer", is_ipv6, |url| {
                    host_of(url).map(str::to_owned) == own
                });
            }
            Peer::Model(model) => return self.devices_with("of this model", is_ipv6, |url| url == model),
        };
        let known = self.network.controllers(class, is_ipv6);
        if !known.is_empty() {
            return Ok(PeerMatch::Blocks(known));
        }
        let is_usual = [MudProfile::DNS_CONTROLLER, MudProfile::NTP_CONTROLLER, MudProfile::DHCP_CONTROLLER]
            .contains(&class);
        if !is_usual {
            let version = if is_ipv6 { "IPv6" } else { "IPv4" };
            return Err(Unwritable(format!(
                "nobody is known by {version} who serves {class}: give --controller"
            )));
        }
        let reason = format!("nobody is known who serves {class}: it is anybody of the local networks");
        self.note(NoteKind::Assumed, entry, reason);
        Ok(PeerMatch::Local)
    }

    /// The addresses of the other devices whose MUD URL is one of these.
    fn devices_with(
        &self,
        what: &str,
        is_ipv6: bool,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<PeerMatch, Unwritable> {
        let others = self.devices.iter().filter(|other| other.key() != self.device.key());
        let wanted = others.filter(|other| is_wanted(&other.profile.mud_url));
        let addresses =
            wanted.flat_map(|other| &other.addresses).filter(|address| address.is_ipv6() == is_ipv6);
        let blocks = Prefix::widest(addresses.map(|address| Prefix::host(*address)));
        if blocks.is_empty() {
            return Err(Unwritable(format!("no other device {what} is known")));
        }
        Ok(PeerMatch::Blocks(blocks))
    }

    fn note(&mut self, kind: NoteKind, entry: &Entry, reason: String) {
        let device = Some(self.device.name.clone());
        self.notes.push(ExportNote { device, kind, reason, entry: Some(entry.name.clone()) });
    }
}

/// The conditions with those on blocks made one, without those that every address fits.
fn joined(peers: Vec<PeerMatch>) -> Vec<PeerMatch> {
    let mut joined: Vec<PeerMatch> = Vec::new();
    let mut common: Option<Vec<Prefix>> = None;
    for peer in peers {
        let PeerMatch::Blocks(blocks) = peer else {
            joined.push(peer);
            continue;
        };
        common = Some(match common {
            None => blocks,
            Some(known) => {
                let both =
                    known.iter().flat_map(|left| blocks.iter().filter_map(|right| left.common(*right)));
                Prefix::widest(both)
            }
        });
    }
    let is_all = |blocks: &Vec<Prefix>| blocks.iter().any(|block| block.bits() == 0);
    joined.extend(common.filter(|blocks| !is_all(blocks)).map(PeerMatch::Blocks));
    joined
}

impl Rule {
    /// Whether it is for UDP with anybody: by TCP a connection tells who asked, by UDP nothing but that the device sent first.
    fn is_for_strangers(&self) -> bool {
        matches!(self.header, Header::Udp { .. }) && self.peers.is_empty()
    }
}

/// The versions of IP that an entry is about: false for IPv4, true for IPv6; none for other protocols over Ethernet.
fn versions(list: &AccessList, entry: &Entry) -> Vec<bool> {
    let ethertype = entry.ethernet.as_ref().and_then(|header| header.ethertype);
    let is_of = |is_ipv6: &bool| {
        let of_network = entry.network.as_ref().is_none_or(|network| network.is_ipv6 == *is_ipv6);
        let of_type = ethertype.is_none_or(|found| found == if *is_ipv6 { IPV6 } else { IPV4 });
        let of_list = match list.kind {
            Some(ListKind::Ipv4 | ListKind::EthernetIpv4) => !is_ipv6,
            Some(ListKind::Ipv6 | ListKind::EthernetIpv6) => *is_ipv6,
            Some(ListKind::Ethernet | ListKind::EthernetIpv4Ipv6) | None => true,
        };
        of_network && of_type && of_list
    };
    [false, true].into_iter().filter(is_of).collect()
}

/// The address and the name that a header has on the other side of a direction.
fn peer_side(network: &Network, direction: Direction) -> (Option<Prefix>, Option<&str>) {
    match direction {
        Direction::FromDevice => (network.destination, network.destination_name.as_deref()),
        Direction::ToDevice => (network.source, network.source_name.as_deref()),
    }
}

const fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::FromDevice => Direction::ToDevice,
        Direction::ToDevice => Direction::FromDevice,
    }
}

fn domain_name(name: &str) -> Result<PeerMatch, Unwritable> {
    if is_domain_name(name) {
        return Ok(PeerMatch::Name(name.to_ascii_lowercase()));
    }
    Err(Unwritable(format!("'{name}' is no domain name")))
}

/// The host of a MUD URL.
fn host_of(url: &str) -> Option<&str> {
    url.strip_prefix("https://")?.split(['/', '?', '#', ':']).next()
}

fn header(entry: &Entry, direction: Direction) -> Header {
    let protocol = entry.network.as_ref().and_then(|network| network.protocol);
    match (entry.transport, protocol) {
        (Some(TransportMatch::Tcp { source, destination, initiated }), _) => {
            let is_answer = initiated.is_some_and(|initiated| initiated != direction);
            Header::Tcp { source, destination, is_answer }
        }
        (Some(TransportMatch::Udp { source, destination }), _) => Header::Udp { source, destination },
        (Some(TransportMatch::Icmp { kind, code }), _) => Header::Icmp { kind, code },
        (None, Some(TCP)) => Header::Tcp { source: None, destination: None, is_answer: false },
        (None, Some(UDP)) => Header::Udp { source: None, destination: None },
        (None, Some(protocol)) => Header::Protocol(protocol),
        (None, None) => Header::Any,
    }
}
