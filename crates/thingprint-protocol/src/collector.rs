use std::borrow::Cow;
use std::collections::BTreeMap;

use thingprint_flow::{
    DeviceId, DeviceIndex, DeviceLosses, DevicePacket, Flow, LossKind, MacAddr, Observer, Timestamp,
    Transport,
};

use crate::overflow::Overflow;
use crate::{
    Budget, DetectedProtocol, Detector, DhcpMessage, DnsMessage, Engine, Interest, Message, MessageContext,
    MessageObserver, ModelIndex, Protocol, Sender,
};

/// Messages of one flow that are remembered; a flow with more of them says little new.
const MOST_MESSAGES: usize = 1024;

/// A [`MessageObserver`] that hands on each flow with its messages.
#[derive(Debug)]
pub struct MessageCollector<F> {
    memory: MessageMemory,
    each: F,
}

/// Remembers the messages of open flows, for a [`MessageObserver`] that has a [`Collected`] in the state of each flow.
///
/// At most 1,024 messages of each flow are remembered, and all together take as many bytes as the engine's limits
/// allow, of which each device has a fair share; those beyond are counted in [`Heard::dropped`]. DNS answers among these are
/// kept apart, each once, within bytes of their own, since names of addresses must not get lost because a device talks much.
///
/// Whoever has a memory hands on to it what an [`Observer`] hears of devices, and of caps that are exceeded.
#[derive(Clone, Debug)]
pub struct MessageMemory {
    /// Bytes of messages over all flows.
    budget: Budget,
    /// Bytes of DNS answers that found no room there.
    answers: Budget,
    most_messages: usize,
}

/// The messages of a flow, and what detection says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The model of the flow's protocol, in the set of the engine; of several protocols one inside another the innermost.
    pub model: Option<ModelIndex>,
    /// The models of the protocols around it, from the outside.
    pub outer: [Option<ModelIndex>; 3],
    /// The protocol of the flow.
    pub protocol: Option<Protocol>,
    /// Whether the server's port is one that the model gives; `None` where no protocol was found.
    pub standard_port: Option<bool>,
    /// Whether a message of a stream may have been lost: it was too long, bytes of it are missing, or it found no room.
    pub is_partly_read: bool,
    /// The messages, in the order in which they were complete.
    pub messages: Vec<HeardMessage>,
    /// Messages beyond the most that are remembered, by protocol.
    pub dropped: BTreeMap<Protocol, u64>,
    /// DNS answers among these, each once.
    pub answers: Vec<DnsMessage>,
    /// DNS answers that found no room there either.
    pub answers_dropped: u64,
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
    /// Whether it is a DHCP request of another client than the host that sent the frame: a relay or an extender passed it
    /// on, and it says nothing of that host.
    pub is_passed_on: bool,
    /// The message.
    pub message: Message,
}

/// The messages of a flow that are remembered so far.
#[derive(Debug, Default)]
pub struct Collected {
    messages: Vec<HeardMessage>,
    /// Bytes that they take.
    bytes: usize,
    /// Messages for which there was no room.
    overflow: Option<Box<Overflow>>,
    sent: Sent,
}

/// Which segments of TCP the device sent.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    has_reset: bool,
    has_other: bool,
}

impl MessageMemory {
    /// A memory for the messages that `engine` finds.
    pub fn new(engine: &Engine) -> Self {
        Self {
            budget: engine.message_budget(),
            answers: engine.answer_budget(),
            most_messages: MOST_MESSAGES,
        }
    }

    /// A memory for no message: what flows say is what detection says alone.
    pub fn none(engine: &Engine) -> Self {
        Self { budget: engine.message_budget(), answers: Budget::new(0), most_messages: 0 }
    }

    /// Remembers a message of a flow, if there is room.
    pub fn add(
        &mut self,
        message: Cow<'_, Message>,
        context: &MessageContext<'_, '_>,
        collected: &mut Collected,
    ) {
        let MessageContext { device, time, sender, .. } = *context;
        let is_passed_on = context.packet.is_some_and(|packet| message.is_passed_on(packet.packet.src_mac));
        let message = HeardMessage { time, sender, is_passed_on, message: message.into_owned() };
        collected.add(message, self.most_messages, [self.budget.of(device), self.answers.of(device)]);
    }

