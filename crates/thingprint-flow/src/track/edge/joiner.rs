use std::collections::{BTreeMap, BTreeSet};

use super::head::FlowHead;
use super::record::{CarriedFlow, FlowEdges};
use super::run::FlowRun;
use crate::Timestamp;
use crate::track::DeviceIndex;
use crate::track::flow::{Fate, Flow, FlowEnd, OpenFlow};
use crate::track::key::{DevicePacket, FiveTuple, FlowKey};
use crate::track::options::{FlowEnding, FlowOptions};
use crate::track::streams::Streams;
use crate::track::window::WindowIndex;

/// Joins the flows of a device over the edges of parts, which come in the order of the trace.
///
/// It is the flow table of [`Tracker`](crate::Tracker) without the end of windows: a packet finds the flow of its
/// window, or begins one, by the same rules.
#[derive(Debug)]
pub struct FlowJoiner<'a> {
    options: &'a FlowOptions,
    places: BTreeMap<(FiveTuple, WindowIndex), Place>,
    carried: BTreeMap<FiveTuple, CarriedFlow>,
    mid_message: BTreeSet<FiveTuple>,
    joined: JoinedFlows,
}

/// What the edges of parts come to.
#[derive(Debug, Default)]
pub struct JoinedFlows {
    /// The flows; their devices have no meaning.
    pub flows: Vec<Flow<()>>,
    /// Spans of activity between the packets of the same flow, both ends included.
    pub spans: Vec<(Timestamp, Timestamp)>,
    /// Messages that were not complete at the end of a part, in flows that go on in another.
    pub messages_cut: u64,
    /// Flows of which a part kept less than their joining needs.
    pub uncertain: u64,
}

/// The flow of a tuple in a window.
#[derive(Debug)]
enum Place {
    /// It may go on.
    Open { flow: Box<OpenFlow<()>>, is_coarse: bool },
    /// A part counted it; it began at this time.
    Elsewhere(Timestamp),
}

impl<'a> FlowJoiner<'a> {
    /// A joiner that has seen no part.
    pub fn new(options: &'a FlowOptions) -> Self {
        Self {
            options,
            places: BTreeMap::new(),
            carried: BTreeMap::new(),
            mid_message: BTreeSet::new(),
            joined: JoinedFlows::default(),
        }
    }

    /// Takes the edges of the next part.
    pub fn join(&mut self, edges: &FlowEdges) {
        for head in &edges.heads {
            self.replay(head);
        }
        for record in &edges.open {
            let place = Place::Open { flow: Box::new(record.reopen()), is_coarse: false };
            self.put((record.tuple, record.window), place);
        }
        for carried in &edges.carried {
            self.close_all(carried.tuple);
            self.carried.insert(carried.tuple, carried.clone());
        }
        let heads = edges.heads.iter().filter(|head| head.is_mid_message).map(|head| head.tuple);
        let open = edges.open.iter().filter(|record| record.is_mid_message).map(|record| record.tuple);
        self.mid_message.extend(heads.chain(open));
    }

    /// Closes what is open.
    pub fn finish(mut self) -> JoinedFlows {
        for ((_, window), place) in std::mem::take(&mut self.places) {
            self.joined.close(place, window);
        }
        self.joined
    }

    fn replay(&mut self, head: &FlowHead) {
        for run in &head.runs {
            run.show(&head.tuple, |view| self.take(head.tuple, run, view));
        }
        if let Some(last) = head.runs.last().filter(|_| head.is_settled)
            && let Some(place) = self.places.remove(&(head.tuple, last.window))
        {
            self.joined.close(place, last.window);
        }
    }

    fn take(&mut self, tuple: FiveTuple, run: &FlowRun, view: &DevicePacket<'_, '_>) {
        let key = (tuple, run.window);
        let is_mid_message = self.mid_message.remove(&tuple);
        let span = match self.places.get_mut(&key).filter(|_| !run.is_elsewhere()) {
            Some(Place::Open { flow, is_coarse }) => {
                self.joined.uncertain += u64::from(is_uncertain(flow, *is_coarse, run, self.options));
                let span = follow(flow, run, view, self.options);
                *is_coarse |= run.is_coarse();
                if span.is_none() {
                    self.begin(key, run, view);
                }
                span
            }
            Some(Place::Elsewhere(_)) => {
                self.begin(key, run, view);
                None
            }
            None => {
                let from = self.before(key, run, view);
                self.begin(key, run, view);
                from.map(|from| (from, run.time))
            }
        };
        self.joined.messages_cut += u64::from(is_mid_message && span.is_some());
        self.joined.spans.extend(span);
        self.join_newer(key, run.time);
    }

