use super::{Head, length16};

/// The connection ids of a QUIC connection, eight bytes each.
pub(crate) struct Ids {
    pub(crate) device: [u8; 8],
    pub(crate) server: [u8; 8],
}

impl Ids {
    /// The head of an Initial packet of version 1 that fills `bytes` (RFC 9000 §17.2.2). What follows is noise: it
    /// looks encrypted, but no key opens it.
    pub(crate) fn initial(&self, up: bool, bytes: usize) -> Head {
        let mut head = self.long(0xc0, up);
        head.push(0);
        Self::finish(head, bytes)
    }

    /// The head of a Handshake packet that fills `bytes` (§17.2.4).
    pub(crate) fn handshake(&self, up: bool, bytes: usize) -> Head {
        Self::finish(self.long(0xe0, up), bytes)
    }

    /// The head of a packet with a short header (§17.3.1): fixed bit and the receiver's connection id.
    pub(crate) fn short(&self, up: bool) -> Head {
        let mut head = vec![0x40];
        head.extend_from_slice(if up { &self.server } else { &self.device });
        Head::Bytes(head.into_boxed_slice())
    }

    fn long(&self, first: u8, up: bool) -> Vec<u8> {
        let [to, from] = if up { [&self.server, &self.device] } else { [&self.device, &self.server] };
        let mut head = vec![first, 0, 0, 0, 1, 8];
        head.extend_from_slice(to);
        head.push(8);
        head.extend_from_slice(from);
        head
    }

    /// Adds the length of the rest, as a variable-length integer of two bytes (§16).
    fn finish(mut head: Vec<u8>, bytes: usize) -> Head {
        let rest = bytes.saturating_sub(head.len() + 2);
        head.extend_from_slice(&(0x4000 | length16(rest).min(0x3fff)).to_be_bytes());
        Head::Bytes(head.into_boxed_slice())
    }
}
