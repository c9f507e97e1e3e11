use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thingprint_flow::{Decoder, Frame, MacAddr, Timestamp};
use thingprint_instance::{
    Builder, ExtractionRecipe, InstanceOptions, PartFile, PartId, PartSettings, Partial,
};
use thingprint_protocol::Engine;

use crate::name::Name;
use crate::parcel::{Parcel, ParcelHead, RunId};

/// A reading that begins so long before what was cut is of another time, and not the same packets again, in nanoseconds.
const ANOTHER_TIME_NS: i64 = 172_800_000_000_000;

/// How a tap cuts what it sees.
#[derive(Clone, Debug)]
pub struct TapOptions {
    /// The network.
    pub network: Name,
    /// The tap.
    pub tap: Name,
    /// How instances are formed; a window is a span of time.
    pub instance: InstanceOptions,
    /// What finds messages.
    pub engine: Engine,
    /// The gateways that are named; empty where they are to be found.
    pub gateways: BTreeSet<MacAddr>,
    /// Whether packets can be read again, as those of files can: then what was cut is not cut again.
    pub can_replay: bool,
}

/// How far a tap has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The numbering of its parcels.
    pub run: RunId,
    /// The number of the next parcel.
    pub next: u64,
    /// The clock up to which everything was cut; `None` before the first parcel.
    pub until: Option<Timestamp>,
}

impl Position {
    /// Nothing was cut yet.
    pub const fn begin(run: RunId) -> Self {
        Self { run, next: 0, until: None }
    }

    /// Behind this parcel.
    pub const fn after(head: &ParcelHead) -> Self {
        Self { run: head.run, next: head.number.saturating_add(1), until: Some(head.until) }
    }
}

/// Cuts the frames of a live reading into parcels: a part ends when the clock says that another window is final.
///
/// It is cut in the order of the frames. So parts that follow one another merge to what one reading of all frames gives.
#[derive(Debug)]
pub struct Tap {
    options: TapOptions,
    decoder: Decoder,
    builder: Builder,
    position: Position,
    /// The highest time so far; `None` before the first frame.
    clock: Option<Timestamp>,
    /// The clock at which the part ends.
    cut_at: Timestamp,
    /// The clock up to which frames are in parts that were cut before.
    skips_until: Option<Timestamp>,
}

impl Tap {
    /// A tap that goes on behind its last parcel.
    pub fn new(mut options: TapOptions, position: Position) -> Self {
        // Whoever merges the parts finds the gateways.
        options.instance.flow.gateways = BTreeSet::new();
        let builder = Builder::new(options.instance.clone(), &options.engine);
        let skips_until = position.until.filter(|_| options.can_replay);
        let decoder = Decoder::default();
        Self { options, decoder, builder, position, clock: None, cut_at: Timestamp::MAX, skips_until }
    }

    /// Takes the next frame; gives the parcel that ends before it.
    pub fn frame(&mut self, frame: Frame<'_>) -> Option<Parcel> {
        let before = self.clock;
        let clock = if frame.begins_segment {
            frame.time
        } else {
            before.max(Some(frame.time)).unwrap_or(frame.time)
        };
        self.clock = Some(clock);
        if before.is_none() || frame.begins_segment {
            let is_other = |until: &Timestamp| until.nanos_since(frame.time) > ANOTHER_TIME_NS;
            self.skips_until = self.skips_until.filter(|until| !is_other(until));
            self.cut_at = self.next_cut(clock);
        }
        if self.skips_until.is_some_and(|until| clock < until) {
            return None;
        }
        if self.skips_until.take().is_some() {
            self.cut_at = self.next_cut(clock);
        }
        let parcel = self.cut_by(clock);
        if frame.begins_segment {
            self.builder.begin_segment(frame.time);
        }
        self.builder.push(&self.decoder.decode(frame));
        parcel
    }

    /// Moves the clock without a frame; gives the parcel that ends by it.
    pub fn tick(&mut self, now: Timestamp) -> Option<Parcel> {
        if self.skips_until.is_some() || self.clock? >= now {
            return None;
        }
        self.clock = Some(now);
        self.cut_by(now)
    }

    /// Ends the reading, and gives the last parcel. Where packets can be read again and the sources did not end, what is open
    /// is left to the next reading.
    pub fn finish(mut self, is_ended: bool) -> Option<Parcel> {
        let clock = self.clock.filter(|_| self.skips_until.is_none())?;
        if self.options.can_replay && !is_ended {
            return None;
        }
        // Behind the last frame, which is not read again.
        Some(self.cut(clock.plus_nanos(1), is_ended))
    }

    fn cut_by(&mut self, clock: Timestamp) -> Option<Parcel> {
        if clock < self.cut_at {
            return None;
        }
        let next = self.next_cut(clock);
        let window = self.options.instance.flow.window;
        let index = window.index_of(next.plus_nanos(-self.final_ns()).plus_nanos(-1));
        let until = window.start_of(index).plus_nanos(self.final_ns());
        self.cut_at = next;
        Some(self.cut(until, false))
    }

    /// The clock at which the next window is final.
    fn next_cut(&self, clock: Timestamp) -> Timestamp {
        let window = self.options.instance.flow.window;
        let final_ns = self.final_ns();
        window.end_of(window.index_of(clock.plus_nanos(-final_ns))).plus_nanos(final_ns)
    }

    /// How long after its end a window is final, in nanoseconds.
    fn final_ns(&self) -> i64 {
        final_ns(&self.options.instance)
    }

    fn cut(&mut self, until: Timestamp, is_last: bool) -> Parcel {
        let TapOptions { network, tap, instance, engine, gateways, .. } = &self.options;
        let builder = std::mem::replace(&mut self.builder, Builder::new(instance.clone(), engine));
        let Position { run, next, .. } = self.position;
        let id = PartId::of_text(&format!("{network} {tap} {} {} {next}", run.begun.as_nanos(), run.salt));
        // Parts of a tap that begin at the same time are in the order of their numbers.
        let (part, _) = builder.finish(id, Some(format!("{tap} {next:020}")));
        let span = part.as_ref().and_then(thingprint_instance::Part::span);
        let part = part.map(|part| {
            let mut parts = Partial::default();
            parts.insert(part.seen_by(tap.as_str().to_owned()));
            let settings =
                PartSettings { local_nets: instance.flow.local_nets.clone(), ..PartSettings::default() };
            let recipe = ExtractionRecipe::of(instance);
            let file = PartFile { recipe, gateways: gateways.clone(), settings, share: None, parts };
            let mut bytes = Vec::new();
            // Writing into memory does not fail.
            let _ = file.write(&mut bytes);
            bytes
        });
        let window = instance.flow.window;
        let last_final = window.index_of(until.plus_nanos(-final_ns(instance)).plus_nanos(-1));
        let head = ParcelHead {
            network: network.clone(),
            tap: tap.clone(),
            run,
            number: next,
            span,
            window: window.start_of(last_final),
            until,
            is_last,
            is_dropped: false,
        };
        self.position = Position::after(&head);
        Parcel { head, part: part.unwrap_or_default() }
    }
}

/// How long after its end a window is final, in nanoseconds.
pub(crate) fn final_ns(options: &InstanceOptions) -> i64 {
    options.flow.lateness_ns.saturating_add(options.flow.ending.longest_idle_ns())
}
