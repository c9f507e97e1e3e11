use serde::{Deserialize, Serialize};

use super::client::Client;
use super::device::DeviceIndex;
use super::edge::FlowRun;
use super::key::{DevicePacket, Endpoint, FiveTuple, FlowKey};
use super::options::{FlowEnding, FlowOptions, PacketSize};
use super::passages::Passages;
use super::streams::Streams;
use super::window::WindowIndex;
use crate::{Timestamp, Transport};

/// IP protocol number of TCP.
const TCP: u8 = 6;
/// After so many answers in one flow, the peer was heard again: some devices have a single flow that never ends.
const ANSWERS_HEARD_AGAIN: u64 = 8;

/// Packets and bytes in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Packets.
    pub packets: u64,
    /// Bytes, counted as [`FlowOptions::size`] says.
    pub bytes: u64,
}

impl Tally {
    /// Adds what others are.
    pub(super) const fn add(&mut self, other: Self) {
        self.packets += other.packets;
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// Why a flow was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FlowEnd {
    /// An RST.
    Reset,
    /// A FIN from each side.
    Finished,
    /// Nothing came for longer than the idle time.
    Idle,
    /// A SYN began another stream between the same ends.
    Superseded,
    /// It was older than the `joy` preset lets a flow become.
    Aged,
    /// The window's edge, or the capture's end.
    Edge,
    /// The flow table was full.
    Evicted,
}

/// A closed flow of one device in one window; `S` is what rode with it.
#[derive(Clone, Debug)]
pub struct Flow<S> {
    /// The device that sees the flow.
    pub device: DeviceIndex,
    /// The window that the flow lies in.
    pub window: WindowIndex,
    /// The bidirectional 5-tuple.
    pub tuple: FiveTuple,
    /// The device's end.
    pub local: Endpoint,
    /// The other end.
    pub peer: Endpoint,
    /// Whether the device initiated the flow.
    pub is_client: bool,
    /// Time of the first packet.
    pub first: Timestamp,
    /// Time of the last packet.
    pub last: Timestamp,
    /// What the device sent.
    pub up: Tally,
    /// What the device received.
    pub down: Tally,
    /// Why the flow was closed.
    pub end: FlowEnd,
    /// When it was closed: the clock of the trace, or the time at which an edge or the idle time came.
    pub closed_at: Timestamp,
    /// Whether no SYN was seen of a TCP connection, which then may have begun before the flow.
    pub is_missing_syn: bool,
    /// TCP segments with RST that the device sent.
    pub resets_up: u64,
    /// Whether the device was established when the flow was closed; see [`Observer::established`](super::Observer::established).
    /// Of a flow that parts tell of, whether it has packets both ways.
    pub is_established: bool,
    /// State of the observer.
    pub state: S,
}

impl<S> Flow<S> {
    /// Whether the device sent anything but RSTs, which refuse a connection.
    pub const fn is_answered(&self) -> bool {
        self.up.packets > self.resets_up
    }

    /// Bytes both ways.
    pub const fn bytes(&self) -> u64 {
        self.up.bytes.saturating_add(self.down.bytes)
    }

    /// Nanoseconds from the first packet to the last.
    pub fn duration_ns(&self) -> u64 {
        u64::try_from(self.last.nanos_since(self.first)).unwrap_or(0)
    }

    /// The client's end and the server's.
    pub const fn client_server(&self) -> (Endpoint, Endpoint) {
        if self.is_client { (self.local, self.peer) } else { (self.peer, self.local) }
    }

    /// The flow without its state, and the state.
    pub fn split(self) -> (Flow<()>, S) {
        let Self {
            device,
            window,
            tuple,
            local,
            peer,
            is_client,
            first,
            last,
            up,
            down,
            end,
            closed_at,
            is_missing_syn,
            resets_up,
            is_established,
            state,
        } = self;
        let flow = Flow {
            device,
            window,
            tuple,
            local,
            peer,
            is_client,
            first,
            last,
            up,
            down,
            end,
            closed_at,
            is_missing_syn,
            resets_up,
            is_established,
            state: (),
        };
        (flow, state)
    }

    /// The same flow with another state.
    pub fn map_state<T>(self, change: impl FnOnce(S) -> T) -> Flow<T> {
        let (flow, state) = self.split();
        flow.with_state(change(state))
    }

