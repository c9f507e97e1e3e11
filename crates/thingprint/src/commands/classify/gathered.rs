use std::collections::BTreeSet;
use std::ffi::OsString;

use anyhow::Context;
use thingprint_flow::DeviceId;
use thingprint_identity::Knowledge;
use thingprint_instance::{EvidenceSet, ExtractionRecipe, Labeled};
use thingprint_model::{Model, ModelError};
use thingprint_pipeline::{Event, IdentityStage, Summary};
use thingprint_report::Labels;

use crate::exit::{Misfit, Outcome};
use crate::extraction::Extraction;
use crate::identities::Identities;
use crate::inputs::{Input, named};
use crate::instances::{check_model_semantics, each_row, extraction_of, warn_of_absent_bags};
use crate::messages::Messages;
use crate::sorted_instances::{Has, SortedInstances, SortedRows};

/// Instances to classify, of captures and of files.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    rows: SortedInstances,
    /// The devices that they are of.
    pub(super) devices: BTreeSet<DeviceId>,
    pub(super) outcome: Outcome,
    /// Whether some are of files.
    has_files: bool,
    /// Who the devices of captures are by what they say.
    pub(super) identities: Identities,
}

impl Gathered {
    /// Adds the instances of captures.
    pub(super) fn add_captures(
        &mut self,
        extraction: &Extraction<'_>,
        knowledge: &Knowledge,
    ) -> anyhow::Result<()> {
        let mut identities = Identities::default();
        let asked = extraction.options.flow.identity;
        let leave = |said: Vec<_>, summary: &Summary| {
            identities = Identities::of(said, (summary, asked), knowledge);
        };
        let (outcome, _) =
            extraction.stream_and(&IdentityStage::default(), leave, &mut |event| match event {
                Event::Rows(rows) => rows.into_iter().try_for_each(|row| self.push(row)),
                Event::Restart => {
                    self.rows.clear();
                    self.devices.clear();
                    Ok(())
                }
            })?;
        self.identities = identities;
        self.outcome = self.outcome.max(outcome);
        Ok(())
    }

    /// Adds the instances of files, which have to fit the model.
    pub(super) fn add_files(
        &mut self,
        files: &[Input],
        arguments: &[OsString],
        model: &Model,
        (labels, messages): (&Labels, Messages),
    ) -> anyhow::Result<()> {
        let (mut recipe, mut rows) = (None, 0_u64);
        let (mut there, mut missing) = (EvidenceSet::NONE, EvidenceSet::NONE);
        each_row(files, messages, &mut recipe, &mut |row| {
            rows += 1;
            there = there.with(row.instance.bags.evidence());
            if let Err(ModelError::MissingEvidence { missing: more }) = model.check_evidence([&row.instance])
            {
                missing = missing.with(more);
            }
            self.push(relabelled(row, labels))
        })
        .with_context(|| format!("failed to read {}: expected captures or instances", named(arguments)))?;
        if let Some(recipe) = &recipe {
            check_model_semantics(model, recipe.semantics())?;
        }
        let extraction = extraction_of(recipe.as_ref());
        model.check_extraction(&extraction).map_err(|error| Misfit(error.to_string()))?;
        if !missing.is_empty() {
            let error = ModelError::MissingEvidence { missing };
            return Err(error).with_context(|| format!("failed to classify {}", named(arguments)));
        }
        if rows > 0 {
            let origin = recipe.as_ref().map(ExtractionRecipe::origin).unwrap_or_default();
            warn_of_absent_bags((model.evidence(), there), origin, messages);
        }
        self.has_files = true;
        Ok(())
    }

    /// What some row has.
    pub(super) const fn has(&self) -> Has {
        self.rows.has()
    }

    /// The rows of some devices, in their order.
    pub(super) fn rows_where(
        self,
        is_meant: impl Fn(DeviceId) -> bool,
        messages: Messages,
    ) -> anyhow::Result<Vec<Labeled>> {
        self.each_row(messages, |rows| {
            let is_meant = |row: &anyhow::Result<Labeled>| match row {
                Ok(row) => is_meant(row.instance.device),
                Err(_) => true,
            };
            rows.filter(is_meant).collect()
        })
    }

    /// Gives the rows in their order, then tells of those that came more than once.
    pub(super) fn each_row<T>(
        self,
        messages: Messages,
        take: impl FnOnce(&mut SortedRows) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut rows = self.rows.into_rows()?;
        let taken = take(&mut rows)?;
        if self.has_files {
            rows.repeats().report(messages);
        }
        Ok(taken)
    }

    fn push(&mut self, row: Labeled) -> anyhow::Result<()> {
        self.devices.insert(row.instance.device);
        self.rows.push(row)
    }
}

/// The instance with the label that the label file gives it, else with the one that it has.
fn relabelled(mut row: Labeled, labels: &Labels) -> Labeled {
    let label =
        labels.label_at(row.instance.device, row.instance.capture.as_deref(), row.instance.window_start);
    row.label = label.cloned().or(row.label);
    row
}
