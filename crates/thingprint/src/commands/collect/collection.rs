use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use thingprint_flow::{DeviceId, DeviceLosses, Timestamp};
use thingprint_instance::{ExtractionRecipe, InstanceOptions, SharedWindow};
use thingprint_report::Labels;
use thingprint_store::{StateValue, Store};
use thingprint_taps::{Arrival, Collector, Depot, Inbox, Name, Parcel, Settled, Taken, TapState, TapsError};
use thingprint_watch::{EventKind, Ledger, Severity};

use super::CollectArgs;
use super::judging::{check_model, ledger_options};
use crate::commands::watch::kept;
use crate::commands::watch::model::Judging;
use crate::commands::watch::signals::Signals;
use crate::commands::watch::station::failed;
use crate::exit::Outcome;
use crate::gateways::GatewayChoice;
use crate::left_out::report_left_out;
use crate::messages::{Messages, counted};

/// The name of what is remembered of taps in the store.
const TAPS: &str = "taps";
/// How long the next parcel is waited for before signals are looked at.
const WAIT: Duration = Duration::from_secs(1);
/// How long nothing is asked after the other end failed.
const PAUSE: Duration = Duration::from_secs(1);
/// Parcels that are taken at once where many wait; then windows are stored.
const MOST_AT_ONCE: usize = 256;

/// When a collection waits, and when it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How long windows wait for a tap that sends nothing.
    pub(super) wait: Duration,
    /// Whether it ends when everything was taken.
    pub(super) is_once: bool,
}

/// The store and the parts that are on their way into it.
pub(super) struct Collection {
    store: Store,
    depot: Depot,
    collector: Collector,
    /// What makes records of windows; `None` before the first part says how windows are made.
    ledger: Option<Ledger>,
    judging: Judging,
    labels: Labels,
    choice: GatewayChoice,
    messages: Messages,
    /// When each tap was heard last, while parcels could be had.
    heard: BTreeMap<Name, Instant>,
    at_start: BTreeMap<Name, TapState>,
    counts: Counts,
    left_out: DeviceLosses,
    /// What is missing of taps and is no event yet: the time, the tap, and what is said of it.
    lacks: Vec<(Timestamp, Name, String)>,
    /// Whether it was said that parcels cannot be had.
    is_cut_off: bool,
}

/// What a collection did.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    parcels: u64,
    repeats: u64,
    refused: u64,
    windows: u64,
    shared_windows: u64,
    shared_flows: u64,
    messages_cut: u64,
}

impl Collection {
    /// Opens store and depot, and goes on where the last collection ended.
    pub(super) fn open(
        args: &CollectArgs,
        (judging, labels, choice): (Judging, Labels, GatewayChoice),
        messages: Messages,
    ) -> anyhow::Result<Self> {
        let store = Store::open(&args.store).map_err(failed)?;
        let depot = Depot::open(&args.parts_folder()).map_err(failed)?;
        let memory = store.state(TAPS, None).map_err(failed)?;
        let mut collector = Collector::new(&args.network, memory.as_deref()).map_err(failed)?;
        args.tap.iter().for_each(|tap| collector.expect(tap.clone()));
        let at_start = collector.taps().clone();
        let mut collection = Self {
            store,
            depot,
            collector,
            ledger: None,
            judging,
            labels,
            choice,
            messages,
            heard: BTreeMap::new(),
            at_start,
            counts: Counts::default(),
            left_out: DeviceLosses::default(),
            lacks: Vec::new(),
            is_cut_off: false,
        };
        for (file, parcel) in collection.depot.parcels().map_err(failed)? {
            collection.take(&file, &parcel)?;
        }
        collection.hear_all();
        Ok(collection)
    }

