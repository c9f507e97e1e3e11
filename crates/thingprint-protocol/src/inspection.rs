use crate::attribute::Described;
use crate::flow_buffers::FlowBuffers;
use crate::outer::OuterModels;
use crate::parser::{Memo, ParserId};
use crate::phase::Phase;
use crate::set::ModelState;
use crate::stream_buffer::truncated;
use crate::{Budget, Interest, Message, ModelIndex, Protocol, Sender};

/// Attributes of so many payloads wait for their model to be certain.
const MOST_DESCRIBED: usize = 8;

/// What is remembered between the payloads of one flow; the default is the state of a new flow.
///
/// It rides in every flow of a big table, so it is small: whatever needs room is boxed, and freed once read.
#[derive(Debug, Default)]
pub struct Inspection {
    /// Sequence number of the first byte of each direction that counts: the stream's start, or where messages come one
    /// after another without end, that of the next one.
    pub(crate) start: Sides<u32>,
    /// Bytes from there that are read for good.
    pub(crate) taken: Sides<u16>,
    /// How far each direction is.
    pub(crate) phase: Sides<Phase>,
    /// The protocol that is read, of several one inside another the innermost.
    inner: Layer,
    /// Whether that was another connection between the same ports: this one may be of another protocol.
    is_reconnected: bool,
    /// Whether conditions on the packets of the flow are settled, or found no room.
    pub(crate) has_settled_conditions: bool,
    /// Whether a message of it may have been lost: one too long, one with bytes missing, or one without room.
    is_partly_read: bool,
    /// UDP payloads in a row that did not identify a protocol or contain a message; over TCP, the segments behind lost
    /// bytes in which no message began.
    pub(crate) undecided_payloads: u8,
    pub(crate) buffers: Option<Box<FlowBuffers>>,
}

/// A protocol of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Layer {
    /// The model that fits.
    pub(crate) model: Option<ModelIndex>,
    /// The parser of that model.
    pub(crate) parser: Option<ParserId>,
    /// What the parser remembers.
    pub(crate) memo: Memo,
}

/// A model that is certain, and how its streams are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decision {
    pub(crate) model: ModelIndex,
    pub(crate) parser: Option<ParserId>,
    /// Whether another protocol may follow on the same connection.
    pub(crate) may_hand_over: bool,
}

/// One value for each direction of a flow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sides<T> {
    device: T,
    peer: T,
}

impl Inspection {
    /// The protocol of the flow, once a message of it was read.
    pub fn protocol(&self) -> Option<Protocol> {
        let layer = self.layers().next_back().copied().unwrap_or_default();
        let described = layer.model.map(|_| Protocol::Described);
        layer.parser.map(ParserId::protocol).or(described)
    }

    /// The model that detected the protocol of the flow, in the set of the engine; of several protocols one inside
    /// another the innermost that is known.
    pub fn model(&self) -> Option<ModelIndex> {
        self.layers().next_back().and_then(|layer| layer.model)
    }

    /// The models of the protocols around that one, from the outside.
    pub(crate) fn outer_models(&self) -> OuterModels {
        let mut models = OuterModels::default();
        let mut layers = self.layers();
        layers.next_back();
        for (place, layer) in models.iter_mut().zip(layers) {
            *place = layer.model;
        }
        models
    }

    /// The layers whose protocol is known, from the outside.
    fn layers(&self) -> impl DoubleEndedIterator<Item = &Layer> {
        let outer = self.buffers.as_ref().map_or(&[][..], |buffers| buffers.outer.layers());
        outer.iter().chain([&self.inner]).filter(|layer| layer.model.is_some())
    }

    /// The layer that a side has reached.
    #[inline]
    pub(crate) fn layer(&self, sender: Sender) -> Layer {
        match &self.buffers {
            Some(buffers) => buffers.outer.layer(sender).unwrap_or(self.inner),
            None => self.inner,
        }
    }

    /// The model of the current connection, which may not be the one in which the protocol was detected.
    pub(crate) fn current(&self, sender: Sender) -> Option<ModelIndex> {
        if self.is_reconnected { None } else { self.layer(sender).model }
    }

    /// The parser of that model.
    pub(crate) fn parser(&self, sender: Sender) -> Option<ParserId> {
        if self.is_reconnected { None } else { self.layer(sender).parser }
    }

    /// Whether no protocol of the current connection is known.
    pub(crate) const fn is_undecided(&self) -> bool {
        self.is_reconnected || self.inner.model.is_none()
    }

    /// Lets the parser of a side note a message.
    pub(crate) fn remember(&mut self, sender: Sender, message: &Message) {
        let Some(parser) = self.parser(sender) else { return };
        let outer = self.buffers.as_mut().and_then(|buffers| buffers.outer.layer_mut(sender));
        let layer = outer.unwrap_or(&mut self.inner);
        layer.memo = parser.remember(layer.memo, message);
    }

