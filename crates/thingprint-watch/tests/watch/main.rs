//! A simulated home is watched as a live network would be, and what comes out is compared with what a reading of the same
//! packets gives.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test")]

mod doubts;
mod losses;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use thingprint_flow::{DeviceId, Frame, LinkType, LossKind, MacAddr, Timestamp};
use thingprint_instance::{Instance, InstanceOptions, Kind, Label, Labeled};
use thingprint_model::{Acceptance, Model, Recipe, TrainOptions};
use thingprint_pipeline::{Event as PipelineEvent, InstanceStage, Pipeline, Simulated};
use thingprint_sim::{Simulation, SimulationOptions, home};
use thingprint_watch::{
    Account, Event, EventKind, Resume, ResumedDevice, Sighting, Standing, Update, WatchOptions, Watcher,
    WindowRecord, train,
};

const SECOND_NS: i64 = 1_000_000_000;
const HOUR_NS: i64 = 3600 * SECOND_NS;

fn simulation(hours: u64) -> Simulation {
    let options = SimulationOptions { duration_s: hours * 3600, ..SimulationOptions::default() };
    Simulation::new(&home().unwrap(), options).unwrap()
}

/// The instances of an ordinary reading as a stream.
fn extracted(hours: u64) -> Vec<Instance> {
    let mut rows = Vec::new();
    let stage = InstanceStage::new(InstanceOptions::default());
    let run = Pipeline::default().run(&Simulated::from(simulation(hours)), &stage, |event| {
        if let PipelineEvent::Rows(more) = event {
            rows.extend(more);
        }
        Ok::<_, std::convert::Infallible>(())
    });
    let Ok(_) = run;
    rows
}

/// What a store would have.
#[derive(Default)]
struct Kept {
    devices: BTreeMap<DeviceId, Sighting>,
    windows: Vec<WindowRecord>,
    provisional: Vec<WindowRecord>,
    standing: BTreeMap<DeviceId, Standing>,
    changes: usize,
    findings: BTreeSet<(DeviceId, String, String)>,
    events: BTreeMap<u64, Event>,
    final_until: Option<Timestamp>,
    state: Option<Vec<u8>>,
}

impl Kept {
    fn take(&mut self, account: Account) {
        for update in account.updates {
            match update {
                Update::Device(sighting) => _ = self.devices.insert(sighting.device, sighting),
                Update::Window(window) => self.keep(window),
                Update::Provisional(window) => self.provisional.push(window),
                Update::Standing(device, standing) => _ = self.standing.insert(device, standing),
                Update::Changed(_) => self.changes += 1,
                Update::Finding(finding) => {
                    _ = self.findings.insert((finding.device, finding.rule, finding.seen));
                }
                Update::Event(event) => _ = self.events.insert(event.id, event),
            }
        }
        self.final_until = account.final_until;
    }

    /// A window that is there stays as it is.
    fn keep(&mut self, window: WindowRecord) {
        let key = |window: &WindowRecord| (window.device, window.window_start, window.part);
        if !self.windows.iter().any(|known| key(known) == key(&window)) {
            self.windows.push(window);
        }
    }

    fn of_kind(&self, kind: EventKind) -> Vec<&Event> {
        self.events.values().filter(|event| event.kind == kind).collect()
    }

    fn resume(&self) -> Resume {
        let device = |(id, sighting): (&DeviceId, &Sighting)| ResumedDevice {
            sighting: sighting.clone(),
            label: None,
            is_muted: false,
            standing: self.standing.get(id).cloned(),
            windows: self.windows.iter().filter(|window| window.device == *id).cloned().collect(),
        };
        let mut parts = BTreeMap::new();
        for window in &self.windows {
            *parts.entry((window.device, window.window_start)).or_default() += 1;
        }
        Resume {
            devices: self.devices.iter().map(device).collect(),
            next_event: self.events.len() as u64 + 1,
            open_events: self.events.values().cloned().collect(),
            findings: self.findings.clone(),
            parts,
            final_until: self.final_until,
            state: self.state.clone(),
        }
    }
}

/// Plays hours of the home into a watcher, from one time on and up to another, with a step each second of it.
fn play(watcher: &mut Watcher<'_>, hours: u64, span: (i64, i64), kept: &mut Kept) {
    play_at(watcher, hours, (span, 0), kept);
}

