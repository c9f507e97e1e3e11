use std::fmt;
use std::io;
use std::net::{Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// A host and a port.
///
/// ```
/// use thingprint_endpoint::Endpoint;
///
/// let sensor = Endpoint::parse("[2001:db8::1]", Some(57012))?;
/// assert_eq!((sensor.host(), sensor.port()), ("2001:db8::1", 57012));
/// assert_eq!(sensor.to_string(), "[2001:db8::1]:57012");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// A name or an address, without brackets.
    host: String,
    port: u16,
}

impl Endpoint {
    /// Reads `host:port` or `[::1]:port`; where there is a default port, also `host` or `[::1]`.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, in words for a message that has the text.
    pub fn parse(text: &str, default_port: Option<u16>) -> Result<Self, String> {
        let (host, port) = match text.rfind(']') {
            Some(end) => text.split_at(end + 1),
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let port = match (port.strip_prefix(':'), default_port) {
            (None, Some(default)) if port.is_empty() => default,
            (None | Some(""), _) if port.len() <= 1 => return Err("it has no port".to_owned()),
            (digits, _) => {
                let digits = digits.unwrap_or(port);
                let number = digits.parse().ok().filter(|port| *port > 0);
                number.ok_or_else(|| {
                    format!(
                        "'{digits}' is not a port from 1 to 65535; write host:port, and IPv6 as [::1]:port"
                    )
                })?
            }
        };
        if host.is_empty() {
            return Err("it has no host".to_owned());
        }
        let bracketed = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
        if !bracketed.map_or_else(|| is_name(host), is_ipv6) {
            return Err(format!("'{host}' is not the name or address of a host"));
        }
        Ok(Self { host: bracketed.unwrap_or(host).to_owned(), port })
    }

    /// The name or address of the host, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; never 0.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The host as addresses of the web have it: an address of IPv6 is in brackets.
    pub fn bracketed_host(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }

    /// The addresses that it has now, at least one.
    ///
    /// # Errors
    ///
    /// When the host is unknown. The look-up of a name takes as long as the system waits.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let addresses: Vec<SocketAddr> = (self.host.as_str(), self.port).to_socket_addrs()?.collect();
        if addresses.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("{} has no address", self.host)));
        }
        Ok(addresses)
    }

    /// Connects to the first address that answers, all of them within the time; the look-up of a name takes its own.
    ///
    /// # Errors
    ///
    /// Why the last address that was tried did not answer.
    pub fn connect(&self, limit: Duration) -> io::Result<TcpStream> {
        connect_to_any(&self.resolve()?, limit)
    }
}

/// Each address has its share of the time that is left, so that one that does not answer leaves some for the others.
fn connect_to_any(addresses: &[SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    let end = Instant::now() + limit;
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    for (others, address) in (1..=addresses.len()).rev().zip(addresses) {
        let left = end.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(others).unwrap_or(u32::MAX);
        if share.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(address, share) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.bracketed_host(), self.port)
    }
}

fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

/// Whether this is an address of IPv6; one of a link may have the link's name behind a percent sign.
fn is_ipv6(text: &str) -> bool {
    let (address, zone) = text.split_once('%').unwrap_or((text, "0"));
    address.parse::<Ipv6Addr>().is_ok() && !zone.is_empty() && is_name(zone)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn hosts_and_ports_are_read() {
        let check = |text: &str, expected: Option<&str>| {
            let found = Endpoint::parse(text, Some(514)).map(|endpoint| endpoint.to_string());
            assert_eq!(found.as_deref().ok(), expected, "{text}: {found:?}");
        };
        check("logs.example.org", Some("logs.example.org:514"));
        check("192.0.2.7:6514", Some("192.0.2.7:6514"));
        check("[::1]", Some("[::1]:514"));
        check("[2001:db8::1]:99", Some("[2001:db8::1]:99"));
        check("[fe80::1%eth0]:99", Some("[fe80::1%eth0]:99"));
        check("[fe80::1%]:99", None);
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

    #[test]
    fn what_is_wrong_is_named() {
        let check = |text: &str, expected: &str| {
            let problem = Endpoint::parse(text, None).unwrap_err();
            assert!(problem.contains(expected), "{text}: {problem}");
        };
        check("sensor", "no port");
        check("[::1]", "no port");
        check("sensor:", "no port");
        check(":5", "no host");
        check("sensor:12x", "'12x' is not a port");
        check("::1:57012", "write host:port, and IPv6 as [::1]:port");
        assert!(Endpoint::parse("sensor:57012", None).is_ok());
    }

    #[test]
    fn an_endpoint_is_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let text = listener.local_addr().unwrap().to_string();
        let endpoint = Endpoint::parse(&text, None).unwrap();
        assert!(endpoint.connect(Duration::from_secs(5)).is_ok());
        assert!(endpoint.connect(Duration::ZERO).is_err(), "no time is no connection");
    }

    #[test]
    fn an_address_that_does_not_answer_leaves_time_for_the_others() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // Nobody has an address that is for documentation alone: packets to it are lost, or there is no way to it.
        let nobody = "192.0.2.1:9".parse().unwrap();
        let addresses = [nobody, nobody, listener.local_addr().unwrap()];
        assert!(connect_to_any(&addresses, Duration::from_secs(3)).is_ok());
        assert!(connect_to_any(&addresses[..2], Duration::from_millis(200)).is_err());
        assert!(connect_to_any(&[], Duration::from_secs(3)).is_err());
    }
}
