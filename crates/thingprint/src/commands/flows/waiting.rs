use std::collections::BTreeMap;

use thingprint_flow::Timestamp;
use thingprint_pipeline::FlowId;

use super::row::Row;

/// Rows that are kept back, so that they can be written in the order of first packets.
const MOST_ROWS: usize = 1 << 16;
/// Bytes of these rows: rows with messages may be long. Others take some 300 bytes.
const MOST_BYTES: usize = 96 << 20;

/// Rows that wait for their order, up to twice as many, so that they leave many at a time.
#[derive(Debug, Default)]
pub(super) struct WaitingRows {
    rows: BTreeMap<(Timestamp, FlowId), Row>,
    bytes: usize,
}

impl WaitingRows {
    /// Adds rows, each with the time of its first packet.
    pub(super) fn extend(&mut self, rows: impl IntoIterator<Item = ((Timestamp, FlowId), Row)>) {
        for (key, row) in rows {
            self.bytes += row.bytes();
            if let Some(before) = self.rows.insert(key, row) {
                self.bytes -= before.bytes();
            }
        }
    }

    /// The first rows, where there is no room for all.
    pub(super) fn take_due(&mut self) -> Vec<Row> {
        if self.rows.len() <= 2 * MOST_ROWS && self.bytes <= 2 * MOST_BYTES {
            return Vec::new();
        }
        let mut due = Vec::new();
        while self.rows.len() > MOST_ROWS || self.bytes > MOST_BYTES {
            let Some((_, row)) = self.rows.pop_first() else { break };
            self.bytes -= row.bytes();
            due.push(row);
        }
        due
    }

    /// All rows.
    pub(super) fn take_all(&mut self) -> Vec<Row> {
        std::mem::take(self).rows.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use thingprint_flow::{
        DeviceId, DeviceIndex, Endpoint, FiveTuple, Flow, FlowEnd, MacAddr, Tally, WindowIndex,
    };
    use thingprint_pipeline::FlowRow;
    use thingprint_protocol::Heard;
    use thingprint_report::Labels;
    use thingprint_table::Cell;

    use super::*;

    /// The row of a flow that begins at so many seconds.
    fn row(seconds: i64) -> Row {
        let end = Endpoint { addr: Ipv4Addr::LOCALHOST.into(), port: 7 };
        let time = Timestamp::from_seconds(seconds);
        let flow = Flow {
            device: DeviceIndex::new(0),
            window: WindowIndex(0),
            tuple: FiveTuple::default(),
            local: end,
            peer: end,
            is_client: true,
            first: time,
            last: time,
            up: Tally::default(),
            down: Tally::default(),
            end: FlowEnd::Idle,
            closed_at: time,
            is_missing_syn: false,
            resets_up: 0,
            is_established: false,
            state: Heard::default(),
        };
        let device = DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, 1]));
        let row = FlowRow { id: FlowId::default(), device, community_id: None, is_own: false, flow };
        Row::of(row, None).0
    }

    /// Rows of so many bytes and some more, the last one first.
    fn waiting(count: i64, bytes: usize) -> WaitingRows {
        let mut waiting = WaitingRows::default();
        waiting.extend((0..count).rev().map(|number| {
            let mut row = row(number);
            row.extend([Cell::from("x".repeat(bytes))]);
            ((Timestamp::from_seconds(number), FlowId::default()), row)
        }));
        waiting
    }

    fn times(rows: Vec<Row>) -> Vec<Cell> {
        let labels = Labels::default();
        rows.into_iter().filter_map(|row| row.into_cells(&labels).into_iter().next()).collect()
    }

    #[test]
    fn long_rows_leave_before_they_take_too_many_bytes() {
        let mut short = waiting(400, 1000);
        assert_eq!(short.take_due().len(), 0);
        let mut long = waiting(400, 1 << 20);
        let due = long.take_due();
        assert!((300..320).contains(&due.len()), "{}", due.len());
        let rest = long.take_all();
        let all: Vec<Cell> = (0..400).map(|number| Cell::from(Timestamp::from_seconds(number))).collect();
        assert_eq!([times(due), times(rest)].concat(), all, "the order stays");
        assert_eq!(long.bytes, 0);
    }

    #[test]
    fn rows_without_messages_take_little() {
        assert!(row(0).bytes() <= 300, "{}", row(0).bytes());
    }
}
