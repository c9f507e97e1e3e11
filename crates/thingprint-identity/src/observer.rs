use std::borrow::Cow;

use thingprint_flow::{
    DeviceFrame, DeviceId, DeviceIndex, DeviceLosses, DevicePacket, FairCap, Flow, LossKind, LossLog,
    Observer, OwnAddresses, TcpSegment, Transport,
};
use thingprint_protocol::{
    DetectedProtocol, Interest, Message, MessageContext, MessageObserver, Protocol, Sender,
};

use crate::document::{Gathering, Progress};
use crate::sources::{self, Heard, Reads, Record};
use crate::{Statement, Statements};

/// Bytes of the statements of all devices, and of the documents that are put together.
const MOST_STATEMENT_BYTES: usize = 64 << 20;
const MOST_DOCUMENT_BYTES: usize = 32 << 20;

/// What is lost where the caps are full.
const STATEMENTS: LossKind = LossKind::new("statements");
const DOCUMENTS: LossKind = LossKind::new("documents");

/// How much an observer may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdentityOptions {
    /// Bytes that the statements of all devices take; devices share them fairly.
    pub most_statement_bytes: usize,
    /// Bytes of documents that are not whole yet; devices share them fairly.
    pub most_document_bytes: usize,
}

impl Default for IdentityOptions {
    /// 64 MiB of statements, about half a million, and 32 MiB of documents.
    fn default() -> Self {
        Self { most_statement_bytes: MOST_STATEMENT_BYTES, most_document_bytes: MOST_DOCUMENT_BYTES }
    }
}

impl IdentityOptions {
    /// The share of one of several observers.
    #[must_use]
    pub const fn shared_among(self, observers: usize) -> Self {
        Self {
            most_statement_bytes: self.most_statement_bytes.div_ceil(observers),
            most_document_bytes: self.most_document_bytes.div_ceil(observers),
        }
    }
}

/// Notes what devices say of themselves: in messages, in payloads and frames of protocols without a parser, and in documents.
#[derive(Debug)]
pub struct IdentityObserver {
    ids: Vec<DeviceId>,
    devices: Vec<Heeded>,
    /// How often anything new was said.
    news: u64,
    cap: FairCap,
    documents: FairCap,
    log: LossLog,
}

/// What rides with a flow: the document that the device is sending.
#[derive(Debug, Default)]
pub struct FlowDocument {
    gathering: Option<Box<Gathering>>,
}

/// What is known of a device.
#[derive(Debug, Default)]
struct Heeded {
    statements: Statements,
    addresses: OwnAddresses,
    has_sent: bool,
    /// The number of the last news from it; 0 before it said anything.
    news: u64,
}

impl IdentityObserver {
    /// An observer that has heard nothing.
    pub fn new(options: IdentityOptions) -> Self {
        Self {
            ids: Vec::new(),
            devices: Vec::new(),
            news: 0,
            cap: FairCap::new(options.most_statement_bytes),
            documents: FairCap::new(options.most_document_bytes),
            log: LossLog::default(),
        }
    }

    /// The devices that sent anything, with what they said.
    pub fn into_devices(self) -> Vec<(DeviceId, Statements)> {
        let devices = self.ids.into_iter().zip(self.devices).filter(|(_, heeded)| heeded.has_sent);
        devices.map(|(id, heeded)| (id, heeded.statements)).collect()
    }

    /// What a device said so far, with a number that is another one when anything was added: numbers rise, also where an index
    /// is given to another device. `None` if it said nothing.
    pub fn heard(&self, device: DeviceIndex) -> Option<(u64, &Statements)> {
        let heeded = self.devices.get(device.as_usize()).filter(|heeded| heeded.news > 0)?;
        Some((heeded.news, &heeded.statements))
    }

    /// What the caps left out, by device.
    pub fn left_out(&self) -> DeviceLosses {
        self.log.losses().clone()
    }

    fn heeded(&mut self, device: DeviceIndex) -> Option<&mut Heeded> {
        let at = device.as_usize();
        if self.devices.len() <= at {
            self.devices.resize_with(at + 1, Heeded::default);
        }
        self.devices.get_mut(at)
    }

    /// Notes what a source read, and keeps to the cap.
    #[inline]
    fn note(&mut self, device: DeviceIndex, is_own: bool, source: &'static str, record: Record) {
        if !record.is_empty() {
            self.note_said(device, is_own, source, record);
        }
    }

    fn note_said(&mut self, device: DeviceIndex, is_own: bool, source: &'static str, record: Record) {
        let news = self.news + 1;
        let (mut bytes, mut has_news) = (0, false);
        if let Some(heeded) = self.heeded(device) {
            for (key, value) in record.into_said() {
                let statement = Statement::new(source, &key, &value);
                if let Some(added) = statement.and_then(|statement| heeded.statements.add(statement, is_own))
                {
                    (bytes, has_news, heeded.news) = (bytes + added, true, news);
                }
            }
        }
        if has_news {
            self.news = news;
        }
        if bytes > 0 && self.cap.take(device, bytes) {
            self.make_room();
        }
    }

    fn make_room(&mut self) {
        for (device, excess) in self.cap.excess() {
            let Some(heeded) = self.heeded(device) else { continue };
            let (freed, statements) = heeded.statements.let_go(excess);
            self.cap.give_back(device, freed);
            self.log.add(device, STATEMENTS, statements);
        }
    }

    fn is_own(&self, packet: &DevicePacket<'_, '_>) -> bool {
        let heeded = self.devices.get(packet.device.as_usize());
        heeded.is_some_and(|heeded| heeded.addresses.contains(packet.ip.src))
    }

