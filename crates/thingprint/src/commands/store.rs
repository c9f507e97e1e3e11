use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use thingprint_flow::{DeviceId, Timestamp, WindowLength};
use thingprint_store::{Problem, Reader, Store, StoreError, machine_clock};
use thingprint_table::rfc3339;
use thingprint_watch::{EventFilter, EventKind, Records, RecordsError};

use self::export::ExportArgs;
use crate::args::GlobalArgs;
use crate::exit::{Outcome, Usage};
use crate::messages::{Messages, counted};
use crate::output::Output;

mod export;
mod tables;

/// Show, export and prune what a watch has stored
///
/// All but prune and forget work while a watch writes the store.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// The store: what was given to `watch --store` or `collect --store`
    #[arg(value_name = "STORE")]
    store: PathBuf,

    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Count what is in it
    Info,
    /// List its devices with label, verdict and what is open
    Devices(DevicesArgs),
    /// List the IP addresses and host names that devices had, with the time for which they had them
    History(DeviceChoice),
    /// List windows, the latest first
    Windows(WindowsArgs),
    /// List how the verdicts on a device changed, the latest first
    Changes(OneDevice),
    /// List events, the latest first
    Events(EventsArgs),
    /// List findings, the most severe first
    Findings(DeviceChoice),
    /// List the labels that were given; as CSV they are a label file
    Labels,
    /// Write instances with labels, as `train` reads them
    Export(ExportArgs),
    /// Take out what is older than it is kept for, and give its space back; stop the watch first
    Prune(PruneArgs),
    /// Forget everything about a device, and write the file anew without it; stop the watch first
    Forget(OneDevice),
    /// Check whether the file is sound, and whether every instance can be read
    Check,
}

#[derive(Debug, Args)]
struct DevicesArgs {
    /// Show all columns in a table too, however wide it gets; the other formats always have all
    #[arg(long)]
    wide: bool,
}

#[derive(Debug, Args)]
struct DeviceChoice {
    /// Only of this device: its MAC address
    #[arg(value_name = "DEVICE")]
    device: Option<DeviceId>,
}

#[derive(Debug, Args)]
struct OneDevice {
    /// The device: its MAC address
    #[arg(value_name = "DEVICE")]
    device: DeviceId,
}

#[derive(Debug, Args)]
struct WindowsArgs {
    #[command(flatten)]
    of: DeviceChoice,

    /// Only of these days in UTC, such as 2026-11-01..2026-11-03, 2026-11-01.. or 2026-11-01
    #[arg(long, value_name = "DAYS", value_parser = parse_days)]
    days: Option<Days>,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    most: usize,
}

#[derive(Debug, Args)]
struct EventsArgs {
    #[command(flatten)]
    of: DeviceChoice,

    /// Only of this kind, such as new-device or verdict-changed
    #[arg(long, value_name = "KIND")]
    kind: Option<EventKind>,

    /// Only those that nobody acknowledged
    #[arg(long)]
    open: bool,

    /// Only from this time on, such as 2026-11-01 or 2026-11-01T13:00:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<Timestamp>,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    most: usize,
}

#[derive(Debug, Args)]
struct PruneArgs {
    /// Keep so much before the last final window: 90d, 12h ...
    #[arg(long, value_name = "LENGTH", value_parser = parse_keep)]
    keep: Duration,

    /// Prune also where that takes out most windows since the clock jumped: none are there of the time between
    #[arg(long)]
    despite_jump: bool,
}

/// A span of days in UTC; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Days {
    /// Begin of the first day.
    from: Option<Timestamp>,
    /// End of the last day.
    to: Option<Timestamp>,
}

