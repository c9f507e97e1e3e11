mod lock;
mod schema;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, OpenFlags, ToSql};

use self::lock::StoreLock;
use super::{BackEnd, Session, Size};
use crate::cell::whole;
use crate::error::{BUSY_SECONDS, Problem};
use crate::sql::{Cell, Connection, Params, Prepared, RawRow, Row, SqlError, SqlResult};

/// A file of SQLite: every name that is no address.
pub(super) const BACK_END: BackEnd = BackEnd {
    knows: |_| true,
    check: check_name,
    shown,
    create,
    read,
    share: None,
    holder: lock::holder,
    schema: schema::version,
};

/// How long a check for damage may take when a store is opened. It reads the whole file, and a watch must begin soon:
/// a store that takes longer is opened without the rest of the check.
const CHECK_SECONDS: u64 = 10;

/// Pages that the write-ahead log grows to before it goes into the database: 4 MiB.
const CHECKPOINT_PAGES: i32 = 1024;

/// Bytes that the log may keep on the disk when it was emptied.
const LOG_BYTES: i64 = 16 << 20;

/// Pages that a file of SQLite has at most.
const MOST_PAGES: i64 = 4_294_967_294;

/// Pages that are given back to the file system at once: 8 MiB.
const PAGES_AT_ONCE: u32 = 2048;

/// A connection with a file.
struct File {
    connection: rusqlite::Connection,
    path: PathBuf,
    /// Held by who writes.
    _lock: Option<StoreLock>,
}

struct Statement<'a> {
    statement: rusqlite::Statement<'a>,
    connection: &'a rusqlite::Connection,
}

/// The scheme of a name that no back end knows.
fn scheme(store: &Path) -> Option<&str> {
    store.to_str()?.split_once("://").map(|(scheme, _)| scheme)
}

/// Fails where a name is the address of something that no back end knows, and no file.
fn check_name(store: &Path) -> Result<(), Problem> {
    let Some(scheme) = scheme(store) else { return Ok(()) };
    let forms = if cfg!(feature = "postgres") {
        "name a file, or postgres://USER@HOST/DATABASE"
    } else {
        "name a file; a program that is built with the feature 'postgres' knows postgres://USER@HOST/DATABASE as well"
    };
    Err(Problem::BadAddress(format!("no store of the kind '{scheme}://': {forms}")))
}

/// The name; of an address the scheme alone, since a password may be anywhere in it.
fn shown(store: &Path) -> PathBuf {
    scheme(store).map_or_else(|| store.to_owned(), |scheme| PathBuf::from(format!("{scheme}://...")))
}

fn create(path: &Path) -> Result<Connection, Problem> {
    check_name(path)?;
    let lock = StoreLock::take(path)?;
    drop(lock::open(path)?);
    let access = flags(OpenFlags::SQLITE_OPEN_READ_WRITE);
    let mut connection = rusqlite::Connection::open_with_flags(path, access)?;
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
    Ok(Connection::new(Box::new(File { connection, path: path.to_owned(), _lock: Some(lock) })))
}

fn read(path: &Path) -> Result<Connection, Problem> {
    check_name(path)?;
    if !path.try_exists()? {
        return Err(Problem::Missing);
    }
    let open = |access| -> Result<(rusqlite::Connection, i32), Problem> {
        let connection = rusqlite::Connection::open_with_flags(path, flags(access))?;
        connection.busy_timeout(Duration::from_secs(BUSY_SECONDS))?;
        connection.pragma_update(None, "query_only", true)?;
        let found = schema::check(&connection)?;
        Ok((connection, found))
    };
    // Reading a log that a killed writer left needs the right to write; without that right, what is there is read.
    let (connection, found) = match open(OpenFlags::SQLITE_OPEN_READ_WRITE) {
        Err(Problem::ReadOnly | Problem::Sql(_)) => open(OpenFlags::SQLITE_OPEN_READ_ONLY)?,
        opened => opened?,
    };
    if found < schema::version() {
        return Err(Problem::Older { found, known: schema::version() });
    }
    Ok(Connection::new(Box::new(File { connection, path: path.to_owned(), _lock: None })))
}

/// Each connection is used by one thread at a time, so SQLite need not lock it.
fn flags(access: OpenFlags) -> OpenFlags {
    access | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// Fails where the quick check finds damage within the time that it has.
fn check(connection: &rusqlite::Connection) -> Result<(), Problem> {
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
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => Ok(()),
        Ok(lines) if lines.is_empty() => Ok(()),
        Ok(lines) => Err(Problem::Damaged { what: lines.join("; ") }),
        Err(error) => Err(error.into()),
    }
}

