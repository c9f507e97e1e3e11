use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, DeviceLosses, GatewayEvidence, GatewayPolicy, Gateways, MacAddr, Timestamp};
use thingprint_instance::{
    ExtractionRecipe, Instance, InstanceOptions, Part, PartFile, PartId, PartSettings, Partial, SharedWindow,
};

use crate::error::TapsError;
use crate::name::Name;
use crate::parcel::Parcel;
use crate::tap::final_ns;
use crate::tap_state::TapState;

/// Number of the form in which a collector remembers things; raised when a field changes.
const FORM: u32 = 1;

/// Joins the parcels of the taps of one network, and says which windows are final.
///
/// A window is final when every tap that is waited for has come so far that none of its packets can count in it.
#[derive(Debug)]
pub struct Collector {
    memory: Memory,
    parts: Partial,
    /// What is kept of parcels on disk, by the name of their file.
    held: BTreeMap<String, Held>,
    /// Start of the earliest final window for which a parcel came late.
    late_from: Option<Timestamp>,
    /// Times of taps of which nothing came.
    gaps: Vec<(Timestamp, Timestamp)>,
}

/// What a collector remembers in the store, beside parcels in the depot.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Memory {
    network: Name,
    making: Option<Making>,
    taps: BTreeMap<Name, TapState>,
    evidence: GatewayEvidence,
    final_until: Option<Timestamp>,
}

/// How the parts of the network are made: all of them in one way.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Making {
    recipe: String,
    settings: PartSettings,
    gateways: BTreeSet<MacAddr>,
}

#[derive(Clone, Debug)]
struct Held {
    parts: Vec<PartId>,
    until: Timestamp,
}

/// What became of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is in.
    New,
    /// It came before, and changes nothing.
    Repeat,
}

/// Windows that are final now, and what has to be kept with them.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The instances, in the order of windows and devices.
    pub instances: Vec<Instance>,
    /// When each device was seen first and last.
    pub seen: BTreeMap<DeviceId, (Timestamp, Timestamp)>,
    /// The gateways.
    pub gateways: Gateways,
    /// Every window that ends by this time is final.
    pub until: Timestamp,
    /// Devices that several taps saw in one of these windows at the same time.
    pub shared: Vec<SharedWindow>,
    /// Times of which parts of a tap are missing.
    pub gaps: Vec<(Timestamp, Timestamp)>,
    /// Messages that were in progress where parts were cut, and are missing or counted twice.
    pub messages_cut: u64,
    /// What caps left out, by device.
    pub left_out: DeviceLosses,
    /// Files of parcels that can change no window any more, once this is kept.
    pub retired: Vec<String>,
}

impl Collector {
    /// A collector of a network; `memory` is what [`remembered`](Self::remembered) gave last.
    pub fn new(network: &Name, memory: Option<&[u8]>) -> Result<Self, TapsError> {
        let fresh = Memory {
            network: network.clone(),
            making: None,
            taps: BTreeMap::new(),
            evidence: GatewayEvidence::default(),
            final_until: None,
        };
        let memory = memory.map_or(Ok(fresh), Memory::read)?;
        if memory.network != *network {
            let problem = format!(
                "it collects the network {}: name that one by --network, or another store",
                memory.network
            );
            return Err(TapsError::BadParcel { place: "the store".to_owned(), problem });
        }
        Ok(Self {
            memory,
            parts: Partial::default(),
            held: BTreeMap::new(),
            late_from: None,
            gaps: Vec::new(),
        })
    }

    /// Takes a parcel that is kept in a file of this name.
    ///
    /// Fails where it is of another network, or made in another way than those before; then nothing of it was taken.
    pub fn take(&mut self, file: &str, parcel: &Parcel) -> Result<Taken, TapsError> {
        let Parcel { head, .. } = parcel;
        if head.network != self.memory.network {
            let problem =
                format!("it is of the network {}, and not of {}", head.network, self.memory.network);
            return Err(TapsError::Misfit { tap: head.tap.to_string(), problem });
        }
        let known = self.memory.taps.get(&head.tap);
        if known.is_some_and(|state| state.has(head)) {
            self.hold(file, parcel)?;
            return Ok(Taken::Repeat);
        }
        self.gaps.extend(known.and_then(|state| state.gap_before(head)));
        if let Some(part) = self.hold(file, parcel)? {
            part.parts.parts().for_each(|part| self.memory.evidence.merge(part.gateways()));
        }
        let start = head.span.map(|(start, _)| start);
        let late = start.zip(self.memory.final_until).filter(|(start, until)| start < until);
        if let Some((start, _)) = late {
            self.late_from = Some(self.late_from.map_or(start, |from| from.min(start)));
        }
        self.memory.taps.entry(head.tap.clone()).or_default().note(head, late.is_some());
        Ok(Taken::New)
    }

