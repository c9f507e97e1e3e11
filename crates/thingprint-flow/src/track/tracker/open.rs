use super::{Carried, OpenWindow, Tracker};
use crate::Timestamp;
use crate::track::device::DeviceIndex;
use crate::track::edge::{CarriedFlow, FlowRecord};
use crate::track::flow::{Flow, FlowEnd, OpenFlow};
use crate::track::key::FlowKey;
use crate::track::observer::Observer;
use crate::track::options::FlowOptions;

/// Bytes beside each flow of a table: its hash, and its place in the index with a byte of the index's own.
const INDEX_BYTES: usize = size_of::<u64>() + size_of::<u32>() + 1;

impl<O: Observer> Tracker<O> {
    /// The flows that are open now and of a device that is wanted, as they would be if they were closed, in the order of
    /// windows and first packets.
    pub fn open_flows(&self, wanted: impl Fn(DeviceIndex) -> bool) -> Vec<Flow<()>> {
        let closed_at = self.span.map_or(Timestamp::MIN, |(_, clock)| clock);
        let of_window = |window: &OpenWindow<O::State>| {
            let (index, open) = (window.index, window.table.iter());
            open.filter(|flow| wanted(flow.key.device))
                .map(|flow| flow.as_closed(index, FlowEnd::Edge, closed_at))
                .collect::<Vec<_>>()
        };
        self.windows.iter().flat_map(of_window).collect()
    }

    /// Number of flows that are open.
    pub fn open_flow_count(&self) -> usize {
        self.windows.iter().map(|window| window.table.len()).sum()
    }

    /// Bytes that the flow table keeps of a device: its open flows, and those that may go on in the next window. What
    /// states and streams hold elsewhere, like the start of a message that goes on, is not among them.
    pub fn kept_bytes(&self, device: DeviceIndex) -> u64 {
        let of_window = |window: &OpenWindow<O::State>| {
            window.table.iter().filter(|flow| flow.key.device == device).count()
        };
        let open: usize = self.windows.iter().map(of_window).sum();
        let carried = self.carried.keys().filter(|key| key.device == device).count();
        let flow = size_of::<Option<OpenFlow<O::State>>>() + INDEX_BYTES;
        let carried_flow = size_of::<(FlowKey, Carried<O::State>)>() + 1;
        (open * flow + carried * carried_flow) as u64
    }
    /// Shows the flows that a trace which continues this one may continue.
    pub(super) fn leave_open(&mut self) {
        let Some((_, clock)) = self.span.filter(|_| O::WANTS_OPEN) else { return };
        let FlowOptions { ending, lateness_ns, .. } = self.options;
        for window in &mut self.windows {
            for flow in window.table.iter_mut() {
                let until = flow.ended.map_or(flow.last, |(at, _)| at).plus_nanos(lateness_ns);
                let idle_ns = ending.idle_ns(flow.key.tuple.protocol());
                if idle_ns.is_none_or(|idle_ns| clock.nanos_since(until) <= idle_ns) {
                    let record = FlowRecord::of(flow, window.index);
                    self.observer.left_open(flow.key.device, record, &mut flow.state);
                }
            }
        }
    }

    /// The flows without a packet since the edge of their window, which a trace that continues this one may continue.
    pub(super) fn carried(&self) -> Vec<(DeviceIndex, CarriedFlow)> {
        let Some((_, clock)) = self.span else { return Vec::new() };
        let FlowOptions { ending, lateness_ns, .. } = self.options;
        let goes_on = |key: &FlowKey, last: Timestamp| {
            let idle_ns = ending.idle_ns(key.tuple.protocol());
            idle_ns.is_some_and(|idle_ns| clock.nanos_since(last.plus_nanos(lateness_ns)) <= idle_ns)
        };
        let carried = self.carried.iter().filter(|(key, carried)| goes_on(key, carried.last));
        let mut carried: Vec<_> = carried
            .map(|(key, Carried { last, streams, .. })| {
                (key.device, CarriedFlow { tuple: key.tuple, last: *last, streams: *streams })
            })
            .collect();
        carried.sort_unstable_by_key(|(device, carried)| (*device, carried.tuple));
        carried
    }
}
