use thingprint_flow::{
    CaptureError, ContentHash, DecodeCounts, DeviceId, DeviceLosses, GatewayEvidence, GatewayReason,
    GatewayWeight, Gateways, Identity, Ip, MacAddr, Packet, TimeEdges, Timestamp, TrackCounts, TunnelCounts,
};
use thingprint_profile::PacketVantage;
use thingprint_protocol::Losses;

use crate::capture_spans::CaptureSpans;
use crate::given_gateways::GivenGateways;
use crate::relayed::{RelayedClient, RelayedClients};
use crate::source::ReadEnd;
use crate::unowned::{Owner, Unowned};

/// What is known of a trace that was read to its end, beside the results.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// What the source gave.
    pub read: ReadSummary,
    /// The gateways, which are not devices.
    pub gateways: Gateways,
    /// What bears on which addresses are gateways, where gateways stay devices until parts are merged; else nothing any more.
    pub evidence: GatewayEvidence,
    /// The gateways that speak for themselves more than for others, each with the reason and what it sent: somebody may have
    /// forged what makes them gateways.
    pub doubtful_gateways: Vec<(MacAddr, GatewayReason, GatewayWeight)>,
    /// Time of the earliest and of the latest frame.
    pub span: Option<(Timestamp, Timestamp)>,
    /// When each capture has packets, if that was asked for.
    pub spans: CaptureSpans,
    /// What the flow tables counted.
    pub counts: TrackCounts,
    /// What detection could not read.
    pub losses: Losses,
    /// What caps left out, by device.
    pub left_out: DeviceLosses,
    /// Rows handed out of a stream before it was known that they are of a gateway.
    pub gateway_late: u64,
    /// Rows left out of a stream while their device was taken for a gateway.
    pub gateway_early: u64,
    /// Whether the gateways were not those that the first frames pointed at, so that all was read again.
    pub is_second_reading: bool,
}

/// What a source gave.
#[derive(Clone, Debug, Default)]
pub struct ReadSummary {
    /// Frames.
    pub frames: u64,
    /// Their bytes on the wire.
    pub wire_bytes: u64,
    /// IP packets whose payload was not captured whole.
    pub cut_packets: u64,
    /// What the packets as a whole show of the place of the capture.
    pub place: PacketVantage,
    /// IP packets whose sender is known by its MAC address, but not their receiver.
    pub one_sided: u64,
    /// Traces whose devices are identified by their IP addresses, since link addresses do not separate hosts there.
    pub by_address: u64,
    /// The longest time without a frame, in nanoseconds.
    pub silence_ns: i64,
    /// Whether the gateways that the user named are in the packets.
    pub given_gateways: GivenGateways,
    /// Packets of no device.
    pub unowned: Unowned,
    /// What DHCP messages say of clients that did not send them themselves.
    pub relayed: RelayedClients,
    /// What could not be read.
    pub problems: Vec<CaptureError>,
    /// What the frames were.
    pub counts: DecodeCounts,
    /// Hash of the content of each capture, where they were asked for.
    pub hashes: Vec<Option<ContentHash>>,
    /// Packets that carry others, and were not opened, by tunnel.
    pub tunnelled: TunnelCounts,
    /// Copies of other packets among the first frames, and the packets of which they are a part; see
    /// [`Copies`](thingprint_flow::Copies).
    pub copies: (u64, u64),
    /// Frames that were left out, since their times lie alone in the future.
    pub wrongly_timed: u64,
    /// How often the clock of a capture stepped back by more than 300 s, by the name of the capture.
    pub steps_back: Vec<(String, u64)>,
    /// Frames at the ends that wait for the captures before and after these, where they are kept apart.
    pub edges: TimeEdges,
}

impl Summary {
    /// The device of a client that relays sent messages of: its address where devices are identified by these and one is
    /// known.
    pub fn device_of(&self, relayed: &RelayedClient, asked: Identity) -> Option<DeviceId> {
        match self.read.identity(asked) {
            Identity::Mac => Some(DeviceId::Mac(relayed.client)),
            Identity::Ip => self.read.relayed.address_of(relayed).map(|address| DeviceId::Ip(address.into())),
        }
    }

