use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thingprint_flow::DeviceId;
use thingprint_report::ReportError;

use crate::sql::SqlError;

/// Why a store cannot be opened, read or written. Each message follows "failed to ...", names the file, and says what to do.
#[derive(Debug, thiserror::Error)]
#[error("use the store {}: {problem}", path.display())]
pub struct StoreError {
    /// The file of the store.
    pub path: PathBuf,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// There is no such file.
    #[error("there is no such file; 'watch --store' makes one")]
    Missing,
    /// Another process writes it.
    #[error("{} writes it; stop that first, or name another store", process(*pid))]
    Locked {
        /// The other process, where its number can be read.
        pid: Option<u32>,
    },
    /// The file is a database of another program, or no database at all.
    #[error(
        "the file is no store of thingprint, or its first bytes are damaged; name another file, or move it aside"
    )]
    Foreign,
    /// A newer program made it.
    #[error(
        "it has schema {found}, this program knows schemas up to {known}; use the program that wrote it, or a newer one"
    )]
    Newer {
        /// The version in the file.
        found: i32,
        /// The newest version that this program knows.
        known: i32,
    },
    /// An older program made it, and it cannot be changed now.
    #[error(
        "it has schema {found}, which is older than schema {known}; 'thingprint store STORE prune' as its owner renews it"
    )]
    Older {
        /// The version in the file.
        found: i32,
        /// The version that this program reads.
        known: i32,
    },
    /// What is in the file contradicts itself.
    #[error(
        "it is damaged: {what}; save what can be read with 'thingprint store STORE export', move the file and those with -wal \
         and -shm aside, and begin again without it"
    )]
    Damaged {
        /// What SQLite found.
        what: String,
    },
    /// The disk, or the size that the store may have, is full.
    #[error(
        "the disk is full; free some space on it, and then keep less with 'thingprint store STORE prune --keep', which needs some \
         itself"
    )]
    Full,
    /// The file cannot be written.
    #[error("it cannot be written; check who owns the file and its folder")]
    ReadOnly,
    /// The file system cannot hold a store.
    #[error(
        "journal mode is {mode} and not wal; put the store on a local disk, not on a network file system"
    )]
    NoWal {
        /// The mode that SQLite fell back to.
        mode: String,
    },
    /// Somebody holds the database longer than is waited for.
    #[error("another program keeps it busy; close other programs that have it open")]
    Busy,
    /// A device that is asked for is not known.
    #[error("device {0} is not in it; 'thingprint store STORE devices' lists those that are")]
    NoDevice(DeviceId),
    /// The rows of a device are forgotten, and their bytes may still be in the file.
    #[error(
        "the rows of the device are gone, but their bytes may still be in the file: {why}; then forget the device again, which \
         finishes it"
    )]
    Unfinished {
        /// Why the file could not be written anew.
        why: Box<Problem>,
    },
    /// An event that is asked for is not known.
    #[error("event {0} is not in it; 'thingprint store STORE events' lists those that are")]
    NoEvent(u64),
    /// A finding that is asked for is not known.
    #[error(
        "device {device} has no finding by the rule {rule}; 'thingprint store STORE findings' lists those that are"
    )]
    NoFinding {
        /// The device.
        device: DeviceId,
        /// Id of the rule.
        rule: String,
    },
    /// A value that is asked to be kept is too long.
    #[error("a label has {found} characters, and may have {most}; give a shorter one")]
    LongLabel {
        /// Characters that it has.
        found: usize,
        /// Characters that it may have.
        most: usize,
    },
    /// A label is the answer for what is of no class.
    #[error("'unknown' is what a classifier answers, and no label; take the label back instead")]
    ReservedLabel,
    /// Writing was closed before.
    #[error("its writer was closed")]
    Closed,
    /// A text is no address of a store.
    #[error("{0}")]
    BadAddress(String),
    /// The server of the store is not there now.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The server of the store does not let us in, or not do that.
    #[error("{0}")]
    Refused(String),
    /// A stored instance cannot be written or read.
    #[error("instances: {0}")]
    Instance(#[from] ReportError),
    /// A file cannot be opened or locked.
    #[error("{0}; check its folder, and who may write there")]
    Io(#[from] io::Error),
    /// Anything else that the database says.
    #[error("{0}")]
    Sql(SqlError),
}

/// How long a statement waits for another connection, which holds the database for a commit or a checkpoint at most.
pub(crate) const BUSY_SECONDS: u64 = 10;

impl Problem {
    /// The problem with the file that has it.
    pub(crate) fn at(self, path: &Path) -> StoreError {
        StoreError { path: path.to_owned(), problem: self }
    }

    /// Whether it may go away without the store being changed: a full disk, a busy database, a server that is away.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Full | Self::Busy | Self::ReadOnly | Self::Io(_) | Self::Unreachable(_) => true,
            Self::Sql(SqlError::Sqlite(_)) => !self.is_of_value(),
            Self::Sql(SqlError::Server { code, .. }) => passes(code),
            _ => false,
        }
    }
}

impl Problem {
    /// Whether a value is the reason, which the store would never take.
    pub fn is_of_value(&self) -> bool {
        match self {
            Self::Instance(_) | Self::Sql(SqlError::Unwritable(_)) => true,
            // Of values, or of what a table demands of them.
            Self::Sql(SqlError::Server { code, .. }) => {
                ["22", "23", "54"].iter().any(|class| code.starts_with(class))
            }
            Self::Sql(SqlError::Sqlite(error)) => {
                matches!(error.sqlite_error_code(), Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig))
            }
            _ => false,
        }
    }
}

impl From<SqlError> for Problem {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Sqlite(error) => error.into(),
            SqlError::Broken(why) => Self::Unreachable(why),
            SqlError::Server { code, message, detail } => of_server(code, message, detail),
            error => Self::Sql(error),
        }
    }
}

/// Whether an error of a server may pass: of the connection, of transactions at once, of resources, of an operator, of the
/// system, and of locks. Others come again however often the same is asked.
fn passes(code: &str) -> bool {
    code == "55P03" || ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
}

/// What an error of a server means, by its number: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn of_server(code: String, message: String, detail: String) -> Problem {
    match code.as_str() {
        // Somebody else changed the same rows, or holds them.
        "40001" | "40P01" | "55P03" => Problem::Busy,
        "53100" => Problem::Full,
        "42501" => Problem::Refused(format!("{message}; have its owner grant it to the user")),
        "25006" => Problem::Refused(format!("{message}; name a server that can be written")),
        // It starts, ends, or has too many sessions.
        "53300" | "57P01" | "57P02" | "57P03" | "57P05" => Problem::Unreachable(message),
        _ => Problem::Sql(SqlError::Server { code, message, detail }),
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { what: error.to_string() },
            Some(ErrorCode::NotADatabase) => Self::Foreign,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Sql(SqlError::Sqlite(error)),
        }
    }
}

fn process(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_refuses_for_good_is_not_tried_again() {
        let problem = |code: &str| {
            let (message, detail) = ("no".to_owned(), String::new());
            Problem::from(SqlError::Server { code: code.to_owned(), message, detail })
        };
        for code in ["08006", "40001", "53100", "53200", "53300", "55P03", "57014", "57P01", "58030"] {
            assert!(problem(code).may_pass(), "{code}");
        }
        for code in ["22P05", "23505", "42P01", "42703", "42501", "25006", "54000", "55000", "XX001"] {
            assert!(!problem(code).may_pass(), "{code}");
        }
        assert!(problem("54000").is_of_value() && !problem("53200").is_of_value());
    }
}
