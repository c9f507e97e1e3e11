use std::io::{self, Read};
use std::time::{Duration, Instant};

use crate::collector::Collector;
use crate::outlet::Stopped;
use crate::readiness::Readiness;
use crate::stop::Stop;

/// How long a read waits before it looks whether the intake was stopped: a tenth of what stopping may take.
pub(crate) const TICK: Duration = Duration::from_millis(100);
/// Bytes with which a capture begins, at least: the header of a pcap file.
const HEADER_BYTES: u64 = 24;
/// A sender writes its header at once; one that has not within this time holds a place that others may need.
const HEADER_WITHIN: Duration = Duration::from_mins(1);

/// A stream that lets frames leave before it waits, and that ends when the intake is stopped.
pub(crate) struct WatchedStream<S> {
    stream: S,
    collector: Collector,
    stop: Stop,
    opened: Instant,
    bytes: u64,
    header_within: Option<Duration>,
}

impl<S> WatchedStream<S> {
    /// Watches a stream whose frames come to this collector.
    pub(crate) fn new(stream: S, collector: Collector, stop: Stop) -> Self {
        Self { stream, collector, stop, opened: Instant::now(), bytes: 0, header_within: None }
    }

    /// The same stream, which fails if no capture begins within a minute.
    pub(crate) fn impatient(self) -> Self {
        Self { header_within: Some(HEADER_WITHIN), ..self }
    }

    fn check(&self) -> io::Result<()> {
        if self.stop.is_set() {
            return Err(io::Error::other(Stopped));
        }
        let is_silent = |within: Duration| self.bytes < HEADER_BYTES && self.opened.elapsed() > within;
        if self.header_within.is_some_and(is_silent) {
            let reason = format!("no capture began within {} s", HEADER_WITHIN.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, reason));
        }
        Ok(())
    }
}

impl<S: Read + Readiness> Read for WatchedStream<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.stream.wait(Duration::ZERO)? {
            self.collector.flush().map_err(io::Error::other)?;
            while !self.stream.wait(TICK)? {
                self.check()?;
            }
        }
        self.check()?;
        let read = self.stream.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}
