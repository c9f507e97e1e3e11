use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Signals that the service manager or a person sends.
#[derive(Clone, Debug, Default)]
pub(in crate::commands) struct Signals {
    ends: Arc<AtomicBool>,
    reloads: Arc<AtomicBool>,
}

impl Signals {
    /// Notes signals from now on. A second SIGINT or SIGTERM ends the process at once. SIGHUP has files read again; where
    /// standard input is a terminal, it says that the terminal is gone, and ends the reading.
    #[cfg(unix)]
    pub(in crate::commands) fn install() -> io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        use signal_hook::flag;
        let signals = Self::default();
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_shutdown(signal, 1, Arc::clone(&signals.ends))?;
            flag::register(signal, Arc::clone(&signals.ends))?;
        }
        let on_hangup = if io::stdin().is_terminal() { &signals.ends } else { &signals.reloads };
        flag::register(SIGHUP, Arc::clone(on_hangup))?;
        Ok(signals)
    }

    /// Nothing is noted where there are no such signals.
    #[cfg(not(unix))]
    pub(in crate::commands) fn install() -> io::Result<Self> {
        Ok(Self::default())
    }

    /// Whether the reading is to end.
    pub(in crate::commands) fn ends(&self) -> bool {
        self.ends.load(Ordering::Relaxed)
    }

    /// Whether files are to be read again; true once.
    pub(in crate::commands) fn take_reload(&self) -> bool {
        self.reloads.swap(false, Ordering::Relaxed)
    }
}
