use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use thingprint_flow::{
    DeviceFrame, DeviceId, DeviceIds, DeviceIndex, DeviceLosses, DevicePacket, FairMap, Flow, LetGo,
    LossKind, LossLog, MacAddr, Observer, OwnAddresses, Timestamp,
};
use thingprint_protocol::{
    DetectedProtocol, DhcpMessage, Engine, Interest, Message, MessageContext, MessageObserver, ModelIndex,
    Protocol, Sender,
};

use crate::Bag;
use crate::device_entry::{DeviceEntry, InventoryRecord};
use crate::lookup::is_lookup;
use crate::options::PortWord;

/// The messages that tell who a device is.
const INTEREST: Interest =
    Interest::NONE.and(Protocol::Dns, Sender::Device).and(Protocol::Dhcp, Sender::Device);
/// What the words of all devices of an inventory take, in bytes.
const MOST_BYTES: usize = 2 << 20;
/// What a word takes beside its text, in bytes: its place in a map, the count and the last use.
const WORD_BYTES: usize = 112;

/// What is on a network: each device with what a person needs to identify it.
///
/// Addresses, names and ports of all devices have a cap that they share fairly: where it is full, devices let go of what they
/// used least recently.
#[derive(Debug)]
pub struct Inventory {
    engine: Engine,
    ids: DeviceIds,
    devices: Vec<Sums>,
    /// How often each word came.
    words: FairMap<(Own, Word), u64>,
    log: LossLog,
}

/// Whether something was counted at an address of the device's own, and not at others, as whoever forwards packets has them, or
/// that were not known to be its own yet.
type Own = bool;

/// What is counted of a device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    /// An address that it sent from.
    Address(IpAddr),
    /// A name that it looked up.
    Name(Box<str>),
    /// Protocol and port of a server that it turned to.
    ServerPort(u8, u16),
    /// Protocol and port that it serves.
    ServedPort(u8, u16),
}

/// What is known of a device so far, beside its words.
#[derive(Clone, Debug, Default)]
struct Sums {
    addresses: OwnAddresses,
    host_name: Option<String>,
    vendor_class: Option<String>,
    /// At addresses of its own.
    own: Counts,
    /// At others.
    others: Counts,
    /// Times of the first and the last frame without an IP packet that it sent.
    frames: Option<(Timestamp, Timestamp)>,
}

/// What was counted at some of a device's addresses.
#[derive(Clone, Debug, Default)]
struct Counts {
    services: BTreeMap<ModelIndex, u64>,
    served: BTreeMap<ModelIndex, u64>,
    /// Answers of a DHCP server, which may go to all.
    dhcp_answers: u64,
    times: Option<(Timestamp, Timestamp)>,
    packets_up: u64,
    unicast_up: u64,
    packets_down: u64,
}

impl Inventory {
    /// An inventory of what `engine` finds, whose words take 2 MiB at most: each shard of a pipeline has one.
    pub fn new(engine: &Engine) -> Self {
        Self::with_limit(engine, MOST_BYTES)
    }

    /// An inventory of what `engine` finds, whose words take so many bytes at most.
    pub fn with_limit(engine: &Engine, most_bytes: usize) -> Self {
        Self {
            engine: engine.clone(),
            ids: DeviceIds::default(),
            devices: Vec::new(),
            words: FairMap::new(most_bytes),
            log: LossLog::default(),
        }
    }

    /// The devices, in the order of their ids.
    pub fn into_records(self) -> Vec<InventoryRecord> {
        let devices = (0..).map(DeviceIndex::new).zip(&self.devices).zip(self.ids.iter());
        let known = devices.filter_map(|((index, sums), id)| Some(sums.record(id?, (&self, index))));
        let mut records: Vec<_> = known.collect();
        records.sort_by_key(InventoryRecord::device);
        records
    }

    /// What is known of a device so far; `None` if it was not seen, or forgotten.
    pub fn record(&self, device: DeviceIndex) -> Option<InventoryRecord> {
        let (id, sums) = (self.ids.of(device)?, self.devices.get(device.as_usize())?);
        Some(sums.record(id, (self, device)))
    }

    /// What caps left out, by device: addresses, names and ports.
    pub fn left_out(&self) -> DeviceLosses {
        self.log.losses().clone()
    }

    fn sums(&mut self, device: DeviceIndex) -> &mut Sums {
        let at = device.as_usize();
        if self.devices.len() <= at {
            self.devices.resize_with(at + 1, Sums::default);
        }
        &mut self.devices[at]
    }

