//! Captures to instances: the same way for every command.

mod so_far;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use either::Either;
use thingprint_flow::{DeviceId, Identity, TraceOptions, WindowLength};
use thingprint_instance::{Instance, InstanceLosses, InstanceOptions, Labeled};
use thingprint_pipeline::{Event, InstanceStage, Run, Stage, Summary};
use thingprint_protocol::Engine;
use thingprint_report::Labels;

use crate::copies::without_copies;
use crate::exit::Outcome;
use crate::gateways::GatewayChoice;
use crate::inputs::Input;
use crate::left_out::report_left_out;
use crate::messages::{Kept, Messages, Say, counted};
use crate::networks::{Network, NetworkBy, networks};
use crate::progress::Progress;
use crate::protocols::Protocols;
use crate::read_report::{gateways_in_words, report_instance_losses};
use crate::reading::{Reading, total_length};
use crate::vantage_report::report_place;

pub(crate) use so_far::WindowsSoFar;

/// Captures that are to become instances.
#[derive(Debug)]
pub(crate) struct Extraction<'a> {
    pub(crate) inputs: &'a [Input],
    pub(crate) options: InstanceOptions,
    pub(crate) gateways: &'a GatewayChoice,
    pub(crate) trace: TraceOptions,
    /// What keeps networks apart; one trace without it.
    pub(crate) network_by: Option<NetworkBy>,
    pub(crate) labels: &'a Labels,
    pub(crate) protocols: &'a Protocols,
    pub(crate) threads: NonZeroUsize,
    pub(crate) messages: Messages,
}

/// Instances with the labels of their devices.
#[derive(Debug)]
pub(crate) struct Instances {
    pub(crate) rows: Vec<Labeled>,
    pub(crate) outcome: Outcome,
    /// What was warned of.
    pub(crate) warnings: Vec<String>,
}

/// What takes rows as they become final.
type Sink<'s> = &'s mut dyn FnMut(Event<Labeled>) -> anyhow::Result<()>;

