use std::sync::Arc;

use serde_json::{Map, Value};
use thingprint_audit::report::Profiles;
use thingprint_flow::{DeviceId, DeviceLosses, Frame, Gateways, Timestamp};
use thingprint_identity::Knowledge;
use thingprint_model::{Acceptance, Model};
use thingprint_pipeline::{Live, LiveShard};
use thingprint_profile::MudBuilder;
use thingprint_protocol::Engine;

use crate::desk::Desk;
use crate::loss_news::LossNews;
use crate::mud::MudWatch;
use crate::news;
use crate::options::{WatchOptions, WatchStage};
use crate::reading_news::ReadingNews;
use crate::records::{Account, CaptureHealth, EventKind, Health, LeftOut, Severity};
use crate::resume::{Remembered, Resume};
use crate::source_times::SourceTimes;

/// How far a frame may be ahead of all clocks, in nanoseconds: one that was set by hand in another time zone is half a day
/// wrong.
const AHEAD_NS: i64 = 86_400_000_000_000;

/// Watches a network: frames and times go in, [`Account`]s come out.
///
/// ```
/// use thingprint_watch::{Resume, WatchOptions, Watcher};
///
/// let options = WatchOptions::default();
/// let stage = options.stage();
/// let mut watcher = Watcher::new(&options, &stage, Resume::default());
/// assert!(watcher.step().updates.is_empty());
/// ```
pub struct Watcher<'a> {
    live: Live<'a, WatchStage>,
    desk: Desk,
    times: SourceTimes,
    sources: usize,
    can_replay: bool,
    /// The time of the machine, as it was said last.
    machine: Option<Timestamp>,
    /// Frames that were left out, since they are far ahead of it.
    ahead: u64,
    loss_news: LossNews,
    reading_news: ReadingNews,
}

impl<'a> Watcher<'a> {
    /// A watcher that runs the stage of its options, and goes on from an earlier reading.
    pub fn new(options: &WatchOptions, stage: &'a WatchStage, resume: Resume) -> Self {
        let (desk, gateways) = Desk::new(options, resume);
        let (sources, can_replay) = (options.sources, options.can_replay);
        let live = options.pipeline.live(stage, gateways);
        Self {
            live,
            desk,
            times: SourceTimes::default(),
            sources,
            can_replay,
            machine: None,
            ahead: 0,
            loss_news: LossNews::default(),
            reading_news: ReadingNews::default(),
        }
    }

    /// This model judges; the answers that are gone on from are its own, unless it has another number of classes. Without one
    /// nothing is judged.
    pub fn judge_by(&mut self, model: Option<(Arc<Model>, Acceptance)>) {
        self.desk.judge_by(model);
    }

    /// Holds devices against these MUD profiles; `builder` knows who serves the classes of controllers.
    pub fn hold_against(&mut self, engine: &Engine, profiles: Profiles, builder: MudBuilder) {
        self.desk.hold_against(MudWatch::new(engine.clone(), profiles, builder));
    }

    /// Reads what devices say of themselves by these tables, and holds it against the verdicts on them.
    pub fn identify_by(&mut self, knowledge: Arc<Knowledge>) {
        self.desk.identify_by(knowledge);
    }

    /// Another model judges from now on. Verdicts stand until windows that it judged speak against them.
    pub fn switch_model(&mut self, model: Arc<Model>, acceptance: Acceptance) {
        self.desk.switch_model(model, acceptance);
    }

    /// The sources are read from this time on. Where nobody says so, it is that of the first frame, and a first window that
    /// lacks more than a minute before that frame is cut.
    pub fn begin(&mut self, at: Timestamp) {
        self.desk.begin(at);
    }

    /// Says what time it is on this machine. A frame that is more than a day ahead of it, and of the packets before, is left
    /// out and counted: one sender whose clock is wrong must not close the windows of all others.
    pub fn note_time(&mut self, machine: Timestamp) {
        self.machine = Some(machine);
    }

