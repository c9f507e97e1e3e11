use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// A name or an address; that of IPv6 in brackets.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
}

impl Endpoint {
    /// `host`, `host:port`, `[::1]` or `[::1]:port`.
    pub(crate) fn parse(text: &str, default_port: u16) -> Result<Self, String> {
        let (host, port) = match text.rfind(']') {
            Some(end) => text.split_at(end + 1),
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => default_port,
            digits => digits
                .and_then(|digits| digits.parse().ok())
                .filter(|port| *port > 0)
                .ok_or_else(|| format!("'{port}' is not a port; write host:port, and IPv6 as [::1]:port"))?,
        };
        if !is_host(host) {
            return Err(format!("'{host}' is not the name or address of a host"));
        }
        Ok(Self { host: host.to_owned(), port })
    }

    /// The addresses that it has now.
    pub(crate) fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let addresses: Vec<SocketAddr> = self.to_string().to_socket_addrs()?.collect();
        if addresses.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("{} has no address", self.host)));
        }
        Ok(addresses)
    }

    /// Connects to the first address that answers, all of them within the time.
    pub(crate) fn connect(&self, limit: Duration) -> io::Result<TcpStream> {
        let end = Instant::now() + limit;
        let mut last = io::Error::from(io::ErrorKind::TimedOut);
        for address in self.resolve()? {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            match TcpStream::connect_timeout(&address, left) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

fn is_host(text: &str) -> bool {
    let inner = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    match inner {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read() {
        let check = |text: &str, expected: Option<&str>| {
            let found = Endpoint::parse(text, 514).map(|endpoint| endpoint.to_string());
            assert_eq!(found.as_deref().ok(), expected, "{text}: {found:?}");
        };
        check("logs.example.org", Some("logs.example.org:514"));
        check("192.0.2.7:6514", Some("192.0.2.7:6514"));
        check("[::1]", Some("[::1]:514"));
        check("[2001:db8::1]:99", Some("[2001:db8::1]:99"));
        check("::1", None);
        check("host:", None);
        check("host:0", None);
        check("host:65536", None);
        check("host:12x", None);
        check("a b", None);
        check("a/b", None);
        check("user@host", None);
        check("[host]", None);
        check("", None);
        check(":514", None);
    }
}
