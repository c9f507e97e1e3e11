//! Zeek's ASCII logs: values separated by tabs below `#fields` and `#types`, so that zeek-cut and what reads Zeek's logs
//! read them. There is no `#open` and no `#close`, whose times would make each file differ from the next.

use std::io::{self, Write};

use super::{RowSink, SinkError, Spec, Writes};
use crate::escape;
use crate::table::{Column, Table, Type, View};

pub(super) const SPEC: Spec = Spec {
    name: "zeek",
    extensions: &["log"],
    writes: Writes::Stream,
    is_binary: false,
    open: |columns, _, out| {
        out.write_all(HEAD.as_bytes())?;
        let names: Vec<String> = columns.columns().iter().map(|column| escaped(column.name())).collect();
        let types: Vec<&str> = columns.columns().iter().map(|column| type_of(column)).collect();
        writeln!(out, "#fields\t{}\n#types\t{}", names.join("\t"), types.join("\t"))?;
        Ok(Box::new(Sink { out }))
    },
};

const HEAD: &str =
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tthingprint\n";
const EMPTY: &str = "(empty)";
const UNSET: &str = "-";

struct Sink<'a> {
    out: &'a mut dyn Write,
}

impl RowSink for Sink<'_> {
    fn rows(&mut self, rows: &Table) -> Result<(), SinkError> {
        for row in 0..rows.rows() {
            let values: Vec<String> = rows.columns().iter().map(|column| value(column, row)).collect();
            let line = values.join("\t");
            // A row is no comment.
            let line = line.strip_prefix('#').map_or_else(|| line.clone(), |rest| format!("\\x23{rest}"));
            self.out.write_all((line + "\n").as_bytes())?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        Ok(self.out.flush()?)
    }
}

/// The type by Zeek's name; what Zeek has no type for is text, a bag as JSON.
fn type_of(column: &Column) -> &'static str {
    match column.values().r#type() {
        Type::Unsigned => "count",
        Type::Signed => "int",
        Type::Real => "double",
        Type::Flag => "bool",
        Type::Time => "time",
        Type::List => "vector[string]",
        Type::Text | Type::Bag | Type::Json | Type::Prose | Type::Badges => "string",
    }
}

fn value(column: &Column, row: usize) -> String {
    match column.values().view(row) {
        None => UNSET.to_owned(),
        Some(View::Unsigned(count)) => count.to_string(),
        Some(View::Signed(number)) => number.to_string(),
        Some(View::Real(measure)) => measure.to_string(),
        Some(View::Flag(flag)) => if *flag { "T" } else { "F" }.to_owned(),
        Some(View::Time(time)) => time.to_string(),
        Some(View::List(texts)) if texts.is_empty() => EMPTY.to_owned(),
        Some(View::List(texts)) => {
            texts.iter().map(|item| text(item).replace(',', "\\x2c")).collect::<Vec<_>>().join(",")
        }
        Some(other) => text(&other.flat().unwrap_or_default()),
    }
}

/// A text that is neither empty nor one of the words for an absent and an empty one.
fn text(text: &str) -> String {
    match text {
        "" => EMPTY.to_owned(),
        UNSET => "\\x2d".to_owned(),
        EMPTY => "\\x28empty)".to_owned(),
        other => escaped(other),
    }
}

/// A text without separators and control characters, each byte of which is `\xNN` instead.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\\' || escape::is_control(c) {
            let mut bytes = [0; 4];
            escaped.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("\\x{byte:02x}")));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use thingprint_flow::Timestamp;

    use crate::{Cell, Format, Style, Table, Type, write};

    fn written(table: &Table) -> String {
        let mut bytes = Vec::new();
        write(table, Format::Zeek, &mut bytes, Style::default()).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_log_has_names_types_and_values() {
        let mut table = Table::new([
            ("ts", Type::Time),
            ("service", Type::Text),
            ("orig_pkts", Type::Unsigned),
            ("share", Type::Real),
            ("local_orig", Type::Flag),
            ("names", Type::List),
            ("ports", Type::Bag),
        ]);
        table.add([
            Cell::from(Timestamp::from_nanos(1_500_000_000)),
            Cell::from("dns"),
            Cell::from(3_u64),
            Cell::from(0.25),
            Cell::from(true),
            Cell::from(vec!["a,b".to_owned(), "c".to_owned()]),
            Cell::Bag([("53".to_owned(), 2)].into()),
        ]);
        table.add(std::iter::repeat_n(Cell::Absent, 7));
        let expected = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n\
             #path\tthingprint\n#fields\tts\tservice\torig_pkts\tshare\tlocal_orig\tnames\tports\n\
             #types\ttime\tstring\tcount\tdouble\tbool\tvector[string]\tstring\n\
             1.500000000\tdns\t3\t0.25\tT\ta\\x2cb,c\t{\"53\":2}\n-\t-\t-\t-\t-\t-\t-\n";
        assert_eq!(written(&table), expected);
    }

    #[test]
    fn hostile_text_stays_in_its_field() {
        let mut table = Table::new([("label", Type::Text)]);
        for text in ["a\tb\nc", "-", "", "(empty)", "\\x09", "\u{1b}[2J", "#close\t\u{202e}"] {
            table.add([Cell::from(text)]);
        }
        let text = written(&table);
        let values: Vec<&str> = text.lines().skip(7).collect();
        let expected = [
            "a\\x09b\\x0ac",
            "\\x2d",
            "(empty)",
            "\\x28empty)",
            "\\x5cx09",
            "\\x1b[2J",
            "\\x23close\\x09\\xe2\\x80\\xae",
        ];
        assert_eq!(values, expected);
    }
}
