use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use thingprint_flow::{DeviceId, DeviceIndex, DevicePacket, Flow, MacAddr, Observer, Timestamp};
use thingprint_protocol::{
    DetectedProtocol, DhcpMessage, Engine, Interest, Message, MessageContext, MessageObserver, ModelIndex,
    Protocol, Sender,
};

use crate::Bag;
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
    ids: Vec<DeviceId>,
    devices: Vec<Sums>,
}

/// What the inventory knows of one device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceEntry {
    /// The device.
    pub device: DeviceId,
    /// Whether its MAC address is locally administered, as randomised ones are.
    pub is_randomised: bool,
    /// IP addresses that it sent from, with the packets from each.
    pub addresses: BTreeMap<IpAddr, u64>,
    /// The host name that it told a DHCP server last (option 12).
    pub host_name: Option<String>,
    /// The vendor class that it told a DHCP server last (option 60).
    pub vendor_class: Option<String>,
    /// Names that it looked up in the DNS, with the number of times.
    pub names: Bag,
    /// Server ports of the flows that it initiated, as `tcp/443`, with the number of flows.
    pub server_ports: Bag,
    /// Ports that it served to others, as `tcp/80`, with the number of flows.
    pub served_ports: Bag,
    /// Application protocols that it spoke, on any port and either side, with the number of flows.
    pub services: Bag,
    /// Time of its first IP packet.
    pub first_seen: Timestamp,
    /// Time of its last IP packet.
    pub last_seen: Timestamp,
    /// IP packets that it sent.
    pub packets_up: u64,
    /// Those of them to one host alone, not to a group or to all.
    pub unicast_up: u64,
    /// IP packets that it received.
    pub packets_down: u64,
}

impl DeviceEntry {
    /// A device that sent nothing itself: a relay passed on its DHCP message, between these times.
    pub fn of_client(client: MacAddr, (first_seen, last_seen): (Timestamp, Timestamp)) -> Self {
        Self {
            device: DeviceId::Mac(client),
            is_randomised: client.is_locally_administered(),
            addresses: BTreeMap::new(),
            host_name: None,
            vendor_class: None,
            names: Bag::new(),
            server_ports: Bag::new(),
            served_ports: Bag::new(),
            services: Bag::new(),
            first_seen,
            last_seen,
            packets_up: 0,
            unicast_up: 0,
            packets_down: 0,
        }
    }

    /// Adds what a DHCP message of the device says that a relay passed on; its own frames come first.
    pub fn hear_of(&mut self, message: &DhcpMessage) {
        self.host_name = self.host_name.take().or_else(|| message.host_name.clone());
        self.vendor_class = self.vendor_class.take().or_else(|| message.vendor_class.clone());
    }
}

#[derive(Debug, Default)]
struct Sums {
    addresses: BTreeMap<IpAddr, u64>,
    host_name: Option<String>,
    vendor_class: Option<String>,
    names: Bag,
    server_ports: BTreeMap<(u8, u16), u64>,
    served_ports: BTreeMap<(u8, u16), u64>,
    services: BTreeMap<ModelIndex, u64>,
    times: Option<(Timestamp, Timestamp)>,
    packets_up: u64,
    unicast_up: u64,
    packets_down: u64,
}

impl Inventory {
    /// An inventory of what `engine` finds.
    pub fn new(engine: &Engine) -> Self {
        Self { engine: engine.clone(), ids: Vec::new(), devices: Vec::new() }
    }

    /// The devices that sent anything, in the order of their ids.
    pub fn into_entries(self) -> Vec<DeviceEntry> {
        let devices = self.ids.into_iter().zip(self.devices).filter(|(_, sums)| sums.packets_up > 0);
        let mut entries: Vec<_> = devices.filter_map(|(id, sums)| sums.entry(id, &self.engine)).collect();
        entries.sort_by_key(|entry| entry.device);
        entries
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

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        self.sums(device);
        // Indices are given out in order, since no device is forgotten.
        self.ids.resize(device.as_usize() + 1, id);
    }

    fn packet(&mut self, packet: &DevicePacket<'_, '_>, (): &mut ()) {
        let sums = self.sums(packet.device);
        let time = packet.packet.time;
        let (first, last) = sums.times.get_or_insert((time, time));
        (*first, *last) = ((*first).min(time), (*last).max(time));
        if packet.is_sent {
            sums.packets_up += 1;
            sums.unicast_up += u64::from(is_unicast(packet));
            count(&mut sums.addresses, packet.ip.src);
        } else {
            sums.packets_down += 1;
        }
    }

    fn flow(&mut self, flow: Flow<()>) {
        let key = (flow.tuple.protocol(), flow.server_port());
        let sums = self.sums(flow.device);
        count(if flow.is_client { &mut sums.server_ports } else { &mut sums.served_ports }, key);
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
        let sums = self.sums(flow.device);
        for model in detection.models() {
            count(&mut sums.services, model);
        }
        self.flow(flow);
    }
}

impl Sums {
    fn message(&mut self, packet: &DevicePacket<'_, '_>, message: Message) {
        match message {
            Message::Dns(dns) if is_lookup(&dns, packet) => {
                for question in dns.questions {
                    count(&mut self.names, question.name);
                }
            }
            message if message.is_passed_on(packet.packet.src_mac) => {}
            Message::Dhcp(DhcpMessage { op: 1, host_name, vendor_class, .. }) => {
                self.host_name = host_name.or(self.host_name.take());
                self.vendor_class = vendor_class.or(self.vendor_class.take());
            }
            _ => {}
        }
    }

    fn entry(self, device: DeviceId, engine: &Engine) -> Option<DeviceEntry> {
        let (first_seen, last_seen) = self.times?;
        let words = |ports: BTreeMap<(u8, u16), u64>| -> Bag {
            let word = |(protocol, port)| PortWord::ProtoPort.word(protocol, port);
            ports.into_iter().map(|(key, count)| (word(key), count)).collect()
        };
        let name = |model| Some(engine.models().model(model)?.name().to_lowercase());
        let services = self.services.into_iter().filter_map(|(model, flows)| Some((name(model)?, flows)));
        Some(DeviceEntry {
            device,
            is_randomised: matches!(device, DeviceId::Mac(mac) if mac.is_locally_administered()),
            addresses: self.addresses.into_iter().filter(|(addr, _)| !addr.is_unspecified()).collect(),
            host_name: self.host_name,
            vendor_class: self.vendor_class,
            names: self.names,
            server_ports: words(self.server_ports),
            served_ports: words(self.served_ports),
            services: services.collect(),
            first_seen,
            last_seen,
            packets_up: self.packets_up,
            unicast_up: self.unicast_up,
            packets_down: self.packets_down,
        })
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
