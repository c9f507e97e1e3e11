use std::net::IpAddr;

/// An IP header, read, with what it carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network<'a> {
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    pub(super) ttl: u8,
    pub(super) tos: u8,
    /// Whether the packet may not be fragmented, and whether it has no identification.
    pub(super) is_unfragmentable: bool,
    pub(super) is_unidentified: bool,
    /// IP total length by the header.
    pub(super) total_bytes: u32,
    /// Length of the frame on the wire; of a datagram put together, of all its frames.
    pub(super) wire_bytes: u32,
    pub(super) body: Body<'a>,
    /// Set when the body is a part of a datagram.
    pub(super) fragment: Option<Fragment>,
    /// Whether the packet claims to be longer than what was captured.
    pub(super) is_cut: bool,
}

/// What an IP packet carries after its headers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body<'a> {
    /// IP protocol number of what comes first.
    pub(super) protocol: u8,
    /// The bytes as far as captured; never more than `length`.
    pub(super) captured: &'a [u8],
    /// The length by the headers.
    pub(super) length: usize,
}

/// Where a fragment belongs in its datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    pub(super) id: u32,
    /// Offset in bytes.
    pub(super) offset: usize,
    /// Whether other fragments follow it.
    pub(super) more: bool,
}

impl<'a> Body<'a> {
    /// The body that starts at `bytes` and has `length` bytes by its headers.
    pub(super) fn new(protocol: u8, bytes: &'a [u8], length: usize) -> Self {
        Self { protocol, captured: bytes.get(..length).unwrap_or(bytes), length }
    }
}
