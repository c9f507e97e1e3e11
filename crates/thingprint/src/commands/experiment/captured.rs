use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;

use anyhow::Context;
use thingprint_experiment::{DataSource, Dataset, Definition, FlowRecord, Need};
use thingprint_flow::MacAddr;
use thingprint_instance::{Label, Labeled};
use thingprint_report::Labels;

use super::flow_log::FlowLog;
use super::source::{Library, Loaded};
use crate::exit::Outcome;
use crate::files::read_labels;
use crate::inputs::{Input, expand};
use crate::messages::Messages;
use crate::protocols::Protocols;
use crate::reading::{Reading, follow};

/// A data set of captures that are here.
#[derive(Debug)]
pub(super) struct Captured {
    name: String,
    description: String,
    overrides: String,
    labels: Labels,
    label_text: Vec<u8>,
    /// The captures of each trace.
    traces: Vec<Vec<Input>>,
    notes: Vec<String>,
}

impl Captured {
    /// The captures of a data set below `location`; `None` when there is not one. Labels are there, too, or beside the
    /// description, in `home`.
    pub(super) fn find(
        name: &str,
        dataset: &Dataset,
        location: &Path,
        home: &Path,
    ) -> anyhow::Result<Option<Self>> {
        let mut traces = Vec::new();
        let mut notes = Vec::new();
        let quiet = Messages::new(true, false);
        for trace in &dataset.traces {
            let paths: Vec<OsString> =
                trace.captures.iter().map(|path| location.join(path).into_os_string()).collect();
            match expand(&paths, quiet) {
                Ok((inputs, _)) => traces.push(inputs),
                Err(_) => notes.push(format!("Not here, and left out: {}.", trace.captures.join(", "))),
            }
        }
        if traces.is_empty() {
            return Ok(None);
        }
        let labels = [location, home].map(|folder| folder.join(&dataset.labels));
        let path = labels.iter().find(|path| path.is_file()).unwrap_or(&labels[0]);
        let label_text =
            std::fs::read(path).with_context(|| format!("failed to read labels {}", path.display()))?;
        Ok(Some(Self {
            name: name.to_owned(),
            description: dataset.description.clone(),
            overrides: dataset.options.clone(),
            labels: read_labels(Some(path))?,
            label_text,
            traces,
            notes,
        }))
    }

    pub(super) fn load(self, definition: &Definition, library: &Library<'_>) -> anyhow::Result<Loaded> {
        let mut outcome = Outcome::Done;
        let mut instances = Vec::new();
        let contents = self.contents()?;
        for need in definition.needs(&self.name, &self.overrides)? {
            let contents: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
            let make = || self.extract(&need, library, &mut outcome);
            let rows = library.cache.get_or_make(&contents, &need.recipe, make)?;
            instances.push((need, rows));
        }
        let flows = match instances.first() {
            Some((need, _)) if definition.analysis.needs_flows() => self.flows(need)?,
            _ => Vec::new(),
        };
        let mut notes = self.notes;
        notes.push(format!("Captures read: {}.", self.traces.iter().map(Vec::len).sum::<usize>()));
        let source = DataSource { dataset: self.name, is_simulated: false, description: self.description };
        Ok(Loaded { source, overrides: self.overrides, instances, flows, outcome, notes })
    }

    /// Hashes of the captures by trace, and the labels: what instances depend on. Names count where windows are
    /// whole captures.
    fn contents(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut contents = vec![self.label_text.clone()];
        for input in self.traces.iter().flatten() {
            contents.push(input.name().into_bytes());
            contents.push(content_hash(input)?.as_bytes().to_vec());
        }
        Ok(contents)
    }

    fn extract(
        &self,
        need: &Need,
        library: &Library<'_>,
        outcome: &mut Outcome,
    ) -> anyhow::Result<Vec<Labeled>> {
        let protocols = Protocols::built_in();
        let mut rows = Vec::new();
        for inputs in &self.traces {
            let reading = Reading {
                inputs,
                options: need.recipe.options()?,
                sort: false,
                labels: &self.labels,
                protocols: &protocols,
                threads: library.threads,
                messages: library.messages,
            };
            let instances = reading.instances()?;
            *outcome = (*outcome).max(instances.outcome);
            rows.extend(instances.rows.into_iter().filter(|row| row.label.is_some()));
        }
        Ok(rows)
    }

    fn flows(&self, need: &Need) -> anyhow::Result<Vec<FlowRecord>> {
        let mut records = Vec::new();
        for inputs in &self.traces {
            let mut log = FlowLog::new(need.recipe.options()?.flow);
            follow(inputs, false, None, |packet| log.push(packet));
            records.extend(log.finish(|device| self.labels.label_of(device, None)));
        }
        Ok(records)
    }
}

/// Hash of a capture, read piece by piece, since captures of a day may have gigabytes.
fn content_hash(input: &Input) -> anyhow::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    match input {
        Input::File(path) => File::open(path).and_then(|file| hasher.update_reader(file).map(drop)),
        Input::Stdin => hasher.update_reader(io::stdin()).map(drop),
    }
    .with_context(|| format!("failed to read {}", input.name()))?;
    Ok(hasher.finalize())
}

/// Labels of a simulated home, by address.
pub(super) fn by_address(
    devices: impl IntoIterator<Item = (String, Label)>,
) -> anyhow::Result<BTreeMap<MacAddr, Label>> {
    let parsed = devices.into_iter().map(|(mac, label)| Ok((mac.parse::<MacAddr>()?, label)));
    parsed
        .collect::<Result<_, thingprint_flow::ParseMacError>>()
        .context("failed to read the home's addresses")
}
