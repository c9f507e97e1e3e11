use thingprint_flow::{DeviceIndex, FiveTuple, Flow, Observer, Sighting, Timestamp, Transport, WindowIndex};

use crate::{Budget, Engine, Inspection, Losses, Message, ModelIndex, Protocol, Seen, Sender};

/// Messages of one flow that are remembered; a flow with more of them says little new.
const MOST_MESSAGES: usize = 1024;

/// An [`Observer`] that hands on each flow with what was said in it.
///
/// A window of flows is in memory at a time, each with at most 1,024 messages; those beyond are counted in
/// [`Heard::messages_dropped`].
#[derive(Debug)]
pub struct Listener<'e, F> {
    engine: &'e Engine,
    budget: Budget,
    each: F,
}

/// What was said in a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The model that tells the flow's protocol, in the set of the engine.
    pub model: Option<ModelIndex>,
    /// The protocol of the flow.
    pub protocol: Option<Protocol>,
    /// Whether the server's port is one that the model gives; `None` where no protocol was found.
    pub standard_port: Option<bool>,
    /// The messages, in the order in which they were complete.
    pub messages: Vec<HeardMessage>,
    /// Messages beyond the most that are remembered.
    pub messages_dropped: u64,
}

/// A message with who sent it, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardMessage {
    /// Time of the packet that completed it.
    pub time: Timestamp,
    /// Who sent that packet.
    pub sender: Sender,
    /// The message.
    pub message: Message,
}

/// What a [`Listener`] keeps with each flow.
#[derive(Debug, Default)]
pub struct Listening {
    inspection: Inspection,
    transport: Option<Transport>,
    messages: Vec<HeardMessage>,
    messages_dropped: u64,
}

impl<'e, F: FnMut(Flow<Heard>)> Listener<'e, F> {
    /// A listener that finds messages with `engine`, and gives `each` flow when it is closed.
    pub const fn new(engine: &'e Engine, each: F) -> Self {
        Self { engine, budget: engine.budget(), each }
    }

    /// What could not be read so far.
    pub const fn losses(&self) -> Losses {
        self.budget.losses()
    }

    /// Gives back what was to be done with each flow.
    pub fn into_inner(self) -> F {
        self.each
    }
}

impl<F: FnMut(Flow<Heard>)> Observer for Listener<'_, F> {
    type State = Listening;

    fn packet(&mut self, sighting: &Sighting<'_, '_>, state: &mut Listening) {
        let Listening { inspection, transport, messages, messages_dropped } = state;
        transport.get_or_insert(sighting.ip.transport);
        let (time, sender) = (sighting.time, if sighting.is_sent { Sender::Device } else { Sender::Peer });
        let seen = Seen { packet: sighting.ip, sender, time: Some(time) };
        self.engine.observe(seen, inspection, &mut self.budget, &mut |message| {
            if messages.len() < MOST_MESSAGES {
                messages.push(HeardMessage { time, sender, message });
            } else {
                *messages_dropped += 1;
            }
        });
    }

    fn active(&mut self, _: DeviceIndex, _: &FiveTuple, _: Timestamp, _: Timestamp) {}

    fn flow(&mut self, flow: Flow<Listening>) {
        let server_port = flow.server_port();
        let (engine, budget) = (self.engine, &mut self.budget);
        let flow = flow.map_state(|mut state| {
            state.inspection.close(budget);
            let model = state.inspection.model();
            let standard_port = model
                .zip(state.transport)
                .map(|(model, transport)| engine.models().standard_port(model, server_port, transport));
            Heard {
                model,
                protocol: state.inspection.protocol(),
                standard_port,
                messages: state.messages,
                messages_dropped: state.messages_dropped,
            }
        });
        (self.each)(flow);
    }

    fn go_on(&mut self, state: &mut Listening) -> Listening {
        let (inspection, transport) = (state.inspection.go_on(), state.transport);
        Listening { inspection, transport, ..Listening::default() }
    }

    fn ended(&mut self, mut state: Listening) {
        state.inspection.close(&mut self.budget);
    }

    fn window_closed(&mut self, _: WindowIndex) {}
}