    /// The messages of a flow of a device that was closed, which are not remembered any more.
    pub fn take(&mut self, device: DeviceIndex, collected: Collected, detection: DetectedProtocol) -> Heard {
        self.release(device, &collected);
        let Overflow { dropped, answers, answers_dropped, .. } =
            collected.overflow.map(|overflow| *overflow).unwrap_or_default();
        Heard {
            model: detection.model,
            outer: detection.outer,
            protocol: detection.protocol,
            standard_port: detection.standard_port,
            is_partly_read: detection.is_partly_read,
            is_refused: collected.sent.is_refusal(),
            messages: collected.messages,
            dropped,
            answers,
            answers_dropped,
        }
    }

    /// Gives back the room of a flow of a device that is not closed but abandoned.
    pub fn release(&mut self, device: DeviceIndex, collected: &Collected) {
        self.budget.of(device).release(collected.bytes);
        if let Some(overflow) = &collected.overflow {
            self.answers.of(device).release(overflow.bytes);
        }
    }

    /// A device is there; see [`Observer::device`].
    pub fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        self.budget.device(device, id);
    }

    /// A device is established; see [`Observer::established`].
    pub fn established(&mut self, device: DeviceIndex) {
        self.budget.established(device);
        self.answers.established(device);
    }

    /// A device is forgotten; see [`Observer::forget`].
    pub fn forget(&mut self, device: DeviceIndex) {
        self.budget.forget(device);
        self.answers.forget(device);
    }

    /// Whether flows have to let go of messages; see [`Observer::is_pressed`].
    #[inline]
    pub fn is_pressed(&self) -> bool {
        self.budget.is_pressed() || self.answers.is_pressed()
    }

    /// Lets go of messages of a flow, the latest first, if its device has more than its share; see [`Observer::relieve`].
    pub fn relieve(&mut self, device: DeviceIndex, collected: &mut Collected) {
        collected.relieve([self.budget.of(device), self.answers.of(device)]);
    }

    /// All flows were asked; see [`Observer::relieved`].
    pub fn relieved(&mut self) {
        self.budget.relieved();
        self.answers.relieved();
    }

    /// What was not kept, by device.
    pub const fn left_out(&self) -> &DeviceLosses {
        self.budget.left_out()
    }
}

impl Heard {
    /// The names of the flow's protocols, from the outside, each once: `smtp` and `tls` behind STARTTLS.
    pub fn services<'e>(&self, engine: &'e Engine) -> Vec<&'e str> {
        engine.models().names(self.outer.into_iter().chain([self.model]).flatten())
    }

    /// Messages beyond the most that are remembered, of all protocols.
    pub fn messages_dropped(&self) -> u64 {
        self.dropped.values().sum()
    }
}

impl<F: FnMut(Flow<Heard>)> Detector<MessageCollector<F>> {
    /// A detector that gives `each` flow with all its messages when it is closed.
    pub fn collecting(engine: &Engine, each: F) -> Self {
        Self::new(engine, MessageCollector { memory: MessageMemory::new(engine), each })
    }
}

impl<F: FnMut(Flow<Heard>)> Observer for MessageCollector<F> {
    type State = Collected;

    #[inline]
    fn packet(&mut self, packet: &DevicePacket<'_, '_>, state: &mut Collected) {
        state.note_packet(packet);
    }

    fn continue_flow(&mut self, state: &mut Collected) -> Collected {
        state.continued()
    }

    fn abandon_flow(&mut self, device: DeviceIndex, state: Collected) {
        self.memory.release(device, &state);
    }

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        self.memory.device(device, id);
    }

    fn established(&mut self, device: DeviceIndex) {
        self.memory.established(device);
    }

    fn forget(&mut self, device: DeviceIndex) {
        self.memory.forget(device);
    }

    #[inline]
    fn is_pressed(&self) -> bool {
        self.memory.is_pressed()
    }

    fn relieve(&mut self, device: DeviceIndex, state: &mut Collected) {
        self.memory.relieve(device, state);
    }

    fn relieved(&mut self) {
        self.memory.relieved();
    }
}

