use serde::{Deserialize, Serialize};

use crate::track::DeviceIndex;
use crate::track::flow::Tally;
use crate::track::key::{DevicePacket, FiveTuple};
use crate::track::options::{FlowOptions, PacketSize};
use crate::track::window::WindowIndex;
use crate::{Ip, MacAddr, Packet, StackFields, TcpFlags, TcpSegment, Timestamp, Transport};

/// SYN, FIN or RST.
const DECIDES: u8 = 0x07;
const HOST: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 0]);
const GROUP: MacAddr = MacAddr::new([0xff; 6]);

/// A packet of a flow with everything that a flow table decides by, and the packets that followed it in the same
/// window and change nothing but sums.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowRun {
    pub(super) window: WindowIndex,
    pub(super) time: Timestamp,
    /// Nanoseconds from the earliest packet to the first one, and from that to the latest.
    before_ns: u64,
    after_ns: u64,
    low: Tally,
    high: Tally,
    src_is_low: bool,
    is_sent: bool,
    to_group: Option<bool>,
    facts: Facts,
    kind: Kind,
}

/// What a run stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    /// Its packets.
    Exact,
    /// Its packets, some of which the flow table may decide by.
    Coarse,
    /// A flow that goes on in this window, but which its part counted itself.
    Elsewhere,
}

/// What the first packet of a run says beside its addresses and ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Facts {
    Tcp {
        seq: u32,
        ack: u32,
        flags: u8,
    },
    Udp,
    /// The first byte: of ICMP, the type.
    Other(Option<u8>),
}

impl FlowRun {
    /// The run of one packet; `src_is_low` says whether the lower end of its flow sent it.
    pub(super) fn of(view: &DevicePacket<'_, '_>, src_is_low: bool, options: &FlowOptions) -> Self {
        let bytes = u64::from(match options.size {
            PacketSize::Ip => view.ip.total_bytes,
            PacketSize::Payload => view.ip.payload_bytes,
            PacketSize::Wire => view.packet.wire_bytes,
        });
        let tally = Tally { packets: 1, bytes };
        let (low, high) = if src_is_low { (tally, Tally::default()) } else { (Tally::default(), tally) };
        Self {
            window: view.window,
            time: view.time,
            before_ns: 0,
            after_ns: 0,
            low,
            high,
            src_is_low,
            is_sent: view.is_sent,
            to_group: view.packet.dst_mac.map(MacAddr::is_group),
            facts: Facts::of(view.ip),
            kind: Kind::Exact,
        }
    }

    /// The same packet, of a flow that its part counts itself.
    pub(super) fn elsewhere(self) -> Self {
        Self { kind: Kind::Elsewhere, ..self }
    }

    /// Whether its part counts the flow itself.
    pub(super) const fn is_elsewhere(&self) -> bool {
        matches!(self.kind, Kind::Elsewhere)
    }

    /// Whether the flow table may decide by packets that were summed up.
    pub(super) const fn is_coarse(&self) -> bool {
        matches!(self.kind, Kind::Coarse)
    }

    /// Packets are summed up that the flow table may decide by.
    pub(super) const fn coarsen(&mut self) {
        self.kind = Kind::Coarse;
    }

    /// Adds a packet that follows.
    pub(super) fn add(&mut self, next: &Self) {
        let ahead_ns = next.time.nanos_since(self.time);
        self.after_ns = self.after_ns.max(u64::try_from(ahead_ns).unwrap_or(0));
        self.before_ns = self.before_ns.max(u64::try_from(ahead_ns.saturating_neg()).unwrap_or(0));
        self.low.add(next.low);
        self.high.add(next.high);
    }

    /// Whether it is of the same window as a run that follows, and counted here as well.
    pub(super) fn may_absorb(&self, next: &Self) -> bool {
        self.window == next.window && !self.is_elsewhere() && !next.is_elsewhere()
    }

