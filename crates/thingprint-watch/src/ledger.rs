use std::sync::Arc;

use serde_json::{Map, Value};
use thingprint_flow::{DeviceId, Gateways, Timestamp};
use thingprint_instance::Instance;
use thingprint_model::{Acceptance, Model};

use crate::desk::Desk;
use crate::news;
use crate::options::WatchOptions;
use crate::records::{Account, EventKind, Severity};
use crate::resume::{Remembered, Resume};

/// Makes an [`Account`] of final windows that others formed: judges them, and reports what changed, as a
/// [`Watcher`](crate::Watcher) does with those that it forms itself.
///
/// There are no packets here. So addresses, host names and findings of an audit are missing.
pub struct Ledger {
    desk: Desk,
    gateways: Gateways,
}

impl Ledger {
    /// A ledger that goes on from an earlier one.
    pub fn new(options: &WatchOptions, resume: Resume) -> Self {
        let options = WatchOptions { can_replay: true, policy: None, ..options.clone() };
        let (desk, gateways) = Desk::new(&options, resume);
        Self { desk, gateways }
    }

    /// This model judges; without one nothing is judged.
    pub fn judge_by(&mut self, model: Option<(Arc<Model>, Acceptance)>) {
        self.desk.judge_by(model);
    }

    /// A device was given a label, or has none any more.
    pub fn label(&mut self, device: DeviceId, label: Option<String>) {
        self.desk.label(device, label);
    }

    /// Takes a final window of a device that was seen between these times. Windows come in the order of their starts.
    pub fn window(&mut self, instance: &Instance, times: (Timestamp, Timestamp)) {
        self.desk.collected(instance, times);
    }

    /// Packets are missing from one time to another: windows of then are cut.
    pub fn note_missing(&mut self, from: Timestamp, to: Timestamp) {
        self.desk.note_missing(from, to);
    }

    /// Every window that ends by this time was given; these are gateways.
    pub fn close(&mut self, until: Timestamp, gateways: Gateways) {
        self.desk.close_until(until);
        self.gateways = gateways;
    }

    /// Notes what happened to the collection.
    pub fn note(
        &mut self,
        happened: (Timestamp, EventKind, Severity),
        device: Option<DeviceId>,
        subject: &str,
        (text, evidence): (String, Map<String, Value>),
    ) {
        self.desk.note(news::happened(happened, device, subject, (text, evidence)));
    }

    /// What a person calls a device.
    pub fn name(&self, device: DeviceId) -> String {
        self.desk.name(device)
    }

    /// Everything since this was asked last.
    pub fn account(&mut self) -> Account {
        self.desk.account()
    }

    /// What is remembered beside, if windows came since this was asked last; it belongs into the store with the account.
    pub fn take_memory(&mut self) -> Option<Remembered> {
        self.desk.take_memory(&self.gateways)
    }
}
