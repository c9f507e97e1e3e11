use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};
use thingprint_flow::{DeviceId, DeviceIndex, FairCap, Timestamp};
use thingprint_table::rfc3339;

use crate::records::{Event, EventKind, Severity};

/// Devices whose first appearance in a minute is an event each; beyond that, one event says how many there were.
const NEW_DEVICES_A_MINUTE: usize = 20;
/// How long after the first packet of a first start devices are taken for those that were there before.
const LEARNING_NS: i64 = 60 * MINUTE_NS;
/// A minute in nanoseconds.
const MINUTE_NS: i64 = 60_000_000_000;
/// Open events that are remembered, so that what happens again is counted; the device with most forgets its oldest ones.
const MOST_OPEN: usize = 1 << 16;

/// What tells events apart.
type Key = (EventKind, Option<DeviceId>, String);

/// The events of a reading: each once, and counted while it is open.
#[derive(Debug, Default)]
pub(crate) struct EventBook {
    next: u64,
    open: BTreeMap<Key, Event>,
    /// Keys by the age of their events.
    by_id: BTreeMap<u64, Key>,
    new_devices: VecDeque<Timestamp>,
    learning: Learning,
    /// When the flood of new devices began that goes on.
    flood: Option<Timestamp>,
    /// Events that are new or were counted since they were taken last, by number.
    changed: BTreeMap<u64, Event>,
}

/// Whether devices are new because the reading is: on a first start all of them are.
#[derive(Clone, Copy, Debug, Default)]
enum Learning {
    /// Devices are known from earlier.
    #[default]
    Over,
    /// Nothing is known, and nothing was seen yet.
    Fresh,
    /// Nothing was known; what is seen by this time was there before.
    Until(Timestamp),
}

/// What happened, for the book.
#[derive(Clone, Debug)]
pub(crate) struct Happened {
    pub(crate) at: Timestamp,
    pub(crate) kind: EventKind,
    pub(crate) severity: Severity,
    pub(crate) device: Option<DeviceId>,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) evidence: Map<String, Value>,
}

impl EventBook {
    /// A book that goes on from number `next`, with the events that are open.
    pub(crate) fn resumed(next: u64, open: Vec<Event>) -> Self {
        let mut book = Self { next: next.max(1), ..Self::default() };
        for event in open {
            book.keep(event);
        }
        book
    }

    /// Nothing is known yet: devices of the first hour are noted, and are no reason to warn.
    pub(crate) const fn learn(&mut self) {
        self.learning = Learning::Fresh;
    }

    /// Whether a device that is seen first at this time belongs to the first start.
    fn is_learning(&mut self, at: Timestamp) -> bool {
        if matches!(self.learning, Learning::Fresh) {
            self.learning = Learning::Until(at.plus_nanos(LEARNING_NS));
        }
        matches!(self.learning, Learning::Until(until) if at < until)
    }

    /// Notes what happened: a new event, or one more time of an open one.
    pub(crate) fn note(&mut self, happened: Happened) {
        let Happened { at, kind, severity, device, subject, text, evidence } = happened;
        let key = (kind, device, subject);
        if let Some(event) = self.open.get_mut(&key) {
            event.times += 1;
            self.changed.insert(event.id, event.clone());
            return;
        }
        let (id, subject) = (self.next.max(1), key.2);
        self.next = id + 1;
        let event = Event {
            id,
            at,
            kind,
            severity,
            device,
            subject,
            text,
            evidence,
            times: 1,
            acknowledged_at: None,
        };
        self.changed.insert(id, event.clone());
        self.keep(event);
    }

    /// Notes that a device was seen for the first time. In a flood of new addresses one event counts them.
    pub(crate) fn note_new_device(&mut self, mut happened: Happened) {
        let is_learning = self.is_learning(happened.at);
        if is_learning {
            happened.severity = Severity::Note;
            happened.text.push_str(", seen in the first hour of the watch");
        }
        let since = happened.at.plus_nanos(-MINUTE_NS);
        while self.new_devices.front().is_some_and(|at| *at < since) {
            self.new_devices.pop_front();
        }
        if self.new_devices.len() < NEW_DEVICES_A_MINUTE {
            self.new_devices.push_back(happened.at);
            self.flood = None;
            self.note(happened);
            return;
        }
        // Each flood is an event of its own: it ends when a minute has fewer of them.
        let began = *self.flood.get_or_insert(happened.at);
        self.new_devices.pop_front();
        self.new_devices.push_back(happened.at);
        let text = format!(
            "More than {NEW_DEVICES_A_MINUTE} devices were new within a minute; those beyond have no events of their own"
        );
        self.note(Happened {
            kind: EventKind::ManyNewDevices,
            severity: if is_learning { Severity::Note } else { Severity::Warning },
            device: None,
            subject: rfc3339::format(began),
            text,
            evidence: happened.evidence,
            at: happened.at,
        });
    }

