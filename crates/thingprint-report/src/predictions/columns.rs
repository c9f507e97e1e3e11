//! Columns of predictions by their names.

use std::collections::{BTreeMap, BTreeSet};

use super::{CLASS, COLUMNS, DEVICE, TRUTH, WINDOW, class_of};
use crate::delimited::listed;
use crate::error::ReportError;
use thingprint_table::Type;

/// Most classes of a file.
pub(super) const MOST_CLASSES: usize = 4_096;
/// Columns that a file must have, together with a class at least.
const REQUIRED: [&str; 4] = [DEVICE, WINDOW, TRUTH, CLASS];

/// Where the value of a column goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    /// A place in [`COLUMNS`].
    Field(usize),
    /// The probability of a class by its number.
    Class(usize),
    Unknown,
}

impl Slot {
    /// Whether it is for texts, which CSV writes in a form of its own.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Field(at) if COLUMNS.get(at).is_some_and(|(_, r#type)| *r#type == Type::Text))
    }
}

/// The classes that columns have named so far.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) classes: Vec<String>,
    numbers: BTreeMap<String, usize>,
}

impl Columns {
    /// Where a column's values go; a class that is new gets a number. Fails for too many.
    pub(super) fn slot(&mut self, name: &str) -> Result<Slot, String> {
        let Some(class) = class_of(name) else { return Ok(field(name).map_or(Slot::Unknown, Slot::Field)) };
        if let Some(number) = self.numbers.get(class) {
            return Ok(Slot::Class(*number));
        }
        if self.classes.len() >= MOST_CLASSES {
            return Err(format!("more than {MOST_CLASSES} columns probability[CLASS]"));
        }
        self.numbers.insert(class.to_owned(), self.classes.len());
        self.classes.push(class.to_owned());
        Ok(Slot::Class(self.classes.len() - 1))
    }

    /// The slots of a header, in which each column that is read occurs once.
    pub(super) fn slots(&mut self, names: &[String], file: &str) -> Result<Vec<Slot>, ReportError> {
        let unreadable = |reason| ReportError::Unreadable { file: file.to_owned(), reason };
        let slots: Vec<Slot> =
            names.iter().map(|name| self.slot(name)).collect::<Result<_, _>>().map_err(unreadable)?;
        let mut seen = BTreeSet::new();
        for (slot, name) in slots.iter().zip(names) {
            if *slot != Slot::Unknown && !seen.insert(*slot) {
                return Err(unreadable(format!("column {} occurs twice", name.escape_debug())));
            }
        }
        check(&seen, names, file)?;
        Ok(slots)
    }
}

/// Refuses a table that lacks a required column.
pub(super) fn check(seen: &BTreeSet<Slot>, names: &[String], file: &str) -> Result<(), ReportError> {
    let is_there = |name: &str| field(name).is_some_and(|at| seen.contains(&Slot::Field(at)));
    let has_class = seen.iter().any(|slot| matches!(slot, Slot::Class(_)));
    let missing = REQUIRED.into_iter().find(|name| !is_there(name));
    match missing.or_else(|| (!has_class).then_some("probability[CLASS]")) {
        Some(column) => {
            Err(ReportError::MissingColumn { file: file.to_owned(), column, found: listed(names) })
        }
        None => Ok(()),
    }
}

/// The place of a column in [`COLUMNS`].
pub(super) fn field(name: &str) -> Option<usize> {
    COLUMNS.iter().position(|(column, _)| *column == name)
}
