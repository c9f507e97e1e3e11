//! One of the two times: what was read of captures, of files of instances or of a store.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use thingprint_audit::Audit;
use thingprint_audit::report::Notice;
use thingprint_change::Losses;
use thingprint_flow::{DeviceId, DeviceLosses, Timestamp};
use thingprint_instance::{ExtractionRecipe, Labeled};
use thingprint_pipeline::Summary;
use thingprint_watch::FindingRecord;

use crate::commands::audit::survey::Survey;
use crate::copies::without_copies;
use crate::exit::Outcome;
use crate::inputs::Input;
use crate::left_out::report_left_out;
use crate::messages::{Kept, Messages, counted};

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;
/// Days of the earlier time from which on all of it can be judged.
const LEAST_DAYS: usize = 3;

/// What was read of a side.
#[derive(Default)]
pub(in crate::commands) struct SideRead {
    /// The argument.
    pub(in crate::commands) name: String,
    /// All that was given.
    pub(in crate::commands) inputs: Vec<Input>,
    /// The captures among it, each once.
    pub(in crate::commands) captures: Vec<Input>,
    pub(in crate::commands) rows: Vec<Labeled>,
    /// How the instances were made, where that is known.
    pub(in crate::commands) recipe: Option<ExtractionRecipe>,
    /// Hosts that devices exchanged packets with, by window; of captures alone.
    pub(in crate::commands) peers: Option<Vec<(DeviceId, Timestamp, String)>>,
    /// What an audit saw; of captures alone.
    pub(in crate::commands) survey: Option<Survey>,
    /// The findings that a store has.
    pub(in crate::commands) stored: Option<Vec<FindingRecord>>,
    /// What is known of the captures.
    pub(in crate::commands) summary: Option<Summary>,
    /// What there is to know about its reading, which is not said yet.
    pub(in crate::commands) notices: Vec<Notice>,
    /// What caps left out of it.
    pub(in crate::commands) left_out: DeviceLosses,
    pub(in crate::commands) outcome: Outcome,
}

impl SideRead {
    /// Forgets what an audit saw beside its findings: a comparison asks for no more, and both sides are kept at once.
    pub(in crate::commands) fn keep_findings_alone(&mut self) {
        if let Some(survey) = &mut self.survey {
            survey.seen.keep_audit_alone();
        }
    }

    /// The findings, where captures were audited.
    pub(in crate::commands) fn audit(&self) -> Option<&Audit> {
        self.survey.as_ref().map(|survey| &survey.seen.audit)
    }

    /// Says what there is to know about the reading; `whose` stands before it.
    pub(in crate::commands) fn report(&self, whose: &str, messages: Messages) {
        self.report_but(|_| false, whose, messages);
    }

    /// The same without what was said already.
    fn report_but(&self, is_said: impl Fn(&Notice) -> bool, whose: &str, messages: Messages) {
        self.notices.iter().filter(|notice| !is_said(notice)).for_each(|notice| messages.tell(whose, notice));
        let kept = Kept::new(messages.later());
        report_left_out(&self.left_out, &kept);
        kept.into_notices().iter().for_each(|notice| messages.tell(whose, notice));
    }

    /// Start of the first and of the last window.
    pub(in crate::commands) fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let starts = || self.rows.iter().map(|row| row.instance.window_start);
        starts().min().zip(starts().max())
    }

    /// When its traffic begins and ends, as far as that is known: to the packet of captures, to the window of instances.
    fn extent(&self) -> Option<Extent> {
        if let Some((first, last)) = self.summary.as_ref().and_then(|summary| summary.span) {
            return Some(Extent { begin: (first, first), end: (last, last) });
        }
        let behind = |row: &Labeled| {
            let length = Duration::try_from_secs_f64(row.instance.window_s).unwrap_or_default();
            let length_ns = i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
            row.instance.window_start.plus_nanos((length_ns - 1).max(0))
        };
        let (first, last) = self.span()?;
        let in_first = self.rows.iter().filter(|row| row.instance.window_start == first).map(behind).max()?;
        let in_last = self.rows.iter().map(behind).max()?;
        Some(Extent { begin: (first, in_first), end: (last, in_last) })
    }
}

/// The earliest and the latest time at which traffic may begin, and the same of its end.
struct Extent {
    begin: (Timestamp, Timestamp),
    end: (Timestamp, Timestamp),
}

