//! The registry of back ends: each kind of database is a file of this folder and a line of `back_ends!`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Problem;
use crate::sql::{Connection, Prepared, SqlResult};

/// Declares the back ends, each with its file. The last one takes every name that no other one knows.
macro_rules! back_ends {
    ($($(#[$only:meta])* $file:ident,)+) => {
        $($(#[$only])* mod $file;)+

        /// Every back end.
        const BACK_ENDS: &[BackEnd] = &[$($(#[$only])* $file::BACK_END),+];
    };
}

back_ends! {
    #[cfg(feature = "postgres")]
    postgres,
    sqlite,
}

/// Opens a store.
pub(crate) type Open = fn(&Path) -> Result<Connection, Problem>;

/// A kind of database that holds stores.
pub(crate) struct BackEnd {
    /// Whether a store of this name is of this kind.
    pub(crate) knows: fn(&Path) -> bool,
    /// Fails where a name of this kind is malformed. Nothing is connected to.
    pub(crate) check: fn(&Path) -> Result<(), Problem>,
    /// The name as messages show it, without secrets.
    pub(crate) shown: fn(&Path) -> PathBuf,
    /// Opens a store to write it, and makes it where there is none. Nobody else writes it as long as the connection lives.
    pub(crate) create: Open,
    /// Opens a store to read it, also while another process writes it.
    pub(crate) read: Open,
    /// Opens a store for what several processes write at once, and makes it where there is none; `None` where one process
    /// writes a store.
    pub(crate) share: Option<Open>,
    /// Why nobody else may write a store now: a process does; `None` where none does, or where that does not show.
    pub(crate) holder: fn(&Path) -> Result<Option<Problem>, Problem>,
    /// The version of the schema that this program writes.
    pub(crate) schema: fn() -> i32,
}

/// The bytes of a store.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Size {
    /// All of them.
    pub(crate) bytes: u64,
    /// Bytes of them that are free, and are used again.
    pub(crate) free_bytes: u64,
    /// Bytes of the log beside them.
    pub(crate) log_bytes: u64,
}

/// A connection with a database, and what differs between back ends beside the schema.
pub(crate) trait Session: fmt::Debug + Send {
    /// Makes a statement ready to run.
    fn prepare<'a>(&'a self, sql: &str) -> SqlResult<Box<dyn Prepared + 'a>>;

    /// Runs statements without parameters.
    fn batch(&self, sql: &str) -> SqlResult<()>;

    /// Begins a transaction that sees the store as it is now and changes nothing.
    fn begin_snapshot(&self) -> SqlResult<()>;

    /// What a whole check of the database finds, at most some lines; none for a sound store.
    fn damage(&self) -> Result<Vec<String>, Problem>;

    /// The bytes that the store takes.
    fn size(&self) -> SqlResult<Size>;

    /// Gives some of the free space back to the file system; whether there was any.
    fn shrink_some(&self) -> SqlResult<bool>;

    /// The bytes that the store may grow to; `None` for as many as the disk has.
    fn set_most_bytes(&self, most: Option<u64>) -> SqlResult<()>;

    /// How long a statement waits for another program that holds the store.
    fn wait_for_others(&self, time: Duration) -> SqlResult<()>;

    /// Whether a statement that fails undoes all of its transaction.
    fn undoes_all(&self) -> bool;

    /// What is deleted from now on is overwritten.
    fn delete_securely(&self) -> SqlResult<()>;

    /// Writes the tables anew, so that what was deleted is gone.
    fn rewrite(&self) -> SqlResult<()>;

    /// How many parts of taps the store keeps.
    fn parts(&self) -> SqlResult<u64>;

    /// Empties the log; whether that could be done.
    fn empty_log(&self) -> SqlResult<bool>;
}

impl BackEnd {
    /// The back end of a store of this name.
    pub(crate) fn of(store: &Path) -> &'static Self {
        BACK_ENDS.iter().find(|back_end| (back_end.knows)(store)).unwrap_or(&sqlite::BACK_END)
    }
}
