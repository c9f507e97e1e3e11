use serde::Serialize;

use super::json;

/// An NTP packet (RFC 5905 §7.3), of any version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NtpPacket {
    /// Leap indicator, 0 to 3.
    pub leap: u8,
    /// Version number, 1 to 4.
    pub version: u8,
    /// Association mode, 0 to 5; 0 only of version 1, which had no modes.
    pub mode: u8,
    /// Stratum.
    pub stratum: u8,
    /// Poll interval, log2 seconds.
    pub poll: i8,
    /// Precision, log2 seconds.
    pub precision: i8,
    /// Reference identifier.
    #[serde(serialize_with = "json::hex")]
    pub reference_id: [u8; 4],
    /// Origin time stamp, 32.32 fixed point since 1900.
    #[serde(serialize_with = "json::time_stamp")]
    pub origin: u64,
    /// Receive time stamp.
    #[serde(serialize_with = "json::time_stamp")]
    pub receive: u64,
    /// Transmit time stamp.
    #[serde(serialize_with = "json::time_stamp")]
    pub transmit: u64,
    /// Whether an extension field of Network Time Security follows (RFC 8915 §5): the time is authenticated.
    pub is_nts: bool,
}

impl NtpPacket {
    /// Whether this asks for the time: mode 3 (client), or mode 1 (symmetric active).
    pub const fn is_request(&self) -> bool {
        matches!(self.mode, 1 | 3)
    }
}

/// An NTP message that controls or asks about a server: mode 6 (RFC 9327 §2), or the private mode 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NtpControl {
    /// Version number, 1 to 4.
    pub version: u8,
    /// 6 or 7.
    pub mode: u8,
    /// Whether this answers a request.
    pub is_response: bool,
    /// What is asked: the operation code of mode 6 (RFC 9327 §2), the request code of mode 7 (42 is `monlist`).
    pub opcode: u8,
}
