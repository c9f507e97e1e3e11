use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use thingprint_flow::{
    DeviceFrame, DeviceId, DeviceIds, DeviceIndex, DevicePacket, Flow, MacAddr, Observer, OwnAddresses,
    Timestamp,
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
/// Most addresses, names and ports that are remembered of a device.
const MAX_WORDS: usize = 4096;

/// What is on a network: each device with what a person needs to identify it.
#[derive(Debug)]
pub struct Inventory {
    engine: Engine,
    ids: DeviceIds,
    devices: Vec<Sums>,
}

/// What is known of a device so far.
#[derive(Clone, Debug, Default)]
struct Sums {
    addresses: OwnAddresses,
    host_name: Option<String>,
    vendor_class: Option<String>,
    /// At addresses of its own.
    own: Counts,
    /// At others, as whoever forwards packets has them, or that were not known to be its own yet.
    others: Counts,
    /// Times of the first and the last frame without an IP packet that it sent.
    frames: Option<(Timestamp, Timestamp)>,
}

/// What was counted at some of a device's addresses.
#[derive(Clone, Debug, Default)]
struct Counts {
    addresses: BTreeMap<IpAddr, u64>,
    names: Bag,
    server_ports: BTreeMap<(u8, u16), u64>,
    served_ports: BTreeMap<(u8, u16), u64>,
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
    /// An inventory of what `engine` finds.
    pub fn new(engine: &Engine) -> Self {
        Self { engine: engine.clone(), ids: DeviceIds::default(), devices: Vec::new() }
    }

    /// The devices, in the order of their ids.
    pub fn into_records(self) -> Vec<InventoryRecord> {
        let devices = self.ids.iter().zip(self.devices);
        let known = devices.filter_map(|(id, sums)| Some((id?, sums)));
        let mut records: Vec<_> = known.map(|(id, sums)| sums.record(id, &self.engine)).collect();
        records.sort_by_key(InventoryRecord::device);
        records
    }

    /// What is known of a device so far; `None` if it was not seen, or forgotten.
    pub fn record(&self, device: DeviceIndex) -> Option<InventoryRecord> {
        let (id, sums) = (self.ids.of(device)?, self.devices.get(device.as_usize())?);
        Some(sums.clone().record(id, &self.engine))
    }

    fn sums(&mut self, device: DeviceIndex) -> &mut Sums {
        let at = device.as_usize();
        if self.devices.len() <= at {
            self.devices.resize_with(at + 1, Sums::default);
        }
        &mut self.devices[at]
    }
}

impl Observer for Inventory {
    type State = ();

    const WANTS_FRAMES: bool = true;

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        self.sums(device);
        self.ids.note(device, id);
    }

    fn forget(&mut self, device: DeviceIndex) {
        self.ids.forget(device);
        *self.sums(device) = Sums::default();
    }

    fn packet(&mut self, packet: &DevicePacket<'_, '_>, (): &mut ()) {
        let sums = self.sums(packet.device);
        if packet.is_sent {
            sums.addresses.observe(packet.packet);
        }
        sums.counts(local_address(packet)).packet(packet);
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
        let key = (flow.tuple.protocol(), flow.server_port());
        let counts = self.sums(flow.device).counts(flow.local.addr);
        count(if flow.is_client { &mut counts.server_ports } else { &mut counts.served_ports }, key);
    }
}

impl MessageObserver for Inventory {
    fn interest(&self) -> Interest {
        INTEREST
    }

    fn message(&mut self, message: Cow<'_, Message>, context: &MessageContext<'_, '_>, (): &mut ()) {
        if let Some(packet) = context.packet.filter(|packet| packet.is_sent) {
            self.sums(packet.device).message(packet, message.into_owned());
        }
    }

    fn detected(&mut self, flow: Flow<()>, detection: DetectedProtocol) {
        let counts = self.sums(flow.device).counts(flow.local.addr);
        for model in detection.models() {
            count(&mut counts.services, model);
            if !flow.is_client {
                count(&mut counts.served, model);
            }
        }
        self.flow(flow);
    }
}

impl Sums {
    /// What is counted at an address of the device.
    fn counts(&mut self, address: IpAddr) -> &mut Counts {
        if self.addresses.contains(address) { &mut self.own } else { &mut self.others }
    }

