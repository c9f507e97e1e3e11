mod collected;
mod identities;
mod silence;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;

use either::Either;
use thingprint_change::Detector;
use thingprint_flow::{
    DeviceId, DeviceIndex, DeviceLosses, GatewayPolicy, Gateways, LossKind, Timestamp, WindowIndex,
    WindowLength,
};
use thingprint_identity::Knowledge;
use thingprint_instance::Instance;
use thingprint_model::{Acceptance, Model, Prediction};
use thingprint_pipeline::{FlowRow, Live};

use crate::book::{EventBook, Happened};
use crate::coverage::Coverage;
use crate::describe;
use crate::device_state::DeviceState;
use crate::findings::Findings;
use crate::judge::Judge;
use crate::mud::MudWatch;
use crate::news;
use crate::options::{WatchOptions, WatchStage};
use crate::records::{Account, EventKind, FindingRecord, Update, WindowRecord};
use crate::resume::{Memory, Remembered, Resume};
use crate::schedule::{Look, Schedule};
use crate::verdict::end_of;

/// What is known of a device leaves at most this often, in nanoseconds; a new device leaves at once.
const PUBLISH_NS: i64 = 10_000_000_000;
/// Findings are taken at most this often, in nanoseconds.
const AUDIT_NS: i64 = 10_000_000_000;
/// A reading that begins later than this in a window, in nanoseconds, has cut it.
const BEGIN_NS: i64 = 60_000_000_000;
/// Devices whose windows under way are looked at in one step; the others wait for the next one, so that packets do not.
const LOOKS_A_STEP: usize = 200;
/// A reading that begins so long before what is stored is of another time, and not the same packets again, in nanoseconds.
const ANOTHER_TIME_NS: i64 = 172_800_000_000_000;
/// Share of a window that has to be covered for its answer to count for the verdict that stands.
const LEAST_COVERED: f64 = 0.5;
/// How long the pieces of a window are remembered, in nanoseconds: the clock may step back to it.
const PARTS_NS: i64 = 172_800_000_000_000;

/// Looks at windows under way that there was no room for.
const LOOKS: LossKind = LossKind::new("provisional_windows");

/// A row of the stage.
type Row = Either<Instance, Either<FlowRow, Either<Infallible, Infallible>>>;

/// Makes updates of what the pipeline gives.
pub(crate) struct Desk {
    window: WindowLength,
    window_ns: i64,
    lateness_ns: i64,
    /// How long after its end a window is final, in nanoseconds.
    final_ns: i64,
    provisional_s: Vec<u32>,
    judge: Option<Judge>,
    /// Identifies the model whose answers are remembered.
    judged_by: Option<u64>,
    /// How windows are made, for what is remembered.
    recipe: String,
    /// What findings were known at the start.
    known_findings: BTreeSet<(DeviceId, String, String)>,
    devices: BTreeMap<DeviceId, DeviceState>,
    labels: BTreeMap<DeviceId, String>,
    findings: Option<Findings>,
    mud: Option<MudWatch>,
    /// How what devices say is read.
    knowledge: Option<Arc<Knowledge>>,
    audited: Timestamp,
    detector: Detector,
    book: EventBook,
    schedule: Schedule,
    /// Devices that were seen and did not leave since, with shard and index.
    waiting: BTreeMap<DeviceId, (usize, DeviceIndex)>,
    /// Whether the next look around lets all of them leave.
    is_settling: bool,
    updates: Vec<Update>,
    /// Pieces of windows that were handed out.
    parts: BTreeMap<(Timestamp, DeviceId), u32>,
    /// When this reading began.
    started: Option<Timestamp>,
    /// In which windows packets are missing.
    coverage: Coverage,
    can_replay: bool,
    /// Devices that were forgotten since there were too many.
    forgotten: u64,
    /// End of the last window at whose close silent devices were looked for.
    closed: Option<Timestamp>,
    final_until: Option<Timestamp>,
    resumed_until: Option<Timestamp>,
    last_window: Option<Timestamp>,
    has_new_windows: bool,
}

