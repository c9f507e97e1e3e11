//! Who devices say they are, held against the verdicts on them.

use std::sync::Arc;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_identity::{ClassName, Disagreement, Identity, IdentitySummary, Knowledge, Statements};

use super::Desk;
use crate::news;
use crate::records::{EventKind, SaidIdentity, Sighting, Update};

impl Desk {
    /// What devices say is read by these tables from now on.
    pub(crate) fn identify_by(&mut self, knowledge: Arc<Knowledge>) {
        self.knowledge = Some(knowledge);
    }

    /// Adds to a device who it is: as it was known before, unless it said something since; whether it did.
    pub(super) fn identify(&mut self, sighting: &mut Sighting, heard: Option<(u64, &Statements)>) -> bool {
        let state = self.devices.entry(sighting.device).or_default();
        let before = state.sighting.as_ref();
        // What a gateway said before it was known as one may be of those for whom it forwards.
        let is_same = before.is_none_or(|before| before.gateway.is_some() == sighting.gateway.is_some());
        sighting.identity = before.and_then(|before| before.identity.clone());
        let (Some((number, statements)), Some(knowledge)) = (heard, &self.knowledge) else { return false };
        if is_same && state.heard == Some(number) {
            return false;
        }
        state.heard = Some(number);
        let SaidIdentity { summary, contradictions } = *sighting.identity.take().unwrap_or_default();
        let known = if is_same { summary } else { IdentitySummary::default() };
        let said = statements.clone();
        let said = if sighting.gateway.is_some() { said.own() } else { said };
        let mut statements = knowledge.address_statements(sighting.device);
        statements.merge(said);
        let summary = known.followed_by(&Identity::of(&statements, knowledge));
        let identity = SaidIdentity { summary, contradictions };
        sighting.identity = (identity != SaidIdentity::default()).then(|| Box::new(identity));
        true
    }

    /// Holds who a device says it is against the verdict that stands, and notes where that contradicts from now on, or does no
    /// more; whether anything changed.
    pub(super) fn compare(&mut self, device: DeviceId, at: Timestamp) -> bool {
        let (Some(knowledge), Some(state)) = (&self.knowledge, self.devices.get_mut(&device)) else {
            return false;
        };
        let Some(sighting) = &mut state.sighting else { return false };
        let Some(identity) = &mut sighting.identity else { return false };
        let standing = state.verdict.standing().filter(|_| sighting.gateway.is_none());
        let class = standing.and_then(|standing| standing.class.clone());
        let found = class.as_deref().map(|class| disagreements(class, &identity.summary, knowledge));
        let before = std::mem::replace(&mut identity.contradictions, found.unwrap_or_default());
        let identity = identity.clone();
        let (ended, begun) =
            (news::contradiction_subject(&before), news::contradiction_subject(&identity.contradictions));
        if ended != begun {
            self.book.end((EventKind::IdentityContradicted, Some(device), &ended), at);
        }
        if begun.is_empty() && !ended.is_empty() {
            let name = self.name(device);
            self.book.note(news::agreement((device, at), &name, &ended));
        }
        if let Some(class) = class.filter(|_| ended != begun && !begun.is_empty()) {
            let name = self.name(device);
            self.book.note(news::contradiction((device, at), (&name, &class), &identity));
        }
        before != identity.contradictions
    }

    /// The same after another verdict stands. A device that this reading did not see yet is given out when it is.
    pub(super) fn compare_verdict(&mut self, device: DeviceId, at: Timestamp) {
        if !self.compare(device, at) {
            return;
        }
        let state = self.devices.get(&device).filter(|state| state.published.is_some());
        let sighting = state.and_then(|state| state.sighting.clone());
        self.updates.extend(sighting.map(Update::Device));
    }
}

fn disagreements(class: &str, identity: &IdentitySummary, knowledge: &Knowledge) -> Vec<Disagreement> {
    ClassName::of(class, knowledge).disagreements(identity, knowledge)
}
