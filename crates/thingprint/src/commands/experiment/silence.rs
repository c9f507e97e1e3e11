//! Standard error kept from a library that prints there unasked.
//!
//! linfa-bayes 0.8.1 has a `dbg!` line left in its fit, which no option of it turns off: some hundred lines for each
//! model. Our own messages, which say what comes next, are written before.
#[cfg(unix)]
use std::fs::File;
#[cfg(unix)]
use std::os::fd::OwnedFd;

/// While it lives, what is written to standard error is lost. Only on Unix: elsewhere it does nothing.
#[derive(Debug)]
pub(super) struct Silence {
    #[cfg(unix)]
    stderr: OwnedFd,
}

impl Silence {
    /// Points standard error nowhere; `None` where that is not possible.
    #[cfg(unix)]
    pub(super) fn begin() -> Option<Self> {
        let nowhere = File::options().write(true).open("/dev/null").ok()?;
        let stderr = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 0).ok()?;
        rustix::stdio::dup2_stderr(&nowhere).ok()?;
        Some(Self { stderr })
    }

    /// Points standard error nowhere; `None` where that is not possible.
    #[cfg(not(unix))]
    pub(super) const fn begin() -> Option<Self> {
        None
    }
}

#[cfg(unix)]
impl Drop for Silence {
    fn drop(&mut self) {
        // If this fails, nobody is left to tell.
        let _ = rustix::stdio::dup2_stderr(&self.stderr);
    }
}
