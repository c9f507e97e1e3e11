use std::borrow::Cow;
use std::convert::Infallible;

use thingprint_flow::{
    DeviceFrame, DeviceId, DeviceIndex, DeviceLosses, DevicePacket, Flow, Observer, Timestamp,
};
use thingprint_identity::{FlowDocument, IdentityObserver, Statements};
use thingprint_pipeline::{End, IdentityStage, Stage};
use thingprint_protocol::{DetectedProtocol, Engine, Interest, Message, MessageContext, MessageObserver};

/// Notes what devices say of themselves, and forgets those that fell silent: who they are is remembered elsewhere.
#[derive(Debug)]
pub struct Speech(IdentityObserver);

impl Speech {
    /// What a device said so far, with a number that is another one when anything was added; `None` if it said nothing.
    pub(crate) fn heard(&self, device: DeviceIndex) -> Option<(u64, &Statements)> {
        self.0.heard(device)
    }
}

impl Observer for Speech {
    type State = FlowDocument;

    const WANTS_FRAMES: bool = true;
    const FORGETS: bool = true;

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        self.0.device(device, id);
    }

    fn established(&mut self, device: DeviceIndex) {
        self.0.established(device);
    }

    fn packet(&mut self, packet: &DevicePacket<'_, '_>, state: &mut FlowDocument) {
        self.0.packet(packet, state);
    }

    fn frame(&mut self, frame: &DeviceFrame<'_, '_>) {
        self.0.frame(frame);
    }

    fn flow(&mut self, flow: Flow<FlowDocument>) {
        self.0.flow(flow);
    }

    fn continue_flow(&mut self, state: &mut FlowDocument) -> FlowDocument {
        self.0.continue_flow(state)
    }

    fn abandon_flow(&mut self, device: DeviceIndex, state: FlowDocument) {
        self.0.abandon_flow(device, state);
    }

    fn forget(&mut self, device: DeviceIndex) {
        self.0.forget(device);
    }
}

impl MessageObserver for Speech {
    fn interest(&self) -> Interest {
        self.0.interest()
    }

    fn message(
        &mut self,
        message: Cow<'_, Message>,
        context: &MessageContext<'_, '_>,
        state: &mut FlowDocument,
    ) {
        self.0.message(message, context, state);
    }

    fn detected(&mut self, flow: Flow<FlowDocument>, detection: DetectedProtocol) {
        self.0.detected(flow, detection);
    }
}

/// Notes what devices say of themselves; rows are none.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpeechStage(IdentityStage);

impl Stage for SpeechStage {
    type Observer = Speech;
    type Row = Infallible;
    type Rest = ();
    type Key = ();

    fn observer(&self, engine: &Engine) -> Speech {
        Speech(self.0.observer(engine))
    }

    fn take(&self, _: &mut Speech) -> Vec<Infallible> {
        Vec::new()
    }

    fn order(&self, row: &Infallible) -> (Timestamp, ()) {
        match *row {}
    }

    fn device(&self, row: &Infallible) -> Option<DeviceId> {
        match *row {}
    }

    fn left_out(&self, observer: &Speech) -> DeviceLosses {
        observer.0.left_out()
    }

    fn finish(&self, _: Speech, _: &End) {}
}
