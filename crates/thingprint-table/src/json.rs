//! JSON that shows what is in it: rows as objects with the columns in order, and documents of any kind. Characters that act
//! on a terminal or are not seen ([`escape::is_control`]) are written as `\uXXXX`, so that the text is the same to whoever
//! parses it, and acts on nobody who reads it.

use std::io::{self, Write};

use serde::ser::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use crate::table::{Bag, Table, View};
use crate::{escape, rfc3339};

/// Writes a document on one line.
pub fn write(value: &(impl Serialize + ?Sized), to: &mut dyn Write) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(to, Visible(CompactFormatter)))
}

/// Writes a document with a line for each value.
pub fn write_pretty(value: &(impl Serialize + ?Sized), to: &mut dyn Write) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(to, Visible(PrettyFormatter::new())))
}

/// A document on one line.
pub fn text(value: &(impl Serialize + ?Sized)) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    write(value, &mut bytes)?;
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

/// A document with a line for each value.
pub fn text_pretty(value: &(impl Serialize + ?Sized)) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    write_pretty(value, &mut bytes)?;
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

/// Gives each row as an object, on one line.
pub(crate) fn objects(table: &Table, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let keys: Vec<Vec<u8>> =
        table.columns().iter().map(|column| key(column.name())).collect::<io::Result<_>>()?;
    let mut object = Vec::new();
    for row in 0..table.rows() {
        object.clear();
        object.push(b'{');
        for (at, (key, column)) in keys.iter().zip(table.columns()).enumerate() {
            if at > 0 {
                object.push(b',');
            }
            object.extend_from_slice(key);
            put(column.values().view(row), &mut object)?;
        }
        object.push(b'}');
        take(&object)?;
    }
    Ok(())
}

fn key(name: &str) -> io::Result<Vec<u8>> {
    let mut key = Vec::new();
    put_text(name, &mut key)?;
    key.push(b':');
    Ok(key)
}

fn put(value: Option<View<'_>>, to: &mut Vec<u8>) -> io::Result<()> {
    match value {
        None => to.extend_from_slice(b"null"),
        Some(View::Text(text)) => put_text(text, to)?,
        Some(View::Time(time)) => put_text(&rfc3339::format(*time), to)?,
        // What numbers and truth values are written with is seen.
        Some(View::Unsigned(count)) => serde_json::to_writer(to, count)?,
        Some(View::Signed(number)) => serde_json::to_writer(to, number)?,
        Some(View::Real(measure)) => serde_json::to_writer(to, measure)?,
        Some(View::Flag(flag)) => serde_json::to_writer(to, flag)?,
        Some(value) => write(&value, to)?,
    }
    Ok(())
}

/// Nearly all texts need no escape, and are copied.
fn put_text(text: &str, to: &mut Vec<u8>) -> io::Result<()> {
    if text.bytes().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~')) {
        to.push(b'"');
        to.extend_from_slice(text.as_bytes());
        to.push(b'"');
    } else {
        write(text, to)?;
    }
    Ok(())
}

/// A list of texts in a format without lists. Texts and counts have a form in JSON always.
pub(crate) fn list_text(texts: &[String]) -> String {
    text(texts).unwrap_or_default()
}

/// A bag in a format without bags.
pub(crate) fn bag_text(bag: &Bag) -> String {
    text(bag).unwrap_or_default()
}

/// Writes JSON as another formatter does, with escapes for what is not seen.
struct Visible<F>(F);

/// The methods that the inner formatter may have of its own.
macro_rules! as_inside {
    ($($name:ident $(($is_first:ident))?),+) => {
        $(fn $name<W: Write + ?Sized>(&mut self, to: &mut W $(, $is_first: bool)?) -> io::Result<()> {
            self.0.$name(to $(, $is_first)?)
        })+
    };
}

impl<F: Formatter> Formatter for Visible<F> {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, to: &mut W, fragment: &str) -> io::Result<()> {
        visible(fragment, to)
    }

    /// A document inside a document: outside its texts it has no such characters.
    fn write_raw_fragment<W: Write + ?Sized>(&mut self, to: &mut W, fragment: &str) -> io::Result<()> {
        visible(fragment, to)
    }

    as_inside! {
        begin_array, end_array, begin_array_value(first), end_array_value,
        begin_object, end_object, begin_object_key(first), end_object_key, begin_object_value, end_object_value
    }
}