impl Extraction<'_> {
    /// Reads the captures; the instances are in the order of devices, windows and captures.
    pub(crate) fn instances(&self) -> anyhow::Result<Instances> {
        let mut rows = Vec::new();
        let (outcome, warnings) = self.stream(&mut |event| {
            match event {
                Event::Rows(more) => rows.extend(more),
                Event::Restart => rows.clear(),
            }
            Ok(())
        })?;
        sort(&mut rows);
        Ok(Instances { rows, outcome, warnings })
    }

    /// Reads the captures once as one trace, for instances in the same order and for the rows of another stage, which go
    /// to `take`.
    pub(crate) fn instances_and<S: Stage>(
        &self,
        other: S,
        take: impl FnMut(Event<S::Row>),
    ) -> anyhow::Result<Instances> {
        let messages = Kept::new(self.messages);
        let inputs = without_copies(self.inputs, &messages);
        let (rows, summary) = self.rows_and((&inputs, &messages), other, take)?;
        let outcome = self.report_reading(&inputs, &summary, &messages)?;
        let outcome = outcome.max(report_left_out(&summary.left_out, &messages));
        Ok(Instances { rows, outcome, warnings: messages.into_warnings() })
    }

    /// The same for whoever reports on the reading: only what there is to say of instances is said.
    pub(crate) fn rows_and<S: Stage>(
        &self,
        (inputs, messages): (&[Input], &Kept),
        other: S,
        mut take: impl FnMut(Event<S::Row>),
    ) -> anyhow::Result<(Vec<Labeled>, Summary)> {
        let engine = self.protocols.engine();
        let reading = self.reading(inputs, &engine);
        let stages = (InstanceStage::new(self.options.clone()), other);
        let mut rows = Vec::new();
        let Run { rests, summary } = reading.run(&stages, |event| {
            match event {
                Event::Rows(both) => {
                    let mut others = Vec::new();
                    for row in both {
                        match row {
                            Either::Left(instance) => rows.push(self.labelled(instance)),
                            Either::Right(other) => others.push(other),
                        }
                    }
                    take(Event::Rows(others));
                }
                Event::Restart => {
                    rows.clear();
                    take(Event::Restart);
                }
            }
            Ok(())
        })?;
        let run = Run { rests: rests.into_iter().map(|(words, _)| words).collect(), summary };
        self.report(&run, rows.len() as u64, messages);
        sort(&mut rows);
        Ok((rows, run.summary))
    }

    /// Says what there is to say of the reading of these captures as one trace.
    pub(crate) fn report_reading(
        &self,
        inputs: &[Input],
        summary: &Summary,
        messages: &Kept,
    ) -> anyhow::Result<Outcome> {
        report_place(&summary.read, messages);
        self.reading(inputs, &self.protocols.engine()).report(summary, messages)
    }

    /// Reads the captures, and gives instances to `sink` as they become final; what was warned of comes back.
    pub(crate) fn stream(&self, sink: Sink<'_>) -> anyhow::Result<(Outcome, Vec<String>)> {
        self.stream_by(sink, |inputs, engine, sink| self.as_one_trace(inputs, engine, sink))
    }

    /// The same, with what each shard leaves of another stage without rows where the captures are one trace.
    pub(crate) fn stream_and<S: Stage + Clone>(
        &self,
        other: &S,
        mut leave: impl FnMut(Vec<S::Rest>, &Summary),
        sink: Sink<'_>,
    ) -> anyhow::Result<(Outcome, Vec<String>)> {
        self.stream_by(sink, |inputs, engine, sink| {
            let stages = (InstanceStage::new(self.options.clone()), other.clone());
            let Run { rests, summary } = self.reading(inputs, engine).run(&stages, |event| match event {
                Event::Rows(rows) => {
                    let instances = rows.into_iter().filter_map(Either::left);
                    sink(Event::Rows(instances.map(|row| self.labelled(row)).collect()))
                }
                Event::Restart => sink(Event::Restart),
            })?;
            let (losses, others): (Vec<_>, Vec<_>) = rests.into_iter().unzip();
            leave(others, &summary);
            Ok(Run { rests: losses, summary })
        })
    }

    fn stream_by(
        &self,
        sink: Sink<'_>,
        one_trace: impl FnOnce(&[Input], &Engine, Sink<'_>) -> anyhow::Result<Run<InstanceLosses>>,
    ) -> anyhow::Result<(Outcome, Vec<String>)> {
        let messages = Kept::new(self.messages);
        let is_by_capture = self.options.flow.window == WindowLength::Capture;
        // A copy in another folder may have a label of its own there.
        let inputs = if is_by_capture && self.labels.has_captures() {
            self.inputs.to_vec()
        } else {
            without_copies(self.inputs, &messages)
        };
        let mut instances = 0_u64;
        let mut counting = |event: Event<Labeled>| {
            match &event {
                Event::Rows(rows) => instances += rows.len() as u64,
                Event::Restart => instances = 0,
            }
            sink(event)
        };
        let engine = self.protocols.engine();
        let run = match self.network_by {
            _ if is_by_capture => self.each_by_itself(&inputs, &engine, &mut counting)?,
            Some(by) => self.each_network(&networks(&inputs, by), &engine, &mut counting)?,
            None => one_trace(&inputs, &engine, &mut counting)?,
        };
        let reading = self.reading(&inputs, &engine);
        let outcome = if is_by_capture || self.network_by.is_some() {
            reading.report_apart(&run.summary, &messages)
        } else {
            reading.report(&run.summary, &messages)
        }?;
        report_place(&run.summary.read, &messages);
        self.report(&run, instances, &messages);
        let whole = report_left_out(&run.summary.left_out, &messages);
        Ok((outcome.max(whole), messages.into_warnings()))
    }

    /// Every capture is a trace of its own; they are handed out in the order of their names.
    fn each_by_itself(
        &self,
        inputs: &[Input],
        engine: &Engine,
        sink: Sink<'_>,
    ) -> anyhow::Result<Run<InstanceLosses>> {
        let progress = Progress::bytes("reading", total_length(inputs), self.messages);
        let (next, done) = (AtomicUsize::new(0), Mutex::new((Vec::new(), 0)));
        std::thread::scope(|scope| {
            for _ in 0..self.threads.get().min(inputs.len()) {
                scope.spawn(|| {
                    while let Some(input) = inputs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let read = self.one_capture(input, engine);
                        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                        done.0.push((input.name(), read));
                        done.1 += input.length().unwrap_or(0);
                        progress.set(done.1);
                    }
                });
            }
        });
        progress.finish();
        let (mut captures, _) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        captures.sort_by(|a, b| a.0.cmp(&b.0));
        let mut all = Run { rests: Vec::new(), summary: Summary::default() };
        for (_, read) in captures {
            let (rows, run) = read?;
            sink(Event::Rows(rows))?;
            add(&mut all, run, self.options.flow.identity);
        }
        Ok(all)
    }

    fn one_capture(
        &self,
        input: &Input,
        engine: &Engine,
    ) -> anyhow::Result<(Vec<Labeled>, Run<InstanceLosses>)> {
        let reading =
            Reading { messages: self.messages.silent(), ..self.reading(std::slice::from_ref(input), engine) };
        let (instances, run) = self.whole(&Reading { threads: NonZeroUsize::MIN, ..reading })?;
        let (first, last) = run.summary.span.unwrap_or_default();
        let window_s = last.nanos_since(first).max(0) as f64 / 1e9;
        let capture = Some(input.name());
        let rows = instances.into_iter().map(|instance| {
            let capture = capture.clone();
            self.labelled(Instance { window_start: first, window_s, capture, ..instance })
        });
        Ok((rows.collect(), run))
    }

    /// The captures of each network are a trace, with gateways of its own; its name stands for the capture in each row.
    fn each_network(
        &self,
        networks: &[Network],
        engine: &Engine,
        sink: Sink<'_>,
    ) -> anyhow::Result<Run<InstanceLosses>> {
        let mut all = Run { rests: Vec::new(), summary: Summary::default() };
        for Network { name, inputs } in networks {
            let (instances, run) = self.whole(&self.reading(inputs, engine))?;
            self.messages.note(format!("network {name}: {}", gateways_in_words(&run.summary.gateways)));
            // Labels go by files, and what has several of them is of none.
            let rows = instances.into_iter().map(|instance| {
                let Labeled { instance, label } = self.labelled(instance);
                Labeled { instance: Instance { capture: Some(name.clone()), ..instance }, label }
            });
            sink(Event::Rows(rows.collect()))?;
            add(&mut all, run, self.options.flow.identity);
        }
        Ok(all)
    }

    /// The instances of a reading that wait for its end, so that those of a gateway found late are left out.
    fn whole(&self, reading: &Reading<'_>) -> anyhow::Result<(Vec<Instance>, Run<InstanceLosses>)> {
        let mut instances: Vec<Instance> = Vec::new();
        let run = reading.run(&InstanceStage::new(self.options.clone()), |event| {
            match event {
                Event::Rows(rows) => instances.extend(rows),
                Event::Restart => instances.clear(),
            }
            Ok(())
        })?;
        let gateways = &run.summary.gateways;
        let is_gateway = |device: DeviceId| matches!(device, DeviceId::Mac(mac) if gateways.contains(mac));
        instances.retain(|instance| !is_gateway(instance.device));
        Ok((instances, run))
    }

    /// All captures are one trace.
    fn as_one_trace(
        &self,
        inputs: &[Input],
        engine: &Engine,
        sink: Sink<'_>,
    ) -> anyhow::Result<Run<InstanceLosses>> {
        self.reading(inputs, engine).run(&InstanceStage::new(self.options.clone()), |event| match event {
            Event::Rows(rows) => sink(Event::Rows(rows.into_iter().map(|row| self.labelled(row)).collect())),
            Event::Restart => sink(Event::Restart),
        })
    }

    fn reading<'r>(&self, inputs: &'r [Input], engine: &'r Engine) -> Reading<'r> {
        Reading {
            inputs,
            flow: self.options.flow.clone(),
            gateways: self.gateways.policy(self.labels),
            engine,
            threads: self.threads,
            options: self.trace,
            wants_spans: false,
            keeps_gateways: false,
            shows_gateways: false,
            messages: self.messages,
        }
    }

    /// Whether rows come before the captures end.
    pub(crate) fn is_streaming(&self) -> bool {
        let engine = self.protocols.engine();
        let is_one_trace = self.options.flow.window != WindowLength::Capture && self.network_by.is_none();
        is_one_trace && self.reading(self.inputs, &engine).is_streaming()
    }

    fn labelled(&self, instance: Instance) -> Labeled {
        let label = self
            .labels
            .label_at(instance.device, instance.capture.as_deref(), instance.window_start)
            .cloned();
        Labeled { instance, label }
    }

    /// Says what there is to say of instances.
    fn report(&self, run: &Run<InstanceLosses>, instances: u64, messages: &Kept) {
        let (flow, summary) = (&self.options.flow, &run.summary);
        report_instance_losses(&run.rests, messages);
        if instances == 0 && summary.read.frames > 0 {
            messages.warn("no device sent enough for an instance");
        }
        if self.labels.has_captures() && flow.window != WindowLength::Capture {
            messages.warn(
                "the capture column of the label file counts with --window capture only: without it, a device has a \
                 label where all its rows agree",
            );
        }
        let instances = counted(instances, "instance", "instances");
        let frames = counted(summary.read.frames, "frame", "frames");
        let unread = match summary.read.counts.unsupported_link {
            0 => String::new(),
            unread => format!(" ({unread} of unsupported link types)"),
        };
        messages.detail(format!("{frames}{unread}, {instances}"));
        for (kind, count) in summary.read.counts.malformed.iter().filter(|(_, count)| **count > 0) {
            messages.detail(format!("{count} malformed packets: {kind}"));
        }
    }
}

/// Puts instances into the order of devices, windows and captures.
fn sort(rows: &mut [Labeled]) {
    let key = |row: &Labeled| (row.instance.device, row.instance.window_start);
    rows.sort_by(|a, b| (key(a), &a.instance.capture).cmp(&(key(b), &b.instance.capture)));
}

/// Adds the run of another trace, whose devices and gateways are its own.
fn add(all: &mut Run<InstanceLosses>, run: Run<InstanceLosses>, asked: Identity) {
    all.rests.extend(run.rests);
    all.summary.add_trace(run.summary, asked);
}
