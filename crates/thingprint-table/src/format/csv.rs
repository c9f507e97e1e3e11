//! CSV (RFC 4180): times are RFC 3339, bags and lists JSON, absent values empty and empty texts in quotes. Texts are written
//! as [`csv_text`] says, unless they are asked for as they are.

use std::io::{self, Write};

use super::{RowSink, SinkError, Spec, Writes};
use crate::csv_text;
use crate::number::Notation;
use crate::table::{Column, Table, View};

pub(super) const SPEC: Spec = Spec {
    name: "csv",
    extensions: &["csv"],
    writes: Writes::Stream,
    is_binary: false,
    open: |columns, style, out| {
        let sink = Sink { is_raw: style.raw_cells, out };
        let names: Vec<String> = columns.columns().iter().map(|column| sink.text(column.name())).collect();
        writeln!(sink.out, "{}", names.join(","))?;
        Ok(Box::new(sink))
    },
};

struct Sink<'a> {
    /// Whether texts are written as they are.
    is_raw: bool,
    out: &'a mut dyn Write,
}

impl Sink<'_> {
    fn field(&self, column: &Column, row: usize) -> String {
        match column.values().view(row) {
            None => String::new(),
            Some(View::Unsigned(count)) => count.to_string(),
            Some(View::Signed(number)) => number.to_string(),
            Some(View::Flag(flag)) => flag.to_string(),
            Some(View::Real(measure)) => real(*measure, column.notation()),
            // Documents, which begin with a bracket and escape what is not seen.
            Some(document @ (View::List(_) | View::Bag(_) | View::Json(_))) => {
                csv_text::quoted(&document.flat().unwrap_or_default())
            }
            Some(other) => match other.flat().unwrap_or_default() {
                text if text.is_empty() => "\"\"".to_owned(),
                text => self.text(&text),
            },
        }
    }

    fn text(&self, text: &str) -> String {
        if self.is_raw { csv_text::quoted(text) } else { csv_text::cell(text) }
    }
}

impl RowSink for Sink<'_> {
    fn rows(&mut self, rows: &Table) -> Result<(), SinkError> {
        for row in 0..rows.rows() {
            let mut line = String::new();
            for (at, column) in rows.columns().iter().enumerate() {
                line.push_str(if at == 0 { "" } else { "," });
                line.push_str(&self.field(column, row));
            }
            line.push('\n');
            self.out.write_all(line.as_bytes())?;
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

/// A measure to the last digit: in the shortest notation, or where people see decimals, without an exponent.
fn real(measure: f64, notation: Notation) -> String {
    match notation {
        Notation::Significant if measure.is_finite() => serde_json::Value::from(measure).to_string(),
        _ => measure.to_string(),
    }
}

#[cfg(test)]
mod tests {

    use crate::{Cell, Column, Format, Style, Table, Type, write};

    #[test]
    fn fields_are_quoted_where_they_must() {
        let columns = [Column::texts("class"), Column::percent("share, 0 to 1", 1), Column::count("n")];
        let mut table = Table::new(columns);
        table.add([Cell::from("say \"hi\""), Cell::from(0.1 + 0.2), Cell::from(3_u64)]);
        table.add([Cell::from(""), Cell::from(1e-7), Cell::Absent]);
        let expected =
            "class,\"share, 0 to 1\",n\n\"say \"\"hi\"\"\",0.30000000000000004,3\n\"\",0.0000001,\n";
        assert_eq!(written(&table), expected);
    }

    #[test]
    fn measures_are_whole_to_the_last_digit() {
        let measures = [1.0, 1e300, 1e-7, 0.1 + 0.2, f64::NAN, f64::NEG_INFINITY];
        let table = Table::of(vec![Column::new("x", measures.to_vec())]);
        assert_eq!(written(&table), "x\n1.0\n1e+300\n1e-7\n0.30000000000000004\nNaN\n-inf\n");
    }

    #[test]
    fn a_name_begins_no_row_and_no_formula() {
        let mut table = Table::new([("label", Type::Text), ("=n", Type::Signed), ("words", Type::List)]);
        table.add([Cell::from("lamp\r\nevil,row"), Cell::Signed(-1), Cell::from(vec!["=x".to_owned()])]);
        table.add([Cell::from("=cmd|' /C calc'!A0"), Cell::Signed(2), Cell::Absent]);
        let safe =
            "label,'=n,words\n\"lamp\\u{d}\\u{a}evil,row\",-1,\"[\"\"=x\"\"]\"\n'=cmd|' /C calc'!A0,2,\n";
        assert_eq!(written(&table), safe);
        let mut bytes = Vec::new();
        write(&table, Format::Csv, &mut bytes, Style { raw_cells: true, ..Style::default() }).unwrap();
        let raw = "label,=n,words\n\"lamp\r\nevil,row\",-1,\"[\"\"=x\"\"]\"\n=cmd|' /C calc'!A0,2,\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), raw);
    }

    fn written(table: &Table) -> String {
        let mut bytes = Vec::new();
        write(table, Format::Csv, &mut bytes, Style::default()).unwrap();
        String::from_utf8(bytes).unwrap()
    }
}
