//! A home in which packets are told one by one, for tests.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use thingprint_flow::{
    Capture, DeviceId, DeviceIndex, Flow, FlowOptions, Ip, MacAddr, Packet, TcpFlags, TcpSegment, Timestamp,
    Trace, TraceOptions, Tracker, Transport, WindowLength,
};
use thingprint_profile::MudBuilder;
use thingprint_protocol::{Detector, Engine, Heard};

/// The router, which is no device.
const ROUTER: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 1]);

/// The first segment with a payload from the server of a connection.
const SERVER_SEGMENT: Transport = Transport::Tcp(TcpSegment { seq: 5001, ack: 0, flags: TcpFlags(0x18) });

/// Frames between a device and others, in the order told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    frames: Vec<Frame>,
}

/// One side of a frame.
pub(crate) type Side<'a> = (&'a str, u16);

#[derive(Clone, Debug)]
struct Frame {
    device: u8,
    is_sent: bool,
    src: (IpAddr, u16),
    dst: (IpAddr, u16),
    transport: Transport,
    payload: Vec<u8>,
}

/// The flows of a capture, with the devices.
pub(crate) struct Flows {
    pub(crate) flows: Vec<(Flow<Heard>, Option<String>)>,
    pub(crate) devices: Vec<DeviceId>,
}

impl Story {
    /// A UDP datagram that a device sends.
    pub(crate) fn sends(mut self, device: u8, from: Side<'_>, to: Side<'_>, payload: &[u8]) -> Self {
        self.push(device, true, (from, to), Transport::Udp, payload);
        self
    }

    /// A UDP datagram that a device receives.
    pub(crate) fn receives(mut self, device: u8, from: Side<'_>, to: Side<'_>, payload: &[u8]) -> Self {
        self.push(device, false, (from, to), Transport::Udp, payload);
        self
    }

    /// A TCP connection that a device opens, with the SYN answered, and something said.
    pub(crate) fn opens(mut self, device: u8, from: Side<'_>, to: Side<'_>, payload: &[u8]) -> Self {
        self.connect(device, true, (from, to), payload);
        self
    }

    /// A TCP connection that another one opens to a device.
    pub(crate) fn accepts(mut self, device: u8, from: Side<'_>, to: Side<'_>, payload: &[u8]) -> Self {
        self.connect(device, false, (from, to), payload);
        self
    }

    /// A TCP connection that another one tries to open to a device, which refuses it with an RST (RFC 9293 §3.5.2).
    pub(crate) fn refuses(mut self, device: u8, from: Side<'_>, to: Side<'_>) -> Self {
        let segment = |seq, flags| Transport::Tcp(TcpSegment { seq, ack: 0, flags: TcpFlags(flags) });
        self.push(device, false, (from, to), segment(1000, 0x02), &[]);
        self.push(device, true, (to, from), segment(0, 0x14), &[]);
        self
    }

    /// What a device says first on a connection that it accepted.
    pub(crate) fn answers(mut self, device: u8, from: Side<'_>, to: Side<'_>, payload: &[u8]) -> Self {
        self.push(device, true, (from, to), SERVER_SEGMENT, payload);
        self
    }

    /// What a device hears first on a connection that it opened.
    pub(crate) fn hears(mut self, device: u8, from: Side<'_>, to: Side<'_>, payload: &[u8]) -> Self {
        self.push(device, false, (from, to), SERVER_SEGMENT, payload);
        self
    }

    /// A packet of another IP protocol that a device sends.
    pub(crate) fn sends_other(mut self, device: u8, from: &str, to: &str, protocol: u8) -> Self {
        self.push(device, true, ((from, 0), (to, 0)), Transport::Other(protocol), &[]);
        self
    }

    /// A device asks for a name, and is told that it has an address.
    pub(crate) fn learns(self, device: u8, own: &str, name: &str, address: &str) -> Self {
        let address: IpAddr = address.parse().unwrap();
        let (own, resolver) = ((own, 40_053), ("192.168.1.1", 53));
        let asked = self.sends(device, own, resolver, &dns_query(name, address));
        asked.receives(device, resolver, own, &dns_answer(name, address))
    }

    fn connect(&mut self, device: u8, is_sent: bool, sides: (Side<'_>, Side<'_>), payload: &[u8]) {
        let segment = |seq, flags| Transport::Tcp(TcpSegment { seq, ack: 0, flags: TcpFlags(flags) });
        let back = (sides.1, sides.0);
        self.push(device, is_sent, sides, segment(1000, 0x02), &[]);
        self.push(device, !is_sent, back, segment(5000, 0x12), &[]);
        self.push(device, is_sent, sides, segment(1001, 0x18), payload);
    }

    fn push(
        &mut self,
        device: u8,
        is_sent: bool,
        (from, to): (Side<'_>, Side<'_>),
        transport: Transport,
        payload: &[u8],
    ) {
        let end = |(addr, port): Side<'_>| (addr.parse().unwrap(), port);
        let payload = payload.to_vec();
        self.frames.push(Frame { device, is_sent, src: end(from), dst: end(to), transport, payload });
    }

    /// The flows of the story.
    pub(crate) fn flows(&self) -> Flows {
        let packets = self.frames.iter().zip(0..).map(|(frame, n)| frame.packet(n)).collect::<Vec<_>>();
        track(|push| packets.iter().for_each(push))
    }
}

impl Frame {
    fn packet(&self, n: i64) -> Packet<'_> {
        let device = MacAddr::new([2, 0, 0, 0, 1, self.device]);
        let (src_mac, dst_mac) = if self.is_sent { (device, ROUTER) } else { (ROUTER, device) };
        let bytes = u32::try_from(self.payload.len()).unwrap();
        let ip = Ip {
            total_bytes: bytes + 28,
            transport: self.transport,
            ..Ip::udp(self.src, self.dst, &self.payload)
        };
        Packet {
            time: Timestamp::from_nanos(1_600_000_000_000_000_000 + n * 1_000_000),
            src_mac: Some(src_mac),
            dst_mac: Some(dst_mac),
            wire_bytes: bytes + 42,
            ip: Some(ip),
            other: None,
        }
    }
}

