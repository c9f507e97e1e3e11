mod address;
mod client;
mod password;
mod statement;
#[cfg(feature = "tls")]
mod tls;

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::config::SslMode;

use self::address::{Address, Defaults, behind_scheme};
use self::client::{ANSWER, Client, Ready};
use super::{BackEnd, Session, Size};
use crate::error::{BUSY_SECONDS, Problem};
use crate::sql::{Connection, Params, Prepared, Row, SqlResult, params};

/// A database of a server of `PostgreSQL`.
pub(super) const BACK_END: BackEnd = BackEnd {
    knows,
    check,
    shown,
    create,
    read,
    share: Some(share),
    holder: |_| Ok(None),
    schema: || VERSION,
};

/// The version of the schema.
const VERSION: i32 = 1;

const SCHEMA: &str = include_str!("postgres/schema/v1.sql");

/// The tables of a store. Others may be in the same schema, and are left alone.
const TABLES: [&str; 14] = [
    "thingprint",
    "recipes",
    "devices",
    "addresses",
    "host_names",
    "windows",
    "provisional",
    "verdicts",
    "changes",
    "findings",
    "events",
    "labels",
    "state",
    "parcels",
];

/// What every session begins with. A server notices within a minute that we are gone, and gives our locks to others.
const SETTINGS: &str =
    "SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
    SET tcp_user_timeout = 50000;
    SET standard_conforming_strings = on; SET client_min_messages = error;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// How long a statement of who writes may run at the server; it says so before we would give up, and the session goes on.
const RUN: Duration = Duration::from_secs(100);

/// The lock of who writes, and the lock of who makes tables, beside the number of the schema: `thpr` and `thps`.
const WRITER: i64 = 0x7468_7072;
const MAKER: i64 = 0x7468_7073;

/// A session at a server.
struct Server {
    client: RefCell<Client>,
    name: String,
}

struct Statement<'a> {
    client: &'a RefCell<Client>,
    ready: Arc<Ready>,
}

fn knows(store: &Path) -> bool {
    store.to_str().and_then(behind_scheme).is_some()
}

fn address(store: &Path) -> Result<Address, String> {
    let rest = store.to_str().and_then(behind_scheme).unwrap_or_default();
    Address::parse(rest, &Defaults::of_environment())
}

/// The address of a server that this program can speak to.
fn spoken(store: &Path) -> Result<Address, Problem> {
    let address = address(store).map_err(Problem::BadAddress)?;
    if address.tls == SslMode::Require && cfg!(not(feature = "tls")) {
        let why = "the server has to speak TLS, which is not built in; build with '--features tls', or add sslmode=disable where \
                   nobody can listen";
        return Err(Problem::BadAddress(why.to_owned()));
    }
    Ok(address)
}

fn check(store: &Path) -> Result<(), Problem> {
    spoken(store).map(drop)
}

/// The address without a password. One that cannot be read shows nothing, since a password may be anywhere in it.
fn shown(store: &Path) -> PathBuf {
    address(store)
        .map_or_else(|_| PathBuf::from("postgres://..."), |address| PathBuf::from(address.to_string()))
}

fn create(store: &Path) -> Result<Connection, Problem> {
    let connection = share(store)?;
    let sql = "SELECT pg_try_advisory_lock(CAST(?1 AS INTEGER), (SELECT CAST(oid AS INTEGER) FROM pg_namespace WHERE nspname = current_schema()))";
    if connection.one(sql, params![WRITER], |row| row.get(0))? {
        return Ok(connection);
    }
    Err(Problem::Locked { pid: None })
}

/// Opens a store for what several write at once, and makes its tables where there are none.
fn share(store: &Path) -> Result<Connection, Problem> {
    let connection = connect(store)?;
    connection.session().batch(&format!("SET statement_timeout = {}", RUN.as_millis()))?;
    if version(&connection)? == 0 {
        make(&connection)?;
    }
    check_version(version(&connection)?)?;
    Ok(connection)
}

fn read(store: &Path) -> Result<Connection, Problem> {
    let connection = connect(store)?;
    match version(&connection)? {
        0 => Err(Problem::Missing),
        found => check_version(found),
    }?;
    connection.session().batch("SET default_transaction_read_only = on")?;
    Ok(connection)
}

fn connect(store: &Path) -> Result<Connection, Problem> {
    let address = spoken(store)?;
    let mut client = Client::open(&address)?;
    client.batch(SETTINGS, Some(ANSWER))?;
    client.batch(&format!("SET lock_timeout = '{BUSY_SECONDS}s'"), Some(ANSWER))?;
    let connection =
        Connection::new(Box::new(Server { client: RefCell::new(client), name: address.to_string() }));
    let schema: Option<String> =
        connection.one("SELECT CAST(current_schema() AS TEXT)", params![], |row| row.get(0))?;
    if schema.is_none() {
        let why = "no schema of the search path is there; make one with CREATE SCHEMA, or name another one in options";
        return Err(Problem::Refused(why.to_owned()));
    }
    Ok(connection)
}