    /// Adds what is known of another trace, whose devices and gateways are its own; `asked` is the identity that was asked
    /// for.
    pub fn add_trace(&mut self, mut other: Self, asked: Identity) {
        other.read.settle_unowned(asked, &other.gateways);
        self.read.merge(other.read);
        self.counts.merge(other.counts);
        self.losses.merge(other.losses);
        self.left_out.merge(other.left_out);
        self.gateway_late += other.gateway_late;
        self.gateway_early += other.gateway_early;
    }
}

impl ReadSummary {
    /// Takes in a packet.
    #[inline]
    pub(crate) fn look_at(&mut self, packet: &Packet<'_>, captured_bytes: usize) {
        self.frames += 1;
        self.wire_bytes = self.wire_bytes.saturating_add(u64::from(packet.wire_bytes));
        let Some(ip) = &packet.ip else { return };
        if ip.payload.len() < ip.payload_bytes as usize {
            self.cut_packets += 1;
            self.place.cut += 1;
            self.place.snap_bytes = self.place.snap_bytes.max(captured_bytes as u64);
        }
        self.one_sided += u64::from(packet.src_mac.is_some() && packet.dst_mac.is_none());
        self.relayed.look_at(packet, ip);
    }

    /// Counts an IP packet between addresses of which it is known whose they are.
    #[inline]
    pub(crate) fn count(&mut self, packet: &Packet<'_>, ip: &Ip<'_>, owner: Owner) {
        self.unowned.count(owner);
        let are_inside = owner.are_inside;
        let place = &mut self.place;
        place.packets += 1;
        if packet.dst_mac.map_or_else(|| ip.dst.is_multicast(), MacAddr::is_group) {
            place.to_groups += 1;
            return;
        }
        place.outbound += u64::from(are_inside == [true, false]);
        place.inbound += u64::from(are_inside == [false, true]);
    }

    pub(crate) fn end(&mut self, end: ReadEnd) {
        let ReadEnd { problems, counts, hashes, tunnelled, wrongly_timed, steps_back, edges } = end;
        self.edges = edges;
        self.tunnelled = tunnelled;
        (self.wrongly_timed, self.steps_back) = (wrongly_timed, steps_back);
        self.problems = problems;
        self.counts = counts;
        self.hashes = hashes;
    }

    /// What identified devices, where this was asked for.
    pub fn identity(&self, asked: Identity) -> Identity {
        if self.by_address > 0 { Identity::Ip } else { asked }
    }

    /// Decides which packets belong to no device, with the gateways of this trace and the identity that was asked for:
    /// before what other traces gave is added, whose devices may be identified in another way.
    pub fn settle_unowned(&mut self, asked: Identity, gateways: &Gateways) {
        self.unowned.settle(self.identity(asked), gateways);
    }

    /// Adds what another source gave.
    pub fn merge(&mut self, other: Self) {
        self.frames += other.frames;
        self.wire_bytes = self.wire_bytes.saturating_add(other.wire_bytes);
        self.cut_packets += other.cut_packets;
        self.place = self.place.plus(other.place);
        self.one_sided += other.one_sided;
        self.silence_ns = self.silence_ns.max(other.silence_ns);
        self.by_address += other.by_address;
        self.given_gateways.merge(other.given_gateways);
        self.unowned.merge(&other.unowned);
        self.relayed.merge(other.relayed);
        self.problems.extend(other.problems);
        self.counts.merge(&other.counts);
        self.hashes.extend(other.hashes);
        self.tunnelled.merge(&other.tunnelled);
        self.copies = (self.copies.0 + other.copies.0, self.copies.1 + other.copies.1);
        self.wrongly_timed += other.wrongly_timed;
        self.steps_back.extend(other.steps_back);
    }
}

/// The gateways that speak for themselves more than for others.
pub(crate) fn doubtful(
    gateways: &Gateways,
    evidence: &GatewayEvidence,
) -> impl Iterator<Item = (MacAddr, GatewayReason, GatewayWeight)> {
    gateways.0.iter().filter_map(|(mac, reason)| {
        let weight = evidence.weight(*mac)?;
        weight.is_doubtful(*reason).then_some((*mac, *reason, weight))
    })
}
