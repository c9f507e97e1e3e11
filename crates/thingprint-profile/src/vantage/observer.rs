use std::borrow::Cow;
use std::net::IpAddr;

use thingprint_flow::{
    DeviceFrame, DeviceId, DeviceIds, DeviceIndex, DeviceLosses, DevicePacket, FairMap, Flow, LetGo,
    LossKind, LossLog, MacAddr, Observer, Transport, is_private,
};
use thingprint_protocol::{
    ClientHello, DetectedProtocol, DnsData, DnsMessage, Interest, Message, MessageContext, MessageObserver,
    Protocol, Sender,
};

use super::acknowledged::Acknowledged;
use super::device::DeviceVantage;
use super::resolvers::{is_resolver_address, is_resolver_name};

/// Names of servers, and what bears on how they are looked up.
const INTEREST: Interest = Interest::NONE
    .and(Protocol::Dns, Sender::Device)
    .and(Protocol::Dns, Sender::Peer)
    .and(Protocol::Tls, Sender::Device)
    .and(Protocol::Quic, Sender::Device);
/// What names and addresses of all devices of an observer take, in bytes: each shard of a pipeline has one.
const MOST_BYTES: usize = 2 << 20;
/// Names and addresses of which it is not known whether they were looked up.
const LOOK_UPS: LossKind = LossKind::new("look_ups");
/// What a name takes beside its text, and an address, in bytes: its place in a map, what was seen of it, and the last use.
const WORD_BYTES: usize = 96;
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
///
/// Names and addresses of all devices have a cap that they share fairly: where it is full, devices let go of what was seen
/// least recently.
#[derive(Debug)]
pub struct VantageObserver {
    ids: DeviceIds,
    devices: Vec<DeviceVantage>,
    words: FairMap<Word, Seen>,
    log: LossLog,
}

/// What rides with a flow.
#[derive(Clone, Copy, Debug, Default)]
pub struct FlowVantage {
    names_resolver: bool,
    acknowledged: Acknowledged,
}

/// What may be looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    /// Name of a server.
    Name(Box<str>),
    /// Address outside.
    Address(IpAddr),
}

/// What was seen of a name or an address.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Whether a hello said the name, or the device turned to the address.
    is_used: bool,
    /// Whether DNS answered or was asked for the name, or answered with the address.
    is_resolved: bool,
}

impl Default for VantageObserver {
    fn default() -> Self {
        Self::with_limit(MOST_BYTES)
    }
}

impl VantageObserver {
    /// An observer whose names and addresses take so many bytes at most.
    pub fn with_limit(most_bytes: usize) -> Self {
        Self {
            ids: DeviceIds::default(),
            devices: Vec::new(),
            words: FairMap::new(most_bytes),
            log: LossLog::default(),
        }
    }

    /// What caps left out, by device: names and addresses that are looked up.
    pub fn left_out(&self) -> DeviceLosses {
        self.log.losses().clone()
    }

    /// What was seen of each device.
    pub fn into_devices(self) -> Vec<(DeviceId, DeviceVantage)> {
        let devices = (0..).map(DeviceIndex::new).zip(self.ids.iter()).zip(&self.devices);
        devices.filter_map(|((index, id), counts)| Some((id?, self.finish(index, *counts)))).collect()
    }

    /// The counts of a device, with those of its names and addresses.
    fn finish(&self, device: DeviceIndex, counts: DeviceVantage) -> DeviceVantage {
        let count = |is_name: bool, is_open: bool| {
            let words = self.words.entries(device).filter(|(word, seen)| {
                matches!(word, Word::Name(_)) == is_name && seen.is_used && !(is_open && seen.is_resolved)
            });
            words.count() as u64
        };
        DeviceVantage {
            server_names: count(true, false),
            unresolved_names: count(true, true),
            addresses: count(false, false),
            unresolved_addresses: count(false, true),
            ..counts
        }
    }

    fn counts(&mut self, device: DeviceIndex) -> Option<&mut DeviceVantage> {
        let at = device.as_usize();
        if self.devices.len() <= at {
            self.devices.resize_with(at + 1, DeviceVantage::default);
        }
        self.devices.get_mut(at)
    }

