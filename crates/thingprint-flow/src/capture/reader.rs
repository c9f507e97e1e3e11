use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::block::Block;
use super::buffer::Buffer;
use super::compression;
use super::foreign::{ForeignFile, MARK_BYTES};
use super::format::{Format, Record, Step};
use super::hash::ContentHash;
use super::link::LinkType;
use super::source::{ByteStream, Capture, Counted, SourceError};
use crate::{CaptureError, ProblemKind, Timestamp};

/// Longest packet or block that is believed; one that claims more is broken.
///
/// Snap lengths end at 256 KiB, but blocks with name resolutions or secrets can be long.
const MAX_RECORD: usize = 64 * 1024 * 1024;

/// Reads the packets of one capture, in file order.
pub(super) struct Reader {
    name: String,
    buffer: Buffer,
    format: Format,
    packets: u64,
    last_time: Timestamp,
    links: Links,
    longest_record: usize,
}

/// A packet that was read; its bytes are there until the reader moves on.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) time: Timestamp,
    pub(super) wire_bytes: u32,
    pub(super) interface: u32,
    pub(super) link: LinkType,
    data: Range<usize>,
}

/// Which link types the packets had.
#[derive(Default)]
struct Links {
    supported: bool,
    unsupported: Option<LinkType>,
}

impl Reader {
    /// Opens a capture and tells its format; `count` grows with the bytes read from it, `hash` asks for the hash
    /// of its content.
    pub(super) fn open(
        capture: &mut Capture,
        count: Arc<AtomicU64>,
        hash: bool,
    ) -> Result<Self, CaptureError> {
        Self::begin(capture, (count, hash), MARK_BYTES)
    }

    /// Opens a capture that may be written now: it is not waited for bytes that no packet needs, and packets or blocks that
    /// claim more than `longest_record` bytes are refused.
    pub(super) fn open_live(capture: &mut Capture, longest_record: usize) -> Result<Self, CaptureError> {
        let reader = Self::begin(capture, (Arc::default(), false), Format::MAGIC_BYTES)?;
        Ok(Self { longest_record: longest_record.min(MAX_RECORD), ..reader })
    }

    /// Opens a capture; `look` bytes show what is not one.
    fn begin(
        capture: &mut Capture,
        (count, hash): (Arc<AtomicU64>, bool),
        look: usize,
    ) -> Result<Self, CaptureError> {
        let name = capture.name().to_owned();
        let opened = capture.open().and_then(|raw| decompress_counted(raw, count));
        let stream = match opened {
            Ok(stream) => stream,
            Err(error) => return Err(unreadable(&name, &error)),
        };
        let mut buffer = Buffer::new(stream, hash);
        if let Err(error) = buffer.fill(Format::MAGIC_BYTES) {
            return Err(Place { capture: &name, offset: 0, packets: 0 }.read_error(&error));
        }
        let Some(format) = Format::of(buffer.available()) else {
            // What is left out of the message when it cannot be read is only what the file is.
            let _ = buffer.fill(look);
            return Err(not_a_capture(&name, buffer.available()));
        };
        Ok(Self {
            name,
            buffer,
            format,
            packets: 0,
            last_time: Timestamp::default(),
            links: Links::default(),
            longest_record: MAX_RECORD,
        })
    }

    /// The next packet; `None` at the end of the capture. After an error, the capture is over.
    #[inline]
    pub(super) fn advance(&mut self) -> Result<Option<Head>, CaptureError> {
        loop {
            match self.format.step(self.buffer.available()) {
                Ok(Step::Packet(record)) => return Ok(Some(self.head(&record))),
                Ok(Step::Skip(length)) => {
                    self.buffer.take(length);
                    self.check_link()?;
                }
                Ok(Step::Need(needed)) => {
                    if !self.fill(needed)? {
                        return self.links.verdict().map_or(Ok(None), |link| Err(self.unsupported(link)));
                    }
                }
                Err(reason) => return Err(self.place().error(ProblemKind::Broken, reason)),
            }
        }
    }

    /// Whole packets that were read.
    pub(super) const fn packets(&self) -> u64 {
        self.packets
    }

    /// The name of the capture.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The bytes of the packet that [`advance`](Self::advance) returned last.
    #[inline]
    pub(super) fn bytes(&self, head: &Head) -> &[u8] {
        self.buffer.bytes(head.data.clone())
    }

    /// The block that these bytes lie in, if others may keep it.
    #[inline]
    pub(super) fn block(&self) -> Option<&Block> {
        self.buffer.block()
    }

