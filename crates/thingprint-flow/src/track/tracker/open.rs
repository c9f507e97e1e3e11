use super::{Carried, OpenWindow, Tracker};
use crate::Timestamp;
use crate::track::device::DeviceIndex;
use crate::track::flow::{Flow, FlowEnd, OpenFlow};
use crate::track::key::FlowKey;
use crate::track::observer::Observer;

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
}
