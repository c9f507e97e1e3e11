use thingprint_flow::Ip;

use crate::attribute::Described;
use crate::inspection::Decision;
use crate::parser::{ParserId, Session, SessionStep};
use crate::set::{CompiledModel, Detection, Headers, ModelState, Payload};
use crate::{Budget, Inspection, Interest, Limits, Message, ModelIndex, ModelSet, Sender};

/// A UDP payload, while it is looked at.
pub(crate) struct Datagram<'a> {
    pub(crate) set: &'a ModelSet,
    pub(crate) limits: &'a Limits,
    pub(crate) interest: Interest,
    pub(crate) packet: &'a Ip<'a>,
    pub(crate) headers: Headers,
    pub(crate) sender: Sender,
    pub(crate) state: &'a mut Inspection,
    pub(crate) budget: &'a mut Budget,
    pub(crate) found: &'a mut dyn FnMut(Message),
}

impl Datagram<'_> {
    /// Looks at the payload, which is not empty.
    pub(crate) fn look(&mut self) {
        match (self.state.parser(self.sender), self.state.current(self.sender)) {
            (Some(parser), _) => self.parse(parser),
            (None, Some(index)) => self.describe(index),
            (None, None) => self.detect(),
        }
    }

    /// Reads one more payload of a flow whose model has a parser.
    fn parse(&mut self, parser: ParserId) {
        if let Some(session) = self.state.buffers.as_mut().and_then(|buffers| buffers.session.take()) {
            return self.continue_session(session);
        }
        if let Some(message) = parser.datagram(self.packet)
            && parser.reads(message.protocol())
        {
            (self.found)(message);
        }
    }

    fn detect(&mut self) {
        let set = self.set;
        let seen = self.state.undecided_payloads.saturating_add(1);
        if seen > self.limits.undecided_payloads {
            return self.state.leave_alone(self.budget);
        }
        let is_last = seen == self.limits.undecided_payloads;
        let payload = payload_of(self.packet, self.sender);
        for (index, model) in set.candidates(self.headers, self.packet.payload) {
            let before = self.state.model_state(index);
            let mut known = before;
            let detection = match model.evaluate(&payload, is_last, &mut known) {
                Detection::Possible if is_last => model.conclude(&mut known),
                detection => detection,
            };
            if detection == Detection::Certain && self.confirm(index, model, &known) {
                return;
            }
            if detection == Detection::Possible && known != before && model.is_noted(&known) {
                let described = model.describe(index, &known, &payload);
                self.state.note(index, known, described, self.budget);
            }
        }
        self.state.undecided_payloads = seen;
        if is_last {
            self.state.leave_alone(self.budget);
        }
    }

    /// Decides for a model if its parser, where it has one, agrees.
    fn confirm(&mut self, index: ModelIndex, model: &CompiledModel, known: &ModelState) -> bool {
        let message = match model.parser() {
            Some(parser) => {
                if let Some(session) = parser.session(self.packet.payload) {
                    self.begin_session(model.decision(index), parser, session);
                    return true;
                }
                if let Some(session) = self.follow(parser) {
                    self.begin_session(model.decision(index), parser, session);
                    return true;
                }
                let message = parser.datagram(self.packet);
                let Some(message) = message.filter(|message| message.protocol() == parser.protocol()) else {
                    return false;
                };
                Some(message)
            }
            None => {
                model.describe(index, known, &payload_of(self.packet, self.sender)).map(Message::Described)
            }
        };
        self.decide(model.decision(index));
        if let Some(message) = message {
            (self.found)(message);
        }
        if model.parser().is_none() && !model.has_attributes() {
            self.state.leave_alone(self.budget);
        }
        true
    }

    /// A session of which the beginning was not captured.
    fn follow(&mut self, parser: ParserId) -> Option<Box<dyn Session>> {
        let memo = self.state.layer(self.sender).memo;
        let (memo, session) = parser.follow(memo, self.sender, self.packet.payload);
        self.state.set_memo(memo);
        session
    }

    fn decide(&mut self, decision: Decision) {
        self.state.decide(decision, self.interest, self.budget, self.found);
    }

    /// Reads the attributes of one more payload of a flow whose model has no parser.
    fn describe(&mut self, index: ModelIndex) {
        let Some(model) = self.set.compiled(index) else { return };
        let payload = payload_of(self.packet, self.sender);
        let mut known = ModelState::default();
        model.evaluate(&payload, false, &mut known);
        if let Some(described) = model.describe(index, &known, &payload) {
            self.state.undecided_payloads = 0;
            return (self.found)(Message::Described(described));
        }
        self.count_undecided();
    }

    fn begin_session(&mut self, decision: Decision, parser: ParserId, session: Box<dyn Session>) {
        self.decide(decision);
        if parser.is_wanted(self.interest, self.sender) {
            self.continue_session(session);
        }
    }

    fn continue_session(&mut self, mut session: Box<dyn Session>) {
        match session.read(self.packet.payload) {
            SessionStep::Message(message) => (self.found)(message),
            SessionStep::Nothing => {}
            SessionStep::Unrelated => self.count_undecided(),
        }
        if session.is_done() || self.state.undecided_payloads >= self.limits.undecided_payloads {
            return self.state.close(self.budget);
        }
        self.state.buffers.get_or_insert_default().session = Some(session);
        self.state.account(self.budget);
    }

    fn count_undecided(&mut self) {
        self.state.undecided_payloads = self.state.undecided_payloads.saturating_add(1);
        if self.state.undecided_payloads >= self.limits.undecided_payloads {
            self.state.leave_alone(self.budget);
        }
    }
}

/// A whole payload; conditions on packets are settled apart.
const fn payload_of<'a>(packet: &Ip<'a>, sender: Sender) -> Payload<'a> {
    Payload { sender, bytes: packet.payload, is_whole: true }
}

impl CompiledModel {
    /// The attributes of a payload, if it has any.
    pub(crate) fn describe(
        &self,
        index: ModelIndex,
        known: &ModelState,
        payload: &Payload<'_>,
    ) -> Option<Described> {
        let attributes = self.attributes(known, payload);
        let described = Described { model: index, sender: payload.sender, attributes };
        (!described.attributes.is_empty()).then_some(described)
    }
}