impl Desk {
    /// A desk that goes on from an earlier reading, and the gateways that were known there.
    pub(crate) fn new(options: &WatchOptions, resume: Resume) -> (Self, Gateways) {
        let Resume { devices, next_event, open_events, findings, parts, final_until, state } = resume;
        let known = Memory::read(state.as_deref(), options);
        let Memory { gateways, detector, devices: remembered, judged_by } =
            known.unwrap_or_else(|| Memory::new(options));
        let gateways = still_gateways(gateways, &options.pipeline.gateways);
        let engine = options.pipeline.engine.clone();
        let broken = findings.iter().map(|(device, rule, _)| (*device, rule.clone())).collect();
        let flow = &options.instance.flow;
        let mut desk = Self {
            window: flow.window,
            window_ns: window_ns(flow.window),
            lateness_ns: flow.lateness_ns,
            final_ns: flow.lateness_ns.saturating_add(flow.ending.longest_idle_ns()),
            provisional_s: options.provisional_s.clone(),
            judge: None,
            judged_by,
            recipe: Memory::recipe(options),
            known_findings: findings.clone(),
            devices: BTreeMap::new(),
            labels: BTreeMap::new(),
            findings: options.policy.clone().map(|policy| Findings::new(engine, policy, broken)),
            mud: None,
            knowledge: None,
            audited: Timestamp::MIN,
            detector,
            book: EventBook::resumed(next_event, open_events),
            schedule: Schedule::default(),
            waiting: BTreeMap::new(),
            is_settling: false,
            updates: Vec::new(),
            parts: parts.into_iter().map(|((device, start), parts)| ((start, device), parts)).collect(),
            started: None,
            coverage: Coverage::new(flow.window),
            can_replay: options.can_replay,
            forgotten: 0,
            closed: None,
            // A live source may step back to a time of before.
            final_until: final_until.filter(|_| options.can_replay),
            resumed_until: final_until.filter(|_| options.can_replay),
            last_window: None,
            has_new_windows: false,
        };
        if devices.is_empty() {
            desk.book.learn();
        }
        for device in devices {
            let id = device.sighting.device;
            desk.labels.extend(device.label.clone().map(|label| (id, label)));
            desk.devices.insert(id, DeviceState::resumed(device));
        }
        for (device, known, presence) in remembered {
            if let Some(state) = desk.devices.get_mut(&device) {
                (state.known, state.presence) = (known, presence);
            }
        }
        (desk, gateways)
    }

    pub(crate) fn judge_by(&mut self, model: Option<(Arc<Model>, Acceptance)>) {
        self.judge = model.map(|(model, acceptance)| Judge::new(model, acceptance));
        let id = self.judge.as_ref().map(Judge::id);
        if id != self.judged_by {
            // Answers of another model are about other classes.
            self.devices.values_mut().for_each(|state| state.verdict.forget_answers());
        }
        self.judged_by = id;
    }

    pub(crate) fn switch_model(&mut self, model: Arc<Model>, acceptance: Acceptance) {
        self.judge_by(Some((model, acceptance)));
    }

    /// The reading begins at this time.
    #[inline]
    pub(crate) fn begin(&mut self, time: Timestamp) {
        if self.started.is_none() {
            self.started = Some(time);
            self.coverage.restart(time);
            let start = self.window.start_of(self.window.index_of(time));
            if time.nanos_since(start) > BEGIN_NS {
                self.coverage.note_missing(start, time);
            }
            if self.resumed_until.is_some_and(|until| until.nanos_since(time) > ANOTHER_TIME_NS) {
                (self.resumed_until, self.final_until) = (None, None);
            }
        }
    }

    /// The clock stepped back from one time to another: windows of that time are in two pieces.
    pub(crate) fn step_back(&mut self, (from, to): (Timestamp, Timestamp), happened: Happened) {
        self.schedule.clear();
        self.closed = None;
        self.audited = Timestamp::MIN;
        let (left, entered) = (self.window.index_of(from), self.window.index_of(to));
        self.coverage.note_missing(from, self.window.end_of(left));
        self.coverage.note_missing(self.window.start_of(entered), to);
        self.coverage.restart(to);
        // Windows from here on are open again.
        self.final_until = self.final_until.min(Some(self.window.start_of(entered)));
        self.book.note(happened);
    }

