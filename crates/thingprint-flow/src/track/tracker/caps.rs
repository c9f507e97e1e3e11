//! What a tracker lets go of where a cap is exceeded: the device that uses most pays.

use std::collections::BTreeMap;

use super::Tracker;
use crate::track::device::{DeviceIndex, Found, Known};
use crate::track::device_losses::LossKind;
use crate::track::flow::{FlowEnd, OpenFlow};
use crate::track::identify::Ends;
use crate::track::key::DevicePacket;
use crate::track::observer::Observer;
use crate::track::window::WindowIndex;
use crate::{DeviceId, Timestamp};

impl<O: Observer> Tracker<O> {
    /// The devices of a packet, which are remembered from now on.
    #[inline]
    pub(super) fn find_devices(&mut self, [sender, receiver]: Ends, now: Timestamp) -> [Option<Known>; 2] {
        let sender = sender.and_then(|id| self.find_device(id, now, None));
        let beside = sender.map(|known| known.device);
        [sender, receiver.and_then(|id| self.find_device(id, now, beside))]
    }

    /// A device; where there is no room for a new one, others are let go, but never the one `beside` it in the packet.
    #[inline]
    fn find_device(&mut self, id: DeviceId, now: Timestamp, beside: Option<DeviceIndex>) -> Option<Known> {
        match self.devices.find(id, now) {
            Found::Known(known) => Some(known),
            Found::New => self.add_device(id, now, beside),
        }
    }

    #[cold]
    fn add_device(&mut self, id: DeviceId, now: Timestamp, beside: Option<DeviceIndex>) -> Option<Known> {
        if self.devices.is_full() {
            self.make_room_for_devices(beside);
        }
        let device = self.devices.add(id, now)?;
        self.observer.device(device, id);
        Some(Known { device, is_established: false })
    }

    /// A device was answered in a flow: it is established, unless the peer is a device that was heard only once.
    #[cold]
    pub(super) fn note_answer(&mut self, view: &DevicePacket<'_, '_>) {
        let Some(own) = self.devices.id(view.device) else { return };
        let Some(peer) = self.identifier.peer_of(own, view.packet, view.ip) else { return };
        let is_known = peer.is_none_or(|peer| self.answerers.hear(peer));
        if is_known {
            self.devices.note_answer(view.device);
            self.flows.establish(view.device);
            self.carried_flows.establish(view.device);
            self.observer.established(view.device);
        }
    }

    /// Closes flows of the devices that have most until there is room in the table: those that were silent for longest.
    #[cold]
    pub(super) fn make_room(&mut self) {
        let mut owed = vec![0; self.devices.ids().len()];
        for (device, excess) in self.flows.excess() {
            if let Some(debt) = owed.get_mut(device.as_usize()) {
                *debt = excess;
            }
        }
        for at in 0..self.windows.len() {
            let Some(window) = self.windows.get_mut(at) else { return };
            let index = window.index;
            let mut lost: BTreeMap<DeviceIndex, u64> = BTreeMap::new();
            for flow in window.table.take_owed(&mut owed) {
                let device = flow.key.device;
                if self.close_early(index, flow) {
                    *lost.entry(device).or_default() += 1;
                }
            }
            for (device, flows) in lost {
                self.lose(device, LossKind::FLOWS, flows);
            }
        }
    }

    /// Closes a flow that was taken out of the table of a window; whether it is lost: one that is over is not.
    fn close_early(&mut self, window: WindowIndex, flow: OpenFlow<O::State>) -> bool {
        let Some((_, clock)) = self.span else { return false };
        self.flows.give_back(flow.key.device, 1);
        let is_over = flow.is_over(clock, self.options.ending);
        self.counts.flows_evicted += u64::from(!is_over);
        let why = if is_over { FlowEnd::Idle } else { FlowEnd::Evicted };
        self.observer.flow(self.devices.mark(flow.close(window, why, clock)));
        !is_over
    }

    /// Waits no more for the next packets of flows that were open when their window closed, until there is room: those of
    /// the devices that have most, and of these the ones that were silent for longest.
    pub(super) fn make_room_for_carried(&mut self) {
        let owed: BTreeMap<DeviceIndex, usize> = self.carried_flows.excess().into_iter().collect();
        if owed.is_empty() {
            return;
        }
        let of_debtors = self.carried.iter().filter(|(key, _)| owed.contains_key(&key.device));
        let mut order: Vec<_> = of_debtors.map(|(key, carried)| (carried.last, *key)).collect();
        order.sort_unstable_by_key(|(last, key)| (key.device, *last, key.tuple));
        let mut left = owed;
        for (_, key) in order {
            let Some(debt) = left.get_mut(&key.device).filter(|debt| **debt > 0) else { continue };
            *debt -= 1;
            if let Some(carried) = self.carried.remove(&key) {
                self.carried_flows.give_back(key.device, 1);
                self.lose(key.device, LossKind::CARRIED_FLOWS, 1);
                self.observer.abandon_flow(key.device, carried.state);
            }
        }
    }

    /// Forgets devices until there is room for others: first those that nobody answered, and of these the ones that were
    /// silent for longest.
    fn make_room_for_devices(&mut self, beside: Option<DeviceIndex>) {
        let least = self.devices.least(beside);
        let mut is_least = vec![false; self.devices.ids().len()];
        for device in &least {
            if let Some(is_least) = is_least.get_mut(device.as_usize()) {
                *is_least = true;
            }
        }
        let leaves = |device: DeviceIndex| is_least.get(device.as_usize()) == Some(&true);
        for at in 0..self.windows.len() {
            let Some(window) = self.windows.get_mut(at) else { return };
            let index = window.index;
            for flow in window.table.take_of(leaves) {
                let device = flow.key.device;
                if self.close_early(index, flow) {
                    self.lose_of_leaving(device, LossKind::FLOWS);
                }
            }
        }
        self.abandon_carried(|key, _| leaves(key.device));
        for device in least {
            self.counts.devices_evicted += 1;
            self.lose_of_leaving(device, LossKind::DEVICES);
            self.devices.remove(device);
            self.forget(device);
        }
    }

    /// Shows all flows to an observer whose caps are exceeded.
    #[cold]
    pub(super) fn relieve(&mut self) {
        for flow in self.windows.iter_mut().flat_map(|window| window.table.iter_mut()) {
            self.observer.relieve(flow.key.device, &mut flow.state);
        }
        if self.observer.is_pressed() {
            // The map has no order.
            let mut carried: Vec<_> = self.carried.iter_mut().collect();
            carried.sort_unstable_by_key(|(key, _)| (key.device, key.tuple));
            for (key, carried) in carried {
                self.observer.relieve(key.device, &mut carried.state);
            }
        }
        self.observer.relieved();
    }

    /// Forgets a device that has no flows.
    pub(super) fn forget(&mut self, device: DeviceIndex) {
        if !self.devices.is_established(device)
            && let Some(id) = self.devices.id(device)
        {
            self.left_out.fold(id);
        }
        self.flows.forget(device);
        self.carried_flows.forget(device);
        self.observer.forget(device);
    }

    /// Counts what is lost of a device that is about to be forgotten: if nobody answered it, it is not told apart then.
    fn lose_of_leaving(&mut self, device: DeviceIndex, kind: LossKind) {
        if self.devices.is_established(device) {
            self.lose(device, kind, 1);
        } else {
            self.left_out.add_other(kind, 1);
        }
    }

    fn lose(&mut self, device: DeviceIndex, kind: LossKind, count: u64) {
        if let Some(id) = self.devices.id(device) {
            self.left_out.add(id, kind, count);
        }
    }
}
