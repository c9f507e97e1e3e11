use std::num::NonZeroUsize;

use thingprint_flow::{FlowOptions, GatewayEvidence, GatewayPolicy, Gateways, Identity};
use thingprint_protocol::Engine;

use crate::ahead::Ahead;
use crate::event::Event;
use crate::first_frames::FirstFrames;
use crate::gateway_ends::GatewayEnds;
use crate::gateways::{GUESS_FRAMES, GatewayWatch};
use crate::parallel;
use crate::pending::{Pending, Sink};
use crate::progress::{NoProgress, Progress};
use crate::router::Router;
use crate::sequential::{self, FrameTap, NoTap};
use crate::shard::{Left, Shard, shards};
use crate::source::{PacketReader, Source};
use crate::stage::Stage;
use crate::summary::{Summary, doubtful};

/// Reads a source once, and runs a stage over it.
///
/// Who the gateways are shows only at the end of a trace, yet leaving them out while reading saves half of the work. So
/// the first 50,000 frames elect them and the end of the trace verifies that; where they differ, everything is read
/// again ([`Event::Restart`]). In what cannot be read twice, gateways are devices until they are decided, at the close
/// of each window; who was a gateway once stays one.
///
/// The same frames show whether link addresses separate hosts; where they do not, devices are identified by their IP
/// addresses, unless [`FlowOptions::is_identity_given`].
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// How packets become flows; its gateways are set by the policy.
    pub flow: FlowOptions,
    /// What finds messages.
    pub engine: Engine,
    /// Who the gateways are, or how they are found.
    pub gateways: GatewayPolicy,
    /// Threads; the results do not depend on them.
    pub threads: NonZeroUsize,
    /// Whether to note when each capture has packets.
    pub wants_spans: bool,
    /// Whether gateways stay devices: they leave when parts are merged.
    pub keeps_gateways: bool,
    /// Whether stages see what gateways send and receive at addresses of their own, beside what they forward; rows of it
    /// leave where [`Stage::is_own`] says so.
    pub shows_gateways: bool,
}

impl Default for Pipeline {
    fn default() -> Self {
        Self {
            flow: FlowOptions::default(),
            engine: Engine::default(),
            gateways: GatewayPolicy::default(),
            threads: NonZeroUsize::MIN,
            wants_spans: false,
            keeps_gateways: false,
            shows_gateways: false,
        }
    }
}

/// The result of a pipeline, beside the rows that were handed out.
#[derive(Debug)]
pub struct Run<R> {
    /// What each shard left; those of gateways may be among them where the source could not be read twice.
    pub rests: Vec<R>,
    /// What is known of the trace.
    pub summary: Summary,
}

/// Everything that a reading needs.
pub(crate) struct Inner<'a, S: Stage, R> {
    pub(crate) stage: &'a S,
    pub(crate) shards: Vec<Shard<S>>,
    pub(crate) reader: R,
    pub(crate) router: Router,
    pub(crate) progress: &'a dyn Progress,
}

/// What the first frames show.
#[derive(Debug)]
struct Survey {
    identity: Identity,
    gateways: Gateways,
    /// Copies of other packets, and the packets of which they are a part.
    copies: (u64, u64),
}

/// What a reading gave.
pub(crate) struct Outcome<S: Stage> {
    rests: Vec<S::Rest>,
    summary: Summary,
}

impl Pipeline {
    /// Runs a stage over a source, and gives the rows to `sink` as they become final, in an order that depends neither
    /// on threads nor on how the source delivers its packets.
    ///
    /// # Errors
    /// What `sink` fails with.
    pub fn run<S: Stage, E>(
        &self,
        source: &impl Source,
        stage: &S,
        sink: impl FnMut(Event<S::Row>) -> Result<(), E>,
    ) -> Result<Run<S::Rest>, E> {
        self.run_with(source, stage, sink, &NoProgress)
    }

    /// Runs a stage over a source as [`Self::run`] does, and reports how far it is.
    ///
    /// # Errors
    /// What `sink` fails with.
    pub fn run_with<S: Stage, E>(
        &self,
        source: &impl Source,
        stage: &S,
        mut sink: impl FnMut(Event<S::Row>) -> Result<(), E>,
        progress: &dyn Progress,
    ) -> Result<Run<S::Rest>, E> {
        let survey = self.survey(source, GUESS_FRAMES);
        let outcome = self.read(source, stage, &mut sink, (&survey, progress))?;
        let decided = outcome.summary.gateways.macs();
        if self.keeps_gateways || !source.is_rewindable() || decided == survey.gateways.macs() {
            return Ok(outcome.into_run());
        }
        let survey = Survey { gateways: outcome.summary.gateways, ..survey };
        sink(Event::Restart)?;
        let mut outcome = self.read(source, stage, &mut sink, (&survey, progress))?;
        outcome.summary.is_second_reading = true;
        Ok(outcome.into_run())
    }

    /// Runs a stage over a source on one thread, and shows each frame to `tap`. Gateways have to be known, or are
    /// devices until they are decided.
    ///
    /// # Errors
    /// What `sink` or `tap` fails with.
    pub fn run_tapped<S: Stage, E>(
        &self,
        source: &impl Source,
        stage: &S,
        mut sink: impl FnMut(Event<S::Row>) -> Result<(), E>,
        (tap, progress): (&mut impl FrameTap<S, E>, &dyn Progress),
    ) -> Result<Run<S::Rest>, E> {
        let survey = self.survey(source, u64::MAX);
        let (inner, _) = self.inner(source, stage, (&survey, progress));
        let pending = Pending::new(stage, false);
        Ok(sequential::run(inner, (pending, &mut sink), tap)?.into_run())
    }