impl Flows {
    /// A builder that has heard all flows.
    pub(crate) fn builder(&self) -> MudBuilder {
        let mut builder = MudBuilder::default();
        for (flow, spoken) in &self.flows {
            builder.hear(flow, spoken.as_deref());
        }
        builder
    }

    /// The devices that have flows.
    pub(crate) fn heard_of(&self) -> BTreeSet<DeviceIndex> {
        self.flows.iter().map(|(flow, _)| flow.device).collect()
    }

    /// The device of this number in a story.
    pub(crate) fn device(&self, number: u8) -> DeviceIndex {
        self.by_mac(&MacAddr::new([2, 0, 0, 0, 1, number]).to_string())
    }

    /// The device of this MAC address.
    pub(crate) fn by_mac(&self, mac: &str) -> DeviceIndex {
        let wanted: DeviceId = mac.parse().unwrap();
        let mut indices = self.flows.iter().map(|(flow, _)| flow.device);
        indices.find(|index| self.devices.get(index.as_usize()) == Some(&wanted)).unwrap()
    }
}

/// The flows of captures that are one trace.
pub(crate) fn flows_of(captures: Vec<PathBuf>) -> Flows {
    let capture = |path: PathBuf| {
        let name = path.display().to_string();
        Capture::new(name, move || Ok(Box::new(File::open(&path)?) as thingprint_flow::ByteStream))
    };
    let mut trace = Trace::new(captures.into_iter().map(capture).collect(), TraceOptions::default());
    track(|push| {
        while let Some(packet) = trace.next_packet() {
            push(&packet);
        }
    })
}

fn track(each: impl FnOnce(&mut dyn FnMut(&Packet<'_>))) -> Flows {
    let engine = Engine::default();
    let mut flows = Vec::new();
    let detector = Detector::collecting(&engine, |flow: Flow<Heard>| {
        let model = flow.state.model.and_then(|model| engine.models().model(model));
        let spoken = model.map(|model| model.name().to_owned());
        flows.push((flow, spoken));
    });
    let options =
        FlowOptions { window: WindowLength::Capture, gateways: [ROUTER].into(), ..FlowOptions::default() };
    let mut tracker = Tracker::new(options, detector);
    each(&mut |packet| tracker.push(packet));
    let devices = tracker.finish().devices;
    Flows { flows, devices }
}

/// A DNS query for addresses of the kind of this one (RFC 1035 §4.1).
fn dns_query(name: &str, address: IpAddr) -> Vec<u8> {
    let mut message = vec![0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    message.extend(dns_name(name));
    message.extend(if address.is_ipv4() { [0, 1] } else { [0, 28] });
    message.extend([0, 1]);
    message
}

/// The response to it, of one answer.
fn dns_answer(name: &str, address: IpAddr) -> Vec<u8> {
    let data = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let mut message = dns_query(name, address);
    message[2..4].copy_from_slice(&[0x81, 0x80]);
    message[7] = 1;
    message.extend([0xc0, 12]);
    message.extend(if address.is_ipv4() { [0, 1] } else { [0, 28] });
    message.extend([0, 1, 0, 0, 1, 0]);
    message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    message.extend(data);
    message
}

/// A DNS response to a question of addresses of version 4, with these records: an owner, and a name that it is an alias
/// of or an address.
pub(crate) fn dns_response(question: &str, records: &[(&str, Result<&str, [u8; 4]>)]) -> Vec<u8> {
    let mut message = dns_query(question, IpAddr::from([0, 0, 0, 0]));
    message[2..4].copy_from_slice(&[0x81, 0x80]);
    message[7] = u8::try_from(records.len()).unwrap();
    for (owner, data) in records {
        message.extend(dns_name(owner));
        let (kind, data) = data.map_or_else(|octets| (1, octets.to_vec()), |name| (5, dns_name(name)));
        message.extend([0, kind, 0, 1, 0, 0, 1, 0]);
        message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        message.extend(data);
    }
    message
}

fn dns_name(name: &str) -> Vec<u8> {
    let mut written = Vec::new();
    for label in name.split('.') {
        written.push(u8::try_from(label.len()).unwrap());
        written.extend(label.as_bytes());
    }
    written.push(0);
    written
}

/// An NTP client's request of version 4 (RFC 5905 §7.3).
pub(crate) fn ntp_request() -> Vec<u8> {
    let mut packet = vec![0_u8; 48];
    packet[0] = 0x23;
    packet[47] = 9;
    packet
}

/// The acknowledgement of a DHCP server, 192.168.1.1, that names a name server (RFC 2131 §2, RFC 2132 §3.8 and §9.7).
pub(crate) fn dhcp_ack(name_server: [u8; 4]) -> Vec<u8> {
    let mut message = vec![0_u8; 236];
    message[..3].copy_from_slice(&[2, 1, 6]);
    message.extend([99, 130, 83, 99, 53, 1, 5, 54, 4, 192, 168, 1, 1, 6, 4]);
    message.extend(name_server);
    message.push(255);
    message
}

/// The folder of real captures beside the workspace, if it is there.
pub(crate) fn data(folder: &str) -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(folder);
    let found = data.exists().then_some(data);
    if found.is_none() {
        skip(folder);
    }
    found
}

/// Says that a test is skipped, past the harness, which hides what a passing test prints.
fn skip(missing: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(std::io::stderr(), "skipped {test}: no {missing} beside the checkout");
}
