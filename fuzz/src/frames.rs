use thingprint_flow::{Decoder, Flow, FlowOptions, Frame, LinkType, Packet, Timestamp, Tracker, TunnelSet};
use thingprint_protocol::{Detector, Engine, Heard};

use crate::captures::check_counts;
use crate::input::{Input, put_vector};

const LINKS: [LinkType; 8] = [
    LinkType::Ethernet,
    LinkType::CookedV1,
    LinkType::CookedV2,
    LinkType::RawIp,
    LinkType::RawIpv4,
    LinkType::RawIpv6,
    LinkType::Null,
    LinkType::Unsupported(7),
];
/// So few flows that the table is full at times.
const MOST_FLOWS: usize = 8;
/// How much time a step is. The last steps go back, so that packets come late.
const STEP_NS: i64 = 500_000_000;

/// Decodes frames of any link type and follows their flows through a small table.
///
/// A payload never has more bytes than its headers say, and a packet never fewer than its payload.
pub fn frames(data: &[u8]) {
    let mut input = Input::new(data);
    let link = LINKS[usize::from(input.u8()) % LINKS.len()];
    let engine = Engine::default();
    let detector = Detector::collecting(&engine, |flow: Flow<Heard>| {
        assert!(flow.first <= flow.last, "a flow ends before it begins");
    });
    let options = FlowOptions { max_flows: MOST_FLOWS, ..FlowOptions::default() };
    let mut tracker = Tracker::new(options, detector);
    let mut decoder = Decoder::opening(TunnelSet::ALL);
    let mut nanos = 1_700_000_000_000_000_000;
    let mut count = 0;
    while !input.is_empty() {
        let step = i64::from(input.u8().cast_signed());
        nanos += step * step * step * STEP_NS / 64;
        let cut = usize::from(input.u8());
        let whole = input.vector();
        let bytes = &whole[..whole.len().saturating_sub(cut)];
        let wire_bytes = u32::try_from(whole.len()).unwrap_or(u32::MAX);
        let packet = decoder.decode(Frame {
            time: Timestamp::from_nanos(nanos),
            link,
            wire_bytes,
            bytes,
            ..Frame::default()
        });
        check(&packet);
        tracker.push(&packet);
        count += 1;
    }
    decoder.finish();
    check_counts(decoder.counts(), count);
    tracker.finish();
}

fn check(packet: &Packet<'_>) {
    let Some(ip) = packet.ip else { return };
    assert!(ip.payload.len() <= ip.payload_bytes as usize);
    assert!(ip.payload_bytes <= ip.total_bytes);
}

/// Writes what [`frames`] reads, for seeds: Ethernet frames, half a second apart.
#[derive(Debug)]
pub struct FrameScript(Vec<u8>);

impl FrameScript {
    /// No frames yet.
    pub fn new() -> Self {
        Self(vec![0])
    }

    /// Adds a frame that was captured whole.
    #[must_use]
    pub fn frame(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(&[4, 0]);
        put_vector(bytes, &mut self.0);
        self
    }

    /// The bytes for the target.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

impl Default for FrameScript {
    fn default() -> Self {
        Self::new()
    }
}