    /// Adds a run that follows, by which the flow table may decide.
    pub(super) fn absorb(&mut self, next: &Self) {
        let (earliest, latest) = (self.earliest().min(next.earliest()), self.latest().max(next.latest()));
        self.before_ns = u64::try_from(self.time.nanos_since(earliest)).unwrap_or(0);
        self.after_ns = u64::try_from(latest.nanos_since(self.time)).unwrap_or(0);
        self.low.add(next.low);
        self.high.add(next.high);
        self.coarsen();
    }

    /// Whether a SYN, a FIN or an RST is in it.
    pub(super) const fn decides(&self) -> bool {
        matches!(self.facts, Facts::Tcp { flags, .. } if flags & DECIDES != 0)
    }

    /// Whether it may settle who the client of a flow without SYN is.
    pub(super) const fn is_icmp_exchange(&self) -> bool {
        matches!(self.facts, Facts::Other(Some(0 | 8 | 13 | 14 | 17 | 18 | 128 | 129)))
    }

    /// The segment that it begins with.
    pub(super) const fn segment(&self) -> Option<TcpSegment> {
        match self.facts {
            Facts::Tcp { seq, ack, flags } => Some(TcpSegment { seq, ack, flags: TcpFlags(flags) }),
            Facts::Udp | Facts::Other(_) => None,
        }
    }

    /// Whether the lower end of the flow sent its first packet.
    pub(super) const fn is_from_low(&self) -> bool {
        self.src_is_low
    }

    /// Time of its earliest packet.
    pub(in crate::track) fn earliest(&self) -> Timestamp {
        self.time.plus_nanos(i64::try_from(self.before_ns).unwrap_or(i64::MAX).saturating_neg())
    }

    /// Time of its latest packet.
    pub(in crate::track) fn latest(&self) -> Timestamp {
        self.time.plus_nanos(i64::try_from(self.after_ns).unwrap_or(i64::MAX))
    }

    /// What the lower and the higher end sent.
    pub(in crate::track) const fn tallies(&self) -> (Tally, Tally) {
        (self.low, self.high)
    }

    /// Shows its first packet as a device saw it, without content.
    pub(super) fn show<T>(&self, tuple: &FiveTuple, look: impl FnOnce(&DevicePacket<'_, '_>) -> T) -> T {
        let [low, high] = tuple.endpoints();
        let (src, dst) = if self.src_is_low { (low, high) } else { (high, low) };
        let (transport, payload) = match &self.facts {
            Facts::Tcp { seq, ack, flags } => {
                let segment = TcpSegment { seq: *seq, ack: *ack, flags: TcpFlags(*flags) };
                (Transport::Tcp(segment), [].as_slice())
            }
            Facts::Udp => (Transport::Udp, [].as_slice()),
            Facts::Other(first) => (Transport::Other(tuple.protocol()), first.as_slice()),
        };
        let ip = Ip {
            src: src.addr,
            dst: dst.addr,
            ttl: 0,
            stack: StackFields::default(),
            total_bytes: 0,
            transport,
            src_port: src.port,
            dst_port: dst.port,
            payload,
            payload_bytes: 0,
        };
        let dst_mac = self.to_group.map(|is_group| if is_group { GROUP } else { HOST });
        let packet =
            Packet { time: self.time, src_mac: None, dst_mac, wire_bytes: 0, ip: Some(ip), other: None };
        look(&DevicePacket {
            device: DeviceIndex::new(0),
            is_sent: self.is_sent,
            is_established: false,
            window: self.window,
            time: self.time,
            number: 0,
            packet: &packet,
            ip: &ip,
        })
    }
}

impl Facts {
    fn of(ip: &Ip<'_>) -> Self {
        match ip.transport {
            Transport::Tcp(TcpSegment { seq, ack, flags }) => Self::Tcp { seq, ack, flags: flags.0 },
            Transport::Udp => Self::Udp,
            Transport::Other(_) => Self::Other(ip.payload.first().copied()),
        }
    }
}