    pub(crate) fn note(&mut self, happened: Happened) {
        self.book.note(happened);
    }

    pub(crate) fn end_event(&mut self, (kind, subject): (EventKind, &str), at: Timestamp) {
        self.book.end((kind, None, subject), at);
    }

    pub(crate) fn close_event(&mut self, id: u64) {
        self.book.close(id);
    }

    pub(crate) fn close_finding(&mut self, device: DeviceId, rule: &str) {
        self.book.close_finding(device, rule);
    }

    pub(crate) fn label(&mut self, device: DeviceId, label: Option<String>) {
        match label {
            Some(label) => _ = self.labels.insert(device, label),
            None => _ = self.labels.remove(&device),
        }
    }

    /// A source fails, or does not any more.
    pub(crate) fn set_failing(&mut self, source: usize, is_failing: bool, clock: Option<Timestamp>) {
        self.coverage.set_failing(source, is_failing, clock);
    }

    /// A source delivers a packet of this time.
    pub(crate) fn delivers(&mut self, source: usize, time: Timestamp) {
        if self.coverage.is_failing(source) {
            self.coverage.set_failing(source, false, Some(time));
        }
    }

    /// Packets were lost about now.
    pub(crate) fn note_loss(&mut self, clock: Timestamp) {
        self.coverage.note_loss(clock);
    }

    /// No packets come for now, and no time passes: what waits for its time leaves with the next look around.
    pub(crate) const fn settle(&mut self) {
        self.is_settling = true;
    }

    /// The reading ends at this time.
    pub(crate) fn end(&mut self, clock: Timestamp) {
        self.coverage.pass(Some(clock));
        self.coverage.note_missing(clock, self.window.end_of(self.window.index_of(clock)));
    }

    /// Whether a window is stored: then the same packets are read again.
    fn is_stored(&self, end: Timestamp) -> bool {
        self.resumed_until.is_some_and(|until| end <= until)
    }

    pub(crate) fn device_count(&self) -> usize {
        self.devices.len()
    }

    /// Start of the last window that was given.
    pub(crate) const fn last_window(&self) -> Option<Timestamp> {
        self.last_window
    }

    /// What was left out here, by device.
    pub(crate) fn left_out(&self) -> DeviceLosses {
        let mut all = self.detector.left_out().clone();
        all.merge(self.findings.as_ref().map(Findings::left_out).cloned().unwrap_or_default());
        all.merge(self.mud.as_ref().map(MudWatch::left_out).cloned().unwrap_or_default());
        all.add_other(LossKind::DEVICES, self.forgotten);
        all.add_other(LOOKS, self.schedule.dropped());
        all
    }

    /// Takes windows and flows that are final.
    pub(crate) fn take_rows(&mut self, rows: Vec<Row>) {
        for row in rows {
            match row {
                Either::Left(instance) => self.final_window(&instance),
                // Flows of files that are read again were judged.
                Either::Right(Either::Left(flow)) if self.is_stored(flow.flow.last) => {}
                Either::Right(Either::Left(flow)) => {
                    if let Some(mud) = &mut self.mud {
                        mud.flow(flow.device, &flow.flow);
                    }
                    if let Some(findings) = &mut self.findings {
                        findings.flow(flow);
                    }
                }
                Either::Right(Either::Right(Either::Left(never) | Either::Right(never))) => match never {},
            }
        }
    }

    /// Looks at who is there, at windows under way, and at what happens as time goes by.
    pub(crate) fn look_around(&mut self, live: &mut Live<'_, WatchStage>, clock: Timestamp) {
        self.coverage.pass(Some(clock));
        self.take_sightings(live, clock);
        let looks = self.schedule.take_due(clock, LOOKS_A_STEP);
        self.look_at(live, looks, clock);
        self.close_windows(clock);
        if clock.nanos_since(self.audited) >= AUDIT_NS {
            self.audited = clock;
            self.audit();
        }
        let done = self.window.index_of(clock.plus_nanos(-self.final_ns));
        let final_until = self.final_until.max(Some(self.window.start_of(done)));
        if final_until > self.final_until {
            self.final_until = final_until;
            self.check_profiles();
        }
    }

