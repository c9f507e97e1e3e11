use std::io::{self, Read, Write};
use std::net::TcpStream;

use super::address::Address;
use crate::transports::TransportOptions;

/// The bytes between us and a server.
#[derive(Debug)]
pub(super) enum Wire {
    /// As they are.
    Plain(TcpStream),
    /// By TLS.
    #[cfg(feature = "tls")]
    Secure(Box<rustls::StreamOwned<rustls::ClientConnection, TcpStream>>),
}

/// How TLS is spoken.
#[derive(Clone, Debug)]
pub(super) enum Security {
    /// Not at all.
    None,
    /// By these certificates.
    #[cfg(feature = "tls")]
    Tls(std::sync::Arc<rustls::ClientConfig>),
}

impl Security {
    #[cfg(feature = "tls")]
    pub(super) fn of(address: &Address, options: &TransportOptions) -> Result<Self, String> {
        if !address.is_secure && options.tls_ca.is_none() && options.tls_identity.is_none() {
            return Ok(Self::None);
        }
        super::secure::config(options).map(Self::Tls)
    }

    #[cfg(not(feature = "tls"))]
    pub(super) fn of(address: &Address, options: &TransportOptions) -> Result<Self, String> {
        if !address.is_secure && options.tls_ca.is_none() && options.tls_identity.is_none() {
            return Ok(Self::None);
        }
        Err("TLS needs the cargo feature 'tls' of this program; build it with --features tls".to_owned())
    }

    /// Speaks TLS over a connection from now on, if it is to be spoken.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unnecessary_wraps, reason = "TLS may fail"))]
    pub(super) fn secure(&self, stream: TcpStream, host: &str) -> Result<Wire, String> {
        match self {
            Self::None => {
                let _ = host;
                Ok(Wire::Plain(stream))
            }
            #[cfg(feature = "tls")]
            Self::Tls(config) => super::secure::handshake(config, stream, host),
        }
    }

    /// Whether TLS is spoken.
    pub(super) const fn is_on(&self) -> bool {
        !matches!(self, Self::None)
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            #[cfg(feature = "tls")]
            Self::Secure(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            #[cfg(feature = "tls")]
            Self::Secure(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            #[cfg(feature = "tls")]
            Self::Secure(stream) => stream.flush(),
        }
    }
}
