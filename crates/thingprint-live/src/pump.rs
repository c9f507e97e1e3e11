use std::io::Read;

use thingprint_flow::{ByteStream, Capture, CaptureError, FrameReader, ProblemKind, SourceClocks, Timestamp};

use crate::collector::Collector;
use crate::error::{LiveError, LiveErrorKind};
use crate::outlet::{Outlet, Stopped};
use crate::readiness::Readiness;
use crate::watched_stream::WatchedStream;

/// Frames after which counts of times are shown, so that a long capture shows them before its end.
const FRAMES_BETWEEN_COUNTS: u64 = 4096;

/// Reads one capture of a source to its end, and lets its frames leave.
pub(crate) struct Pump<'a> {
    outlet: &'a Outlet,
    collector: Collector,
}

/// How far a capture was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pumped {
    /// Whole frames, with those that were passed over.
    pub(crate) frames: u64,
    /// The highest time of those that left.
    pub(crate) last: Option<Timestamp>,
    /// Why the rest could not be read.
    pub(crate) problem: Option<CaptureError>,
}

impl<'a> Pump<'a> {
    pub(crate) fn new(outlet: &'a Outlet) -> Self {
        Self { outlet, collector: Collector::new(outlet) }
    }

    /// Where its frames are collected.
    pub(crate) const fn collector(&self) -> &Collector {
        &self.collector
    }

    /// A stream under watch whose frames come here.
    pub(crate) fn watch<S: Read + Readiness>(&self, stream: S) -> WatchedStream<S> {
        WatchedStream::new(stream, self.collector.clone(), self.outlet.stop().clone())
    }

    /// Reads a capture that is captured now, which shows that its source delivers.
    pub(crate) fn live(
        &self,
        name: &str,
        stream: ByteStream,
        clocks: &mut SourceClocks,
    ) -> Result<Pumped, LiveError> {
        let pumped = self.read(Capture::once(name, stream), 0, clocks)?;
        match pumped.problem {
            Some(problem) => Err(bad_capture(&problem)),
            None => Ok(pumped),
        }
    }

    /// Reads a capture behind the frames that are passed over.
    ///
    /// # Errors
    ///
    /// When the intake was stopped.
    pub(crate) fn read(
        &self,
        capture: Capture,
        passed_over: u64,
        clocks: &mut SourceClocks,
    ) -> Result<Pumped, LiveError> {
        let mut frames = 0;
        let result = FrameReader::open(capture).map_err(Interruption::from).and_then(|mut reader| {
            self.outlet.delivers();
            let result = self.frames(&mut reader, passed_over, clocks);
            frames = reader.frames();
            result
        });
        let flushed = self.collector.flush();
        let problem = match result {
            _ if self.outlet.stop().is_set() || flushed.is_err() => return Err(self.outlet.stopped()),
            Err(Interruption::Stopped) => return Err(self.outlet.stopped()),
            Err(Interruption::Problem(problem)) => Some(problem),
            Ok(()) => None,
        };
        Ok(Pumped { frames, last: self.collector.last_time(), problem })
    }

    /// Lets frames leave whose times wait for others, since none come; gives the highest time of those.
    pub(crate) fn settle(&self, clocks: &mut SourceClocks) -> Result<Option<Timestamp>, LiveError> {
        let mut result = Ok(());
        clocks.settle(|frame| result = result.and_then(|()| self.collector.push(&frame)));
        let flushed = result.and_then(|()| self.collector.flush());
        flushed.map(|()| self.collector.last_time()).map_err(|_| self.outlet.stopped())
    }

    fn frames(
        &self,
        reader: &mut FrameReader,
        passed_over: u64,
        clocks: &mut SourceClocks,
    ) -> Result<(), Interruption> {
        reader.skip(passed_over)?;
        let mut shown = (clocks.wrongly_timed(), clocks.steps_back());
        let mut count = 0_u64;
        let result = loop {
            match reader.next_frame(clocks) {
                Ok(Some(frame)) => self.collector.push(&frame)?,
                Ok(None) => break Ok(()),
                Err(problem) => break Err(problem.into()),
            }
            count += 1;
            if count.is_multiple_of(FRAMES_BETWEEN_COUNTS) {
                self.show_times(clocks, &mut shown);
            }
        };
        self.show_times(clocks, &mut shown);
        result
    }

    /// Adds what was noted of times since it was shown last.
    fn show_times(&self, clocks: &SourceClocks, shown: &mut (u64, u64)) {
        let now = (clocks.wrongly_timed(), clocks.steps_back());
        let (wrong, back) = std::mem::replace(shown, now);
        self.outlet.update(|health| {
            health.wrongly_timed += now.0 - wrong;
            health.steps_back += now.1 - back;
        });
    }
}

/// Why frames come no more.
enum Interruption {
    Stopped,
    Problem(CaptureError),
}

impl From<CaptureError> for Interruption {
    fn from(problem: CaptureError) -> Self {
        Self::Problem(problem)
    }
}

impl From<Stopped> for Interruption {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// A problem of a capture that is captured now, as the failure of its source.
fn bad_capture(problem: &CaptureError) -> LiveError {
    let reason = format!("{} (after {} packets)", problem.reason, problem.packets);
    let (kind, advice) = match problem.kind {
        ProblemKind::NotACapture => {
            (LiveErrorKind::BadCapture, "send pcap or pcapng, as tcpdump -U -w - does")
        }
        ProblemKind::UnsupportedLink => {
            (LiveErrorKind::BadCapture, "capture where Ethernet or IP is seen: not in monitor mode")
        }
        ProblemKind::Unreadable => (LiveErrorKind::Closed, ""),
        ProblemKind::Cut => (LiveErrorKind::Closed, "the sender ended within a packet"),
        ProblemKind::Broken => (LiveErrorKind::BadCapture, "only one capture at a time can be in a stream"),
    };
    LiveError::new(kind, &problem.capture, reason).advise(advice)
}
