//! Apache Parquet, in row groups that are written as rows come in.

use super::{Spec, Writes};

pub(super) const SPEC: Spec = Spec {
    name: "parquet",
    extensions: &["parquet"],
    writes: if cfg!(feature = "parquet") { Writes::Stream } else { Writes::Nothing },
    is_binary: true,
    #[cfg(feature = "parquet")]
    open: sink::open,
    #[cfg(not(feature = "parquet"))]
    open: super::no_rows,
};

#[cfg(feature = "parquet")]
mod sink {
    use std::io::Write;
    use std::ops::Range;

    use super::super::{RowSink, SinkError};
    use crate::frame::ParquetEncoder;
    use crate::table::Table;
    use crate::writer::Style;

    /// Rows of a group at most.
    const MOST_ROWS: usize = 1 << 16;
    /// About how much memory the rows of a group take at most, beyond its last row.
    const MOST_BYTES: usize = 8 << 20;
    /// After so many groups, those that follow may be twice as large: what the end of the file says of each group, some
    /// kilobyte for each column, is in memory until then.
    const GROUPS_OF_A_SIZE: usize = 32;
    /// How often groups double: up to 64 MiB.
    const MOST_DOUBLINGS: usize = 3;

    pub(super) fn open<'a>(
        columns: &Table,
        _: Style,
        out: &'a mut dyn Write,
    ) -> Result<Box<dyn RowSink + 'a>, SinkError> {
        let encoder = ParquetEncoder::new(columns).map_err(SinkError::Unfit)?;
        Ok(Box::new(Sink { waiting: columns.emptied(), waiting_bytes: 0, groups: 0, encoder, out }))
    }

    struct Sink<'a> {
        /// The rows of the next group. Where a group ends depends on the rows alone, not on how they come.
        waiting: Table,
        waiting_bytes: usize,
        /// Groups that were written.
        groups: usize,
        encoder: ParquetEncoder,
        out: &'a mut dyn Write,
    }

    impl RowSink for Sink<'_> {
        fn rows(&mut self, rows: &Table) -> Result<(), SinkError> {
            let mut start = 0;
            for row in 0..rows.rows() {
                self.waiting_bytes += rows.row_bytes(row);
                let count = self.waiting.rows() + row + 1 - start;
                if count == MOST_ROWS || self.waiting_bytes >= group_bytes(self.groups) {
                    self.end_group(rows, start..row + 1)?;
                    start = row + 1;
                }
            }
            self.waiting.extend(rows, start..rows.rows());
            Ok(())
        }

        fn take_rows(&mut self, rows: Table) -> Result<(), SinkError> {
            let bytes: usize = (0..rows.rows()).map(|row| rows.row_bytes(row)).sum();
            let is_group = self.waiting.rows() + rows.rows() >= MOST_ROWS
                || self.waiting_bytes + bytes >= group_bytes(self.groups);
            if is_group {
                return self.rows(&rows);
            }
            self.waiting_bytes += bytes;
            self.waiting.append(rows);
            Ok(())
        }

        fn finish(mut self: Box<Self>) -> Result<(), SinkError> {
            if self.waiting.rows() > 0 {
                let rows = self.waiting.emptied();
                self.end_group(&rows, 0..0)?;
            }
            let end = self.encoder.finish().map_err(SinkError::Unfit)?;
            self.out.write_all(&end)?;
            Ok(self.out.flush()?)
        }
    }

    impl Sink<'_> {
        /// Writes the rows that wait and some of these as a group.
        fn end_group(&mut self, rows: &Table, range: Range<usize>) -> Result<(), SinkError> {
            let group = if self.waiting.rows() == 0 {
                self.encoder.group(rows, range)
            } else {
                self.waiting.extend(rows, range);
                self.encoder.group(&self.waiting, 0..self.waiting.rows())
            };
            self.out.write_all(&group.map_err(SinkError::Unfit)?)?;
            self.waiting = rows.emptied();
            self.waiting_bytes = 0;
            self.groups += 1;
            Ok(())
        }
    }

    /// How much memory the rows of the group after so many others take at most.
    fn group_bytes(groups: usize) -> usize {
        MOST_BYTES << (groups / GROUPS_OF_A_SIZE).min(MOST_DOUBLINGS)
    }

    #[cfg(test)]
    mod tests {
        #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

        use super::*;
        use crate::{Cell, Format, TableWriter, Type, from_parquet};

        fn bags(rows: Range<u64>, word: &str) -> Table {
            let mut table = Table::new([("row", Type::Unsigned), ("words", Type::Bag)]);
            for row in rows {
                table.add([Cell::from(row), Cell::Bag([(format!("{word}{row}"), row + 1)].into())]);
            }
            table
        }

        #[test]
        fn groups_leave_while_rows_come_and_nothing_is_lost() {
            let word = "w".repeat(1000);
            let mut out = Vec::new();
            let mut writer = TableWriter::new(bags(0..0, ""), Format::Parquet, Style::default(), &mut out);
            for part in 0..30 {
                let rows = bags(part * 1000..(part + 1) * 1000, &word);
                if part % 2 == 0 { writer.take(rows) } else { writer.push(&rows) }.unwrap();
            }
            writer.finish().unwrap();
            let read = from_parquet(&out, &["row".to_owned(), "words".to_owned()]).unwrap();
            assert_eq!(read.table, bags(0..30_000, &word));
        }

        #[test]
        fn groups_of_a_long_file_are_larger() {
            let mib = [0, 31, 32, 64, 96, 128, usize::MAX].map(|groups| group_bytes(groups) >> 20);
            assert_eq!(mib, [8, 8, 16, 32, 64, 64, 64]);
        }

        #[test]
        fn memory_is_bounded_by_a_group() {
            let word = "w".repeat(10_000);
            let mut out = Vec::new();
            let mut sink = Sink {
                waiting: bags(0..0, ""),
                waiting_bytes: 0,
                groups: 0,
                encoder: ParquetEncoder::new(&bags(0..0, "")).unwrap(),
                out: &mut out,
            };
            for row in 0..3000 {
                assert!(sink.rows(&bags(row..row + 1, &word)).is_ok());
                assert!(sink.waiting_bytes < MOST_BYTES && sink.waiting.rows() < 1000);
            }
        }
    }
}
