use std::net::SocketAddr;

/// Why the page cannot be served. Completes the sentence "failed to serve the page: ...".
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// Nothing can listen at the address.
    #[error("cannot listen at {address}: {source}{}", hint(source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// An address that others reach, without a token.
    #[error(
        "{0} can be reached from other machines, and there is no token: listen at 127.0.0.1, or give a file with a token"
    )]
    NotLoopback(SocketAddr),
    /// A token that is easy to guess or that a header cannot hold.
    #[error("the token {0}: take at least {least} printable ASCII characters without spaces, such as those of `openssl rand -hex 24`", least = crate::options::SHORTEST_TOKEN)]
    Token(&'static str),
    /// A name of a host that cannot be one.
    #[error("'{0}' is not the name of a host: write it without scheme, port and path, like page.example.org")]
    TrustedHost(String),
    /// The system gives no random bytes.
    #[error("cannot read random bytes for a token ({0}): give a file with a token")]
    Random(std::io::Error),
    /// The system gives no thread or no events.
    #[error("cannot start the threads of the page: {0}")]
    Start(std::io::Error),
}

/// What to do about an address that cannot be had.
fn hint(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "; another program listens there: choose another port",
        std::io::ErrorKind::AddrNotAvailable => "; this machine does not have the address",
        std::io::ErrorKind::PermissionDenied => "; ports below 1024 need privileges: choose a higher one",
        _ => "",
    }
}