impl StoreArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        thingprint_store::check_name(&self.store)
            .map_err(|error| Usage(format!("{}: {}", error.path.display(), error.problem)))?;
        if self.store.metadata().is_ok_and(|there| there.is_file() && there.len() == 0) {
            bail!("failed to use the store {}: the file is empty", self.store.display());
        }
        match &self.action {
            Action::Prune(args) => return self.prune(args, messages),
            Action::Forget(args) => return self.forget(args.device, messages),
            _ => {}
        }
        let output = Output::of(global)?;
        let log = beside(&self.store, "-wal");
        output.check_apart_from(&[Some(&self.store), Some(&log)])?;
        let reader = Reader::open(&self.store).map_err(failed)?;
        let table = match &self.action {
            Action::Info => tables::info(&reader.info().map_err(failed)?, output.format()),
            Action::Devices(args) => {
                tables::devices(&reader.devices().map_err(told)?, output.format(), args.wide)?
            }
            Action::History(args) => tables::history(
                &reader.addresses(args.device).map_err(failed)?,
                &reader.host_names(args.device).map_err(failed)?,
            )?,
            Action::Windows(args) => args.table(&reader, messages)?,
            Action::Changes(args) => tables::changes(&reader.changes(args.device).map_err(told)?)?,
            Action::Events(args) => args.table(&reader, output.format(), messages)?,
            Action::Findings(args) => {
                tables::findings(&reader.findings(args.device).map_err(told)?, output.format())?
            }
            Action::Labels => tables::labels(&reader.labels().map_err(told)?)?,
            Action::Export(args) => return args.run(&reader, &output, messages),
            Action::Check => return check(&reader, messages),
            Action::Prune(_) | Action::Forget(_) => return Ok(Outcome::Done),
        };
        output.table(&table)?;
        Ok(Outcome::Done)
    }

    fn prune(&self, args: &PruneArgs, messages: Messages) -> anyhow::Result<Outcome> {
        let mut store = self.to_change()?;
        let now = machine_clock();
        let Some(before) = store.kept_from(args.keep, now).map_err(failed)? else {
            messages.note("nothing is final yet, and nothing is pruned");
            return Ok(Outcome::Done);
        };
        if let Some(jump) = store.jump(args.keep, now).map_err(failed)?.filter(|_| !args.despite_jump) {
            return Err(anyhow!(
                "failed to prune: {jump}; if no clock was wrong, prune them with --despite-jump"
            ));
        }
        let pruned = store.prune(before).map_err(failed)?;
        messages.note(format!(
            "{}, {}, {} and {} of before {} were taken out",
            counted(pruned.windows, "window", "windows"),
            counted(pruned.changes, "change of verdicts", "changes of verdicts"),
            counted(pruned.events, "acknowledged event", "acknowledged events"),
            counted(pruned.devices, "device without anything else", "devices without anything else"),
            rfc3339::format(before)
        ));
        Ok(Outcome::Done)
    }

    fn forget(&self, device: DeviceId, messages: Messages) -> anyhow::Result<Outcome> {
        let forgotten = self.to_change()?.forget(device).map_err(failed)?;
        if forgotten.rows == 0 {
            messages.note(format!(
                "nothing of {device} was there any more; the file is written anew without what was forgotten"
            ));
        } else {
            messages.note(format!(
                "{} of {device} forgotten, and {} of others that named it",
                counted(forgotten.rows, "row", "rows"),
                counted(forgotten.mentions, "text", "texts"),
            ));
        }
        if forgotten.damaged > 0 {
            let damaged = counted(forgotten.damaged, "instance", "instances");
            messages.warn(format!(
                "{damaged} of other devices that cannot be read may name it, and were thrown away"
            ));
        }
        if !forgotten.state.is_empty() {
            let names = forgotten.state.join(", ");
            messages.note(format!("what was learned of it is thrown away, and begins anew: {names}"));
        }
        let mut outcome = Outcome::Done;
        if forgotten.is_log_left {
            messages.warn("another program reads the store: close it, then forget again, so that the log beside it is emptied");
            outcome = Outcome::Partial;
        }
        let parts = forgotten.parts + parts_beside(&self.store);
        if parts > 0 {
            messages.warn(format!(
                "{} of taps {} kept for windows to come and may name it: windows of it may come from them again; they go when \
                 their windows are final, then forget it again",
                counted(parts, "part", "parts"),
                if parts == 1 { "is" } else { "are" },
            ));
            outcome = Outcome::Partial;
        }
        Ok(outcome)
    }

    /// The store for a change; one that is not there is not made.
    fn to_change(&self) -> anyhow::Result<Store> {
        match Reader::open(&self.store) {
            Err(error) if matches!(error.problem, Problem::Missing | Problem::Foreign) => Err(failed(error)),
            _ => Store::open(&self.store).map_err(failed),
        }
    }
}