    /// An event was acknowledged: when it happens again, it is a new one.
    pub(crate) fn close(&mut self, id: u64) {
        if let Some(key) = self.by_id.remove(&id) {
            self.open.remove(&key);
        }
    }

    /// What an event tells is over: when it happens again, it is a new one. One that was acknowledged stays as it is.
    pub(crate) fn end(
        &mut self,
        (kind, device, subject): (EventKind, Option<DeviceId>, &str),
        at: Timestamp,
    ) {
        let Some(mut event) = self.open.remove(&(kind, device, subject.to_owned())) else { return };
        self.by_id.remove(&event.id);
        // A reading that begins again behind its last window is before what happened then.
        let at = at.max(event.at);
        event.acknowledged_at = Some(at);
        event.evidence.insert("ended_at".to_owned(), rfc3339::format(at).into());
        self.changed.insert(event.id, event);
    }

    /// The findings of a device by a rule were acknowledged, and with them the events about them.
    pub(crate) fn close_finding(&mut self, device: DeviceId, rule: &str) {
        let is_of_rule = |event: &&Event| {
            let kind_and_rule = match event.kind {
                EventKind::Finding => event.subject == rule,
                EventKind::MudViolation => event.evidence.get("rule").is_some_and(|of| of == rule),
                _ => false,
            };
            kind_and_rule && event.device == Some(device)
        };
        let closed: Vec<u64> = self.open.values().filter(is_of_rule).map(|event| event.id).collect();
        for id in closed {
            self.close(id);
        }
    }