    /// Notes what a parser remembers of a flow that is not decided yet.
    pub(crate) const fn set_memo(&mut self, memo: Memo) {
        self.inner.memo = memo;
    }

    /// Lets the parser of a side forget what it noted: messages that it should have noted were lost.
    pub(crate) fn forget_messages(&mut self, sender: Sender) {
        let outer = self.buffers.as_mut().and_then(|buffers| buffers.outer.layer_mut(sender));
        outer.unwrap_or(&mut self.inner).memo = Memo::default();
    }

    /// Goes on to the protocol inside the one that a side has read to its end; says whether that is followed.
    pub(crate) fn hand_over(&mut self, sender: Sender, budget: &mut Budget) -> bool {
        let buffers = self.buffers.get_or_insert_default();
        if buffers.outer.layer(sender).is_none() {
            if !buffers.outer.push(self.inner) {
                return false;
            }
            buffers.clear_detection(budget);
            self.inner = Layer::default();
            self.has_settled_conditions = true;
        }
        buffers.outer.descend(sender);
        true
    }

    /// Whether bytes of a stream are kept for a message that is not complete.
    pub fn is_mid_message(&self) -> bool {
        let Some(buffers) = &self.buffers else { return false };
        [Sender::Device, Sender::Peer].into_iter().any(|sender| !buffers.sides.of(sender).is_empty())
    }

    /// What goes on with the flow when it is cut in two: everything but the protocols, which both parts keep.
    #[must_use]
    pub fn continue_flow(&mut self) -> Self {
        let layer = self.inner;
        let outer = self.buffers.as_ref().map(|buffers| buffers.outer.clone());
        let next = std::mem::take(self);
        self.inner = Layer { memo: Memo::default(), ..layer };
        if let Some(outer) = outer.filter(|outer| !outer.is_empty()) {
            self.buffers.get_or_insert_default().outer = outer;
        }
        next
    }

    /// Gives back what the flow still holds, unread; to be called when the flow ends.
    ///
    /// [`Engine::close`](crate::Engine::close) evaluates it first.
    pub fn close(&mut self, budget: &mut Budget) {
        for sender in [Sender::Device, Sender::Peer] {
            let buffer = self.buffers.as_ref().map(|buffers| buffers.sides.of(sender));
            if buffer.is_some_and(|buffer| buffer.is_stalled(self.edge(sender))) {
                budget.count_given_up();
                self.is_partly_read = true;
            }
        }
        self.leave_alone(budget);
        if let Some(buffers) = &mut self.buffers {
            buffers.clear_detection(budget);
        }
        self.free_if_idle();
    }

    /// Whether a message of a stream may have been lost: it was too long, bytes of it are missing, or it found no room.
    pub const fn is_partly_read(&self) -> bool {
        self.is_partly_read
    }

    /// Notes that a message of a stream may be lost.
    pub(crate) const fn lose_message(&mut self) {
        self.is_partly_read = true;
    }

    /// Lets go of what is held of the flow, if its device owes the budget something: the flow is read no further.
    pub fn relieve(&mut self, budget: &mut Budget) {
        let held = self.buffers.as_ref().map_or(0, |buffers| buffers.held_bytes());
        if held == 0 || budget.owed() == 0 {
            return;
        }
        self.has_settled_conditions = true;
        self.leave_alone(budget);
        if let Some(buffers) = &mut self.buffers {
            buffers.clear_detection(budget);
        }
        self.free_if_idle();
        self.is_partly_read = true;
        budget.count_dropped();
        budget.pay(held);
    }

    /// Forgets everything but the detected protocol, for a new connection between the same ports.
    pub(crate) fn restart(&mut self, budget: &mut Budget) {
        self.close(budget);
        let inner = self.layers().next_back().copied().unwrap_or_default();
        let inner = Layer { memo: Memo::default(), ..inner };
        let is_partly_read = self.is_partly_read;
        *self = Self { inner, is_reconnected: true, is_partly_read, ..Self::default() };
    }

    /// Sequence number of the next byte of a stream to read.
    pub(crate) fn read_to(&self, sender: Sender) -> u32 {
        self.start.of(sender).wrapping_add(u32::from(*self.taken.of(sender)))
    }

    /// Sequence number of the first byte of a stream that is neither read nor kept in order.
    pub(crate) fn edge(&self, sender: Sender) -> u32 {
        let head_bytes = self.buffers.as_ref().map_or(0, |buffers| buffers.sides.of(sender).head_bytes());
        self.read_to(sender).wrapping_add(truncated(head_bytes))
    }

    /// Wants nothing more from a direction, and gives back what it holds.
    pub(crate) fn finish(&mut self, sender: Sender, budget: &mut Budget) {
        *self.phase.of_mut(sender) = Phase::DONE;
        let is_over = *self.phase.of(sender.other()) == Phase::DONE;
        let Some(buffers) = &mut self.buffers else { return };
        buffers.sides.of_mut(sender).clear(budget);
        let has_tallies = buffers.progress.as_ref().is_some_and(|progress| progress.tallies.is_some());
        if is_over && !has_tallies {
            buffers.clear_detection(budget);
        }
        self.free_if_idle();
    }

