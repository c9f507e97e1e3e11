use thingprint_watch::{Event, EventKind, Severity};

/// Which events are sent. What is left out stays on the page and in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The least severity that is sent.
    pub severity: Severity,
    /// Kinds that are sent; empty for all.
    pub kinds: Vec<EventKind>,
}

impl Default for Selection {
    fn default() -> Self {
        Self { severity: Severity::Note, kinds: Vec::new() }
    }
}

impl Selection {
    /// Whether an event is sent. Events of a muted device are not, whatever they are.
    pub fn wants(&self, event: &Event, is_muted: bool) -> bool {
        let is_kind = self.kinds.is_empty() || self.kinds.contains(&event.kind);
        !is_muted && event.severity >= self.severity && is_kind
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::Timestamp;

    use super::*;

    #[test]
    fn severity_kind_and_muting_decide() {
        let event = |severity, kind| Event {
            id: 1,
            at: Timestamp::default(),
            kind,
            severity,
            device: None,
            subject: String::new(),
            text: String::new(),
            evidence: serde_json::Map::new(),
            times: 1,
            acknowledged_at: None,
        };
        let note = event(Severity::Note, EventKind::NewDevice);
        let error = event(Severity::Error, EventKind::Finding);
        let all = Selection::default();
        assert!(all.wants(&note, false) && all.wants(&error, false));
        assert!(!all.wants(&error, true), "a muted device");
        let severe = Selection { severity: Severity::Warning, ..Selection::default() };
        assert!(!severe.wants(&note, false) && severe.wants(&error, false));
        let new = Selection { kinds: vec![EventKind::NewDevice], ..Selection::default() };
        assert!(new.wants(&note, false) && !new.wants(&error, false));
    }
}