/// The same with a clock that is so many hours ahead.
fn play_at(
    watcher: &mut Watcher<'_>,
    hours: u64,
    ((from_s, until_s), ahead): ((i64, i64), i64),
    kept: &mut Kept,
) {
    let mut begins_segment = ahead < 0;
    let mut simulation = simulation(hours);
    let (mut begin, mut next) = (None, from_s * SECOND_NS);
    while let Some(frame) = simulation.next_frame() {
        let begin: i64 = *begin.get_or_insert(frame.time_ns / HOUR_NS * HOUR_NS);
        watcher.begin(Timestamp::from_nanos(begin + from_s * SECOND_NS));
        let at = frame.time_ns - begin;
        if at < from_s * SECOND_NS || at >= until_s * SECOND_NS {
            continue;
        }
        let time_ns = frame.time_ns + ahead * HOUR_NS;
        let frame = Frame {
            time: Timestamp::from_nanos(time_ns),
            begins_segment: std::mem::take(&mut begins_segment),
            link: LinkType::Ethernet,
            wire_bytes: frame.original_bytes,
            bytes: frame.bytes,
        };
        while next <= at {
            // No tick before the frame at which the clock steps.
            if !frame.begins_segment {
                watcher.tick(Timestamp::from_nanos(begin + ahead * HOUR_NS + next - 1));
            }
            kept.take(watcher.step());
            kept.state = watcher.take_memory().map(|memory| memory.bytes).or(kept.state.take());
            next += SECOND_NS;
        }
        watcher.frame(0, frame);
    }
    kept.take(watcher.step());
    kept.state = watcher.take_memory().map(|memory| memory.bytes).or(kept.state.take());
}

fn gateway() -> MacAddr {
    home().unwrap().network.gateway.to_string().parse().unwrap()
}

fn options() -> WatchOptions {
    let mut options = WatchOptions::default();
    options.pipeline.gateways.given.insert(gateway());
    options
}

#[test]
fn windows_are_those_of_a_reading_and_come_while_packets_come() {
    let options = options();
    let stage = options.stage();
    let mut watcher = Watcher::new(&options, &stage, Resume::default());
    let mut kept = Kept::default();
    play(&mut watcher, 3, (0, 3 * 3600), &mut kept);
    let early = kept.windows.len();
    assert!(early > 10, "windows leave when they are final: {early}");
    let clock = watcher.clock().unwrap();
    watcher.tick(clock.plus_nanos(400 * SECOND_NS));
    kept.take(watcher.step());
    let found: Vec<Instance> = kept.windows.iter().map(|window| *window.instance.clone().unwrap()).collect();
    assert!(found == extracted(3), "{} windows", found.len());
    assert!(kept.windows.iter().all(|window| window.part == 0 && !window.is_cut));
    assert_eq!(kept.final_until, Some(found[0].window_start.plus_nanos(3 * HOUR_NS)));
}

#[test]
fn a_device_is_new_once_and_judged_as_its_window_goes_on() {
    let options = options();
    let stage = options.stage();
    let mut watcher = Watcher::new(&options, &stage, Resume::default());
    let mut kept = Kept::default();
    play(&mut watcher, 2, (0, 2 * 3600), &mut kept);
    let new = kept.of_kind(EventKind::NewDevice);
    let devices: BTreeSet<DeviceId> = new.iter().filter_map(|event| event.device).collect();
    assert_eq!((new.len(), devices.len()), (kept.devices.len(), kept.devices.len()));
    assert!(new.iter().all(|event| event.times == 1));
    let windows: BTreeSet<_> =
        kept.windows.iter().map(|window| (window.device, window.window_start)).collect();
    let (device, start) = *windows.first().unwrap();
    let looks: Vec<f64> = kept
        .provisional
        .iter()
        .filter(|window| (window.device, window.window_start) == (device, start))
        .filter_map(|window| window.provisional_after_s)
        .collect();
    assert!(looks.is_sorted() && looks.len() >= 3, "{looks:?}");
    assert!((60.0..62.0).contains(&looks[0]) && looks.iter().any(|after| (900.0..902.0).contains(after)));
    // What is said last of a window is what is said of it in the end.
    let last =
        kept.provisional.iter().rfind(|window| (window.device, window.window_start) == (device, start));
    let final_window =
        kept.windows.iter().find(|window| (window.device, window.window_start) == (device, start));
    assert_eq!(last.unwrap().packets_up, final_window.unwrap().packets_up);
}

#[test]
fn findings_are_events_once_for_each_rule_of_a_device() {
    let options = options();
    let stage = options.stage();
    let mut watcher = Watcher::new(&options, &stage, Resume::default());
    let mut kept = Kept::default();
    play(&mut watcher, 3, (0, 3 * 3600), &mut kept);
    kept.take(watcher.finish(true).0);
    let events: Vec<_> = kept.of_kind(EventKind::Finding);
    let told: BTreeSet<_> =
        events.iter().map(|event| (event.device.unwrap(), event.subject.clone())).collect();
    assert!(!kept.findings.is_empty());
    let broken: BTreeSet<_> = kept.findings.iter().map(|(device, rule, _)| (*device, rule.clone())).collect();
    assert_eq!(told, broken);
    assert_eq!(events.len(), told.len());
}