    /// The server's port.
    pub const fn server_port(&self) -> u16 {
        self.client_server().1.port
    }
}

impl Flow<()> {
    /// The same flow with a state.
    pub fn with_state<T>(self, state: T) -> Flow<T> {
        Flow {
            device: self.device,
            window: self.window,
            tuple: self.tuple,
            local: self.local,
            peer: self.peer,
            is_client: self.is_client,
            first: self.first,
            last: self.last,
            up: self.up,
            down: self.down,
            end: self.end,
            closed_at: self.closed_at,
            is_missing_syn: self.is_missing_syn,
            resets_up: self.resets_up,
            is_established: self.is_established,
            state,
        }
    }
}

/// What a packet does to the flow that its 5-tuple already has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It belongs to the flow.
    Joins,
    /// The flow is over for this reason, and the packet begins another.
    Replaces(FlowEnd),
}

/// A flow in the table.
#[derive(Debug)]
pub(super) struct OpenFlow<S> {
    pub(super) key: FlowKey,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) up: Tally,
    pub(super) down: Tally,
    pub(super) ended: Option<(Timestamp, FlowEnd)>,
    /// Whether the device has the lower end; the link addresses of the first packet decided it.
    pub(super) local_is_low: bool,
    pub(super) client: Client,
    pub(super) fin_up: bool,
    pub(super) fin_down: bool,
    /// Segments with RST that the device sent.
    pub(super) resets_up: u64,
    pub(super) streams: Streams,
    pub(super) passages: Passages,
    pub(super) state: S,
}

impl<S> OpenFlow<S> {
    /// Whether the flow was silent for so long that no packet joins it any more.
    pub(super) fn is_over(&self, now: Timestamp, ending: FlowEnding) -> bool {
        let idle_ns = ending.idle_ns(self.key.tuple.protocol());
        idle_ns.is_some_and(|idle_ns| now.nanos_since(self.last) > idle_ns)
    }
}

impl<S: Default> OpenFlow<S> {
    /// The flow that begins with this packet.
    pub(super) fn begin(
        key: FlowKey,
        src_is_low: bool,
        view: &DevicePacket<'_, '_>,
        options: &FlowOptions,
    ) -> Self {
        Self {
            key,
            first: view.time,
            last: view.time,
            up: Tally::default(),
            down: Tally::default(),
            ended: None,
            local_is_low: src_is_low == view.is_sent,
            client: Client::at_first(view, options),
            fin_up: false,
            fin_down: false,
            resets_up: 0,
            streams: Streams::default(),
            passages: Passages::begin(view),
            state: S::default(),
        }
    }

    /// Counts one packet of the flow.
    #[inline]
    pub(super) fn count(&mut self, view: &DevicePacket<'_, '_>, options: &FlowOptions) {
        self.first = self.first.min(view.time);
        self.last = self.last.max(view.time);
        let tally = if view.is_sent { &mut self.up } else { &mut self.down };
        tally.packets += 1;
        tally.bytes = tally.bytes.saturating_add(u64::from(match options.size {
            PacketSize::Ip => view.ip.total_bytes,
            PacketSize::Payload => view.ip.payload_bytes,
            PacketSize::Wire => view.packet.wire_bytes,
        }));
        match view.ip.transport {
            Transport::Tcp(segment) => {
                self.streams.observe(segment, view.is_sent == self.local_is_low, view.time);
                // SYN 0x02, FIN 0x01, RST 0x04: nearly every segment has none of them.
                if segment.flags.0 & 0x07 != 0 {
                    self.note_flags(view, options.ending);
                }
            }
            Transport::Udp => {}
            Transport::Other(_) => self.client.update(view.ip, view.is_sent),
        }
    }

    /// Counts the packets of a run as [`Self::count`] would; `view` is the first of them.
    pub(super) fn absorb(&mut self, run: &FlowRun, view: &DevicePacket<'_, '_>, options: &FlowOptions) {
        self.first = self.first.min(run.earliest());
        self.last = self.last.max(run.latest());
        let (low, high) = run.tallies();
        let (up, down) = if self.local_is_low { (low, high) } else { (high, low) };
        self.up.add(up);
        self.down.add(down);
        match view.ip.transport {
            Transport::Tcp(segment) => {
                self.streams.observe(segment, view.is_sent == self.local_is_low, view.time);
                self.note_flags(view, options.ending);
            }
            Transport::Udp => {}
            Transport::Other(_) => self.client.update(view.ip, view.is_sent),
        }
    }

