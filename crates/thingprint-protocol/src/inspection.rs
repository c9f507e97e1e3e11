use crate::phase::Phase;
use crate::waiting::Waiting;
use crate::{Budget, Protocol, Sender};

/// What is remembered between the payloads of one flow; the default is the state of a new flow.
///
/// It rides in every flow of a big table, so it is small: whatever needs room is boxed, and freed once read.
#[derive(Debug, Default)]
pub struct Inspection {
    /// Sequence number of the first byte of each direction that counts: the stream's start, or for DNS the next frame's.
    pub(crate) start: Sides<u32>,
    /// Bytes from there that are read for good.
    pub(crate) taken: Sides<u16>,
    /// How far each direction of a TCP stream is.
    pub(crate) phase: Sides<Phase>,
    pub(crate) protocol: Option<Protocol>,
    /// Payloads that told nothing: UDP payloads without a message, TCP segments far from where they could be used.
    pub(crate) strays: u8,
    pub(crate) waiting: Option<Box<Sides<Waiting>>>,
}

/// One value for each direction of a flow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sides<T> {
    device: T,
    peer: T,
}

impl Inspection {
    /// The protocol of the flow, once a message of it was read.
    pub const fn protocol(&self) -> Option<Protocol> {
        self.protocol
    }

    /// What goes on with the flow when it is cut in two: everything but the protocol, which both parts keep.
    #[must_use]
    pub fn go_on(&mut self) -> Self {
        let protocol = self.protocol;
        let next = std::mem::take(self);
        self.protocol = protocol;
        next
    }

    /// Gives back what the flow still holds; to be called when the flow ends.
    pub fn close(&mut self, budget: &mut Budget) {
        self.finish(Sender::Device, budget);
        self.finish(Sender::Peer, budget);
    }

    /// Forgets everything, for a new connection between the same ports.
    pub(crate) fn restart(&mut self, budget: &mut Budget) {
        self.close(budget);
        *self = Self::default();
    }

    /// Wants nothing more from a direction of a TCP stream, and gives back what it holds.
    pub(crate) fn finish(&mut self, sender: Sender, budget: &mut Budget) {
        *self.phase.of_mut(sender) = Phase::Done;
        let Some(waiting) = &mut self.waiting else { return };
        waiting.of_mut(sender).clear(budget);
        self.free_if_idle();
    }

    /// Frees the box when nothing waits in it.
    pub(crate) fn free_if_idle(&mut self) {
        if self.waiting.as_ref().is_some_and(|sides| sides.device.is_empty() && sides.peer.is_empty()) {
            self.waiting = None;
        }
    }
}

impl<T> Sides<T> {
    /// The value of the direction from `sender`.
    pub(crate) const fn of(&self, sender: Sender) -> &T {
        match sender {
            Sender::Device => &self.device,
            Sender::Peer => &self.peer,
        }
    }

    /// The value of the direction from `sender`, to change.
    pub(crate) const fn of_mut(&mut self, sender: Sender) -> &mut T {
        match sender {
            Sender::Device => &mut self.device,
            Sender::Peer => &mut self.peer,
        }
    }
}