/// Windows of the home, each labelled with the address of its device.
fn labelled(hours: u64) -> Vec<Labeled> {
    extracted(hours)
        .into_iter()
        .map(|instance| {
            let label = Label::new(instance.device.to_string(), Kind::Iot);
            Labeled { instance, label: Some(label) }
        })
        .collect()
}

/// A model of the devices of the home.
fn model(hours: u64) -> Arc<Model> {
    Arc::new(Model::fit(&labelled(hours), &TrainOptions::default(), NonZeroUsize::MIN).unwrap())
}

#[test]
fn verdicts_stand_and_a_restart_goes_on_where_the_reading_was() {
    let model = model(12);
    let options = options();
    let stage = options.stage();
    let judged = |resume: Resume| {
        let mut watcher = Watcher::new(&options, &stage, resume);
        watcher.judge_by(Some((Arc::clone(&model), Acceptance::default())));
        watcher
    };
    let mut whole = Kept::default();
    let mut watcher = judged(Resume::default());
    play(&mut watcher, 8, (0, 8 * 3600), &mut whole);
    assert!(whole.standing.len() > 5);
    assert!(whole.standing.iter().all(|(device, standing)| standing.best_guess == device.to_string()));
    assert_eq!(whole.of_kind(EventKind::VerdictChanged).len(), 0);

    // The same with a restart in the fifth hour: what was read of it before is gone.
    let mut kept = Kept::default();
    let mut watcher = judged(Resume::default());
    play(&mut watcher, 8, (0, 4 * 3600 + 900), &mut kept);
    drop(watcher);
    let before = kept.windows.len();
    let mut watcher = judged(kept.resume());
    play(&mut watcher, 8, (4 * 3600 + 1000, 8 * 3600), &mut kept);
    let keys: BTreeSet<_> =
        kept.windows.iter().map(|window| (window.device, window.window_start, window.part)).collect();
    assert_eq!(keys.len(), kept.windows.len(), "no window comes twice");
    assert!(kept.windows.len() > before);
    let cut: BTreeSet<_> =
        kept.windows.iter().filter(|window| window.is_cut).map(|window| window.window_start).collect();
    assert_eq!(cut.len(), 1, "the window of the restart lacks packets");
    let known = kept.of_kind(EventKind::NewDevice).len();
    assert_eq!(known, kept.devices.len(), "devices of before are not new");
    let classes =
        |kept: &Kept| -> Vec<_> { kept.standing.values().map(|verdict| verdict.class.clone()).collect() };
    assert_eq!(classes(&kept), classes(&whole));
}

/// Five minutes into a window, what a device has so far is familiar where it is known, and not where it is a stranger.
#[test]
fn windows_under_way_of_strangers_are_not_accepted() {
    let rows = labelled(12);
    let stranger = rows.first().unwrap().instance.device;
    let known: Vec<Labeled> = rows.into_iter().filter(|row| row.instance.device != stranger).collect();
    let model = Model::fit(&known, &TrainOptions::of(Recipe::Best), NonZeroUsize::MIN).unwrap();
    let options = options();
    let stage = options.stage();
    let mut watcher = Watcher::new(&options, &stage, Resume::default());
    // Confidence refuses nothing here.
    let acceptance = Acceptance { confidence: 0.0, ..Acceptance::default() };
    watcher.judge_by(Some((Arc::new(model), acceptance)));
    let mut kept = Kept::default();
    play(&mut watcher, 15, (0, 15 * 3600), &mut kept);
    let accepted = |is_stranger: bool| {
        let early = kept.provisional.iter().filter(|window| {
            let after_s = window.provisional_after_s.unwrap_or_default();
            (300.0..302.0).contains(&after_s) && (window.device == stranger) == is_stranger
        });
        let answers: Vec<bool> =
            early.filter_map(|window| Some(window.answer.as_ref()?.class.is_some())).collect();
        assert!(answers.len() > 5, "{}", answers.len());
        answers.iter().filter(|is_accepted| **is_accepted).count() as f64 / answers.len() as f64
    };
    assert!(accepted(false) > 0.8, "{}", accepted(false));
    assert!(accepted(true) < 0.2, "{}", accepted(true));
}