    /// Holds devices against their MUD profiles.
    pub(crate) fn check_profiles(&mut self) {
        let Some(mud) = &mut self.mud else { return };
        let (records, events) = mud.take(|device| self.labels.get(&device).cloned());
        self.report(records, events);
    }

    /// Devices are held against MUD profiles from now on.
    pub(crate) fn hold_against(&mut self, mut mud: MudWatch) {
        mud.know(&self.known_findings);
        self.mud = Some(mud);
    }

    /// Takes the findings so far.
    pub(crate) fn audit(&mut self) {
        let Some(findings) = &mut self.findings else { return };
        let (records, events) = findings.take();
        self.report(records, events);
    }

    fn report(&mut self, records: Vec<FindingRecord>, events: Vec<Happened>) {
        self.updates.extend(records.into_iter().map(Update::Finding));
        for happened in events {
            let name = happened.device.map(|device| self.name(device)).unwrap_or_default();
            let text = format!("{name}: {}", happened.text);
            self.book.note(Happened { text, ..happened });
        }
    }

    /// Everything since this was asked last.
    pub(crate) fn account(&mut self) -> Account {
        let mut updates = std::mem::take(&mut self.updates);
        updates.extend(self.book.take_changed().into_iter().map(Update::Event));
        Account { updates, final_until: self.final_until }
    }

    /// What is remembered beside, if windows came since this was asked last.
    pub(crate) fn take_memory(&mut self, gateways: &Gateways) -> Option<Remembered> {
        if !std::mem::take(&mut self.has_new_windows) {
            return None;
        }
        let devices = self.devices.iter().map(|(id, state)| (*id, state.known.clone(), state.presence));
        let memory = Memory {
            gateways: gateways.clone(),
            detector: self.detector.clone(),
            devices: devices.collect(),
            judged_by: self.judged_by,
        };
        Some(Remembered {
            bytes: memory.write(&self.recipe)?,
            devices: self.devices.keys().copied().collect(),
        })
    }

    /// What a person calls a device: its label, its host name, who it says it is with its address, or its address.
    pub(crate) fn name(&self, device: DeviceId) -> String {
        let sighting = || self.devices.get(&device)?.sighting.as_ref();
        let host = || sighting()?.host_name.clone();
        let says = || Some(format!("{} ({device})", sighting()?.identity.as_ref()?.summary.in_short()?));
        let label = self.labels.get(&device).cloned();
        label.or_else(host).or_else(says).unwrap_or_else(|| device.to_string())
    }

    fn final_window(&mut self, instance: &Instance) {
        let (device, start, end) = (instance.device, instance.window_start, end_of(instance));
        let index = self.window.index_of(start);
        let judged = self.judge.as_ref().map(|judge| judge.window(instance));
        let (answer, prediction) = judged.unzip();
        let parts = self.parts.entry((start, device)).or_default();
        let part = std::mem::replace(parts, *parts + 1);
        let record = describe::window(instance, answer);
        let record = WindowRecord {
            // The store has one piece of a window that can be read again, and keeps what is there.
            part: if self.can_replay { 0 } else { part },
            is_cut: self.coverage.is_cut(index),
            instance: Some(Box::new(instance.clone())),
            ..record
        };
        self.updates.push(Update::Window(record));
        self.last_window = self.last_window.max(Some(start));
        if self.is_stored(end) {
            return;
        }
        self.has_new_windows = true;
        let is_whole = self.coverage.share(index) >= LEAST_COVERED;
        let state = self.devices.entry(device).or_default();
        state.presence.see(start, self.window_ns);
        let new_words = state.known.push(instance, is_whole);
        if let Some(prediction) = prediction.filter(|_| is_whole) {
            self.stand(instance, prediction);
        }
        let name = self.name(device);
        for new in new_words {
            self.book.note(news::new_words((device, start), &name, &new));
        }
        for change in self.detector.push(instance) {
            let happened = news::change(change, |device| self.name(device));
            self.book.note(happened);
        }
    }

