use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::IpAddr;

use thingprint_flow::{DeviceId, DeviceIds, DeviceIndex, DevicePacket, Flow, MacAddr, Observer, is_private};
use thingprint_protocol::{
    ClientHello, DetectedProtocol, DnsData, DnsMessage, Interest, Message, MessageContext, MessageObserver,
    Protocol, Sender,
};

use super::device::DeviceVantage;
use super::resolvers::{is_resolver_address, is_resolver_name};

/// Names of servers, and what bears on how they are looked up.
const INTEREST: Interest = Interest::NONE
    .and(Protocol::Dns, Sender::Device)
    .and(Protocol::Dns, Sender::Peer)
    .and(Protocol::Tls, Sender::Device)
    .and(Protocol::Quic, Sender::Device);
/// Names and addresses that are remembered of a device.
const MOST_WORDS: usize = 4096;
/// Protocol number of TCP, and the port of DNS in the clear.
const TCP: u8 = 6;
const DNS: u16 = 53;
/// Port of DNS over TLS (RFC 7858 §3.1) and over QUIC (RFC 9250 §4.1.1).
const ENCRYPTED_DNS_PORT: u16 = 853;
/// `encrypted_client_hello` (RFC 9849 §11.1).
const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
/// Multicast DNS, LLMNR and `NetBIOS` names, which are no look-ups at a resolver.
const LOCAL_NAME_PORTS: [u16; 3] = [5353, 5355, 137];

/// Counts what a capture shows of each device: directions of its traffic, and how much of its name resolution.
#[derive(Debug, Default)]
pub struct VantageObserver {
    ids: DeviceIds,
    devices: Vec<Tally>,
}

/// What rides with a flow.
#[derive(Clone, Copy, Debug, Default)]
pub struct FlowVantage {
    names_resolver: bool,
}

#[derive(Debug, Default)]
struct Tally {
    counts: DeviceVantage,
    /// Names that DNS answered or was asked for.
    resolved: BTreeSet<Box<str>>,
    /// Addresses that DNS answers gave.
    answered: BTreeSet<IpAddr>,
    /// Names of servers that hellos said.
    named: BTreeSet<Box<str>>,
    /// Addresses outside that the device turned to.
    contacted: BTreeSet<IpAddr>,
}

impl VantageObserver {
    /// What was seen of each device.
    pub fn into_devices(self) -> Vec<(DeviceId, DeviceVantage)> {
        let devices = self.ids.iter().zip(self.devices);
        devices.filter_map(|(id, tally)| Some((id?, tally.finish()))).collect()
    }

    fn tally(&mut self, device: DeviceIndex) -> Option<&mut Tally> {
        let at = device.as_usize();
        if self.devices.len() <= at {
            self.devices.resize_with(at + 1, Tally::default);
        }
        self.devices.get_mut(at)
    }
}

impl Observer for VantageObserver {
    type State = FlowVantage;

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        self.ids.note(device, id);
        self.tally(device);
    }

    fn forget(&mut self, device: DeviceIndex) {
        self.ids.forget(device);
        if let Some(tally) = self.tally(device) {
            *tally = Tally::default();
        }
    }

    fn packet(&mut self, packet: &DevicePacket<'_, '_>, _: &mut FlowVantage) {
        let Some(Tally { counts, .. }) = self.tally(packet.device) else { return };
        match (packet.is_sent, is_unicast(packet)) {
            (true, true) => counts.unicast_sent += 1,
            (true, false) => counts.group_sent += 1,
            (false, _) => counts.received += 1,
        }
    }

    fn continue_flow(&mut self, state: &mut FlowVantage) -> FlowVantage {
        *state
    }
}

impl MessageObserver for VantageObserver {
    fn interest(&self) -> Interest {
        INTEREST
    }

    fn message(
        &mut self,
        message: Cow<'_, Message>,
        context: &MessageContext<'_, '_>,
        state: &mut FlowVantage,
    ) {
        let Some(tally) = self.tally(context.device) else { return };
        let hello = match &*message {
            Message::Dns(dns) => {
                if context.packet.is_none_or(is_resolution) {
                    tally.dns(dns, context.sender);
                }
                return;
            }
            Message::ClientHello(hello) => Some(hello),
            Message::QuicInitial(initial) => initial.client_hello.as_ref(),
            _ => None,
        };
        if let Some(hello) = hello.filter(|_| context.sender == Sender::Device) {
            state.names_resolver |= tally.hello(hello);
        }
    }

