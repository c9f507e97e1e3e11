use thingprint_flow::Ip;

use crate::attribute::Described;
use crate::parser::{ParserId, Session, SessionStep};
use crate::set::{CompiledModel, Detection, Glance, Headers, Known};
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
        match (self.state.parser(), self.state.current()) {
            (Some(parser), _) => self.parse(parser),
            (None, Some(index)) => self.describe(index),
            (None, None) => self.detect(),
        }
    }

    /// Reads one more payload of a flow whose model has a parser.
    fn parse(&mut self, parser: ParserId) {
        if let Some(session) = self.state.held.as_mut().and_then(|held| held.session.take()) {
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
        let seen = self.state.strays.saturating_add(1);
        if seen > self.limits.undecided_payloads {
            return self.state.leave_alone(self.budget);
        }
        let is_last = seen == self.limits.undecided_payloads;
        let glance = glance_at(self.packet, self.sender);
        for (index, model) in set.candidates(self.headers, self.packet.payload) {
            let before = self.state.known(index);
            let mut known = before;
            let detection = match model.judge(&glance, is_last, &mut known) {
                Detection::Possible if is_last => model.conclude(&mut known),
                detection => detection,
            };
            if detection == Detection::Certain && self.confirm(index, model, &known) {
                return;
            }
            if detection == Detection::Possible && known != before && model.is_noted(&known) {
                let described = model.describe(index, &known, &glance);
                self.state.note(index, known, described, self.budget);
            }
        }
        self.state.strays = seen;
        if is_last {
            self.state.leave_alone(self.budget);
        }
    }

    /// Decides for a model if its parser, where it has one, agrees.
    fn confirm(&mut self, index: ModelIndex, model: &CompiledModel, known: &Known) -> bool {
        let message = match model.parser() {
            Some(parser) => {
                if let Some(session) = parser.session(self.packet.payload) {
                    self.begin_session((index, parser), session);
                    return true;
                }
                let message = parser.datagram(self.packet);
                let Some(message) = message.filter(|message| message.protocol() == parser.protocol()) else {
                    return false;
                };
                Some(message)
            }
            None => {
                model.describe(index, known, &glance_at(self.packet, self.sender)).map(Message::Described)
            }
        };
        self.decide(index, model.parser());
        if let Some(message) = message {
            (self.found)(message);
        }
        if model.parser().is_none() && !model.has_attributes() {
            self.state.leave_alone(self.budget);
        }
        true
    }

    fn decide(&mut self, index: ModelIndex, parser: Option<ParserId>) {
        self.state.decide((index, parser), self.interest, self.budget, self.found);
    }

    /// Reads the attributes of one more payload of a flow whose model has no parser.
    fn describe(&mut self, index: ModelIndex) {
        let Some(model) = self.set.compiled(index) else { return };
        let glance = glance_at(self.packet, self.sender);
        let mut known = Known::default();
        model.judge(&glance, false, &mut known);
        if let Some(described) = model.describe(index, &known, &glance) {
            self.state.strays = 0;
            return (self.found)(Message::Described(described));
        }
        self.count_stray();
    }

    fn begin_session(&mut self, (index, parser): (ModelIndex, ParserId), session: Box<dyn Session>) {
        self.decide(index, Some(parser));
        if parser.is_wanted(self.interest, self.sender) {
            self.continue_session(session);
        }
    }

    fn continue_session(&mut self, mut session: Box<dyn Session>) {
        match session.read(self.packet.payload) {
            SessionStep::Message(message) => (self.found)(message),
            SessionStep::Nothing => {}
            SessionStep::Stray => self.count_stray(),
        }
        if session.is_done() || self.state.strays >= self.limits.undecided_payloads {
            return self.state.close(self.budget);
        }
        self.state.held.get_or_insert_default().session = Some(session);
        self.state.account(self.budget);
    }

    fn count_stray(&mut self) {
        self.state.strays = self.state.strays.saturating_add(1);
        if self.state.strays >= self.limits.undecided_payloads {
            self.state.leave_alone(self.budget);
        }
    }
}

/// A whole payload; conditions on packets are settled apart.
const fn glance_at<'a>(packet: &Ip<'a>, sender: Sender) -> Glance<'a> {
    Glance { sender, bytes: packet.payload, is_whole: true }
}

impl CompiledModel {
    /// The attributes of a payload, if it has any.
    pub(crate) fn describe(
        &self,
        index: ModelIndex,
        known: &Known,
        glance: &Glance<'_>,
    ) -> Option<Described> {
        let attributes = self.attributes(known, glance);
        let described = Described { model: index, sender: glance.sender, attributes };
        (!described.attributes.is_empty()).then_some(described)
    }
}
