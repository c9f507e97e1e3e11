use crate::attribute::Described;
use crate::inspection::Sides;
use crate::matcher::Tallies;
use crate::outer::Outer;
use crate::parser::Session;
use crate::set::ModelState;
use crate::stream_buffer::StreamBuffer;
use crate::{Budget, Message, ModelIndex, Sender};

/// What needs room beside an [`Inspection`](crate::Inspection), for as long as it is needed.
#[derive(Debug, Default)]
pub(crate) struct FlowBuffers {
    /// Bytes of a TCP stream that are kept because others are missing.
    pub(crate) sides: Sides<StreamBuffer>,
    /// What is known of a flow that no model fits yet.
    pub(crate) progress: Option<Progress>,
    /// The session of a protocol whose datagrams cannot be read one by one.
    pub(crate) session: Option<Box<dyn Session>>,
    /// The protocols around the one that is read.
    pub(crate) outer: Outer,
    /// Bytes that the budget was asked for, those of the sides apart.
    reserved_bytes: usize,
}

/// What payloads revealed about a flow whose protocol is not detected yet.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// What is known for each model, in order; models of which nothing is known are left out.
    known: Vec<(ModelIndex, ModelState)>,
    /// Attributes of payloads that a model may turn out to be right about.
    pub(crate) described: Vec<Described>,
    /// The packets of the flow, for conditions on them.
    pub(crate) tallies: Option<Tallies>,
}

impl FlowBuffers {
    /// Whether nothing is held.
    pub(crate) const fn is_empty(&self) -> bool {
        self.sides.of(Sender::Device).is_empty()
            && self.sides.of(Sender::Peer).is_empty()
            && self.progress.is_none()
            && self.session.is_none()
            && self.outer.is_empty()
            && self.reserved_bytes == 0
    }

    /// Bytes that the budget was asked for.
    pub(crate) const fn held_bytes(&self) -> usize {
        self.sides.of(Sender::Device).reserved_bytes()
            + self.sides.of(Sender::Peer).reserved_bytes()
            + self.reserved_bytes
    }

    /// Accounts for what is held now, the sides apart; says whether there is room for it.
    pub(crate) fn account(&mut self, budget: &mut Budget) -> bool {
        let needed = self.progress.as_ref().map_or(0, Progress::held_bytes)
            + self.session.as_ref().map_or(0, |session| session.held_bytes());
        budget.release(self.reserved_bytes);
        let fits = budget.reserve(needed);
        self.reserved_bytes = if fits { needed } else { 0 };
        fits
    }

    /// Lets go of everything but the sides.
    pub(crate) fn clear_detection(&mut self, budget: &mut Budget) {
        self.progress = None;
        self.session = None;
        budget.release(self.reserved_bytes);
        self.reserved_bytes = 0;
    }
}

impl Progress {
    /// What is known for a model.
    pub(crate) fn model_state(&self, index: ModelIndex) -> ModelState {
        self.place(index)
            .ok()
            .and_then(|place| self.known.get(place))
            .map_or(ModelState::default(), |(_, known)| *known)
    }

    /// Notes what is known for a model.
    pub(crate) fn note(&mut self, index: ModelIndex, known: ModelState) {
        match self.place(index) {
            Ok(place) => {
                if let Some(entry) = self.known.get_mut(place) {
                    entry.1 = known;
                }
            }
            Err(place) => self.known.insert(place, (index, known)),
        }
    }

    /// The models of which something is known, in order.
    pub(crate) fn noted(&self) -> &[(ModelIndex, ModelState)] {
        &self.known
    }

    /// Hands over the attributes that were read for a model.
    pub(crate) fn take_described(&mut self, index: ModelIndex) -> impl Iterator<Item = Message> {
        let described = std::mem::take(&mut self.described);
        described.into_iter().filter(move |described| described.model == index).map(Message::Described)
    }

    fn place(&self, index: ModelIndex) -> Result<usize, usize> {
        self.known.binary_search_by_key(&index, |(index, _)| *index)
    }

    fn held_bytes(&self) -> usize {
        size_of::<Self>()
            + self.known.capacity() * size_of::<(ModelIndex, ModelState)>()
            + self.described.iter().map(Described::held_bytes).sum::<usize>()
            + self.tallies.as_ref().map_or(0, Tallies::held_bytes)
    }
}
