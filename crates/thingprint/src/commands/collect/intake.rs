use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use thingprint_store::{Problem, Store};
use thingprint_taps::{Arrival, Collector, Depot, Inbox, Name, Parcel, TapState, TapsError};

use super::collection::{Collection, Pace, TAPS};
use super::judging::Materials;
use super::setback::{Setback, carried, stored};
use super::shared_shelf::SharedShelf;
use super::totals::{self, Totals};
use crate::commands::watch::signals::Signals;
use crate::commands::watch::station::failed;
use crate::exit::Outcome;
use crate::messages::{Messages, counted};

/// How long the next parcel is waited for before signals are looked at.
const WAIT: Duration = Duration::from_secs(1);
/// How long nothing is asked after the other end failed.
const PAUSE: Duration = Duration::from_secs(1);
/// Parcels that are taken at once where many wait; then windows are stored.
const MOST_AT_ONCE: usize = 256;
/// How long a collection that would end waits to be the one that stores what it took.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it asks for that.
const TURN: Duration = Duration::from_millis(200);

/// How a turn ended.
enum Turn {
    /// More may be there.
    More,
    /// Nothing is left that a collection would wait for that ends then.
    Drained,
    /// Another process holds the store, and no collector has used it yet.
    Held,
}

/// Takes parcels into the depot, and has the collection store their windows.
///
/// A file has one process that does both. A store of a server is shared: all who share it take parcels, each acknowledged once it
/// is in the server, and the one of them that holds the lock of the store makes windows of all. What that one knows is in the
/// store, so when it ends or loses the server, whoever gets the lock next goes on from there.
pub(super) struct Intake<'a> {
    store: PathBuf,
    depot: Arc<Depot>,
    /// Where the store is shared.
    shared: Option<SharedShelf>,
    materials: &'a Materials,
    messages: Messages,
    /// What stores windows, where this process does.
    lead: Option<Collection<'a>>,
    /// What was done by collections that are closed.
    totals: Totals,
    taken: u64,
    refused: u64,
    /// The taps as they were known last, where this process does not store windows now; `None` where nothing is known.
    known: Option<BTreeMap<Name, TapState>>,
    /// Whether it was said that another one stores windows.
    is_beside: bool,
    /// Whether it was said that parcels cannot be had, or not be kept.
    is_cut_off: bool,
}

impl<'a> Intake<'a> {
    /// Opens a store. One in a file has to be free; a shared one is opened when its server is there.
    pub(super) fn open(
        store: PathBuf,
        (depot, shared): (Depot, Option<SharedShelf>),
        materials: &'a Materials,
        messages: Messages,
    ) -> anyhow::Result<Self> {
        let mut intake = Self {
            store,
            depot: Arc::new(depot),
            shared,
            materials,
            messages,
            lead: None,
            totals: Totals::default(),
            taken: 0,
            refused: 0,
            known: None,
            is_beside: false,
            is_cut_off: false,
        };
        if intake.shared.is_none() {
            intake.lead = Some(intake.collection()?);
        }
        Ok(intake)
    }

