use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Why logs could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file could not be opened, or not read to its end.
    #[error("failed to read {name}: {source}")]
    Unreadable {
        /// The file.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// No file holds a line about a connection.
    #[error("no connection in these logs: expected {0}")]
    NoConnections(&'static str),
    /// No file holds a readable line about a connection.
    #[error(
        "no connection could be read: expected {expected}; failed to read {name}, line {line}: {problem}"
    )]
    UnreadableConnections {
        /// The records of connections.
        expected: &'static str,
        /// The first file with a line that cannot be read.
        name: String,
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: LogProblem,
    },
    /// Connections lack a column that instances need.
    #[error(
        "failed to read {name}, line {line}: a connection without {field}; log it, since nothing else says how much was sent"
    )]
    NoField {
        /// The file.
        name: String,
        /// Number of the line, from 1.
        line: u64,
        /// The column.
        field: &'static str,
    },
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum LogProblem {
    /// Neither a record of the format nor a line of its header.
    #[error("neither a record nor a header")]
    Unknown,
    /// A line of values before the header that names them.
    #[error("values before a line '#fields'")]
    NoHeader,
    /// More or fewer values than the header names.
    #[error("{found} values for {expected} fields")]
    Cells {
        /// Values of the line.
        found: usize,
        /// Fields of the header.
        expected: usize,
    },
    /// A value that cannot be read.
    #[error("unreadable {0}")]
    Value(&'static str),
    /// A line longer than any record.
    #[error("a line of more than {0} bytes")]
    TooLong(usize),
}

/// What was read of logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadCounts {
    /// Lines that hold records.
    pub records: u64,
    /// Records that say nothing for instances, such as alerts, by what they are.
    pub unused: BTreeMap<String, u64>,
    /// Lines that could not be read, by file: how many, and the number and the problem of the first one.
    pub problems: BTreeMap<String, (u64, u64, LogProblem)>,
    /// Files without a record.
    pub empty: BTreeSet<String>,
    /// Files that could not be read to their end: the number of the last line that was read, 0 where none was, and why.
    pub cut: BTreeMap<String, (u64, String)>,
}

impl ReadCounts {
    pub(crate) fn problem(&mut self, file: &str, line: u64, problem: LogProblem) {
        self.problems.entry(file.to_owned()).or_insert((0, line, problem)).0 += 1;
    }

    pub(crate) fn unused(&mut self, what: &str) {
        if let Some(count) = self.unused.get_mut(what) {
            *count += 1;
            return;
        }
        let name = if self.unused.len() < MOST_KINDS { what } else { OTHERS };
        *self.unused.entry(name.to_owned()).or_default() += 1;
    }

    /// Lines that could not be read.
    pub fn malformed(&self) -> u64 {
        self.problems.values().map(|(count, ..)| count).sum()
    }
}

/// Most kinds of records that are counted by name; further ones count together.
const MOST_KINDS: usize = 64;
const OTHERS: &str = "others";
