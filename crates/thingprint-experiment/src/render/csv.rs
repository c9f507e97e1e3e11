//! Tables as RFC 4180 says, with numbers to the last digit.
use crate::outcome::{Table, Value};

pub(super) fn text(table: &Table) -> String {
    let header = table.columns.iter().map(|column| field(column)).collect::<Vec<_>>().join(",");
    let rows = table.rows.iter().map(|row| row.iter().map(value).collect::<Vec<_>>().join(","));
    let mut text = String::new();
    for line in std::iter::once(header).chain(rows) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn value(value: &Value) -> String {
    match value {
        Value::Absent => String::new(),
        Value::Text(text) => field(text),
        Value::Count(count) => count.to_string(),
        Value::Real(value, _) | Value::Share(value, _) => value.to_string(),
    }
}

/// A field, in quotes where it needs them (RFC 4180, section 2).
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must() {
        let mut table = Table::new(["class", "share, 0 to 1", "n"]);
        table.push([Value::from("say \"hi\""), Value::Share(0.1 + 0.2, 1), Value::Count(3)]);
        table.push([Value::from("plain"), Value::Absent, Value::Real(1e-7, 2)]);
        let expected =
            "class,\"share, 0 to 1\",n\n\"say \"\"hi\"\"\",0.30000000000000004,3\nplain,,0.0000001\n";
        assert_eq!(text(&table), expected);
    }
}