    fn note_flags(&mut self, view: &DevicePacket<'_, '_>, ending: FlowEnding) {
        let Transport::Tcp(segment) = view.ip.transport else { return };
        self.client.update(view.ip, view.is_sent);
        if segment.flags.fin() {
            let side = if view.is_sent { &mut self.fin_up } else { &mut self.fin_down };
            *side = true;
        }
        self.resets_up += u64::from(view.is_sent && segment.flags.rst());
        if self.ended.is_some() || matches!(ending, FlowEnding::Joy { .. }) {
            return;
        }
        if segment.flags.rst() {
            self.ended = Some((view.time, FlowEnd::Reset));
        } else if self.fin_up && self.fin_down {
            self.ended = Some((view.time, FlowEnd::Finished));
        }
    }

    /// Whether a packet shows, as the first one of its direction or after some more, that one side answers the other; to be
    /// asked before the packet is counted.
    #[inline]
    pub(super) fn is_answered_by(&self, view: &DevicePacket<'_, '_>) -> bool {
        let (own, other) = if view.is_sent { (self.up, self.down) } else { (self.down, self.up) };
        (own.packets == 0 || own.packets == ANSWERS_HEARD_AGAIN) && other.packets > 0 && !is_reset(view)
    }

    /// Whether a packet of the same 5-tuple and window still belongs to this flow.
    #[inline]
    pub(super) fn fate(&self, view: &DevicePacket<'_, '_>, ending: FlowEnding) -> Fate {
        match ending {
            FlowEnding::Joy { cut_after_ns } => {
                if self.last.nanos_since(self.first) > cut_after_ns {
                    Fate::Replaces(FlowEnd::Aged)
                } else {
                    Fate::Joins
                }
            }
            FlowEnding::Connection { tcp_idle_ns, other_idle_ns } => {
                let idle_ns = if self.key.tuple.protocol() == 6 { tcp_idle_ns } else { other_idle_ns };
                if let Some((at, why)) = self.ended {
                    let is_syn = matches!(view.ip.transport, Transport::Tcp(s) if s.flags.syn());
                    if is_syn || view.time.nanos_since(at) > idle_ns {
                        return Fate::Replaces(why);
                    }
                    return Fate::Joins;
                }
                if view.time.nanos_since(self.last) > idle_ns {
                    Fate::Replaces(FlowEnd::Idle)
                } else if self.is_superseded_by(view) {
                    Fate::Replaces(FlowEnd::Superseded)
                } else {
                    Fate::Joins
                }
            }
        }
    }

    /// Whether the device sent a packet of this flow: its addresses and ports say so, whatever its link addresses.
    #[inline]
    pub(super) const fn is_sent(&self, src_is_low: bool) -> bool {
        src_is_low == self.local_is_low
    }

    /// Whether the device passes on a packet that it has in this flow already; `was_sender` is what link addresses say.
    #[inline]
    pub(super) fn passes_on(&mut self, view: &DevicePacket<'_, '_>, was_sender: bool) -> bool {
        self.passages.passes_on(view, was_sender)
    }

    fn is_superseded_by(&self, view: &DevicePacket<'_, '_>) -> bool {
        let Transport::Tcp(segment) = view.ip.transport else { return false };
        self.streams.are_replaced_by(segment, view.is_sent == self.local_is_low, view.time)
    }

    /// Whether neither RST nor FINs ended the flow.
    pub(super) const fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// The closed flow, with its state.
    pub(super) fn close(self, window: WindowIndex, why: FlowEnd, closed_at: Timestamp) -> Flow<S> {
        self.as_closed(window, why, closed_at).with_state(self.state)
    }

    /// What the closed flow would be, without its state.
    pub(super) fn as_closed(&self, window: WindowIndex, why: FlowEnd, closed_at: Timestamp) -> Flow<()> {
        let [low, high] = self.key.tuple.endpoints();
        let (local, peer) = if self.local_is_low { (low, high) } else { (high, low) };
        Flow {
            device: self.key.device,
            window,
            tuple: self.key.tuple,
            local,
            peer,
            is_client: self.client.is_device,
            first: self.first,
            last: self.last,
            up: self.up,
            down: self.down,
            end: self.ended.map_or(why, |(_, why)| why),
            closed_at,
            is_missing_syn: self.key.tuple.protocol() == TCP && !self.client.is_settled,
            resets_up: self.resets_up,
            is_established: self.up.packets > 0 && self.down.packets > 0,
            state: (),
        }
    }
}

/// Whether a packet refuses a connection or breaks it off.
fn is_reset(view: &DevicePacket<'_, '_>) -> bool {
    matches!(view.ip.transport, Transport::Tcp(segment) if segment.flags.rst())
}