    /// Takes an answer into the verdict that stands.
    fn stand(&mut self, instance: &Instance, prediction: Prediction) {
        let (Some(judge), device) = (&self.judge, instance.device) else { return };
        let verdict = &mut self.devices.entry(device).or_default().verdict;
        let had_verdict = verdict.standing().is_some();
        let change = verdict.push(judge, instance, prediction);
        let Some(standing) = verdict.standing().cloned() else { return };
        if let Some(change) = change {
            // The first verdict on a device is no change of one.
            if had_verdict {
                self.book.note(news::verdict(&change, &standing, &self.name(device)));
            }
            let at = change.at;
            self.updates.push(Update::Changed(change));
            self.compare_verdict(device, at);
        }
        self.updates.push(Update::Standing(device, standing));
    }

    fn take_sightings(&mut self, live: &mut Live<'_, WatchStage>, clock: Timestamp) {
        for (at, shard) in live.shards_mut().iter_mut().enumerate() {
            let (_, (_, (sightings, _))) = shard.observer_mut().observer_mut();
            for begun in sightings.take_begun() {
                let end = self.window.end_of(begun.window).plus_nanos(self.lateness_ns);
                let steps = self.provisional_s.iter();
                let early = steps.map(|seconds| begun.first.plus_nanos(i64::from(*seconds) * 1_000_000_000));
                self.schedule.add(&begun, early.filter(|at| *at < end).chain([end]));
            }
            for index in sightings.take_changed() {
                if let Some((device, _)) = sightings.seen(index) {
                    self.waiting.insert(device, (at, index));
                }
            }
        }
        let is_settling = std::mem::take(&mut self.is_settling);
        let is_due = |device: &DeviceId| {
            let published = self.devices.get(device).and_then(|state| state.published);
            is_settling || published.is_none_or(|at| clock.nanos_since(at) >= PUBLISH_NS || clock < at)
        };
        let due: Vec<DeviceId> = self.waiting.keys().filter(|device| is_due(device)).copied().collect();
        for device in due {
            self.publish(live, device, clock);
        }
    }

    fn publish(&mut self, live: &Live<'_, WatchStage>, device: DeviceId, clock: Timestamp) {
        let Some((shard, index)) = self.waiting.remove(&device) else { return };
        let Some(shard) = live.shards().get(shard) else { return };
        let (_, (_, (sightings, speech))) = shard.observer().observer();
        let seen = sightings.device(index);
        // Another device may have its index by now.
        let Some(seen) = seen.filter(|seen| seen.record.device() == device) else { return };
        let seen_established = seen.is_established;
        let mut sighting = describe::sighting(seen, live.gateways());
        let is_heard = self.identify(&mut sighting, speech.heard(index));
        let state = self.devices.entry(device).or_default();
        let is_new = state.sighting.is_none();
        if let Some(before) = &state.sighting {
            sighting.first_seen = sighting.first_seen.min(before.first_seen);
        }
        state.published = Some(clock);
        state.is_established |= seen_established;
        let new_addresses = state.new_addresses(&sighting);
        let is_back = state.presence.comes_back();
        let before = state.sighting.as_ref().map(|sighting| sighting.gateway.is_some());
        let is_gateway_now = before == Some(false) && sighting.gateway.is_some();
        let was_gateway = before == Some(true) && sighting.gateway.is_none();
        state.sighting = Some(sighting.clone());
        if is_new {
            let label = self.labels.get(&device).map(String::as_str);
            self.book.note_new_device(news::new_device(&sighting, label));
        }
        let name = self.name(device);
        if is_gateway_now {
            self.book.note(news::gateway(&sighting, &name));
        }
        if was_gateway {
            self.book.note(news::no_gateway(&sighting, &name));
        }
        if is_back {
            self.book.note(news::presence((device, sighting.last_seen), &name, true));
        }
        for address in new_addresses {
            self.book.note(news::new_address(&sighting, &name, address));
        }
        if is_heard {
            self.compare(device, clock);
        }
        let sighting = self.devices.get(&device).and_then(|state| state.sighting.clone());
        self.updates.extend(sighting.map(Update::Device));
    }

