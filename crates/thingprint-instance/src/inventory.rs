use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use thingprint_flow::{
    DeviceId, DeviceIndex, FiveTuple, Flow, FlowOptions, MacAddr, Observer, Packet, Sighting, Timestamp,
    Tracker, WindowIndex, WindowLength, elect_gateway,
};
use thingprint_protocol::{Budget, DhcpMessage, Engine, Inspection, Interest, Message, Protocol, Sender};

use crate::Bag;
use crate::lookup::is_lookup;
use crate::options::PortWord;

/// The messages that tell who a device is.
const INTEREST: Interest =
    Interest::NONE.and(Protocol::Dns, Sender::Device).and(Protocol::Dhcp, Sender::Device);
/// Most addresses, names and ports that are remembered of a device.
const MAX_WORDS: usize = 4096;

/// What is on a network: each device with what a person needs to tell which one it is.
#[derive(Debug)]
pub struct Inventory {
    tracker: Tracker<Census>,
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
    /// Time of its first IP packet.
    pub first_seen: Timestamp,
    /// Time of its last IP packet.
    pub last_seen: Timestamp,
    /// IP packets that it sent.
    pub packets_up: u64,
    /// IP packets that it received.
    pub packets_down: u64,
}

impl Inventory {
    /// An inventory of nothing yet. Windows are the whole trace, whatever `options` says of them.
    pub fn new(options: FlowOptions, engine: &Engine) -> Self {
        let options = FlowOptions { window: WindowLength::Capture, ..options };
        let engine = engine.only(INTEREST);
        let census = Census { budget: engine.budget(), engine, devices: Vec::new() };
        Self { tracker: Tracker::new(options, census) }
    }

    /// Takes the next frame of the trace.
    pub fn push(&mut self, packet: &Packet<'_>) {
        self.tracker.push(packet);
    }

    /// The devices that sent anything, in the order of their ids, and the gateway, which is none of them.
    pub fn finish(self, labelled: &BTreeSet<MacAddr>, gateway: Option<MacAddr>) -> Listed {
        let finished = self.tracker.finish();
        let gateway = gateway.or_else(|| elect_gateway(&finished.votes, labelled));
        let census = finished.observer.devices.into_iter();
        let mut devices: Vec<DeviceEntry> = finished
            .devices
            .iter()
            .zip(census)
            .filter(|(id, seen)| gateway.map(DeviceId::Mac) != Some(**id) && seen.packets_up > 0)
            .filter_map(|(id, seen)| seen.entry(*id))
            .collect();
        devices.sort_by_key(|entry| entry.device);
        Listed { devices, gateway }
    }
}

/// The result of an [`Inventory`].
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The devices.
    pub devices: Vec<DeviceEntry>,
    /// The gateway.
    pub gateway: Option<MacAddr>,
}

#[derive(Debug)]
struct Census {
    engine: Engine,
    budget: Budget,
    devices: Vec<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    addresses: BTreeMap<IpAddr, u64>,
    host_name: Option<String>,
    vendor_class: Option<String>,
    names: Bag,
    server_ports: BTreeMap<(u8, u16), u64>,
    served_ports: BTreeMap<(u8, u16), u64>,
    times: Option<(Timestamp, Timestamp)>,
    packets_up: u64,
    packets_down: u64,
}

impl Census {
    fn seen(&mut self, device: DeviceIndex) -> &mut Seen {
        let at = device.as_usize();
        if self.devices.len() <= at {
            self.devices.resize_with(at + 1, Seen::default);
        }
        &mut self.devices[at]
    }
}

impl Observer for Census {
    type State = Inspection;

    fn packet(&mut self, sighting: &Sighting<'_, '_>, state: &mut Inspection) {
        let seen = self.seen(sighting.device);
        let time = sighting.packet.time;
        let (first, last) = seen.times.get_or_insert((time, time));
        (*first, *last) = ((*first).min(time), (*last).max(time));
        if sighting.is_sent {
            seen.packets_up += 1;
            count(&mut seen.addresses, sighting.ip.src);
        } else {
            seen.packets_down += 1;
        }
        let sender = if sighting.is_sent { Sender::Device } else { Sender::Peer };
        let Self { engine, budget, devices } = self;
        let seen = &mut devices[sighting.device.as_usize()];
        engine.inspect(sighting.ip, sender, state, budget, &mut |message| {
            if sighting.is_sent {
                seen.message(sighting, message);
            }
        });
    }

    fn active(&mut self, _: DeviceIndex, _: &FiveTuple, _: Timestamp, _: Timestamp) {}

    fn flow(&mut self, mut flow: Flow<Inspection>) {
        flow.state.close(&mut self.budget);
        let key = (flow.tuple.protocol(), flow.server_port());
        let seen = self.seen(flow.device);
        count(if flow.is_client { &mut seen.server_ports } else { &mut seen.served_ports }, key);
    }

    fn go_on(&mut self, state: &mut Inspection) -> Inspection {
        state.go_on()
    }

    fn ended(&mut self, mut state: Inspection) {
        state.close(&mut self.budget);
    }

    fn window_closed(&mut self, _: WindowIndex) {}
}

impl Seen {
    fn message(&mut self, sighting: &Sighting<'_, '_>, message: Message) {
        match message {
            Message::Dns(dns) if is_lookup(&dns, sighting) => {
                for question in dns.questions {
                    count(&mut self.names, question.name);
                }
            }
            Message::Dhcp(DhcpMessage { op: 1, host_name, vendor_class, .. }) => {
                self.host_name = host_name.or(self.host_name.take());
                self.vendor_class = vendor_class.or(self.vendor_class.take());
            }
            _ => {}
        }
    }

    fn entry(self, device: DeviceId) -> Option<DeviceEntry> {
        let (first_seen, last_seen) = self.times?;
        let words = |ports: BTreeMap<(u8, u16), u64>| -> Bag {
            let word = |(protocol, port)| PortWord::ProtoPort.word(protocol, port);
            ports.into_iter().map(|(key, count)| (word(key), count)).collect()
        };
        Some(DeviceEntry {
            device,
            is_randomised: matches!(device, DeviceId::Mac(mac) if mac.is_locally_administered()),
            addresses: self.addresses.into_iter().filter(|(addr, _)| !addr.is_unspecified()).collect(),
            host_name: self.host_name,
            vendor_class: self.vendor_class,
            names: self.names,
            server_ports: words(self.server_ports),
            served_ports: words(self.served_ports),
            first_seen,
            last_seen,
            packets_up: self.packets_up,
            packets_down: self.packets_down,
        })
    }
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
