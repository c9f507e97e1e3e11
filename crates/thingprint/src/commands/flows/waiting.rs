use std::collections::BTreeMap;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_pipeline::FlowId;
use thingprint_table::Cell;

/// Rows that are kept back, so that they can be written in the order of first packets.
const MOST_ROWS: usize = 1 << 16;
/// Bytes of these rows: rows with messages may be long. Others take some 900 bytes.
const MOST_BYTES: usize = 96 << 20;

/// Rows that wait for their order, up to twice as many, so that they leave many at a time.
#[derive(Debug, Default)]
pub(super) struct WaitingRows {
    rows: BTreeMap<(Timestamp, FlowId), Row>,
    bytes: usize,
}

/// The row of a flow.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) device: DeviceId,
    pub(super) cells: Vec<Cell>,
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

impl Row {
    fn bytes(&self) -> usize {
        self.cells.iter().map(Cell::memory_bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::MacAddr;

    use super::*;

    /// Rows of so many bytes, the last one first.
    fn waiting(count: u64, bytes: usize) -> WaitingRows {
        let mut waiting = WaitingRows::default();
        waiting.extend((0..count).rev().map(|number| {
            let cells = vec![Cell::from(number), Cell::from("x".repeat(bytes))];
            let time = Timestamp::from_seconds(number.try_into().unwrap_or(i64::MAX));
            (
                (time, FlowId::default()),
                Row { device: DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, 1])), cells },
            )
        }));
        waiting
    }

    fn numbers(rows: &[Row]) -> Vec<Cell> {
        rows.iter().filter_map(|row| row.cells.first().cloned()).collect()
    }

    #[test]
    fn long_rows_leave_before_they_take_too_many_bytes() {
        let mut short = waiting(400, 1000);
        assert_eq!(short.take_due().len(), 0);
        let mut long = waiting(400, 1 << 20);
        let due = long.take_due();
        assert!((300..320).contains(&due.len()), "{}", due.len());
        let rest = long.take_all();
        let all: Vec<Cell> = (0..400_u64).map(Cell::from).collect();
        assert_eq!([numbers(&due), numbers(&rest)].concat(), all, "the order stays");
        assert_eq!(long.bytes, 0);
    }
}