    /// Wants nothing more from either direction.
    pub(crate) fn leave_alone(&mut self, budget: &mut Budget) {
        self.finish(Sender::Device, budget);
        self.finish(Sender::Peer, budget);
    }

    /// Frees the box when nothing is in it.
    pub(crate) fn free_if_idle(&mut self) {
        if self.buffers.as_ref().is_some_and(|buffers| buffers.is_empty()) {
            self.buffers = None;
        }
    }

    /// What is known of the flow for a model.
    pub(crate) fn model_state(&self, index: ModelIndex) -> ModelState {
        let progress = self.buffers.as_ref().and_then(|buffers| buffers.progress.as_ref());
        progress.map_or(ModelState::default(), |progress| progress.model_state(index))
    }

    /// Whether attributes that a sender sent wait for a model to be certain.
    pub(crate) fn has_described(&self, index: ModelIndex, sender: Sender) -> bool {
        let progress = self.buffers.as_ref().and_then(|buffers| buffers.progress.as_ref());
        progress.is_some_and(|progress| {
            progress.described.iter().any(|described| (described.model, described.sender) == (index, sender))
        })
    }

    /// Notes what is known of the flow for a model, and attributes that may turn out to be its; where there is no room
    /// for that, the flow is left alone.
    pub(crate) fn note(
        &mut self,
        index: ModelIndex,
        known: ModelState,
        described: Option<Described>,
        budget: &mut Budget,
    ) {
        let buffers = self.buffers.get_or_insert_default();
        let progress = buffers.progress.get_or_insert_default();
        progress.note(index, known);
        if progress.described.len() < MOST_DESCRIBED {
            progress.described.extend(described);
        }
        self.account(budget);
    }

    /// Accounts for what is held beside streams; where there is no room, the flow is left alone.
    pub(crate) fn account(&mut self, budget: &mut Budget) {
        let Some(buffers) = &mut self.buffers else { return };
        if !buffers.account(budget) {
            self.has_settled_conditions = true;
            self.is_partly_read = true;
            budget.count_dropped();
            buffers.clear_detection(budget);
            self.leave_alone(budget);
        }
    }

    /// Whether nothing more is wanted from either direction.
    pub(crate) fn is_read(&self) -> bool {
        [Sender::Device, Sender::Peer].into_iter().all(|sender| *self.phase.of(sender) == Phase::DONE)
    }

    /// Lets go of what conditions on the packets of the flow need, once they decide nothing.
    pub(crate) fn drop_conditions(&mut self, budget: &mut Budget) {
        self.has_settled_conditions = true;
        if let Some(buffers) = &mut self.buffers {
            buffers.clear_detection(budget);
        }
        self.free_if_idle();
    }

    /// Decides that the flow is of a model's protocol. What was read for it before is reported now, and a side of which
    /// nothing is wanted is done.
    pub(crate) fn decide(
        &mut self,
        decision: Decision,
        interest: Interest,
        budget: &mut Budget,
        found: &mut dyn FnMut(Message),
    ) {
        let Decision { model: index, parser, may_hand_over } = decision;
        self.inner = Layer { model: Some(index), parser, memo: Memo::default() };
        self.is_reconnected = false;
        self.undecided_payloads = 0;
        if let Some(buffers) = &mut self.buffers
            && let Some(mut progress) = buffers.progress.take()
        {
            progress.take_described(index).for_each(found);
            buffers.account(budget);
            self.free_if_idle();
        }
        for sender in [Sender::Device, Sender::Peer] {
            let is_wanted = match parser {
                Some(parser) => parser.is_wanted(interest, sender),
                None => interest.wants(Protocol::Described, sender),
            };
            if !(is_wanted || may_hand_over && self.is_before(sender)) {
                self.finish(sender, budget);
            }
        }
    }

    /// Whether a side has not read anything of the innermost protocol.
    fn is_before(&self, sender: Sender) -> bool {
        let is_outside = self.buffers.as_ref().is_some_and(|buffers| buffers.outer.layer(sender).is_some());
        is_outside || {
            let phase = *self.phase.of(sender);
            phase == Phase::NEW || phase.is_begun()
        }
    }
}

impl<T> Sides<T> {
    /// The value of the direction from `sender`.
    pub(crate) const fn of(&self, sender: Sender) -> &T {
        match sender {
            Sender::Device => &self.device,
            Sender::Peer => &self.peer,
        }
    }

    /// The value of the direction from `sender`, to change.
    pub(crate) const fn of_mut(&mut self, sender: Sender) -> &mut T {
        match sender {
            Sender::Device => &mut self.device,
            Sender::Peer => &mut self.peer,
        }
    }
}
