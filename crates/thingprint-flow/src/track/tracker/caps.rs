//! The devices of a tracker, and what it lets go of where a cap is exceeded.

use super::Tracker;
use crate::track::device::{Found, Known};
use crate::track::device_losses::LossKind;
use crate::track::flow::FlowEnd;
use crate::track::key::DevicePacket;
use crate::track::observer::Observer;
use crate::{DeviceId, Timestamp};

impl<O: Observer> Tracker<O> {
    #[inline]
    pub(super) fn device(&mut self, id: DeviceId, now: Timestamp) -> Option<Known> {
        match self.devices.find(id, now) {
            Found::Known(known) => Some(known),
            Found::New(device) => {
                self.observer.device(device, id);
                Some(Known { device, is_established: false })
            }
            Found::Dropped => None,
        }
    }

    /// A device was answered in a flow: it is established, unless the peer is a device that was heard only once.
    #[cold]
    pub(super) fn note_answer(&mut self, view: &DevicePacket<'_, '_>) {
        let Some(own) = self.devices.ids().get(view.device.as_usize()).copied() else { return };
        let Some(peer) = self.identifier.peer_of(own, view.packet, view.ip) else { return };
        let is_known = peer.is_none_or(|peer| self.answerers.hear(peer));
        if is_known && self.devices.establish(view.device) {
            self.observer.established(view.device);
        }
    }

    pub(super) fn make_room(&mut self, position: usize) {
        let Some((_, clock)) = self.span else { return };
        let Some(window) = self.windows.get_mut(position) else { return };
        for (flow, why) in window.table.evict(clock, self.options.ending) {
            if why == FlowEnd::Evicted {
                self.counts.flows_evicted += 1;
                if let Some(id) = self.devices.ids().get(flow.key.device.as_usize()) {
                    self.left_out.add(*id, LossKind::FLOWS, 1);
                }
            }
            self.observer.flow(self.devices.mark(flow.close(window.index, why, clock)));
        }
    }
}
