use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use super::claim::{ArpClaim, arp_claim, neighbour_claim};
use super::gateway::is_not_local;
use super::gateway_weight::{GatewayWeight, OwnPackets};
use crate::{Ip, LocalNets, MacAddr, Packet, Transport};

/// MAC addresses that are looked at; of more, those with the most to tell.
const MOST_MACS: usize = 1 << 16;
/// Addresses that are remembered of a MAC address; a gateway is known long before.
const MOST_ADDRESSES: usize = 1 << 12;
/// Addresses that are remembered of all MAC addresses.
const MOST_IN_ALL: usize = 1 << 20;
/// Devices that have to be answered, see [`GatewayPolicy`](super::gateway::GatewayPolicy).
const MOST_ANSWERED: usize = 2;
/// Addresses forwarded for, after which a MAC address is not looked at any more.
const ENOUGH_FORWARDED: usize = 64;

const ICMPV6: u8 = 58;

/// What was seen of each MAC address that bears on whether it is a gateway.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "BTreeMap<MacAddr, MacEvidence>", into = "BTreeMap<MacAddr, MacEvidence>")]
pub struct GatewayEvidence {
    macs: Vec<(MacAddr, MacEvidence)>,
    places: HashMap<MacAddr, usize, RandomState>,
    // The receiver and the sender of the packet before: nearly always this one's, too.
    latest: [Option<(MacAddr, usize)>; 2],
    // Addresses that were added to sets since room was made.
    addresses: usize,
    // Of what observes; what was observed does not depend on it any more.
    local_nets: LocalNets,
    // Grows when packets that brought nothing new may do so again.
    epoch: u32,
}

/// What another packet between the same addresses adds to [`GatewayEvidence`].
#[derive(Clone, Copy, Debug)]
pub struct Repeat {
    /// Where the sender is, and for whom it speaks, if its packets are counted.
    sender: Option<(u32, Spoken)>,
    epoch: u32,
}

/// For whom a host sends a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    /// For itself, as far as the address tells, to a host inside.
    Itself,
    /// The same, to a host outside.
    ItselfOutside,
    /// For an address that is not local.
    Others,
}

/// What was seen of a MAC address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is an observation of its own")]
pub(super) struct MacEvidence {
    /// Whether it sent an IP packet.
    pub(super) sends: bool,
    /// Router advertisements with a lifetime that it sent.
    pub(super) advertisements: u64,
    /// Whether unicast packets for local addresses came to it.
    pub(super) receives_for_local: bool,
    /// Whether unicast packets for addresses that are not local came to it.
    pub(super) receives_for_others: bool,
    /// Packets that it sent from addresses that are not local.
    pub(super) packets: u64,
    /// Packets that it sent to one host from addresses that are local or its own.
    own: OwnPackets,
    /// Those of them to addresses that are not local.
    own_outside: OwnPackets,
    /// Devices to which it sent from addresses that are not local.
    pub(super) answered: BTreeSet<MacAddr>,
    /// Addresses that are not local: sent from, and received for.
    sent_from: AddressSet,
    received_for: AddressSet,
    /// Addresses that it says are its own.
    claimed: BTreeSet<IpAddr>,
    /// Whether it forwards so much that there is nothing left to find out.
    is_settled: bool,
}

/// Addresses, with a cap on their number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "BTreeSet<IpAddr>", into = "BTreeSet<IpAddr>")]
struct AddressSet(HashSet<IpAddr, RandomState>);

impl GatewayEvidence {
    /// Evidence of nothing yet, for which the addresses of these networks are local.
    pub fn with_local_nets(local_nets: LocalNets) -> Self {
        Self { local_nets, ..Self::default() }
    }

