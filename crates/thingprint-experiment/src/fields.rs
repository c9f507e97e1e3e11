//! What is wrong with the fields of a file, all of it at once: a reader of TOML stops at the first problem.

use std::fmt;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// Most unknown fields of a table inside another that are named.
const MOST_UNKNOWN: usize = 32;

/// A field that a file may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// Its name in the file.
    pub(crate) name: &'static str,
    /// Whether it has to be there.
    pub(crate) is_required: bool,
    /// What it holds, in words.
    pub(crate) expected: &'static str,
    /// What is wrong with a value of it.
    check: fn(&Value) -> Vec<Problem>,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field's path inside the file, like `analysis.scenarios.split`.
    pub field: String,
    /// What is wrong with it, and what is expected.
    pub problem: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field '{}': {}", self.field, self.problem)
    }
}

/// A field that has to be there.
pub(crate) const fn required<T: DeserializeOwned>(name: &'static str, expected: &'static str) -> Field {
    Field { name, is_required: true, expected, check: problems_of::<T> }
}

/// A field that may be left out.
pub(crate) const fn optional<T: DeserializeOwned>(name: &'static str, expected: &'static str) -> Field {
    Field { name, is_required: false, expected, check: problems_of::<T> }
}

/// A field that holds a list of tables, each with fields of its own.
pub(crate) const fn tables<T: DeserializeOwned>(
    name: &'static str,
    expected: &'static str,
    is_required: bool,
) -> Field {
    Field { name, is_required, expected, check: problems_of_each::<T> }
}

/// Everything that is missing, unknown or of the wrong kind in a file that has these fields.
pub(crate) fn problems(file: &Table, fields: &[Field]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for Field { name, is_required, expected, check } in fields {
        match file.get(*name) {
            None if *is_required => problems.push(problem(name, format!("missing, expected {expected}"))),
            None => {}
            Some(value) => {
                let inside = check(value).into_iter();
                problems.extend(inside.map(|Problem { field, problem }| Problem {
                    field: format!("{name}{field}"),
                    problem: format!("{problem}; expected {expected}"),
                }));
            }
        }
    }
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let unknown = file.keys().filter(|key| !names.contains(&key.as_str()));
    problems
        .extend(unknown.map(|key| problem(key, format!("unknown, expected one of {}", names.join(", ")))));
    problems
}

fn problem(field: &str, problem: String) -> Problem {
    Problem { field: field.to_owned(), problem }
}

/// What is wrong with a value; of a table in it, all unknown fields, and the first other problem.
fn problems_of<T: DeserializeOwned>(value: &Value) -> Vec<Problem> {
    let (mut value, mut problems) = (value.clone(), Vec::new());
    while let Err(error) = value.clone().try_into::<T>() {
        let message = error.message().to_owned();
        let path = unknown_field(&message).and_then(|name| remove(&mut value, name));
        let is_unknown = path.is_some();
        problems.push(Problem { field: path.unwrap_or_default(), problem: message });
        if !is_unknown || problems.len() >= MOST_UNKNOWN {
            break;
        }
    }
    problems
}

fn problems_of_each<T: DeserializeOwned>(value: &Value) -> Vec<Problem> {
    let Some(items) = value.as_array() else { return problems_of::<Vec<T>>(value) };
    let of_item = |(at, item): (usize, &Value)| {
        let at = format!("[{at}]");
        let problems = problems_of::<T>(item).into_iter();
        problems.map(move |Problem { field, problem }| Problem { field: format!("{at}{field}"), problem })
    };
    items.iter().enumerate().flat_map(of_item).collect()
}

/// The name in a message about a field that is unknown.
fn unknown_field(message: &str) -> Option<&str> {
    message.strip_prefix("unknown field `")?.split('`').next()
}

/// Removes a field from a table or from the first table inside that has it; gives its path.
fn remove(value: &mut Value, name: &str) -> Option<String> {
    match value {
        Value::Table(table) => {
            if table.remove(name).is_some() {
                return Some(format!(".{name}"));
            }
            table.iter_mut().find_map(|(key, value)| Some(format!(".{key}{}", remove(value, name)?)))
        }
        Value::Array(items) => {
            items.iter_mut().enumerate().find_map(|(at, item)| Some(format!("[{at}]{}", remove(item, name)?)))
        }
        _ => None,
    }
}
