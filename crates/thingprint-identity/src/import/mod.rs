//! Tables out of what a user has downloaded and may use. Nothing is fetched, and nothing of it comes with this crate.

mod csv_text;
mod home_assistant;
mod ieee;
mod recog;
mod wheel;

use std::fmt::Write as _;

use csv_text::CsvText;

use crate::{Knowledge, KnowledgeError, TableName};

pub use home_assistant::home_assistant;
pub use ieee::ieee;
pub use recog::recog;

/// What the first line of a file of imported tables says.
const HEADING: &str = "thingprint-knowledge 1";

/// Tables that were imported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Whose they are, as answers show it.
    name: String,
    tables: Vec<(TableName, CsvText)>,
    /// What was there and has no place in the tables here.
    skipped: u64,
}

impl Imported {
    /// Tables of a name, without rows.
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Adds a row to a table.
    fn add(&mut self, table: TableName, row: &[&str]) -> Result<(), KnowledgeError> {
        if let Some((_, text)) = self.tables.iter_mut().find(|(known, _)| *known == table) {
            return text.push(row);
        }
        let mut text = CsvText::new(table)?;
        text.push(row)?;
        self.tables.push((table, text));
        Ok(())
    }

    /// Whose they are.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Rows of each table.
    pub fn rows(&self) -> impl Iterator<Item = (TableName, u64)> {
        self.tables.iter().map(|(table, text)| (*table, text.rows()))
    }

    /// What was there and has no place in the tables here.
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// A file of the tables: `name` and rows of each, as CSV.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADING}\n");
        for (table, rows) in &self.tables {
            // Writing into a text does not fail.
            let _ = write!(text, "[{table}] {}\n{}", self.name, rows.as_str());
        }
        text
    }
}

impl Knowledge {
    /// Adds the tables of a file that [`Imported::to_text`] gave.
    pub fn import(&mut self, text: &str) -> Result<(), KnowledgeError> {
        let wrong = |line: u64, reason: &str| KnowledgeError {
            table: "imported tables".to_owned(),
            line,
            reason: reason.to_owned(),
        };
        let mut lines = text.lines();
        if lines.next().map(str::trim_end) != Some(HEADING) {
            return Err(wrong(1, "expected a file that 'knowledge import' wrote"));
        }
        let mut section: Option<(TableName, &str)> = None;
        let mut rows = String::new();
        for (number, line) in (2..).zip(lines) {
            if let Some((name, import)) = line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
                self.add_section(section, &rows)?;
                let table = TableName::of_name(name).ok_or_else(|| wrong(number, "no table of this name"))?;
                section = Some((table, import));
                rows.clear();
            } else {
                rows.push_str(line);
                rows.push('\n');
            }
        }
        self.add_section(section, &rows)
    }

    fn add_section(&mut self, section: Option<(TableName, &str)>, rows: &str) -> Result<(), KnowledgeError> {
        match section {
            Some((table, import)) => self.add(table, rows, Some(import)),
            None => Ok(()),
        }
    }
}

/// An error of what is imported.
fn error(what: &str, reason: impl Into<String>) -> KnowledgeError {
    KnowledgeError { table: what.to_owned(), line: 0, reason: reason.into() }
}
