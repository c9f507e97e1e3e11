use std::io::{self, Read};
use std::time::{Duration, Instant};

use thingprint_flow::is_compressed;

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

/// Bytes that show how a stream is compressed.
const COMPRESSION_BYTES: usize = 6;
/// The one compression that is taken from a network: its decoder keeps 32 KiB, those of others as much as a sender says.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A stream that lets frames leave before it waits, and that ends when the intake is stopped.
pub(crate) struct WatchedStream<S> {
    stream: S,
    collector: Collector,
    stop: Stop,
    opened: Instant,
    bytes: u64,
    header_within: Option<Duration>,
    /// The first bytes of a sender; `None` where who writes is known.
    start: Option<Vec<u8>>,
}

impl<S> WatchedStream<S> {
    /// Watches a stream whose frames come to this collector.
    pub(crate) fn new(stream: S, collector: Collector, stop: Stop) -> Self {
        Self { stream, collector, stop, opened: Instant::now(), bytes: 0, header_within: None, start: None }
    }

    /// The same stream, of a sender that nobody vouches for: it fails if no capture begins within a minute, or if it is
    /// compressed so that reading it takes memory without a bound.
    pub(crate) fn of_sender(self) -> Self {
        Self { header_within: Some(HEADER_WITHIN), start: Some(Vec::new()), ..self }
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

/// Looks at the first bytes of a sender, before a decoder is made for them.
fn check_compression(start: &mut Vec<u8>, bytes: &[u8]) -> io::Result<()> {
    let missing = COMPRESSION_BYTES.saturating_sub(start.len());
    start.extend_from_slice(bytes.get(..missing).unwrap_or(bytes));
    if is_compressed(start) && !start.starts_with(&GZIP) {
        let reason =
            "the stream is compressed, and from a network only gzip is taken: send it plain, or as gzip";
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    Ok(())
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
        if let Some(start) = &mut self.start {
            check_compression(start, buffer.get(..read).unwrap_or_default())?;
        }
        Ok(read)
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc::Receiver;
    use std::thread;

    use thingprint_flow::Frame;

    use super::*;
    use crate::outlet::{Delivery, test_outlet};

    fn watched(stop: &Stop) -> (UnixStream, WatchedStream<UnixStream>, Receiver<Delivery>) {
        let (far, near) = UnixStream::pair().unwrap();
        let (outlet, receiver) = test_outlet(stop);
        (far, WatchedStream::new(near, Collector::new(&outlet), stop.clone()), receiver)
    }

    #[test]
    fn frames_leave_when_the_stream_has_nothing_more() {
        let (mut far, mut stream, receiver) = watched(&Stop::default());
        far.write_all(b"ab").unwrap();
        stream.collector.push(&Frame::default()).unwrap();
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 1);
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 1);
        assert!(receiver.try_recv().is_err(), "the stream had more");
        let writer = thread::spawn(move || {
            let delivery = receiver.recv().unwrap();
            far.write_all(b"c").unwrap();
            matches!(delivery, Delivery::Batch(batch) if batch.len() == 1)
        });
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 1);
        assert!(writer.join().unwrap());
    }

    #[test]
    fn a_sender_that_begins_no_capture_is_given_up() {
        let (mut far, stream, _receiver) = watched(&Stop::default());
        let mut stream = WatchedStream { header_within: Some(Duration::from_millis(150)), ..stream };
        far.write_all(&[0; 23]).unwrap();
        assert_eq!(stream.read(&mut [0; 30]).unwrap(), 23);
        assert_eq!(stream.read(&mut [0; 30]).unwrap_err().kind(), io::ErrorKind::TimedOut);
        far.write_all(&[0; 1]).unwrap();
        stream.header_within = Some(Duration::from_mins(1));
        assert_eq!(stream.read(&mut [0; 30]).unwrap(), 1);
        // Behind its header, a capture may be quiet for as long as the network is.
        stream.header_within = Some(Duration::ZERO);
        let writer = thread::spawn(move || {
            thread::sleep(3 * TICK);
            far.write_all(b"x").unwrap();
        });
        assert_eq!(stream.read(&mut [0; 30]).unwrap(), 1);
        writer.join().unwrap();
    }

    #[test]
    fn a_sender_may_compress_as_gzip_alone() {
        let check = |bytes: &[u8], is_taken: bool| {
            let (mut far, stream, _receiver) = watched(&Stop::default());
            let mut stream = stream.of_sender();
            far.write_all(bytes).unwrap();
            let read = (0..bytes.len()).map(|_| stream.read(&mut [0; 1])).collect::<io::Result<Vec<_>>>();
            assert_eq!(read.is_ok(), is_taken, "{bytes:x?}: {read:?}");
        };
        check(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0], true);
        check(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0], true);
        check(&[0xfd, b'7', b'z', b'X', b'Z', 0, 0, 0], false);
        check(&[0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0], false);
    }

    #[test]
    fn a_stop_ends_a_stream_that_is_quiet() {
        let stop = Stop::default();
        let (_far, mut stream, _receiver) = watched(&stop);
        let asker = thread::spawn(move || {
            thread::sleep(TICK);
            stop.set();
        });
        assert!(stream.read(&mut [0; 1]).unwrap_err().to_string().contains("stopped"));
        asker.join().unwrap();
    }
}
