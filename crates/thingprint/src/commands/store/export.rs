use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{ExtractionRecipe, Instance, Kind, Label, Labeled};
use thingprint_report::{Labels, instance_overview, into_instance_table};
use thingprint_store::{ExportCounts, ExportOptions, Reader, StoreError};
use thingprint_table::{Format, Table};
use thingprint_watch::Records;

use super::{DAY_NS, Days, failed, parse_days, told, usage};
use crate::exit::Outcome;
use crate::files::read_labels_to_keep;
use crate::messages::{Messages, counted};
use crate::output::Output;
use crate::row_output::RowEvent;

/// Write instances with labels, as `train` reads them
///
/// Labels are those that were given on the page, unless the label file has the device. Windows in which the watch began or
/// ended, or that were made by other options than the last one, are left out and counted.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Only these days in UTC, such as 2026-11-01..2026-11-03, 2026-11-01.. or 2026-11-01
    #[arg(long, value_name = "DAYS", value_parser = parse_days, conflicts_with = "closed")]
    days: Option<Days>,

    /// Only days that are over: no window of theirs can come any more
    #[arg(long)]
    closed: bool,

    /// What the devices are, before the labels of the page: CSV with the columns mac,label,kind
    #[arg(short, long, value_name = "FILE")]
    labels: Option<PathBuf>,

    /// Windows in which the watch began or ended, too: packets of them are missing
    #[arg(long)]
    with_cut: bool,
}

impl ExportArgs {
    pub(super) fn run(
        &self,
        reader: &Reader,
        output: &Output,
        messages: Messages,
    ) -> anyhow::Result<Outcome> {
        let labels = Given::read(self, reader, output, messages)?;
        let Days { from, to } = self.span(reader)?;
        let recipe = reader.recipe().map_err(failed)?;
        let options = ExportOptions { from, to, recipe: recipe.clone(), with_cut: self.with_cut };
        let table = |rows: Vec<Labeled>| table(rows, recipe.as_ref(), output.format());
        let mut labelled = 0;
        let counts = output.rows(&table(Vec::new()), true, |write| {
            let exported = reader.export::<Failure>(&options, &mut |rows| {
                let rows: Vec<Labeled> = rows.into_iter().map(|row| labels.labelled(row)).collect();
                labelled += rows.iter().filter(|row| row.label.is_some()).count() as u64;
                Ok(write(RowEvent::Rows(table(rows)))?)
            });
            exported.map_err(Failure::into)
        })?;
        report(&counts, labelled, messages);
        Ok(if counts.unreadable > 0 { Outcome::Partial } else { Outcome::Done })
    }

    /// The days that are asked for.
    fn span(&self, reader: &Reader) -> anyhow::Result<Days> {
        if !self.closed {
            return Ok(self.days.unwrap_or_default());
        }
        let until = reader.final_until().map_err(failed)?;
        let until =
            until.ok_or_else(|| usage("--closed: no day is over yet: nothing is final in the store"))?;
        let over = until.as_nanos().div_euclid(DAY_NS).saturating_mul(DAY_NS);
        Ok(Days { from: None, to: Some(Timestamp::from_nanos(over)) })
    }
}

/// Labels of a file and of the page.
struct Given {
    file: Labels,
    page: BTreeMap<DeviceId, Label>,
}

impl Given {
    fn read(args: &ExportArgs, reader: &Reader, output: &Output, messages: Messages) -> anyhow::Result<Self> {
        output.check_apart_from(&[args.labels.as_deref()])?;
        let page = reader.labels().map_err(told)?.into_iter();
        Ok(Self {
            file: read_labels_to_keep(args.labels.as_deref(), messages)?,
            page: page.map(|given| (given.device, Label::new(&given.label, Kind::Iot))).collect(),
        })
    }

    fn labelled(&self, instance: Instance) -> Labeled {
        let device = instance.device;
        let file = self.file.label_at(device, None, instance.window_start);
        let label = file.or_else(|| self.page.get(&device)).cloned();
        Labeled { instance, label }
    }
}

/// Why an export ends: the store, or the place that it goes to.
struct Failure(anyhow::Error);

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(failed(error))
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self(error)
    }
}

impl From<Failure> for anyhow::Error {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

fn table(rows: Vec<Labeled>, recipe: Option<&ExtractionRecipe>, format: Format) -> Table {
    match format {
        Format::Table => instance_overview(&rows, recipe),
        _ => into_instance_table(rows, recipe),
    }
}

fn report(counts: &ExportCounts, labelled: u64, messages: Messages) {
    messages
        .note(format!("{}, {labelled} of them labelled", counted(counts.written, "instance", "instances")));
    let left_out = [
        (counts.cut, "in which the watch began or ended: --with-cut writes them"),
        (counts.other_recipe, "that were extracted with other options than the last one"),
        (counts.without_instance, "without an instance"),
        (counts.pruned, "that were pruned or forgotten meanwhile"),
    ];
    for (count, why) in left_out.into_iter().filter(|(count, _)| *count > 0) {
        messages.note(format!("left out: {} {why}", counted(count, "window", "windows")));
    }
    if counts.unreadable > 0 {
        let count = counted(counts.unreadable, "window", "windows");
        messages.warn(format!("left out: {count} that cannot be read: the store is damaged"));
    }
}