    /// Takes in a frame, and says what another packet between the same link and IP addresses adds.
    pub fn observe(&mut self, packet: &Packet<'_>) -> Repeat {
        let nothing = Repeat { sender: None, epoch: self.epoch };
        let (Some(sender), Some(ip)) = (packet.src_mac, &packet.ip) else {
            self.observe_claim(packet);
            if let Some(ip) = &packet.ip {
                self.observe_lease(ip);
            }
            return nothing;
        };
        let (is_from_outside, is_to_outside) = (self.is_outside(ip.src), self.is_outside(ip.dst));
        let mut repeat = nothing;
        if let Some(place) = self.place(0, sender)
            && let Some((_, seen)) = self.macs.get_mut(place)
        {
            seen.sends = true;
            let spoken = if is_from_outside && !seen.claimed.contains(&ip.src) {
                Some(Spoken::Others)
            } else {
                let is_to_one = packet.dst_mac.is_some_and(MacAddr::is_host) && !ip.src.is_unspecified();
                let spoken = if is_to_outside { Spoken::ItselfOutside } else { Spoken::Itself };
                is_to_one.then_some(spoken)
            };
            repeat.sender = spoken.and_then(|spoken| Some((u32::try_from(place).ok()?, spoken)));
            seen.count(spoken, ip.src);
            if is_from_outside && !seen.is_settled {
                self.addresses += usize::from(seen.send_from(ip.src, packet.dst_mac));
            }
        }
        self.observe_router(sender, ip);
        if let Some(receiver) = packet.dst_mac.filter(|mac| !mac.is_group())
            && let Some(seen) = self.seen(1, receiver)
        {
            if !is_to_outside {
                seen.receives_for_local = true;
            } else if !seen.is_settled {
                seen.receives_for_others = true;
                let (is_new, was_full) = seen.receive_for(ip.dst);
                self.addresses += usize::from(is_new);
                if was_full {
                    // Packets to what was forgotten bring something new again.
                    self.epoch = self.epoch.wrapping_add(1);
                }
            }
        }
        self.observe_lease(ip);
        if self.addresses > MOST_IN_ALL {
            self.make_room();
        }
        repeat
    }

    /// Takes in one more packet between addresses of which [`observe`](Self::observe) said what it adds.
    ///
    /// Returns whether that is still so; else nothing was taken in.
    #[inline]
    pub fn observe_again(&mut self, repeat: Repeat, ip: &Ip<'_>) -> bool {
        if repeat.epoch != self.epoch || ip.transport == Transport::Other(ICMPV6) {
            return false;
        }
        if let Some((place, spoken)) = repeat.sender
            && let Some((_, seen)) = self.macs.get_mut(place as usize)
        {
            seen.count(Some(spoken), ip.src);
        }
        self.observe_lease(ip);
        true
    }

    /// How many packets a MAC address sent for itself and for others; `None` where nothing was seen of it.
    pub fn weight(&self, mac: MacAddr) -> Option<GatewayWeight> {
        let place = self.places.get(&mac)?;
        self.macs.get(*place).map(|(_, seen)| seen.weight())
    }

    /// Adds what another part of the trace saw.
    pub fn merge(&mut self, other: &Self) {
        for (mac, theirs) in other.iter() {
            if let Some(seen) = self.seen(0, mac) {
                seen.merge(theirs);
            }
        }
    }

