use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

use anyhow::{Context, bail};
use thingprint_experiment::{DataSource, Dataset, Definition, ExtractionCost, Need};
use thingprint_flow::{GatewayPolicy, MacAddr, TraceOptions, WindowLength};
use thingprint_instance::{InstanceOptions, Label, Labeled};
use thingprint_protocol::Engine;
use thingprint_report::Labels;

use super::cache::{Extracted, Flaws, Origin};
use super::flow_log::{FlowLog, Flows, Written};
use super::injected::Injected;
use super::measured::{MeasuredCaptures, measure};
use super::source::{Library, Loaded};
use crate::copies::without_copies;
use crate::exit::Outcome;
use crate::extraction::{Extraction, WindowsSoFar};
use crate::gateways::GatewayChoice;
use crate::inputs::{Input, expand};
use crate::messages::{Messages, counted};
use crate::protocols::Protocols;
use crate::reading::Reading;
use crate::small_file::{MOST_LABEL_BYTES, read_bytes};

/// Warnings that a report repeats.
const MOST_NOTES: usize = 10;

/// A data set of captures that are here.
#[derive(Debug)]
pub(super) struct Captured {
    name: String,
    description: String,
    overrides: String,
    labels: Labels,
    label_text: Vec<u8>,
    /// The captures of each trace, and what the description calls them.
    traces: Vec<(String, Vec<Input>)>,
    /// What of the description's captures is not here.
    flaws: Flaws,
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
        let mut flaws = Flaws::default();
        for trace in &dataset.traces {
            let (here, absent) = in_folder(&trace.captures, location);
            flaws.warnings.extend(absent);
            if !here.is_empty() {
                traces.push((trace.captures.join(", "), here));
            }
        }
        if traces.is_empty() {
            return Ok(None);
        }
        let labels = [location, home].map(|folder| folder.join(&dataset.labels));
        let Some(path) = labels.iter().find(|path| path.is_file()) else {
            let [there, beside] = labels.map(|path| path.display().to_string());
            bail!("data set {name}: there are no labels, neither {there} nor {beside}");
        };
        let label_text = read_bytes(path, MOST_LABEL_BYTES)
            .with_context(|| format!("failed to read labels {}", path.display()))?;
        Ok(Some(Self {
            name: name.to_owned(),
            description: dataset.description.clone(),
            overrides: dataset.options.clone(),
            labels: Labels::read(&label_text, &path.display().to_string())
                .context("failed to read labels")?,
            label_text,
            traces,
            flaws,
        }))
    }

    pub(super) fn load(self, definition: &Definition, library: &Library<'_>) -> anyhow::Result<Loaded> {
        let mut flaws = self.flaws.clone();
        flaws.warnings.iter().for_each(|warning| library.messages.warn(warning));
        let mut instances = Vec::new();
        let mut single_flows = None;
        let contents = self.contents()?;
        let contents: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
        let needs = definition.needs(&self.name, &self.overrides)?;
        let after_s: Vec<u32> = needs.iter().filter_map(|need| need.so_far_s).collect();
        let mut so_far = WindowsSoFar::new();
        for need in needs {
            if need.attack.is_some() {
                bail!("data set {}: attacks are simulated, and these are captures", self.name);
            }
            let injected = Injected::of(&need, definition, &instances)?;
            let strikes = injected.as_ref().map(Injected::content);
            let at = need.so_far_s.map(|seconds| format!("{seconds} s of each window").into_bytes());
            let more = strikes.as_deref().into_iter().chain(at.as_deref());
            let contents: Vec<&[u8]> = contents.iter().copied().chain(more).collect();
            let wants_flows = definition.analysis.needs_flows() && instances.is_empty();
            let make = || {
                if let Some(injected) = &injected {
                    return self.attacked(&need, injected, library);
                }
                if let Some(seconds) = need.so_far_s {
                    if so_far.is_empty() {
                        so_far = self.windows_so_far(&need, &after_s, library)?;
                    }
                    let rows = so_far.remove(&seconds).unwrap_or_default();
                    return Ok(Extracted { rows, flaws: Flaws::default() });
                }
                if !wants_flows || need.recipe.options()?.flow.window == WindowLength::Capture {
                    return self.extract(&need, library);
                }
                let (extracted, records) = self.extract_with_flows(&need, library)?;
                single_flows = Some(records);
                Ok(extracted)
            };
            let (extracted, origin) = library.cache.get_or_make(&contents, &need.recipe, make)?;
            if wants_flows && single_flows.is_none() {
                single_flows = Some(self.flows(&need, library)?);
            }
            flaws.is_partial |= extracted.flaws.is_partial;
            for warning in extracted.flaws.warnings {
                if flaws.warnings.contains(&warning) {
                    continue;
                }
                if origin == Origin::Kept {
                    library.messages.warn(&warning);
                }
                flaws.warnings.push(warning);
            }
            instances.push((need, extracted.rows));
        }
        let single_flows = single_flows.unwrap_or_default();
        let mut notes = notes(flaws.warnings);
        notes.extend(single_flows.left_out());
        let captures = Some(self.inputs().count());
        let extraction_costs = self.extraction_costs(definition, library)?;
        let source = DataSource { dataset: self.name, is_simulated: false, description: self.description };
        let outcome = if flaws.is_partial { Outcome::Partial } else { Outcome::Done };
        Ok(Loaded {
            source,
            overrides: self.overrides,
            instances,
            flows: single_flows.records,
            extraction_costs,
            captures,
            outcome,
            notes,
        })
    }

    /// Hashes of the captures by trace, and the labels: what instances depend on. Names count where windows are
    /// whole captures.
    fn contents(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut contents = vec![self.label_text.clone()];
        for (_, inputs) in &self.traces {
            contents.push(inputs.len().to_le_bytes().to_vec());
        }
        for input in self.inputs() {
            contents.push(input.name().into_bytes());
            contents.push(content_hash(input)?.as_bytes().to_vec());
        }
        Ok(contents)
    }

    fn extract(&self, need: &Need, library: &Library<'_>) -> anyhow::Result<Extracted> {
        let mut extracted = Extracted::default();
        self.each_trace(need, library, |name, extraction| {
            extracted.add(name, extraction.instances()?);
            Ok(())
        })?;
        Ok(extracted)
    }

    /// The labelled windows as they were at these times, in one reading.
    fn windows_so_far(
        &self,
        need: &Need,
        after_s: &[u32],
        library: &Library<'_>,
    ) -> anyhow::Result<WindowsSoFar> {
        let mut all = WindowsSoFar::new();
        self.each_trace(need, library, |_, extraction| {
            for (seconds, rows) in extraction.windows_so_far(after_s) {
                let labelled = rows.into_iter().filter(|row| row.label.is_some());
                all.entry(seconds).or_default().extend(labelled);
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// What the extractions cost that a definition asks about.
    fn extraction_costs(
        &self,
        definition: &Definition,
        library: &Library<'_>,
    ) -> anyhow::Result<Vec<ExtractionCost>> {
        let asked = definition.measurement(&self.name, &self.overrides)?;
        let Some(measurement) = asked.filter(|_| library.measures) else { return Ok(Vec::new()) };
        library.messages.detail("measuring extraction");
        let (engine, mut traces) = (Engine::default(), Vec::new());
        for inputs in self.measured_traces(definition)? {
            let reading = self.reading(&inputs, &InstanceOptions::default(), (&engine, library));
            let given = reading.pipeline().elect(&reading.source()).macs();
            let gateways = GatewayPolicy { is_none: given.is_empty(), given, ..reading.gateways.clone() };
            traces.push(MeasuredCaptures { inputs, gateways });
        }
        measure(&traces, &measurement)
    }

    /// The captures that are read as one trace.
    fn measured_traces(&self, definition: &Definition) -> anyhow::Result<Vec<Vec<Input>>> {
        let recipe = definition.extraction.recipe(&self.overrides)?;
        let is_by_capture = recipe.options()?.flow.window == WindowLength::Capture;
        let quiet = Messages::new(true, false);
        let traces = self.traces.iter().map(|(_, inputs)| without_copies(inputs, quiet));
        if is_by_capture {
            return Ok(traces.flatten().map(|input| vec![input]).collect());
        }
        Ok(traces.collect())
    }

    /// The hours in which devices are attacked, of traces in which a gateway shows.
    fn attacked(
        &self,
        need: &Need,
        injected: &Injected<'_>,
        library: &Library<'_>,
    ) -> anyhow::Result<Extracted> {
        let mut extracted = Extracted::default();
        let options = need.recipe.options()?;
        let engine = Engine::default();
        let mut unplayed = 0;
        for (_, inputs) in &self.traces {
            let (instances, left_out) =
                injected.in_captures(&self.reading(inputs, &options, (&engine, library)), &options)?;
            unplayed += left_out;
            extracted.rows.extend(instances.into_iter().map(|instance| {
                let label = self.labels.label_at(instance.device, None, instance.window_start).cloned();
                Labeled { instance, label }
            }));
        }
        let key = |row: &Labeled| (row.instance.device, row.instance.window_start);
        extracted.rows.sort_by_key(key);
        // Traces may overlap in time; an attacked hour counts once.
        extracted.rows.dedup_by_key(|row| key(row));
        if unplayed > 0 {
            extracted.flaws.warnings.push(format!(
                "{} left out: the trace shows no gateway, or the device no private IPv4 address",
                counted(unplayed, "attack was", "attacks were")
            ));
        }
        Ok(extracted)
    }

    /// How the captures of a trace are read.
    fn reading<'r>(
        &self,
        inputs: &'r [Input],
        options: &InstanceOptions,
        (engine, library): (&'r Engine, &Library<'_>),
    ) -> Reading<'r> {
        Reading {
            inputs,
            flow: options.flow.clone(),
            gateways: GatewayChoice::default().policy(&self.labels),
            engine,
            threads: library.threads,
            options: TraceOptions::default(),
            wants_spans: false,
            keeps_gateways: false,
            shows_gateways: false,
            messages: library.messages.silent(),
        }
    }

    /// The instances and the single flows of one reading.
    fn extract_with_flows(&self, need: &Need, library: &Library<'_>) -> anyhow::Result<(Extracted, Flows)> {
        let (mut extracted, mut flows) = (Extracted::default(), Flows::default());
        self.each_trace(need, library, |name, extraction| {
            let mut written = Written::new(flows.room());
            let instances = extraction.instances_and(FlowLog, |event| written.take(event))?;
            extracted.add(name, instances);
            flows.extend(written.finish(|device| self.labels.label_of(device, None)));
            Ok(())
        })?;
        Ok((extracted, flows))
    }

    fn each_trace(
        &self,
        need: &Need,
        library: &Library<'_>,
        mut each: impl FnMut(&str, &Extraction<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let (protocols, gateways) = (Protocols::built_in(), GatewayChoice::default());
        for (name, inputs) in &self.traces {
            let extraction = Extraction {
                inputs,
                options: need.recipe.options()?,
                gateways: &gateways,
                trace: TraceOptions::default(),
                network_by: None,
                labels: &self.labels,
                protocols: &protocols,
                threads: library.threads,
                messages: library.messages,
            };
            each(name, &extraction)?;
        }
        Ok(())
    }

    fn inputs(&self) -> impl Iterator<Item = &Input> {
        self.traces.iter().flat_map(|(_, inputs)| inputs)
    }

    fn flows(&self, need: &Need, library: &Library<'_>) -> anyhow::Result<Flows> {
        let mut flows = Flows::default();
        for (_, inputs) in &self.traces {
            let engine = Engine::default();
            let reading = self.reading(inputs, &need.recipe.options()?, (&engine, library));
            let mut written = Written::new(flows.room());
            reading.run(&FlowLog, |event| {
                written.take(event);
                Ok(())
            })?;
            flows.extend(written.finish(|device| self.labels.label_of(device, None)));
        }
        Ok(flows)
    }
}

/// The captures of these paths below a folder, and why there is none for some.
fn in_folder(paths: &[String], folder: &Path) -> (Vec<Input>, Vec<String>) {
    let quiet = Messages::new(true, false);
    let (mut here, mut absent) = (Vec::new(), Vec::new());
    for path in paths {
        match expand(&[folder.join(path).into_os_string()], quiet) {
            Ok((inputs, _)) => here.extend(inputs),
            Err(error) => absent.push(format!("{error:#}")),
        }
    }
    (here, absent)
}

/// What a report says of warnings.
fn notes(warnings: Vec<String>) -> Vec<String> {
    let count = warnings.len();
    let mut notes: Vec<String> = warnings.into_iter().take(MOST_NOTES).collect();
    if count > MOST_NOTES {
        notes.push(format!("{} more warnings", count - MOST_NOTES));
    }
    notes.into_iter().map(|note| format!("While the captures were read: {note}.")).collect()
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
