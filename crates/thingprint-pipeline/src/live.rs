use std::convert::Infallible;

use thingprint_flow::{
    DecodeCounts, Decoder, DeviceId, DeviceLosses, FlowOptions, Frame, GatewayPolicy, GatewayReason,
    GatewayWeight, Gateways, Identity, MacAddr, PlacedPacket, Timestamp, TrackCounts, Tracker,
};
use thingprint_protocol::{Detector, Losses};

use crate::gateway_ends::GatewayEnds;
use crate::gateways::{GUESS_FRAMES, GatewayWatch};
use crate::given_gateways::GivenGateways;
use crate::network_survey::NetworkSurvey;
use crate::pending::Pending;
use crate::pipeline::{Pipeline, Run};
use crate::router::Router;
use crate::sequential::{NoTap, Sequential};
use crate::shard::shards;
use crate::source::ReadEnd;
use crate::stage::Stage;
use crate::summary::{ReadSummary, doubtful};

/// The flow table of a shard of a [`Live`] reading, with what observes it.
pub type LiveShard<S> = Tracker<Detector<<S as Stage>::Observer>>;

/// A pipeline whose frames are given one by one, and whose clock moves without them as well: for packets from a wire.
///
/// The same frames give the same rows as [`Pipeline::run`] does with a stream, whatever the ticks between them, as long as
/// no tick is ahead of a frame that follows. Devices are identified as [`FlowOptions::identity`] says: nothing waits
/// until the first frames show whether link addresses separate hosts.
pub struct Live<'a, S: Stage> {
    shards: Sequential<'a, S>,
    decoder: Decoder,
    policy: GatewayPolicy,
    /// Whether the first packets are of several networks; `None` where the user says who the gateways are.
    survey: Option<NetworkSurvey>,
}

impl Pipeline {
    /// Begins a live reading that runs a stage on this thread; `known` were gateways in an earlier one.
    pub fn live<'a, S: Stage>(&self, stage: &'a S, known: Gateways) -> Live<'a, S> {
        let watch = GatewayWatch::new(&self.gateways, &self.flow, true).know(known);
        let flow = FlowOptions { gateways: watch.decided().macs(), ..self.flow.clone() };
        let is_open = !self.keeps_gateways && !self.gateways.is_settled();
        let pending = Pending::new(stage, is_open).know(watch.decided().clone());
        let mut router = Router::new(&flow, watch, false);
        router.gateway_ends = self.shows_gateways.then(|| GatewayEnds::new(&flow));
        let shards = Sequential::new(stage, shards(stage, &flow, &self.engine), router, pending);
        let surveys = flow.identity == Identity::Mac && !self.gateways.is_settled();
        let survey = surveys.then(|| NetworkSurvey::with_local_nets(flow.local_nets.clone()));
        Live { shards, decoder: Decoder::default(), policy: self.gateways.clone(), survey }
    }
}

impl<S: Stage> Live<'_, S> {
    /// Takes the next frame; `source` is the number of the source that it came from.
    pub fn frame(&mut self, source: usize, frame: Frame<'_>) {
        let packet = self.decoder.decode(frame);
        if let Some(survey) = &mut self.survey
            && self.shards.router().read.frames < GUESS_FRAMES
        {
            survey.observe(&packet);
        }
        let Ok(_) =
            self.shards.packet(&PlacedPacket { capture: source, frame, packet, block: None }, &mut NoTap)
                as Result<u64, Infallible>;
    }

    /// Moves the clock without a frame. Before the first frame there is no clock, and it never moves back.
    pub fn tick(&mut self, now: Timestamp) {
        self.shards.tick(now);
    }

    /// The rows that became final since they were taken last, in order.
    pub fn take_rows(&mut self) -> Vec<S::Row> {
        self.shards.take_rows()
    }

    /// The highest time so far; `None` before the first frame.
    pub fn clock(&self) -> Option<Timestamp> {
        let router = self.shards.router();
        router.span.map(|_| router.clock)
    }

    /// The shards, to be asked between frames.
    pub fn shards(&self) -> &[LiveShard<S>] {
        self.shards.shards()
    }

    /// The shards, for observers that hand out what they noted.
    pub fn shards_mut(&mut self) -> &mut [LiveShard<S>] {
        self.shards.shards_mut()
    }

    /// Place of the shard that a device is in; it is known from the first frame on.
    pub fn shard_of(&self, device: DeviceId) -> usize {
        self.shards.router().sharding.shard_of(device)
    }

    /// The gateways so far.
    pub fn gateways(&self) -> &Gateways {
        self.shards.router().gateways.decided()
    }

    /// Those of them that speak for themselves more than for others, so far: see [`Summary::doubtful_gateways`].
    ///
    /// [`Summary::doubtful_gateways`]: crate::Summary::doubtful_gateways
    pub fn doubtful_gateways(&self) -> impl Iterator<Item = (MacAddr, GatewayReason, GatewayWeight)> {
        let watch = &self.shards.router().gateways;
        watch.evidence().into_iter().flat_map(|evidence| doubtful(watch.decided(), evidence))
    }

    /// Whether the gateways that the user named are in the packets, so far.
    pub fn given_gateways(&self) -> GivenGateways {
        self.shards.router().gateways.given()
    }

    /// Says that the first packets are of several networks; `None` where they are of one.
    pub fn networks_in_words(&self) -> Option<String> {
        self.survey.as_ref()?.in_words(&self.policy)
    }

    /// What the frames were so far.
    pub fn read(&self) -> &ReadSummary {
        &self.shards.router().read
    }

    /// What the decoder made of the frames so far.
    pub fn decoded(&self) -> &DecodeCounts {
        self.decoder.counts()
    }

    /// What the flow tables counted so far.
    pub fn counts(&self) -> TrackCounts {
        let mut all = TrackCounts::default();
        self.shards().iter().for_each(|shard| all.merge(shard.counts()));
        all
    }

    /// What detection could not read so far.
    pub fn losses(&self) -> Losses {
        let mut all = Losses::default();
        self.shards().iter().for_each(|shard| all.merge(shard.observer().losses()));
        all
    }

    /// What caps left out so far, by device: those of fragments, flow tables, detection and the stage.
    pub fn left_out(&self) -> DeviceLosses {
        let mut all = self.decoder.counts().left_out.clone();
        all.merge(self.shards.left_out());
        all
    }

    /// Ends the reading, and gives the last rows: windows that were open are final as they are.
    pub fn finish(mut self) -> (Vec<S::Row>, Run<S::Rest>) {
        self.decoder.finish();
        let end = ReadEnd { counts: self.decoder.counts().clone(), ..ReadEnd::default() };
        let (outcome, rows) = self.shards.finish(end);
        (rows, outcome.into_run())
    }
}
