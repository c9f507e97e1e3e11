use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{ExtractionRecipe, InstanceOptions, SharedWindow};
use thingprint_store::{StateValue, Store};
use thingprint_taps::{Collector, Depot, Name, Parcel, Settled, Taken, TapState, TapsError};
use thingprint_watch::{Account, EventKind, Ledger, Severity};

use super::judging::{Materials, check_model, ledger_options};
use super::setback::{carried, stored};
use super::totals::Totals;
use crate::commands::watch::kept;
use crate::commands::watch::station::failed;
use crate::messages::{Messages, counted};

/// The name of what is remembered of taps in the store.
pub(super) const TAPS: &str = "taps";

/// When a collection waits, and when it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How long windows wait for a tap that sends nothing.
    pub(super) wait: Duration,
    /// Whether it ends when everything was taken.
    pub(super) is_once: bool,
}

/// Whether a tap is waited for that did not end: one that sends nothing for a while is not, unless a collection ends when all is
/// taken.
fn waits(heard: &BTreeMap<Name, Instant>, pace: Pace) -> impl Fn(&Name, &TapState) -> bool {
    let now = Instant::now();
    move |tap, _| {
        let is_silent = heard.get(tap).is_some_and(|at| now.duration_since(*at) >= pace.wait);
        pace.is_once || !is_silent
    }
}

/// The store, which nobody else writes, and the parts that are on their way into it.
pub(super) struct Collection<'a> {
    store: Store,
    depot: Arc<Depot>,
    materials: &'a Materials,
    collector: Collector,
    /// What makes records of windows; `None` before the first part says how windows are made.
    ledger: Option<Ledger>,
    messages: Messages,
    /// When each tap was heard last, while parcels could be had.
    heard: BTreeMap<Name, Instant>,
    totals: Totals,
    /// What is missing of taps and is no event yet: the time, the tap, and what is said of it.
    lacks: Vec<(Timestamp, Name, String)>,
    /// Parts that were taken since the store was written last: what is opened from it takes them again.
    unsettled: u64,
}

impl<'a> Collection<'a> {
    /// Goes on where the last collection ended: with what the store remembers, and what is in the depot. A store that is
    /// shared remembers the network from the begin on, so that others know.
    pub(super) fn open(
        store: Store,
        (depot, is_shared): (Arc<Depot>, bool),
        materials: &'a Materials,
        messages: Messages,
    ) -> anyhow::Result<Self> {
        let memory = store.state(TAPS, None).map_err(stored)?;
        let is_new = memory.is_none();
        let mut collector = Collector::new(&materials.network, memory.as_deref()).map_err(failed)?;
        materials.expected.iter().for_each(|tap| collector.expect(tap.clone()));
        let at_start = collector.taps().clone();
        let mut collection = Self {
            store,
            depot,
            materials,
            collector,
            ledger: None,
            messages,
            heard: BTreeMap::new(),
            totals: Totals::since(at_start),
            lacks: Vec::new(),
            unsettled: 0,
        };
        if is_shared && is_new {
            let state = [collection.memory()];
            collection.store.write_with(&Account::default(), &state).map_err(stored)?;
        }
        collection.look()?;
        collection.hear_all();
        Ok(collection)
    }

    /// The taps as they are known, and what was done since it was opened.
    pub(super) fn close(self) -> (BTreeMap<Name, TapState>, Totals) {
        (self.collector.taps().clone(), self.totals)
    }

    /// The same after a failure: without what is not in the store, and is taken again from the depot.
    pub(super) fn give_up(self) -> (BTreeMap<Name, TapState>, Totals) {
        let unsettled = self.unsettled;
        let (taps, totals) = self.close();
        (taps, Totals { parcels: totals.parcels.saturating_sub(unsettled), ..totals })
    }

    /// Takes what is in the depot and was not taken.
    pub(super) fn look(&mut self) -> anyhow::Result<()> {
        let collector = &self.collector;
        for (file, parcel) in self.depot.parcels_but(|file| collector.holds(file)).map_err(carried)? {
            self.take(&file, &parcel)?;
        }
        Ok(())
    }

    /// Takes a parcel that is in the depot.
    pub(super) fn take(&mut self, file: &str, parcel: &Parcel) -> anyhow::Result<()> {
        self.heard.insert(parcel.head.tap.clone(), Instant::now());
        let tap = &parcel.head.tap;
        let before = self.collector.taps().get(tap).cloned().unwrap_or_default();
        match self.collector.take(file, parcel) {
            Ok(Taken::New) => {
                self.totals.parcels += 1;
                self.unsettled += 1;
                let now = self.collector.taps().get(tap).cloned().unwrap_or_default();
                self.lacks
                    .extend(lacks(tap, &before, &now).map(|text| (parcel.head.until, tap.clone(), text)));
            }
            Ok(Taken::Repeat) => self.totals.repeats += 1,
            Err(error) => {
                self.refuse(&error);
                self.depot.remove(file).map_err(carried)?;
            }
        }
        Ok(())
    }

    fn refuse(&mut self, error: &TapsError) {
        self.totals.refused += 1;
        self.messages.warn(format_args!("failed to {error}"));
    }

    /// Nobody could be heard until now.
    pub(super) fn hear_all(&mut self) {
        let now = Instant::now();
        self.heard = self.collector.taps().keys().map(|tap| (tap.clone(), now)).collect();
    }