    fn dns(&mut self, device: DeviceIndex, dns: &DnsMessage, sender: Sender) {
        if sender == Sender::Device
            && dns.is_plain_query()
            && let Some(counts) = self.counts(device)
        {
            counts.lookups += dns.questions.len() as u64;
        }
        for question in &dns.questions {
            self.resolve(device, Word::Name(question.name.as_str().into()));
        }
        if !dns.is_response() || sender == Sender::Device {
            return;
        }
        for answer in &dns.answers {
            self.resolve(device, Word::Name(answer.name.as_str().into()));
            match &answer.data {
                DnsData::Address(address) => self.resolve(device, Word::Address(*address)),
                DnsData::Name(name) => self.resolve(device, Word::Name(name.as_str().into())),
                _ => {}
            }
        }
    }

    /// Takes in a hello; whether it names a resolver of encrypted DNS.
    fn hello(&mut self, device: DeviceIndex, hello: &ClientHello) -> bool {
        if let Some(counts) = self.counts(device) {
            counts.hellos += 1;
            counts.ech_hellos += u64::from(hello.extensions.contains(&ENCRYPTED_CLIENT_HELLO));
        }
        let Some(name) = &hello.server_name else { return false };
        let name = name.trim_end_matches('.');
        self.note(device, Word::Name(name.into()), |seen| seen.is_used = true);
        is_resolver_name(name)
    }

    fn resolve(&mut self, device: DeviceIndex, word: Word) {
        self.note(device, word, |seen| seen.is_resolved = true);
    }

    fn note(&mut self, device: DeviceIndex, word: Word, note: impl FnOnce(&mut Seen)) {
        if let Some(seen) = self.words.use_mut(device, &word) {
            note(seen);
            return;
        }
        let text = if let Word::Name(name) = &word { name.len() } else { 0 };
        let mut seen = Seen::default();
        note(&mut seen);
        for LetGo { device, .. } in self.words.insert(device, (word, seen), WORD_BYTES + text) {
            self.log.add(device, LOOK_UPS, 1);
        }
    }
}

impl Observer for VantageObserver {
    type State = FlowVantage;

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        self.ids.note(device, id);
        self.log.device(device, id);
        self.counts(device);
    }

    fn established(&mut self, device: DeviceIndex) {
        self.words.establish(device);
        self.log.established(device);
    }

    fn forget(&mut self, device: DeviceIndex) {
        self.ids.forget(device);
        self.log.forget(device);
        drop(self.words.forget(device));
        if let Some(counts) = self.counts(device) {
            *counts = DeviceVantage::default();
        }
    }

    fn frame(&mut self, frame: &DeviceFrame<'_, '_>) {
        if frame.is_sent
            && let Some(counts) = self.counts(frame.device)
        {
            counts.other_sent += 1;
        }
    }

    fn packet(&mut self, packet: &DevicePacket<'_, '_>, state: &mut FlowVantage) {
        if let Transport::Tcp(segment) = packet.ip.transport {
            state.acknowledged.note(segment);
        }
        let Some(counts) = self.counts(packet.device) else { return };
        match (packet.is_sent, is_unicast(packet)) {
            (true, true) => counts.unicast_sent += 1,
            (true, false) => counts.group_sent += 1,
            (false, _) => counts.received += 1,
        }
    }

    fn continue_flow(&mut self, state: &mut FlowVantage) -> FlowVantage {
        FlowVantage { acknowledged: state.acknowledged.continued(), ..*state }
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
        let device = context.device;
        let hello = match &*message {
            Message::Dns(dns) => {
                if context.packet.is_none_or(is_resolution) {
                    self.dns(device, dns, context.sender);
                }
                return;
            }
            Message::ClientHello(hello) => Some(hello),
            Message::QuicInitial(initial) => initial.client_hello.as_ref(),
            _ => None,
        };
        if let Some(hello) = hello.filter(|_| context.sender == Sender::Device) {
            state.names_resolver |= self.hello(device, hello);
        }
    }

    fn detected(&mut self, flow: Flow<FlowVantage>, detection: DetectedProtocol) {
        let Some(counts) = self.counts(flow.device) else { return };
        if flow.tuple.protocol() == TCP {
            counts.tcp_flows += 1;
            let is_one_way = flow.up.packets == 0 || flow.down.packets == 0;
            let is_answered = flow.state.acknowledged.is_answered();
            counts.one_sided_flows += u64::from(is_one_way && is_answered);
            counts.unanswered_flows += u64::from(is_one_way && !is_answered);
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
        if is_outside && !is_resolution && port != 0 {
            self.note(flow.device, Word::Address(flow.peer.addr), |seen| seen.is_used = true);
        }
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
