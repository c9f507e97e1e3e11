//! Statements, their parameters and their rows, whichever back end runs them.
//!
//! Statements are written once, in what all back ends understand: parameters are `?1` or `:name`, a conflict names its columns,
//! and a column that is changed by a conflict has its table's name before it.

use std::fmt;
use std::ops::Deref;

use rusqlite::ErrorCode;

use crate::back_ends::Session;

/// Rows, or why the back end does not give them.
pub(crate) type SqlResult<T> = Result<T, SqlError>;

/// Why a back end does not do what it is asked for.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// What SQLite says.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A value that another program wrote into a column, in a form that it does not have.
    #[error("column {at}: {reason}")]
    Unfit {
        /// The column, from 0.
        at: usize,
        /// What is wrong.
        reason: String,
    },
    /// A value that cannot be written.
    #[error("{0}")]
    Unwritable(String),
    /// What a server says.
    #[error("{message}{}", in_brackets(detail))]
    Server {
        /// The number of the error (`SQLSTATE`).
        code: String,
        /// What it says.
        message: String,
        /// What it says beside that; empty where it says nothing.
        detail: String,
    },
    /// The connection with a server is lost.
    #[error("the connection with the server is lost: {0}")]
    Broken(String),
}

/// A value in a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// What goes into a column.
pub(crate) trait ToCell {
    fn to_cell(&self) -> Cell<'_>;
}

/// What comes out of a column; `None` where the column holds something else.
pub(crate) trait FromCell: Sized {
    fn from_cell(cell: Cell<'_>) -> Option<Self>;
}

/// The parameters of a statement.
#[derive(Clone, Copy)]
pub(crate) enum Params<'a> {
    /// `?1`, `?2` ...
    Numbered(&'a [&'a dyn ToCell]),
    /// `:name`
    Named(&'a [(&'a str, &'a dyn ToCell)]),
}

/// Parameters by number.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        $crate::sql::Params::Numbered(&[$(&$value as &dyn $crate::sql::ToCell),*])
    };
}

/// Parameters by name.
macro_rules! named_params {
    ($($name:literal: $value:expr),* $(,)?) => {
        $crate::sql::Params::Named(&[$(($name, &$value as &dyn $crate::sql::ToCell)),*])
    };
}

pub(crate) use {named_params, params};

/// A row as a back end has it.
pub(crate) trait RawRow {
    /// The value of a column.
    fn cell(&self, at: usize) -> SqlResult<Cell<'_>>;
}

/// A row of a result, read by position.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a>(pub(crate) &'a dyn RawRow);

/// A statement that is ready to run.
pub(crate) trait Prepared {
    /// Runs it, and shows each of its rows; how many rows it changed.
    fn run(&mut self, params: Params<'_>, each: &mut dyn FnMut(Row<'_>) -> SqlResult<()>) -> SqlResult<u64>;
}

/// A statement that is run several times.
pub(crate) struct Statement<'a>(Box<dyn Prepared + 'a>);

/// A connection with a store.
#[derive(Debug)]
pub(crate) struct Connection(Box<dyn Session>);

/// Changes that are made together or not at all: what is not committed is undone.
pub(crate) struct Transaction<'a> {
    connection: &'a Connection,
    is_open: bool,
}

/// The number by which a server of `PostgreSQL` says that its files are damaged.
const DAMAGED: &str = "XX001";

fn in_brackets(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}

impl SqlError {
    /// Whether a row cannot be read for what is in it, and not for a disk, a lock or memory that fails now.
    pub(crate) fn is_of_row(&self) -> bool {
        let is_damage = |code| matches!(code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase);
        match self {
            Self::Sqlite(error) => error.sqlite_error_code().is_none_or(is_damage),
            Self::Unfit { .. } => true,
            Self::Server { code, .. } => code == DAMAGED,
            Self::Unwritable(_) | Self::Broken(_) => false,
        }
    }

    /// Whether the file is damaged.
    pub(crate) fn is_of_damage(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt))
    }
}

impl Row<'_> {
    pub(crate) fn get<T: FromCell>(self, at: usize) -> SqlResult<T> {
        let cell = self.0.cell(at)?;
        T::from_cell(cell).ok_or_else(|| SqlError::Unfit { at, reason: format!("unexpected {cell}") })
    }
}