    /// Stores the windows that are final by now. Where it fails, the store is behind what is known here: this is closed, and
    /// another one opened.
    pub(super) fn settle(&mut self, pace: Pace) -> anyhow::Result<()> {
        let is_waited = waits(&self.heard, pace);
        let mut choice = self.materials.choice.clone();
        if choice.given.is_empty() && !choice.is_none {
            choice.given = self.collector.given_gateways();
        }
        let policy = choice.policy(&self.materials.labels);
        let Some(settled) = self.collector.settle(is_waited, &policy).map_err(failed)? else {
            return Ok(());
        };
        self.store_windows(settled)
    }

    /// The taps for which windows wait that others saw.
    pub(super) fn held_back_by(&self, pace: Pace) -> anyhow::Result<BTreeSet<Name>> {
        self.collector.held_back_by(waits(&self.heard, pace)).map_err(failed)
    }

    fn store_windows(&mut self, settled: Settled) -> anyhow::Result<()> {
        let mut ledger = match self.ledger.take() {
            Some(ledger) => ledger,
            None => self.ledger()?,
        };
        let Settled { instances, seen, gateways, until, shared, gaps, messages_cut, left_out, retired } =
            settled;
        for (from, to) in gaps {
            ledger.note_missing(from, to);
        }
        for instance in &instances {
            let at = instance.window_start;
            let times = seen.get(&instance.device).copied().unwrap_or((at, at));
            ledger.window(instance, times);
        }
        for shared in &shared {
            note_shared(&mut ledger, shared);
        }
        for (at, tap, text) in std::mem::take(&mut self.lacks) {
            let evidence = json!({ "taps": [&tap] });
            note(&mut ledger, at, (EventKind::PartsMissing, None), tap.as_str(), (text, &evidence));
        }
        ledger.close(until, gateways);
        let account = ledger.account();
        let mut state = kept::state(ledger.take_memory(), None);
        state.push(self.memory());
        self.store.write_with(&account, &state).map_err(stored)?;
        self.unsettled = 0;
        for file in retired {
            self.depot.remove(&file).map_err(carried)?;
        }
        self.ledger = Some(ledger);
        self.totals.windows += instances.len() as u64;
        self.totals.shared_windows += shared.len() as u64;
        self.totals.shared_flows += shared.iter().map(|shared| shared.flows).sum::<u64>();
        self.totals.messages_cut = self.totals.messages_cut.max(messages_cut);
        self.totals.leave_out(&left_out);
        self.messages.detail(format!("{} stored", counted(instances.len() as u64, "window", "windows")));
        Ok(())
    }

    /// What the store remembers of taps.
    fn memory(&self) -> StateValue {
        StateValue { name: TAPS.to_owned(), device: None, value: Some(self.collector.remembered()) }
    }

    /// What makes records of windows, going on from what is stored.
    fn ledger(&mut self) -> anyhow::Result<Ledger> {
        let options: InstanceOptions = self.collector.options().map_err(failed)?.unwrap_or_default();
        if let Some(model) = &self.materials.judging.model {
            check_model(model, &options)?;
        }
        self.store.set_recipe(&ExtractionRecipe::of(&options).without_evidence()).map_err(stored)?;
        let resume = kept::resume(&self.store).map_err(stored)?;
        let mut ledger = Ledger::new(&ledger_options(&options), resume);
        let labels = &self.materials.labels;
        for device in labels.devices() {
            let label = labels.label_of(device, None).map(|label| label.class.clone());
            ledger.label(device, label);
        }
        ledger.judge_by(self.materials.judging.judge());
        Ok(ledger)
    }
}

/// What is missing of a tap now and was not before.
pub(super) fn lacks(name: &Name, before: &TapState, now: &TapState) -> impl Iterator<Item = String> {
    // Who has a smaller number than before began anew.
    let more = |now: u64, before: u64| now.checked_sub(before).unwrap_or(now);
    let lacks = [
        (more(now.dropped, before.dropped), "dropped, since the spool of the tap was full"),
        (more(now.missing, before.missing), "never came"),
        (more(now.late, before.late), "came after their windows were stored"),
    ];
    let text = |(count, why)| format!("tap {name}: {} {why}", counted(count, "part", "parts"));
    lacks.into_iter().filter(|(count, _)| *count > 0).map(text).collect::<Vec<_>>().into_iter()
}

/// Reports a device that several taps saw at the same time.
fn note_shared(ledger: &mut Ledger, shared: &SharedWindow) {
    let SharedWindow { device, window_start, taps, flows } = shared;
    let names = taps.join(", ");
    let text = format!("{} was seen by the taps {names} at the same time", ledger.name(*device));
    let evidence = json!({ "taps": taps, "flows": flows });
    note(ledger, *window_start, (EventKind::SeenTwice, Some(*device)), &names, (text, &evidence));
}

fn note(
    ledger: &mut Ledger,
    at: Timestamp,
    (kind, device): (EventKind, Option<DeviceId>),
    subject: &str,
    (text, evidence): (String, &Value),
) {
    let evidence: Map<String, Value> = evidence.as_object().cloned().unwrap_or_default();
    ledger.note((at, kind, Severity::Warning), device, subject, (text, evidence));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_anew_is_all_missing() {
        let state = |dropped, missing| TapState { dropped, missing, ..TapState::default() };
        let said = |before: TapState, now: TapState| -> Vec<String> {
            lacks(&"attic".parse().unwrap(), &before, &now).collect()
        };
        assert_eq!(said(state(1, 0), state(3, 1)).len(), 2);
        assert!(said(state(1, 0), state(3, 0))[0].contains("2 parts dropped"));
        assert!(said(state(5, 0), state(2, 0))[0].contains("2 parts dropped"));
        assert_eq!(said(state(5, 2), state(5, 2)), [""; 0]);
    }
}