    fn detected(&mut self, flow: Flow<FlowVantage>, detection: DetectedProtocol) {
        if let Some(tally) = self.tally(flow.device) {
            tally.flow(&flow, detection);
        }
    }
}

impl Tally {
    fn dns(&mut self, dns: &DnsMessage, sender: Sender) {
        if sender == Sender::Device && dns.is_plain_query() {
            self.counts.lookups += dns.questions.len() as u64;
        }
        for question in &dns.questions {
            add(&mut self.resolved, question.name.as_str());
        }
        if !dns.is_response() || sender == Sender::Device {
            return;
        }
        for answer in &dns.answers {
            add(&mut self.resolved, answer.name.as_str());
            match &answer.data {
                DnsData::Address(address) if self.answered.len() < MOST_WORDS => {
                    self.answered.insert(*address);
                }
                DnsData::Name(name) => add(&mut self.resolved, name),
                _ => {}
            }
        }
    }

    /// Takes in a hello; whether it names a resolver of encrypted DNS.
    fn hello(&mut self, hello: &ClientHello) -> bool {
        self.counts.hellos += 1;
        let is_encrypted = hello.extensions.contains(&ENCRYPTED_CLIENT_HELLO);
        self.counts.ech_hellos += u64::from(is_encrypted);
        let Some(name) = &hello.server_name else { return false };
        let name = name.trim_end_matches('.');
        add(&mut self.named, name);
        is_resolver_name(name)
    }

    fn flow(&mut self, flow: &Flow<FlowVantage>, detection: DetectedProtocol) {
        let counts = &mut self.counts;
        if flow.tuple.protocol() == TCP {
            counts.tcp_flows += 1;
            counts.one_sided_flows += u64::from(flow.up.packets == 0 || flow.down.packets == 0);
        }
        if !flow.is_client {
            return;
        }
        let port = flow.server_port();
        let is_hidden = matches!(detection.protocol, Some(Protocol::Tls | Protocol::Quic));
        let is_resolver = flow.state.names_resolver || is_resolver_address(flow.peer.addr);
        if port == ENCRYPTED_DNS_PORT {
            counts.dot_flows += 1;
        } else if is_hidden && is_resolver {
            counts.doh_flows += 1;
        }
        let is_outside = !is_private(flow.peer.addr) && !is_group(flow.peer.addr);
        let is_resolution = port == DNS || port == ENCRYPTED_DNS_PORT;
        if is_outside && !is_resolution && port != 0 && self.contacted.len() < MOST_WORDS {
            self.contacted.insert(flow.peer.addr);
        }
    }

    fn finish(self) -> DeviceVantage {
        DeviceVantage {
            server_names: self.named.len() as u64,
            unresolved_names: self.named.difference(&self.resolved).count() as u64,
            addresses: self.contacted.len() as u64,
            unresolved_addresses: self.contacted.difference(&self.answered).count() as u64,
            ..self.counts
        }
    }
}

fn add(words: &mut BTreeSet<Box<str>>, word: &str) {
    if words.len() < MOST_WORDS && !words.contains(word) {
        words.insert(word.into());
    }
}

/// Whether a packet goes to one host.
fn is_unicast(packet: &DevicePacket<'_, '_>) -> bool {
    !packet.packet.dst_mac.map_or_else(|| is_group(packet.ip.dst), MacAddr::is_group)
}

fn is_group(address: IpAddr) -> bool {
    address.is_multicast() || matches!(address, IpAddr::V4(address) if address.is_broadcast())
}

/// Whether a packet is of a look-up at a resolver.
fn is_resolution(packet: &DevicePacket<'_, '_>) -> bool {
    let ip = packet.ip;
    let is_local_name = LOCAL_NAME_PORTS.iter().any(|port| [ip.src_port, ip.dst_port].contains(port));
    !is_local_name && is_unicast(packet)
}
