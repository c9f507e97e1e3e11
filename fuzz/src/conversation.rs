use std::net::{IpAddr, Ipv4Addr};

use thingprint_flow::{Ip, TcpFlags, TcpSegment, Timestamp, Transport};
use thingprint_protocol::{Budget, Engine, FlowPacket, Inspection, Message, Sender};

/// Headers of IPv4 and TCP without options.
const HEADER_BYTES: u32 = 40;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
/// A few zeros are data where they are pushed; without that they may be link padding.
const PUSH_ACK: u8 = 0x18;

/// One flow on its way through an engine.
pub(crate) struct Conversation<'e> {
    pub(crate) engine: &'e Engine,
    pub(crate) state: Inspection,
    pub(crate) found: Vec<(Sender, Message)>,
    budget: Budget,
    second: i64,
}

impl<'e> Conversation<'e> {
    pub(crate) fn new(engine: &'e Engine) -> Self {
        Self { engine, state: Inspection::default(), found: Vec::new(), budget: engine.budget(), second: 0 }
    }

    /// Opens the stream of a side, so that its first byte has this sequence number.
    pub(crate) fn open(&mut self, sender: Sender, start: u32) {
        let flags = if sender == Sender::Device { SYN } else { SYN | ACK };
        let segment = TcpSegment { seq: start.wrapping_sub(1), ack: 0, flags: TcpFlags(flags) };
        self.send(sender, Transport::Tcp(segment), &[]);
    }

    pub(crate) fn tcp(&mut self, sender: Sender, seq: u32, payload: &[u8]) {
        let segment = TcpSegment { seq, ack: 0, flags: TcpFlags(PUSH_ACK) };
        self.send(sender, Transport::Tcp(segment), payload);
    }

    pub(crate) fn udp(&mut self, sender: Sender, payload: &[u8]) {
        self.send(sender, Transport::Udp, payload);
    }

    /// Ends the flow, which must give back all that it held, and gives what was found.
    pub(crate) fn close(mut self) -> Vec<(Sender, Message)> {
        let found = &mut self.found;
        self.engine
            .close(&mut self.state, &mut self.budget, &mut |sender, message| found.push((sender, message)));
        assert_eq!(self.budget.used_bytes(), 0, "a closed flow holds nothing");
        self.found
    }

    fn send(&mut self, sender: Sender, transport: Transport, payload: &[u8]) {
        let payload_bytes = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let packet = Ip {
            src: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
            dst: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)),
            ttl: 64,
            stack: thingprint_flow::StackFields::default(),
            total_bytes: payload_bytes.saturating_add(HEADER_BYTES),
            transport,
            src_port: 40_000,
            dst_port: 8_883,
            payload,
            payload_bytes,
        };
        let seen = FlowPacket { packet: &packet, sender, time: Some(Timestamp::from_seconds(self.second)) };
        self.second += 1;
        let found = &mut self.found;
        let mut keep = |message| found.push((sender, message));
        self.engine.observe(seen, &mut self.state, &mut self.budget, &mut keep);
    }
}