    /// Counts a word that came at an address of the device, or at one that it forwards for.
    fn count(&mut self, device: DeviceIndex, address: IpAddr, word: Word) {
        let is_own = self.sums(device).is_own(address);
        let key = (is_own, word);
        if let Some(times) = self.words.use_mut(device, &key) {
            *times += 1;
            return;
        }
        let bytes = WORD_BYTES + key.1.text_bytes();
        for LetGo { device, key: (_, word), .. } in self.words.insert(device, (key, 1), bytes) {
            self.log.add(device, word.kind(), 1);
        }
    }
}

impl Observer for Inventory {
    type State = ();

    const WANTS_FRAMES: bool = true;

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        self.sums(device);
        self.ids.note(device, id);
        self.log.device(device, id);
    }

    fn established(&mut self, device: DeviceIndex) {
        self.words.establish(device);
        self.log.established(device);
    }

    fn forget(&mut self, device: DeviceIndex) {
        *self.sums(device) = Sums::default();
        self.ids.forget(device);
        self.log.forget(device);
        drop(self.words.forget(device));
    }

    fn packet(&mut self, packet: &DevicePacket<'_, '_>, (): &mut ()) {
        let sums = self.sums(packet.device);
        if packet.is_sent {
            sums.addresses.observe(packet.packet);
        }
        sums.counts(local_address(packet)).packet(packet);
        if packet.is_sent {
            self.count(packet.device, packet.ip.src, Word::Address(packet.ip.src));
        }
    }

    fn frame(&mut self, frame: &DeviceFrame<'_, '_>) {
        if frame.is_sent {
            let sums = self.sums(frame.device);
            sums.addresses.observe(frame.packet);
            let time = frame.packet.time;
            let (first, last) = sums.frames.get_or_insert((time, time));
            (*first, *last) = ((*first).min(time), (*last).max(time));
        }
    }

    fn flow(&mut self, flow: Flow<()>) {
        let (protocol, port) = (flow.tuple.protocol(), flow.server_port());
        let word = if flow.is_client { Word::ServerPort } else { Word::ServedPort };
        self.count(flow.device, flow.local.addr, word(protocol, port));
    }
}

impl MessageObserver for Inventory {
    fn interest(&self) -> Interest {
        INTEREST
    }

    fn message(&mut self, message: Cow<'_, Message>, context: &MessageContext<'_, '_>, (): &mut ()) {
        let Some(packet) = context.packet.filter(|packet| packet.is_sent) else { return };
        match message.into_owned() {
            Message::Dns(dns) if is_lookup(&dns, packet) => {
                for question in dns.questions {
                    self.count(packet.device, packet.ip.src, Word::Name(question.name.into()));
                }
            }
            message => self.sums(packet.device).message(packet, message),
        }
    }

    fn detected(&mut self, flow: Flow<()>, detection: DetectedProtocol) {
        let counts = self.sums(flow.device).counts(flow.local.addr);
        for model in detection.models() {
            *counts.services.entry(model).or_default() += 1;
            if !flow.is_client {
                *counts.served.entry(model).or_default() += 1;
            }
        }
        self.flow(flow);
    }
}

impl Sums {
    fn is_own(&self, address: IpAddr) -> bool {
        self.addresses.contains(address)
    }

    /// What is counted at an address of the device.
    fn counts(&mut self, address: IpAddr) -> &mut Counts {
        if self.is_own(address) { &mut self.own } else { &mut self.others }
    }

    fn message(&mut self, packet: &DevicePacket<'_, '_>, message: Message) {
        match message {
            message if message.is_passed_on(packet.packet.src_mac) => {}
            Message::Dhcp(DhcpMessage { op: 1, host_name, vendor_class, .. }) => {
                self.host_name = host_name.as_deref().map(str::to_owned).or(self.host_name.take());
                self.vendor_class = vendor_class.as_deref().map(str::to_owned).or(self.vendor_class.take());
            }
            Message::Dhcp(_) => self.counts(packet.ip.src).dhcp_answers += 1,
            _ => {}
        }
    }