impl Statement<'_> {
    /// Runs it; how many rows it changed.
    pub(crate) fn execute(&mut self, params: Params<'_>) -> SqlResult<u64> {
        self.0.run(params, &mut |_| Ok(()))
    }

    /// All rows that it gives.
    pub(crate) fn rows<T>(
        &mut self,
        params: Params<'_>,
        mut of: impl FnMut(Row<'_>) -> SqlResult<T>,
    ) -> SqlResult<Vec<T>> {
        let mut rows = Vec::new();
        self.0.run(params, &mut |row| {
            rows.push(of(row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The first row that it gives.
    pub(crate) fn row<T>(
        &mut self,
        params: Params<'_>,
        mut of: impl FnMut(Row<'_>) -> SqlResult<T>,
    ) -> SqlResult<Option<T>> {
        let mut first = None;
        self.0.run(params, &mut |row| {
            if first.is_none() {
                first = Some(of(row)?);
            }
            Ok(())
        })?;
        Ok(first)
    }
}

impl Connection {
    pub(crate) fn new(session: Box<dyn Session>) -> Self {
        Self(session)
    }

    pub(crate) fn prepare(&self, sql: &str) -> SqlResult<Statement<'_>> {
        self.0.prepare(sql).map(Statement)
    }

    /// Runs a statement; how many rows it changed.
    pub(crate) fn execute(&self, sql: &str, params: Params<'_>) -> SqlResult<u64> {
        self.prepare(sql)?.execute(params)
    }

    /// All rows of a statement.
    pub(crate) fn rows<T>(
        &self,
        sql: &str,
        params: Params<'_>,
        of: impl FnMut(Row<'_>) -> SqlResult<T>,
    ) -> SqlResult<Vec<T>> {
        self.prepare(sql)?.rows(params, of)
    }

    /// Shows the rows of a statement one by one.
    pub(crate) fn each(
        &self,
        sql: &str,
        params: Params<'_>,
        mut each: impl FnMut(Row<'_>) -> SqlResult<()>,
    ) -> SqlResult<()> {
        self.prepare(sql)?.0.run(params, &mut each).map(drop)
    }

    /// The first row of a statement.
    pub(crate) fn row<T>(
        &self,
        sql: &str,
        params: Params<'_>,
        of: impl FnMut(Row<'_>) -> SqlResult<T>,
    ) -> SqlResult<Option<T>> {
        self.prepare(sql)?.row(params, of)
    }

    /// The one row of a statement that always has one.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: Params<'_>,
        of: impl FnMut(Row<'_>) -> SqlResult<T>,
    ) -> SqlResult<T> {
        let row = self.row(sql, params, of)?;
        row.ok_or_else(|| SqlError::Unfit { at: 0, reason: "a row is missing".to_owned() })
    }

    /// Begins changes.
    pub(crate) fn transaction(&self) -> SqlResult<Transaction<'_>> {
        self.0.batch("BEGIN")?;
        Ok(Transaction { connection: self, is_open: true })
    }

    /// Begins a look at the store in which nothing changes.
    pub(crate) fn snapshot(&self) -> SqlResult<Transaction<'_>> {
        self.0.begin_snapshot()?;
        Ok(Transaction { connection: self, is_open: true })
    }

    /// What only the back end knows how to do.
    pub(crate) fn session(&self) -> &dyn Session {
        &*self.0
    }
}

impl Transaction<'_> {
    pub(crate) fn commit(mut self) -> SqlResult<()> {
        self.connection.0.batch("COMMIT")?;
        self.is_open = false;
        Ok(())
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.is_open {
            // A connection on which this fails is broken, and the other end undoes what was open on it.
            let _ = self.connection.0.batch("ROLLBACK");
        }
    }
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Integer(number) => write!(f, "number {number}"),
            Self::Real(number) => write!(f, "number {number}"),
            Self::Text(_) => f.write_str("text"),
            Self::Blob(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}

impl ToCell for Cell<'_> {
    fn to_cell(&self) -> Cell<'_> {
        *self
    }
}

impl ToCell for i64 {
    fn to_cell(&self) -> Cell<'_> {
        Cell::Integer(*self)
    }
}

impl ToCell for u32 {
    fn to_cell(&self) -> Cell<'_> {
        Cell::Integer(i64::from(*self))
    }
}

impl ToCell for bool {
    fn to_cell(&self) -> Cell<'_> {
        Cell::Integer(i64::from(*self))
    }
}

impl ToCell for f64 {
    fn to_cell(&self) -> Cell<'_> {
        Cell::Real(*self)
    }
}

impl ToCell for str {
    fn to_cell(&self) -> Cell<'_> {
        Cell::Text(self)
    }
}

impl ToCell for String {
    fn to_cell(&self) -> Cell<'_> {
        Cell::Text(self)
    }
}

impl ToCell for [u8] {
    fn to_cell(&self) -> Cell<'_> {
        Cell::Blob(self)
    }
}

impl ToCell for Vec<u8> {
    fn to_cell(&self) -> Cell<'_> {
        Cell::Blob(self)
    }
}

impl<T: ToCell + ?Sized> ToCell for &T {
    fn to_cell(&self) -> Cell<'_> {
        (**self).to_cell()
    }
}

impl<T: ToCell> ToCell for Option<T> {
    fn to_cell(&self) -> Cell<'_> {
        self.as_ref().map_or(Cell::Null, ToCell::to_cell)
    }
}

impl FromCell for i64 {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Integer(number) => Some(number),
            // A number in a column of bytes, as a server has it that has no other columns for it.
            Cell::Blob(bytes) => bytes.try_into().ok().map(Self::from_be_bytes),
            _ => None,
        }
    }
}

impl FromCell for u32 {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        i64::from_cell(cell).and_then(|number| number.try_into().ok())
    }
}

impl FromCell for i32 {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        i64::from_cell(cell).and_then(|number| number.try_into().ok())
    }
}

impl FromCell for bool {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        i64::from_cell(cell).map(|number| number != 0)
    }
}

impl FromCell for f64 {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Real(number) => Some(number),
            #[expect(clippy::cast_precision_loss, reason = "SQLite stores whole numbers as such")]
            Cell::Integer(number) => Some(number as Self),
            _ => None,
        }
    }
}

impl FromCell for String {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Text(text) = cell { Some(text.to_owned()) } else { None }
    }
}

impl FromCell for Vec<u8> {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Blob(bytes) = cell { Some(bytes.to_vec()) } else { None }
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if cell == Cell::Null { Some(None) } else { T::from_cell(cell).map(Some) }
    }
}
