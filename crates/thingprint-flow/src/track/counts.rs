/// What a tracker counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackCounts {
    /// Packets that came for a window already closed.
    pub late_packets: u64,
    /// Flows closed early because the table was full.
    pub flows_evicted: u64,
    /// Devices forgotten because there were more than are remembered.
    pub devices_evicted: u64,
    /// Packets that a device received and sent again in the same flow; they count once.
    pub passed_on: u64,
}

impl TrackCounts {
    /// Adds the counts of another tracker of the same trace.
    pub const fn merge(&mut self, other: Self) {
        self.late_packets += other.late_packets;
        self.flows_evicted += other.flows_evicted;
        self.devices_evicted += other.devices_evicted;
        self.passed_on += other.passed_on;
    }
}
