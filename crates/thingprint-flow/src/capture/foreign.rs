use std::io::Read;

use super::compression::decompress;
use super::source::ByteStream;

/// Bytes that show what a file is which is not a capture: the mark of a tar archive stands behind its first header.
pub(super) const MARK_BYTES: usize = 512;

/// A kind of file that is often given in place of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignFile {
    /// What it is, with its article.
    pub name: &'static str,
    /// What to do with it.
    pub advice: &'static str,
    /// Whether captures may be inside.
    pub is_archive: bool,
}

/// What a stream is that does not begin as a capture does; `None` where that is unknown, or it cannot be read.
pub fn foreign_file(stream: ByteStream) -> Option<ForeignFile> {
    let mut start = Vec::with_capacity(MARK_BYTES);
    let bytes = decompress(stream).ok()?;
    bytes.take(MARK_BYTES as u64).read_to_end(&mut start).ok()?;
    ForeignFile::of(&start)
}

impl ForeignFile {
    /// The kind of a file that begins with these bytes, uncompressed.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        Self::archive(start)
            .or_else(|| Self::own(start))
            .or_else(|| Self::text(start))
            .or_else(|| Self::trace(start))
    }

    /// Files that this program writes, or reads at another place.
    fn own(start: &[u8]) -> Option<Self> {
        let text = start.trim_ascii_start();
        let has = |needle: &[u8]| start.windows(needle.len()).any(|window| window == needle);
        let (name, advice) = if start.starts_with(b"\x89TPM") {
            ("a model", "give it with --model to classify, compare, report or watch")
        } else if start.starts_with(b"TPRTPART") {
            ("a part of captures", "put parts together with merge")
        } else if start.starts_with(b"SQLite format 3\0") {
            ("a database of SQLite", "a store of watch is for store, compare and report --baseline")
        } else if start.starts_with(b"PAR1") {
            ("a table as Parquet", "train, evaluate, classify and compare read instances")
        } else if text.starts_with(b"mac,") && has(b"label") {
            ("a label file", "give it with --labels")
        } else if text.starts_with(b"device,") {
            ("a table as CSV", "train, evaluate, classify and compare read instances")
        } else if text.starts_with(b"{\"device\"") || text.starts_with(b"[{\"device\"") {
            ("a table as JSON", "train, evaluate, classify and compare read instances")
        } else if text.starts_with(b"{") && has(b"ietf-mud:mud") {
            ("a MUD profile", "give it with --mud to audit or mud export")
        } else if text.starts_with(b"<!doctype html") || text.starts_with(b"<!DOCTYPE html") {
            ("a page of HTML", "give what the page was made of")
        } else {
            return None;
        };
        Some(Self { name, advice, is_archive: false })
    }

    fn archive(start: &[u8]) -> Option<Self> {
        let name = match start {
            [b'P', b'K', 3, 4, ..] => "a ZIP archive",
            [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => "a 7z archive",
            [b'R', b'a', b'r', b'!', 0x1a, 0x07, ..] => "a RAR archive",
            _ if start.get(257..262) == Some(b"ustar") => "a tar archive",
            _ => return None,
        };
        Some(Self { name, advice: "extract the captures from it first", is_archive: true })
    }

    fn text(start: &[u8]) -> Option<Self> {
        let text = start.trim_ascii_start();
        let has = |needle: &[u8]| start.windows(needle.len()).any(|window| window == needle);
        let begins = |object: &[u8]| text.starts_with(object);
        let (name, advice) = if begins(b"#separator") {
            ("a Zeek log", "give the capture that Zeek read; extract --from zeek makes instances of logs")
        } else if begins(b"{\"ts\"") && (has(b"\"uid\"") || has(b"\"id.orig_h\"")) {
            (
                "a Zeek log in JSON",
                "give the capture that Zeek read; extract --from zeek makes instances of logs",
            )
        } else if begins(b"{") && has(b"\"event_type\"") {
            (
                "an EVE log of Suricata",
                "give the capture that Suricata read, or its pcap-log; extract --from eve makes instances of logs",
            )
        } else if begins(b"[") && has(b"\"_index\"") && has(b"packets-") {
            ("a JSON export of Wireshark", "save the capture itself (File, Save As), or use tshark -w")
        } else if begins(b"<?xml") && has(b"<pdml") {
            ("a PDML export of Wireshark", "save the capture itself (File, Save As), or use tshark -w")
        } else if begins(b"No.,") || begins(b"\"No.\",") {
            ("a CSV export of Wireshark", "save the capture itself (File, Save As), or use tshark -w")
        } else {
            return None;
        };
        Some(Self { name, advice, is_archive: false })
    }

    fn trace(start: &[u8]) -> Option<Self> {
        let name = match start {
            [b's', b'n', b'o', b'o', b'p', 0, 0, 0, ..] => "a snoop capture",
            [b'G', b'M', b'B', b'U', ..] => "a capture of Microsoft Network Monitor",
            [b'X', b'C', b'P', 0, ..] => "a capture of NetXRay or Sniffer",
            [b'T', b'R', b'S', b'N', b'I', b'F', b'F', ..] => "a Sniffer capture",
            _ => return None,
        };
        Some(Self { name, advice: "convert it first: editcap -F pcapng FILE FILE.pcapng", is_archive: false })
    }
}