    fn message(&mut self, packet: &DevicePacket<'_, '_>, message: Message) {
        match message {
            Message::Dns(dns) if is_lookup(&dns, packet) => {
                let counts = self.counts(packet.ip.src);
                for question in dns.questions {
                    count(&mut counts.names, question.name);
                }
            }
            message if message.is_passed_on(packet.packet.src_mac) => {}
            Message::Dhcp(DhcpMessage { op: 1, host_name, vendor_class, .. }) => {
                self.host_name = host_name.as_deref().map(str::to_owned).or(self.host_name.take());
                self.vendor_class = vendor_class.as_deref().map(str::to_owned).or(self.vendor_class.take());
            }
            Message::Dhcp(_) => self.counts(packet.ip.src).dhcp_answers += 1,
            _ => {}
        }
    }

    fn record(self, device: DeviceId, engine: &Engine) -> InventoryRecord {
        let entry = |counts: Counts| DeviceEntry {
            host_name: self.host_name.clone(),
            vendor_class: self.vendor_class.clone(),
            ..counts.entry(device, engine)
        };
        let mut own = entry(self.own.clone());
        for address in self.addresses.iter() {
            own.addresses.entry(address).or_default();
        }
        let mut all = entry(self.own.merged(self.others));
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

impl Counts {
    fn packet(&mut self, packet: &DevicePacket<'_, '_>) {
        let time = packet.packet.time;
        let (first, last) = self.times.get_or_insert((time, time));
        (*first, *last) = ((*first).min(time), (*last).max(time));
        if packet.is_sent {
            self.packets_up += 1;
            self.unicast_up += u64::from(is_unicast(packet));
            count(&mut self.addresses, packet.ip.src);
        } else {
            self.packets_down += 1;
        }
    }

    /// With what was counted at other addresses.
    fn merged(mut self, others: Self) -> Self {
        add_all(&mut self.addresses, others.addresses);
        add_all(&mut self.names, others.names);
        add_all(&mut self.server_ports, others.server_ports);
        add_all(&mut self.served_ports, others.served_ports);
        add_all(&mut self.services, others.services);
        add_all(&mut self.served, others.served);
        let times = [self.times, others.times].into_iter().flatten();
        self.times = times.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
        self.dhcp_answers += others.dhcp_answers;
        self.packets_up += others.packets_up;
        self.unicast_up += others.unicast_up;
        self.packets_down += others.packets_down;
        self
    }

    fn entry(self, device: DeviceId, engine: &Engine) -> DeviceEntry {
        let words = |ports: BTreeMap<(u8, u16), u64>| -> Bag {
            let word = |(protocol, port)| PortWord::ProtoPort.word(protocol, port);
            ports.into_iter().map(|(key, count)| (word(key), count)).collect()
        };
        let services = |flows: BTreeMap<ModelIndex, u64>| -> Bag {
            let name = |model| Some(engine.models().model(model)?.name().to_lowercase());
            flows.into_iter().filter_map(|(model, flows)| Some((name(model)?, flows))).collect()
        };
        let mut served = services(self.served);
        if self.dhcp_answers > 0 {
            served.entry("dhcp".to_owned()).or_insert(self.dhcp_answers);
        }
        DeviceEntry {
            addresses: self.addresses.into_iter().filter(|(addr, _)| !addr.is_unspecified()).collect(),
            names: self.names,
            server_ports: words(self.server_ports),
            served_ports: words(self.served_ports),
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

fn add_all<K: Ord>(counts: &mut BTreeMap<K, u64>, others: BTreeMap<K, u64>) {
    for (key, times) in others {
        let has_room = counts.len() < MAX_WORDS;
        if let Some(count) = counts.get_mut(&key) {
            *count += times;
        } else if has_room {
            counts.insert(key, times);
        }
    }
}

/// Whether a packet goes to one host: by its link address, else by its address.
fn is_unicast(packet: &DevicePacket<'_, '_>) -> bool {
    let dst = packet.ip.dst;
    let is_group = dst.is_multicast() || dst == IpAddr::V4(Ipv4Addr::BROADCAST);
    !packet.packet.dst_mac.map_or(is_group, MacAddr::is_group)
}

/// Counts a thing, as long as there is room for it.
fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    let has_room = counts.len() < MAX_WORDS;
    if let Some(count) = counts.get_mut(&key) {
        *count += 1;
    } else if has_room {
        counts.insert(key, 1);
    }
}
