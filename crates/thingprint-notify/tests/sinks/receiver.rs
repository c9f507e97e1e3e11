//! A receiver of webhooks that answers as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::PATIENCE;

/// What a receiver does with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// Answers with this status and no further header.
    Status(u16),
    /// Answers with this status and a line of the header.
    With(u16, &'static str),
    /// Takes the request and says nothing for this long, then 200.
    After(Duration),
    /// Closes the connection without an answer.
    Close,
    /// Sends a header without end.
    Endless,
}

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Request {
    /// The first line and the header, in lower case.
    pub(crate) head: String,
    /// The header as it came.
    pub(crate) raw_head: String,
    /// The body.
    pub(crate) body: String,
}

impl Request {
    /// The value of a line of the header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let is_it =
            |line: &&str| line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name));
        self.raw_head.lines().find(is_it).and_then(|line| line.split_once(": ")).map(|(_, value)| value)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A receiver on a port of this machine. The answers are given in turn, the last one for ever.
pub(crate) struct Web {
    pub(crate) port: u16,
    requests: Receiver<Request>,
}

impl Web {
    pub(crate) fn start(answers: &[Answer]) -> Self {
        let answers = answers.to_vec();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, requests) = channel();
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let answer = answers.get(number).or(answers.last()).copied().unwrap();
                let sender = sender.clone();
                thread::spawn(move || serve(stream.unwrap(), answer, &sender));
            }
        });
        Self { port, requests }
    }

    /// The next request.
    pub(crate) fn next(&self) -> Request {
        self.requests.recv_timeout(PATIENCE).expect("no request came")
    }

    /// Whether no request comes for a while.
    pub(crate) fn is_quiet(&self) -> bool {
        self.requests.recv_timeout(Duration::from_millis(200)).is_err()
    }
}

fn serve(stream: TcpStream, answer: Answer, sender: &Sender<Request>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut raw_head = String::new();
    while reader.read_line(&mut raw_head).unwrap_or(0) > 2 {
        if raw_head.ends_with("\r\n\r\n") {
            break;
        }
    }
    let head = raw_head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.and_then(|length| length.trim().parse().ok()).unwrap_or(0)];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let request = Request { head, raw_head, body: String::from_utf8(body).unwrap() };
    let _ = sender.send(request);
    respond(stream, answer);
}

/// The other side may be gone: what cannot be written is not our concern.
fn respond(mut stream: TcpStream, answer: Answer) {
    let (status, line) = match answer {
        Answer::Status(status) => (status, String::new()),
        Answer::With(status, line) => (status, format!("{line}\r\n")),
        Answer::After(time) => {
            thread::sleep(time);
            (200, String::new())
        }
        Answer::Close => return,
        Answer::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
            while stream.write_all(b"X-More: and more and more and more\r\n").is_ok() {}
            return;
        }
    };
    let _ = stream.write_all(format!("HTTP/1.1 {status} X\r\n{line}Content-Length: 0\r\n\r\n").as_bytes());
}
