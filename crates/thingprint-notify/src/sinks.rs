//! The registry of sinks: each kind is a file of this folder and a line of `sinks!`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::delivery::{Delivery, Failure};
use crate::error::NotifyError;
use crate::options::NotifyOptions;
use crate::roster::Roster;

/// Declares the kinds of sinks, each with its file.
macro_rules! sinks {
    ($($file:ident,)+) => {
        $(mod $file;)+

        /// Every kind, in the order in which help lists them.
        pub(crate) const KINDS: &[Kind] = &[$($file::KIND),+];
    };
}

sinks! {
    standard_output,
    file,
    webhook,
    syslog,
    mqtt,
}

/// A kind of sink.
pub(crate) struct Kind {
    /// How it is written, as help shows it.
    pub(crate) forms: &'static [&'static str],
    /// Reads such a text; `None` where it is another kind.
    pub(crate) parse: fn(&str) -> Option<Parsed>,
}

/// What a text says about a sink.
pub(crate) type Parsed = Result<Arc<dyn Target>, NotifyError>;

/// Where a sink sends to; shown without secrets.
pub(crate) trait Target: fmt::Display + Send + Sync {
    /// Opens it. What is elsewhere is connected when it is used.
    fn open(&self, options: &mut NotifyOptions) -> Result<Box<dyn Sink>, NotifyError>;

    /// Whether it can be opened; nothing is made that was not there.
    fn check(&self, options: &mut NotifyOptions) -> Result<(), NotifyError> {
        self.open(options).map(drop)
    }
}

/// What takes events. It runs in a thread of its own.
pub(crate) trait Sink: Send {
    /// Takes an event, within the time.
    fn deliver(&mut self, delivery: &Delivery, limit: Duration) -> Result<(), Failure>;

    /// Opens again what it has open.
    fn reopen(&mut self) {}

    /// Whether it shows devices.
    fn shows_devices(&self) -> bool {
        false
    }

    /// Shows the devices. `Ok(true)` where that proves that the receiver is well, `Ok(false)` where it does not; else why
    /// it could not, and it is tried again when idle.
    fn show(&mut self, _roster: Arc<Roster>, _limit: Duration) -> Result<bool, String> {
        Ok(false)
    }

    /// Looks after itself between events; answers as [`show`](Self::show) does.
    fn idle(&mut self, _limit: Duration) -> Result<bool, String> {
        Ok(false)
    }

    /// Says goodbye, within the time.
    fn close(&mut self, _limit: Duration) {}
}
