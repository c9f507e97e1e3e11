use std::io;
use std::net::TcpStream;

/// Asks the system to find out when the other side of a connection is gone without a word: a stream that is quiet and one
/// whose machine was switched off look the same otherwise.
#[cfg(unix)]
pub(crate) fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    use rustix::net::sockopt::{set_socket_keepalive, set_tcp_keepcnt, set_tcp_keepidle, set_tcp_keepintvl};
    use std::time::Duration;

    /// Silence before the other side is asked; with the two below, its absence shows within a minute.
    const IDLE: Duration = Duration::from_secs(30);
    const INTERVAL: Duration = Duration::from_secs(10);
    const UNANSWERED: u32 = 3;

    set_socket_keepalive(stream, true)?;
    set_tcp_keepidle(stream, IDLE)?;
    set_tcp_keepintvl(stream, INTERVAL)?;
    set_tcp_keepcnt(stream, UNANSWERED)?;
    Ok(())
}

/// Elsewhere the system is not asked.
#[cfg(not(unix))]
pub(crate) fn keep_alive(_: &TcpStream) -> io::Result<()> {
    Ok(())
}
