use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use thingprint_flow::{
    DeviceId, DeviceLosses, Gateways, Ip, LossKind, MacAddr, Packet, Timestamp, Transport,
};
use thingprint_protocol::{DhcpMessage, parsers};

use crate::surplus::surplus;

/// Ports of DHCP servers and relays, and of clients (RFC 2131 §4.1).
const DHCP_SERVER: u16 = 67;
const DHCP_CLIENT: u16 = 68;
/// `op` of what clients send.
const REQUEST: u8 = 1;
/// The type of the message that grants an address (RFC 2132 §9.6).
const ACK: u8 = 5;
/// Clients that are remembered, and addresses; the senders of these share them fairly.
const MOST_CLIENTS: usize = 4096;
/// Clients that were left out.
const CLIENTS: LossKind = LossKind::new("dhcp_clients");
/// Addresses of clients that were left out.
const LEASES: LossKind = LossKind::new("dhcp_leases");
/// A sender of messages of so many clients forwards them.
const FORWARDED_CLIENTS: usize = 2;

/// What DHCP messages say of clients that did not send the frames themselves: relays and extenders pass them on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RelayedClients {
    clients: BTreeMap<(MacAddr, MacAddr), RelayedClient>,
    /// Addresses that servers granted, or offered where none was granted.
    leases: BTreeMap<MacAddr, Lease>,
    /// What was left out of both, by sender.
    left_out: DeviceLosses,
}

/// An address that a server gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lease {
    address: Ipv4Addr,
    /// Who sent the frame.
    sender: MacAddr,
    time: Timestamp,
    /// Messages that gave it.
    messages: u64,
}

/// What was said of one client in frames of one other sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayedClient {
    /// `chaddr`: whom the messages are of.
    pub client: MacAddr,
    /// Who sent the frames.
    pub sender: MacAddr,
    /// The last message; a name or class that it leaves out is that of an earlier one.
    pub message: DhcpMessage,
    /// Time of the first of these messages.
    pub first: Timestamp,
    /// Time of the last of these messages.
    pub last: Timestamp,
    /// Number of these messages.
    pub messages: u64,
    /// Whether a relay named itself in `giaddr`.
    pub is_relayed: bool,
}

impl RelayedClients {
    /// Looks at a packet.
    #[inline]
    pub(crate) fn look_at(&mut self, packet: &Packet<'_>, ip: &Ip<'_>) {
        if matches!(ip.dst_port, DHCP_SERVER | DHCP_CLIENT) && ip.transport == Transport::Udp {
            self.look_at_dhcp(packet, ip);
        }
    }

    fn look_at_dhcp(&mut self, packet: &Packet<'_>, ip: &Ip<'_>) {
        let Some(message) = parsers::dhcp(ip.payload) else { return };
        if message.op != REQUEST {
            return self.note_lease(&message, packet);
        }
        let (Some(sender), Some(client)) = (packet.src_mac, message.client_mac) else { return };
        if sender == client || !sender.is_host() || !client.is_host() {
            return;
        }
        let time = packet.time;
        let is_relayed = message.relay_address.is_some_and(|address| !address.is_unspecified());
        if let Some(relayed) = self.clients.get_mut(&(client, sender)) {
            relayed.add(message, is_relayed, time);
        } else {
            let relayed =
                RelayedClient { client, sender, message, first: time, last: time, messages: 1, is_relayed };
            self.clients.insert((client, sender), relayed);
            self.bound();
        }
    }

    /// Forgets clients and addresses of the senders that told of most, where there are too many.
    fn bound(&mut self) {
        if self.clients.len() > MOST_CLIENTS {
            let mut clients: Vec<_> = self.clients.iter().collect();
            clients.sort_by_key(|(_, relayed)| relayed.last);
            let senders = clients.into_iter().map(|(key, relayed)| (*key, relayed.sender, relayed.messages));
            for (key, sender) in surplus(senders, MOST_CLIENTS) {
                self.clients.remove(&key);
                self.left_out.add(DeviceId::Mac(sender), CLIENTS, 1);
            }
        }
        if self.leases.len() > MOST_CLIENTS {
            let mut leases: Vec<_> = self.leases.iter().collect();
            leases.sort_by_key(|(_, lease)| lease.time);
            let senders = leases.into_iter().map(|(client, lease)| (*client, lease.sender, lease.messages));
            for (client, sender) in surplus(senders, MOST_CLIENTS) {
                self.leases.remove(&client);
                self.left_out.add(DeviceId::Mac(sender), LEASES, 1);
            }
        }
    }

    /// What was left out, by sender.
    pub(crate) const fn left_out(&self) -> &DeviceLosses {
        &self.left_out
    }