    /// Hash of the capture's uncompressed bytes, as far as they were read.
    pub(super) fn content_hash(&mut self) -> Option<ContentHash> {
        self.buffer.content_hash()
    }

    #[inline]
    fn head(&mut self, record: &Record) -> Head {
        let at = self.buffer.take(record.length).start;
        let data = at + record.data.start..at + record.data.end;
        self.packets += 1;
        self.last_time = record.time.unwrap_or(self.last_time);
        self.links.note(record.link);
        let captured = u32::try_from(data.len()).unwrap_or(u32::MAX);
        Head {
            time: self.last_time,
            wire_bytes: record.wire_bytes.max(captured),
            interface: record.interface,
            link: record.link,
            data,
        }
    }

    /// Refills the buffer; false at a clean end of the capture.
    fn fill(&mut self, needed: usize) -> Result<bool, CaptureError> {
        let longest = self.longest_record;
        if needed > longest {
            let reason = format!("a packet or block claims {needed} bytes, more than {longest}");
            return Err(self.place().error(ProblemKind::Broken, reason));
        }
        if let Err(error) = self.buffer.fill(needed) {
            return Err(self.place().read_error(&error));
        }
        let there = self.buffer.available().len();
        if there >= needed {
            return Ok(true);
        }
        if there == 0 && self.at_boundary() {
            return Ok(false);
        }
        let reason = format!("the capture is cut off: {there} of {needed} bytes are there");
        Err(self.place().error(ProblemKind::Cut, reason))
    }

    /// Whether a capture may end here: anywhere between records, but not before the file header.
    fn at_boundary(&self) -> bool {
        self.buffer.offset() > 0
    }

    /// A pcap file says once and for all which link type it has, so that it can be refused at once.
    fn check_link(&self) -> Result<(), CaptureError> {
        match &self.format {
            Format::Pcap(pcap) => match pcap.link() {
                Some(link) if !link.is_supported() => Err(self.unsupported(link)),
                _ => Ok(()),
            },
            Format::PcapNg(_) => Ok(()),
        }
    }

    fn unsupported(&self, link: LinkType) -> CaptureError {
        self.place().error(ProblemKind::UnsupportedLink, format!("link type {link} is not supported"))
    }

    fn place(&self) -> Place<'_> {
        Place { capture: &self.name, offset: self.buffer.offset(), packets: self.packets }
    }
}

impl Links {
    #[inline]
    fn note(&mut self, link: LinkType) {
        if link.is_supported() {
            self.supported = true;
        } else {
            self.unsupported.get_or_insert(link);
        }
    }

    /// The link type to refuse the capture for: every packet had one that is not supported.
    fn verdict(&self) -> Option<LinkType> {
        self.unsupported.filter(|_| !self.supported)
    }
}

/// A place in a capture, for errors.
struct Place<'a> {
    capture: &'a str,
    offset: u64,
    packets: u64,
}

impl Place<'_> {
    fn error(&self, kind: ProblemKind, reason: String) -> CaptureError {
        let Self { capture, offset, packets } = *self;
        CaptureError { capture: capture.to_owned(), kind, offset, packets, reason }
    }

    fn read_error(&self, error: &io::Error) -> CaptureError {
        let from_source = error.get_ref().and_then(|inner| inner.downcast_ref::<SourceError>()).is_some();
        match error.kind() {
            _ if from_source => self.error(ProblemKind::Unreadable, error.to_string()),
            io::ErrorKind::OutOfMemory => self.error(ProblemKind::Unreadable, error.to_string()),
            io::ErrorKind::UnexpectedEof => {
                self.error(ProblemKind::Cut, "the compressed stream is cut off".to_owned())
            }
            _ => self.error(ProblemKind::Broken, format!("the compressed stream is damaged: {error}")),
        }
    }
}

fn decompress_counted(raw: ByteStream, count: Arc<AtomicU64>) -> io::Result<ByteStream> {
    compression::decompress(Box::new(Counted::new(raw, count)))
}

fn unreadable(capture: &str, error: &io::Error) -> CaptureError {
    Place { capture, offset: 0, packets: 0 }.error(ProblemKind::Unreadable, error.to_string())
}

fn not_a_capture(capture: &str, start: &[u8]) -> CaptureError {
    let reason = if start.is_empty() {
        "the file is empty".to_owned()
    } else if let Some(ForeignFile { name, advice, .. }) = ForeignFile::of(start) {
        format!("this is {name}, not a capture: {advice}")
    } else {
        let magic: Vec<String> = start.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        format!("unknown capture format: it starts with {}", magic.join(" "))
    };
    Place { capture, offset: 0, packets: 0 }.error(ProblemKind::NotACapture, reason)
}