    /// What was seen of each address, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (MacAddr, &MacEvidence)> {
        let in_order: BTreeMap<MacAddr, &MacEvidence> =
            self.macs.iter().map(|(mac, seen)| (*mac, seen)).collect();
        in_order.into_iter()
    }

    #[inline]
    fn is_outside(&self, address: IpAddr) -> bool {
        is_not_local(address) && !self.local_nets.contains(address)
    }

    /// Router advertisements with a lifetime, and what neighbour discovery claims (RFC 4861 §4.2 to §4.4).
    #[inline]
    fn observe_router(&mut self, sender: MacAddr, ip: &Ip<'_>) {
        if ip.transport != Transport::Other(ICMPV6) {
            return;
        }
        if let [134, _, _, _, _, _, high, low, ..] = ip.payload
            && (*high, *low) != (0, 0)
            && let Some(seen) = self.seen(0, sender)
        {
            seen.advertisements += 1;
        }
        if let Some(address) = neighbour_claim(ip) {
            self.claim(sender, address);
        }
    }

    /// What was seen of an address; `role` is 0 for senders and 1 for receivers.
    #[inline]
    fn seen(&mut self, role: usize, mac: MacAddr) -> Option<&mut MacEvidence> {
        let place = self.place(role, mac)?;
        self.macs.get_mut(place).map(|(_, seen)| seen)
    }

    #[inline]
    fn place(&mut self, role: usize, mac: MacAddr) -> Option<usize> {
        // An answer has the ends of the packet before, the other way round.
        match self.latest {
            [Some((latest, place)), _] | [_, Some((latest, place))] if latest == mac => Some(place),
            _ => self.look_up(role, mac),
        }
    }

    fn look_up(&mut self, role: usize, mac: MacAddr) -> Option<usize> {
        let place = match self.places.get(&mac) {
            Some(place) => *place,
            None if !mac.is_host() => return None,
            None => {
                if self.macs.len() >= MOST_MACS {
                    self.make_room();
                }
                let place = self.macs.len();
                self.macs.push((mac, MacEvidence::default()));
                self.places.insert(mac, place);
                place
            }
        };
        if let Some(latest) = self.latest.get_mut(role) {
            *latest = Some((mac, place));
        }
        Some(place)
    }

    /// Forgets half of the addresses: those that sent least from outside and received least for outside. An address costs
    /// nothing to make up, and a gateway sends and receives more than any of these.
    #[cold]
    fn make_room(&mut self) {
        let mut order: Vec<_> = self.macs.drain(..).enumerate().collect();
        order.sort_by_key(|(place, (_, seen))| {
            Reverse((seen.advertisements > 0, seen.packets, seen.received_for.0.len(), *place))
        });
        order.truncate(order.len() / 2);
        self.macs = order.into_iter().map(|(_, entry)| entry).collect();
        self.places = self.macs.iter().enumerate().map(|(place, (mac, _))| (*mac, place)).collect();
        self.latest = [None; 2];
        let addresses =
            |(_, seen): &(MacAddr, MacEvidence)| seen.sent_from.0.len() + seen.received_for.0.len();
        self.addresses = self.macs.iter().map(addresses).sum();
        // What packets add is told by places, which are others now.
        self.epoch = self.epoch.wrapping_add(1);
    }

    /// ARP (RFC 826): whoever names an address as the sender's has it.
    fn observe_claim(&mut self, packet: &Packet<'_>) {
        if let Some(ArpClaim { mac, address, .. }) = arp_claim(packet) {
            self.claim(mac, address);
        }
    }

    /// DHCP (RFC 2131 §2): the address in a server's answer, or in a client's request, is the client's.
    #[inline]
    fn observe_lease(&mut self, ip: &Ip<'_>) {
        const COOKIE: [u8; 4] = [0x63, 0x82, 0x53, 0x63];
        if ip.transport != Transport::Udp || ip.payload.get(236..240) != Some(&COOKIE) {
            return;
        }
        let field = |at: usize| ip.payload.get(at..at + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        let at = if ip.payload.first() == Some(&2) { 16 } else { 12 };
        let mac = ip.payload.get(28..34).and_then(|bytes| <[u8; 6]>::try_from(bytes).ok());
        if let (Some(mac), Some(address)) = (mac, field(at)) {
            self.claim(MacAddr::new(mac), Ipv4Addr::from(address).into());
        }
    }

    fn claim(&mut self, mac: MacAddr, address: IpAddr) {
        if self.is_outside(address)
            && let Some(seen) = self.seen(0, mac)
            && seen.claim(address)
        {
            self.epoch = self.epoch.wrapping_add(1);
        }
    }
}

impl MacEvidence {
    /// Addresses that are not local which it sent from.
    pub(super) fn sources(&self) -> usize {
        self.sent_from.0.len()
    }

    /// Addresses that are neither local nor its own, which it both sent from and received for.
    pub(super) fn forwarded(&self) -> usize {
        let both = self.sent_from.0.iter().filter(|addr| self.received_for.0.contains(*addr));
        both.filter(|addr| !self.claimed.contains(*addr)).count()
    }

    /// Counts a packet.
    #[inline]
    fn count(&mut self, spoken: Option<Spoken>, source: IpAddr) {
        match spoken {
            Some(Spoken::Others) => self.packets += 1,
            Some(Spoken::Itself) => self.own.add(source, 1),
            Some(Spoken::ItselfOutside) => {
                self.own.add(source, 1);
                self.own_outside.add(source, 1);
            }
            None => {}
        }
    }