    fn note_lease(&mut self, message: &DhcpMessage, packet: &Packet<'_>) {
        let address = message.assigned_address.filter(|address| !address.is_unspecified());
        let (Some(client), Some(address)) = (message.client_mac, address) else { return };
        let Some(sender) = packet.src_mac else { return };
        let is_granted = message.message_type == Some(ACK);
        if is_granted || !self.leases.contains_key(&client) {
            let before = self.leases.get(&client).map_or(0, |lease| lease.messages);
            let lease = Lease { address, sender, time: packet.time, messages: before.saturating_add(1) };
            self.leases.insert(client, lease);
            self.bound();
        }
    }

    /// The address of a client: that which a server granted it, or which it says or asks for.
    pub fn address_of(&self, relayed: &RelayedClient) -> Option<Ipv4Addr> {
        let RelayedClient { client, message, .. } = relayed;
        let mut said = [message.client_address, message.requested_address].into_iter().flatten();
        let said = said.find(|address| !address.is_unspecified());
        self.leases.get(client).map(|lease| lease.address).or(said)
    }

    /// Adds those of another trace.
    pub fn merge(&mut self, other: Self) {
        for (client, lease) in other.leases {
            self.leases.entry(client).or_insert(lease);
        }
        for (key, theirs) in other.clients {
            if let Some(relayed) = self.clients.get_mut(&key) {
                relayed.first = relayed.first.min(theirs.first);
                // The message that is added counts as one.
                relayed.messages = relayed.messages.saturating_add(theirs.messages.saturating_sub(1));
                relayed.add(theirs.message, theirs.is_relayed, theirs.last);
            } else {
                self.clients.insert(key, theirs);
            }
        }
        self.left_out.merge(other.left_out);
        self.bound();
    }

    /// What is known of clients by relays and by whoever forwards, in the order of clients.
    pub fn believed<'a>(&'a self, gateways: &'a Gateways) -> impl Iterator<Item = &'a RelayedClient> {
        self.clients.values().filter(|relayed| self.is_believed(relayed, gateways))
    }

    /// What contradicts its sender: it speaks for another client, and forwards nothing.
    pub fn contradictions<'a>(&'a self, gateways: &'a Gateways) -> impl Iterator<Item = &'a RelayedClient> {
        self.clients.values().filter(|relayed| !self.is_believed(relayed, gateways))
    }

    fn is_believed(&self, relayed: &RelayedClient, gateways: &Gateways) -> bool {
        let is_of_sender = |other: &&RelayedClient| other.sender == relayed.sender;
        relayed.is_relayed
            || gateways.contains(relayed.sender)
            || self.clients.values().filter(is_of_sender).nth(FORWARDED_CLIENTS - 1).is_some()
    }
}

impl RelayedClient {
    fn add(&mut self, message: DhcpMessage, is_relayed: bool, time: Timestamp) {
        let before = std::mem::replace(&mut self.message, message);
        let now = &mut self.message;
        now.host_name = now.host_name.take().or(before.host_name);
        now.vendor_class = now.vendor_class.take().or(before.vendor_class);
        now.mud_url = now.mud_url.take().or(before.mud_url);
        self.is_relayed |= is_relayed;
        self.messages = self.messages.saturating_add(1);
        (self.first, self.last) = (self.first.min(time), self.last.max(time));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use thingprint_flow::{Decoder, DeviceId, Frame, GatewayReason, Gateways, LinkType, MacAddr, Timestamp};

    use super::RelayedClients;

    const SWITCH: u8 = 0x31;

    /// A frame with a DHCP request: who sent it, whose it is, and the relay's address.
    fn request(sender: u8, client: u8, relay: [u8; 4], host_name: &str) -> Vec<u8> {
        let mut dhcp = vec![0; 236];
        dhcp[..3].copy_from_slice(&[1, 1, 6]);
        dhcp[24..28].copy_from_slice(&relay);
        dhcp[28..34].copy_from_slice(&[2, 0, 0, 0, 0, client]);
        dhcp.extend([0x63, 0x82, 0x53, 0x63, 53, 1, 1, 12, u8::try_from(host_name.len()).unwrap()]);
        dhcp.extend(host_name.bytes());
        dhcp.push(255);
        let length = |bytes: usize| u16::try_from(bytes).unwrap().to_be_bytes();
        let mut frame = [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, sender, 8, 0][..], &[0x45, 0]].concat();
        frame.extend(length(28 + dhcp.len()));
        frame.extend([0, 0, 0, 0, 64, 17, 0, 0, 192, 168, 7, 1, 192, 168, 8, 2, 0, 67, 0, 67]);
        frame.extend(length(8 + dhcp.len()));
        frame.extend([0, 0]);
        frame.extend(dhcp);
        frame
    }

