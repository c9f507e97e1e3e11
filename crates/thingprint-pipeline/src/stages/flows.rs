use std::borrow::Cow;

use thingprint_flow::{
    DeviceFrame, DeviceId, DeviceIds, DeviceIndex, DeviceLosses, DevicePacket, Flow, Observer, OwnAddresses,
    Packet, Timestamp,
};
use thingprint_protocol::{
    Collected, DetectedProtocol, Engine, Heard, Interest, Message, MessageContext, MessageMemory,
    MessageObserver,
};

use crate::community_id::community_id;
use crate::stage::{End, Stage};

/// Hands out each flow when it is closed, with its messages.
///
/// A flow between two devices of the source is handed out for each. The order is that in which flows are closed, then
/// that of their first packets.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is asked for by itself")]
pub struct FlowStage {
    /// Whether the messages of flows are wanted.
    pub has_messages: bool,
    /// Whether to note to which flows each packet belongs, for [`FlowObserver::take_seen`].
    pub notes_packets: bool,
    /// Whether Community IDs are wanted.
    pub has_community_ids: bool,
    /// Whether to say which flows end at an address of the device itself, so that those of gateways stay.
    pub marks_own: bool,
}

/// Number of a flow in a trace: of the frame that it began with, and whether the device received that.
///
/// Flows are in the order of their first packets by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId {
    /// Number of the frame, from 1; 0 for a flow without packets.
    pub frame: u64,
    /// Whether the device received it.
    pub is_received: bool,
}

/// A flow that was closed.
#[derive(Clone, Debug)]
pub struct FlowRow {
    /// Its number.
    pub id: FlowId,
    /// The device that it is of. The flow's index of it is that of a shard, and means nothing outside.
    pub device: DeviceId,
    /// Its Community ID, if that is wanted and there is one.
    pub community_id: Option<Box<str>>,
    /// Whether it ends at an address of the device itself, if that is wanted: a gateway forwards the others.
    pub is_own: bool,
    /// The flow with its messages.
    pub flow: Flow<Heard>,
}

/// Follows the flows of a shard.
#[derive(Debug)]
pub struct FlowObserver {
    stage: FlowStage,
    memory: MessageMemory,
    ids: DeviceIds,
    /// By device, where that is wanted.
    own: Vec<OwnAddresses>,
    seen: Vec<FlowId>,
    rows: Vec<FlowRow>,
}

/// What rides with a flow.
#[derive(Debug, Default)]
pub struct FlowState {
    id: FlowId,
    community_id: Option<Box<str>>,
    collected: Collected,
}

impl FlowObserver {
    /// The flows of the last packet.
    pub fn take_seen(&mut self) -> Vec<FlowId> {
        std::mem::take(&mut self.seen)
    }

    fn observe_own(&mut self, device: DeviceIndex, packet: &Packet<'_>) {
        if !self.stage.marks_own {
            return;
        }
        let at = device.as_usize();
        if self.own.len() <= at {
            self.own.resize_with(at + 1, OwnAddresses::default);
        }
        if let Some(own) = self.own.get_mut(at) {
            own.observe(packet);
        }
    }
}

impl Observer for FlowObserver {
    type State = FlowState;

    const WANTS_FRAMES: bool = true;
    const FORGETS: bool = true;

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        self.ids.note(device, id);
        self.memory.device(device, id);
    }

    fn forget(&mut self, device: DeviceIndex) {
        // Its flows were closed before.
        self.ids.forget(device);
        self.memory.forget(device);
        if let Some(own) = self.own.get_mut(device.as_usize()) {
            *own = OwnAddresses::default();
        }
    }

    #[inline]
    fn packet(&mut self, packet: &DevicePacket<'_, '_>, state: &mut FlowState) {
        if state.id.frame == 0 {
            state.id = FlowId { frame: packet.number, is_received: !packet.is_sent };
            if self.stage.has_community_ids {
                state.community_id = community_id(packet.ip).map(String::into_boxed_str);
            }
        }
        state.collected.note_packet(packet);
        if packet.is_sent {
            self.observe_own(packet.device, packet.packet);
        }
        if self.stage.notes_packets {
            self.seen.push(state.id);
        }
    }

    fn frame(&mut self, frame: &DeviceFrame<'_, '_>) {
        if frame.is_sent {
            self.observe_own(frame.device, frame.packet);
        }
    }

    fn continue_flow(&mut self, state: &mut FlowState) -> FlowState {
        FlowState { collected: state.collected.continued(), ..FlowState::default() }
    }

    fn abandon_flow(&mut self, device: DeviceIndex, state: FlowState) {
        self.memory.release(device, &state.collected);
    }

    fn established(&mut self, device: DeviceIndex) {
        self.memory.established(device);
    }

    #[inline]
    fn is_pressed(&self) -> bool {
        self.memory.is_pressed()
    }

    fn relieve(&mut self, device: DeviceIndex, state: &mut FlowState) {
        self.memory.relieve(device, &mut state.collected);
    }

    fn relieved(&mut self) {
        self.memory.relieved();
    }
}

impl MessageObserver for FlowObserver {
    fn interest(&self) -> Interest {
        if self.stage.has_messages { Interest::ALL } else { Interest::NONE }
    }

    fn message(
        &mut self,
        message: Cow<'_, Message>,
        context: &MessageContext<'_, '_>,
        state: &mut FlowState,
    ) {
        self.memory.add(message, context, &mut state.collected);
    }

    fn detected(&mut self, flow: Flow<FlowState>, detection: DetectedProtocol) {
        let Some(device) = self.ids.of(flow.device) else { return };
        let (flow, FlowState { id, community_id, collected }) = flow.split();
        let heard = self.memory.take(flow.device, collected, detection);
        let flow = flow.with_state(heard);
        let own = self.own.get(flow.device.as_usize());
        let is_own = own.is_some_and(|own| own.contains(flow.local.addr));
        self.rows.push(FlowRow { id, device, community_id, is_own, flow });
    }
}

impl Stage for FlowStage {
    type Observer = FlowObserver;
    type Row = FlowRow;
    type Rest = ();
    type Key = FlowId;

    fn observer(&self, engine: &Engine) -> FlowObserver {
        let memory = if self.has_messages { MessageMemory::new(engine) } else { MessageMemory::none(engine) };
        FlowObserver {
            stage: *self,
            memory,
            ids: DeviceIds::default(),
            own: Vec::new(),
            seen: Vec::new(),
            rows: Vec::new(),
        }
    }

    fn take(&self, observer: &mut FlowObserver) -> Vec<FlowRow> {
        std::mem::take(&mut observer.rows)
    }

    fn order(&self, row: &FlowRow) -> (Timestamp, FlowId) {
        (row.flow.closed_at, row.id)
    }

    fn device(&self, row: &FlowRow) -> Option<DeviceId> {
        Some(row.device)
    }

    fn is_own(&self, row: &FlowRow) -> bool {
        row.is_own
    }

    fn left_out(&self, observer: &FlowObserver) -> DeviceLosses {
        observer.memory.left_out().clone()
    }

    fn finish(&self, _: FlowObserver, _: &End) {}
}
