use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use thingprint_live::{SourceHealth as Source, SourceState as State};
use thingprint_watch::{EventKind, Severity, SourceHealth, SourceState, Watcher};

use super::clock;

/// How the sources went when they were looked at last: what changes since is an event, and cuts windows.
#[derive(Debug, Default)]
pub(super) struct SourceWatch {
    seen: BTreeMap<usize, Seen>,
    /// Packets of each source that the watcher has.
    taken: BTreeMap<usize, u64>,
}

/// How a source was when it was looked at last.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    is_failing: bool,
    interruptions: u64,
    dropped: u64,
}

impl SourceWatch {
    /// The watcher has so many more packets of a source.
    pub(super) fn note_taken(&mut self, source: usize, packets: usize) {
        *self.taken.entry(source).or_default() += packets as u64;
    }

    /// Reports sources that failed, recovered or lost packets; windows of that time lack packets.
    ///
    /// A source may fail while packets of it still wait. Its failure is looked at when the watcher has them: the clock of the
    /// packets is at the failure then, and windows before it lack nothing.
    pub(super) fn look(&mut self, watcher: &mut Watcher<'_>, sources: &[Source]) {
        for (place, source) in sources.iter().enumerate() {
            let before = self.seen.get(&place).copied().unwrap_or_default();
            let taken = self.taken.get(&place).copied().unwrap_or_default();
            if is_failing(source, before.is_failing) && taken < source.packets {
                continue;
            }
            let now = Seen {
                is_failing: is_failing(source, before.is_failing),
                interruptions: source.interruptions,
                dropped: source.dropped.unwrap_or(0),
            };
            self.seen.insert(place, now);
            // Packets ended a failure that was known, and another one began since.
            let fails_again = now.is_failing && now.interruptions > before.interruptions;
            if now.is_failing != before.is_failing || fails_again {
                watcher.set_failing(place, now.is_failing);
            }
            note_failures(watcher, source, before, now);
            if now.dropped > before.dropped {
                note_loss(watcher, source, now.dropped);
            }
        }
    }
}

/// Whether a source does not deliver: one that is being opened again still fails.
const fn is_failing(source: &Source, was_failing: bool) -> bool {
    match source.state {
        State::Starting => was_failing,
        State::Reading => false,
        State::Failed | State::Ended => is_bad(source),
    }
}

/// Whether a source failed: it is tried again, or it ended before its end.
pub(super) const fn is_bad(source: &Source) -> bool {
    match source.state {
        State::Failed => true,
        State::Ended => source.message.is_some(),
        State::Starting | State::Reading => false,
    }
}

fn note_failures(watcher: &mut Watcher<'_>, source: &Source, before: Seen, now: Seen) {
    let name = source.name.as_str();
    let message = source.message.as_deref().unwrap_or("no reason was given");
    // It may have failed and come back between two looks.
    let was_short = !before.is_failing && !now.is_failing && now.interruptions > before.interruptions;
    if was_short {
        watcher.note_loss();
    }
    if !before.is_failing && now.is_failing {
        note(
            watcher,
            (EventKind::SourceFailed, Severity::Error),
            source,
            format!("{name} failed: {message}"),
        );
    } else if was_short {
        let text = format!("{name} failed for a moment; packets of that time are missing");
        note(watcher, (EventKind::SourceFailed, Severity::Warning), source, text);
    } else if before.is_failing && source.state == State::Reading {
        note(watcher, (EventKind::SourceRecovered, Severity::Note), source, format!("{name} works again"));
    }
}

fn note_loss(watcher: &mut Watcher<'_>, source: &Source, dropped: u64) {
    watcher.note_loss();
    let name = source.name.as_str();
    let text =
        format!("{name}: the system dropped {dropped} packets so far, since they were read too slowly");
    note(watcher, (EventKind::CaptureLoss, Severity::Warning), source, text);
}

fn note(watcher: &mut Watcher<'_>, (kind, severity): (EventKind, Severity), source: &Source, text: String) {
    let mut evidence = Map::new();
    evidence.insert("source".to_owned(), Value::from(source.name.as_str()));
    evidence.insert("message".to_owned(), json!(source.message.as_deref().unwrap_or_default()));
    evidence.insert("dropped".to_owned(), Value::from(source.dropped.unwrap_or(0)));
    evidence.insert("restarts".to_owned(), Value::from(source.restarts));
    watcher.note((clock::now(), kind, severity), &source.name, text, evidence);
}

/// The health of a source, as the page has it.
pub(super) fn source_health(source: Source) -> SourceHealth {
    SourceHealth {
        name: source.name,
        state: match source.state {
            State::Starting => SourceState::Starting,
            State::Reading => SourceState::Reading,
            State::Failed => SourceState::Failed,
            State::Ended => SourceState::Ended,
        },
        message: source.message,
        packets: source.packets,
        dropped: source.dropped,
        restarts: source.restarts,
        last_packet: source.last_packet,
        wrongly_timed: source.wrongly_timed,
        steps_back: source.steps_back,
        shortened: source.shortened,
        left_out: source.left_out,
        unread: source.unread,
    }
}

#[cfg(test)]
mod tests {
    use thingprint_watch::{Resume, Update, WatchOptions};

    use super::*;

    /// The kinds of events of one source that goes like this, look by look.
    fn kinds(looks: &[(State, u64)]) -> Vec<EventKind> {
        let options = WatchOptions::default();
        let stage = options.stage();
        let mut watcher = Watcher::new(&options, &stage, Resume::default());
        let mut sources = SourceWatch::default();
        let mut kinds = Vec::new();
        for (state, interruptions) in looks {
            let source = Source {
                name: "eth0".to_owned(),
                state: *state,
                interruptions: *interruptions,
                ..Source::default()
            };
            sources.look(&mut watcher, &[source]);
            kinds.extend(watcher.step().updates.into_iter().filter_map(|update| match update {
                Update::Event(event) => Some(event.kind),
                _ => None,
            }));
        }
        kinds
    }

    #[test]
    fn a_source_that_is_opened_again_fails_until_it_reads() {
        let looks = [(State::Reading, 0), (State::Failed, 1), (State::Starting, 1), (State::Starting, 1)];
        assert_eq!(kinds(&looks), [EventKind::SourceFailed]);
        let looks = [(State::Failed, 1), (State::Starting, 1), (State::Reading, 1)];
        assert_eq!(kinds(&looks), [EventKind::SourceFailed, EventKind::SourceRecovered]);
        assert_eq!(kinds(&[(State::Starting, 0), (State::Reading, 0)]), []);
    }

    #[test]
    fn a_failure_waits_for_the_packets_before_it() {
        let options = WatchOptions::default();
        let stage = options.stage();
        let mut watcher = Watcher::new(&options, &stage, Resume::default());
        let mut sources = SourceWatch::default();
        let source = Source { state: State::Failed, interruptions: 1, packets: 3, ..Source::default() };
        let mut events = |sources: &mut SourceWatch| {
            sources.look(&mut watcher, std::slice::from_ref(&source));
            let updates = watcher.step().updates;
            updates.iter().filter(|update| matches!(update, Update::Event(_))).count()
        };
        sources.note_taken(0, 2);
        assert_eq!(events(&mut sources), 0, "a packet waits");
        sources.note_taken(0, 1);
        assert_eq!(events(&mut sources), 1);
        assert_eq!(events(&mut sources), 0, "it is reported once");
    }

    #[test]
    fn a_failure_between_two_looks_is_seen() {
        assert_eq!(kinds(&[(State::Reading, 0), (State::Reading, 1)]), [EventKind::SourceFailed]);
    }
}
