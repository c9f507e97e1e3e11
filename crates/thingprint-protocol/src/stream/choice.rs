use super::Stream;
use crate::parser::{ParserId, Proof};
use crate::phase::{Phase, Step};
use crate::set::{CompiledModel, Detection, ModelState, Payload};
use crate::{Message, ModelIndex};

/// A model that the beginning of a stream makes certain.
struct Candidate<'m> {
    index: ModelIndex,
    model: &'m CompiledModel,
    /// What its parser read, if it has one that reads already.
    step: Option<Step>,
}

impl Stream<'_> {
    /// Looks at the beginning of a stream whose protocol this direction does not know yet; `is_all` where no more of it
    /// will come.
    pub(super) fn detect(&mut self, bytes: &[u8], is_all: bool) -> Step {
        match (self.state.parser(self.sender), self.state.current(self.sender)) {
            (Some(parser), _) => self.first_step(parser, bytes, None),
            (None, Some(index)) => match self.opening() {
                Some(opening) => opening.read(Phase::BEGUN, bytes),
                None => self.describe(index, &self.payload(bytes, is_all)),
            },
            (None, None) => self.choose(bytes, &self.payload(bytes, is_all)),
        }
    }

    /// The first step of a parser, unless it was read already; none if nothing of this side is wanted, nor can begin
    /// inside the protocol.
    fn first_step(&self, parser: ParserId, bytes: &[u8], read: Option<Step>) -> Step {
        if !parser.is_wanted(self.interest, self.sender) {
            match parser.may_hand_over(self.view(bytes)) {
                None => return Step::More,
                Some(false) => return Step::Done,
                Some(true) => {}
            }
        }
        read.unwrap_or_else(|| parser.begin(self.view(bytes)))
    }

    /// Evaluates what there is of a stream, since no more of it will come; a head of HTTP is reported as far as it goes.
    pub(super) fn conclude(&mut self, bytes: &[u8]) {
        if bytes.is_empty() || self.is_done() {
            return;
        }
        if self.phase().is_begun()
            && self.state.parser(self.sender).is_none()
            && let Step::Read { message: Some(message), .. } = self.detect(bytes, true)
            && !self.is_done()
        {
            return self.report(message);
        }
        let phase = self.phase();
        if let Some(message) = self.state.parser(self.sender).and_then(|parser| parser.cut(phase, bytes)) {
            self.report(message);
        }
    }

    /// Looks for the model whose proof is complete with the fewest bytes, so that it does not matter how a stream is cut;
    /// of those that need equally many, the first wins. As long as there is none, models that are open are waited for.
    fn choose(&mut self, bytes: &[u8], payload: &Payload<'_>) -> Step {
        let set = self.set;
        let (mut best, mut is_open) = (None, false);
        // Patterns alone are too weak where a message may begin anywhere.
        let needs_parser = self.phase() == Phase::AGAIN;
        let candidates = set.candidates(self.headers, bytes);
        for (index, model) in candidates.filter(|(_, model)| !needs_parser || model.parser().is_some()) {
            let before = self.state.model_state(index);
            let mut known = before;
            match model.evaluate(payload, true, &mut known) {
                Detection::Certain => {
                    let step = match model.parser().map(|parser| parser.proof(self.view(bytes))) {
                        Some(Proof::Refuted) => continue,
                        Some(Proof::Open) => {
                            is_open = true;
                            continue;
                        }
                        Some(Proof::Read(step)) => Some(step),
                        Some(Proof::Certain) | None => None,
                    };
                    best = Some(self.shorter(best, Candidate { index, model, step }, bytes));
                }
                Detection::Possible => {
                    is_open |= !payload.is_whole && model.is_open(&known, self.sender);
                    self.note((index, model), (before, known), payload);
                }
                Detection::No => {}
            }
        }
        match best {
            Some(candidate) => self.accept(candidate, bytes, payload),
            None if is_open && !self.is_done() => Step::More,
            None => Step::Done,
        }
    }

    fn accept(&mut self, candidate: Candidate<'_>, bytes: &[u8], payload: &Payload<'_>) -> Step {
        let Candidate { index, model, step } = candidate;
        self.state.decide(model.decision(index), self.interest, self.budget, self.found);
        match (model.parser(), model.opening()) {
            _ if self.is_done() => Step::Done,
            (Some(parser), _) => self.first_step(parser, bytes, step),
            (None, Some(opening)) => opening.read(Phase::BEGUN, bytes),
            (None, None) => self.describe(index, payload),
        }
    }

    /// The one of two candidates that was certain first.
    fn shorter<'m>(&self, best: Option<Candidate<'m>>, other: Candidate<'m>, bytes: &[u8]) -> Candidate<'m> {
        let Some(best) = best else { return other };
        if self.needed(&other, bytes) < self.needed(&best, bytes) { other } else { best }
    }

    /// How many bytes a candidate needs of those that were enough: it stays certain with more of them.
    fn needed(&self, candidate: &Candidate<'_>, bytes: &[u8]) -> usize {
        let (mut too_few, mut enough) = (0, bytes.len());
        while enough - too_few > 1 {
            let middle = too_few.midpoint(enough);
            let is_enough = bytes.get(..middle).is_some_and(|bytes| self.is_certain(candidate, bytes));
            *(if is_enough { &mut enough } else { &mut too_few }) = middle;
        }
        enough
    }

    fn is_certain(&self, candidate: &Candidate<'_>, bytes: &[u8]) -> bool {
        let mut known = self.state.model_state(candidate.index);
        let detection = candidate.model.evaluate(&self.payload(bytes, false), true, &mut known);
        let agrees =
            |parser: ParserId| matches!(parser.proof(self.view(bytes)), Proof::Read(_) | Proof::Certain);
        detection == Detection::Certain && candidate.model.parser().is_none_or(agrees)
    }

    /// Remembers what a beginning means for a model that is not decided; attributes once all of it is there.
    fn note(
        &mut self,
        (index, model): (ModelIndex, &CompiledModel),
        (before, known): (ModelState, ModelState),
        payload: &Payload<'_>,
    ) {
        if !model.is_noted(&known) {
            return;
        }
        let is_due = payload.is_whole && !self.state.has_described(index, self.sender);
        let described = if is_due { model.describe(index, &known, payload) } else { None };
        if known != before || described.is_some() {
            self.state.note(index, known, described, self.budget);
        }
    }

    /// Reads the attributes of a stream whose model has no parser, once as much of it is there as is looked at.
    fn describe(&mut self, index: ModelIndex, payload: &Payload<'_>) -> Step {
        let Some(model) = self.set.compiled(index).filter(|model| model.has_attributes()) else {
            return Step::Done;
        };
        if !payload.is_whole {
            return Step::More;
        }
        let mut known = ModelState::default();
        model.evaluate(payload, true, &mut known);
        if let Some(described) = model.describe(index, &known, payload) {
            (self.found)(Message::Described(described));
        }
        Step::Done
    }

    /// The part of a beginning in which patterns are looked for.
    fn payload<'b>(&self, bytes: &'b [u8], is_all: bool) -> Payload<'b> {
        let most = usize::from(self.limits.pattern_bytes).min(self.room());
        Payload {
            sender: self.sender,
            bytes: bytes.get(..most).unwrap_or(bytes),
            is_whole: is_all || bytes.len() >= most,
        }
    }
}