    /// A flow that begins with a run, or a place for one that its part counted.
    fn begin(&mut self, key: (FiveTuple, WindowIndex), run: &FlowRun, view: &DevicePacket<'_, '_>) {
        let place = if run.is_elsewhere() {
            Place::Elsewhere(run.time)
        } else {
            let flow_key = FlowKey { device: DeviceIndex::new(0), tuple: key.0 };
            let mut flow = OpenFlow::begin(flow_key, run.is_from_low(), view, self.options);
            flow.absorb(run, view, self.options);
            Place::Open { flow: Box::new(flow), is_coarse: run.is_coarse() }
        };
        self.put(key, place);
    }

    fn put(&mut self, key: (FiveTuple, WindowIndex), place: Place) {
        if let Some(before) = self.places.insert(key, place) {
            self.joined.close(before, key.1);
        }
    }

    fn close_all(&mut self, tuple: FiveTuple) {
        let all = (tuple, WindowIndex(i64::MIN))..=(tuple, WindowIndex(i64::MAX));
        let keys: Vec<_> = self.places.range(all).map(|(key, _)| *key).collect();
        for key in keys {
            if let Some(place) = self.places.remove(&key) {
                self.joined.close(place, key.1);
            }
        }
    }

    /// The last packet of the same flow in an earlier window, if it goes on from there.
    fn before(
        &mut self,
        key: (FiveTuple, WindowIndex),
        run: &FlowRun,
        view: &DevicePacket<'_, '_>,
    ) -> Option<Timestamp> {
        let idle_ns = self.options.ending.idle_ns(key.0.protocol())?;
        let goes_on = |last: Timestamp, streams: &Streams| {
            let is_superseded = run
                .segment()
                .is_some_and(|segment| streams.are_replaced_by(segment, run.is_from_low(), view.time));
            view.time.nanos_since(last) <= idle_ns && !is_superseded
        };
        match self.places.range((key.0, WindowIndex(i64::MIN))..key).next_back() {
            Some((_, Place::Open { flow, .. })) => {
                (flow.is_open() && goes_on(flow.last, &flow.streams)).then_some(flow.last)
            }
            Some((_, Place::Elsewhere(_))) => None,
            None => {
                let carried = self.carried.remove(&key.0)?;
                goes_on(carried.last, &carried.streams).then_some(carried.last)
            }
        }
    }

    /// A packet for an older window may close the silence before the same flow's packets in a newer one.
    fn join_newer(&mut self, key: (FiveTuple, WindowIndex), time: Timestamp) {
        let Some(idle_ns) = self.options.ending.idle_ns(key.0.protocol()) else { return };
        let newer = (key.0, WindowIndex(key.1.0.saturating_add(1)))..=(key.0, WindowIndex(i64::MAX));
        let first = self.places.range(newer).next().map(|(_, place)| match place {
            Place::Open { flow, .. } => flow.first,
            Place::Elsewhere(first) => *first,
        });
        let is_open = matches!(self.places.get(&key), Some(Place::Open { flow, .. }) if flow.is_open());
        if let Some(first) = first
            && is_open
            && first.nanos_since(time) <= idle_ns
        {
            self.joined.spans.push((time, first));
        }
    }
}

impl JoinedFlows {
    fn close(&mut self, place: Place, window: WindowIndex) {
        if let Place::Open { flow, .. } = place {
            self.flows.push(flow.close(window, FlowEnd::Edge, Timestamp::MAX));
        }
    }
}

/// Adds a run to the flow of its window, if it belongs to it; gives the span that this makes active.
fn follow(
    flow: &mut OpenFlow<()>,
    run: &FlowRun,
    view: &DevicePacket<'_, '_>,
    options: &FlowOptions,
) -> Option<(Timestamp, Timestamp)> {
    let view = DevicePacket { is_sent: flow.is_sent(run.is_from_low()), ..*view };
    match flow.fate(&view, options.ending) {
        Fate::Joins => {
            let span = (flow.last.min(run.time), flow.first.max(run.time));
            flow.absorb(run, &view, options);
            Some(span)
        }
        Fate::Replaces(_) => None,
    }
}

/// Whether what a run leaves out may decide what becomes of it in a flow.
fn is_uncertain(flow: &OpenFlow<()>, is_coarse: bool, run: &FlowRun, options: &FlowOptions) -> bool {
    let is_syn = run.segment().is_some_and(|segment| segment.flags.syn());
    if is_syn && is_coarse && !flow.streams.is_complete() {
        return true;
    }
    let ends = match options.ending {
        FlowEnding::Joy { cut_after_ns } => Some(flow.first.plus_nanos(cut_after_ns)),
        FlowEnding::Connection { tcp_idle_ns, .. } => flow.ended.map(|(at, _)| at.plus_nanos(tcp_idle_ns)),
    };
    run.is_coarse() && ends.is_some_and(|ends| run.earliest() <= ends && ends < run.latest())
}
