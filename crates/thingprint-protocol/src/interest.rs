use crate::{Protocol, Sender};

/// Whose messages of which protocols a caller wants.
///
/// It changes nothing about the messages that are wanted, and saves work for the others, which may come or not. A flow
/// whose protocol is known and of which nothing more is wanted costs no more than one that was left alone.
///
/// ```
/// use thingprint_protocol::{Engine, Interest, Protocol, Sender};
///
/// let lookups = Interest::NONE.and(Protocol::Dns, Sender::Device);
/// let engine = Engine::default().only(lookups);
/// # let _ = engine;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest {
    device: u64,
    peer: u64,
}

impl Interest {
    /// Every message.
    pub const ALL: Self = Self { device: u64::MAX, peer: u64::MAX };
    /// No message; protocols are detected all the same.
    pub const NONE: Self = Self { device: 0, peer: 0 };

    /// These, and the messages of a protocol from a sender.
    #[must_use]
    pub const fn and(mut self, protocol: Protocol, sender: Sender) -> Self {
        let bit = 1 << protocol as u64;
        match sender {
            Sender::Device => self.device |= bit,
            Sender::Peer => self.peer |= bit,
        }
        self
    }

    /// These messages, and those of another interest.
    #[must_use]
    pub const fn or(mut self, other: Self) -> Self {
        self.device |= other.device;
        self.peer |= other.peer;
        self
    }

    /// Whether messages of a protocol from a sender are wanted.
    pub(crate) const fn wants(self, protocol: Protocol, sender: Sender) -> bool {
        let wanted = match sender {
            Sender::Device => self.device,
            Sender::Peer => self.peer,
        };
        wanted >> protocol as u64 & 1 == 1
    }
}

const _: () = assert!((Protocol::Described as u32) < u64::BITS, "each protocol has a bit");
