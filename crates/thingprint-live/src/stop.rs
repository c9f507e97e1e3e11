use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Asks all threads of an intake to end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Asks, and wakes whoever sleeps.
    pub(crate) fn set(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Whether it was asked.
    pub(crate) fn is_set(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until it is asked, at most this long; whether it was asked.
    pub(crate) fn sleep(&self, longest: Duration) -> bool {
        let (flag, woken) = &*self.0;
        let asked = flag.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = woken.wait_timeout_while(asked, longest, |asked| !*asked);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
