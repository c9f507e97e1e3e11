use super::Stream;
use crate::builtin::Builtin;
use crate::phase::{Phase, Step};
use crate::protocols::http;
use crate::set::{CompiledModel, Detection, Glance, Known};
use crate::{Message, ModelIndex};

/// A model that the beginning of a stream makes certain.
struct Proof<'m> {
    index: ModelIndex,
    model: &'m CompiledModel,
    /// What its parser read, if it has one.
    step: Option<Step>,
}

impl Stream<'_> {
    /// Looks at the beginning of a stream whose protocol this direction does not know yet; `is_all` where no more of it
    /// will come.
    pub(super) fn detect(&mut self, bytes: &[u8], is_all: bool) -> Step {
        match (self.state.builtin(), self.state.current()) {
            (Some(builtin), _) => builtin.begin(bytes, self.longest()),
            (None, Some(index)) => self.describe(index, &self.glance(bytes, is_all)),
            (None, None) => self.choose(bytes, &self.glance(bytes, is_all)),
        }
    }

    /// Judges what there is of a stream, since no more of it will come; a head of HTTP is told as far as it goes.
    pub(super) fn conclude(&mut self, bytes: &[u8]) {
        if bytes.is_empty() || self.is_done() {
            return;
        }
        if self.phase() == Phase::Begun
            && self.state.builtin().is_none()
            && let Step::Read { message: Some(message), .. } = self.detect(bytes, true)
            && !self.is_done()
        {
            return self.tell(message);
        }
        let may_be_head = matches!(self.phase(), Phase::Begun | Phase::Http);
        if may_be_head
            && self.state.builtin() == Some(Builtin::Http)
            && let Some(message) = http::parse_cut(bytes)
        {
            self.tell(message);
        }
    }

    /// Looks for the model whose proof is complete with the fewest bytes, so that it does not matter how a stream is cut;
    /// of those that need equally many, the first wins. As long as there is none, models that are open are waited for.
    fn choose(&mut self, bytes: &[u8], glance: &Glance<'_>) -> Step {
        let set = self.set;
        let (mut best, mut is_open) = (None, false);
        for (index, model) in set.candidates(self.headers, bytes) {
            let before = self.state.known(index);
            let mut known = before;
            match model.judge(glance, true, &mut known) {
                Detection::Certain => {
                    let step = model.builtin().map(|builtin| builtin.proof(bytes, self.longest()));
                    match step {
                        Some(Step::Done) => {}
                        Some(Step::More) => is_open = true,
                        step => best = Some(self.shorter(best, Proof { index, model, step }, bytes)),
                    }
                }
                Detection::Possible => {
                    is_open |= !glance.is_whole && model.is_open(&known, self.sender);
                    self.note((index, model), (before, known), glance);
                }
                Detection::No => {}
            }
        }
        match best {
            Some(proof) => self.accept(proof, bytes, glance),
            None if is_open && !self.is_done() => Step::More,
            None => Step::Done,
        }
    }

    fn accept(&mut self, proof: Proof<'_>, bytes: &[u8], glance: &Glance<'_>) -> Step {
        let builtin = proof.model.builtin();
        self.state.decide((proof.index, builtin), self.interest, self.budget, self.found);
        match (builtin, proof.step) {
            _ if self.is_done() => Step::Done,
            (None, _) => self.describe(proof.index, glance),
            // Its first line was proof enough; the head may go on.
            (Some(Builtin::Http), _) => Builtin::Http.begin(bytes, self.longest()),
            (Some(_), step) => step.unwrap_or(Step::Done),
        }
    }

    /// The one of two proofs that was complete first.
    fn shorter<'m>(&self, best: Option<Proof<'m>>, other: Proof<'m>, bytes: &[u8]) -> Proof<'m> {
        let Some(best) = best else { return other };
        if self.needed(&other, bytes) < self.needed(&best, bytes) { other } else { best }
    }

    /// How many bytes a proof needs of those that were enough: what is certain stays so with more of them.
    fn needed(&self, proof: &Proof<'_>, bytes: &[u8]) -> usize {
        let (mut too_few, mut enough) = (0, bytes.len());
        while enough - too_few > 1 {
            let middle = too_few.midpoint(enough);
            let is_enough = bytes.get(..middle).is_some_and(|bytes| self.is_proof(proof, bytes));
            *(if is_enough { &mut enough } else { &mut too_few }) = middle;
        }
        enough
    }

    fn is_proof(&self, proof: &Proof<'_>, bytes: &[u8]) -> bool {
        let mut known = self.state.known(proof.index);
        let is_certain =
            proof.model.judge(&self.glance(bytes, false), true, &mut known) == Detection::Certain;
        let agrees = |builtin: Builtin| matches!(builtin.proof(bytes, self.longest()), Step::Read { .. });
        is_certain && proof.model.builtin().is_none_or(agrees)
    }

    /// Remembers what a beginning told for a model that is not decided; attributes once all of it is there.
    fn note(
        &mut self,
        (index, model): (ModelIndex, &CompiledModel),
        (before, known): (Known, Known),
        glance: &Glance<'_>,
    ) {
        if !model.is_noted(&known) {
            return;
        }
        let is_due = glance.is_whole && !self.state.has_described(index, self.sender);
        let described = if is_due { model.describe(index, &known, glance) } else { None };
        if known != before || described.is_some() {
            self.state.note(index, known, described, self.budget);
        }
    }

    /// Reads the attributes of a stream whose model has no parser, once as much of it is there as is looked at.
    fn describe(&mut self, index: ModelIndex, glance: &Glance<'_>) -> Step {
        let Some(model) = self.set.compiled(index).filter(|model| model.has_attributes()) else {
            return Step::Done;
        };
        if !glance.is_whole {
            return Step::More;
        }
        let mut known = Known::default();
        model.judge(glance, true, &mut known);
        if let Some(described) = model.describe(index, &known, glance) {
            (self.found)(Message::Described(described));
        }
        Step::Done
    }

    /// The part of a beginning in which patterns are looked for.
    fn glance<'b>(&self, bytes: &'b [u8], is_all: bool) -> Glance<'b> {
        let most = usize::from(self.limits.pattern_bytes).min(self.room());
        Glance {
            sender: self.sender,
            bytes: bytes.get(..most).unwrap_or(bytes),
            is_whole: is_all || bytes.len() >= most,
        }
    }

    fn longest(&self) -> usize {
        usize::from(self.limits.stream_bytes)
    }
}
