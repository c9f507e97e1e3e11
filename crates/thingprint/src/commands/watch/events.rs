//! Updates on their way to the page, and events to those who are to be told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use thingprint_flow::DeviceId;
use thingprint_notify::{Notifier, Selection};
use thingprint_table::{escape, rfc3339};
use thingprint_watch::{Event, Update};
use thingprint_web::Web;

use super::printer::Printer;

/// Accounts that wait for the store; beyond that the oldest leave, stored or not.
const MOST_WAITING: usize = 10_000;

/// Shows updates and sends events when they are on the disk: what somebody was told of is there after a crash as well.
#[derive(Clone)]
pub(super) struct Outbox(Arc<Mutex<Waiting>>);

struct Waiting {
    notifier: Option<Notifier>,
    selection: Selection,
    /// Where events are printed for a person; `None` where they are not.
    printer: Option<Printer>,
    muted: BTreeSet<DeviceId>,
    /// The page; `None` where there is none.
    web: Option<Web>,
    /// Updates by the number of their account, without instances.
    updates: BTreeMap<u64, Vec<Update>>,
    /// The last account that is on the disk.
    written: Option<u64>,
    /// Number of the last event that was printed.
    printed: u64,
}

impl Outbox {
    /// Sends and prints events behind the newest one of an earlier reading, which is told already.
    pub(super) fn new(
        (notifier, selection): (Notifier, Selection),
        printer: Option<Printer>,
        newest: u64,
    ) -> Self {
        Self(Arc::new(Mutex::new(Waiting {
            notifier: Some(notifier.going_on_after(newest)),
            selection,
            printer,
            muted: BTreeSet::new(),
            web: None,
            updates: BTreeMap::new(),
            written: None,
            printed: newest,
        })))
    }

    /// Shows updates on this page.
    pub(super) fn show_on(&self, web: Web) {
        self.with(|waiting| waiting.web = Some(web));
    }

    /// Takes the updates of an account of this number.
    pub(super) fn put(&self, number: u64, updates: Vec<Update>) {
        self.with(|waiting| {
            waiting.updates.entry(number).or_default().extend(updates);
            waiting.leave();
        });
    }

    /// An account is on the disk, and with it all before.
    pub(super) fn note_written(&self, number: u64) {
        self.with(|waiting| {
            waiting.written = waiting.written.max(Some(number));
            waiting.leave();
        });
    }

    /// Events of a device are sent, or stay on the page.
    pub(super) fn mute(&self, device: DeviceId, is_muted: bool) {
        self.with(|waiting| {
            if is_muted {
                waiting.muted.insert(device);
            } else {
                waiting.muted.remove(&device);
            }
        });
    }

    /// Asks the notifier; `None` after it was taken.
    pub(super) fn ask<T>(&self, ask: impl FnOnce(&Notifier) -> T) -> Option<T> {
        self.with(|waiting| waiting.notifier.as_ref().map(ask))
    }

    /// Takes the notifier, to be stopped, and ends the page.
    pub(super) fn take(&self) -> Option<Notifier> {
        drop(self.with(|waiting| waiting.web.take()));
        self.with(|waiting| waiting.notifier.take())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Waiting) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Waiting {
    /// Sends what is on the disk.
    fn leave(&mut self) {
        while let Some(entry) = self.updates.first_entry()
            && (self.written.is_some_and(|written| *entry.key() <= written)
                || self.updates.len() > MOST_WAITING)
        {
            let Some((_, updates)) = self.updates.pop_first() else { return };
            if let Some(web) = &self.web {
                web.publish(&updates);
            }
            let is_muted = |event: &Event| event.device.is_some_and(|device| self.muted.contains(&device));
            let events = updates.into_iter().filter_map(|update| match update {
                Update::Event(event) => Some(event),
                _ => None,
            });
            let wanted: Vec<Event> =
                events.filter(|event| self.selection.wants(event, is_muted(event))).collect();
            self.print(&wanted);
            if let Some(notifier) = &self.notifier {
                notifier.send(&wanted);
            }
        }
    }

    /// Prints new events, a line each.
    fn print(&mut self, events: &[Event]) {
        let Some(printer) = &self.printer else { return };
        for event in events.iter().filter(|event| event.id > self.printed) {
            let (at, text) = (rfc3339::format(event.at), escape::terminal(&event.text));
            let line = format!("{} {:<7} {:<21} {text}\n", shortened(&at), event.severity, event.kind);
            printer.event(line);
        }
        self.printed = events.iter().map(|event| event.id).max().unwrap_or(0).max(self.printed);
    }
}

/// A time to the second.
fn shortened(time: &str) -> &str {
    time.get(..19).unwrap_or(time)
}
