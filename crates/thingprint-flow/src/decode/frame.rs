use crate::{LinkType, Timestamp};

/// One frame as it was captured, not looked into yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame<'a> {
    /// When it was captured.
    pub time: Timestamp,
    /// What it begins with.
    pub link: LinkType,
    /// Its length on the wire, in bytes.
    pub wire_bytes: u32,
    /// Its bytes as far as they were captured.
    pub bytes: &'a [u8],
    /// Whether the clock stepped back before it: the trace begins anew with a time of its own.
    pub begins_segment: bool,
}