    /// Looks at windows under way; looks are sorted by device and window.
    fn look_at(&mut self, live: &Live<'_, WatchStage>, looks: Vec<Look>, clock: Timestamp) {
        let mut by_shard = BTreeMap::<usize, Vec<Look>>::new();
        for look in looks {
            by_shard.entry(live.shard_of(look.device)).or_default().push(look);
        }
        for (shard, looks) in by_shard {
            let Some(shard) = live.shards().get(shard) else { continue };
            let wanted: BTreeSet<DeviceIndex> = looks.iter().map(|look| look.index).collect();
            let open = shard.open_flows(|index| wanted.contains(&index));
            for look in looks {
                let Look { device, index, window, first } = look;
                let is_gateway = matches!(device, DeviceId::Mac(mac) if live.gateways().contains(mac));
                let is_same = shard.devices().get(index.as_usize()) == Some(&device);
                if is_gateway || !is_same || self.is_stored(self.window.end_of(window)) {
                    continue;
                }
                let (instances, _) = shard.observer().observer();
                if let Some(instance) = instances.provisional(index, window, &open) {
                    self.provisional(&instance, (window, first), clock);
                }
            }
        }
    }

    fn provisional(
        &mut self,
        instance: &Instance,
        (window, first): (WindowIndex, Timestamp),
        clock: Timestamp,
    ) {
        let answer = self.judge.as_ref().map(|judge| judge.window_so_far(instance));
        let until = clock.min(self.window.end_of(window));
        let after_s = until.nanos_since(first).max(0) as f64 / 1e9;
        let record = describe::window(instance, answer);
        let is_cut = self.coverage.is_cut(window);
        let record = WindowRecord { is_cut, provisional_after_s: Some(after_s), ..record };
        self.updates.push(Update::Provisional(record));
    }

    /// Reports steady devices that were silent for two windows, each time that a window closes.
    fn close_windows(&mut self, clock: Timestamp) {
        let closed = self.window.start_of(self.window.index_of(clock.plus_nanos(-self.lateness_ns)));
        if self.closed.replace(closed).is_none_or(|before| before >= closed) {
            return;
        }
        // Nobody can be heard while sources fail.
        let mut recent = (1..=3).map(|back| closed.plus_nanos(-back * self.window_ns));
        let is_blind = recent.any(|start| self.coverage.is_cut(self.window.index_of(start)));
        let mut silent = Vec::new();
        for (device, state) in self.devices.iter_mut().filter(|_| !is_blind) {
            let Some(last_seen) = state.sighting.as_ref().map(|sighting| sighting.last_seen) else {
                continue;
            };
            if state.presence.falls_silent(closed, self.window_ns, last_seen) {
                silent.push((*device, last_seen));
            }
        }
        for (device, last_seen) in silent {
            self.book.note(news::presence((device, last_seen), &self.name(device), false));
        }
        let old = closed.plus_nanos(-PARTS_NS);
        self.parts.retain(|(start, _), _| *start >= old);
        self.coverage.forget_before(old);
        self.forget_silent(closed);
    }
}

/// The gateways of an earlier reading that are still ones: who is named is not elected, and what has a label is a device.
fn still_gateways(gateways: Gateways, policy: &GatewayPolicy) -> Gateways {
    if policy.is_settled() {
        return Gateways::default();
    }
    Gateways(gateways.0.into_iter().filter(|(mac, _)| !policy.labelled.contains(mac)).collect())
}

/// Length of a window in nanoseconds; a day for whole captures, which a live reading does not have.
fn window_ns(window: WindowLength) -> i64 {
    match window {
        WindowLength::Span(span) => i64::try_from(span).unwrap_or(i64::MAX),
        WindowLength::Capture => 86_400_000_000_000,
    }
}
