use std::sync::Arc;

use thingprint_flow::{Ip, Timestamp, Transport};

use crate::datagram::Datagram;
use crate::inspection::Decision;
use crate::matcher::Tallies;
use crate::phase::Phase;
use crate::set::{Detection, Headers};
use crate::stream::Stream;
use crate::{Budget, Inspection, Interest, Limits, Message, ModelIndex, ModelSet, Sender};

/// DNS answers beyond the bytes of messages have this part of them: they are short, and come again.
const ANSWER_SHARE: usize = 8;

/// Looks at the payloads of flows and finds messages in them: by content, on any port, as protocol models say.
///
/// It holds no state of its own, so one engine serves every thread; what a flow needs remembered is its
/// [`Inspection`], and what all flows of a table share is a [`Budget`].
///
/// ```
/// use thingprint_flow::Ip;
/// use thingprint_protocol::{Engine, Inspection, Message, Sender};
///
/// let payload = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x04Lamp\x07example\0\0\x01\0\x01";
/// let packet = Ip::udp(([192, 0, 2, 7].into(), 49152), ([192, 0, 2, 1].into(), 8053), payload);
/// let engine = Engine::default();
/// let mut budget = engine.budget();
/// let mut state = Inspection::default();
/// let mut names = Vec::new();
/// engine.inspect(&packet, Sender::Device, &mut state, &mut budget, &mut |message| {
///     if let Message::Dns(query) = message {
///         names.extend(query.questions.into_iter().map(|question| question.name));
///     }
/// });
/// assert_eq!(names, ["lamp.example"]);
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    set: Arc<ModelSet>,
    limits: Limits,
    interest: Interest,
    has_conditions: bool,
}

/// A packet as an engine sees it.
#[derive(Clone, Copy, Debug)]
pub struct FlowPacket<'a> {
    /// The packet.
    pub packet: &'a Ip<'a>,
    /// Who sent it.
    pub sender: Sender,
    /// When it was captured; without it, conditions on the time between packets never hold.
    pub time: Option<Timestamp>,
}

impl Engine {
    /// An engine with these caps, and the models that come with the crate.
    pub fn new(limits: Limits) -> Self {
        Self::with_models(ModelSet::built_in(), limits)
    }

    /// An engine with these models and caps.
    pub fn with_models(set: Arc<ModelSet>, limits: Limits) -> Self {
        let has_conditions = !set.conditions().is_empty();
        Self { set, limits, interest: Interest::ALL, has_conditions }
    }

    /// The same engine, for a caller who wants no other messages.
    #[must_use]
    pub fn only(&self, interest: Interest) -> Self {
        Self { interest, ..self.clone() }
    }

    /// The same engine with other caps.
    #[must_use]
    pub fn limited(&self, limits: Limits) -> Self {
        Self { limits, ..self.clone() }
    }

    /// The caps.
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// The models that are looked for.
    pub fn models(&self) -> &ModelSet {
        &self.set
    }

    /// The abbreviation of the model that detected the protocol of a flow.
    pub fn service(&self, state: &Inspection) -> Option<&str> {
        Some(self.set.model(state.model()?)?.name())
    }

    /// The abbreviations of all models that detected protocols of a flow, from the outside: `smtp` and `tls` behind
    /// STARTTLS.
    pub fn services(&self, state: &Inspection) -> Vec<&str> {
        self.set.names(state.outer_models().into_iter().chain([state.model()]).flatten())
    }

    /// A budget of as many bytes as the limits allow, for the flows of one table.
    pub fn budget(&self) -> Budget {
        Budget::new(self.limits.buffered_bytes)
    }

    /// A budget of as many bytes as the limits allow, for the messages that are remembered.
    pub(crate) fn message_budget(&self) -> Budget {
        Budget::new(self.limits.message_bytes)
    }

    /// A budget for DNS answers that found no room there.
    pub(crate) fn answer_budget(&self) -> Budget {
        Budget::new(self.limits.message_bytes / ANSWER_SHARE)
    }

    /// Looks at one packet of a flow, in place, and calls `found` for each message that it completes.
    ///
    /// Empty payloads, and those of flows from which nothing more is wanted, cost a comparison or two.
    #[inline]
    pub fn inspect(
        &self,
        packet: &Ip<'_>,
        sender: Sender,
        state: &mut Inspection,
        budget: &mut Budget,
        found: &mut dyn FnMut(Message),
    ) {
        self.observe(FlowPacket { packet, sender, time: None }, state, budget, found);
    }

