use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::Server;
use super::connection::Connection;
use super::jetstream::{ASK, consumer_of, outstanding, stream_of};
use super::reader::Received;
use crate::error::TapsError;
use crate::name::Name;
use crate::shelf::Shelf;
use crate::transports::{Arrival, Inbox};

/// How the files of pieces end.
const ENDING: &str = ".piece";
/// How much later than the time given the server may say that nothing came.
const GRACE: Duration = Duration::from_secs(2);
/// Most pieces of a parcel: with those of 1 MiB that is as much as a file of parts may have.
const MOST_PIECES: usize = 1 << 14;

/// The end of a collector at a server.
///
/// A message that is not the last one of its parcel is kept on disk before it is acknowledged; the last one is acknowledged when
/// the parcel is.
#[derive(Debug)]
pub(super) struct NatsInbox {
    server: Server,
    network: Name,
    pieces: Arc<dyn Shelf>,
    link: Option<Link>,
    /// How the last message is acknowledged, and the pieces that are not needed then.
    handed_out: Option<(String, Vec<String>)>,
}

#[derive(Debug)]
struct Link {
    connection: Connection,
    stream: String,
    consumer: String,
}

impl NatsInbox {
    pub(super) const fn new(server: Server, network: Name, pieces: Arc<dyn Shelf>) -> Self {
        Self { server, network, pieces, link: None, handed_out: None }
    }

    fn link(&mut self) -> Result<Link, TapsError> {
        if let Some(link) = self.link.take() {
            return Ok(link);
        }
        let mut connection = Connection::open(&self.server, ASK)?;
        let stream = stream_of(&mut connection, &self.server, &self.network)?;
        let consumer = consumer_of(&mut connection, &self.server, (&stream, &self.network))?;
        Ok(Link { connection, stream, consumer })
    }

    fn message(&mut self, wait: Duration) -> Result<Option<Received>, TapsError> {
        // One that failed is not used again.
        let mut link = self.link()?;
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", link.stream, link.consumer);
        let wait = wait.max(Duration::from_millis(10));
        let question = json!({ "batch": 1, "expires": u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX) });
        let question = question.to_string();
        let answer = link.connection.ask(&subject, (&[], question.as_bytes()), wait + GRACE)?;
        match answer {
            Some(message) => match message.status() {
                None => {
                    self.link = Some(link);
                    Ok(Some(message))
                }
                Some(404 | 408 | 409) => {
                    self.link = Some(link);
                    Ok(None)
                }
                Some(status) => {
                    Err(self.server.unreachable(format!("the server has no parts: status {status}")))
                }
            },
            None => Err(self.server.unreachable("the server does not answer")),
        }
    }

    /// Acknowledges a message, and waits until the server knows.
    fn acknowledge_at(&mut self, reply: &str) -> Result<(), TapsError> {
        let mut link = self.link()?;
        let answer = link.connection.ask(reply, (&[], b"+ACK"), ASK)?;
        answer.ok_or_else(|| self.server.unreachable("the server does not answer"))?;
        self.link = Some(link);
        Ok(())
    }
}

impl Inbox for NatsInbox {
    fn next(&mut self, wait: Duration) -> Result<Option<Arrival>, TapsError> {
        loop {
            let Some(message) = self.message(wait)? else { return Ok(None) };
            let Some(reply) = message.reply.clone() else { return Ok(None) };
            let place = format!("a message of {}", self.server.address);
            let Some((name, number, all)) = piece_of(&message).filter(|(.., all)| *all > 1) else {
                self.handed_out = Some((reply, Vec::new()));
                return Ok(Some(Arrival { place, bytes: message.payload }));
            };
            let file = |number: usize| format!("{name}.{number:05}of{all:05}{ENDING}");
            self.pieces.put(&file(number), &message.payload)?;
            if number + 1 < all {
                self.acknowledge_at(&reply)?;
                continue;
            }
            let names: Vec<String> = (0..all).map(file).collect();
            let Some(bytes) = joined(&*self.pieces, &names)? else {
                // Pieces are taken away when their parcel was acknowledged: a server that was killed may not know of that any more.
                self.acknowledge_at(&reply)?;
                names.iter().try_for_each(|name| self.pieces.remove(name))?;
                continue;
            };
            self.handed_out = Some((reply, names));
            return Ok(Some(Arrival { place, bytes }));
        }
    }

    fn acknowledge(&mut self) -> Result<(), TapsError> {
        let Some((reply, pieces)) = self.handed_out.take() else { return Ok(()) };
        self.acknowledge_at(&reply)?;
        pieces.iter().try_for_each(|name| self.pieces.remove(name))
    }

    fn is_drained(&mut self) -> Result<bool, TapsError> {
        let mut link = self.link()?;
        let waiting = outstanding(&mut link.connection, &self.server, (&link.stream, &link.consumer))?;
        self.link = Some(link);
        Ok(waiting == 0)
    }
}

/// The name of the parcel of a message, the number of its piece, and how many there are; `None` where it says nothing of that.
fn piece_of(message: &Received) -> Option<(String, usize, usize)> {
    let name = message.header("Thingprint-Parcel")?;
    let is_name = |name: &str| {
        name.len() <= 200 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
    };
    let (number, all) = message.header("Thingprint-Piece")?.split_once('/')?;
    let (number, all) = (number.parse().ok()?, all.parse().ok()?);
    (is_name(name) && number < all && all <= MOST_PIECES).then(|| (name.to_owned(), number, all))
}

/// The bytes of pieces one after another; `None` where one is missing.
fn joined(pieces: &dyn Shelf, names: &[String]) -> Result<Option<Vec<u8>>, TapsError> {
    let mut bytes = Vec::new();
    for name in names {
        let Some(piece) = pieces.get(name)? else { return Ok(None) };
        bytes.extend(piece);
    }
    Ok(Some(bytes))
}
