use std::borrow::Cow;
use std::convert::Infallible;

use thingprint_flow::{DeviceFrame, DeviceId, DeviceIndex, DevicePacket, Observer, Timestamp, WindowIndex};
use thingprint_protocol::{Engine, Interest, Message, MessageContext, MessageObserver};

use crate::stage::{End, Stage};

/// Notes the first packet that each device sends in each window; rows are none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FirstPacketStage;

/// The first packets of devices in windows.
#[derive(Debug, Default)]
pub(crate) struct FirstPackets {
    devices: Vec<Seen>,
    begun: Vec<FirstPacket>,
}

/// A device sends its first packet in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FirstPacket {
    /// The device.
    pub(crate) device: DeviceId,
    /// Its index in the shard.
    pub(crate) index: DeviceIndex,
    /// The window.
    pub(crate) window: WindowIndex,
    /// Time of the packet.
    pub(crate) time: Timestamp,
}

/// A device, and the last window in which it sent anything.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    id: Option<DeviceId>,
    window: Option<WindowIndex>,
}

impl FirstPackets {
    /// The first packets since they were taken last.
    pub(crate) fn take(&mut self) -> Vec<FirstPacket> {
        std::mem::take(&mut self.begun)
    }

    #[inline]
    fn see(&mut self, index: DeviceIndex, (window, time): (WindowIndex, Timestamp)) {
        let Some(seen) = self.devices.get_mut(index.as_usize()) else { return };
        if seen.window.is_none_or(|before| before < window) {
            seen.window = Some(window);
            let first = seen.id.map(|device| FirstPacket { device, index, window, time });
            self.begun.extend(first);
        }
    }
}

impl Observer for FirstPackets {
    type State = ();

    const WANTS_FRAMES: bool = true;
    const FORGETS: bool = true;

    fn begin_segment(&mut self) {
        // Windows of earlier times may begin again.
        self.devices.iter_mut().for_each(|seen| seen.window = None);
    }

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        let at = device.as_usize();
        if self.devices.len() <= at {
            self.devices.resize(at + 1, Seen::default());
        }
        self.devices[at] = Seen { id: Some(id), window: None };
    }

    #[inline]
    fn packet(&mut self, packet: &DevicePacket<'_, '_>, (): &mut ()) {
        if packet.is_sent {
            self.see(packet.device, (packet.window, packet.packet.time));
        }
    }

    fn frame(&mut self, frame: &DeviceFrame<'_, '_>) {
        if frame.is_sent {
            self.see(frame.device, (frame.window, frame.packet.time));
        }
    }

    fn forget(&mut self, device: DeviceIndex) {
        if let Some(seen) = self.devices.get_mut(device.as_usize()) {
            *seen = Seen::default();
        }
    }
}

impl MessageObserver for FirstPackets {
    fn interest(&self) -> Interest {
        Interest::NONE
    }

    fn message(&mut self, _: Cow<'_, Message>, _: &MessageContext<'_, '_>, (): &mut ()) {}
}

impl Stage for FirstPacketStage {
    type Observer = FirstPackets;
    type Row = Infallible;
    type Rest = ();
    type Key = ();

    fn observer(&self, _: &Engine) -> FirstPackets {
        FirstPackets::default()
    }

    fn take(&self, _: &mut FirstPackets) -> Vec<Infallible> {
        Vec::new()
    }

    fn order(&self, row: &Infallible) -> (Timestamp, ()) {
        match *row {}
    }

    fn device(&self, row: &Infallible) -> Option<DeviceId> {
        match *row {}
    }

    fn finish(&self, _: FirstPackets, _: &End) {}
}
