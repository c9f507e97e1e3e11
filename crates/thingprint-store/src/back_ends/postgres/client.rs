use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::address::Address;
use super::login::{MECHANISM, Scram, md5_answer};
use super::password::password;
use super::statement::{Translated, decoded, encoded};
use super::wire::{Body, Message, Wire, damaged};
use crate::error::Problem;
use crate::sql::{Cell, Params, RawRow, Row, SqlError, SqlResult};

/// The version of the protocol: 3.0.
const VERSION: i32 = 196_608;

/// Statements that the server keeps ready under a name; those beyond have none, and are told it each time that they run.
const MOST_STATEMENTS: usize = 200;

/// Longest value that is sent: a server takes messages of 1 GiB, all of a statement in one.
const MOST_VALUE_BYTES: usize = 1_000_000_000;

/// How long the answer to a statement may take.
pub(super) const ANSWER: Duration = Duration::from_mins(2);

/// A session at a server. What is asked is answered before the next thing is asked.
pub(super) struct Client {
    wire: Wire,
    statements: BTreeMap<String, Arc<Ready>>,
    /// Why the connection is of no use any more.
    broken: Option<String>,
}

/// A statement that the server has ready.
pub(super) struct Ready {
    name: String,
    translated: Translated,
    params: Vec<i32>,
    columns: Vec<i32>,
}

/// A row of a server: values one after another.
struct ServerRow<'a> {
    values: Vec<Option<&'a [u8]>>,
    columns: &'a [i32],
}

/// What a server says when it refuses something.
#[derive(Clone, Debug, Default)]
struct Refusal {
    code: String,
    message: String,
    detail: String,
}

impl Client {
    /// Connects, and is let in.
    pub(super) fn open(address: &Address) -> Result<Self, Problem> {
        let wire = Wire::connect(address).map_err(|error| Problem::Unreachable(error.to_string()))?;
        let mut client = Self { wire, statements: BTreeMap::new(), broken: None };
        client.log_in(address)?;
        client.wire.wait_for(Some(ANSWER)).map_err(|error| Problem::Unreachable(error.to_string()))?;
        Ok(client)
    }

    fn log_in(&mut self, address: &Address) -> Result<(), Problem> {
        let Address { user, database, options, .. } = address;
        let mut text = String::new();
        let mut add = |name: &str, value: &str| text.extend([name, "\0", value, "\0"]);
        add("user", user);
        add("database", database);
        add("application_name", "thingprint");
        add("client_encoding", "UTF8");
        if let Some(options) = options {
            add("options", options);
        }
        self.said(|wire| wire.put(None, &[&VERSION.to_be_bytes(), text.as_bytes(), b"\0"]))?;
        let mut scram = None;
        loop {
            let Message { kind, body } = self.heard()?;
            match kind {
                b'R' => self.prove(address, &body, &mut scram)?,
                b'E' => return Err(refusal(&body).unwrap_or_default().into_problem()),
                b'Z' => return Ok(()),
                // What it says of itself.
                b'S' | b'K' | b'N' => {}
                _ => return Err(unreachable_by(&damaged())),
            }
        }
    }