    /// The gateways by all frames of a source, which can be read twice.
    pub fn elect(&self, source: &impl Source) -> Gateways {
        self.survey(source, u64::MAX).gateways
    }

    /// What the first frames show of a source that can be read twice: what identifies devices, and the gateways by at
    /// most so many frames.
    fn survey(&self, source: &impl Source, most_frames: u64) -> Survey {
        let (evidence, first) = self.look_at_first(source, most_frames);
        let identity = if self.wants_identity() { first.identity() } else { self.flow.identity };
        let gateways = if self.wants_gateways() && identity == Identity::Mac {
            self.gateways.decide(&evidence)
        } else {
            Gateways::default()
        };
        Survey { identity, gateways, copies: first.copies() }
    }

    fn look_at_first(&self, source: &impl Source, most_frames: u64) -> (GatewayEvidence, FirstFrames) {
        let mut evidence = GatewayEvidence::with_local_nets(self.flow.local_nets.clone());
        let mut first = FirstFrames::default();
        if !source.is_rewindable() {
            return (evidence, first);
        }
        let is_election = self.wants_gateways() && !self.gateways.is_settled();
        let most_frames = if is_election { most_frames } else { GUESS_FRAMES };
        let (mut reader, mut frames) = (source.open(), 0);
        while frames < most_frames
            && let Some(next) = reader.next_packet()
        {
            evidence.observe(&next.packet);
            if frames < GUESS_FRAMES {
                first.observe(&next);
            }
            frames += 1;
        }
        (evidence, first)
    }

    /// Whether gateways are left out.
    fn wants_gateways(&self) -> bool {
        !self.keeps_gateways && self.flow.identity == Identity::Mac
    }

    /// Whether the first frames decide what identifies a device.
    fn wants_identity(&self) -> bool {
        // Who names a gateway says that link addresses are those of hosts; rows of a stream need not wait for that then.
        let is_said = self.flow.is_identity_given || !self.gateways.given.is_empty();
        self.flow.identity == Identity::Mac && !is_said
    }

    fn read<S: Stage, E>(
        &self,
        source: &impl Source,
        stage: &S,
        sink: &mut Sink<'_, S::Row, E>,
        (survey, progress): (&Survey, &dyn Progress),
    ) -> Result<Outcome<S>, E> {
        let is_stream = !source.is_rewindable();
        let (inner, identity) = self.inner(source, stage, (survey, progress));
        let is_open =
            is_stream && !self.keeps_gateways && !self.gateways.is_settled() && identity == Identity::Mac;
        let pending = Pending::new(stage, is_open).know(survey.gateways.clone());
        let mut outcome = if self.threads.get() == 1 {
            sequential::run(inner, (pending, sink), &mut NoTap)?
        } else {
            parallel::run(inner, (pending, sink), (self.threads, is_stream))?
        };
        if !self.keeps_gateways {
            // It may take more than all results, and nobody asks for it once the gateways are decided.
            outcome.summary.evidence = GatewayEvidence::default();
        }
        Ok(outcome)
    }

    /// Everything that a reading needs, and what identifies devices in it.
    fn inner<'a, S: Stage, R: PacketReader>(
        &self,
        source: &impl Source<Reader = R>,
        stage: &'a S,
        (survey, progress): (&Survey, &'a dyn Progress),
    ) -> (Inner<'a, S, Ahead<R>>, Identity) {
        let mut reader = Ahead::new(source.open());
        let (mut identity, mut copies) = (survey.identity, survey.copies);
        if self.wants_identity() && !source.is_rewindable() {
            let first = reader.look_ahead(&self.flow, self.gateways.is_settled());
            (identity, copies) = (first.identity(), first.copies());
        }
        let flow = FlowOptions { gateways: survey.gateways.macs(), identity, ..self.flow.clone() };
        let watch = GatewayWatch::new(&self.gateways, &flow, !source.is_rewindable());
        let mut router = Router::new(&flow, watch, self.wants_spans);
        router.gateway_ends = self.shows_gateways.then(|| GatewayEnds::new(&flow));
        router.read.copies = copies;
        router.read.by_address = u64::from(identity != self.flow.identity);
        let shards = shards(stage, &flow, &self.engine);
        (Inner { stage, shards, reader, router, progress }, identity)
    }
}

impl<S: Stage> Outcome<S> {
    /// Sums up, and gives the last rows.
    pub(crate) fn of(
        mut router: Router,
        left: Vec<Left<S>>,
        mut pending: Pending<'_, S>,
    ) -> (Self, Vec<S::Row>) {
        router.read.given_gateways = router.gateways.take_given();
        let gateways = router.gateways.decide(router.span.map_or_else(Default::default, |(_, last)| last));
        let evidence = router.gateways.into_evidence();
        let mut summary = Summary {
            span: router.span,
            spans: router.spans.take().unwrap_or_default(),
            doubtful_gateways: doubtful(&gateways, &evidence).collect(),
            gateways,
            evidence,
            read: router.read,
            ..Summary::default()
        };
        let mut rests = Vec::with_capacity(left.len());
        for (rows, rest, end) in left {
            pending.add(rows);
            summary.counts.merge(end.counts);
            summary.losses.merge(end.losses);
            summary.left_out.merge(end.left_out);
            rests.push(rest);
        }
        summary.left_out.merge(summary.read.counts.left_out.clone());
        summary.left_out.merge(summary.read.relayed.left_out().clone());
        let (rows, misjudged) = pending.finish(summary.gateways.clone());
        summary.gateway_late = misjudged.handed_out;
        summary.gateway_early = misjudged.left_out;
        (Self { rests, summary }, rows)
    }

    pub(crate) fn into_run(self) -> Run<S::Rest> {
        Run { rests: self.rests, summary: self.summary }
    }
}
