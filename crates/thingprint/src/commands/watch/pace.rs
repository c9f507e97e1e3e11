use std::time::Instant;

use thingprint_flow::Timestamp;

/// How far the clock of the packets stays behind where nothing comes, in nanoseconds: the kernel hands out packets of a quiet
/// link up to a second late, and they must not find their window closed.
const BEHIND_NS: i64 = 2_000_000_000;

/// The clock of the packets between packets: it goes on as the machine's does since the last one came.
///
/// So a window closes without packets, also where captures of another time are played, and nobody has to know what time it
/// is there. The machine's clock may be set meanwhile: only the time that passes counts.
#[derive(Debug)]
pub(super) struct Pace {
    last: Option<(Timestamp, Instant)>,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self { last: None }
    }

    /// Packets came; the clock of the packets is at `clock` now.
    pub(super) fn note(&mut self, clock: Option<Timestamp>, now: Instant) {
        if let Some(clock) = clock {
            self.last = Some((clock, now));
        }
    }

    /// What the clock is without packets; `None` before the first one.
    pub(super) fn clock(&self, now: Instant) -> Option<Timestamp> {
        let (clock, at) = self.last?;
        let passed = i64::try_from(now.saturating_duration_since(at).as_nanos()).unwrap_or(i64::MAX);
        (passed > BEHIND_NS).then(|| clock.plus_nanos(passed - BEHIND_NS))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_clock_goes_on_behind_the_last_packet() {
        let now = Instant::now();
        let mut pace = Pace::new();
        assert_eq!(pace.clock(now), None);
        pace.note(Some(Timestamp::from_seconds(1000)), now);
        assert_eq!(pace.clock(now + Duration::from_secs(1)), None, "packets may be on their way");
        assert_eq!(pace.clock(now + Duration::from_secs(62)), Some(Timestamp::from_seconds(1060)));
    }
}
