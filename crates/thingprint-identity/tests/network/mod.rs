//! A device that speaks, and who it is by that.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::net::IpAddr;

use thingprint_flow::{
    DeviceId, DeviceLosses, FlowOptions, Ip, MacAddr, NonIp, Packet, TcpFlags, TcpSegment, Timestamp,
    Tracker, Transport,
};
use thingprint_identity::{Field, Identity, IdentityObserver, IdentityOptions, Knowledge, Statements};
use thingprint_protocol::{Detector, Engine};

/// An address that nobody registered, and another host.
pub(crate) const DEVICE: [u8; 6] = [2, 0, 0, 0, 0, 7];
pub(crate) const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 9];
pub(crate) const DEVICE_IP: [u8; 4] = [192, 168, 1, 7];
pub(crate) const OTHER_IP: [u8; 4] = [192, 168, 1, 9];

/// A network on which somebody listens.
pub(crate) struct Network {
    tracker: Tracker<Detector<IdentityObserver>>,
    at_s: i64,
    /// The link address of the device.
    pub(crate) mac: [u8; 6],
}

impl Network {
    pub(crate) fn new() -> Self {
        Self::with(IdentityOptions::default())
    }

    pub(crate) fn with(options: IdentityOptions) -> Self {
        let detector = Detector::new(&Engine::default(), IdentityObserver::new(options));
        Self { tracker: Tracker::new(FlowOptions::default(), detector), at_s: 0, mac: DEVICE }
    }

    /// The same with a device of this address.
    pub(crate) fn of(mac: [u8; 6]) -> Self {
        Self { mac, ..Self::new() }
    }

    /// The device sends a datagram from one port to another of an address.
    pub(crate) fn says(mut self, ports: (u16, u16), to: [u8; 4], payload: &[u8]) -> Self {
        let ip = Ip::udp((DEVICE_IP.into(), ports.0), (IpAddr::from(to), ports.1), payload);
        self.push(self.mac, OTHER, ip);
        self
    }

    /// Another host sends one to the device.
    pub(crate) fn hears(mut self, ports: (u16, u16), payload: &[u8]) -> Self {
        let ip = Ip::udp((OTHER_IP.into(), ports.0), (DEVICE_IP.into(), ports.1), payload);
        self.push(OTHER, self.mac, ip);
        self
    }

    /// The device answers over TCP, in segments of so many bytes.
    pub(crate) fn answers(mut self, port: u16, answer: &[u8], most: usize) -> Self {
        let mut seq = 1000_u32;
        for segment in answer.chunks(most) {
            let transport = Transport::Tcp(TcpSegment { seq, ack: 1, flags: TcpFlags(0x18) });
            let ip =
                Ip { transport, ..Ip::udp((DEVICE_IP.into(), port), (OTHER_IP.into(), 50_000), segment) };
            self.push(self.mac, OTHER, ip);
            seq += u32::try_from(segment.len()).unwrap();
        }
        self
    }

    /// The device asks over TCP, in a connection of its own.
    pub(crate) fn asks(mut self, request: &[u8]) -> Self {
        let port = 40_000 + u16::try_from(self.at_s).unwrap();
        let transport = Transport::Tcp(TcpSegment { seq: 1, ack: 1, flags: TcpFlags(0x18) });
        let ip =
            Ip { transport, ..Ip::udp((DEVICE_IP.into(), port), ([203, 0, 113, 5].into(), 80), request) };
        self.push(self.mac, OTHER, ip);
        self
    }

    /// The device sends a frame without an IP packet.
    pub(crate) fn frame(mut self, ether_type: u16, payload: &[u8]) -> Self {
        let other = NonIp { ether_type, payload };
        let packet = Packet { other: Some(other), ..self.packet(self.mac, [1, 0x80, 0xc2, 0, 0, 0x0e]) };
        self.tracker.push(&packet);
        self
    }

    fn push(&mut self, from: [u8; 6], to: [u8; 6], ip: Ip<'_>) {
        self.at_s += 1;
        let packet = Packet { ip: Some(ip), ..self.packet(from, to) };
        self.tracker.push(&packet);
    }

    fn packet(&self, from: [u8; 6], to: [u8; 6]) -> Packet<'static> {
        Packet {
            time: Timestamp::from_seconds(self.at_s),
            src_mac: Some(MacAddr::new(from)),
            dst_mac: Some(MacAddr::new(to)),
            wire_bytes: 60,
            ip: None,
            other: None,
        }
    }

    /// What the caps left out.
    pub(crate) fn left_out(&self) -> DeviceLosses {
        self.tracker.observer().observer().left_out()
    }

    /// What the device said.
    pub(crate) fn statements(self) -> Statements {
        let device = DeviceId::Mac(MacAddr::new(self.mac));
        let devices = self.tracker.finish().observer.into_observer().into_devices();
        devices.into_iter().find(|(id, _)| *id == device).map(|(_, said)| said).unwrap_or_default()
    }

    /// What it said, as `source key=value`.
    pub(crate) fn said(self) -> Vec<String> {
        self.statements().iter().map(|(statement, _)| statement.to_string()).collect()
    }

    /// Who it is by that and its address.
    pub(crate) fn identity(self) -> Identity {
        self.identity_by(&Knowledge::builtin().unwrap())
    }

    /// The same by other tables.
    pub(crate) fn identity_by(self, knowledge: &Knowledge) -> Identity {
        let mut statements = knowledge.address_statements(DeviceId::Mac(MacAddr::new(self.mac)));
        statements.merge(self.statements());
        Identity::of(&statements, knowledge)
    }
}

/// The values of an identity, in the order of fields.
pub(crate) fn values(identity: &Identity) -> [Option<&str>; 5] {
    Field::ALL.map(|field| identity.value(field))
}

/// A name of DNS.
pub(crate) fn dns_name(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

/// A record of DNS that lives for two minutes.
pub(crate) fn record(name: &str, rtype: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    [&dns_name(name)[..], &[0, rtype, 0x80, 1, 0, 0, 0, 120], &length, data].concat()
}

/// A TXT record of these strings.
pub(crate) fn txt(name: &str, strings: &[&str]) -> Vec<u8> {
    let mut data = Vec::new();
    for string in strings {
        data.push(u8::try_from(string.len()).unwrap());
        data.extend_from_slice(string.as_bytes());
    }
    record(name, 16, &data)
}

/// A response by multicast DNS with these answers and additional records.
pub(crate) fn mdns(answers: &[Vec<u8>], additional: &[Vec<u8>]) -> Vec<u8> {
    let count = |records: &[Vec<u8>]| u16::try_from(records.len()).unwrap().to_be_bytes();
    let header = [&[0, 0, 0x84, 0, 0, 0][..], &count(answers), &[0, 0], &count(additional)].concat();
    [header, answers.concat(), additional.concat()].concat()
}

/// A DHCP request of the device with these options.
pub(crate) fn dhcp(options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 236];
    bytes[..3].copy_from_slice(&[1, 1, 6]);
    bytes[28..34].copy_from_slice(&DEVICE);
    bytes.extend_from_slice(b"\x63\x82\x53\x63\x35\x01\x03");
    bytes.extend_from_slice(options);
    bytes.push(255);
    bytes
}