    /// What is listed of a device of an inventory.
    fn record(&self, device: DeviceId, (inventory, index): (&Inventory, DeviceIndex)) -> InventoryRecord {
        let entry = |counts: Counts| DeviceEntry {
            host_name: self.host_name.clone(),
            vendor_class: self.vendor_class.clone(),
            ..counts.entry(device, &inventory.engine)
        };
        let (mut own, mut all) = (entry(self.own.clone()), entry(self.own.clone().merged(&self.others)));
        for ((is_own, word), times) in inventory.words.entries(index) {
            word.list(*times, &mut all);
            if *is_own {
                word.list(*times, &mut own);
            }
        }
        for address in self.addresses.iter() {
            own.addresses.entry(address).or_default();
        }
        if all.packets_up == 0
            && let Some((first, last)) = self.frames
        {
            // All that it says is that it has these addresses.
            all.has_frames_alone = true;
            all.addresses = self.addresses.iter().map(|address| (address, 0)).collect();
            all.first_seen = Some(all.first_seen.map_or(first, |seen| seen.min(first)));
            all.last_seen = Some(all.last_seen.map_or(last, |seen| seen.max(last)));
        }
        InventoryRecord::new(all, own)
    }
}

impl Word {
    /// Bytes of what it takes beside itself.
    const fn text_bytes(&self) -> usize {
        match self {
            Self::Name(name) => name.len(),
            _ => 0,
        }
    }

    /// What is lost with it.
    const fn kind(&self) -> LossKind {
        match self {
            Self::Address(_) => LossKind::new("addresses"),
            Self::Name(_) => LossKind::new("names"),
            Self::ServerPort(..) | Self::ServedPort(..) => LossKind::new("ports"),
        }
    }

    /// Adds it to what is listed.
    fn list(&self, times: u64, entry: &mut DeviceEntry) {
        let port = |protocol: u8, port: u16| PortWord::ProtoPort.word(protocol, port);
        let listed = match self {
            Self::Address(address) if address.is_unspecified() => return,
            Self::Address(address) => entry.addresses.entry(*address).or_default(),
            Self::Name(name) => entry.names.entry(name.to_string()).or_default(),
            Self::ServerPort(protocol, of) => entry.server_ports.entry(port(*protocol, *of)).or_default(),
            Self::ServedPort(protocol, of) => entry.served_ports.entry(port(*protocol, *of)).or_default(),
        };
        *listed += times;
    }
}

impl Counts {
    fn packet(&mut self, packet: &DevicePacket<'_, '_>) {
        let time = packet.packet.time;
        let (first, last) = self.times.get_or_insert((time, time));
        (*first, *last) = ((*first).min(time), (*last).max(time));
        if packet.is_sent {
            self.packets_up += 1;
            self.unicast_up += u64::from(is_unicast(packet));
        } else {
            self.packets_down += 1;
        }
    }

    /// With what was counted at other addresses.
    fn merged(mut self, others: &Self) -> Self {
        add_all(&mut self.services, &others.services);
        add_all(&mut self.served, &others.served);
        let times = [self.times, others.times].into_iter().flatten();
        self.times = times.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
        self.dhcp_answers += others.dhcp_answers;
        self.packets_up += others.packets_up;
        self.unicast_up += others.unicast_up;
        self.packets_down += others.packets_down;
        self
    }

    fn entry(self, device: DeviceId, engine: &Engine) -> DeviceEntry {
        let services = |flows: BTreeMap<ModelIndex, u64>| -> Bag {
            let name = |model| Some(engine.models().model(model)?.name().to_lowercase());
            flows.into_iter().filter_map(|(model, flows)| Some((name(model)?, flows))).collect()
        };
        let mut served = services(self.served);
        if self.dhcp_answers > 0 {
            served.entry("dhcp".to_owned()).or_insert(self.dhcp_answers);
        }
        DeviceEntry {
            services: services(self.services),
            served_services: served,
            first_seen: self.times.map(|(first, _)| first),
            last_seen: self.times.map(|(_, last)| last),
            packets_up: self.packets_up,
            unicast_up: self.unicast_up,
            packets_down: self.packets_down,
            ..DeviceEntry::new(device)
        }
    }
}

/// The device's own address, or the one that it forwards for.
const fn local_address(packet: &DevicePacket<'_, '_>) -> IpAddr {
    if packet.is_sent { packet.ip.src } else { packet.ip.dst }
}

fn add_all(counts: &mut BTreeMap<ModelIndex, u64>, others: &BTreeMap<ModelIndex, u64>) {
    for (model, flows) in others {
        *counts.entry(*model).or_default() += flows;
    }
}

/// Whether a packet goes to one host: by its link address, else by its address.
fn is_unicast(packet: &DevicePacket<'_, '_>) -> bool {
    let dst = packet.ip.dst;
    let is_group = dst.is_multicast() || dst == IpAddr::V4(Ipv4Addr::BROADCAST);
    !packet.packet.dst_mac.map_or(is_group, MacAddr::is_group)
}
