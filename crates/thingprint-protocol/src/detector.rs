use std::borrow::Cow;

use thingprint_flow::{
    DeviceFrame, DeviceId, DeviceIndex, DeviceLosses, DevicePacket, FiveTuple, Flow, FlowRecord, Observer,
    TcpFlags, TcpSegment, Timestamp, Transport, WindowIndex,
};

use crate::{
    Budget, Engine, FlowPacket, Inspection, Interest, Losses, Message, ModelIndex, Protocol, Sender,
};

/// An [`Observer`] that gets the messages of flows, too, when a [`Detector`] stands between it and the tracker.
///
/// A tuple of them is one: all share one detection, and each gets the messages that any of them is interested in.
pub trait MessageObserver: Observer {
    /// The messages that are wanted; others may come or not.
    fn interest(&self) -> Interest;

    /// A message of a flow, with the flow's state. It is lent where another observer wants it, too.
    fn message(
        &mut self,
        message: Cow<'_, Message>,
        context: &MessageContext<'_, '_>,
        state: &mut Self::State,
    );

    /// A flow was closed; unless this does something else, it goes to [`Observer::flow`] without its detection.
    fn detected(&mut self, flow: Flow<Self::State>, detection: DetectedProtocol) {
        let _ = detection;
        self.flow(flow);
    }
}

/// Where a message comes from.
#[derive(Clone, Copy, Debug)]
pub struct MessageContext<'a, 'p> {
    /// The device whose flow it is of.
    pub device: DeviceIndex,
    /// The window that it counts in: that of the packet which completes it.
    pub window: WindowIndex,
    /// Time of that packet; of the last one of the flow, where the flow's end completes the message.
    pub time: Timestamp,
    /// Who sent it.
    pub sender: Sender,
    /// The packet; `None` where it was the flow's end.
    pub packet: Option<&'a DevicePacket<'a, 'p>>,
}

/// What the protocol of a flow is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DetectedProtocol {
    /// The model of the protocol, in the set of the engine; of several protocols one inside another the innermost.
    pub model: Option<ModelIndex>,
    /// The models of the protocols around it, from the outside: SMTP around TLS, SOCKS or HTTP around anything.
    pub outer: [Option<ModelIndex>; 3],
    /// The protocol.
    pub protocol: Option<Protocol>,
    /// Whether the server's port is one that a model of the flow gives; `None` where no protocol was found.
    pub standard_port: Option<bool>,
    /// Whether a message of a stream may have been lost: it was too long, bytes of it are missing, or it found no room.
    pub is_partly_read: bool,
}

/// Detects the protocols of flows and finds their messages, for the observer inside.
#[derive(Debug)]
pub struct Detector<O> {
    engine: Engine,
    budget: Budget,
    observer: O,
}

/// What rides with each flow.
#[derive(Debug, Default)]
pub struct DetectorState<S> {
    inspection: Inspection,
    state: S,
}

impl<O: MessageObserver> Detector<O> {
    /// A detector that finds the messages with `engine` which `observer` is interested in.
    pub fn new(engine: &Engine, observer: O) -> Self {
        let engine = engine.only(observer.interest());
        Self { budget: engine.budget(), engine, observer }
    }

    /// What could not be read so far.
    pub const fn losses(&self) -> Losses {
        self.budget.losses()
    }

    /// What caps left out so far, by device.
    pub const fn left_out(&self) -> &DeviceLosses {
        self.budget.left_out()
    }

    /// The observer inside.
    pub const fn observer(&self) -> &O {
        &self.observer
    }

    /// The observer inside, to be asked between packets.
    pub const fn observer_mut(&mut self) -> &mut O {
        &mut self.observer
    }

    /// The observer inside, when all is over.
    pub fn into_observer(self) -> O {
        self.observer
    }
}

impl DetectedProtocol {
    /// The models of the protocols, from the outside, each once.
    pub fn models(&self) -> impl Iterator<Item = ModelIndex> + use<> {
        let models = self.outer.into_iter().chain([self.model]).flatten();
        let mut seen = Vec::new();
        models.filter(move |model| {
            let is_new = !seen.contains(model);
            seen.push(*model);
            is_new
        })
    }

    /// The names of the protocols, from the outside, each once.
    pub fn services<'e>(&self, engine: &'e Engine) -> Vec<&'e str> {
        engine.models().names(self.models())
    }

    /// What an engine found out about a flow.
    pub fn of<S>(engine: &Engine, inspection: &Inspection, flow: &Flow<S>) -> Self {
        let model = inspection.model();
        let transport = match flow.tuple.protocol() {
            6 => Transport::Tcp(TcpSegment { seq: 0, ack: 0, flags: TcpFlags::default() }),
            17 => Transport::Udp,
            other => Transport::Other(other),
        };
        let port = flow.server_port();
        let outer = inspection.outer_models();
        let has_port = |model: ModelIndex| engine.models().standard_port(model, port, transport);
        let standard_port = model.map(|model| has_port(model) || outer.into_iter().flatten().any(has_port));
        let (protocol, is_partly_read) = (inspection.protocol(), inspection.is_partly_read());
        Self { model, outer, protocol, standard_port, is_partly_read }
    }
}