/// The version of the store in the schema; 0 where there is none.
fn version(connection: &Connection) -> Result<i32, Problem> {
    // In one statement, since another may be making them.
    let sql = "SELECT count(*) FILTER (WHERE tablename = 'thingprint') > 0, count(*) > 0 FROM pg_tables
        WHERE schemaname = current_schema() AND tablename IN ('thingprint', 'devices', 'windows', 'events')";
    let has: (bool, bool) = connection.one(sql, params![], |row| Ok((row.get(0)?, row.get(1)?)))?;
    match has {
        (true, _) => {
            let version = connection.row("SELECT version FROM thingprint", params![], |row| row.get(0))?;
            version.ok_or(Problem::Foreign)
        }
        (false, true) => Err(Problem::Foreign),
        (false, false) => Ok(0),
    }
}

fn check_version(found: i32) -> Result<(), Problem> {
    if found > VERSION { Err(Problem::Newer { found, known: VERSION }) } else { Ok(()) }
}

/// Makes the tables. Several may want to at once: one does, and the others find them there.
fn make(connection: &Connection) -> Result<(), Problem> {
    let transaction = connection.transaction()?;
    let sql = "SELECT pg_advisory_xact_lock(CAST(?1 AS INTEGER), (SELECT CAST(oid AS INTEGER) FROM pg_namespace WHERE nspname = current_schema())) IS NULL";
    transaction.one(sql, params![MAKER], |_| Ok(()))?;
    if version(&transaction)? == 0 {
        transaction.session().batch(SCHEMA)?;
        transaction.execute("INSERT INTO thingprint (version) VALUES (?1)", params![i64::from(VERSION)])?;
    }
    Ok(transaction.commit()?)
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.name)
    }
}

impl Server {
    fn number(&self, sql: &str) -> SqlResult<i64> {
        let mut number = 0;
        self.prepare(sql)?.run(params![], &mut |row| {
            number = row.get::<Option<i64>>(0)?.unwrap_or(0);
            Ok(())
        })?;
        Ok(number)
    }
}

impl Session for Server {
    fn prepare<'a>(&'a self, sql: &str) -> SqlResult<Box<dyn Prepared + 'a>> {
        let ready = self.client.borrow_mut().ready(sql)?;
        Ok(Box::new(Statement { client: &self.client, ready }))
    }

    fn batch(&self, sql: &str) -> SqlResult<()> {
        self.client.borrow_mut().batch(sql, Some(ANSWER))
    }

    fn begin_snapshot(&self) -> SqlResult<()> {
        self.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    /// The server looks after its files itself.
    fn damage(&self) -> Result<Vec<String>, Problem> {
        Ok(Vec::new())
    }

    fn size(&self) -> SqlResult<Size> {
        let sql = "SELECT CAST(sum(pg_total_relation_size(c.oid)) AS BIGINT) FROM pg_class c
                   JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname IN ";
        let sql = format!("{sql}('{}')", TABLES.join("', '"));
        Ok(Size { bytes: u64::try_from(self.number(&sql)?).unwrap_or(0), ..Size::default() })
    }

    /// The server uses free space again, and gives it back itself.
    fn shrink_some(&self) -> SqlResult<bool> {
        Ok(false)
    }

    /// How much a database may take is the server's.
    fn set_most_bytes(&self, _: Option<u64>) -> SqlResult<()> {
        Ok(())
    }

    fn wait_for_others(&self, time: Duration) -> SqlResult<()> {
        self.batch(&format!("SET lock_timeout = {}", time.as_millis().max(1)))
    }

    /// The rows are written anew behind this.
    fn undoes_all(&self) -> bool {
        true
    }

    fn delete_securely(&self) -> SqlResult<()> {
        Ok(())
    }

    fn rewrite(&self) -> SqlResult<()> {
        // As long as it takes.
        self.batch("SET statement_timeout = 0")?;
        TABLES
            .iter()
            .try_for_each(|table| self.client.borrow_mut().batch(&format!("VACUUM FULL {table}"), None))?;
        self.batch(&format!("SET statement_timeout = {}", RUN.as_millis()))
    }

    fn parts(&self) -> SqlResult<u64> {
        Ok(u64::try_from(self.number("SELECT count(*) FROM parcels")?).unwrap_or(0))
    }

    /// The log of a server is of all its databases.
    fn empty_log(&self) -> SqlResult<bool> {
        Ok(true)
    }
}

impl Prepared for Statement<'_> {
    fn run(&mut self, params: Params<'_>, each: &mut dyn FnMut(Row<'_>) -> SqlResult<()>) -> SqlResult<u64> {
        self.client.borrow_mut().run(&self.ready, params, each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_those_of_the_schema() {
        let made = SCHEMA.split("CREATE TABLE ").skip(1);
        let made: Vec<&str> = made.filter_map(|rest| rest.split_whitespace().next()).collect();
        assert_eq!(made, TABLES);
    }
}
