use std::fmt;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thingprint_endpoint::Endpoint;

use super::{Kind, Parsed, Sink, Target};
use crate::delivery::{Delivery, Failure};
use crate::error::NotifyError;
use crate::options::NotifyOptions;

mod message;

use message::Writer;

/// `syslog://host:port`, `syslog+tcp://host:port`, `syslog:/dev/log`: messages of RFC 5424.
pub(crate) const KIND: Kind =
    Kind { forms: &["syslog://HOST:PORT", "syslog+tcp://HOST:PORT", "syslog:/dev/log"], parse };

/// Where receivers listen, by UDP and mostly by TCP as well.
const DEFAULT_PORT: u16 = 514;

/// Receivers of datagrams should take 2048 bytes (RFC 5426, section 3.2); what is longer many cut off.
const MAX_DATAGRAM_BYTES: usize = 2048;

/// Receivers of streams should take 8192 bytes (RFC 5425, section 4.3.1).
const MAX_STREAM_BYTES: usize = 8192;

fn parse(text: &str) -> Option<Parsed> {
    let (scheme, rest) = text.split_once(':')?;
    let target = match (scheme, rest.strip_prefix("//")) {
        ("syslog", Some(endpoint)) => at_endpoint(text, endpoint).map(Way::Udp),
        ("syslog+tcp", Some(endpoint)) => at_endpoint(text, endpoint).map(Way::Tcp),
        ("syslog", None) if rest.starts_with('/') => Ok(Way::Local(PathBuf::from(rest))),
        ("syslog", None) => Err(NotifyError::bad_sink(
            text,
            "it names no socket; write syslog:/dev/log or syslog://host:port",
        )),
        _ => return None,
    };
    Some(target.map(|way| Arc::new(SyslogTarget { way }) as Arc<dyn Target>))
}

fn at_endpoint(text: &str, endpoint: &str) -> Result<Endpoint, NotifyError> {
    let endpoint = endpoint.strip_suffix('/').unwrap_or(endpoint);
    Endpoint::parse(endpoint, Some(DEFAULT_PORT)).map_err(|problem| NotifyError::bad_sink(text, problem))
}

struct SyslogTarget {
    way: Way,
}

/// How messages travel.
enum Way {
    Udp(Endpoint),
    Tcp(Endpoint),
    Local(PathBuf),
}

impl fmt::Display for SyslogTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.way {
            Way::Udp(endpoint) => write!(f, "syslog://{endpoint}"),
            Way::Tcp(endpoint) => write!(f, "syslog+tcp://{endpoint}"),
            Way::Local(path) => write!(f, "syslog:{}", path.display()),
        }
    }
}

impl Target for SyslogTarget {
    fn open(&self, options: &mut NotifyOptions) -> Result<Box<dyn Sink>, NotifyError> {
        let writer = Writer::new(options.host_name.as_deref());
        Ok(match &self.way {
            Way::Udp(endpoint) => Box::new(Udp { endpoint: endpoint.clone(), writer }),
            Way::Tcp(endpoint) => Box::new(Tcp { endpoint: endpoint.clone(), writer, stream: None }),
            Way::Local(path) => Box::new(Local { path: path.clone(), writer }),
        })
    }
}

/// Datagrams (RFC 5426). Nobody says whether they arrive.
struct Udp {
    endpoint: Endpoint,
    writer: Writer,
}

impl Udp {
    /// The name is looked up each time: events are rare, and the receiver may move.
    fn send(&self, message: &[u8]) -> io::Result<()> {
        let addresses = self.endpoint.resolve()?;
        let to = addresses.first().copied().ok_or(io::ErrorKind::NotFound)?;
        let from: SocketAddr = if to.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
        let socket = UdpSocket::bind(from)?;
        socket.send_to(message, to).map(drop)
    }
}

impl Sink for Udp {
    fn deliver(&mut self, delivery: &Delivery, _limit: Duration) -> Result<(), Failure> {
        let message = self.writer.write(delivery, MAX_DATAGRAM_BYTES);
        self.send(&message).map_err(|error| Failure::later(format!("send to {}: {error}", self.endpoint)))
    }
}

/// A stream with the length before each message (RFC 6587, section 3.4.1), so that no text can begin another one.
struct Tcp {
    endpoint: Endpoint,
    writer: Writer,
    stream: Option<TcpStream>,
}

impl Tcp {
    fn send(&mut self, message: &[u8], limit: Duration) -> io::Result<()> {
        let mut stream = match self.stream.take().filter(is_open) {
            Some(stream) => stream,
            None => self.endpoint.connect(limit)?,
        };
        stream.set_write_timeout(Some(limit))?;
        let mut framed = format!("{} ", message.len()).into_bytes();
        framed.extend_from_slice(message);
        // After a failure the stream may hold half a message: it is not used again.
        stream.write_all(&framed)?;
        self.stream = Some(stream);
        Ok(())
    }
}

impl Sink for Tcp {
    fn deliver(&mut self, delivery: &Delivery, limit: Duration) -> Result<(), Failure> {
        let message = self.writer.write(delivery, MAX_STREAM_BYTES);
        let sent = self.send(&message, limit);
        sent.map_err(|error| Failure::later(format!("send to {}: {error}", self.endpoint)))
    }

    fn reopen(&mut self) {
        self.stream = None;
    }
}

/// Whether the other side has not closed the stream: what is written after that is lost without an error. Receivers of
/// syslog send nothing, so whatever can be read is an end.
fn is_open(stream: &TcpStream) -> bool {
    let peek = |stream: &TcpStream| -> io::Result<usize> {
        stream.set_nonblocking(true)?;
        let peeked = stream.peek(&mut [0]);
        stream.set_nonblocking(false)?;
        peeked
    };
    peek(stream).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

/// Datagrams to a socket of this machine.
struct Local {
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no such sockets"))]
    path: PathBuf,
    writer: Writer,
}

impl Local {
    #[cfg(unix)]
    fn send(&self, message: &[u8], limit: Duration) -> io::Result<()> {
        let socket = std::os::unix::net::UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(limit))?;
        socket.send_to(message, &self.path).map(drop)
    }

    #[cfg(not(unix))]
    fn send(&self, _message: &[u8], _limit: Duration) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no such sockets"))
    }
}

impl Sink for Local {
    fn deliver(&mut self, delivery: &Delivery, limit: Duration) -> Result<(), Failure> {
        let message = self.writer.write(delivery, MAX_STREAM_BYTES);
        let sent = self.send(&message, limit);
        sent.map_err(|error| Failure::later(format!("send to '{}': {error}", self.path.display())))
    }
}