    /// Takes the next frame of a source; gives it back as it was taken, or `None` where it was left out.
    pub fn frame<'f>(&mut self, source: usize, frame: Frame<'f>) -> Option<Frame<'f>> {
        let is_ahead = |now: Option<Timestamp>| now.is_some_and(|now| frame.time.nanos_since(now) > AHEAD_NS);
        if is_ahead(self.machine) && is_ahead(self.live.clock()) {
            self.ahead += 1;
            return None;
        }
        self.desk.begin(frame.time);
        self.desk.delivers(source, frame.time);
        let begins_segment = self.times.note(source, &frame, self.sources);
        if begins_segment && let Some(before) = self.live.clock() {
            let span = (before, frame.time);
            self.desk.step_back(span, news::clock_stepped(before, frame.time));
        }
        let frame = Frame { begins_segment, ..frame };
        self.live.frame(source, frame);
        Some(frame)
    }

    /// Moves the clock without a frame.
    pub fn tick(&mut self, now: Timestamp) {
        self.live.tick(now);
    }

    /// No packets come for now, and the clock does not move without them: sources failed, or a folder waits for its next file.
    /// The next step gives the last packets of each device, which else wait until ten seconds have passed since the device was
    /// given.
    pub const fn settle(&mut self) {
        self.desk.settle();
    }

    /// The clock of the packets; `None` before the first one.
    pub fn clock(&self) -> Option<Timestamp> {
        self.live.clock()
    }

    /// The gateways so far.
    pub fn gateways(&self) -> &Gateways {
        self.live.gateways()
    }

    /// What there is to know since this was asked last: at best after each batch of frames, and each second without any.
    pub fn step(&mut self) -> Account {
        let rows = self.live.take_rows();
        if let Some(clock) = self.live.clock() {
            // A device is new before anything else is known of it.
            self.desk.look_around(&mut self.live, clock);
            let news = self.reading_news.of(&self.live, clock);
            for happened in news {
                self.desk.note(happened);
            }
        }
        self.desk.take_rows(rows);
        self.desk.account()
    }

    /// A source fails from now on, or does not any more: windows in which one fails lack packets. A frame of it ends its
    /// failure as well, at the time of the frame.
    pub fn set_failing(&mut self, source: usize, is_failing: bool) {
        self.desk.set_failing(source, is_failing, self.live.clock());
    }

    /// Packets were lost about now.
    pub fn note_loss(&mut self) {
        if let Some(clock) = self.live.clock() {
            self.desk.note_loss(clock);
        }
    }

    /// Notes what happened to a source or to the store. Before the first packet, the time is `now`.
    pub fn note(
        &mut self,
        (now, kind, severity): (Timestamp, EventKind, Severity),
        subject: &str,
        text: String,
        evidence: Map<String, Value>,
    ) {
        self.desk.note(news::happened(
            (self.live.clock().unwrap_or(now), kind, severity),
            None,
            subject,
            (text, evidence),
        ));
    }

    /// What an event about a source or the store tells is over. Before the first packet, the time is `now`.
    pub fn end_event(&mut self, (now, kind): (Timestamp, EventKind), subject: &str) {
        self.desk.end_event((kind, subject), self.live.clock().unwrap_or(now));
    }

    /// An event was acknowledged.
    pub fn close_event(&mut self, id: u64) {
        self.desk.close_event(id);
    }

    /// The findings of a device by a rule were acknowledged.
    pub fn close_finding(&mut self, device: DeviceId, rule: &str) {
        self.desk.close_finding(device, rule);
    }

    /// A device was given a label, or has none any more.
    pub fn label(&mut self, device: DeviceId, label: Option<String>) {
        self.desk.label(device, label);
    }

    /// How the reading goes, as far as this knows: what sources lost and what waits elsewhere is not in it.
    pub fn health(&self) -> Health {
        let (counts, read) = (self.live.counts(), self.live.read());
        let decoded = self.live.decoded();
        let open: usize = self.live.shards().iter().map(LiveShard::<WatchStage>::open_flow_count).sum();
        let losses = LeftOut::of(&self.left_out());
        let malformed =
            decoded.unreadable + decoded.unsupported_link + decoded.malformed.values().sum::<u64>();
        Health {
            clock: self.live.clock(),
            capture: CaptureHealth {
                packets: read.frames,
                bytes: read.wire_bytes,
                dropped: 0,
                late: counts.late_packets,
                malformed,
                left_out: losses.total().saturating_add(self.ahead),
            },
            losses,
            devices: self.desk.device_count() as u64,
            open_flows: open as u64,
            last_window: self.desk.last_window(),
            ..Health::default()
        }
    }

    /// What caps left out so far, by device.
    pub fn left_out(&self) -> DeviceLosses {
        let mut all = self.live.left_out();
        all.merge(self.desk.left_out());
        all
    }

    /// Makes events of what these losses have for the first time.
    pub fn note_left_out(&mut self, left_out: &LeftOut) {
        let Some(clock) = self.live.clock() else { return };
        let Self { desk, loss_news, .. } = self;
        let events = loss_news.of(left_out, clock, |device| desk.name(device));
        for happened in events {
            desk.note(happened);
        }
    }

    /// What this remembers beside accounts, with the devices that it is about, if windows were final since this was asked
    /// last: it belongs into the store with the account before, and back into [`Resume::state`].
    pub fn take_memory(&mut self) -> Option<Remembered> {
        self.desk.take_memory(self.live.gateways())
    }

    /// Ends the reading. Windows that are open are final as they are; but where packets can be read again, and the sources
    /// did not end, they are left to the next reading. What is remembered comes beside, and what caps left out, at the end as well.
    pub fn finish(mut self, is_ended: bool) -> (Account, Option<Remembered>, DeviceLosses) {
        self.settle();
        if let Some(clock) = self.live.clock() {
            let news = self.reading_news.at_once(&self.live, clock);
            for happened in news {
                self.desk.note(happened);
            }
        }
        let mut account = self.step();
        let Self { live, mut desk, mut loss_news, can_replay, .. } = self;
        let (gateways, clock) = (live.gateways().clone(), live.clock());
        if let Some(clock) = clock {
            desk.end(clock);
        }
        let mut left_out = if !can_replay || is_ended {
            let (rows, run) = live.finish();
            desk.take_rows(rows);
            run.summary.left_out
        } else {
            live.left_out()
        };
        desk.audit();
        desk.check_profiles();
        left_out.merge(desk.left_out());
        if let Some(clock) = clock {
            let events = loss_news.of(&LeftOut::of(&left_out), clock, |device| desk.name(device));
            for happened in events {
                desk.note(happened);
            }
        }
        let Account { updates, final_until } = desk.account();
        account.updates.extend(updates);
        (Account { updates: account.updates, final_until }, desk.take_memory(&gateways), left_out)
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::LinkType;

    use super::*;
    use crate::records::Update;

    /// The packets that a camera sent so far, by what was given out of it.
    fn sent(account: &Account) -> Option<u64> {
        account.updates.iter().rev().find_map(|update| match update {
            Update::Device(sighting) => Some(sighting.packets_up),
            _ => None,
        })
    }

    #[test]
    fn the_last_packets_before_a_pause_and_before_the_end_are_given() {
        let options = WatchOptions::default();
        let stage = options.stage();
        let mut watcher = Watcher::new(&options, &stage, Resume::default());
        let mut bytes = [0_u8; 60];
        bytes[..14].copy_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]);
        // IPv4, 28 bytes, UDP from 10.0.0.2 to 10.0.0.1.
        bytes[14..24].copy_from_slice(&[0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17]);
        bytes[26..34].copy_from_slice(&[10, 0, 0, 2, 10, 0, 0, 1]);
        bytes[34..40].copy_from_slice(&[0x80, 0, 0x90, 0, 0, 8]);
        let step_after = |watcher: &mut Watcher<'_>, second: i64| {
            let time = Timestamp::from_seconds(1_700_000_000 + second);
            let link = LinkType::Ethernet;
            let _ =
                watcher.frame(0, Frame { time, link, wire_bytes: 60, bytes: &bytes, begins_segment: false });
            sent(&watcher.step())
        };
        assert_eq!(step_after(&mut watcher, 0), Some(1));
        assert_eq!(step_after(&mut watcher, 1), None, "it was given a second ago");
        watcher.settle();
        assert_eq!(sent(&watcher.step()), Some(2));
        assert_eq!(sent(&watcher.step()), None, "nothing is new");
        assert_eq!(step_after(&mut watcher, 2), None);
        let (account, ..) = watcher.finish(true);
        assert_eq!(sent(&account), Some(3));
    }
}