    /// Answers what a server wants to know to let us in.
    fn prove(&mut self, address: &Address, body: &[u8], scram: &mut Option<Scram>) -> Result<(), Problem> {
        let mut body = Body(body);
        let wanted = body.number32().map_err(|error| unreachable_by(&error))?;
        let secret = || {
            password(address).ok_or_else(|| {
                Problem::Refused(
                    "the server wants a password; set PGPASSWORD, or write a line into ~/.pgpass that only you may read"
                        .to_owned(),
                )
            })
        };
        let refused = |why: &str| Problem::Refused(why.to_owned());
        match wanted {
            0 if scram.is_none() => Ok(()),
            3 if self.wire.is_local() => self.answer(&[secret()?.as_bytes(), b"\0"]),
            3 => Err(refused(
                "the server wants the password in the clear, and others may listen; set scram-sha-256 in its pg_hba.conf",
            )),
            5 => self.answer(&[md5_answer(&address.user, &secret()?, body.0).as_bytes(), b"\0"]),
            10 if body.0.split(|byte| *byte == 0).any(|name| name == MECHANISM.as_bytes()) => {
                let begun = scram.insert(Scram::new(&secret()?));
                let first = begun.first();
                let length = i32::try_from(first.len()).unwrap_or(0).to_be_bytes();
                self.answer(&[MECHANISM.as_bytes(), b"\0", &length, first.as_bytes()])
            }
            11 => {
                let begun = scram.as_mut().ok_or_else(|| unreachable_by(&damaged()))?;
                let answer = begun.answer(body.0).map_err(|why| refused(&why))?;
                self.answer(&[answer.as_bytes()])
            }
            12 if scram.as_ref().is_some_and(|scram| scram.is_proven(body.0)) => {
                *scram = None;
                Ok(())
            }
            // Whoever lets us in without a proof may be anybody.
            0 | 12 => {
                Err(refused("the server does not know the password itself: it is another one than it seems"))
            }
            _ => Err(refused(
                "the server wants a login that is not spoken here; set scram-sha-256 in its pg_hba.conf",
            )),
        }
    }

    fn answer(&mut self, parts: &[&[u8]]) -> Result<(), Problem> {
        self.said(|wire| wire.put(Some(b'p'), parts))
    }

    fn said(&mut self, put: impl FnOnce(&mut Wire) -> io::Result<()>) -> Result<(), Problem> {
        put(&mut self.wire).and_then(|()| self.wire.send()).map_err(|error| unreachable_by(&error))
    }

    fn heard(&mut self) -> Result<Message, Problem> {
        self.wire.next().map_err(|error| unreachable_by(&error))
    }

    /// Has the server make a statement ready.
    pub(super) fn ready(&mut self, sql: &str) -> SqlResult<Arc<Ready>> {
        if let Some(ready) = self.statements.get(sql) {
            return Ok(Arc::clone(ready));
        }
        let is_kept = self.statements.len() < MOST_STATEMENTS;
        let name = if is_kept { format!("s{}", self.statements.len()) } else { String::new() };
        let translated = Translated::of(sql);
        self.whole(|client| {
            let name = name.as_bytes();
            client.wire.put(Some(b'P'), &[name, b"\0", translated.sql.as_bytes(), b"\0\0\0"])?;
            client.wire.put(Some(b'D'), &[b"S", name, b"\0"])?;
            client.wire.put(Some(b'S'), &[])?;
            client.wire.send()
        })?;
        let (mut params, mut columns) = (Vec::new(), Vec::new());
        self.until_ready(&mut |kind, body| {
            let mut body = Body(body);
            match kind {
                b't' => {
                    for _ in 0..body.number16()? {
                        params.push(body.number32()?);
                    }
                }
                b'T' => columns = kinds_of_columns(&mut body)?,
                _ => {}
            }
            Ok(Ok(()))
        })?;
        let ready = Arc::new(Ready { name, translated, params, columns });
        if is_kept {
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
        if values.len() != ready.params.len() {
            let (found, wanted) = (values.len(), ready.params.len());
            return Err(SqlError::Unwritable(format!("{found} values for {wanted} parameters")));
        }
        let bound = bound(ready, &values)?;
        self.whole(|client| {
            if ready.name.is_empty() {
                client.wire.put(Some(b'P'), &[b"\0", ready.translated.sql.as_bytes(), b"\0\0\0"])?;
            }
            client.wire.put(Some(b'B'), &[&bound])?;
            client.wire.put(Some(b'E'), &[b"\0", &0_i32.to_be_bytes()])?;
            client.wire.put(Some(b'S'), &[])?;
            client.wire.send()
        })?;
        let mut changed = 0;
        self.until_ready(&mut |kind, body| {
            match kind {
                b'D' => {
                    let row = ServerRow { values: values_of_row(&mut Body(body))?, columns: &ready.columns };
                    return Ok(each(Row(&row)));
                }
                b'C' => {
                    let tag = Body(body).text()?;
                    changed = tag.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0);
                }
                _ => {}
            }
            Ok(Ok(()))
        })?;
        Ok(changed)
    }

