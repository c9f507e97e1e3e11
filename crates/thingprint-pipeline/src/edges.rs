//! Frames at the edges of parts, which count once the parts before and after them confirm their times.

use std::convert::Infallible;
use std::num::NonZeroUsize;

use thingprint_flow::{BelievedFrame, Copies, Decoder, EdgeFrame, FlowOptions, PlacedPacket, TraceOptions};
use thingprint_instance::{InstanceOptions, Part, Partial};
use thingprint_protocol::Engine;

use crate::event::Event;
use crate::pipeline::Pipeline;
use crate::source::{PacketReader, ReadEnd, Source};
use crate::stages::PartStage;

/// Adds the frames at the edges of parts that are believed, as parts between them; gives how many were left out, since
/// their times lie alone in the future.
///
/// `engine` finds messages in them, and `trace` is how the captures of the parts were read.
pub fn add_edges(
    parts: &mut Partial,
    engine: &Engine,
    (options, trace): (&InstanceOptions, TraceOptions),
) -> u64 {
    let flow = FlowOptions { is_identity_given: true, forget_after_ns: None, ..options.flow.clone() };
    let threads = NonZeroUsize::MIN;
    let engine = engine.clone();
    let pipeline = Pipeline { flow, engine, threads, keeps_gateways: true, ..Pipeline::default() };
    let settled = parts.settle_edges();
    let segments = settled.believed.into_iter().flat_map(segments);
    for (number, frames) in segments.filter(|frames| !frames.is_empty()).enumerate() {
        let source = Frames { frames: frames.iter().map(|frame| timed(frame, options)).collect(), trace };
        let run = pipeline
            .run(&source, &PartStage::new(options.clone()), |_: Event<Infallible>| Ok::<_, Infallible>(()));
        let Ok(run) = run;
        let mut part = Part::of_edge(number, run.summary.evidence)
            .with_datagrams_cut(run.summary.read.counts.datagrams_cut)
            .with_left_out(run.summary.left_out);
        for devices in run.rests {
            part.add(devices, run.summary.span);
        }
        parts.insert(part);
    }
    settled.wrongly_timed
}

/// The frames between steps of the clock.
fn segments(frames: Vec<BelievedFrame>) -> Vec<Vec<BelievedFrame>> {
    let mut segments: Vec<Vec<BelievedFrame>> = vec![Vec::new()];
    for frame in frames {
        if frame.begins_segment {
            segments.push(Vec::new());
        }
        if let Some(segment) = segments.last_mut() {
            segment.push(frame);
        }
    }
    segments
}

/// A frame at the time at which it counts: one that is late for its window is in the oldest open one.
fn timed(frame: &BelievedFrame, options: &InstanceOptions) -> EdgeFrame {
    let window = options.flow.window;
    let open = window.index_of(frame.clock.plus_nanos(-options.flow.lateness_ns));
    let time = frame.frame.time;
    let time = if window.index_of(time) < open { window.start_of(open) } else { time };
    EdgeFrame { time, ..frame.frame.clone() }
}

/// Frames in memory as a source.
struct Frames {
    frames: Vec<EdgeFrame>,
    trace: TraceOptions,
}

struct FrameReader {
    frames: std::vec::IntoIter<EdgeFrame>,
    current: Option<EdgeFrame>,
    decoder: Decoder,
    copies: Option<Copies>,
}

impl Source for Frames {
    type Reader = FrameReader;

    fn open(&self) -> FrameReader {
        FrameReader {
            frames: self.frames.clone().into_iter(),
            current: None,
            decoder: Decoder::opening(self.trace.tunnels),
            copies: self.trace.drops_copies.then(Copies::default),
        }
    }

    fn is_rewindable(&self) -> bool {
        true
    }
}

impl PacketReader for FrameReader {
    fn next_packet(&mut self) -> Option<PlacedPacket<'_>> {
        let Self { frames, current, decoder, copies } = self;
        *current = frames.find(|frame| !copies.as_mut().is_some_and(|copies| copies.is_copy(&frame.frame())));
        let Some(frame) = current.as_ref().map(EdgeFrame::frame) else {
            decoder.finish();
            return None;
        };
        Some(PlacedPacket { capture: 0, frame, packet: decoder.decode(frame), block: None })
    }

    fn bytes_read(&self) -> u64 {
        0
    }

    fn end(self) -> ReadEnd {
        ReadEnd { counts: self.decoder.counts().clone(), ..ReadEnd::default() }
    }
}
