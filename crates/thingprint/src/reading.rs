//! Captures through the pipeline, the same way for every command.

use std::num::NonZeroUsize;

use thingprint_flow::{Capture, FlowOptions, GatewayPolicy, TraceOptions};
use thingprint_pipeline::{Captures, Event, FrameTap, Pipeline, Run, Source, Stage};
use thingprint_protocol::Engine;

use crate::call::Stoppable;
use crate::inputs::Input;
use crate::messages::Messages;
use crate::progress::Progress;

/// Captures that are one trace, and how they are read.
#[derive(Clone, Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) inputs: &'a [Input],
    pub(crate) flow: FlowOptions,
    pub(crate) gateways: GatewayPolicy,
    pub(crate) engine: &'a Engine,
    pub(crate) threads: NonZeroUsize,
    pub(crate) options: TraceOptions,
    /// Whether to note when each capture has packets.
    pub(crate) wants_spans: bool,
    /// Whether gateways stay devices, for a part.
    pub(crate) keeps_gateways: bool,
    /// Whether what gateways say for themselves is wanted.
    pub(crate) shows_gateways: bool,
    pub(crate) messages: Messages,
}

impl Reading<'_> {
    /// Runs a stage over the captures.
    pub(crate) fn run<S: Stage>(
        &self,
        stage: &S,
        sink: impl FnMut(Event<S::Row>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Run<S::Rest>> {
        let progress = Progress::bytes("reading", total_length(self.inputs), self.messages);
        let run = self.pipeline().run_with(&self.source(), stage, sink, &progress);
        progress.finish();
        self.messages.check_wanted()?;
        run
    }

    /// Runs a stage over the captures on one thread, and shows each frame to `tap`.
    pub(crate) fn run_tapped<S: Stage>(
        &self,
        stage: &S,
        sink: impl FnMut(Event<S::Row>) -> anyhow::Result<()>,
        tap: &mut impl FrameTap<S, anyhow::Error>,
    ) -> anyhow::Result<Run<S::Rest>> {
        let progress = Progress::bytes("reading", total_length(self.inputs), self.messages);
        let run = self.pipeline().run_tapped(&self.source(), stage, sink, (tap, &progress));
        progress.finish();
        self.messages.check_wanted()?;
        run
    }

    /// Whether rows leave before the captures end: who the gateways are is known, or cannot be verified at the end.
    pub(crate) fn is_streaming(&self) -> bool {
        !self.is_rewindable() || self.gateways.is_settled()
    }

    /// Whether all captures can be read more than once.
    pub(crate) fn is_rewindable(&self) -> bool {
        self.inputs.iter().all(Input::is_rewindable)
    }

    pub(crate) fn pipeline(&self) -> Pipeline {
        Pipeline {
            flow: self.flow.clone(),
            engine: self.engine.clone(),
            gateways: self.gateways.clone(),
            threads: self.threads,
            wants_spans: self.wants_spans,
            keeps_gateways: self.keeps_gateways,
            shows_gateways: self.shows_gateways,
        }
    }

    pub(crate) fn source(&self) -> impl Source {
        let open = || -> Vec<Capture> { self.inputs.iter().map(Input::capture).collect() };
        Stoppable::new(Captures::new(self.is_rewindable(), open).with(self.options), self.messages.line())
    }
}

/// Bytes of all inputs; `None` when one has no length to see.
pub(crate) fn total_length(inputs: &[Input]) -> Option<u64> {
    inputs.iter().map(Input::length).sum()
}
