//! A client of HTTP that sends what a test says, right or wrong.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use thingprint_web::{Backend, Web, WebOptions};

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// A page at a free port of this machine.
pub(crate) fn start(backend: impl Backend) -> Web {
    start_with(WebOptions::default(), backend)
}

pub(crate) fn start_with(options: WebOptions, backend: impl Backend) -> Web {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    Web::start(WebOptions { listen, ..options }, Arc::new(backend)).unwrap()
}

/// Asks by a browser that comes from the page itself.
pub(crate) fn get(web: &Web, path: &str) -> Answer {
    ask(web, "GET", path, &[], "")
}

/// Sends a form of the page.
pub(crate) fn post(web: &Web, path: &str, form: &str) -> Answer {
    let origin = format!("http://{}", web.address());
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Origin", origin.as_str())];
    ask(web, "POST", path, &headers, form)
}

/// Sends JSON, as a program does.
pub(crate) fn post_json(web: &Web, path: &str, json: &Value) -> Answer {
    ask(web, "POST", path, &[("Content-Type", "application/json")], &json.to_string())
}

pub(crate) fn ask(web: &Web, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let (host, length) = (web.address().to_string(), body.len().to_string());
    let mut lines = vec![format!("{method} {path} HTTP/1.1"), "Connection: close".to_owned()];
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    if !headers.iter().any(|(name, _)| *name == "Host") {
        lines.push(format!("Host: {host}"));
    }
    if !body.is_empty() {
        lines.push(format!("Content-Length: {length}"));
    }
    raw(web, &format!("{}\r\n\r\n{body}", lines.join("\r\n")))
}

/// Sends bytes as they are, and reads the answer to the end.
pub(crate) fn raw(web: &Web, request: &str) -> Answer {
    let mut stream = connect(web);
    stream.write_all(request.as_bytes()).unwrap();
    read_answer(stream)
}

pub(crate) fn connect(web: &Web) -> TcpStream {
    let stream = TcpStream::connect(web.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

pub(crate) fn read_answer(stream: TcpStream) -> Answer {
    let mut reader = BufReader::new(stream);
    let (status, headers) = read_head(&mut reader);
    let mut bytes = Vec::new();
    let _ = reader.read_to_end(&mut bytes);
    let body = String::from_utf8(bytes).unwrap();
    Answer { status, headers, body }
}

pub(crate) fn read_head(reader: &mut impl BufRead) -> (u16, Vec<(String, String)>) {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("no status in '{line}'")).parse().unwrap();
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { return (status, headers) };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
}

/// A stream of updates.
pub(crate) struct Stream(BufReader<TcpStream>);

impl Stream {
    pub(crate) fn open(web: &Web) -> Result<Self, u16> {
        let mut stream = connect(web);
        let request = format!("GET /api/v1/updates HTTP/1.1\r\nHost: {}\r\n\r\n", web.address());
        stream.write_all(request.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let (status, _) = read_head(&mut reader);
        if status == 200 { Ok(Self(reader)) } else { Err(status) }
    }

    /// The next message: the name of the event, and its data.
    pub(crate) fn next(&mut self) -> (String, Value) {
        let (mut event, mut line) = (String::new(), String::new());
        loop {
            line.clear();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the stream ended");
            if let Some(name) = line.trim_end().strip_prefix("event: ") {
                name.clone_into(&mut event);
            }
            if let Some(data) = line.trim_end().strip_prefix("data: ") {
                return (event, serde_json::from_str(data).unwrap());
            }
        }
    }
}
