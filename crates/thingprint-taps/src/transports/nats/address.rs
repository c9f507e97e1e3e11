use std::fmt;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// The port of NATS.
const PORT: u16 = 4222;

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    host: String,
    port: u16,
    /// Whether it is only spoken to by TLS.
    pub(super) is_secure: bool,
}

impl Address {
    /// `host`, `host:port`, `[::1]` or `[::1]:port`.
    pub(super) fn parse(text: &str, is_secure: bool) -> Result<Self, String> {
        if text.contains('@') {
            return Err("secrets are not written into addresses; give a file with --credentials".to_owned());
        }
        let text = text.strip_suffix('/').unwrap_or(text);
        let (host, port) = match text.rfind(']') {
            Some(end) => text.split_at(end + 1),
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => PORT,
            digits => digits
                .and_then(|digits| digits.parse().ok())
                .filter(|port| *port > 0)
                .ok_or_else(|| format!("'{port}' is not a port; write host:port, and IPv6 as [::1]:port"))?,
        };
        if !is_host(host) {
            return Err(format!("'{host}' is not the name or address of a host"));
        }
        Ok(Self { host: host.to_owned(), port, is_secure })
    }

    /// The name or address of the host, without brackets.
    pub(super) fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Connects to the first address that answers, all of them within the time.
    pub(super) fn connect(&self, limit: Duration) -> Result<TcpStream, String> {
        let end = Instant::now() + limit;
        let found = format!("{}:{}", self.host, self.port).to_socket_addrs();
        let addresses = found.map_err(|error| error.to_string())?;
        let mut last = "the host has no address".to_owned();
        for address in addresses {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            match TcpStream::connect_timeout(&address, left) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error.to_string(),
            }
        }
        Err(last)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "tls" } else { "nats" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

fn is_host(text: &str) -> bool {
    let inner = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    match inner {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')),
    }
}