impl<F: FnMut(Flow<Heard>)> MessageObserver for MessageCollector<F> {
    fn interest(&self) -> Interest {
        Interest::ALL
    }

    fn message(
        &mut self,
        message: Cow<'_, Message>,
        context: &MessageContext<'_, '_>,
        state: &mut Collected,
    ) {
        self.memory.add(message, context, state);
    }

    fn detected(&mut self, flow: Flow<Collected>, detection: DetectedProtocol) {
        let device = flow.device;
        (self.each)(flow.map_state(|state| self.memory.take(device, state, detection)));
    }
}

impl Message {
    /// Whether it is a DHCP request of another client than the host with this link address, which sent the frame.
    pub fn is_passed_on(&self, sender: Option<MacAddr>) -> bool {
        let Self::Dhcp(DhcpMessage { op: 1, client_mac: Some(client), .. }) = self else { return false };
        sender.is_some_and(|sender| sender != *client)
    }
}

impl Collected {
    /// Takes in a packet of the flow.
    #[inline]
    pub fn note_packet(&mut self, packet: &DevicePacket<'_, '_>) {
        if packet.is_sent {
            self.sent.note(packet.ip.transport);
        }
    }

    /// What goes on with a flow that a window's edge cuts in two.
    #[must_use]
    pub fn continued(&self) -> Self {
        Self { sent: self.sent, ..Self::default() }
    }

    /// Remembers a message if there are fewer than `most`, and room for it in the budget over all flows; else what it
    /// answers, within the other budget.
    fn add(&mut self, message: HeardMessage, most: usize, [budget, answers]: [&mut Budget; 2]) {
        let bytes = message.bytes();
        if self.messages.len() < most && budget.reserve(bytes) {
            self.bytes += bytes;
            if self.messages.len() < 2 {
                // Most flows hold a question and its answer: room for four would take most of the memory of a flood of flows.
                self.messages.reserve_exact(1);
            }
            self.messages.push(message);
        } else {
            if most > 0 {
                budget.lose(LossKind::MESSAGES, 1);
            }
            self.overflow.get_or_insert_default().add(message.message, answers);
        }
    }

    fn relieve(&mut self, [budget, answers]: [&mut Budget; 2]) {
        while budget.owed() > 0
            && let Some(message) = self.messages.pop()
        {
            let bytes = message.bytes();
            self.bytes = self.bytes.saturating_sub(bytes);
            budget.release(bytes);
            budget.pay(bytes);
            budget.lose(LossKind::MESSAGES, 1);
            self.overflow.get_or_insert_default().add(message.message, answers);
        }
        if let Some(overflow) = &mut self.overflow {
            overflow.relieve(answers);
        }
    }
}

impl HeardMessage {
    /// Bytes that it takes.
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.message.held_bytes()
    }
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

#[cfg(test)]
mod tests {
    use thingprint_flow::Timestamp;

    use super::{Collected, HeardMessage};
    use crate::{Budget, Message, Protocol, Sender, parsers};

    #[test]
    fn messages_are_remembered_up_to_their_number_and_bytes() {
        let query = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x04Lamp\x07example\0\0\x01\0\x01";
        let message = Message::Dns(parsers::dns(query, query.len()).unwrap());
        let heard = HeardMessage {
            time: Timestamp::from_nanos(0),
            sender: Sender::Device,
            is_passed_on: false,
            message,
        };
        let check = |most: usize, budget: &mut Budget, expected: (usize, u64)| {
            let mut memory = Collected::default();
            (0..9).for_each(|_| memory.add(heard.clone(), most, [budget, &mut Budget::new(0)]));
            let dropped = memory.overflow.as_ref().and_then(|beyond| beyond.dropped.get(&Protocol::Dns));
            assert_eq!((memory.messages.len(), dropped.copied().unwrap_or(0)), expected);
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
