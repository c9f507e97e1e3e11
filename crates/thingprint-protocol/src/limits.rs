use serde::{Deserialize, Serialize};

/// Caps on what is remembered and looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes at the start of each direction of a TCP stream within which a TLS hello and a server's certificates have to
    /// lie, and the longest DNS message over TCP and head of an HTTP message that are read.
    pub stream_bytes: u16,
    /// Bytes at the start of each direction of a TCP stream in which patterns are looked for.
    pub pattern_bytes: u16,
    /// Pieces of a direction of a TCP stream that may wait for the bytes before them.
    pub pending_segments: u8,
    /// UDP payloads of a flow that may fail to identify a protocol before the flow is ignored.
    pub undecided_payloads: u8,
    /// Bytes that may be kept over all flows.
    pub buffered_bytes: usize,
    /// Bytes of messages that a [`MessageCollector`](crate::MessageCollector) remembers over all flows; DNS answers beyond them
    /// have an eighth as many.
    pub message_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stream_bytes: 16 << 10,
            pattern_bytes: 2 << 10,
            pending_segments: 64,
            undecided_payloads: 8,
            buffered_bytes: 64 << 20,
            message_bytes: 256 << 20,
        }
    }
}
