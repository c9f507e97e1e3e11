use std::fmt;

use thingprint_endpoint::Endpoint;

/// The port of NATS.
const PORT: u16 = 4222;

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) endpoint: Endpoint,
    /// Whether it is only spoken to by TLS.
    pub(super) is_secure: bool,
}

impl Address {
    pub(super) fn parse(text: &str, is_secure: bool) -> Result<Self, String> {
        if text.contains('@') {
            return Err("secrets are not written into addresses; give a file with --credentials".to_owned());
        }
        let endpoint = Endpoint::parse(text.strip_suffix('/').unwrap_or(text), Some(PORT))?;
        Ok(Self { endpoint, is_secure })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.is_secure { "tls" } else { "nats" }, self.endpoint)
    }
}
