use thingprint_flow::{DeviceIndex, FiveTuple, Flow, Observer, Sighting, Timestamp, Transport, WindowIndex};

use crate::{Budget, Engine, Inspection, Losses, Message, ModelIndex, Protocol, Seen, Sender};

/// Messages of one flow that are remembered; a flow with more of them says little new.
const MOST_MESSAGES: usize = 1024;

/// An [`Observer`] that hands on each flow with what was said in it.
///
/// A window of flows is in memory at a time, each with at most 1,024 messages, and all together with as many bytes of
/// messages as the engine's limits allow; those beyond are counted in [`Heard::messages_dropped`].
#[derive(Debug)]
pub struct Listener<'e, F> {
    ear: Ear<'e>,
    each: F,
}

/// Hears what is said in flows, for an [`Observer`] of one's own that does more than listening.
///
/// A [`Listening`] rides in each flow's state; the methods are called by those of the observer with the same names.
#[derive(Debug)]
pub struct Ear<'e> {
    engine: &'e Engine,
    budget: Budget,
    /// Bytes of messages over all flows.
    message_budget: Budget,
    most_messages: usize,
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
    /// Whether the device sent segments of TCP, and each of them an RST (RFC 9293 §3.5.2): it refused.
    pub is_refused: bool,
}

/// A message with who sent it, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardMessage {
    /// Time of the packet that completed it, or where it was the flow's end that did, of the last packet.
    pub time: Timestamp,
    /// Who sent it.
    pub sender: Sender,
    /// The message.
    pub message: Message,
}

/// What a [`Listener`] or an [`Ear`] keeps with each flow.
#[derive(Debug, Default)]
pub struct Listening {
    inspection: Inspection,
    transport: Option<Transport>,
    /// When the last packet came.
    last: Option<Timestamp>,
    memory: Memory,
    sent: Sent,
}

/// Which segments of TCP the device sent.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    has_reset: bool,
    has_other: bool,
}

impl Sent {
    const fn note(&mut self, transport: Transport) {
        match transport {
            Transport::Tcp(segment) if segment.flags.rst() => self.has_reset = true,
            _ => self.has_other = true,
        }
    }

    const fn is_refusal(self) -> bool {
        self.has_reset && !self.has_other
    }
}

/// The messages of a flow that are remembered.
#[derive(Debug, Default)]
struct Memory {
    messages: Vec<HeardMessage>,
    /// Bytes that they take.
    bytes: usize,
    /// Messages for which there was no room.
    dropped: u64,
}

impl<'e, F: FnMut(Flow<Heard>)> Listener<'e, F> {
    /// A listener that finds messages with `engine`, and gives `each` flow when it is closed.
    pub const fn new(engine: &'e Engine, each: F) -> Self {
        Self { ear: Ear::new(engine), each }
    }

    /// What could not be read so far.
    pub const fn losses(&self) -> Losses {
        self.ear.losses()
    }

    /// Gives back what was to be done with each flow.
    pub fn into_inner(self) -> F {
        self.each
    }
}

impl<F: FnMut(Flow<Heard>)> Observer for Listener<'_, F> {
    type State = Listening;

    fn packet(&mut self, sighting: &Sighting<'_, '_>, state: &mut Listening) {
        self.ear.packet(sighting, state);
    }

    fn active(&mut self, _: DeviceIndex, _: &FiveTuple, _: Timestamp, _: Timestamp) {}

    fn flow(&mut self, flow: Flow<Listening>) {
        let server_port = flow.server_port();
        let flow = flow.map_state(|state| self.ear.heard(state, server_port));
        (self.each)(flow);
    }

    fn go_on(&mut self, state: &mut Listening) -> Listening {
        state.go_on()
    }

    fn ended(&mut self, state: Listening) {
        self.ear.ended(state);
    }

    fn window_closed(&mut self, _: WindowIndex) {}
}

impl<'e> Ear<'e> {
    /// An ear that finds messages with `engine`, and remembers 1,024 of each flow.
    pub const fn new(engine: &'e Engine) -> Self {
        Self {
            engine,
            budget: engine.budget(),
            message_budget: engine.message_budget(),
            most_messages: MOST_MESSAGES,
        }
    }

    /// An ear that tells the protocols of flows and remembers no message.
    pub const fn without_messages(engine: &'e Engine) -> Self {
        Self { most_messages: 0, ..Self::new(engine) }
    }

