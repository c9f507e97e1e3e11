use std::borrow::Cow;
use std::convert::Infallible;

use thingprint_flow::{
    DeviceFrame, DeviceId, DeviceIndex, DeviceLosses, DevicePacket, Flow, Observer, Timestamp, WindowIndex,
};
use thingprint_instance::{Inventory, InventoryRecord};
use thingprint_pipeline::{End, Stage};
use thingprint_protocol::{DetectedProtocol, Engine, Interest, Message, MessageContext, MessageObserver};

/// Lists the devices as an inventory does, notes which of them were seen since it was asked last, and forgets those that
/// fell silent.
#[derive(Debug)]
pub struct Sightings {
    inventory: Inventory,
    devices: Vec<Seen>,
    /// Devices that were seen since they were taken last.
    changed: Vec<DeviceIndex>,
    /// Devices with their first packets in a window, since they were taken last.
    begun: Vec<Begun>,
}

/// A device has its first packet in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Begun {
    /// The device.
    pub(crate) device: DeviceId,
    /// Its index in the shard.
    pub(crate) index: DeviceIndex,
    /// The window.
    pub(crate) window: WindowIndex,
    /// Time of the packet.
    pub(crate) first: Timestamp,
    /// Whether somebody had answered the device.
    pub(crate) is_established: bool,
}

/// When a device was seen.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    id: Option<DeviceId>,
    times: Option<(Timestamp, Timestamp)>,
    window: Option<WindowIndex>,
    is_changed: bool,
    is_established: bool,
}

/// A device that was seen.
#[derive(Debug)]
pub(crate) struct SeenDevice {
    /// What an inventory has of it.
    pub(crate) record: InventoryRecord,
    /// Times of the first and of the last frame that it sent.
    pub(crate) times: (Timestamp, Timestamp),
    /// Whether somebody answered it.
    pub(crate) is_established: bool,
}

impl Sightings {
    fn new(engine: &Engine) -> Self {
        Self {
            inventory: Inventory::new(engine),
            devices: Vec::new(),
            changed: Vec::new(),
            begun: Vec::new(),
        }
    }

    /// The devices that sent a frame since they were taken last.
    pub(crate) fn take_changed(&mut self) -> Vec<DeviceIndex> {
        for device in &self.changed {
            if let Some(seen) = self.devices.get_mut(device.as_usize()) {
                seen.is_changed = false;
            }
        }
        std::mem::take(&mut self.changed)
    }

    /// The devices that sent their first packet in a window since they were taken last.
    pub(crate) fn take_begun(&mut self) -> Vec<Begun> {
        std::mem::take(&mut self.begun)
    }

    /// The id and the times of a device that sent anything.
    pub(crate) fn seen(&self, device: DeviceIndex) -> Option<(DeviceId, (Timestamp, Timestamp))> {
        let seen = self.devices.get(device.as_usize())?;
        Some((seen.id?, seen.times?))
    }

    /// All that is known of a device that sent anything.
    pub(crate) fn device(&self, device: DeviceIndex) -> Option<SeenDevice> {
        let (_, times) = self.seen(device)?;
        let is_established = self.devices.get(device.as_usize()).is_some_and(|seen| seen.is_established);
        Some(SeenDevice { record: self.inventory.record(device)?, times, is_established })
    }

    fn see(&mut self, device: DeviceIndex, (window, time): (WindowIndex, Timestamp)) {
        let Some(seen) = self.devices.get_mut(device.as_usize()) else { return };
        let (first, last) = seen.times.get_or_insert((time, time));
        (*first, *last) = ((*first).min(time), (*last).max(time));
        if !seen.is_changed {
            seen.is_changed = true;
            self.changed.push(device);
        }
        if seen.window.is_none_or(|before| before < window) {
            seen.window = Some(window);
            let is_established = seen.is_established;
            let begun =
                seen.id.map(|id| Begun { device: id, index: device, window, first: time, is_established });
            self.begun.extend(begun);
        }
    }
}

impl Observer for Sightings {
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
        self.devices[at] = Seen { id: Some(id), ..Seen::default() };
        self.inventory.device(device, id);
    }

    fn established(&mut self, device: DeviceIndex) {
        self.inventory.established(device);
        if let Some(seen) = self.devices.get_mut(device.as_usize()) {
            seen.is_established = true;
        }
    }

    fn packet(&mut self, packet: &DevicePacket<'_, '_>, (): &mut ()) {
        self.inventory.packet(packet, &mut ());
        if packet.is_sent {
            self.see(packet.device, (packet.window, packet.packet.time));
        }
    }

    fn frame(&mut self, frame: &DeviceFrame<'_, '_>) {
        self.inventory.frame(frame);
        if frame.is_sent {
            self.see(frame.device, (frame.window, frame.packet.time));
        }
    }

    fn flow(&mut self, flow: Flow<()>) {
        self.inventory.flow(flow);
    }

    fn forget(&mut self, device: DeviceIndex) {
        self.inventory.forget(device);
        if let Some(seen) = self.devices.get_mut(device.as_usize()) {
            *seen = Seen::default();
        }
    }
}

impl MessageObserver for Sightings {
    fn interest(&self) -> Interest {
        self.inventory.interest()
    }

    fn message(&mut self, message: Cow<'_, Message>, context: &MessageContext<'_, '_>, (): &mut ()) {
        self.inventory.message(message, context, &mut ());
    }

    fn detected(&mut self, flow: Flow<()>, detection: DetectedProtocol) {
        self.inventory.detected(flow, detection);
    }
}

/// Notes which devices are seen; rows are none.
#[derive(Clone, Copy, Debug, Default)]
pub struct SightingStage;

impl Stage for SightingStage {
    type Observer = Sightings;
    type Row = Infallible;
    type Rest = ();
    type Key = ();

    fn observer(&self, engine: &Engine) -> Sightings {
        Sightings::new(engine)
    }

    fn take(&self, _: &mut Sightings) -> Vec<Infallible> {
        Vec::new()
    }

    fn order(&self, row: &Infallible) -> (Timestamp, ()) {
        match *row {}
    }

    fn device(&self, row: &Infallible) -> Option<DeviceId> {
        match *row {}
    }

    fn left_out(&self, observer: &Sightings) -> DeviceLosses {
        observer.inventory.left_out()
    }

    fn finish(&self, _: Sightings, _: &End) {}
}
