use super::error;
use crate::{KnowledgeError, TableName};

/// Rows of a table, written as CSV.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CsvText {
    text: String,
    rows: u64,
}

impl CsvText {
    /// The header of a table.
    pub(super) fn new(table: TableName) -> Result<Self, KnowledgeError> {
        let mut text = Self::default();
        text.push(table.columns())?;
        text.rows = 0;
        Ok(text)
    }

    /// Adds a row; breaks of lines become blanks.
    pub(super) fn push(&mut self, row: &[&str]) -> Result<(), KnowledgeError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let cells = row.iter().map(|cell| cell.replace(['\n', '\r'], " "));
        let written = writer.write_record(cells).map_err(|problem| problem.to_string());
        let bytes = written.and_then(|()| writer.into_inner().map_err(|problem| problem.to_string()));
        let bytes = bytes.map_err(|reason| error("imported rows", reason))?;
        self.text.push_str(&String::from_utf8_lossy(&bytes));
        self.rows += 1;
        Ok(())
    }

    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}
