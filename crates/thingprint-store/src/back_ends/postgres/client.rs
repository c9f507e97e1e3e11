use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;
#[cfg(feature = "tls")]
use tokio_postgres::config::SslMode;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{NoTls, Row as ServerRow, Statement};

use super::address::Address;
use super::statement::Translated;
#[cfg(feature = "tls")]
use super::tls::Tls;
use crate::error::Problem;
use crate::sql::{Cell, Params, RawRow, Row, SqlError, SqlResult};

/// Statements that the server keeps ready; those beyond are told it each time that they are wanted.
const MOST_STATEMENTS: usize = 200;

/// Longest value that is sent: a server takes messages of 1 GiB, all of a statement in one.
const MOST_VALUE_BYTES: usize = 1_000_000_000;

/// How long a server has to let us in.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long an answer may take, from one row to the next.
pub(super) const ANSWER: Duration = Duration::from_mins(2);

/// How long the goodbye may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the client says of why a session does not begin, and what helps. Asking again does not.
const REFUSALS: [(&str, &str); 6] = [
    (
        "password missing",
        "the server wants a password: set PGPASSWORD, or write a line into ~/.pgpass that only you may read",
    ),
    ("server does not support TLS", "switch 'ssl' on there, or add sslmode=disable where nobody can listen"),
    (
        "certificate",
        "name the certificate of its authority with sslrootcert=FILE, and the server as its certificate does",
    ),
    (
        "authentication",
        "set scram-sha-256 in pg_hba.conf of the server; one that does not prove that it knows the password is another one than it seems",
    ),
    ("fatal alert", "check that the server speaks TLS 1.2 or later, and wants no certificate of a client"),
    ("unexpected message", "check the address: it is another server than it seems"),
];

/// A session at a server. What is asked is answered before the next thing is asked: the runtime runs while we wait.
pub(super) struct Client {
    runtime: Runtime,
    /// What asks; `None` once the session ends.
    asker: Option<tokio_postgres::Client>,
    connection: JoinHandle<()>,
    statements: BTreeMap<String, Arc<Ready>>,
    /// Why the connection is of no use any more.
    broken: Option<String>,
}

/// A statement that the server has ready.
pub(super) struct Ready {
    statement: Statement,
    translated: Translated,
}

/// Why nothing came of what was asked.
enum Failure {
    /// The server, or the way to it.
    Server(tokio_postgres::Error),
    /// It does not answer in time.
    Late,
    /// Whoever was shown a row.
    Reader(SqlError),
}

impl Client {
    /// Connects, and is let in.
    pub(super) fn open(address: &Address) -> Result<Self, Problem> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        #[cfg(feature = "tls")]
        let opened = match address.tls {
            SslMode::Disable => runtime.block_on(connected(address, NoTls)),
            _ => Tls::new(address)
                .map_err(Problem::BadAddress)
                .and_then(|tls| runtime.block_on(connected(address, tls))),
        };
        #[cfg(not(feature = "tls"))]
        let opened = runtime.block_on(connected(address, NoTls));
        match opened {
            Ok((client, connection)) => Ok(Self {
                runtime,
                asker: Some(client),
                connection,
                statements: BTreeMap::new(),
                broken: None,
            }),
            Err(problem) => {
                // The look-up of a name may go on, and nobody waits for it.
                runtime.shutdown_background();
                Err(problem)
            }
        }
    }

    /// Has the server make a statement ready.
    pub(super) fn ready(&mut self, sql: &str) -> SqlResult<Arc<Ready>> {
        if let Some(ready) = self.statements.get(sql) {
            return Ok(Arc::clone(ready));
        }
        let translated = Translated::of(sql);
        let statement =
            self.ask(async |client| within(Some(ANSWER), client.prepare(&translated.sql)).await)?;
        let ready = Arc::new(Ready { statement, translated });
        if self.statements.len() < MOST_STATEMENTS {
            self.statements.insert(sql.to_owned(), Arc::clone(&ready));
        }
        Ok(ready)
    }

    /// Runs a statement, and shows its rows; how many rows it changed.
    pub(super) fn run(
        &mut self,
        ready: &Ready,
        params: Params<'_>,
        each: &mut dyn FnMut(Row<'_>) -> SqlResult<()>,
    ) -> SqlResult<u64> {
        let values = ready.translated.values(params)?;
        let (found, wanted) = (values.len(), ready.statement.params().len());
        if found != wanted {
            return Err(SqlError::Unwritable(format!("{found} values for {wanted} parameters")));
        }
        values.iter().try_for_each(|value| fits(bytes_of(value)))?;
        self.ask(async |client| {
            let rows = within(Some(ANSWER), client.query_raw(&ready.statement, values)).await?;
            let mut rows = pin!(rows);
            while let Some(row) = within(Some(ANSWER), rows.try_next()).await? {
                each(Row(&row)).map_err(Failure::Reader)?;
            }
            Ok(rows.rows_affected().unwrap_or(0))
        })
    }

    /// Runs statements without parameters, whose rows nobody wants.
    pub(super) fn batch(&mut self, sql: &str, limit: Option<Duration>) -> SqlResult<()> {
        self.ask(async |client| within(limit, client.batch_execute(sql)).await)
    }

    /// Asks the server for something. What is late breaks the connection: the answer to it may still come.
    fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(&tokio_postgres::Client) -> Result<T, Failure>,
    ) -> SqlResult<T> {
        let Some(client) = self.asker.as_ref().filter(|_| self.broken.is_none()) else {
            return Err(SqlError::Broken(self.broken.clone().unwrap_or_default()));
        };
        self.runtime.block_on(question(client)).map_err(|failure| {
            let why = match failure {
                Failure::Reader(error) => return error,
                Failure::Server(error) => match error.as_db_error() {
                    Some(said) => return refusal(said),
                    None => reason(&error),
                },
                Failure::Late => "it does not answer".to_owned(),
            };
            self.broken = Some(why.clone());
            SqlError::Broken(why)
        })
    }
}

