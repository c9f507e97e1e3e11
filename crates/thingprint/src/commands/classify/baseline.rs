use std::ffi::OsString;

use clap::Args;
use thingprint_change::{Change, ChangeOptions, Detector, DeviceState, DeviceStatus, Losses, Measure};
use thingprint_instance::{EvidenceSet, Labeled};

use crate::exit::{Outcome, Usage};
use crate::left_out::report_left_out;
use crate::messages::{Messages, counted};

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;

/// Days of a baseline from which on alarms mean something: each block of time has one.
const LEAST_DAYS: usize = 3;

/// What windows are compared with.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Change")]
pub(super) struct BaselineArgs {
    /// Captures or instances of an earlier time: report what changed since then (may be given several times)
    #[arg(long, value_name = "CAPTURE|INSTANCES", conflicts_with = "explain")]
    pub(super) baseline: Vec<OsString>,
}

/// What changed between the baseline and the windows that are classified.
#[derive(Debug)]
pub(super) struct Comparison {
    /// The changes, in the order of time.
    pub(super) changes: Vec<Change>,
    /// Each device of either time, whether it changed or not.
    pub(super) devices: Vec<DeviceStatus>,
    /// Whether caps left nothing out.
    pub(super) outcome: Outcome,
}

impl BaselineArgs {
    /// The evidence that captures are extracted with, where none is asked for: what the model looks at, and with a
    /// baseline every bag.
    pub(super) fn evidence(&self, of_model: EvidenceSet, asked: Option<EvidenceSet>) -> EvidenceSet {
        if self.baseline.is_empty() || asked.is_some() {
            return of_model;
        }
        of_model.with(EvidenceSet::all().only(|_| false, |_| true))
    }
}

impl Comparison {
    /// Compares windows with earlier ones.
    pub(super) fn of(past: &[Labeled], rows: &[Labeled], messages: Messages) -> Result<Self, Usage> {
        if past.iter().chain(rows).any(|row| row.instance.capture.is_some()) {
            return Err(Usage(
                "--baseline: windows that are whole captures differ in length and cannot be compared; extract windows of \
                 an hour"
                    .to_owned(),
            ));
        }
        warn_of_absent_bags(past, rows, messages);
        warn_of_shared_windows(past, rows, messages);
        warn_of_order(past, rows, messages);
        let mut detector = Detector::new(ChangeOptions::default());
        for row in past {
            detector.learn(&row.instance);
        }
        let mut windows: Vec<&Labeled> = rows.iter().collect();
        windows.sort_by_key(|row| (row.instance.window_start, row.instance.device));
        let mut changes = Vec::new();
        for row in &windows {
            changes.extend(detector.push(&row.instance));
        }
        changes.extend(detector.close());
        let devices = detector.devices(windows.last().map(|row| row.instance.window_start)).collect();
        let outcome = warn_of_losses(&detector, messages);
        let comparison = Self { changes, devices, outcome };
        messages.note(comparison.summary(past.len()));
        Ok(comparison)
    }

    fn summary(&self, past: usize) -> String {
        let changes =
            |is_one: fn(&Change) -> bool| self.changes.iter().filter(|one| is_one(one)).count() as u64;
        let devices = |state| self.devices.iter().filter(|status| status.state == state).count() as u64;
        let alarms = counted(changes(|change| matches!(change, Change::Alarm(_))), "alarm", "alarms");
        let events = changes(|change| matches!(change, Change::Network(_)));
        let days = changes(|change| matches!(change, Change::Day(_)));
        format!(
            "compared with {past} earlier windows: {alarms}, {}, {}; devices: {} as known, {} new, {} with too few earlier \
             windows, {} silent",
            counted(events, "network event", "network events"),
            counted(days, "change by day", "changes by day"),
            devices(DeviceState::Compared),
            devices(DeviceState::New),
            devices(DeviceState::TooFew),
            devices(DeviceState::Silent),
        )
    }
}

/// Names bags that changes are measured by and that either side lacks.
fn warn_of_absent_bags(past: &[Labeled], rows: &[Labeled], messages: Messages) {
    let bags_of = |rows: &[Labeled]| {
        rows.iter().fold(EvidenceSet::NONE, |set, row| set.with(row.instance.bags.evidence()))
    };
    for (rows, side) in [(past, "the baseline lacks"), (rows, "the instances to compare lack")] {
        let absent = Measure::evidence().without(bags_of(rows));
        if !absent.is_empty() && !rows.is_empty() {
            messages.warn(format!(
                "{side} {absent}: changes of it are not detected; extract instances with --evidence all"
            ));
        }
    }
}

fn warn_of_shared_windows(past: &[Labeled], rows: &[Labeled], messages: Messages) {
    let key = |row: &Labeled| (row.instance.device, row.instance.window_start);
    let known: std::collections::BTreeSet<_> = past.iter().map(key).collect();
    let shared = rows.iter().filter(|row| known.contains(&key(row))).count() as u64;
    if shared > 0 {
        let windows = counted(shared, "window is", "windows are");
        messages.warn(format!("{windows} in the baseline as well, and cannot differ from it"));
    }
}

/// Windows to compare that are older than the baseline are nearly always files of it: an option takes one value, so that
/// the further names of a list or glob are inputs.
fn warn_of_order(past: &[Labeled], rows: &[Labeled], messages: Messages) {
    let start = |row: &Labeled| row.instance.window_start;
    let Some(begin) = past.iter().map(start).min() else { return };
    let older = rows.iter().filter(|row| start(row) < begin).count() as u64;
    if older > 0 {
        let windows = counted(older, "window to compare is", "windows to compare are");
        messages.warn(format!(
            "{windows} older than the baseline; give each file of the baseline with its own --baseline, or a quoted glob"
        ));
    }
    let days: std::collections::BTreeSet<i64> =
        past.iter().map(|row| start(row).as_nanos().div_euclid(DAY_NS)).collect();
    if days.len() < LEAST_DAYS {
        messages.warn(format!(
            "the baseline is of {}: with fewer than {LEAST_DAYS} nearly everything looks new",
            counted(days.len() as u64, "day", "days")
        ));
    }
}

/// Says what the detector had no room for.
fn warn_of_losses(detector: &Detector, messages: Messages) -> Outcome {
    let losses = detector.losses();
    if losses.words_dropped > 0 {
        let words = counted(losses.words_dropped, "word", "words");
        messages.warn(format!("the baseline has no room for {words}, which count as new"));
    }
    if losses.words_unfollowed > 0 {
        let words = counted(losses.words_unfollowed, "new word was", "new words were");
        messages.warn(format!("{words} not followed for changes by day: there are too many"));
    }
    let whole = if losses == Losses::default() { Outcome::Done } else { Outcome::Partial };
    report_left_out(detector.left_out(), messages).max(whole)
}
