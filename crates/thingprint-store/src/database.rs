use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{BUSY_SECONDS, Problem, StoreError};
use crate::lock;
use crate::schema;

/// How long a check for damage may take when a store is opened. It reads the whole file, and a watch must begin soon:
/// a store that takes longer is opened without the rest of the check.
const CHECK_SECONDS: u64 = 10;

/// Pages that the write-ahead log grows to before it goes into the database: 4 MiB.
const CHECKPOINT_PAGES: i32 = 1024;

/// Bytes that the log may keep on the disk when it was emptied.
const LOG_BYTES: i64 = 16 << 20;

/// A connection to the file of a store.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
}

impl Database {
    /// Opens a store to write it, and makes it where there is none. The caller has the lock.
    pub(crate) fn create(path: &Path) -> Result<Self, StoreError> {
        Self::create_unnamed(path).map_err(|problem| problem.at(path))
    }

    /// Opens a store to read it, also while another process writes it.
    pub(crate) fn read(path: &Path) -> Result<Self, StoreError> {
        Self::read_unnamed(path).map_err(|problem| problem.at(path))
    }

    fn create_unnamed(path: &Path) -> Result<Self, Problem> {
        drop(lock::open(path)?);
        let mut connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE))?;
        connection.busy_timeout(Duration::from_secs(BUSY_SECONDS))?;
        schema::check(&connection)?;
        // Before the first table: later it would take a rewrite of the whole file.
        connection.pragma_update(None, "auto_vacuum", "incremental")?;
        let mode: String = connection.query_row("PRAGMA journal_mode = wal", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(Problem::NoWal { mode });
        }
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
        check(&connection)?;
        schema::migrate(&mut connection)?;
        Ok(Self { connection, path: path.to_owned() })
    }

    fn read_unnamed(path: &Path) -> Result<Self, Problem> {
        if !path.try_exists()? {
            return Err(Problem::Missing);
        }
        let open = |access| -> Result<(Connection, i32), Problem> {
            let connection = Connection::open_with_flags(path, flags(access))?;
            connection.busy_timeout(Duration::from_secs(BUSY_SECONDS))?;
            connection.pragma_update(None, "query_only", true)?;
            let found = schema::check(&connection)?;
            Ok((connection, found))
        };
        // Reading a log that a killed writer left needs the right to write; without that right, what is there is read.
        let (connection, found) = match open(OpenFlags::SQLITE_OPEN_READ_WRITE) {
            Err(Problem::ReadOnly | Problem::Sqlite(_)) => open(OpenFlags::SQLITE_OPEN_READ_ONLY)?,
            opened => opened?,
        };
        if found < schema::version() {
            return Err(Problem::Older { found, known: schema::version() });
        }
        Ok(Self { connection, path: path.to_owned() })
    }

    /// The error of a problem here.
    pub(crate) fn error(&self, problem: impl Into<Problem>) -> StoreError {
        problem.into().at(&self.path)
    }

    /// What the whole of SQLite's own check finds, at most so many lines; none for a sound store.
    pub(crate) fn damage(&self) -> Result<Vec<String>, Problem> {
        found_by(&self.connection, "integrity_check")
    }
}

/// Each connection is used by one thread at a time, so SQLite need not lock it.
fn flags(access: OpenFlags) -> OpenFlags {
    access | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// Fails where the quick check finds damage within the time that it has.
fn check(connection: &Connection) -> Result<(), Problem> {
    let handle = connection.get_interrupt_handle();
    let (done, is_done) = mpsc::channel::<()>();
    let timer = thread::spawn(move || {
        let is_late = is_done.recv_timeout(Duration::from_secs(CHECK_SECONDS));
        if is_late == Err(mpsc::RecvTimeoutError::Timeout) {
            handle.interrupt();
        }
    });
    let found = found_by(connection, "quick_check");
    drop(done);
    let _ = timer.join();
    match found {
        Err(Problem::Sqlite(error)) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            Ok(())
        }
        Ok(lines) if lines.is_empty() => Ok(()),
        Ok(lines) => Err(Problem::Damaged { what: lines.join("; ") }),
        Err(problem) => Err(problem),
    }
}

/// Lines of a check that are kept: the first ones say what is wrong.
const MOST_LINES: usize = 5;

fn found_by(connection: &Connection, check: &str) -> Result<Vec<String>, Problem> {
    let mut statement = connection.prepare(&format!("PRAGMA {check}({MOST_LINES})"))?;
    let lines: Result<Vec<String>, _> = statement.query_map([], |row| row.get(0))?.collect();
    Ok(lines?.into_iter().filter(|line| line != "ok").collect())
}