impl Drop for Client {
    /// Says that the session ends, so that the server gives its locks to others at once.
    fn drop(&mut self) {
        self.asker = None;
        if self.broken.is_none() {
            // A server that does not listen any more notices by itself.
            let _ = self.runtime.block_on(async { timeout(FAREWELL, &mut self.connection).await });
        }
    }
}

/// A session, and what carries it as long as it lives.
async fn connected<T>(address: &Address, tls: T) -> Result<(tokio_postgres::Client, JoinHandle<()>), Problem>
where
    T: tokio_postgres::tls::MakeTlsConnect<tokio_postgres::Socket>,
    T::Stream: Send + 'static,
{
    let failed = |failure| match failure {
        Failure::Server(error) => not_let_in(&error),
        _ => Problem::Unreachable("it does not answer".to_owned()),
    };
    let (client, connection) = within(Some(PATIENCE), address.config().connect(tls)).await.map_err(failed)?;
    // How it ended is told to whoever asks next.
    let carrier = tokio::spawn(async { drop(connection.await) });
    Ok((client, carrier))
}

async fn within<T>(
    limit: Option<Duration>,
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Failure> {
    let answered = match limit {
        Some(limit) => timeout(limit, answer).await.map_err(|_| Failure::Late)?,
        None => answer.await,
    };
    answered.map_err(Failure::Server)
}

const fn bytes_of(value: &Cell<'_>) -> usize {
    match value {
        Cell::Text(text) => text.len(),
        Cell::Blob(bytes) => bytes.len(),
        Cell::Null | Cell::Integer(_) | Cell::Real(_) => 0,
    }
}

/// Refuses a value that the server would not take: it breaks the session then, and nobody would know why.
fn fits(bytes: usize) -> SqlResult<()> {
    if bytes <= MOST_VALUE_BYTES {
        return Ok(());
    }
    Err(SqlError::Unwritable(format!("a value has {bytes} bytes, and may have {MOST_VALUE_BYTES}")))
}

fn refusal(said: &DbError) -> SqlError {
    SqlError::Server {
        code: said.code().code().to_owned(),
        message: said.message().to_owned(),
        detail: said.detail().unwrap_or_default().to_owned(),
    }
}

/// Why a session does not begin.
fn not_let_in(error: &tokio_postgres::Error) -> Problem {
    let Some(said) = error.as_db_error() else {
        let why = reason(error);
        if let Some((_, advice)) = REFUSALS.iter().find(|(said, _)| why.contains(said)) {
            return Problem::Refused(format!("{why}; {advice}"));
        }
        return Problem::Unreachable(why);
    };
    let code = said.code();
    let advice =
        if *code == SqlState::INVALID_PASSWORD || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
            "check the user and the password in PGPASSWORD or ~/.pgpass, and pg_hba.conf of the server"
        } else if *code == SqlState::INVALID_CATALOG_NAME {
            "make it with createdb, or name another one"
        } else {
            return refusal(said).into();
        };
    Problem::Refused(format!("{}; {advice}", said.message()))
}

/// What an error says, and what it comes from.
fn reason(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let said = error.to_string();
        // Some say already what they come from.
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = error.source();
    }
    text
}

impl RawRow for ServerRow {
    fn cell(&self, at: usize) -> SqlResult<Cell<'_>> {
        self.try_get(at).map_err(|error| SqlError::Unfit { at, reason: reason(&error) })
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_types, reason = "a server that does not know the password")]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::super::address::Defaults;
    use super::*;

    #[test]
    fn what_a_server_would_not_take_is_not_sent() {
        assert!(fits(MOST_VALUE_BYTES).is_ok());
        let problem = Problem::from(fits(MOST_VALUE_BYTES + 1).unwrap_err());
        assert!(problem.is_of_value() && !problem.may_pass());
    }

    /// Why a session does not begin with a server that answers like this, in turn.
    fn refused_by(answers: Vec<&'static [u8]>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let rest = format!("ann:s3cret@127.0.0.1:{}/x", listener.local_addr().unwrap().port());
        let server = std::thread::spawn(move || {
            let (mut other, _) = listener.accept().unwrap();
            let mut asked = [0; 512];
            for answer in answers {
                let _ = other.read(&mut asked).unwrap();
                other.write_all(answer).unwrap();
            }
            let _ = other.read(&mut asked);
        });
        let opened = Client::open(&Address::parse(&rest, &Defaults::default()).unwrap());
        server.join().unwrap();
        match opened.err() {
            Some(Problem::Refused(why)) if !why.contains("s3cret") => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_server_that_does_not_prove_that_it_knows_the_password_is_refused() {
        let let_in: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
        let why = refused_by(vec![b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0", let_in]);
        assert!(why.contains("another server than it seems"), "{why}");
        // It wants to be logged in to by Kerberos.
        let why = refused_by(vec![b"R\0\0\0\x08\0\0\0\x02"]);
        assert!(why.contains("pg_hba.conf"), "{why}");
    }
}