    /// How many packets it sent for itself and for others.
    pub(super) fn weight(&self) -> GatewayWeight {
        GatewayWeight::of([&self.own, &self.own_outside], (self.packets, self.advertisements))
    }

    /// Notes an address that is not local for which a packet came; whether it is new, and whether there were too many: then
    /// those are forgotten from which nothing was sent, since one device can ask for any number of them.
    fn receive_for(&mut self, address: IpAddr) -> (bool, bool) {
        let is_full = self.received_for.0.len() >= MOST_ADDRESSES && !self.received_for.0.contains(&address);
        if is_full {
            let sent_from = &self.sent_from.0;
            self.received_for.0.retain(|address| sent_from.contains(address));
        }
        (self.received_for.insert(address), is_full)
    }

    /// Notes an address that is not local from which it sent; whether it is new.
    fn send_from(&mut self, source: IpAddr, receiver: Option<MacAddr>) -> bool {
        if let Some(receiver) = receiver.filter(|mac| mac.is_host())
            && self.answered.len() < MOST_ANSWERED
        {
            self.answered.insert(receiver);
        }
        // Each power of two is a good moment to see whether there is more to find out.
        let is_new = self.sent_from.insert(source);
        if is_new && self.sources().is_power_of_two() {
            self.is_settled = self.forwarded() >= ENOUGH_FORWARDED;
        }
        is_new
    }

    /// Whether there is something to find out again: packets from it are its own now.
    fn claim(&mut self, address: IpAddr) -> bool {
        let is_new = self.claimed.len() < MOST_ADDRESSES && self.claimed.insert(address);
        self.is_settled &= !is_new;
        is_new
    }

    fn merge(&mut self, other: &Self) {
        self.sends |= other.sends;
        self.advertisements += other.advertisements;
        self.own.merge(&other.own);
        self.own_outside.merge(&other.own_outside);
        self.receives_for_local |= other.receives_for_local;
        self.receives_for_others |= other.receives_for_others;
        self.packets += other.packets;
        let room = MOST_ANSWERED - self.answered.len().min(MOST_ANSWERED);
        let fresh: Vec<_> = other.answered.difference(&self.answered).take(room).copied().collect();
        self.answered.extend(fresh);
        // In order, so that it does not depend on the run which of them there is room for.
        let in_order = |set: &AddressSet| set.0.iter().copied().collect::<BTreeSet<IpAddr>>();
        for address in in_order(&other.sent_from) {
            self.sent_from.insert(address);
        }
        for address in in_order(&other.received_for) {
            self.received_for.insert(address);
        }
        for address in &other.claimed {
            self.claim(*address);
        }
    }
}

impl AddressSet {
    /// Adds an address; whether it is new.
    #[inline]
    fn insert(&mut self, address: IpAddr) -> bool {
        self.0.len() < MOST_ADDRESSES && self.0.insert(address)
    }
}

impl From<BTreeSet<IpAddr>> for AddressSet {
    fn from(addresses: BTreeSet<IpAddr>) -> Self {
        Self(addresses.into_iter().collect())
    }
}

impl From<AddressSet> for BTreeSet<IpAddr> {
    fn from(set: AddressSet) -> Self {
        set.0.into_iter().collect()
    }
}

/// The same was seen, in whatever order.
impl PartialEq for GatewayEvidence {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl From<BTreeMap<MacAddr, MacEvidence>> for GatewayEvidence {
    fn from(macs: BTreeMap<MacAddr, MacEvidence>) -> Self {
        let macs: Vec<_> = macs.into_iter().collect();
        let places = macs.iter().enumerate().map(|(place, (mac, _))| (*mac, place)).collect();
        Self { macs, places, ..Self::default() }
    }
}

impl From<GatewayEvidence> for BTreeMap<MacAddr, MacEvidence> {
    fn from(evidence: GatewayEvidence) -> Self {
        evidence.macs.into_iter().collect()
    }
}
