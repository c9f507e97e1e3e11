use thingprint_flow::{Copies, Identity, LinkEvidence, PlacedPacket};

/// What the first frames of a trace show of the way in which it was captured.
#[derive(Debug, Default)]
pub(crate) struct FirstFrames {
    links: LinkEvidence,
    copies: Copies,
}

impl FirstFrames {
    /// Takes a frame.
    pub(crate) fn observe(&mut self, next: &PlacedPacket<'_>) {
        self.links.observe(&next.packet);
        self.copies.is_copy(&next.frame);
    }

    /// Conversations of which both directions were seen.
    pub(crate) const fn two_way(&self) -> u64 {
        self.links.two_way()
    }

    /// What identifies a device.
    pub(crate) const fn identity(&self) -> Identity {
        self.links.identity()
    }

    /// Copies of other packets, and the packets of which they are a part.
    pub(crate) const fn copies(&self) -> (u64, u64) {
        self.copies.share()
    }
}