    /// Runs statements without parameters, whose rows nobody wants.
    pub(super) fn batch(&mut self, sql: &str, limit: Option<Duration>) -> SqlResult<()> {
        self.whole(|client| {
            client.wire.wait_for(limit)?;
            client.wire.put(Some(b'Q'), &[sql.as_bytes(), b"\0"])?;
            client.wire.send()
        })?;
        let done = self.until_ready(&mut |_, _| Ok(Ok(())));
        self.whole(|client| client.wire.wait_for(Some(ANSWER)))?;
        done
    }

    /// Hears messages until the server waits for the next thing; gives the first thing that went wrong.
    fn until_ready(&mut self, each: &mut Listener<'_>) -> SqlResult<()> {
        let mut result = Ok(());
        loop {
            let message = self.whole(|client| client.wire.next())?;
            match message.kind {
                b'Z' => return result,
                b'E' => {
                    let refusal = self.whole(|_| refusal(&message.body))?;
                    result = result.and(Err(refusal.into()));
                }
                kind if result.is_ok() => result = self.whole(|_| each(kind, &message.body))?,
                _ => {}
            }
        }
    }

    /// What fails here breaks the connection: nobody knows then what of an answer is still to come.
    fn whole<T>(&mut self, act: impl FnOnce(&mut Self) -> io::Result<T>) -> SqlResult<T> {
        if let Some(why) = &self.broken {
            return Err(SqlError::Broken(why.clone()));
        }
        act(self).map_err(|error| {
            self.broken = Some(error.to_string());
            SqlError::Broken(error.to_string())
        })
    }
}

impl Drop for Client {
    /// Says that the session ends, so that the server gives its locks to others at once.
    fn drop(&mut self) {
        if self.broken.is_none() {
            let _ = self.wire.put(Some(b'X'), &[]).and_then(|()| self.wire.send());
        }
    }
}

/// Refuses a value that the server would not take: it breaks the session then, and nobody would know why.
fn fits(bytes: usize) -> SqlResult<()> {
    if bytes <= MOST_VALUE_BYTES {
        return Ok(());
    }
    Err(SqlError::Unwritable(format!("a value has {bytes} bytes, and may have {MOST_VALUE_BYTES}")))
}

/// A message that gives a statement its values, all of them and all columns as bytes.
fn bound(ready: &Ready, values: &[Cell<'_>]) -> SqlResult<Vec<u8>> {
    let mut bytes = vec![0];
    bytes.extend(ready.name.as_bytes());
    bytes.extend([0, 0, 1, 0, 1]);
    let too_long = |_| SqlError::Unwritable("a value is too long: over 1 GB".to_owned());
    bytes.extend(i16::try_from(values.len()).map_err(too_long)?.to_be_bytes());
    for (value, kind) in values.iter().zip(&ready.params) {
        match encoded(*value, *kind) {
            Some(value) => {
                fits(value.len())?;
                bytes.extend(i32::try_from(value.len()).map_err(too_long)?.to_be_bytes());
                bytes.extend(value);
            }
            None => bytes.extend((-1_i32).to_be_bytes()),
        }
    }
    bytes.extend([0, 1, 0, 1]);
    Ok(bytes)
}

fn kinds_of_columns(body: &mut Body<'_>) -> io::Result<Vec<i32>> {
    let mut kinds = Vec::new();
    for _ in 0..body.number16()? {
        // Name, table and number of the column; then its kind; then its size, its modifier and how it is written.
        body.text()?;
        body.bytes(6)?;
        kinds.push(body.number32()?);
        body.bytes(8)?;
    }
    Ok(kinds)
}

fn values_of_row<'a>(body: &mut Body<'a>) -> io::Result<Vec<Option<&'a [u8]>>> {
    let mut values = Vec::new();
    for _ in 0..body.number16()? {
        let length = body.number32()?;
        // A negative length is NULL.
        values.push(usize::try_from(length).ok().map(|length| body.bytes(length)).transpose()?);
    }
    Ok(values)
}

