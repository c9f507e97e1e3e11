//! What extraction costs: processor time, memory, and what is kept of a device.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use thingprint_experiment::{ExtractionCost, KeptState, Measurement};
use thingprint_flow::{Capture, FlowOptions, GatewayPolicy};
use thingprint_instance::{ExtractionRecipe, InstanceOptions, Labeled};
use thingprint_pipeline::{
    Captures, Event, InstanceStage, Kept, PacketReader as _, Pipeline, Source, WindowSoFar,
};
use thingprint_report::write_instances;
use thingprint_table::Format;

use crate::inputs::Input;
use crate::{memory, processor_time};

/// A reading is done again until all of them took so long: the clock of a processor may move in steps of milliseconds.
const LEAST_TIME: Duration = Duration::from_millis(500);
/// Most readings for one measurement: captures of a few packets take no time at all.
const MOST_READINGS: u32 = 256;

/// A trace whose extraction is measured.
pub(super) trait MeasuredTrace {
    /// What gives its packets.
    type Source: Source;

    /// The packets, from the first on.
    fn source(&self) -> anyhow::Result<Self::Source>;

    /// Who its gateways are.
    fn gateways(&self) -> GatewayPolicy;

    /// A pipeline on one thread that knows the gateways, as a live reading does: nothing is read twice.
    fn pipeline(&self, options: &InstanceOptions) -> Pipeline {
        Pipeline {
            flow: FlowOptions { is_identity_given: true, ..options.flow.clone() },
            gateways: self.gateways(),
            ..Pipeline::default()
        }
    }
}

/// Captures that are one trace.
#[derive(Debug)]
pub(super) struct MeasuredCaptures {
    pub(super) inputs: Vec<Input>,
    /// Who the gateways are, which is settled.
    pub(super) gateways: GatewayPolicy,
}

impl MeasuredTrace for MeasuredCaptures {
    type Source = Captures<Box<dyn Fn() -> Vec<Capture> + Sync>>;

    fn source(&self) -> anyhow::Result<Self::Source> {
        let inputs = self.inputs.clone();
        let open = move || inputs.iter().map(Input::capture).collect();
        // What is read once is not looked at before.
        Ok(Captures::new(false, Box::new(open)))
    }

    fn gateways(&self) -> GatewayPolicy {
        self.gateways.clone()
    }
}

/// Measures each extraction, in turns, so that what else the machine does falls on all of them.
pub(super) fn measure<T: MeasuredTrace>(
    traces: &[T],
    measurement: &Measurement,
) -> anyhow::Result<Vec<ExtractionCost>> {
    let mut all = Vec::new();
    for (name, recipe) in &measurement.extractions {
        let options = recipe.options()?;
        let (kept, frames) = kept(traces, &options, &measurement.after_s)?;
        let row_bytes = row_bytes(traces, recipe, &options)?;
        memory::take_peak();
        extract(traces, &options)?;
        let peak_bytes = memory::take_peak();
        let cost = ExtractionCost {
            name: name.clone(),
            frames,
            is_processor_time: processor_time::so_far().is_some(),
            peak_bytes,
            kept,
            row_bytes,
            ..ExtractionCost::default()
        };
        all.push((cost, options));
    }
    for _ in 0..measurement.runs {
        for (cost, options) in &mut all {
            cost.reading_seconds.push(seconds(|| decode(traces))?);
            cost.seconds.push(seconds(|| extract(traces, options))?);
        }
    }
    Ok(all.into_iter().map(|(cost, _)| cost).collect())
}

/// Seconds that something takes, the mean over as many times as make a time that can be measured.
fn seconds(mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let (begun, clock) = (processor_time::so_far(), Instant::now());
    for done in 1..=MOST_READINGS {
        work()?;
        let passed = processor_time::so_far().zip(begun).map(|(now, begun)| now.saturating_sub(begun));
        let passed = passed.unwrap_or_else(|| clock.elapsed());
        if passed >= LEAST_TIME || done == MOST_READINGS {
            return Ok(passed.as_secs_f64() / f64::from(done));
        }
    }
    Ok(0.0)
}

/// Reads and decodes, and does nothing with it.
fn decode<T: MeasuredTrace>(traces: &[T]) -> anyhow::Result<()> {
    for trace in traces {
        let mut reader = trace.source()?.open();
        while reader.next_packet().is_some() {}
    }
    Ok(())
}

/// Makes instances, and lets go of them as they come.
fn extract<T: MeasuredTrace>(traces: &[T], options: &InstanceOptions) -> anyhow::Result<()> {
    let stage = InstanceStage::new(options.clone());
    for trace in traces {
        trace.pipeline(options).run(&trace.source()?, &stage, |_| Ok::<_, anyhow::Error>(()))?;
    }
    Ok(())
}

/// What is kept of devices by seconds, and how many frames there are.
fn kept<T: MeasuredTrace>(
    traces: &[T],
    options: &InstanceOptions,
    after_s: &[u32],
) -> anyhow::Result<(BTreeMap<u32, KeptState>, u64)> {
    let (mut all, mut frames) = (BTreeMap::new(), 0);
    for trace in traces {
        let take = |window: WindowSoFar| add(all.entry(window.after_s).or_default(), window.kept);
        let run = trace.pipeline(options).windows_so_far(&trace.source()?, (options, after_s), take);
        frames += run.summary.read.frames;
    }
    for state in all.values_mut() {
        let looks = state.looks.max(1) as f64;
        state.open_flows /= looks;
        state.flow_bytes /= looks;
        state.window_bytes /= looks;
    }
    Ok((all, frames))
}

/// Adds to sums, which are divided in the end.
fn add(state: &mut KeptState, kept: Kept) {
    state.looks += 1;
    state.open_flows += kept.open_flows as f64;
    state.flow_bytes += kept.flow_bytes as f64;
    state.window_bytes += kept.window_bytes as f64;
    state.most_bytes = state.most_bytes.max(kept.flow_bytes + kept.window_bytes);
}

/// Bytes of an instance in a file of them, the mean.
fn row_bytes<T: MeasuredTrace>(
    traces: &[T],
    recipe: &ExtractionRecipe,
    options: &InstanceOptions,
) -> anyhow::Result<Option<f64>> {
    let stage = InstanceStage::new(options.clone());
    let mut rows: Vec<Labeled> = Vec::new();
    for trace in traces {
        trace.pipeline(options).run(&trace.source()?, &stage, |event| {
            if let Event::Rows(more) = event {
                rows.extend(more.into_iter().map(|instance| Labeled { instance, label: None }));
            }
            Ok::<_, anyhow::Error>(())
        })?;
    }
    let mut bytes = Vec::new();
    write_instances(&rows, Some(recipe), Format::Parquet, &mut bytes)?;
    Ok((!rows.is_empty()).then(|| bytes.len() as f64 / rows.len() as f64))
}