    fn relayed(frames: &[Vec<u8>]) -> RelayedClients {
        let (mut relayed, mut decoder) = (RelayedClients::default(), Decoder::default());
        for bytes in frames {
            let wire_bytes = u32::try_from(bytes.len()).unwrap();
            let time = Timestamp::from_seconds(1);
            let frame = Frame { time, link: LinkType::Ethernet, wire_bytes, bytes, ..Frame::default() };
            let packet = decoder.decode(frame);
            relayed.look_at(&packet, packet.ip.as_ref().unwrap());
        }
        relayed
    }

    fn names(relayed: &RelayedClients, gateways: &Gateways) -> (Vec<String>, Vec<String>) {
        let name = |relayed: &super::RelayedClient| {
            let [.., last] = relayed.client.octets();
            format!("{last:02x} {}", relayed.message.host_name.clone().unwrap_or_default())
        };
        (relayed.believed(gateways).map(name).collect(), relayed.contradictions(gateways).map(name).collect())
    }

    #[test]
    fn a_relay_speaks_for_its_clients() {
        let relayed =
            relayed(&[request(SWITCH, 0x77, [192, 168, 7, 1], "cam"), request(0x50, 0x50, [0; 4], "tv")]);
        assert_eq!(names(&relayed, &Gateways::default()), (vec!["77 cam".to_owned()], vec![]));
    }

    #[test]
    fn a_host_that_makes_up_clients_takes_none_of_others() {
        let made_up = (0..9000_u16).map(|number| {
            let mut bytes = request(0x99, 0, [192, 168, 7, 9], "made-up");
            let dhcp = 42;
            bytes[dhcp + 31..dhcp + 33].copy_from_slice(&number.to_be_bytes());
            bytes
        });
        let relay = [192, 168, 7, 1];
        let frames: Vec<_> = std::iter::once(request(SWITCH, 0x77, relay, "cam"))
            .chain(made_up)
            .chain([request(SWITCH, 0x78, relay, "plug")])
            .collect();
        let relayed = relayed(&frames);
        let (named, _) = names(&relayed, &Gateways::default());
        assert!(named.len() <= super::MOST_CLIENTS);
        let others: Vec<_> = named.iter().filter(|name| !name.ends_with("made-up")).collect();
        assert_eq!(others, ["77 cam", "78 plug"]);
        let lost: u64 = relayed.left_out().totals().values().sum();
        assert_eq!(lost + named.len() as u64, 9002);
        let from = DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, 0x99]));
        assert_eq!(relayed.left_out().by_size().first().map(|(id, _)| *id), Some(from));
    }

    #[test]
    fn the_address_of_a_client_is_the_one_that_was_granted() {
        let asks = request(SWITCH, 0x77, [192, 168, 7, 1], "cam");
        let mut grants = asks.clone();
        let dhcp = 42;
        (grants[dhcp], grants[dhcp + 242]) = (2, 5);
        grants[dhcp + 16..dhcp + 20].copy_from_slice(&[192, 168, 7, 30]);
        let address = |frames: &[Vec<u8>]| {
            let relayed = relayed(frames);
            let gateways = Gateways::default();
            relayed.believed(&gateways).next().and_then(|client| relayed.address_of(client))
        };
        assert_eq!(address(std::slice::from_ref(&asks)), None);
        let mut renews = asks.clone();
        renews[dhcp + 12..dhcp + 16].copy_from_slice(&[192, 168, 7, 31]);
        assert_eq!(address(std::slice::from_ref(&renews)), Some([192, 168, 7, 31].into()));
        assert_eq!(address(&[renews, grants]), Some([192, 168, 7, 30].into()));
    }

    #[test]
    fn whoever_forwards_speaks_for_others_and_nobody_else_does() {
        let one = relayed(&[request(SWITCH, 0x77, [0; 4], "cam"), request(SWITCH, SWITCH, [0; 4], "switch")]);
        assert_eq!(names(&one, &Gateways::default()), (vec![], vec!["77 cam".to_owned()]));
        let switch = MacAddr::new([2, 0, 0, 0, 0, SWITCH]);
        let gateways = Gateways(BTreeMap::from([(switch, GatewayReason::Given)]));
        assert_eq!(names(&one, &gateways), (vec!["77 cam".to_owned()], vec![]));
        let two = relayed(&[request(SWITCH, 0x77, [0; 4], "cam"), request(SWITCH, 0x78, [0; 4], "plug")]);
        let both = vec!["77 cam".to_owned(), "78 plug".to_owned()];
        assert_eq!(names(&two, &Gateways::default()), (both, vec![]));
    }
}
