use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::DeflateDecoder;

/// Longest file that is read out of an archive.
const MOST_BYTES: u64 = 16 << 20;
/// Ends of the central directory are looked for behind this, at most: a comment may follow.
const MOST_COMMENT_BYTES: usize = 65_557;
/// Signatures (APPNOTE 6.3.10 §4.3): end of central directory, entry of it, local header.
const END: [u8; 4] = [b'P', b'K', 5, 6];
const ENTRY: [u8; 4] = [b'P', b'K', 1, 2];
const LOCAL: [u8; 4] = [b'P', b'K', 3, 4];
const ENTRY_BYTES: usize = 46;
const LOCAL_BYTES: usize = 30;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// Files of a Python wheel, which is a zip archive.
pub(super) struct Wheel<'a> {
    bytes: &'a [u8],
    entries: BTreeMap<String, Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    method: u16,
    packed_bytes: usize,
    at: usize,
}

impl<'a> Wheel<'a> {
    /// Reads the list of files; `None` if this is no archive.
    pub(super) fn open(bytes: &'a [u8]) -> Option<Self> {
        let start = bytes.len().saturating_sub(MOST_COMMENT_BYTES);
        let tail = bytes.get(start..)?;
        let end = start + tail.windows(END.len()).rposition(|window| window == END)?;
        let (count, mut at) = (u16_at(bytes, end + 10)?, u32_at(bytes, end + 16)? as usize);
        let mut entries = BTreeMap::new();
        for _ in 0..count {
            let (name, entry, next) = entry(bytes, at)?;
            entries.insert(name, entry);
            at = next;
        }
        Some(Self { bytes, entries })
    }

    /// Names of the files, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// A file as text; `None` if there is no such file, or it cannot be read.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let Entry { method, packed_bytes, at } = *self.entries.get(name)?;
        if self.bytes.get(at..at + LOCAL.len())? != LOCAL {
            return None;
        }
        let data_at = at
            + LOCAL_BYTES
            + usize::from(u16_at(self.bytes, at + 26)?)
            + usize::from(u16_at(self.bytes, at + 28)?);
        let data = self.bytes.get(data_at..)?.get(..packed_bytes)?;
        let mut text = String::new();
        match method {
            STORED => data.take(MOST_BYTES).read_to_string(&mut text).ok()?,
            DEFLATED => DeflateDecoder::new(data).take(MOST_BYTES).read_to_string(&mut text).ok()?,
            _ => return None,
        };
        Some(text)
    }
}

/// An entry of the central directory, and where the next one stands.
fn entry(bytes: &[u8], at: usize) -> Option<(String, Entry, usize)> {
    let head = bytes.get(at..)?.get(..ENTRY_BYTES)?;
    if !head.starts_with(&ENTRY) {
        return None;
    }
    let length = |at: usize| u16_at(head, at).map(usize::from);
    let (name_bytes, extra_bytes, comment_bytes) = (length(28)?, length(30)?, length(32)?);
    let name = bytes.get(at + ENTRY_BYTES..)?.get(..name_bytes)?;
    let entry = Entry {
        method: u16_at(head, 10)?,
        packed_bytes: u32_at(head, 20)? as usize,
        at: u32_at(head, 42)? as usize,
    };
    let next = at + ENTRY_BYTES + name_bytes + extra_bytes + comment_bytes;
    Some((String::from_utf8_lossy(name).into_owned(), entry, next))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}