    /// What was noted since this was asked last, in the order of numbers.
    pub(crate) fn take_changed(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.changed).into_values().collect()
    }

    fn keep(&mut self, event: Event) {
        let key = (event.kind, event.device, event.subject.clone());
        self.by_id.insert(event.id, key.clone());
        self.open.insert(key, event);
        if self.open.len() > MOST_OPEN {
            self.make_room();
        }
    }

    /// Forgets the oldest events of the devices that have most.
    fn make_room(&mut self) {
        let mut devices: BTreeMap<Option<DeviceId>, (u64, usize)> = BTreeMap::new();
        for (id, (_, device, _)) in &self.by_id {
            let (latest, events) = devices.entry(*device).or_default();
            (*latest, *events) = (*id, *events + 1);
        }
        let mut order: Vec<_> =
            devices.into_iter().map(|(device, (latest, events))| (latest, device, events)).collect();
        order.sort_unstable();
        let mut cap = FairCap::new(MOST_OPEN);
        for (number, (.., events)) in (0..).map(DeviceIndex::new).zip(&order) {
            cap.take(number, *events);
        }
        let owed = |(number, excess): (DeviceIndex, usize)| {
            order.get(number.as_usize()).map(|(_, device, _)| (*device, excess))
        };
        let mut owed: BTreeMap<Option<DeviceId>, usize> = cap.excess().into_iter().filter_map(owed).collect();
        self.by_id.retain(|_, key| {
            let Some(left) = owed.get_mut(&key.1).filter(|left| **left > 0) else { return true };
            *left -= 1;
            self.open.remove(key);
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_makes_events_makes_others_forget_none() {
        let device =
            |last: u8| -> Option<DeviceId> { Some(format!("02:00:00:00:00:{last:02x}").parse().unwrap()) };
        let mut book = EventBook::default();
        let note = |book: &mut EventBook, last: u8, subject: usize| {
            book.note(Happened { device: device(last), ..happened(1, &subject.to_string()) });
        };
        (0..5).for_each(|subject| note(&mut book, 1, subject));
        (0..MOST_OPEN + 10).for_each(|subject| note(&mut book, 2, subject));
        let kept = MOST_OPEN / 8 * 7 + 14;
        assert_eq!((book.open.len(), book.by_id.len()), (kept, kept));
        (0..5).for_each(|subject| note(&mut book, 1, subject));
        note(&mut book, 2, MOST_OPEN);
        note(&mut book, 2, 0);
        let changed = book.take_changed();
        let twice: Vec<Option<DeviceId>> =
            changed.iter().filter(|event| event.times == 2).map(|event| event.device).collect();
        assert_eq!(twice, [device(1), device(1), device(1), device(1), device(1), device(2)]);
    }

    fn happened(at: i64, subject: &str) -> Happened {
        Happened {
            at: Timestamp::from_seconds(at),
            kind: EventKind::NewDevice,
            severity: Severity::Note,
            device: None,
            subject: subject.to_owned(),
            text: String::new(),
            evidence: Map::new(),
        }
    }

    #[test]
    fn what_happens_again_is_counted() {
        let mut book = EventBook::resumed(7, Vec::new());
        book.note(happened(0, "a"));
        book.note(happened(1, "a"));
        book.note(happened(2, "b"));
        let events = book.take_changed();
        assert_eq!(events.iter().map(|event| (event.id, event.times)).collect::<Vec<_>>(), [(7, 2), (8, 1)]);
        assert!(book.take_changed().is_empty());
        book.close(7);
        book.note(happened(3, "a"));
        assert_eq!(book.take_changed()[0].id, 9, "an acknowledged event is over");
    }

    #[test]
    fn what_ended_is_no_longer_open_and_a_new_event_when_it_happens_again() {
        let device: DeviceId = "02:00:00:00:00:01".parse().unwrap();
        let told = |at| Happened { device: Some(device), ..happened(at, "a") };
        let mut book = EventBook::resumed(1, Vec::new());
        book.note(told(0));
        book.end((EventKind::NewDevice, Some(device), "a"), Timestamp::from_seconds(5));
        let ended = &book.take_changed()[0];
        assert_eq!((ended.id, ended.acknowledged_at), (1, Some(Timestamp::from_seconds(5))));
        assert_eq!(ended.evidence["ended_at"], "1970-01-01T00:00:05Z");
        book.end((EventKind::NewDevice, Some(device), "a"), Timestamp::from_seconds(6));
        assert!(book.take_changed().is_empty(), "it ends once");
        book.note(told(7));
        assert_eq!((book.take_changed()[0].id, book.open.len(), book.by_id.len()), (2, 1, 1));
    }

    #[test]
    fn acknowledging_a_finding_closes_its_events() {
        let device: DeviceId = "02:00:00:00:00:01".parse().unwrap();
        let finding =
            |rule: &str| Happened { kind: EventKind::Finding, device: Some(device), ..happened(0, rule) };
        let mut book = EventBook::resumed(1, Vec::new());
        book.note(finding("TLS-001"));
        book.note(finding("TLS-002"));
        book.take_changed();
        book.close_finding(device, "TLS-001");
        book.note(finding("TLS-001"));
        book.note(finding("TLS-002"));
        let ids: Vec<u64> = book.take_changed().iter().map(|event| event.id).collect();
        assert_eq!(ids, [2, 3]);
    }

    #[test]
    fn a_book_goes_on_where_it_was() {
        let mut book = EventBook::resumed(1, Vec::new());
        book.note(happened(0, "a"));
        let mut resumed = EventBook::resumed(2, book.take_changed());
        resumed.note(happened(5, "a"));
        let events = resumed.take_changed();
        assert_eq!((events[0].id, events[0].times, events[0].at), (1, 2, Timestamp::from_seconds(0)));
    }

    #[test]
    fn devices_of_a_first_start_are_no_reason_to_warn() {
        let severities = |book: &mut EventBook| {
            for (at, name) in [(0, "a"), (3599, "b"), (3600, "c")] {
                book.note_new_device(Happened { severity: Severity::Warning, ..happened(at, name) });
            }
            book.take_changed().iter().map(|event| event.severity).collect::<Vec<_>>()
        };
        let mut first = EventBook::default();
        first.learn();
        assert_eq!(severities(&mut first), [Severity::Note, Severity::Note, Severity::Warning]);
        assert_eq!(severities(&mut EventBook::default()), [Severity::Warning; 3], "a later start");
    }

    #[test]
    fn a_flood_of_new_devices_is_one_event() {
        let mut book = EventBook::default();
        (0..1000).for_each(|at| book.note_new_device(happened(at / 100, &at.to_string())));
        let events = book.take_changed();
        assert_eq!(events.len(), NEW_DEVICES_A_MINUTE + 1);
        let flood = events.iter().find(|event| event.kind == EventKind::ManyNewDevices).unwrap();
        assert_eq!(flood.times, 980);
        // An hour later a new device is news again.
        book.note_new_device(happened(3600, "late"));
        assert_eq!(book.take_changed()[0].subject, "late");
    }
}
