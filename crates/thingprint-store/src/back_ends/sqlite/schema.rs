use rusqlite::Connection;

use crate::error::Problem;

/// What SQLite notes in a file's head to say whose it is: `thpr`.
pub(crate) const APPLICATION_ID: i32 = 0x7468_7072;

/// One step for each version of the schema; the first makes version 1. What was released is never edited.
const MIGRATIONS: &[&str] = &[include_str!("schema/v1.sql"), include_str!("schema/v2.sql")];

/// The version of the schema that this program writes.
pub(crate) fn version() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}

/// Whether the file is a store of a version that is known. An empty file is one of version 0.
pub(crate) fn check(connection: &Connection) -> Result<i32, Problem> {
    let number = |pragma: &str| connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0));
    let (owner, found): (i32, i32) = (number("application_id")?, number("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if owner != APPLICATION_ID && (owner != 0 || found != 0 || tables > 0) {
        return Err(Problem::Foreign);
    }
    if found > version() {
        return Err(Problem::Newer { found, known: version() });
    }
    Ok(found)
}

/// Brings the schema to the present version, all of it or nothing.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), Problem> {
    let found = usize::try_from(check(connection)?).unwrap_or(0);
    if found == MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for step in MIGRATIONS.iter().skip(found) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", version())?;
    Ok(transaction.commit()?)
}