    /// Puts a document together of which a segment came.
    fn gather(&mut self, packet: &DevicePacket<'_, '_>, seq: u32, state: &mut FlowDocument) {
        let payload = packet.ip.payload;
        if state.gathering.is_none() {
            state.gathering = Gathering::begin(seq, payload).map(Box::new);
        }
        let Some(gathering) = &mut state.gathering else { return };
        let before = gathering.held_bytes();
        let progress = gathering.push(seq, payload);
        let after = gathering.held_bytes();
        let is_exceeded = self.documents.take(packet.device, after.saturating_sub(before));
        let is_refused =
            is_exceeded && self.documents.excess().iter().any(|(device, _)| *device == packet.device);
        if progress == Progress::More && !is_refused {
            return;
        }
        self.log.add(packet.device, DOCUMENTS, u64::from(is_refused));
        self.let_go_of_document(packet.device, state);
        if let Progress::Whole(document) = progress {
            let is_own = self.is_own(packet);
            self.read_document(packet.device, is_own, &document);
        }
    }

    fn let_go_of_document(
        &mut self,
        device: DeviceIndex,
        state: &mut FlowDocument,
    ) -> Option<Box<Gathering>> {
        let gathering = state.gathering.take()?;
        self.documents.give_back(device, gathering.held_bytes());
        Some(gathering)
    }

    fn read_document(&mut self, device: DeviceIndex, is_own: bool, document: &str) {
        for source in sources::all() {
            if let Reads::Documents(read) = source.reads {
                let mut record = Record::default();
                read(document, &mut record);
                self.note(device, is_own, source.name, record);
            }
        }
    }
}

impl Observer for IdentityObserver {
    type State = FlowDocument;

    const WANTS_FRAMES: bool = true;

    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        let at = device.as_usize();
        if self.ids.len() <= at {
            self.ids.resize(at + 1, id);
        }
        if let Some(known) = self.ids.get_mut(at) {
            *known = id;
        }
        self.heeded(device);
        self.log.device(device, id);
    }

    fn established(&mut self, device: DeviceIndex) {
        self.cap.establish(device);
        self.documents.establish(device);
        self.log.established(device);
    }

    fn forget(&mut self, device: DeviceIndex) {
        if let Some(heeded) = self.heeded(device) {
            *heeded = Heeded::default();
        }
        self.cap.forget(device);
        self.documents.forget(device);
        self.log.forget(device);
    }

    fn packet(&mut self, packet: &DevicePacket<'_, '_>, state: &mut FlowDocument) {
        if !packet.is_sent {
            return;
        }
        if let Some(heeded) = self.heeded(packet.device) {
            heeded.addresses.observe(packet.packet);
            heeded.has_sent = true;
        }
        if packet.ip.payload.is_empty() {
            return;
        }
        // Most payloads say nothing.
        let mut record = Record::default();
        for source in sources::all() {
            if let Reads::Payloads(read) = source.reads {
                read(packet.ip.payload, &mut record);
                if !record.is_empty() {
                    let is_own = self.is_own(packet);
                    self.note_said(packet.device, is_own, source.name, std::mem::take(&mut record));
                }
            }
        }
        if let Transport::Tcp(TcpSegment { seq, .. }) = packet.ip.transport {
            self.gather(packet, seq, state);
        }
    }

    fn frame(&mut self, frame: &DeviceFrame<'_, '_>) {
        if !frame.is_sent {
            return;
        }
        if let Some(heeded) = self.heeded(frame.device) {
            heeded.addresses.observe(frame.packet);
            heeded.has_sent = true;
        }
        let Some(content) = &frame.packet.other else { return };
        for source in sources::all() {
            if let Reads::Frames(read) = source.reads {
                let mut record = Record::default();
                read(content, &mut record);
                self.note(frame.device, true, source.name, record);
            }
        }
    }

    fn flow(&mut self, flow: Flow<FlowDocument>) {
        let (device, local) = (flow.device, flow.local.addr);
        let (_, mut state) = flow.split();
        let Some(gathering) = self.let_go_of_document(device, &mut state) else { return };
        if let Some(document) = gathering.finish() {
            let heeded = self.devices.get(device.as_usize());
            let is_own = heeded.is_some_and(|heeded| heeded.addresses.contains(local));
            self.read_document(device, is_own, &document);
        }
    }

    fn abandon_flow(&mut self, device: DeviceIndex, mut state: FlowDocument) {
        let gathering = self.let_go_of_document(device, &mut state);
        if let Some(document) = gathering.and_then(|gathering| gathering.finish()) {
            self.read_document(device, false, &document);
        }
    }

    fn continue_flow(&mut self, state: &mut FlowDocument) -> FlowDocument {
        std::mem::take(state)
    }
}

impl MessageObserver for IdentityObserver {
    fn interest(&self) -> Interest {
        let protocols = sources::all().iter().flat_map(|source| match source.reads {
            Reads::Messages(protocols, _) => protocols,
            _ => &[],
        });
        protocols
            .fold(Interest::NONE, |interest, protocol: &Protocol| interest.and(*protocol, Sender::Device))
    }

    fn message(&mut self, message: Cow<'_, Message>, context: &MessageContext<'_, '_>, _: &mut FlowDocument) {
        if context.sender != Sender::Device {
            return;
        }
        let is_own = context.packet.is_none_or(|packet| self.is_own(packet));
        for source in sources::all() {
            let Reads::Messages(protocols, read) = source.reads else { continue };
            if protocols.contains(&message.protocol()) {
                let mut record = Record::default();
                read(Heard { message: &message, packet: context.packet }, &mut record);
                self.note(context.device, is_own, source.name, record);
            }
        }
    }

    fn detected(&mut self, flow: Flow<FlowDocument>, _: DetectedProtocol) {
        self.flow(flow);
    }
}
