//! Messages of the protocol of `PostgreSQL`, version 3.0: one byte that says the kind, four of the length, and the content.

use std::io::{self, Read, Write};
use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::address::{Address, Host};

/// How long a server has to let us in, and to take what is sent.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest message that is taken: a value may have 1 GB.
const MOST_BYTES: usize = 1 << 30;

/// Bytes that are read at once.
const BUFFER: usize = 64 << 10;

/// The bytes between us and a server.
enum Stream {
    Network(TcpStream),
    #[cfg(unix)]
    Socket(UnixStream),
}

/// Messages to a server and from it.
pub(super) struct Wire {
    stream: Stream,
    out: Vec<u8>,
    read: Vec<u8>,
    /// Where in `read` the next message begins.
    at: usize,
}

/// A message of a server.
pub(super) struct Message {
    pub(super) kind: u8,
    pub(super) body: Vec<u8>,
}

/// Reads a message from its begin.
pub(super) struct Body<'a>(pub(super) &'a [u8]);

impl Wire {
    pub(super) fn connect(address: &Address) -> io::Result<Self> {
        let stream = match &address.host {
            Host::Network(endpoint) => {
                let stream = endpoint.connect(PATIENCE)?;
                stream.set_nodelay(true)?;
                Stream::Network(stream)
            }
            #[cfg(unix)]
            Host::Folder(folder) => Stream::Socket(UnixStream::connect(address.socket(folder))?),
            #[cfg(not(unix))]
            Host::Folder(_) => return Err(io::Error::other("there are no sockets here; name a host")),
        };
        let wire = Self { stream, out: Vec::new(), read: Vec::new(), at: 0 };
        wire.wait_for(Some(PATIENCE))?;
        match &wire.stream {
            Stream::Network(stream) => stream.set_write_timeout(Some(PATIENCE))?,
            #[cfg(unix)]
            Stream::Socket(stream) => stream.set_write_timeout(Some(PATIENCE))?,
        }
        Ok(wire)
    }

    /// Whether nobody else can listen: a socket, or an address of this machine.
    pub(super) fn is_local(&self) -> bool {
        match &self.stream {
            Stream::Network(stream) => stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback()),
            #[cfg(unix)]
            Stream::Socket(_) => true,
        }
    }

    /// How long the next messages are waited for.
    pub(super) fn wait_for(&self, time: Option<Duration>) -> io::Result<()> {
        match &self.stream {
            Stream::Network(stream) => stream.set_read_timeout(time),
            #[cfg(unix)]
            Stream::Socket(stream) => stream.set_read_timeout(time),
        }
    }

    /// Adds a message; the first one of a session has no kind.
    pub(super) fn put(&mut self, kind: Option<u8>, body: &[&[u8]]) -> io::Result<()> {
        let length = body.iter().map(|part| part.len()).sum::<usize>() + 4;
        let length = i32::try_from(length).map_err(|_| io::Error::other("a value is too long: over 1 GB"))?;
        self.out.extend(kind);
        self.out.extend(length.to_be_bytes());
        for part in body {
            self.out.extend_from_slice(part);
        }
        Ok(())
    }

    /// Sends what was added.
    pub(super) fn send(&mut self) -> io::Result<()> {
        let out = std::mem::take(&mut self.out);
        match &mut self.stream {
            Stream::Network(stream) => stream.write_all(&out),
            #[cfg(unix)]
            Stream::Socket(stream) => stream.write_all(&out),
        }
    }

    /// The next message.
    pub(super) fn next(&mut self) -> io::Result<Message> {
        let head: [u8; 5] = self.take(5)?.as_slice().try_into().map_err(|_| damaged())?;
        let [kind, length @ ..] = head;
        let length =
            usize::try_from(i32::from_be_bytes(length)).ok().and_then(|length| length.checked_sub(4));
        let length = length.filter(|length| *length <= MOST_BYTES).ok_or_else(damaged)?;
        Ok(Message { kind, body: self.take(length)? })
    }

    /// So many bytes; what is claimed is not allocated before it came.
    fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.read.len() - self.at < count {
            self.read.drain(..self.at);
            self.at = 0;
            let before = self.read.len();
            self.read.resize(before + BUFFER, 0);
            let free = self.read.get_mut(before..).unwrap_or_default();
            let read = match &mut self.stream {
                Stream::Network(stream) => stream.read(free),
                #[cfg(unix)]
                Stream::Socket(stream) => stream.read(free),
            };
            self.read.truncate(before + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection"));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "it does not answer"));
                }
                other => _ = other?,
            }
        }
        let taken = self.read.get(self.at..self.at + count).unwrap_or_default().to_vec();
        self.at += count;
        Ok(taken)
    }
}

impl<'a> Body<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> io::Result<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn number16(&mut self) -> io::Result<i16> {
        Ok(i16::from_be_bytes(self.bytes(2)?.try_into().map_err(|_| damaged())?))
    }

    pub(super) fn number32(&mut self) -> io::Result<i32> {
        Ok(i32::from_be_bytes(self.bytes(4)?.try_into().map_err(|_| damaged())?))
    }

    /// A text that ends with a zero.
    pub(super) fn text(&mut self) -> io::Result<String> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or_else(damaged)?;
        let text = String::from_utf8_lossy(self.bytes(end)?).into_owned();
        self.bytes(1)?;
        Ok(text)
    }
}

/// What a server says that nobody understands.
pub(super) fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it speaks no protocol of PostgreSQL that is understood")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::super::address::Defaults;
    use super::*;

    #[test]
    fn what_is_no_message_is_refused_and_allocates_nothing() {
        for said in
            [&b"HTTP/1.1 400\r\n\r\n"[..], b"R\xff\xff\xff\xff", b"R\0\0\0\x03", b"R\x7f\xff\xff\xff", b"R\0"]
        {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let rest = format!("ann@127.0.0.1:{}/x", listener.local_addr().unwrap().port());
            let mut wire = Wire::connect(&Address::parse(&rest, &Defaults::default()).unwrap()).unwrap();
            let (mut other, _) = listener.accept().unwrap();
            other.write_all(said).unwrap();
            drop(other);
            assert!(wire.next().is_err(), "{said:?}");
            assert!(wire.read.capacity() < 4 * BUFFER);
        }
    }
}