/// Lines of a check that are kept: the first ones say what is wrong.
const MOST_LINES: usize = 5;

fn found_by(connection: &rusqlite::Connection, check: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA {check}({MOST_LINES})"))?;
    let lines: Result<Vec<String>, _> = statement.query_map([], |row| row.get(0))?.collect();
    Ok(lines?.into_iter().filter(|line| line != "ok").collect())
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({})", self.path.display())
    }
}

impl File {
    fn number(&self, pragma: &str) -> SqlResult<u64> {
        let number: i64 = self.connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?;
        Ok(u64::try_from(number).unwrap_or(0))
    }
}

impl Session for File {
    fn prepare<'a>(&'a self, sql: &str) -> SqlResult<Box<dyn Prepared + 'a>> {
        let connection = &self.connection;
        Ok(Box::new(Statement { statement: connection.prepare(sql)?, connection }))
    }

    fn batch(&self, sql: &str) -> SqlResult<()> {
        Ok(self.connection.execute_batch(sql)?)
    }

    fn begin_snapshot(&self) -> SqlResult<()> {
        self.batch("BEGIN")
    }

    fn damage(&self) -> Result<Vec<String>, Problem> {
        Ok(found_by(&self.connection, "integrity_check")?)
    }

    fn size(&self) -> SqlResult<Size> {
        let page = self.number("page_size")?;
        let log = std::fs::metadata(lock::beside(&self.path, "-wal"));
        Ok(Size {
            bytes: self.number("page_count")? * page,
            free_bytes: self.number("freelist_count")? * page,
            log_bytes: log.map_or(0, |log| log.len()),
        })
    }

    fn shrink_some(&self) -> SqlResult<bool> {
        let is_some = self.number("freelist_count")? > 0;
        if is_some {
            let sql = format!("PRAGMA incremental_vacuum({PAGES_AT_ONCE})");
            let mut statement = self.connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
        }
        Ok(is_some)
    }

    fn set_most_bytes(&self, most: Option<u64>) -> SqlResult<()> {
        let page = i64::try_from(self.number("page_size")?).unwrap_or(i64::MAX);
        // SQLite raises a limit below the present size to that size, and one above its own to its own.
        let pages = most.map_or(MOST_PAGES, |most| (whole(most) / page.max(1)).clamp(1, MOST_PAGES));
        Ok(self.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?)
    }

    fn wait_for_others(&self, time: Duration) -> SqlResult<()> {
        Ok(self.connection.busy_timeout(time)?)
    }

    fn undoes_all(&self) -> bool {
        false
    }

    fn delete_securely(&self) -> SqlResult<()> {
        Ok(self.connection.pragma_update(None, "secure_delete", true)?)
    }

    fn rewrite(&self) -> SqlResult<()> {
        self.batch("VACUUM")
    }

    /// A collector keeps them in a folder beside the file.
    fn parts(&self) -> SqlResult<u64> {
        Ok(0)
    }

    fn empty_log(&self) -> SqlResult<bool> {
        Ok(self.number("wal_checkpoint(truncate)")? == 0)
    }
}

impl Prepared for Statement<'_> {
    fn run(&mut self, params: Params<'_>, each: &mut dyn FnMut(Row<'_>) -> SqlResult<()>) -> SqlResult<u64> {
        match params {
            Params::Numbered(values) => {
                for (at, value) in values.iter().enumerate() {
                    self.statement.raw_bind_parameter(at + 1, value.to_cell())?;
                }
            }
            Params::Named(values) => {
                for (name, value) in values {
                    let at = self.statement.parameter_index(name)?;
                    let at = at.ok_or_else(|| SqlError::Unwritable(format!("no parameter {name}")))?;
                    self.statement.raw_bind_parameter(at, value.to_cell())?;
                }
            }
        }
        let mut rows = self.statement.raw_query();
        while let Some(row) = rows.next()? {
            each(Row(row))?;
        }
        Ok(self.connection.changes())
    }
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match *self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(number),
            Self::Real(number) => ValueRef::Real(number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

impl RawRow for rusqlite::Row<'_> {
    fn cell(&self, at: usize) -> SqlResult<Cell<'_>> {
        Ok(match self.get_ref(at)? {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(number) => Cell::Integer(number),
            ValueRef::Real(number) => Cell::Real(number),
            ValueRef::Text(bytes) => {
                let text = std::str::from_utf8(bytes);
                Cell::Text(text.map_err(|error| SqlError::Unfit { at, reason: error.to_string() })?)
            }
            ValueRef::Blob(bytes) => Cell::Blob(bytes),
        })
    }
}
