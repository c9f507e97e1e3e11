use std::io::Write;

use crate::error::ReportError;
use crate::format::Format;
use crate::table::Table;
use crate::{frame, human, json};

/// How [`Format::Table`] looks; the other formats have one look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; without it, lines are as long as they need to be.
    pub width: Option<usize>,
    /// Whether to mark the header with ANSI escape sequences.
    pub colour: bool,
}

/// Writes a table and flushes the output; [`Format::Jsonl`] flushes after each line, for readers that follow along.
pub fn write(table: &Table, format: Format, out: &mut dyn Write, style: Style) -> Result<(), ReportError> {
    match format {
        Format::Table => out.write_all(human::render(table, style).as_bytes()),
        Format::Json => json::write_array(table, out),
        Format::Jsonl => json::write_lines(table, out),
        Format::Csv => out.write_all(&frame::to_csv(table, true)?),
        Format::Parquet => out.write_all(&frame::to_parquet(table)?),
    }
    .and_then(|()| out.flush())
    .map_err(|source| ReportError::Write { format, source })
}

#[cfg(test)]
mod tests {
    use std::io;

    use thingprint_flow::Timestamp;
    use thingprint_instance::Bag;

    use super::*;
    use crate::table::{Cell, Json, Type};

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
        let csv = "text,unsigned,signed,real,flag,time,list,bag,json\n\"a,\"\"b\"\"\nc\",18446744073709551615,\
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
        let table = Table::default().with_column("real", vec![f64::NAN, f64::INFINITY]).unwrap();
        assert_eq!(written(&table, Format::Jsonl), "{\"real\":null}\n{\"real\":null}\n");
    }

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
    fn a_closed_pipe_is_told_as_such() {
        for format in Format::ALL {
            let mut pipe = Pipe { room: 10, flushes: 0 };
            let error = write(&everything(), format, &mut pipe, Style::default()).unwrap_err();
            assert_eq!(error.to_string(), format!("write {format}"));
            let ReportError::Write { source, .. } = error else { panic!("{error}") };
            assert_eq!(source.kind(), io::ErrorKind::BrokenPipe);
        }
    }

    #[test]
    fn each_line_of_jsonl_is_flushed() {
        let mut pipe = Pipe { room: 10_000, flushes: 0 };
        write(&everything(), Format::Jsonl, &mut pipe, Style::default()).unwrap();
        assert_eq!(pipe.flushes, 3);
    }
}
