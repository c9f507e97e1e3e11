use std::io::Write;

use crate::error::TableError;
use crate::format::{Format, RowSink, SinkError};
use crate::table::Table;

/// How results look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; without it, lines of [`Format::Table`] are as long as they need to be.
    pub width: Option<usize>,
    /// Whether to mark the header of [`Format::Table`] with ANSI escape sequences.
    pub colour: bool,
    /// Whether cells of [`Format::Csv`] hold texts as they are, instead of as [`csv_text`](crate::csv_text) says.
    pub raw_cells: bool,
}

/// Writes a table and flushes the output.
pub fn write(table: &Table, format: Format, out: &mut dyn Write, style: Style) -> Result<(), TableError> {
    let mut writer = TableWriter::new(table.emptied(), format, style, out);
    writer.push(table)?;
    writer.finish()
}

/// Writes a table that comes in parts.
///
/// A format that can stream ([`Format::writes`]) writes rows as they come, so that a long table is never in memory
/// whole: JSON, JSON lines and CSV at once, Parquet a row group at a time. Aligned columns need all rows first. The bytes
/// are those of [`write()`] either way.
pub struct TableWriter<'a> {
    format: Format,
    style: Style,
    columns: Table,
    state: State<'a>,
}

/// Nothing is written before the first row or the end, so that a failure before leaves the output empty.
enum State<'a> {
    Unopened(&'a mut dyn Write),
    Open(Box<dyn RowSink + 'a>),
    /// Opening failed; what was pushed after is lost with it.
    Failed,
}

impl<'a> TableWriter<'a> {
    /// A writer for rows with the columns of a table without rows.
    pub fn new(columns: Table, format: Format, style: Style, out: &'a mut dyn Write) -> Self {
        Self { format, style, columns, state: State::Unopened(out) }
    }

    /// Adds rows. Fails when the columns are others.
    pub fn push(&mut self, part: &Table) -> Result<(), TableError> {
        self.columns.check_alike(part)?;
        if part.rows() == 0 {
            return Ok(());
        }
        self.opened()
            .and_then(|sink| sink.map_or(Ok(()), |sink| sink.rows(part)))
            .map_err(|error| failure(self.format, error))
    }

    /// Adds rows as [`Self::push`] does, which move where they have to wait.
    pub fn take(&mut self, part: Table) -> Result<(), TableError> {
        self.columns.check_alike(&part)?;
        if part.rows() == 0 {
            return Ok(());
        }
        self.opened()
            .and_then(|sink| sink.map_or(Ok(()), |sink| sink.take_rows(part)))
            .map_err(|error| failure(self.format, error))
    }

    /// Hands on the rows that are written so far, so that whoever reads a pipe has them. Formats that keep rows keep them.
    pub fn flush(&mut self) -> Result<(), TableError> {
        match &mut self.state {
            State::Open(sink) => sink.flush().map_err(|error| failure(self.format, error.into())),
            State::Unopened(_) | State::Failed => Ok(()),
        }
    }

    /// Writes what is left and flushes the output.
    pub fn finish(mut self) -> Result<(), TableError> {
        self.opened().map(drop).map_err(|error| failure(self.format, error))?;
        match self.state {
            State::Open(sink) => sink.finish().map_err(|error| failure(self.format, error)),
            State::Unopened(_) | State::Failed => Ok(()),
        }
    }

    fn opened(&mut self) -> Result<Option<&mut (dyn RowSink + 'a)>, SinkError> {
        if let State::Unopened(_) = self.state
            && let State::Unopened(out) = std::mem::replace(&mut self.state, State::Failed)
        {
            self.state = State::Open(self.format.open(&self.columns, self.style, out)?);
        }
        Ok(match &mut self.state {
            State::Open(sink) => Some(&mut **sink),
            State::Unopened(_) | State::Failed => None,
        })
    }
}

fn failure(format: Format, error: SinkError) -> TableError {
    match error {
        SinkError::Output(source) => TableError::Write { format, source },
        SinkError::Unfit(reason) => TableError::Encode { format, reason },
    }
}

#[cfg(test)]
mod tests {

    use std::io;

    use thingprint_flow::Timestamp;

    use super::*;
    use crate::format::Writes;
    use crate::table::{Bag, Cell, Column, Json, Type};

    /// The formats that hold rows.
    fn of_rows() -> impl Iterator<Item = Format> {
        Format::ALL
            .iter()
            .copied()
            .filter(|format| !matches!(format.writes(), Writes::Document | Writes::Nothing))
    }

    fn table(rows: std::ops::Range<u64>) -> Table {
        let mut table = Table::new([("device", Type::Text), ("packets", Type::Unsigned)]);
        for row in rows {
            table.push([Cell::from(format!("d{row}")), row.into()]).unwrap();
        }
        table
    }

    #[test]
    fn parts_are_written_as_one_table() {
        for format in of_rows() {
            for cuts in [&[0, 0][..], &[0, 5], &[0, 1, 1, 3, 5], &[0, 0, 5, 5]] {
                let mut parts = Vec::new();
                let mut writer = TableWriter::new(table(0..0), format, Style::default(), &mut parts);
                for cut in cuts.windows(2) {
                    writer.push(&table(cut[0]..cut[1])).unwrap();
                }
                writer.finish().unwrap();
                let mut taken = Vec::new();
                let mut writer = TableWriter::new(table(0..0), format, Style::default(), &mut taken);
                for cut in cuts.windows(2) {
                    writer.take(table(cut[0]..cut[1])).unwrap();
                }
                writer.finish().unwrap();
                assert_eq!(taken, parts, "{format} {cuts:?}");
                let mut whole = Vec::new();
                let rows = *cuts.last().unwrap();
                write(&table(0..rows), format, &mut whole, Style::default()).unwrap();
                assert_eq!(parts, whole, "{format} {cuts:?}");
            }
        }
    }

    #[test]
    fn a_part_with_other_columns_is_refused() {
        let mut out = Vec::new();
        let mut writer = TableWriter::new(table(0..0), Format::Csv, Style::default(), &mut out);
        let other = Table::new([("device", Type::Text), ("packets", Type::Real)]);
        let error = writer.push(&other).unwrap_err().to_string();
        assert_eq!(error, "build a table: a part has other columns than the table");
    }

    #[test]
    fn lines_are_there_before_the_end() {
        let mut out = Vec::new();
        let mut writer = TableWriter::new(table(0..0), Format::Jsonl, Style::default(), &mut out);
        writer.push(&table(0..2)).unwrap();
        drop(writer);
        assert_eq!(String::from_utf8(out).unwrap().lines().count(), 2);
    }

    /// A row of everything and a row of nothing.
    fn everything() -> Table {
        let mut table = Table::new([
            ("text", Type::Text),
            ("unsigned", Type::Unsigned),
            ("signed", Type::Signed),
            ("real", Type::Real),
            ("flag", Type::Flag),
            ("time", Type::Time),
            ("list", Type::List),
            ("bag", Type::Bag),
            ("json", Type::Json),
        ]);
        let bag: Bag = [("b", 2), ("a\"", u64::MAX)].map(|(word, count)| (word.to_owned(), count)).into();
        let row: [Cell; 9] = [
            "a,\"b\"\nc".into(),
            u64::MAX.into(),
            i64::MIN.into(),
            0.1.into(),
            true.into(),
            Timestamp::from_seconds(0).into(),
            vec!["x".to_owned(), "y,z".to_owned()].into(),
            bag.into(),
            Json::of(&serde_json::json!({"b": [1, "x"]})).unwrap().into(),
        ];
        table.push(row).unwrap();
        table.push(std::iter::repeat_n(Cell::Absent, 9)).unwrap();
        table
    }

    fn written(table: &Table, format: Format) -> String {
        let mut bytes = Vec::new();
        write(table, format, &mut bytes, Style::default()).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn every_type_has_a_notation_in_every_text_format() {
        let row = r#"{"text":"a,\"b\"\nc","unsigned":18446744073709551615,"signed":-9223372036854775808,"real":0.1,"flag":true,"time":"1970-01-01T00:00:00Z","list":["x","y,z"],"bag":{"a\"":18446744073709551615,"b":2},"json":{"b":[1,"x"]}}"#;
        let nothing = r#"{"text":null,"unsigned":null,"signed":null,"real":null,"flag":null,"time":null,"list":null,"bag":null,"json":null}"#;
        assert_eq!(written(&everything(), Format::Jsonl), format!("{row}\n{nothing}\n"));
        assert_eq!(written(&everything(), Format::Json), format!("[\n{row},\n{nothing}\n]\n"));
        let csv = "text,unsigned,signed,real,flag,time,list,bag,json\n\"a,\"\"b\"\"\\u{a}c\",18446744073709551615,\
                   -9223372036854775808,0.1,true,1970-01-01T00:00:00Z,\"[\"\"x\"\",\"\"y,z\"\"]\",\
                   \"{\"\"a\\\"\"\"\":18446744073709551615,\"\"b\"\":2}\",\
                   \"{\"\"b\"\":[1,\"\"x\"\"]}\"\n,,,,,,,,\n";
        assert_eq!(written(&everything(), Format::Csv), csv);
    }

    #[test]
    fn a_table_without_rows_is_a_file_all_the_same() {
        let table = Table::new([("device", Type::Text), ("domains", Type::Bag)]);
        assert_eq!(written(&table, Format::Json), "[]\n");
        assert_eq!(written(&table, Format::Jsonl), "");
        assert_eq!(written(&table, Format::Csv), "device,domains\n");
    }

    #[test]
    fn what_json_has_no_number_for_is_absent() {
        let table = Table::of(vec![Column::new("real", vec![f64::NAN, f64::INFINITY])]);
        assert_eq!(written(&table, Format::Jsonl), "{\"real\":null}\n{\"real\":null}\n");
    }

    #[cfg(feature = "parquet")]
    #[test]
    fn two_columns_of_one_name_are_refused() {
        let table = Table::new([("a", Type::Text), ("a", Type::Text)]);
        let error = write(&table, Format::Parquet, &mut Vec::new(), Style::default()).unwrap_err();
        assert!(error.to_string().starts_with("write parquet: "), "{error}");
    }

    /// Takes some bytes, then is closed.
    struct Pipe {
        room: usize,
        flushes: usize,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.room = self.room.checked_sub(bytes.len()).ok_or(io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            self.flushes += 1;
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_reported_as_such() {
        for format in of_rows() {
            let mut pipe = Pipe { room: 10, flushes: 0 };
            let error = write(&everything(), format, &mut pipe, Style::default()).unwrap_err();
            assert_eq!(error.to_string(), format!("write {format}"));
            let TableError::Write { source, .. } = error else { panic!("{error}") };
            assert_eq!(source.kind(), io::ErrorKind::BrokenPipe);
        }
    }

    #[test]
    fn a_flush_hands_on_what_is_written() {
        for format in of_rows() {
            let mut pipe = Pipe { room: 10_000, flushes: 0 };
            let mut writer = TableWriter::new(table(0..0), format, Style::default(), &mut pipe);
            writer.push(&table(0..2)).unwrap();
            writer.flush().unwrap();
            drop(writer);
            let is_written_at_once = format.writes() == Writes::Stream && format != Format::Parquet;
            assert_eq!(
                (pipe.flushes > 0, pipe.room < 10_000),
                (is_written_at_once, is_written_at_once),
                "{format}"
            );
        }
    }

    #[test]
    fn a_document_has_no_rows() {
        let error = write(&table(0..2), Format::Sarif, &mut Vec::new(), Style::default()).unwrap_err();
        assert_eq!(error.to_string(), "write sarif: unsupported for rows");
    }
}
