use std::io;
use std::time::Duration;

#[cfg(unix)]
use std::os::fd::AsFd;

/// A stream that shows whether it has something to read.
pub(crate) trait Readiness {
    /// Waits until there are bytes, the end, or a failure to read, at most this long; whether there are.
    fn wait(&self, longest: Duration) -> io::Result<bool>;
}

#[cfg(unix)]
impl<T: AsFd> Readiness for T {
    fn wait(&self, longest: Duration) -> io::Result<bool> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let timeout = Timespec::try_from(longest).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(self, PollFlags::IN)], Some(&timeout)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Elsewhere nothing can be asked: each read may wait, and frames leave before it.
#[cfg(not(unix))]
impl<T> Readiness for T {
    fn wait(&self, longest: Duration) -> io::Result<bool> {
        Ok(!longest.is_zero())
    }
}