    /// Looks at one packet of a flow as [`Self::inspect`] does, with the time at which it came.
    #[inline]
    pub fn observe(
        &self,
        seen: FlowPacket<'_>,
        state: &mut Inspection,
        budget: &mut Budget,
        found: &mut dyn FnMut(Message),
    ) {
        let bare;
        let mut seen = seen;
        if seen.packet.is_padding() {
            self.note_padding(seen, state, budget, found);
            bare = Ip { payload: &[], payload_bytes: 0, ..*seen.packet };
            seen.packet = &bare;
        }
        let FlowPacket { packet, sender, .. } = seen;
        let is_wanted = !packet.payload.is_empty() && *state.phase.of(sender) != Phase::DONE;
        let (set, limits, interest) = (&*self.set, &self.limits, self.interest);
        match packet.transport {
            Transport::Tcp(segment) if is_wanted || segment.flags.syn() => {
                let headers = Headers::of(packet);
                Stream { set, limits, interest, headers, sender, state, budget, found }
                    .segment(packet, segment);
            }
            Transport::Udp if is_wanted => {
                let headers = Headers::of(packet);
                Datagram { set, limits, interest, packet, headers, sender, state, budget, found }.look();
            }
            _ => {}
        }
        if self.has_conditions && !state.has_settled_conditions && state.is_undecided() && has_payload(packet)
        {
            self.count_packet(seen, state, budget, found);
        }
    }

    /// Notes a segment of zeros that may be padding.
    #[cold]
    fn note_padding(
        &self,
        FlowPacket { packet, sender, .. }: FlowPacket<'_>,
        state: &mut Inspection,
        budget: &mut Budget,
        found: &mut dyn FnMut(Message),
    ) {
        let (set, limits, interest) = (&*self.set, &self.limits, self.interest);
        if let Transport::Tcp(segment) = packet.transport
            && !segment.flags.syn()
        {
            let headers = Headers::of(packet);
            Stream { set, limits, interest, headers, sender, state, budget, found }
                .padding(segment.seq, packet.payload.len());
        }
    }

    /// Ends the inspection of a flow: evaluates what was kept of it as all that there is, and frees it.
    pub fn close(&self, state: &mut Inspection, budget: &mut Budget, found: &mut dyn FnMut(Sender, Message)) {
        let (set, limits, interest) = (&*self.set, &self.limits, self.interest);
        for sender in [Sender::Device, Sender::Peer] {
            if let Some(headers) = state.buffers.as_ref().and_then(|buffers| buffers.sides.of(sender).headers)
            {
                let found = &mut |message| found(sender, message);
                Stream { set, limits, interest, headers, sender, state, budget, found }.end();
            }
        }
        if let Some(index) = self.absent(state) {
            // Only attributes had to wait for this, and they know who sent them.
            let found = &mut |message| found(Sender::Device, message);
            let decision = Decision { model: index, parser: None, may_hand_over: false };
            state.decide(decision, self.interest, budget, found);
        }
        state.close(budget);
    }

    /// The first model that is certain since what it does not want to see did not come.
    fn absent(&self, state: &Inspection) -> Option<ModelIndex> {
        if !state.is_undecided() {
            return None;
        }
        let noted = state.buffers.as_ref()?.progress.as_ref()?.noted();
        noted.iter().find_map(|(index, known)| {
            let model = self.set.compiled(*index).filter(|model| model.parser().is_none())?;
            (model.conclude(&mut known.clone()) == Detection::Certain).then_some(*index)
        })
    }

    /// Counts a packet for the conditions on the packets of its flow, and settles what they leave open.
    #[cold]
    fn count_packet(
        &self,
        seen: FlowPacket<'_>,
        state: &mut Inspection,
        budget: &mut Budget,
        found: &mut dyn FnMut(Message),
    ) {
        let progress = state.buffers.get_or_insert_default().progress.get_or_insert_default();
        let mut tallies = progress.tallies.take().unwrap_or_default();
        if !tallies.is_settled(self.set.conditions()) {
            tallies.note(self.set.conditions(), seen.sender, seen.packet.payload_bytes, seen.time);
            if let Some(index) = self.settle(&tallies, state) {
                let decision = self.set.compiled(index).map(|model| model.decision(index));
                return decision
                    .into_iter()
                    .for_each(|decision| state.decide(decision, self.interest, budget, found));
            }
        }
        let is_settled = tallies.is_settled(self.set.conditions());
        if let Some(progress) = state.buffers.as_mut().and_then(|buffers| buffers.progress.as_mut()) {
            progress.tallies = Some(tallies);
        }
        if is_settled && state.is_read() {
            state.drop_conditions(budget);
        } else {
            state.account(budget);
        }
    }

    /// The first model that conditions make certain.
    fn settle(&self, tallies: &Tallies, state: &mut Inspection) -> Option<ModelIndex> {
        for (index, model) in self.set.with_conditions() {
            let before = state.model_state(index);
            let mut known = before;
            if model.settle(tallies, &mut known) == Detection::Certain {
                return Some(index);
            }
            if known != before
                && let Some(progress) = state.buffers.as_mut().and_then(|buffers| buffers.progress.as_mut())
            {
                progress.note(index, known);
            }
        }
        None
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

/// Whether conditions on packets count a packet: one of a transport that models know, with a payload.
fn has_payload(packet: &Ip<'_>) -> bool {
    packet.payload_bytes > 0 && matches!(packet.transport, Transport::Tcp(_) | Transport::Udp)
}
