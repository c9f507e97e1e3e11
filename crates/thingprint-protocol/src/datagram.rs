use thingprint_flow::Ip;

use crate::attribute::Described;
use crate::builtin::Builtin;
use crate::protocols::quic::{self, Handshake, Reading};
use crate::set::{CompiledModel, Detection, Glance, Headers, Known};
use crate::{Budget, Inspection, Interest, Limits, Message, ModelIndex, ModelSet, Protocol, Sender};

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
        match (self.state.builtin(), self.state.current()) {
            (Some(Builtin::Quic), _) => self.continue_quic(),
            (Some(builtin), _) => {
                if let Some(message) = builtin.datagram(self.packet)
                    && builtin.is_akin(message.protocol())
                {
                    (self.found)(message);
                }
            }
            (None, Some(index)) => self.describe(index),
            (None, None) => self.detect(),
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
        let message = match model.builtin() {
            Some(Builtin::Quic) => return self.begin_quic(index),
            Some(builtin) => {
                let message = builtin.datagram(self.packet);
                let Some(message) = message.filter(|message| message.protocol() == builtin.protocol()) else {
                    return false;
                };
                Some(message)
            }
            None => {
                model.describe(index, known, &glance_at(self.packet, self.sender)).map(Message::Described)
            }
        };
        self.decide(index, model.builtin());
        if let Some(message) = message {
            (self.found)(message);
        }
        if model.builtin().is_none() && !model.has_attributes() {
            self.state.leave_alone(self.budget);
        }
        true
    }

    fn decide(&mut self, index: ModelIndex, builtin: Option<Builtin>) {
        self.state.decide((index, builtin), self.interest, self.budget, self.found);
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

    /// The long header of a version that somebody uses tells the protocol, also when the packet cannot be opened.
    fn begin_quic(&mut self, index: ModelIndex) -> bool {
        if !quic::is_told_by(self.packet.payload) {
            return false;
        }
        self.decide(index, Some(Builtin::Quic));
        if self.interest.wants_any(Protocol::Quic) {
            let mut handshake = Handshake::default();
            if let Reading::Message(message) = handshake.read(self.packet.payload) {
                (self.found)(Message::QuicInitial(message));
            }
            self.keep(handshake);
        }
        true
    }

    fn continue_quic(&mut self) {
        let held = self.state.held.get_or_insert_default();
        let mut handshake = held.handshake.take().unwrap_or_default();
        match handshake.read(self.packet.payload) {
            Reading::Message(message) => (self.found)(Message::QuicInitial(message)),
            Reading::Quic => {}
            Reading::Other => self.count_stray(),
        }
        self.keep(handshake);
    }

    fn keep(&mut self, handshake: Handshake) {
        let is_over = handshake.is_done() || self.state.strays >= self.limits.undecided_payloads;
        if is_over {
            return self.state.close(self.budget);
        }
        self.state.held.get_or_insert_default().handshake = Some(handshake);
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