/// Says what there is to know about the readings of both sides: what is the same of both, once.
pub(in crate::commands) fn report_both(sides: &[SideRead; 2], messages: Messages) {
    let [before, after] = sides;
    let same = |notice: &Notice| before.notices.contains(notice) && after.notices.contains(notice);
    for notice in before.notices.iter().filter(|notice| same(notice)) {
        messages.tell("before and after: ", notice);
    }
    for (side, whose) in [(before, "before: "), (after, "after: ")] {
        side.report_but(same, whose, messages);
    }
}

/// Whether both sides are of the same files, or of the same packets in other files.
pub(in crate::commands) fn are_same(sides: &[SideRead; 2]) -> bool {
    let [before, after] = sides;
    let files = |side: &SideRead| side.inputs.iter().map(Input::identity).collect::<BTreeSet<_>>();
    let both = || [before.inputs.as_slice(), after.inputs.as_slice()].concat();
    files(before) == files(after)
        || (before.inputs.len() == after.inputs.len()
            && without_copies(&both(), Messages::new(true, false)).len() == before.inputs.len())
}

/// Why two times are no BEFORE and AFTER, where it is certain that they are none.
fn misorder(sides: &[SideRead; 2]) -> Option<String> {
    let [before, after] = sides;
    if are_same(sides) {
        return Some(format!(
            "{} and {} are the same packets, so that nothing can differ: give two times",
            before.name, after.name
        ));
    }
    let (of_before, of_after) = (before.extent()?, after.extent()?);
    if of_after.end.1 < of_before.begin.0 {
        return Some(format!(
            "{} ends before {} begins, so that what is new may be gone and what is gone new: swap them, BEFORE is the earlier time",
            after.name, before.name
        ));
    }
    (of_after.begin.1 < of_before.end.0).then(|| {
        format!(
            "{} begins before the end of {}: windows of both are compared as if they were before and after",
            after.name, before.name
        )
    })
}

/// Why a comparison of these sides says little, or the wrong thing.
pub(in crate::commands) fn doubts(sides: &[SideRead; 2]) -> Vec<String> {
    misorder(sides).into_iter().chain(too_few_days(&sides[0])).collect()
}

/// Sides without a window, in words.
pub(in crate::commands) fn nothing(sides: &[SideRead; 2]) -> Vec<String> {
    let empty = sides.iter().filter(|side| side.rows.is_empty());
    empty.map(|side| format!("{}: no window of any device: there is nothing to compare", side.name)).collect()
}

/// Whether the earlier time is too short to say what is usual.
fn too_few_days(before: &SideRead) -> Option<String> {
    let day = |row: &Labeled| row.instance.window_start.as_nanos().div_euclid(DAY_NS);
    let days: BTreeSet<i64> = before.rows.iter().map(day).collect();
    (!days.is_empty() && days.len() < LEAST_DAYS).then(|| {
        format!(
            "{} has windows of {} on {} (UTC): with fewer than {LEAST_DAYS} days, what is usual for a device is hardly known",
            before.name,
            length(&before.rows),
            counted(days.len() as u64, "day", "days")
        )
    })
}

/// How long windows are together, each time once.
fn length(rows: &[Labeled]) -> String {
    let windows: BTreeMap<Timestamp, f64> =
        rows.iter().map(|row| (row.instance.window_start, row.instance.window_s)).collect();
    let minutes = (windows.values().sum::<f64>() / 60.0).round();
    if minutes < 120.0 {
        return format!("{minutes} minutes");
    }
    format!("{} hours", (minutes / 60.0).round())
}

/// What was left out because it was too much, in words; the result is a part of what it should be, then.
pub(in crate::commands) fn losses(losses: Losses) -> Vec<String> {
    let told = [
        (
            losses.windows_dropped,
            "windows were left out: there are more devices or words than can be compared",
        ),
        (losses.words_dropped, "words found no room, and are not compared"),
        (losses.words_unfollowed, "new words were not followed: there are too many"),
    ];
    let told = told.into_iter().filter(|(count, _)| *count > 0);
    told.map(|(count, what)| format!("{count} {what}")).collect()
}

/// What devices are called: by the later side, else by the earlier one.
pub(in crate::commands) fn names(sides: &[SideRead; 2]) -> BTreeMap<DeviceId, String> {
    let label = |row: &Labeled| Some((row.instance.device, row.label.as_ref()?.class.clone()));
    sides.iter().flat_map(|side| side.rows.iter().filter_map(label)).collect()
}