impl WindowsArgs {
    fn table(&self, reader: &Reader, messages: Messages) -> anyhow::Result<thingprint_table::Table> {
        let Days { from, to } = self.days.unwrap_or_default();
        let span = (from.unwrap_or(Timestamp::MIN), to.unwrap_or(Timestamp::MAX));
        let windows = reader.windows_between(self.of.device, span, self.most).map_err(failed)?;
        note_most(windows.len(), self.most, "windows", messages);
        tables::windows(&windows)
    }
}

impl EventsArgs {
    fn table(
        &self,
        reader: &Reader,
        format: thingprint_table::Format,
        messages: Messages,
    ) -> anyhow::Result<thingprint_table::Table> {
        let filter = EventFilter {
            device: self.of.device,
            kind: self.kind,
            since: self.since,
            is_open: self.open,
            before: None,
            most: self.most,
        };
        let events = reader.events(&filter).map_err(told)?;
        note_most(events.len(), self.most, "events", messages);
        tables::events(&events, format)
    }
}

fn check(reader: &Reader, messages: Messages) -> anyhow::Result<Outcome> {
    let found = reader.check().map_err(failed)?;
    if found.is_empty() {
        messages.note("the store is sound");
        return Ok(Outcome::Done);
    }
    Err(anyhow!(
        "the store is damaged: {}; save what can be read with export, move it aside, and begin again without it",
        found.join("; ")
    ))
}

fn note_most(found: usize, most: usize, what: &str, messages: Messages) {
    if found == most {
        messages.note(format!("the last {most} {what}; ask for more with --most"));
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is given by map_err")]
fn failed(error: StoreError) -> anyhow::Error {
    anyhow!("failed to {error}")
}

fn told(error: RecordsError) -> anyhow::Error {
    anyhow!(error)
}

fn beside(store: &Path, suffix: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// How many parts of taps a collector keeps beside a store in a file.
fn parts_beside(store: &Path) -> u64 {
    let entries = std::fs::read_dir(beside(store, ".parts")).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "parcel")).count() as u64
}

fn parse_days(text: &str) -> Result<Days, String> {
    let day = |text: &str| -> Result<Option<Timestamp>, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let is_day = text.len() == "2026-11-01".len() && text.contains('-');
        let time = rfc3339::parse(text).filter(|_| is_day);
        time.map(Some).ok_or_else(|| format!("invalid days '{text}': expected 2026-11-01..2026-11-03"))
    };
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (from, last) = (day(first)?, day(last)?);
    let to = last.map(|last| last.plus_nanos(DAY_NS));
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        return Err(format!("invalid days '{text}': the last one is before the first"));
    }
    Ok(Days { from, to })
}

/// Nanoseconds of a day in UTC.
const DAY_NS: i64 = 86_400_000_000_000;

fn parse_time(text: &str) -> Result<Timestamp, String> {
    rfc3339::parse(text)
        .ok_or_else(|| format!("invalid time '{text}': expected one such as 2026-11-01T13:00:00Z"))
}

fn parse_keep(text: &str) -> Result<Duration, String> {
    match text.parse::<WindowLength>() {
        Ok(WindowLength::Span(nanos)) => Ok(Duration::from_nanos(nanos)),
        _ => Err(format!("invalid length '{text}': expected one such as 90d or 12h")),
    }
}

/// A usage error of the options of an export.
fn usage(text: &str) -> anyhow::Error {
    Usage(text.to_owned()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_include_the_last_one() {
        let day = |text: &str| rfc3339::parse(text);
        let check = |text: &str, from: Option<&str>, to: Option<&str>| {
            let expected = Days { from: from.and_then(day), to: to.and_then(day) };
            assert_eq!(parse_days(text), Ok(expected), "{text}");
        };
        check("2026-11-01..2026-11-03", Some("2026-11-01"), Some("2026-11-04"));
        check("2026-11-01", Some("2026-11-01"), Some("2026-11-02"));
        check("2026-11-01..", Some("2026-11-01"), None);
        check("..2026-11-01", None, Some("2026-11-02"));
        for wrong in ["2026-11-03..2026-11-01", "yesterday", "2026-11-01T10:00:00Z", "1793491200"] {
            assert!(parse_days(wrong).is_err(), "{wrong}");
        }
    }
}