    /// Whether the parcel of this file was taken, and can change windows still.
    pub fn holds(&self, file: &str) -> bool {
        self.held.contains_key(file)
    }

    /// Waits for a tap that was not heard of yet.
    pub fn expect(&mut self, tap: Name) {
        self.memory.taps.entry(tap).or_default();
    }

    /// The taps.
    pub const fn taps(&self) -> &BTreeMap<Name, TapState> {
        &self.memory.taps
    }

    /// How instances are made; `None` before the first part.
    pub fn options(&self) -> Result<Option<InstanceOptions>, TapsError> {
        self.memory.making.as_ref().map(Making::options).transpose()
    }

    /// Until when windows are final; `None` where none is.
    pub const fn final_until(&self) -> Option<Timestamp> {
        self.memory.final_until
    }

    /// The gateways that taps were given.
    pub fn given_gateways(&self) -> BTreeSet<MacAddr> {
        self.memory.making.as_ref().map(|making| making.gateways.clone()).unwrap_or_default()
    }

    /// What belongs into the store with what is settled.
    pub fn remembered(&self) -> Vec<u8> {
        // Writing into memory fails for none of these types; what is empty is read as nothing.
        postcard::to_stdvec(&(FORM, &self.memory)).unwrap_or_default()
    }

    /// The windows that are final by now; `None` where there are none. `is_waited` says whether a tap that did not end is
    /// waited for.
    pub fn settle(
        &mut self,
        is_waited: impl Fn(&Name, &TapState) -> bool,
        policy: &GatewayPolicy,
    ) -> Result<Option<Settled>, TapsError> {
        let Some(options) = self.options()? else { return Ok(None) };
        let before = self.memory.final_until;
        let until = self.until(&options, is_waited).max(before);
        let late_from = self.late_from.take();
        let Some(until) = until.filter(|until| Some(*until) > before || late_from.is_some()) else {
            self.late_from = late_from;
            return Ok(None);
        };
        let gateways = policy.decide(&self.memory.evidence);
        let decided = GatewayPolicy {
            given: gateways.0.keys().copied().collect(),
            is_none: gateways.0.is_empty(),
            ..policy.clone()
        };
        let assembled = self.parts.assemble(&options, &decided);
        let window = options.flow.window;
        let from = match late_from.map(|late| window.start_of(window.index_of(late))) {
            Some(late) => before.min(Some(late)),
            None => before,
        };
        let is_settled = |start: Timestamp| start < until && from.is_none_or(|from| start >= from);
        let mut instances = assembled.instances;
        instances.retain(|instance| is_settled(instance.window_start));
        instances.sort_by_key(|instance| (instance.window_start, instance.device));
        let mut shared = assembled.shared;
        shared.retain(|shared| is_settled(shared.window_start));
        self.memory.final_until = Some(until);
        Ok(Some(Settled {
            instances,
            seen: assembled.seen,
            gateways,
            until,
            shared,
            gaps: self.gaps.clone(),
            messages_cut: assembled.differences.messages,
            left_out: assembled.left_out,
            retired: self.retire(until, &options),
        }))
    }

    /// The taps that hold windows back: without them, and those that are behind them, later windows would be final than are now.
    pub fn held_back_by(
        &self,
        is_waited: impl Fn(&Name, &TapState) -> bool,
    ) -> Result<BTreeSet<Name>, TapsError> {
        let Some(options) = self.options()? else { return Ok(BTreeSet::new()) };
        let holds = |name: &Name, state: &TapState| {
            let own = Self::final_by(state, &options);
            let is_ahead = |state: &TapState| Self::final_by(state, &options) > own;
            let without = self.until(&options, |name, state| is_waited(name, state) && is_ahead(state));
            !state.is_ended && is_waited(name, state) && without > own.max(self.memory.final_until)
        };
        let taps = self.memory.taps.iter().filter(|(name, state)| holds(name, state));
        Ok(taps.map(|(name, _)| name.clone()).collect())
    }

    /// Until when windows are final for a tap that did not end; `None` for one that was never heard.
    fn final_by(state: &TapState, options: &InstanceOptions) -> Option<Timestamp> {
        let window = options.flow.window;
        let passed = state.until?.plus_nanos(-final_ns(options));
        Some(window.start_of(window.index_of(passed)))
    }