fn refusal(body: &[u8]) -> io::Result<Refusal> {
    let (mut body, mut refusal) = (Body(body), Refusal::default());
    loop {
        match body.bytes(1)? {
            [0] => return Ok(refusal),
            b"C" => refusal.code = body.text()?,
            b"M" => refusal.message = body.text()?,
            b"D" => refusal.detail = body.text()?,
            _ => _ = body.text()?,
        }
    }
}

fn unreachable_by(error: &io::Error) -> Problem {
    Problem::Unreachable(error.to_string())
}

impl Refusal {
    /// Why a session does not begin.
    fn into_problem(self) -> Problem {
        let Self { code, message, detail } = self;
        let advice = match code.as_str() {
            "28P01" | "28000" => {
                "check the user and the password in PGPASSWORD or ~/.pgpass, and pg_hba.conf of the server"
            }
            "3D000" => "make it with createdb, or name another one",
            _ => return SqlError::Server { code, message, detail }.into(),
        };
        Problem::Refused(format!("{message}; {advice}"))
    }
}

impl From<Refusal> for SqlError {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, message, detail } = refusal;
        Self::Server { code, message, detail }
    }
}

impl RawRow for ServerRow<'_> {
    fn cell(&self, at: usize) -> SqlResult<Cell<'_>> {
        let missing = || SqlError::Unfit { at, reason: "there is no such column".to_owned() };
        let value = self.values.get(at).ok_or_else(missing)?;
        decoded(*value, self.columns.get(at).copied().ok_or_else(missing)?, at)
    }
}

/// Takes a message of an answer: the outer failure is of the connection, the inner one of what was asked.
type Listener<'a> = dyn FnMut(u8, &[u8]) -> io::Result<SqlResult<()>> + 'a;

/// A client that statements share.
pub(super) type Shared = RefCell<Client>;

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

    #[test]
    fn a_statement_without_a_name_is_told_again_when_it_runs() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let rest = format!("ann@127.0.0.1:{}/x", listener.local_addr().unwrap().port());
        let wire = Wire::connect(&Address::parse(&rest, &Defaults::default()).unwrap()).unwrap();
        let (mut other, _) = listener.accept().unwrap();
        let mut client = Client { wire, statements: BTreeMap::new(), broken: None };
        other.write_all(b"C\0\0\0\x0dSELECT 0\0Z\0\0\0\x05I").unwrap();
        let translated = Translated::of("SELECT 1 FROM windows WHERE false");
        let ready = Ready { name: String::new(), translated, params: Vec::new(), columns: Vec::new() };
        client.run(&ready, Params::Numbered(&[]), &mut |_| Ok(())).unwrap();
        drop(client);
        let mut said = Vec::new();
        other.read_to_end(&mut said).unwrap();
        let said = String::from_utf8_lossy(&said);
        assert!(said.starts_with('P') && said.contains("FROM windows WHERE false"), "{said:?}");
    }

    #[test]
    fn a_server_that_does_not_prove_that_it_knows_the_password_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let rest = format!("ann:s3cret@127.0.0.1:{}/x", listener.local_addr().unwrap().port());
        let server = std::thread::spawn(move || {
            let (mut other, _) = listener.accept().unwrap();
            let mut asked = [0; 512];
            let _ = other.read(&mut asked).unwrap();
            let mut said = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0".to_vec();
            said[4] = u8::try_from(said.len() - 1).unwrap();
            other.write_all(&said).unwrap();
            let _ = other.read(&mut asked).unwrap();
            other.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").unwrap();
            let _ = other.read(&mut asked);
        });
        let opened = Client::open(&Address::parse(&rest, &Defaults::default()).unwrap());
        assert!(matches!(opened.err(), Some(Problem::Refused(why)) if why.contains("another one")));
        server.join().unwrap();
    }
}
