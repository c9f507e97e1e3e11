use std::iter::Peekable;
use std::num::NonZeroUsize;

use thingprint_flow::DeviceId;
use thingprint_identity::{ClassName, IdentitySummary, Knowledge};
use thingprint_instance::Labeled;
use thingprint_model::{Acceptance, Model};
use thingprint_table::{Format, Table};

use super::answer::{self, Answer, Shown};
use super::baseline::Comparison;
use super::{Classified, changes};
use crate::commands::WIDTH;
use crate::identities::{Identities, in_short};
use crate::messages::Messages;
use crate::output::Output;
use crate::row_output::RowEvent;
use crate::table_spool::TableSpool;

/// Windows that are classified together, beyond those of the device that they end with.
const BATCH_WINDOWS: usize = 4096;
/// The same in bytes.
const BATCH_BYTES: usize = 32 << 20;

/// What answers are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Devices,
    Days,
    Windows,
}

/// Answers about instances that come device by device.
#[derive(Debug)]
pub(super) struct Answers<'a> {
    pub(super) model: &'a Model,
    pub(super) acceptance: Acceptance,
    pub(super) shown: Shown,
    pub(super) threads: NonZeroUsize,
    /// Whether a table for people has all columns.
    pub(super) is_wide: bool,
    pub(super) said: Said<'a>,
}

/// What devices say of themselves, beside what they behave like.
#[derive(Debug)]
pub(super) struct Said<'a> {
    pub(super) identities: &'a Identities,
    pub(super) knowledge: &'a Knowledge,
    pub(super) messages: Messages,
}

impl Said<'_> {
    /// Adds who the device says it is to an answer about it, and warns where that does not fit.
    fn identified<'c>(&self, answer: Answer<'c>) -> Answer<'c> {
        let Some(identity) = self.identities.identity(answer.device()) else { return answer };
        let class = ClassName::of(answer.class(), self.knowledge);
        let disagreements = class.disagreements(&IdentitySummary::of(identity), self.knowledge);
        for disagreement in &disagreements {
            self.messages.warn(format!(
                "{} behaves like '{}' and says otherwise: {disagreement}",
                answer.device(),
                answer.class()
            ));
        }
        answer.with_identity(in_short(identity), disagreements.iter().map(ToString::to_string).collect())
    }
}

/// Rows in pieces, each with all windows of its devices.
struct Batches<I: Iterator> {
    rows: Peekable<I>,
}

/// Answers for people about a part, and why some are unknown.
struct Section {
    part: Part,
    answers: Option<Table>,
    reasons: Option<Table>,
}

impl Part {
    const fn heading(self) -> &'static str {
        match self {
            Self::Devices => "Devices, over all their windows",
            Self::Days => "Devices by day",
            Self::Windows => "Devices by window",
        }
    }
}