#[test]
fn what_was_stored_is_not_given_again() {
    let options = WatchOptions { can_replay: true, ..options() };
    let stage = options.stage();
    let mut kept = Kept::default();
    let mut watcher = Watcher::new(&options, &stage, Resume::default());
    play(&mut watcher, 4, (0, 3 * 3600), &mut kept);
    // What is open is left to the next reading.
    kept.take(watcher.finish(false).0);
    let before = kept.windows.len();
    let known = kept.of_kind(EventKind::NewDevice).len();
    // A folder of captures is read again from its start.
    let mut watcher = Watcher::new(&options, &stage, kept.resume());
    play(&mut watcher, 4, (0, 4 * 3600), &mut kept);
    let clock = watcher.clock().unwrap();
    watcher.tick(clock.plus_nanos(400 * SECOND_NS));
    kept.take(watcher.step());
    let found: Vec<Instance> = kept.windows.iter().map(|window| *window.instance.clone().unwrap()).collect();
    assert!(before > 0 && found == extracted(4));
    assert_eq!(kept.of_kind(EventKind::NewDevice).len(), known.max(kept.devices.len()));
    assert!(kept.windows.iter().all(|window| window.part == 0 && !window.is_cut));
}

#[test]
fn labels_become_a_model_that_is_compared_by_time() {
    let windows = labelled(16);
    let at = Timestamp::from_seconds(1);
    let (model, trained) = train(&windows, None, (at, NonZeroUsize::MIN)).unwrap();
    assert_eq!(trained.train_windows + trained.test_windows, windows.len() as u64);
    assert_eq!((trained.present_accuracy, trained.classes.len()), (None, model.classes().len()));
    assert!(trained.accuracy > 0.9, "{}", trained.accuracy);
    assert_eq!(trained.warnings.len(), trained.classes.len(), "16 hours are few: {:?}", trained.warnings);
    // A home with a device less knows less, and says so.
    let gone = windows[0].instance.device;
    let fewer: Vec<Labeled> = windows.iter().filter(|row| row.instance.device != gone).cloned().collect();
    let (_, fewer) = train(&fewer, Some(&model), (at, NonZeroUsize::MIN)).unwrap();
    assert!(fewer.present_accuracy.is_some());
    assert!(fewer.warnings.iter().any(|warning| warning.contains(&gone.to_string())));
    let error = train(&windows[..1], None, (at, NonZeroUsize::MIN)).unwrap_err();
    assert!(error.0.contains("label at least two devices"), "{error}");
}

#[test]
fn a_clock_that_is_set_back_gives_pieces_and_says_so() {
    let options = options();
    let stage = options.stage();
    let mut watcher = Watcher::new(&options, &stage, Resume::default());
    let mut kept = Kept::default();
    play(&mut watcher, 4, (0, 3 * 3600), &mut kept);
    play_at(&mut watcher, 5, ((3 * 3600, 5 * 3600), -1), &mut kept);
    kept.take(watcher.finish(true).0);
    assert_eq!(kept.of_kind(EventKind::ClockStepped).len(), 1);
    let keys: BTreeSet<_> =
        kept.windows.iter().map(|window| (window.device, window.window_start, window.part)).collect();
    assert_eq!(keys.len(), kept.windows.len(), "no piece takes the place of another");
    let hours: BTreeSet<_> = kept.windows.iter().map(|window| window.window_start).collect();
    assert_eq!(hours.len(), 4);
    let packets = |windows: &[WindowRecord]| windows.iter().map(|window| window.packets_up).sum::<u64>();
    let expected: u64 = extracted(5).iter().map(|instance| instance.counts.packets_up).sum();
    assert_eq!(packets(&kept.windows), expected, "no packet is lost");
}

#[test]
fn a_clock_that_is_set_forward_closes_windows() {
    let options = options();
    let stage = options.stage();
    let mut watcher = Watcher::new(&options, &stage, Resume::default());
    let mut kept = Kept::default();
    play(&mut watcher, 2, (0, 2 * 3600), &mut kept);
    play_at(&mut watcher, 3, ((2 * 3600, 3 * 3600), 1), &mut kept);
    kept.take(watcher.finish(true).0);
    let hours: BTreeSet<_> = kept.windows.iter().map(|window| window.window_start).collect();
    assert_eq!(hours.len(), 3, "the hour between has no windows");
    let found: u64 = kept.windows.iter().map(|window| window.packets_up).sum();
    let expected: u64 = extracted(3).iter().map(|instance| instance.counts.packets_up).sum();
    assert_eq!(found, expected);
}