impl<O: MessageObserver> Observer for Detector<O> {
    type State = DetectorState<O::State>;

    const WANTS_FRAMES: bool = O::WANTS_FRAMES;
    const FORGETS: bool = O::FORGETS;
    const WANTS_SILENT: bool = O::WANTS_SILENT;
    const WANTS_OPEN: bool = O::WANTS_OPEN;

    fn begin(&mut self, first: Timestamp) {
        self.observer.begin(first);
    }

    fn begin_segment(&mut self) {
        self.observer.begin_segment();
    }

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        self.budget.device(device, id);
        self.observer.device(device, id);
    }

    fn established(&mut self, device: DeviceIndex) {
        self.budget.established(device);
        self.observer.established(device);
    }

    #[inline]
    fn packet(&mut self, packet: &DevicePacket<'_, '_>, state: &mut Self::State) {
        let DetectorState { inspection, state } = state;
        let Self { engine, budget, observer } = self;
        observer.packet(packet, state);
        let sender = if packet.is_sent { Sender::Device } else { Sender::Peer };
        let seen = FlowPacket { packet: packet.ip, sender, time: Some(packet.time) };
        engine.observe(seen, inspection, budget.of(packet.device), &mut |message| {
            let context = MessageContext {
                device: packet.device,
                window: packet.window,
                time: packet.time,
                sender: sender_of(&message, sender),
                packet: Some(packet),
            };
            observer.message(Cow::Owned(message), &context, state);
        });
    }

    fn frame(&mut self, frame: &DeviceFrame<'_, '_>) {
        self.observer.frame(frame);
    }

    #[inline]
    fn active(&mut self, device: DeviceIndex, tuple: &FiveTuple, from: Timestamp, to: Timestamp) {
        self.observer.active(device, tuple, from, to);
    }

    fn flow(&mut self, flow: Flow<Self::State>) {
        let (flow, DetectorState { mut inspection, mut state }) = flow.split();
        let Self { engine, budget, observer } = self;
        engine.close(&mut inspection, budget.of(flow.device), &mut |sender, message| {
            let context = MessageContext {
                device: flow.device,
                window: flow.window,
                time: flow.last,
                sender: sender_of(&message, sender),
                packet: None,
            };
            observer.message(Cow::Owned(message), &context, &mut state);
        });
        let detection = DetectedProtocol::of(engine, &inspection, &flow);
        self.observer.detected(flow.with_state(state), detection);
    }

    fn left_open(&mut self, device: DeviceIndex, mut record: FlowRecord, state: &mut Self::State) {
        record.is_mid_message |= state.inspection.is_mid_message();
        self.observer.left_open(device, record, &mut state.state);
    }

    fn continue_flow(&mut self, state: &mut Self::State) -> Self::State {
        DetectorState {
            inspection: state.inspection.continue_flow(),
            state: self.observer.continue_flow(&mut state.state),
        }
    }

    fn abandon_flow(&mut self, device: DeviceIndex, mut state: Self::State) {
        state.inspection.close(self.budget.of(device));
        self.observer.abandon_flow(device, state.state);
    }

    #[inline]
    fn is_pressed(&self) -> bool {
        self.budget.is_pressed() || self.observer.is_pressed()
    }

    fn relieve(&mut self, device: DeviceIndex, state: &mut Self::State) {
        state.inspection.relieve(self.budget.of(device));
        self.observer.relieve(device, &mut state.state);
    }

    fn relieved(&mut self) {
        self.budget.relieved();
        self.observer.relieved();
    }

    fn window_closed(&mut self, window: WindowIndex) {
        self.observer.window_closed(window);
    }

    fn window_final(&mut self, window: WindowIndex) {
        self.observer.window_final(window);
    }

    fn forget(&mut self, device: DeviceIndex) {
        self.budget.forget(device);
        self.observer.forget(device);
    }
}

/// A message that had to wait for its model knows who sent it.
const fn sender_of(message: &Message, sender: Sender) -> Sender {
    if let Message::Described(described) = message { described.sender } else { sender }
}

macro_rules! tuple_observer {
    ($last:ident . $last_at:tt $(, $name:ident . $at:tt)+) => {
        impl<$last: MessageObserver $(, $name: MessageObserver)+> MessageObserver for ($($name,)+ $last,) {
            fn interest(&self) -> Interest {
                self.$last_at.interest()$(.or(self.$at.interest()))+
            }

            fn message(
                &mut self,
                message: Cow<'_, Message>,
                context: &MessageContext<'_, '_>,
                state: &mut Self::State,
            ) {
                $(self.$at.message(Cow::Borrowed(&*message), context, &mut state.$at);)+
                self.$last_at.message(message, context, &mut state.$last_at);
            }

            fn detected(&mut self, flow: Flow<Self::State>, detection: DetectedProtocol) {
                let (flow, state) = flow.split();
                $(self.$at.detected(flow.clone().with_state(state.$at), detection);)+
                self.$last_at.detected(flow.with_state(state.$last_at), detection);
            }
        }
    };
}

tuple_observer!(B.1, A.0);
tuple_observer!(C.2, A.0, B.1);
tuple_observer!(D.3, A.0, B.1, C.2);