impl Answers<'_> {
    /// Writes the answers as they come, the parts one after the other.
    pub(super) fn write(
        &self,
        rows: impl Iterator<Item = anyhow::Result<Labeled>>,
        parts: &[Part],
        output: &Output,
    ) -> anyhow::Result<()> {
        if output.format() == Format::Table {
            return self.write_sections(&self.sections(rows, parts)?, output);
        }
        let Some((first, further)) = parts.split_first() else { return Ok(()) };
        output.rows(&answer::table(&[], self.model, self.shown)?, true, |write| {
            let mut spools: Vec<TableSpool> = further.iter().map(|_| TableSpool::default()).collect();
            for batch in Batches::of(rows) {
                let classified = Classified::new(batch?, self.model, self.threads);
                write(RowEvent::Rows(self.table(*first, &classified)?))?;
                for (part, spool) in further.iter().zip(&mut spools) {
                    spool.push(self.table(*part, &classified)?)?;
                }
            }
            spools.into_iter().try_for_each(|spool| spool.drain(&mut |table| write(RowEvent::Rows(table))))
        })
    }

    /// Writes the answers with what changed since a baseline.
    pub(super) fn write_with(
        &self,
        rows: Vec<Labeled>,
        parts: &[Part],
        comparison: &Comparison,
        output: &Output,
    ) -> anyhow::Result<()> {
        if output.format() == Format::Table {
            let mut sections = self.sections(rows.into_iter().map(Ok), parts)?;
            sections.extend(changes::sections(comparison));
            return self.write_sections(&sections, output);
        }
        let classified = Classified::new(rows, self.model, self.threads);
        let mut table = answer::table(&[], self.model, self.shown)?;
        for part in parts {
            table.append(self.table(*part, &classified)?);
        }
        output.table(&changes::with_answers(table, comparison)?)
    }

    fn table(&self, part: Part, classified: &Classified) -> anyhow::Result<Table> {
        answer::table(&self.answers(part, classified), self.model, self.shown)
    }

    fn answers<'c>(&self, part: Part, classified: &'c Classified) -> Vec<Answer<'c>> {
        let Self { model, acceptance, .. } = self;
        match part {
            Part::Devices => {
                let answers = answer::of_devices(classified, model, acceptance);
                answers.into_iter().map(|answer| self.said.identified(answer)).collect()
            }
            Part::Days => answer::of_days(classified, model, acceptance),
            Part::Windows => answer::of_windows(classified, model, acceptance),
        }
    }

    /// The tables for people, which are laid out by all of their rows.
    fn sections(
        &self,
        rows: impl Iterator<Item = anyhow::Result<Labeled>>,
        parts: &[Part],
    ) -> anyhow::Result<Vec<(String, Table)>> {
        let mut sections: Vec<Section> =
            parts.iter().map(|part| Section { part: *part, answers: None, reasons: None }).collect();
        for batch in Batches::of(rows) {
            let classified = Classified::new(batch?, self.model, self.threads);
            for section in &mut sections {
                let answers = self.answers(section.part, &classified);
                if self.is_wide {
                    add(&mut section.answers, answer::table(&answers, self.model, self.shown)?);
                } else {
                    add(&mut section.answers, answer::overview(&answers, self.model, self.shown)?);
                    add(&mut section.reasons, answer::reasons(&answers)?);
                }
            }
        }
        sections
            .into_iter()
            .map(|section| self.headed(section))
            .collect::<anyhow::Result<Vec<_>>>()
            .map(|all| all.concat())
    }

    fn headed(&self, section: Section) -> anyhow::Result<Vec<(String, Table)>> {
        let heading = section.part.heading();
        let none = || {
            if self.is_wide {
                answer::table(&[], self.model, self.shown)
            } else {
                answer::overview(&[], self.model, self.shown)
            }
        };
        let mut answers = section.answers.map_or_else(none, Ok)?;
        if !self.is_wide {
            answers.drop_empty_columns();
        }
        let mut tables = vec![(heading.to_owned(), answers)];
        if let Some(mut reasons) = section.reasons.filter(|reasons| reasons.rows() > 0) {
            reasons.drop_empty_columns();
            tables.push((format!("Unknown {}", heading.to_lowercase()), reasons));
        }
        Ok(tables)
    }

    fn write_sections(&self, sections: &[(String, Table)], output: &Output) -> anyhow::Result<()> {
        if self.is_wide { output.sections(sections) } else { output.sections_within(sections, WIDTH) }
    }
}

fn add(all: &mut Option<Table>, more: Table) {
    match all {
        Some(all) => all.append(more),
        None => *all = Some(more),
    }
}

impl<I: Iterator<Item = anyhow::Result<Labeled>>> Batches<I> {
    fn of(rows: I) -> Self {
        Self { rows: rows.peekable() }
    }

    fn goes_on_with(&mut self, device: DeviceId) -> bool {
        self.rows.peek().is_some_and(|next| next.as_ref().is_ok_and(|next| next.instance.device == device))
    }
}

impl<I: Iterator<Item = anyhow::Result<Labeled>>> Iterator for Batches<I> {
    type Item = anyhow::Result<Vec<Labeled>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(row) = self.rows.next() {
            let row = match row {
                Ok(row) => row,
                Err(error) => return Some(Err(error)),
            };
            bytes += row.memory_bytes();
            let device = row.instance.device;
            batch.push(row);
            let is_full = batch.len() >= BATCH_WINDOWS || bytes >= BATCH_BYTES;
            if is_full && !self.goes_on_with(device) {
                break;
            }
        }
        (!batch.is_empty()).then_some(Ok(batch))
    }
}
