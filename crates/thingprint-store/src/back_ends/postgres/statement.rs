//! Statements as a server of `PostgreSQL` reads them.

use crate::sql::{Cell, Params, SqlError, SqlResult};

/// A statement with `$1` in place of `?1` and `:name`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Translated {
    pub(super) sql: String,
    /// The names of the parameters, in the order of their numbers; none where they have numbers.
    pub(super) names: Vec<String>,
}

/// Kinds of columns, by the numbers that every server gives them.
pub(super) mod kind {
    pub(in super::super) const BOOL: i32 = 16;
    pub(in super::super) const BYTEA: i32 = 17;
    pub(in super::super) const INT8: i32 = 20;
    pub(in super::super) const INT4: i32 = 23;
    pub(in super::super) const FLOAT8: i32 = 701;
}

impl Translated {
    pub(super) fn of(sql: &str) -> Self {
        let (mut translated, mut names) = (String::with_capacity(sql.len()), Vec::<String>::new());
        let mut rest = sql;
        let mut is_quoted = false;
        while let Some(letter) = rest.chars().next() {
            let behind = rest.get(letter.len_utf8()..).unwrap_or_default();
            is_quoted ^= letter == '\'';
            let is_name = letter == ':' && behind.starts_with(|next: char| next.is_ascii_lowercase());
            if let Some(after) = behind.strip_prefix(':').filter(|_| letter == ':') {
                translated.push_str("::");
                rest = after;
                continue;
            }
            if !is_quoted && letter == '?' {
                translated.push('$');
            } else if !is_quoted && is_name {
                let end = behind.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(behind.len());
                let (name, after) = behind.split_at(end);
                let known = names.iter().position(|known| known == name);
                let at = known.unwrap_or_else(|| {
                    names.push(name.to_owned());
                    names.len() - 1
                });
                translated.push('$');
                translated.push_str(&(at + 1).to_string());
                rest = after;
                continue;
            } else {
                translated.push(letter);
            }
            rest = behind;
        }
        Self { sql: translated, names }
    }

    /// The values in the order of their numbers.
    pub(super) fn values<'a>(&self, params: Params<'a>) -> SqlResult<Vec<Cell<'a>>> {
        match params {
            Params::Numbered(values) => Ok(values.iter().map(|value| value.to_cell()).collect()),
            Params::Named(values) => {
                let of = |name: &String| {
                    let found = values.iter().find(|(given, _)| given.strip_prefix(':') == Some(name));
                    found.map(|(_, value)| value.to_cell())
                };
                let missing = |name| SqlError::Unwritable(format!("no value for :{name}"));
                self.names.iter().map(|name| of(name).ok_or_else(|| missing(name))).collect()
            }
        }
    }
}

/// The bytes of a value for a parameter of this kind; `None` for NULL.
///
/// A number that is none is NULL, as SQLite takes it. Texts have no zero bytes there: another sign stands in their place.
pub(super) fn encoded(cell: Cell<'_>, of: i32) -> Option<Vec<u8>> {
    match (cell, of) {
        (Cell::Null, _) => None,
        (Cell::Real(number), _) if number.is_nan() => None,
        (Cell::Integer(number), kind::BOOL) => Some(vec![u8::from(number != 0)]),
        (Cell::Integer(number), kind::INT4) => {
            Some(i32::try_from(number).unwrap_or(i32::MAX).to_be_bytes().to_vec())
        }
        #[expect(clippy::cast_precision_loss, reason = "a column of numbers takes whole ones as well")]
        (Cell::Integer(number), kind::FLOAT8) => Some((number as f64).to_be_bytes().to_vec()),
        (Cell::Integer(number), _) => Some(number.to_be_bytes().to_vec()),
        (Cell::Real(number), _) => Some(number.to_be_bytes().to_vec()),
        (Cell::Text(text), _) if text.contains('\0') => Some(text.replace('\0', "\u{fffd}").into_bytes()),
        (Cell::Text(text), _) => Some(text.as_bytes().to_vec()),
        (Cell::Blob(bytes), _) => Some(bytes.to_vec()),
    }
}

/// The value in the bytes of a column of this kind.
pub(super) fn decoded(bytes: Option<&[u8]>, of: i32, at: usize) -> SqlResult<Cell<'_>> {
    let Some(bytes) = bytes else { return Ok(Cell::Null) };
    let unfit = || SqlError::Unfit { at, reason: format!("{} bytes of kind {of}", bytes.len()) };
    Ok(match of {
        kind::BYTEA => Cell::Blob(bytes),
        kind::BOOL => Cell::Integer(i64::from(bytes != [0])),
        kind::INT8 => Cell::Integer(i64::from_be_bytes(bytes.try_into().map_err(|_| unfit())?)),
        kind::INT4 => Cell::Integer(i32::from_be_bytes(bytes.try_into().map_err(|_| unfit())?).into()),
        kind::FLOAT8 => Cell::Real(f64::from_be_bytes(bytes.try_into().map_err(|_| unfit())?)),
        _ => Cell::Text(std::str::from_utf8(bytes).map_err(|_| unfit())?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_get_numbers_and_texts_stay() {
        let check = |sql: &str, expected: &str, names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(Translated::of(sql), Translated { sql: expected.to_owned(), names });
        };
        check("SELECT '?1 :a' WHERE a = ?1 AND b = ?2", "SELECT '?1 :a' WHERE a = $1 AND b = $2", &[]);
        check("VALUES (:device, :class, :device)", "VALUES ($1, $2, $1)", &["device", "class"]);
        check("SELECT x::text, ':a', :b_c", "SELECT x::text, ':a', $1", &["b_c"]);
    }

    #[test]
    fn values_come_back_as_they_were() {
        let back = |cell: Cell<'_>, of: i32, expected: Cell<'_>| {
            let bytes = encoded(cell, of);
            assert_eq!(decoded(bytes.as_deref(), of, 0).unwrap(), expected);
        };
        back(Cell::Integer(i64::MIN), kind::INT8, Cell::Integer(i64::MIN));
        back(Cell::Integer(1), kind::BOOL, Cell::Integer(1));
        back(Cell::Integer(7), kind::FLOAT8, Cell::Real(7.0));
        back(Cell::Real(f64::MIN_POSITIVE), kind::FLOAT8, Cell::Real(f64::MIN_POSITIVE));
        back(Cell::Real(f64::NAN), kind::FLOAT8, Cell::Null);
        back(Cell::Text("a\0b"), 25, Cell::Text("a\u{fffd}b"));
        back(Cell::Blob(b"\0\xff"), kind::BYTEA, Cell::Blob(b"\0\xff"));
        assert!(decoded(Some(b"abc"), kind::INT8, 0).is_err());
        assert!(decoded(Some(b"\xff"), 25, 0).is_err());
    }
}
