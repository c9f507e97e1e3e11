//! Capture files to frames, in the order of a trace.

mod block;
mod buffer;
mod clock;
mod compression;
mod doubt;
mod edge;
mod foreign;
mod format;
mod frame_reader;
mod hash;
mod link;
mod merge;
mod pcap;
mod pcapng;
mod reader;
mod sniff;
mod sorted;
mod source;
mod source_clocks;
mod time_unit;
mod timed;
mod trace;
mod writer;

pub use block::Block;
pub use compression::{decompress, is_compressed};
pub use edge::{BelievedFrame, EdgeFrame, SettledEdges, TimeEdges};
pub use foreign::{ForeignFile, foreign_file};
pub use frame_reader::FrameReader;
pub use hash::ContentHash;
pub use link::LinkType;
pub use sniff::is_capture;
pub use source::{ByteStream, Capture};
pub use source_clocks::SourceClocks;
pub use trace::{PlacedPacket, Trace, TraceOptions};
pub use writer::CaptureWriter;
