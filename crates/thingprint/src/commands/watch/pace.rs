use std::time::{Duration, Instant};

use thingprint_flow::Timestamp;
use thingprint_live::SourceSpec;

/// How far the clock of the packets stays behind where nothing comes from interfaces, in nanoseconds: the kernel hands out
/// packets of a quiet link up to a second late, and they must not find their window closed.
const BEHIND_INTERFACE_NS: i64 = 2_000_000_000;
/// The same for streams, which wait in buffers of programs and networks: a link that was down for some seconds delivers what
/// it has then.
const BEHIND_STREAM_NS: i64 = 15_000_000_000;

/// How long a clock that moves with packets alone stands before what waits for it leaves.
const SETTLE: Duration = Duration::from_secs(10);

/// The clock of the packets between packets: it goes on as the machine's does since the last one came.
///
/// So a window closes without packets, also where captures of another time are played, and nobody has to know what time it
/// is there. The machine's clock may be set meanwhile: only the time that passes counts. A folder or a file may be delivered
/// at any time later, so that with one the clock moves with packets alone.
#[derive(Debug)]
pub(super) struct Pace {
    /// How far it stays behind; `None` where it does not move without packets.
    behind_ns: Option<i64>,
    last: Option<(Timestamp, Instant)>,
    /// Whether what waited has left since.
    has_settled: bool,
}

impl Pace {
    /// The pace of sources that are read together: that of the one that delivers latest.
    pub(super) fn of(sources: &[SourceSpec]) -> Self {
        let behind_ns = sources.iter().map(behind_ns).collect::<Option<Vec<i64>>>();
        Self { behind_ns: behind_ns.and_then(|all| all.into_iter().max()), last: None, has_settled: false }
    }

    /// Packets came; the clock of the packets is at `clock` now.
    pub(super) fn note(&mut self, clock: Option<Timestamp>, now: Instant) {
        if let Some(clock) = clock {
            (self.last, self.has_settled) = (Some((clock, now)), false);
        }
    }

    /// Whether what waits for the clock of the packets is to leave, since that clock stands still: no source reads, or it moves
    /// with packets alone and none came for a while. True once for each pause.
    pub(super) fn settles(&mut self, now: Instant, is_reading: bool) -> bool {
        let Some((_, at)) = self.last.filter(|_| !self.has_settled) else { return false };
        let stands = self.behind_ns.is_none() && now.saturating_duration_since(at) >= SETTLE;
        self.has_settled = !is_reading || stands;
        self.has_settled
    }

    /// What the clock is without packets; `None` before the first one, and where packets may come at any time later.
    pub(super) fn clock(&self, now: Instant) -> Option<Timestamp> {
        let ((clock, at), behind_ns) = self.last.zip(self.behind_ns)?;
        let passed = i64::try_from(now.saturating_duration_since(at).as_nanos()).unwrap_or(i64::MAX);
        (passed > behind_ns).then(|| clock.plus_nanos(passed - behind_ns))
    }
}

/// How far the clock stays behind a source; `None` for one that may deliver at any time later.
const fn behind_ns(source: &SourceSpec) -> Option<i64> {
    match source {
        SourceSpec::Interface(_) => Some(BEHIND_INTERFACE_NS),
        SourceSpec::Stdin(_) | SourceSpec::Client(_) | SourceSpec::Server(_) => Some(BEHIND_STREAM_NS),
        SourceSpec::File(_) | SourceSpec::Folder(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::{Frame, LinkType};
    use thingprint_watch::{Resume, WatchOptions, Watcher};

    use super::*;

    fn pace(sources: &[&str]) -> Pace {
        Pace::of(&sources.iter().map(|source| SourceSpec::parse(source).unwrap()).collect::<Vec<_>>())
    }

    /// How far the clock is a minute after a packet at 1000 s, in seconds.
    fn after_a_minute(sources: &[&str]) -> Option<i64> {
        let (mut pace, now) = (pace(sources), Instant::now());
        assert_eq!(pace.clock(now), None);
        pace.note(Some(Timestamp::from_seconds(1000)), now);
        assert_eq!(pace.clock(now + Duration::from_secs(1)), None, "packets may be on their way");
        let clock = pace.clock(now + Duration::from_mins(1))?;
        Some(clock.nanos_since(Timestamp::from_seconds(1000)) / 1_000_000_000)
    }

    #[test]
    fn the_clock_goes_on_behind_the_source_that_delivers_latest() {
        assert_eq!(after_a_minute(&["interface:eth0"]), Some(58));
        assert_eq!(after_a_minute(&["-"]), Some(45));
        assert_eq!(after_a_minute(&["interface:eth0", "tcp-listen://127.0.0.1:9"]), Some(45));
        assert_eq!(after_a_minute(&["interface:eth0", "folder:captures"]), None);
    }

    #[test]
    fn what_waits_leaves_once_for_each_pause() {
        let now = Instant::now();
        let settles = |pace: &mut Pace, second: u64, is_reading: bool| {
            pace.settles(now + Duration::from_secs(second), is_reading)
        };
        let note =
            |pace: &mut Pace, second: u64| pace.note(Some(Timestamp::MIN), now + Duration::from_secs(second));
        let mut folder = pace(&["interface:eth0", "folder:captures"]);
        assert!(!settles(&mut folder, 60, true), "no packet came yet");
        note(&mut folder, 60);
        assert!(!settles(&mut folder, 65, true), "a trickle of packets is no pause");
        assert!(settles(&mut folder, 70, true));
        assert!(!settles(&mut folder, 90, true), "once");
        note(&mut folder, 91);
        assert!(settles(&mut folder, 101, true));
        let mut interface = pace(&["interface:eth0"]);
        note(&mut interface, 0);
        assert!(!settles(&mut interface, 60, true), "its clock goes on");
        assert!(settles(&mut interface, 60, false), "nothing is read");
        assert!(!settles(&mut interface, 61, false), "once");
    }

    #[test]
    fn a_file_that_is_delivered_an_hour_late_is_not_late() {
        let options = WatchOptions::default();
        let stage = options.stage();
        let mut watcher = Watcher::new(&options, &stage, Resume::default());
        let (mut pace, now) = (pace(&["folder:captures"]), Instant::now());
        // A frame of a camera each minute: the first file has an hour, and the second one, which comes an hour later, the next.
        let mut bytes = [0_u8; 60];
        bytes[..14].copy_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]);
        let frame = |minute: i64| Frame {
            time: Timestamp::from_seconds(1_700_000_000 + 60 * minute),
            link: LinkType::Ethernet,
            wire_bytes: 60,
            bytes: &bytes,
            begins_segment: false,
        };
        (0..60).for_each(|minute| _ = watcher.frame(0, frame(minute)));
        pace.note(watcher.clock(), now);
        for second in 0..3600 {
            if let Some(clock) = pace.clock(now + Duration::from_secs(second)) {
                watcher.tick(clock);
            }
        }
        (60..120).for_each(|minute| _ = watcher.frame(0, frame(minute)));
        assert_eq!((watcher.health().capture.packets, watcher.health().capture.late), (120, 0));
    }
}
