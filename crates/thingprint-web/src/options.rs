use std::io::Read;
use std::net::SocketAddr;
use std::time::Duration;

use crate::error::WebError;

/// Shortest token that is taken: 16 characters of hexadecimal digits are 64 bits, which nobody guesses over a network.
pub(crate) const SHORTEST_TOKEN: usize = 16;
/// Longest token that is taken; it travels in a cookie.
const LONGEST_TOKEN: usize = 512;
/// Random bytes of a token.
const TOKEN_BYTES: usize = 24;
/// Where the system gives random bytes.
const RANDOM_SOURCE: &str = "/dev/urandom";
/// Longest name of a host (RFC 1035 §2.3.4).
const LONGEST_HOST: usize = 253;

/// Where the page is served, and who may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOptions {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What everybody has to know who sees the page. An address that is not of this machine alone needs one.
    pub token: Option<String>,
    /// Names of hosts by which the page may be asked for, besides those of this machine and the address: what a reverse
    /// proxy passes on as `Host`.
    pub trusted_hosts: Vec<String>,
    /// What clients may take.
    pub limits: WebLimits,
}

impl Default for WebOptions {
    /// At 127.0.0.1:7860, for everybody on this machine.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7860)),
            token: None,
            trusted_hosts: Vec::new(),
            limits: WebLimits::default(),
        }
    }
}

/// What clients may take, in connections and time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebLimits {
    /// Connections at a time; more wait until one ends. Each costs at most about 100 KiB.
    pub connections: usize,
    /// Clients of live updates at a time; more are refused. Each holds a connection.
    pub streams: usize,
    /// Time for the first request on a connection, so that nobody holds one by sending slowly.
    pub head: Duration,
    /// Time to answer a request, its body included.
    pub request: Duration,
    /// Time to take an answer and to send the next request on the same connection.
    pub response: Duration,
    /// Time in which a client of live updates has to take what it was sent.
    pub stall: Duration,
    /// Time between signs of life on a stream of updates, so that proxies do not end it.
    pub keep_alive: Duration,
}

impl Default for WebLimits {
    /// As a browser on a slow line needs: a page is some 100 KiB.
    fn default() -> Self {
        Self {
            connections: 400,
            streams: 200,
            head: Duration::from_secs(10),
            request: Duration::from_secs(30),
            response: Duration::from_mins(1),
            stall: Duration::from_secs(30),
            keep_alive: Duration::from_secs(15),
        }
    }
}

impl WebOptions {
    /// Fails where the page would be open to strangers, or for a value that cannot be meant.
    pub fn check(&self) -> Result<(), WebError> {
        match &self.token {
            None if !self.listen.ip().is_loopback() => return Err(WebError::NotLoopback(self.listen)),
            None => {}
            Some(token) => check_token(token)?,
        }
        let bad = self.trusted_hosts.iter().find(|host| !is_host(host));
        bad.map_or(Ok(()), |host| Err(WebError::TrustedHost(host.clone())))
    }
}

/// A token that nobody can guess: 48 hexadecimal digits from the system's random bytes.
pub fn random_token() -> Result<String, WebError> {
    let mut bytes = [0; TOKEN_BYTES];
    let read = std::fs::File::open(RANDOM_SOURCE).and_then(|mut source| source.read_exact(&mut bytes));
    read.map_err(WebError::Random)?;
    Ok(bytes.iter().fold(String::new(), |token, byte| token + &format!("{byte:02x}")))
}

fn check_token(token: &str) -> Result<(), WebError> {
    if token.len() < SHORTEST_TOKEN {
        return Err(WebError::Token("is too short"));
    }
    if token.len() > LONGEST_TOKEN {
        return Err(WebError::Token("is longer than 512 characters"));
    }
    // What a cookie may hold (RFC 6265 §4.1.1).
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\');
    if token.bytes().all(is_plain) {
        Ok(())
    } else {
        Err(WebError::Token("has characters that a cookie cannot hold"))
    }
}

fn is_host(host: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !host.is_empty() && host.len() <= LONGEST_HOST && host.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listen: &str, token: Option<&str>, hosts: &[&str]) -> Result<(), String> {
        let options = WebOptions {
            listen: listen.parse().unwrap(),
            token: token.map(str::to_owned),
            trusted_hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            ..WebOptions::default()
        };
        options.check().map_err(|error| error.to_string())
    }

    #[test]
    fn others_see_the_page_only_with_a_token() {
        for address in ["0.0.0.0:7860", "[::]:7860", "192.168.1.5:80", "[2001:db8::1]:80"] {
            assert!(check(address, None, &[]).unwrap_err().contains("there is no token"), "{address}");
            assert_eq!(check(address, Some("0123456789abcdef"), &[]), Ok(()));
        }
        for address in ["127.0.0.1:7860", "127.9.9.9:0", "[::1]:7860"] {
            assert_eq!(check(address, None, &[]), Ok(()), "{address}");
        }
    }

    #[test]
    fn tokens_that_are_short_or_cannot_travel_are_refused() {
        for token in [
            "",
            "0123456789abcde",
            "0123456789 abcdef",
            "0123456789abcdéf",
            "0123456789;abcdef",
            &"a".repeat(513),
        ] {
            assert!(check("127.0.0.1:0", Some(token), &[]).is_err(), "{token}");
        }
        let token = random_token().unwrap();
        assert_eq!((token.len(), check("127.0.0.1:0", Some(&token), &[])), (48, Ok(())));
        assert_ne!(token, random_token().unwrap());
    }

    #[test]
    fn a_trusted_host_is_a_name() {
        assert_eq!(check("127.0.0.1:0", None, &["page.example.org"]), Ok(()));
        for host in ["", "https://page.example.org", "page.example.org:80", "a/b", "*"] {
            assert!(check("127.0.0.1:0", None, &[host]).is_err(), "{host}");
        }
    }
}