    /// The engine.
    pub const fn engine(&self) -> &'e Engine {
        self.engine
    }

    /// What could not be read so far.
    pub const fn losses(&self) -> Losses {
        self.budget.losses()
    }

    /// Takes a packet of a flow.
    #[inline]
    pub fn packet(&mut self, sighting: &Sighting<'_, '_>, state: &mut Listening) {
        let Listening { inspection, transport, last, memory, sent } = state;
        transport.get_or_insert(sighting.ip.transport);
        let (time, sender) = (sighting.time, if sighting.is_sent { Sender::Device } else { Sender::Peer });
        *last = Some(time);
        if sighting.is_sent {
            sent.note(sighting.ip.transport);
        }
        let seen = Seen { packet: sighting.ip, sender, time: Some(time) };
        let (most, message_budget) = (self.most_messages, &mut self.message_budget);
        self.engine.observe(seen, inspection, &mut self.budget, &mut |message| {
            memory.add(HeardMessage::new(time, sender, message), most, message_budget);
        });
    }

    /// Ends the listening to a flow with this server port, and says what was heard.
    pub fn heard(&mut self, mut state: Listening, server_port: u16) -> Heard {
        self.conclude(&mut state);
        self.message_budget.release(state.memory.bytes);
        let model = state.inspection.model();
        let models = self.engine.models();
        let standard_port = model
            .zip(state.transport)
            .map(|(model, transport)| models.standard_port(model, server_port, transport));
        Heard {
            model,
            protocol: state.inspection.protocol(),
            standard_port,
            messages: state.memory.messages,
            messages_dropped: state.memory.dropped,
            is_refused: state.sent.is_refusal(),
        }
    }

    /// Judges what was kept of a flow as all that there is.
    fn conclude(&mut self, state: &mut Listening) {
        let Listening { inspection, last, memory, .. } = state;
        let (most, message_budget) = (self.most_messages, &mut self.message_budget);
        self.engine.close(inspection, &mut self.budget, &mut |sender, message| {
            // Without a packet there is nothing to judge.
            if let Some(time) = *last {
                memory.add(HeardMessage::new(time, sender, message), most, message_budget);
            }
        });
    }

    /// Forgets a flow that was to go on, but did not.
    pub fn ended(&mut self, mut state: Listening) {
        state.inspection.close(&mut self.budget);
        self.message_budget.release(state.memory.bytes);
    }
}

impl HeardMessage {
    /// A message that a packet of `sender` completed; one that had to wait for its model says itself who sent it.
    fn new(time: Timestamp, sender: Sender, message: Message) -> Self {
        let sender = if let Message::Described(described) = &message { described.sender } else { sender };
        Self { time, sender, message }
    }
}

impl Listening {
    /// What goes on with a flow that is cut in two.
    #[must_use]
    pub fn go_on(&mut self) -> Self {
        let (inspection, transport, last) = (self.inspection.go_on(), self.transport, self.last);
        Self { inspection, transport, last, sent: self.sent, ..Self::default() }
    }
}

impl Memory {
    /// Remembers a message if there are fewer than `most`, and room for it in the budget over all flows.
    fn add(&mut self, heard: HeardMessage, most: usize, budget: &mut Budget) {
        let bytes = size_of::<HeardMessage>() + heard.message.held_bytes();
        if self.messages.len() < most && budget.reserve(bytes) {
            self.bytes += bytes;
            self.messages.push(heard);
        } else {
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use thingprint_flow::Timestamp;

    use super::{HeardMessage, Memory};
    use crate::{Budget, Message, Sender, parsers};

    #[test]
    fn messages_are_remembered_up_to_their_number_and_bytes() {
        let query = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x04Lamp\x07example\0\0\x01\0\x01";
        let message = Message::Dns(parsers::dns(query, query.len()).unwrap());
        let heard = HeardMessage { time: Timestamp::from_nanos(0), sender: Sender::Device, message };
        let check = |most: usize, budget: &mut Budget, expected: (usize, u64)| {
            let mut memory = Memory::default();
            (0..9).for_each(|_| memory.add(heard.clone(), most, budget));
            assert_eq!((memory.messages.len(), memory.dropped), expected);
            memory
        };
        let mut budget = Budget::new(1 << 20);
        let bytes = check(9, &mut budget, (9, 0)).bytes / 9;
        assert_eq!(budget.used_bytes(), 9 * bytes);
        assert!(bytes > size_of::<HeardMessage>() + "lamp.example".len());
        check(4, &mut budget, (4, 5));
        check(0, &mut budget, (0, 9));
        check(9, &mut Budget::new(5 * bytes), (5, 4));
    }
}
