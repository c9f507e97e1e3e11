use std::collections::BTreeSet;

use serde_json::{Map, json};
use thingprint_audit::report::DoubtfulGateway;
use thingprint_flow::Timestamp;
use thingprint_pipeline::Live;

use crate::book::Happened;
use crate::options::WatchStage;
use crate::records::{EventKind, Severity};

/// How often it is looked whether the reading is of one network behind the gateways that are known, in nanoseconds of packets.
const LOOK_NS: i64 = 600_000_000_000;

/// Makes events of what makes a reading doubtful as a whole: wrong gateways, and several networks in one. Each is told once.
#[derive(Debug, Default)]
pub(crate) struct ReadingNews {
    told: BTreeSet<(EventKind, String)>,
    next: Option<Timestamp>,
}

impl ReadingNews {
    /// Events of what shows for the first time, if it is time to look.
    pub(crate) fn of(&mut self, live: &Live<'_, WatchStage>, clock: Timestamp) -> Vec<Happened> {
        let next = *self.next.get_or_insert(clock.plus_nanos(LOOK_NS));
        if clock < next {
            return Vec::new();
        }
        self.next = Some(clock.plus_nanos(LOOK_NS));
        self.at_once(live, clock)
    }

    /// The same without regard to the time.
    pub(crate) fn at_once(&mut self, live: &Live<'_, WatchStage>, clock: Timestamp) -> Vec<Happened> {
        let mut events = Vec::new();
        let given = live.given_gateways();
        let named: Vec<String> = given.named.iter().map(ToString::to_string).collect();
        for note in given.notes() {
            let severity = if note.is_severe { Severity::Warning } else { Severity::Note };
            let evidence = json!({ "named": named, "forwarding": given.others().map(|mac| mac.to_string()).collect::<Vec<_>>() });
            // An event with the subject of another one would count as that one once more.
            let subject = format!("{}: {}", named.join(", "), note.fault);
            events.push((EventKind::GatewayDoubtful, severity, subject, note.to_string(), evidence));
        }
        for gateway in live.doubtful_gateways().map(DoubtfulGateway::new) {
            let (subject, text) = (gateway.gateway().to_owned(), gateway.to_string());
            events.push((EventKind::GatewayDoubtful, Severity::Warning, subject, text, json!(gateway)));
        }
        if let Some(text) = live.networks_in_words() {
            events.push((
                EventKind::SeveralNetworks,
                Severity::Warning,
                "networks".to_owned(),
                text,
                json!({}),
            ));
        }
        events.retain(|(kind, _, subject, ..)| self.told.insert((*kind, subject.clone())));
        let happened = events.into_iter().map(|(kind, severity, subject, text, evidence)| Happened {
            at: clock,
            kind,
            severity,
            device: None,
            subject,
            text,
            evidence: evidence.as_object().cloned().unwrap_or_else(Map::new),
        });
        happened.collect()
    }
}