    /// Takes parcels until a signal comes, or everything was taken.
    pub(super) fn run(
        &mut self,
        mut inbox: Box<dyn Inbox>,
        pace: Pace,
        signals: &Signals,
    ) -> anyhow::Result<()> {
        let (mut until, mut held_until) = (None, None);
        while !signals.ends() {
            match self.turn(&mut *inbox, pace, signals) {
                Ok(Turn::More) => {}
                Ok(Turn::Drained) if self.may_end(end_of(&mut until)) => return Ok(()),
                Ok(Turn::Held) if pace.is_once && Instant::now() >= end_of(&mut held_until) => {
                    let store = thingprint_store::shown(&self.store);
                    bail!(
                        "failed to use the store {}: another process holds it, and no collector has used it yet; stop that \
                         first, or name another store",
                        store.display()
                    );
                }
                Ok(Turn::Drained | Turn::Held) => std::thread::sleep(TURN),
                // What failed may work later: a server or a transport that is away, a full disk.
                Err(error) if !pace.is_once && error.is::<Setback>() => {
                    self.note_cut_off(&error);
                    self.give_up_lead();
                    std::thread::sleep(PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes what is there, and has windows stored.
    fn turn(&mut self, inbox: &mut dyn Inbox, pace: Pace, signals: &Signals) -> anyhow::Result<Turn> {
        if !self.is_ready()? {
            return Ok(Turn::Held);
        }
        let mut at_once = 0;
        while at_once < MOST_AT_ONCE && !signals.ends() {
            let Some(arrival) = inbox.next(WAIT).map_err(carried)? else { break };
            if let Some((file, parcel)) = self.keep(inbox, &arrival).map_err(carried)? {
                self.taken += 1;
                // Those of a shared store are looked for there, since others have some that come before.
                if let (None, Some(lead)) = (&self.shared, &mut self.lead) {
                    lead.take(&file, &parcel)?;
                }
            }
            at_once += 1;
        }
        if std::mem::take(&mut self.is_cut_off) {
            self.messages.note("parts come again");
            self.lead.iter_mut().for_each(Collection::hear_all);
        }
        // Those of a collection that was killed come again after a while.
        let is_drained = at_once < MOST_AT_ONCE && pace.is_once && inbox.is_drained().map_err(carried)?;
        if let Some(lead) = &mut self.lead
            && (!pace.is_once || is_drained)
        {
            if self.shared.is_some() {
                lead.look()?;
            }
            lead.settle(pace)?;
        }
        Ok(if is_drained { Turn::Drained } else { Turn::More })
    }

    /// Whether what is taken now will be stored, by this process or by another one.
    fn is_ready(&mut self) -> anyhow::Result<bool> {
        if self.lead.is_some() {
            return Ok(true);
        }
        let lead = self.collection();
        match lead {
            Ok(lead) => {
                if std::mem::take(&mut self.is_beside) {
                    self.messages.note("this collector stores the windows from now on");
                }
                self.lead = Some(lead);
                Ok(true)
            }
            Err(error) if error.is::<Led>() => {
                if !std::mem::replace(&mut self.is_beside, true) {
                    self.messages.note(
                        "another collector stores the windows; this one takes parts, and goes on from there when that one ends",
                    );
                }
                self.known = self.taps()?;
                Ok(self.known.is_some())
            }
            Err(error) => Err(error),
        }
    }

    /// What stores windows.
    fn collection(&self) -> anyhow::Result<Collection<'a>> {
        let store = Store::open(&self.store).map_err(|error| match error.problem {
            Problem::Locked { .. } if self.shared.is_some() => Led.into(),
            _ => stored(error),
        })?;
        let depot = (Arc::clone(&self.depot), self.shared.is_some());
        Collection::open(store, depot, self.materials, self.messages)
    }

    /// The taps as the store remembers them; `None` where it was never written. Fails where it is of another network.
    fn taps(&self) -> anyhow::Result<Option<BTreeMap<Name, TapState>>> {
        let Some(shared) = &self.shared else { return Ok(None) };
        let Some(memory) = shared.state(TAPS).map_err(stored)? else { return Ok(None) };
        let collector = Collector::new(&self.materials.network, Some(&memory)).map_err(failed)?;
        Ok(Some(collector.taps().clone()))
    }

    /// Whether what was taken is stored, or somebody else will do it.
    fn may_end(&self, until: Instant) -> bool {
        self.lead.is_some() || Instant::now() >= until
    }

    /// Keeps a parcel where it is safe, and acknowledges it; `None` where it is none.
    fn keep(
        &mut self,
        inbox: &mut dyn Inbox,
        arrival: &Arrival,
    ) -> Result<Option<(String, Parcel)>, TapsError> {
        let kept = match Parcel::from_bytes(&arrival.bytes, &arrival.place) {
            Ok(parcel) => match self.depot.put(&parcel, &arrival.bytes) {
                Ok(file) => Some((file, parcel)),
                // It can never be kept, so that nobody gains where it comes again and again.
                Err(error @ TapsError::BadParcel { .. }) => self.refuse(&error),
                Err(error) => return Err(error),
            },
            Err(error) => self.refuse(&error),
        };
        inbox.acknowledge()?;
        Ok(kept)
    }

    /// Counts a part that is lost, and says why.
    fn refuse<T>(&mut self, error: &TapsError) -> Option<T> {
        self.refused += 1;
        self.messages.warn(format_args!("failed to {error}"));
        None
    }

    /// Closes the collection after a failure. What it knows may be ahead of the store, and of a shared one somebody else may
    /// store windows by now. The next one begins with what is in the store, and takes from the depot what is not.
    fn give_up_lead(&mut self) {
        if let Some(lead) = self.lead.take() {
            self.end(lead.give_up());
        }
    }

    fn end(&mut self, (taps, totals): (BTreeMap<Name, TapState>, Totals)) {
        self.known = Some(taps);
        self.totals = std::mem::take(&mut self.totals).and(totals);
    }

    fn note_cut_off(&mut self, error: &anyhow::Error) {
        if !std::mem::replace(&mut self.is_cut_off, true) {
            self.messages.warn(format_args!("{error}; trying again"));
        }
    }

    /// Says what was done, and gives the taps as they are known, and those that hold windows back.
    pub(super) fn report(
        mut self,
        pace: Pace,
    ) -> anyhow::Result<(BTreeMap<Name, TapState>, BTreeSet<Name>, Outcome)> {
        let lead = self.lead.take();
        let (taps, holding, outcome) = if let Some(lead) = lead {
            let holding = lead.held_back_by(pace)?;
            let (taps, totals) = lead.close();
            self.end((taps.clone(), totals));
            (taps, holding, Outcome::Done)
        } else {
            // Whoever stores the windows knows how long it waits for each.
            let (taps, outcome) = self.left_to_others()?;
            (taps, BTreeSet::new(), outcome)
        };
        self.totals.refused += self.refused;
        let whole = self.totals.report(&taps, self.messages);
        totals::report_holding(&taps, &holding, pace, self.messages);
        Ok((taps, holding, outcome.max(whole)))
    }

    /// Says who stores what was taken, where this process does not at the end; gives the taps as they were known last.
    fn left_to_others(&mut self) -> anyhow::Result<(BTreeMap<Name, TapState>, Outcome)> {
        let is_idle = self.taken == 0 && self.known.is_none();
        let (taps, is_there) = match (self.taps(), self.known.take()) {
            (Ok(taps), _) => (taps.unwrap_or_default(), true),
            (Err(error), Some(known)) if error.is::<Setback>() => {
                self.messages.warn(error);
                (known, false)
            }
            (Err(error), _) => return Err(error),
        };
        let taken = counted(self.taken, "part", "parts");
        if self.is_beside && is_there {
            self.messages.note(format!("{taken} taken; another collector stores the windows"));
        } else if !is_idle {
            self.messages.warn(format_args!(
                "{taken} taken; those whose windows are not stored wait in the database until a collector goes on"
            ));
            return Ok((taps, Outcome::Partial));
        }
        Ok((taps, Outcome::Done))
    }
}

/// When patience ends that begins now, or began before.
fn end_of(until: &mut Option<Instant>) -> Instant {
    *until.get_or_insert_with(|| Instant::now() + PATIENCE)
}

/// Another process stores the windows.
#[derive(Debug)]
struct Led;

impl std::fmt::Display for Led {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("another collector stores the windows")
    }
}

impl std::error::Error for Led {}