#[test]
fn captures_of_an_earlier_time_are_no_repetition() {
    let options = WatchOptions { can_replay: true, ..options() };
    let stage = options.stage();
    let far = Timestamp::from_seconds(4_000_000_000);
    let resume = Resume { final_until: Some(far), ..Resume::default() };
    let mut watcher = Watcher::new(&options, &stage, resume);
    let mut kept = Kept::default();
    play(&mut watcher, 2, (0, 2 * 3600), &mut kept);
    kept.take(watcher.finish(true).0);
    assert_eq!(kept.windows.len(), extracted(2).len());
    assert!(kept.final_until < Some(far), "what is stored now is final up to its own time");
}

/// The hours of the cut windows, counted from the first window, once all windows are final.
fn cut_hours(mut watcher: Watcher<'_>, mut kept: Kept) -> BTreeSet<i64> {
    let clock = watcher.clock().unwrap();
    watcher.tick(clock.plus_nanos(400 * SECOND_NS));
    kept.take(watcher.step());
    let first = kept.windows[0].window_start;
    let cut = kept.windows.iter().filter(|window| window.is_cut);
    cut.map(|window| window.window_start.nanos_since(first) / HOUR_NS).collect()
}

#[test]
fn a_source_that_fails_cuts_each_window_of_its_failure() {
    let options = WatchOptions { sources: 2, ..options() };
    let stage = options.stage();
    let mut watcher = Watcher::new(&options, &stage, Resume::default());
    let mut kept = Kept::default();
    play(&mut watcher, 5, (0, 3600 + 1800), &mut kept);
    watcher.set_failing(1, true);
    play(&mut watcher, 5, (3600 + 1800, 3 * 3600 + 600), &mut kept);
    watcher.set_failing(1, false);
    play(&mut watcher, 5, (3 * 3600 + 600, 5 * 3600), &mut kept);
    assert_eq!(cut_hours(watcher, kept), BTreeSet::from([1, 2, 3]));
}

#[test]
fn a_packet_of_a_source_ends_its_failure() {
    let options = options();
    let stage = options.stage();
    let mut watcher = Watcher::new(&options, &stage, Resume::default());
    let mut kept = Kept::default();
    play(&mut watcher, 6, (0, 3600 + 1800), &mut kept);
    watcher.set_failing(0, true);
    // It is noticed hours of packets later that the source delivers again.
    play(&mut watcher, 6, (2 * 3600 + 1800, 5 * 3600), &mut kept);
    watcher.set_failing(0, false);
    play(&mut watcher, 6, (5 * 3600, 6 * 3600), &mut kept);
    assert_eq!(cut_hours(watcher, kept), BTreeSet::from([1, 2]));
}

#[test]
fn what_caps_leave_out_is_told_by_device_and_an_event() {
    let mut options = options();
    // Four flows in each shard.
    options.pipeline.flow.max_flows = 64;
    let stage = options.stage();
    let mut watcher = Watcher::new(&options, &stage, Resume::default());
    let mut kept = Kept::default();
    play(&mut watcher, 1, (0, 1800), &mut kept);
    let health = watcher.health();
    let lost = health.losses.devices.first().unwrap();
    let name = |kind: &LossKind| kind.name().to_owned();
    assert!(lost.counts.keys().map(name).any(|kind| kind == "flows"), "{lost:?}");
    assert_eq!(health.losses.total(), health.capture.left_out);
    for _ in 0..2 {
        watcher.note_left_out(&health.losses);
        kept.take(watcher.step());
    }
    let told = kept.of_kind(EventKind::LeftOut);
    let devices: BTreeSet<DeviceId> = health.losses.devices.iter().map(|lost| lost.device).collect();
    let of_events: Vec<DeviceId> = told.iter().filter_map(|event| event.device).collect();
    assert_eq!((of_events.len(), BTreeSet::from_iter(of_events)), (devices.len(), devices));
    assert!(told.iter().all(|event| event.text.contains("a limit was reached") && event.times == 1));
}

#[test]
fn a_frame_from_the_future_closes_no_window() {
    let options = options();
    let stage = options.stage();
    let mut watcher = Watcher::new(&options, &stage, Resume::default());
    let mut kept = Kept::default();
    play(&mut watcher, 1, (0, 1800), &mut kept);
    let clock = watcher.clock().unwrap();
    watcher.note_time(clock);
    let frame = Frame { time: clock.plus_nanos(48 * HOUR_NS), link: LinkType::Ethernet, ..Frame::default() };
    watcher.frame(0, frame);
    assert_eq!((watcher.clock(), watcher.health().capture.left_out), (Some(clock), 1));
}