    /// The time up to which windows are final.
    fn until(
        &self,
        options: &InstanceOptions,
        is_waited: impl Fn(&Name, &TapState) -> bool,
    ) -> Option<Timestamp> {
        let window = options.flow.window;
        let is_live = |(name, state): &(&Name, &TapState)| !state.is_ended && is_waited(name, state);
        let final_by = |state: &TapState| Self::final_by(state, options);
        let mut live = self.memory.taps.iter().filter(is_live).peekable();
        if live.peek().is_some() {
            return live.map(|(_, state)| final_by(state)).min().flatten();
        }
        let last = |state: &TapState| {
            let end = |until: Timestamp| window.end_of(window.index_of(until));
            if state.is_ended { state.until.map(end) } else { final_by(state) }
        };
        self.memory.taps.values().filter_map(last).max()
    }

    /// Keeps the part of a parcel in memory.
    fn hold(&mut self, file: &str, parcel: &Parcel) -> Result<Option<PartFile>, TapsError> {
        let part = parcel.part_file()?;
        if parcel.head.is_dropped {
            self.gaps.extend(parcel.head.span);
        }
        if let Some(part) = &part {
            self.check(parcel, part)?;
            part.parts.parts().cloned().for_each(|part| self.parts.insert(part));
        }
        let parts = part.iter().flat_map(|part| part.parts.parts()).map(Part::id).collect();
        self.held.insert(file.to_owned(), Held { parts, until: parcel.head.until });
        Ok(part)
    }

    /// Refuses a part that is made in another way than those before.
    fn check(&mut self, parcel: &Parcel, part: &PartFile) -> Result<(), TapsError> {
        let Some(making) = &mut self.memory.making else {
            self.memory.making = Some(Making {
                recipe: part.recipe.to_string(),
                settings: part.settings.clone(),
                gateways: part.gateways.clone(),
            });
            return Ok(());
        };
        let misfit = |problem: String| TapsError::Misfit { tap: parcel.head.tap.to_string(), problem };
        if making.recipe != part.recipe.to_string() {
            return Err(misfit(format!(
                "they are extracted with '{}', those before with '{}'; give all taps the same options",
                part.recipe, making.recipe
            )));
        }
        if making.settings != part.settings {
            return Err(misfit("give all taps the same --local-nets".to_owned()));
        }
        making.gateways.extend(part.gateways.iter().copied());
        Ok(())
    }

    /// Lets go of parts that can change no window from this time on, and says which files they are in.
    ///
    /// A flow is cut at the edges of windows, so what lies more than a window back decides nothing, with the time after which
    /// windows are final on both sides.
    fn retire(&mut self, until: Timestamp, options: &InstanceOptions) -> Vec<String> {
        let window = options.flow.window;
        let length = until.nanos_since(window.start_of(window.index_of(until.plus_nanos(-1))));
        let since = until.plus_nanos(-length - 2 * final_ns(options));
        let mut retired = Vec::new();
        self.gaps.retain(|(_, to)| *to > since);
        self.held.retain(|file, held| {
            let is_needed = held.until > since;
            if !is_needed {
                retired.push((file.clone(), held.parts.clone()));
            }
            is_needed
        });
        let gone: BTreeSet<PartId> = retired.iter().flat_map(|(_, parts)| parts.iter().copied()).collect();
        self.parts.retain(|part| !gone.contains(&part.id()));
        retired.into_iter().map(|(file, _)| file).collect()
    }
}

impl Memory {
    fn read(bytes: &[u8]) -> Result<Self, TapsError> {
        let bad = |problem: String| TapsError::BadParcel {
            place: "what the store remembers of taps".to_owned(),
            problem: format!("{problem}; name another store"),
        };
        let (form, rest) = postcard::take_from_bytes::<u32>(bytes).map_err(|error| bad(error.to_string()))?;
        if form != FORM {
            return Err(bad(format!("another version of the program wrote it, form {form}")));
        }
        postcard::from_bytes(rest).map_err(|error| bad(error.to_string()))
    }
}

impl Making {
    fn options(&self) -> Result<InstanceOptions, TapsError> {
        let misfit = |problem: String| TapsError::Misfit { tap: "any".to_owned(), problem };
        let recipe = self.recipe.parse::<ExtractionRecipe>().map_err(|error| misfit(error.to_string()))?;
        let mut options = recipe.options().map_err(|error| misfit(error.to_string()))?;
        options.flow.local_nets = self.settings.local_nets.clone();
        Ok(options)
    }
}