/// Part of a text, with escapes (RFC 8259 §7) for what is not seen.
fn visible<W: Write + ?Sized>(text: &str, to: &mut W) -> io::Result<()> {
    let mut rest = text;
    // Nearly all texts are printable ASCII.
    while !rest.bytes().all(|byte| byte < 0x7f) {
        let is_escaped = |(_, c): &(usize, char)| *c >= '\u{7f}' && escape::is_control(*c);
        let Some((at, c)) = rest.char_indices().find(is_escaped) else { break };
        let (before, from) = rest.split_at(at);
        to.write_all(before.as_bytes())?;
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(to, "\\u{unit:04x}")?;
        }
        rest = from.get(c.len_utf8()..).unwrap_or_default();
    }
    to.write_all(rest.as_bytes())
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Unsigned(count) => serializer.serialize_u64(**count),
            Self::Signed(number) => serializer.serialize_i64(**number),
            Self::Real(measure) => serializer.serialize_f64(**measure),
            Self::Flag(flag) => serializer.serialize_bool(**flag),
            Self::Time(time) => serializer.serialize_str(&rfc3339::format(**time)),
            Self::List(texts) => texts.serialize(serializer),
            Self::Bag(bag) => bag.serialize(serializer),
            Self::Json(json) => json.serialize(serializer),
            Self::Prose(_) | Self::Badges(_) => serializer.serialize_str(&self.flat().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{Cell, Json, Type};

    #[test]
    fn what_is_not_seen_is_escaped_and_comes_back() {
        let value = json!({"a\u{9b}": ["\u{1b}\u{7f}\u{202e}b\u{e0041}", "é 日本"]});
        let written = text(&value).unwrap();
        let expected = r#"{"a\u009b":["\u001b\u007f\u202eb\udb40\udc41","é 日本"]}"#;
        assert_eq!(written, expected);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), value);
        assert_eq!(text(&Json::of(&value).unwrap()).unwrap(), expected, "a document in a document");
    }

    #[test]
    fn a_document_is_laid_out_as_serde_lays_it_out() {
        let value = json!({"a": [1, {"b": null}], "c": {}, "d": []});
        assert_eq!(text_pretty(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap());
        assert_eq!(text(&value).unwrap(), value.to_string());
    }

    #[test]
    fn times_numbers_and_truth_are_written_as_serde_writes_them() {
        let columns = [("t", Type::Time), ("u", Type::Unsigned), ("s", Type::Signed), ("f", Type::Flag)];
        let mut table = Table::new(columns);
        let time = thingprint_flow::Timestamp::from_nanos(1_717_372_800_123_456_789);
        table
            .push([Cell::Time(time), Cell::Unsigned(u64::MAX), Cell::Signed(i64::MIN), Cell::Flag(true)])
            .unwrap();
        let mut object = Vec::new();
        super::objects(&table, |row| {
            object.extend_from_slice(row);
            Ok(())
        })
        .unwrap();
        let [time, count, number, flag] =
            [0, 1, 2, 3].map(|at| text(&table.columns()[at].values().view(0)).unwrap());
        let expected = format!(r#"{{"t":{time},"u":{count},"s":{number},"f":{flag}}}"#);
        assert_eq!(String::from_utf8(object).unwrap(), expected);
        assert_eq!((count.as_str(), number.as_str()), ("18446744073709551615", "-9223372036854775808"));
    }

    #[test]
    fn rows_are_objects_as_serde_writes_them() {
        let texts = ["plain", "a\"b", "a\\b", "\u{1}", "\u{7f}é\u{202e}", ""];
        let mut table = Table::new([("a \"key\"", Type::Text), ("\u{9b}", Type::Real)]);
        for (text, real) in texts.into_iter().zip([0.1, 1e300, -0.0, f64::NAN, 7.0, f64::MIN_POSITIVE]) {
            table.push([Cell::from(text), Cell::from(real)]).unwrap();
        }
        table.push([Cell::Absent, Cell::Absent]).unwrap();
        let (mut objects, mut expected) = (Vec::new(), Vec::new());
        super::objects(&table, |object| {
            objects.push(String::from_utf8(object.to_vec()).unwrap());
            Ok(())
        })
        .unwrap();
        for row in 0..table.rows() {
            let [text, real] = [0, 1].map(|at| text(&table.columns()[at].values().view(row)).unwrap());
            expected.push(format!(r#"{{"a \"key\"":{text},"\u009b":{real}}}"#));
        }
        assert_eq!(objects, expected);
    }

    proptest! {
        #[test]
        fn any_text_comes_back(written: String) {
            let shown = text(&written).unwrap();
            prop_assert!(!shown.chars().any(escape::is_control), "{shown:?}");
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), written);
        }
    }
}
