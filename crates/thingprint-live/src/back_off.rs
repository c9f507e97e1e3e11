use std::time::Duration;

/// How long to wait before a source is tried again for the first time.
const FIRST: Duration = Duration::from_secs(1);
/// How long to wait at most: what comes back is read within a minute.
const LONGEST: Duration = Duration::from_mins(1);
/// A source that delivered for so long did not fail at once, and its next failure is a first one.
const SUCCESS: Duration = Duration::from_mins(1);

/// How long to wait before a source that failed is tried again: 1 s, and twice as long after each failure.
#[derive(Debug)]
pub(crate) struct BackOff {
    next: Duration,
}

impl BackOff {
    pub(crate) const fn new() -> Self {
        Self { next: FIRST }
    }

    /// The time to wait after a try that lasted so long.
    pub(crate) fn after(&mut self, lasted: Duration) -> Duration {
        if lasted >= SUCCESS {
            self.next = FIRST;
        }
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute_and_a_minute_of_success_resets_them() {
        let mut back_off = BackOff::new();
        let waits: Vec<u64> = (0..8).map(|_| back_off.after(Duration::from_secs(59)).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(back_off.after(Duration::from_mins(1)).as_secs(), 1);
        assert_eq!(back_off.after(Duration::ZERO).as_secs(), 2);
    }
}