    /// Takes parcels until a signal comes, or everything was taken.
    pub(super) fn run(
        &mut self,
        mut inbox: Box<dyn Inbox>,
        pace: Pace,
        signals: &Signals,
    ) -> anyhow::Result<()> {
        let mut at_once = 0;
        while !signals.ends() {
            let next = inbox.next(WAIT).and_then(|arrival| match arrival {
                Some(arrival) => self.keep(&mut *inbox, &arrival).map(Some),
                None => Ok(None),
            });
            match next {
                Ok(Some(kept)) => {
                    if let Some((file, parcel)) = kept {
                        self.take(&file, &parcel)?;
                    }
                    at_once += 1;
                    if at_once < MOST_AT_ONCE {
                        continue;
                    }
                }
                Ok(None) => {}
                Err(error) if pace.is_once => return Err(failed(error)),
                Err(error) => {
                    self.note_cut_off(&error);
                    std::thread::sleep(PAUSE);
                    continue;
                }
            }
            if std::mem::take(&mut self.is_cut_off) {
                self.messages.note("parts come again");
                self.hear_all();
            }
            let has_all = std::mem::take(&mut at_once) < MOST_AT_ONCE;
            // Those of a collection that was killed come again after a while.
            let is_drained = has_all && pace.is_once && inbox.is_drained().map_err(failed)?;
            if !pace.is_once || is_drained {
                self.settle(pace)?;
            }
            if is_drained {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The taps, as they are known.
    pub(super) const fn taps(&self) -> &BTreeMap<Name, TapState> {
        self.collector.taps()
    }

    /// Keeps a parcel on disk, and acknowledges it; `None` where it is none.
    fn keep(
        &mut self,
        inbox: &mut dyn Inbox,
        arrival: &Arrival,
    ) -> Result<Option<(String, Parcel)>, TapsError> {
        let kept = match Parcel::from_bytes(&arrival.bytes, &arrival.place) {
            Ok(parcel) => Some((self.depot.put(&parcel, &arrival.bytes)?, parcel)),
            Err(error) => {
                self.refuse(&error);
                None
            }
        };
        inbox.acknowledge()?;
        Ok(kept)
    }

    fn take(&mut self, file: &str, parcel: &Parcel) -> anyhow::Result<()> {
        self.heard.insert(parcel.head.tap.clone(), Instant::now());
        let tap = &parcel.head.tap;
        let before = self.collector.taps().get(tap).cloned().unwrap_or_default();
        match self.collector.take(file, parcel) {
            Ok(Taken::New) => {
                self.counts.parcels += 1;
                let now = self.collector.taps().get(tap).cloned().unwrap_or_default();
                self.lacks
                    .extend(lacks(tap, &before, &now).map(|text| (parcel.head.until, tap.clone(), text)));
            }
            Ok(Taken::Repeat) => self.counts.repeats += 1,
            Err(error) => {
                self.refuse(&error);
                self.depot.remove(file).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn refuse(&mut self, error: &TapsError) {
        self.counts.refused += 1;
        self.messages.warn(format_args!("failed to {error}"));
    }

    fn note_cut_off(&mut self, error: &TapsError) {
        if !std::mem::replace(&mut self.is_cut_off, true) {
            self.messages.warn(format_args!("failed to {error}; trying again"));
        }
    }

    /// Nobody could be heard until now.
    fn hear_all(&mut self) {
        let now = Instant::now();
        self.heard = self.collector.taps().keys().map(|tap| (tap.clone(), now)).collect();
    }

    /// Stores the windows that are final by now.
    fn settle(&mut self, pace: Pace) -> anyhow::Result<()> {
        let now = Instant::now();
        let heard = &self.heard;
        let is_waited = |tap: &Name, _: &TapState| {
            let is_silent = heard.get(tap).is_some_and(|at| now.duration_since(*at) >= pace.wait);
            pace.is_once || !is_silent
        };
        let mut choice = self.choice.clone();
        if choice.given.is_empty() && !choice.is_none {
            choice.given = self.collector.given_gateways();
        }
        let policy = choice.policy(&self.labels);
        let Some(settled) = self.collector.settle(is_waited, &policy).map_err(failed)? else {
            return Ok(());
        };
        self.store_windows(settled)
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
        let memory = Some(self.collector.remembered());
        state.push(StateValue { name: TAPS.to_owned(), device: None, value: memory });
        self.store.write_with(&account, &state).map_err(failed)?;
        for file in retired {
            self.depot.remove(&file).map_err(failed)?;
        }
        self.ledger = Some(ledger);
        self.counts.windows += instances.len() as u64;
        self.counts.shared_windows += shared.len() as u64;
        self.counts.shared_flows += shared.iter().map(|shared| shared.flows).sum::<u64>();
        self.counts.messages_cut = self.counts.messages_cut.max(messages_cut);
        self.left_out = left_out;
        self.messages.detail(format!("{} stored", counted(instances.len() as u64, "window", "windows")));
        Ok(())
    }

    /// What makes records of windows, going on from what is stored.
    fn ledger(&mut self) -> anyhow::Result<Ledger> {
        let options: InstanceOptions = self.collector.options().map_err(failed)?.unwrap_or_default();
        if let Some(model) = &self.judging.model {
            check_model(model, &options)?;
        }
        self.store.set_recipe(&ExtractionRecipe::of(&options).without_evidence()).map_err(failed)?;
        let resume = kept::resume(&self.store).map_err(failed)?;
        let mut ledger = Ledger::new(&ledger_options(&options), resume);
        for device in self.labels.devices() {
            let label = self.labels.label_of(device, None).map(|label| label.class.clone());
            ledger.label(device, label);
        }
        ledger.judge_by(self.judging.judge());
        Ok(ledger)
    }

    /// Says what is missing, and what counts twice.
    pub(super) fn report(&self) -> Outcome {
        let Counts { parcels, repeats, refused, windows, shared_windows, shared_flows, messages_cut } =
            self.counts;
        let taken = counted(parcels, "part", "parts");
        self.messages.note(format!("{taken}, {}", counted(windows, "window", "windows")));
        if repeats > 0 {
            self.messages
                .detail(format!("{} came again, and changed nothing", counted(repeats, "part", "parts")));
        }
        if shared_windows > 0 {
            self.messages.warn(format!(
                "{} seen by several taps at the same time: {} may count more than once",
                counted(shared_windows, "window of a device", "windows of devices"),
                counted(shared_flows, "flow", "flows"),
            ));
        }
        if messages_cut > 0 {
            let cut = counted(messages_cut, "message", "messages");
            self.messages.warn(format!("{cut} in progress at the end of a part: missing or counted twice"));
        }
        let mut is_partial = refused > 0;
        for (name, tap) in self.collector.taps() {
            let before = self.at_start.get(name).cloned().unwrap_or_default();
            for text in lacks(name, &before, tap) {
                is_partial = true;
                self.messages.warn(text);
            }
        }
        let whole = report_left_out(&self.left_out, self.messages);
        if is_partial { Outcome::Partial } else { whole }
    }
}

/// What is missing of a tap now and was not before.
fn lacks(name: &Name, before: &TapState, now: &TapState) -> impl Iterator<Item = String> {
    let lacks = [
        (now.dropped - before.dropped, "dropped, since the spool of the tap was full"),
        (now.missing - before.missing, "never came"),
        (now.late - before.late, "came after their windows were stored"),
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
