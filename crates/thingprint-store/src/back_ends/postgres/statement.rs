//! Statements and values as a server of `PostgreSQL` reads them.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::sql::{Cell, Params, SqlError, SqlResult};

/// A statement with `$1` in place of `?1` and `:name`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Translated {
    pub(super) sql: String,
    /// The names of the parameters, in the order of their numbers; none where they have numbers.
    pub(super) names: Vec<String>,
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

/// A number that is none is NULL, as SQLite takes it. Texts have no zero bytes there: another sign stands in their place.
impl ToSql for Cell<'_> {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match *self {
            Cell::Null => Ok(IsNull::Yes),
            Cell::Real(number) if number.is_nan() => Ok(IsNull::Yes),
            Cell::Real(number) => number.to_sql(of, out),
            Cell::Integer(number) if *of == Type::BOOL => (number != 0).to_sql(of, out),
            Cell::Integer(number) if *of == Type::INT4 => {
                i32::try_from(number).unwrap_or(i32::MAX).to_sql(of, out)
            }
            #[expect(clippy::cast_precision_loss, reason = "a column of numbers takes whole ones as well")]
            Cell::Integer(number) if *of == Type::FLOAT8 => (number as f64).to_sql(of, out),
            Cell::Integer(number) => number.to_sql(of, out),
            Cell::Text(text) if text.contains('\0') => text.replace('\0', "\u{fffd}").to_sql(of, out),
            Cell::Text(text) => text.to_sql(of, out),
            Cell::Blob(bytes) => bytes.to_sql(of, out),
        }
    }

    /// Statements cast where a value would not fit.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(of: &Type, bytes: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *of {
            Type::BYTEA => Cell::Blob(bytes),
            Type::BOOL => Cell::Integer(bool::from_sql(of, bytes)?.into()),
            Type::INT8 => Cell::Integer(i64::from_sql(of, bytes)?),
            Type::INT4 => Cell::Integer(i32::from_sql(of, bytes)?.into()),
            Type::FLOAT8 => Cell::Real(f64::from_sql(of, bytes)?),
            _ => Cell::Text(<&str>::from_sql(of, bytes)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Cell::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
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
        let back = |cell: Cell<'_>, of: Type, expected: Cell<'_>| {
            let mut bytes = BytesMut::new();
            let found = match cell.to_sql(&of, &mut bytes).unwrap() {
                IsNull::Yes => Cell::from_sql_null(&of),
                IsNull::No => Cell::from_sql(&of, &bytes),
            };
            assert_eq!(found.unwrap(), expected);
        };
        back(Cell::Integer(i64::MIN), Type::INT8, Cell::Integer(i64::MIN));
        back(Cell::Integer(1), Type::BOOL, Cell::Integer(1));
        back(Cell::Integer(7), Type::INT4, Cell::Integer(7));
        back(Cell::Integer(7), Type::FLOAT8, Cell::Real(7.0));
        back(Cell::Real(f64::MIN_POSITIVE), Type::FLOAT8, Cell::Real(f64::MIN_POSITIVE));
        back(Cell::Real(f64::NAN), Type::FLOAT8, Cell::Null);
        back(Cell::Text("a\0b"), Type::TEXT, Cell::Text("a\u{fffd}b"));
        back(Cell::Blob(b"\0\xff"), Type::BYTEA, Cell::Blob(b"\0\xff"));
        assert!(Cell::from_sql(&Type::INT8, b"abc").is_err());
        assert!(Cell::from_sql(&Type::TEXT, b"\xff").is_err());
    }
}
