//! A walk over a JSON document that knows where it is.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::{ProfileError, ProfileFault};

/// Characters of a value that a message shows.
const MOST_SHOWN: usize = 40;

/// A value of a document, and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    value: &'a Value,
    path: String,
}

/// The members of an object, and its place.
#[derive(Clone, Debug)]
pub(crate) struct Members<'a> {
    members: &'a Map<String, Value>,
    path: String,
}

/// Reads a document of at most so many bytes.
pub(crate) fn parse(text: &str, most_bytes: usize) -> Result<Value, ProfileError> {
    parse_as(text, most_bytes)
}

/// The same for a document that is no tree of values.
pub(crate) fn parse_as<'a, T: Deserialize<'a>>(text: &'a str, most_bytes: usize) -> Result<T, ProfileError> {
    if text.len() > most_bytes {
        let fault = ProfileFault::TooMany { most: most_bytes, things: "bytes" };
        return Err(ProfileError { path: "the file".to_owned(), fault });
    }
    // An editor's byte order mark is no part of the document (RFC 8259).
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|error| {
        let path = format!("line {}, column {}", error.line(), error.column());
        ProfileError { path, fault: ProfileFault::Syntax(without_place(&error)) }
    })
}

/// The value of a part of a document, which is at this place.
pub(crate) fn value_of(raw: &RawValue, path: &str) -> Result<Value, ProfileError> {
    members_of(raw, path)
}

/// The same for a part that is no tree of values.
pub(crate) fn members_of<'a, T: Deserialize<'a>>(raw: &'a RawValue, path: &str) -> Result<T, ProfileError> {
    serde_json::from_str(raw.get()).map_err(|error| ProfileError {
        path: path.to_owned(),
        fault: ProfileFault::Syntax(without_place(&error)),
    })
}

fn without_place(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let reason = error.to_string();
    reason.strip_suffix(&place).unwrap_or(&reason).to_owned()
}

impl<'a> Node<'a> {
    /// The whole document.
    pub(crate) const fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    /// A value that is at this place of its document.
    pub(crate) const fn at(value: &'a Value, path: String) -> Self {
        Self { value, path }
    }

    /// What is wrong here.
    pub(crate) fn fault(&self, fault: ProfileFault) -> ProfileError {
        ProfileError { path: shown_path(&self.path), fault }
    }

    /// A value here that makes no sense.
    pub(crate) fn meaning(&self, reason: impl Into<String>) -> ProfileError {
        self.fault(ProfileFault::Meaning(reason.into()))
    }

    /// The members, of any name.
    pub(crate) fn object(&self) -> Result<Members<'a>, ProfileError> {
        let members = self.value.as_object().ok_or_else(|| self.kind("an object"))?;
        Ok(Members { members, path: self.path.clone() })
    }

    /// The elements.
    pub(crate) fn list(&self) -> Result<Vec<Self>, ProfileError> {
        let values = self.value.as_array().ok_or_else(|| self.kind("a list"))?;
        let node = |(index, value)| Self { value, path: format!("{}[{index}]", self.path) };
        Ok(values.iter().enumerate().map(node).collect())
    }

    pub(crate) fn text(&self) -> Result<&'a str, ProfileError> {
        self.value.as_str().ok_or_else(|| self.kind("a text"))
    }

    /// A text that is another type's.
    pub(crate) fn parsed<T>(
        &self,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ProfileError> {
        self.value.as_str().and_then(parse).ok_or_else(|| self.kind(expected))
    }

    pub(crate) fn truth(&self) -> Result<bool, ProfileError> {
        self.value.as_bool().ok_or_else(|| self.kind("true or false"))
    }

    /// A whole number from 0 to that of the type.
    pub(crate) fn number<T: TryFrom<u64>>(&self, expected: &str) -> Result<T, ProfileError> {
        let number = self.value.as_u64().and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| self.kind(expected))
    }

    /// The value of a leaf of type `empty`: `[null]` (RFC 7951).
    pub(crate) fn empty(&self) -> Result<(), ProfileError> {
        match self.value.as_array().map(Vec::as_slice) {
            Some([Value::Null]) => Ok(()),
            _ => Err(self.kind("[null]")),
        }
    }

    pub(crate) fn is_text(&self) -> bool {
        self.value.is_string()
    }

    /// Another kind of value than is expected.
    pub(crate) fn kind(&self, expected: &str) -> ProfileError {
        let found = match self.value {
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "an object".to_owned(),
            value => shortened(&value.to_string()),
        };
        self.fault(ProfileFault::Kind { expected: expected.to_owned(), found })
    }
}

impl<'a> Members<'a> {
    /// The member of this name.
    pub(crate) fn get(&self, name: &str) -> Option<Node<'a>> {
        let value = self.members.get(name)?;
        Some(Node { value, path: joined(&self.path, name) })
    }

    /// The member of the first of these names that is there.
    pub(crate) fn any(&self, names: &[&str]) -> Option<Node<'a>> {
        names.iter().find_map(|name| self.get(name))
    }

    /// The member of this name, which has to be there.
    pub(crate) fn need(&self, name: &str) -> Result<Node<'a>, ProfileError> {
        self.get(name).ok_or_else(|| self.fault(ProfileFault::Missing(name.to_owned())))
    }

    /// Every member by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> {
        let node = |(name, value)| {
            let name: &'a String = name;
            (name.as_str(), Node { value, path: joined(&self.path, name) })
        };
        self.members.iter().map(node)
    }

    /// Refuses members of other names.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), ProfileError> {
        let unknown = self.members.keys().find(|name| !known.contains(&name.as_str()));
        unknown.map_or(Ok(()), |name| Err(self.fault(ProfileFault::Unknown(shortened(name)))))
    }

    fn fault(&self, fault: ProfileFault) -> ProfileError {
        ProfileError { path: shown_path(&self.path), fault }
    }
}

fn shown_path(path: &str) -> String {
    if path.is_empty() { "the document".to_owned() } else { path.to_owned() }
}

/// The place of a member.
pub(crate) fn joined(path: &str, name: &str) -> String {
    let name = shortened(name);
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_their_place() {
        let value = parse(r#"{"a": [{"b": 1}, {"b": "x", "c": 2}]}"#, 100).unwrap();
        let list = Node::root(&value).object().unwrap().need("a").unwrap().list().unwrap();
        let second = list[1].object().unwrap();
        let check = |error: ProfileError, expected: &str| assert_eq!(error.to_string(), expected);
        check(second.only(&["b"]).unwrap_err(), "a[1]: 'c' is no field that is known here");
        check(second.need("d").unwrap_err(), "a[1]: 'd' is missing");
        let b = second.need("b").unwrap();
        check(b.number::<u8>("a small number").unwrap_err(), "a[1].b: expected a small number, found \"x\"");
        check(list[0].text().unwrap_err(), "a[0]: expected a text, found an object");
        check(parse("{\n]", 100).unwrap_err(), "line 2, column 1: key must be a string");
        check(parse("{}", 1).unwrap_err(), "the file: more than 1 bytes");
    }

    #[test]
    fn a_long_value_is_cut_where_a_character_ends() {
        let text = "ä".repeat(50);
        assert_eq!(shortened(&text), format!("{}...", "ä".repeat(40)));
    }
}
