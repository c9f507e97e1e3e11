use std::io::Write;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Server;
use super::reader::{Reader, Received, Said};
use super::wire::Wire;
use crate::error::TapsError;

/// How often a reading looks at the time.
const TURN: Duration = Duration::from_millis(100);
/// Bytes of a message that its headers may take.
const HEADER_BYTES: usize = 1024;

/// A connection with a server, on which one question at a time is asked.
#[derive(Debug)]
pub(super) struct Connection {
    server: Server,
    wire: Wire,
    reader: Reader,
    /// Answers come to subjects that begin so.
    inbox: String,
    asked: u64,
    most_payload: usize,
    used: Instant,
}

/// What a server says of itself.
#[derive(Debug, Deserialize)]
struct Info {
    #[serde(default)]
    max_payload: usize,
    #[serde(default)]
    headers: bool,
    #[serde(default)]
    jetstream: bool,
    #[serde(default)]
    tls_required: bool,
    #[serde(default)]
    nonce: String,
    #[serde(default)]
    client_id: u64,
    #[serde(default)]
    server_id: String,
}

impl Connection {
    /// Connects within the time.
    pub(super) fn open(server: &Server, limit: Duration) -> Result<Self, TapsError> {
        Self::try_open(server, limit).map_err(|problem| server.unreachable(problem))
    }

    fn try_open(server: &Server, limit: Duration) -> Result<Self, String> {
        let end = Instant::now() + limit;
        let stream = server.address.endpoint.connect(limit).map_err(|error| error.to_string())?;
        let timed = stream.set_nodelay(true).and_then(|()| stream.set_write_timeout(Some(limit)));
        timed.and_then(|()| stream.set_read_timeout(Some(TURN))).map_err(|error| error.to_string())?;
        let (mut reader, mut wire) = (Reader::default(), Wire::Plain(stream));
        let info = match reader.next(&mut wire, end)? {
            Some(Said::Info(text)) => {
                serde_json::from_str::<Info>(&text).map_err(|error| error.to_string())?
            }
            Some(Said::Error(text)) => return Err(format!("the server refuses: {text}")),
            Some(_) => return Err("the server speaks no NATS".to_owned()),
            None => return Err("the server does not answer".to_owned()),
        };
        if !info.headers || !info.jetstream {
            return Err("the server has no JetStream: enable it in its configuration".to_owned());
        }
        if server.security.is_on() {
            // What came in the clear behind INFO would be taken for what came by TLS.
            if !reader.is_empty() {
                return Err("the server spoke before TLS was agreed on".to_owned());
            }
            #[cfg_attr(
                not(feature = "tls"),
                allow(irrefutable_let_patterns, reason = "there is one kind then")
            )]
            if let Wire::Plain(stream) = wire {
                stream.set_read_timeout(Some(limit)).map_err(|error| error.to_string())?;
                let again = stream.try_clone().map_err(|error| error.to_string())?;
                wire = server.security.secure(stream, server.address.endpoint.host())?;
                again.set_read_timeout(Some(TURN)).map_err(|error| error.to_string())?;
            }
        } else if info.tls_required {
            return Err("the server wants TLS: write tls:// in place of nats://".to_owned());
        }
        let inbox = format!("_INBOX.{}-{}.", info.server_id, info.client_id);
        let mut connection = Self {
            server: server.clone(),
            wire,
            reader,
            inbox,
            asked: 0,
            most_payload: info.max_payload,
            used: Instant::now(),
        };
        connection.greet(&info.nonce, end)?;
        Ok(connection)
    }

    fn greet(&mut self, nonce: &str, end: Instant) -> Result<(), String> {
        let mut connect: Map<String, Value> = Map::new();
        let fields = json!({
            "verbose": false, "pedantic": false, "name": "thingprint", "lang": "rust",
            "version": env!("CARGO_PKG_VERSION"), "protocol": 1, "headers": true, "no_responders": true,
            "tls_required": self.server.security.is_on(),
        });
        connect.extend(fields.as_object().cloned().unwrap_or_default());
        self.server.login.add_to(&mut connect, nonce)?;
        let text = format!("CONNECT {}\r\nSUB {}* 1\r\nPING\r\n", Value::Object(connect), self.inbox);
        self.write(&[text.as_bytes()])?;
        loop {
            match self.reader.next(&mut self.wire, end)? {
                Some(Said::Pong) => return Ok(()),
                Some(Said::Error(text)) => {
                    return Err(format!("the server refuses: {text}; give --credentials that it knows"));
                }
                Some(_) => {}
                None => return Err("the server does not answer".to_owned()),
            }
        }
    }

    /// Bytes of a parcel that a message may have.
    pub(super) const fn most_piece_bytes(&self) -> usize {
        self.most_payload.saturating_sub(HEADER_BYTES)
    }

    /// How long nothing was asked.
    pub(super) fn idle(&self) -> Duration {
        self.used.elapsed()
    }

    /// Asks, and gives the first answer; `None` where there is none within the time.
    pub(super) fn ask(
        &mut self,
        subject: &str,
        (headers, payload): (&[(&str, &str)], &[u8]),
        limit: Duration,
    ) -> Result<Option<Received>, TapsError> {
        let asked = self.try_ask(subject, (headers, payload), limit);
        asked.map_err(|problem| self.server.unreachable(problem))
    }

    fn try_ask(
        &mut self,
        subject: &str,
        (headers, payload): (&[(&str, &str)], &[u8]),
        limit: Duration,
    ) -> Result<Option<Received>, String> {
        let end = Instant::now() + limit;
        self.asked += 1;
        let reply = format!("{}{}", self.inbox, self.asked);
        if headers.is_empty() {
            let line = format!("PUB {subject} {reply} {}\r\n", payload.len());
            self.write(&[line.as_bytes(), payload, b"\r\n"])?;
        } else {
            let fields: Vec<String> =
                headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let fields = format!("NATS/1.0\r\n{}\r\n", fields.concat());
            let all = fields.len() + payload.len();
            let line = format!("HPUB {subject} {reply} {} {all}\r\n", fields.len());
            self.write(&[line.as_bytes(), fields.as_bytes(), payload, b"\r\n"])?;
        }
        let answer = self.listen(&reply, end);
        self.used = Instant::now();
        answer
    }

    /// Waits for a message to a subject of ours; answers to what was asked before are let go of.
    fn listen(&mut self, subject: &str, end: Instant) -> Result<Option<Received>, String> {
        loop {
            match self.reader.next(&mut self.wire, end)? {
                // A part keeps the subject to which it was sent, and is acknowledged by its reply.
                Some(Said::Message(received)) if received.subject == subject || is_delivered(&received) => {
                    return Ok(Some(received));
                }
                Some(Said::Ping) => self.write(&[b"PONG\r\n"])?,
                Some(Said::Error(text)) => return Err(format!("the server refuses: {text}")),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    fn write(&mut self, parts: &[&[u8]]) -> Result<(), String> {
        let all = parts.concat();
        self.wire.write_all(&all).and_then(|()| self.wire.flush()).map_err(|error| error.to_string())
    }
}

/// Whether a message is one of a stream.
fn is_delivered(received: &Received) -> bool {
    received.reply.as_deref().is_some_and(|reply| reply.starts_with("$JS.ACK."))
}
