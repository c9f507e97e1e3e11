//! Captures to instances: the same way for every command.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::bail;
use thingprint_flow::{
    CaptureError, DecodeCounts, DeviceId, Frame, GatewayVotes, Identity, MacAddr, Packet, Trace,
    TraceOptions, TrackCounts, WindowLength, elect_gateway,
};
use thingprint_instance::{Assembled, BuildCounts, Builder, InstanceOptions, Labeled, PartId, Partial};
use thingprint_protocol::Losses;
use thingprint_report::Labels;

use crate::copies::without_copies;
use crate::exit::Outcome;
use crate::inputs::Input;
use crate::messages::{Kept, Messages, Say, counted};
use crate::progress::Progress;
use crate::protocols::Protocols;
use crate::unowned::Unowned;

/// Frames at the start of a trace by which the gateway is guessed; the guess is checked at the end.
const GUESS_FRAMES: usize = 50_000;
/// Frames between two looks at the progress.
const PROGRESS_FRAMES: u64 = 1 << 16;

/// Captures that are to become instances.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) inputs: &'a [Input],
    pub(crate) options: InstanceOptions,
    pub(crate) sort: bool,
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

/// What is known of a trace that was followed to its end.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    captures: usize,
    frames: u64,
    /// IP packets whose payload was not captured whole.
    cut_packets: u64,
    /// IP packets whose sender is known by its MAC address, but not their receiver.
    one_sided: u64,
    unowned: Unowned,
    problems: Vec<CaptureError>,
    counts: DecodeCounts,
}

impl Reading<'_> {
    /// Reads the captures.
    pub(crate) fn instances(&self) -> anyhow::Result<Instances> {
        let messages = Kept::new(self.messages);
        let is_by_capture = self.options.flow.window == WindowLength::Capture;
        // A copy in another folder may have a label of its own there.
        let inputs = if is_by_capture && self.labels.has_captures() {
            self.inputs.to_vec()
        } else {
            without_copies(self.inputs, &messages)
        };
        let (assembled, followed) = if is_by_capture {
            self.each_by_itself(&inputs, &messages)
        } else {
            self.as_one_trace(&inputs, &messages)
        };
        let outcome = followed.report(&messages)?;
        self.report_assembled(&assembled, &followed, &messages);
        let rows = assembled.instances.into_iter().map(|instance| {
            let label = self.labels.label_of(instance.device, instance.capture.as_deref()).cloned();
            Labeled { instance, label }
        });
        Ok(Instances { rows: rows.collect(), outcome, warnings: messages.into_warnings() })
    }

    /// Every capture is a trace of its own.
    fn each_by_itself(&self, inputs: &[Input], messages: &Kept) -> (Assembled, Followed) {
        let total = total_length(inputs);
        let progress = Progress::bytes("reading", total, self.messages.is_quiet());
        let (next, done) = (AtomicUsize::new(0), Mutex::new((Partial::default(), Vec::new(), 0)));
        std::thread::scope(|scope| {
            for _ in 0..self.threads.get().min(inputs.len()) {
                scope.spawn(|| {
                    while let Some(input) = inputs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let (partial, followed) =
                            self.build(std::slice::from_ref(input), &self.options, None, messages);
                        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                        done.0 = std::mem::take(&mut done.0).merge(partial);
                        done.1.push((input.name(), followed));
                        done.2 += input.length().unwrap_or(0);
                        progress.set(done.2);
                    }
                });
            }
        });
        progress.finish();
        let (partial, mut followed, _) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        followed.sort_by(|a, b| a.0.cmp(&b.0));
        let followed = followed.into_iter().fold(Followed::default(), |all, (_, one)| all.and(one));
        (partial.assemble(&self.options, &self.labelled_macs()), followed)
    }

    /// All captures are one trace.
    ///
    /// The gateway is no device, and leaving it out while reading saves half of the work. Who it is shows only at
    /// the end, so it is guessed from the first frames; a wrong guess costs a second reading. What cannot be read
    /// twice is read with the gateway as a device, which is left out at the end.
    fn as_one_trace(&self, inputs: &[Input], messages: &Kept) -> (Assembled, Followed) {
        let labelled = self.labelled_macs();
        let mut options = self.options.clone();
        let is_rewindable = inputs.iter().all(Input::is_rewindable);
        if options.flow.gateway.is_none() && is_rewindable && !self.sort {
            options.flow.gateway = guess_gateway(inputs, &labelled);
        }
        let progress = Progress::bytes("reading", total_length(inputs), self.messages.is_quiet());
        let (mut partial, mut followed) = self.build(inputs, &options, Some(&progress), messages);
        let elected = self.options.flow.gateway.or_else(|| elect_gateway(&partial.votes(), &labelled));
        if options.flow.gateway.is_some() && options.flow.gateway != elected {
            messages.detail("the gateway is not who it seemed to be at first: reading again");
            options.flow.gateway = elected;
            (partial, followed) = self.build(inputs, &options, Some(&progress), messages);
        }
        progress.finish();
        (partial.assemble(&options, &labelled), followed)
    }

    fn build(
        &self,
        inputs: &[Input],
        options: &InstanceOptions,
        progress: Option<&Progress>,
        messages: &Kept,
    ) -> (Partial, Followed) {
        let engine = self.protocols.engine();
        let mut builder = Builder::new(options.clone(), &engine);
        let followed = follow(inputs, self.sort, progress, |packet| builder.push(packet));
        let names: Vec<String> = inputs.iter().map(Input::name).collect();
        let name = (names.len() == 1).then(|| names[0].clone());
        let (part, counts) = builder.finish(PartId::of_text(&names.join("\n")), name);
        report_build(counts, messages);
        let mut partial = Partial::default();
        if let Some(part) = part {
            partial.insert(part);
        }
        (partial, followed)
    }

    fn labelled_macs(&self) -> BTreeSet<MacAddr> {
        labelled_macs(self.labels)
    }

    fn report_assembled(&self, assembled: &Assembled, followed: &Followed, messages: &Kept) {
        let flow = &self.options.flow;
        if let (Some(gateway), Identity::Mac) = (assembled.gateway, flow.identity) {
            let how =
                if flow.gateway.is_some() { "as given" } else { "it sends most packets from the Internet" };
            messages.note(format!("the gateway is {gateway} ({how})"));
        }
        followed.report_unowned(flow.identity, assembled.gateway, messages);
        let edges = [
            (
                assembled.edges_inside_window,
                "edges between captures are inside a window: flows over them count twice",
            ),
            (
                assembled.bursts_over_edge,
                "bursts of queries go on over an edge between captures, and count twice",
            ),
        ];
        for (count, what) in edges.into_iter().filter(|(count, _)| *count > 0) {
            messages.warn(format!("{count} {what}"));
        }
        if assembled.instances.is_empty() && followed.frames > 0 {
            messages.warn("no device sent enough for an instance");
        }
        if self.labels.has_captures() && flow.window != WindowLength::Capture {
            messages.warn(
                "the capture column of the label file counts with --window capture only: without it, a device has a \
                 label where all its rows agree",
            );
        }
        let instances = counted(assembled.instances.len() as u64, "instance", "instances");
        messages.detail(format!("{}, {instances}", counted(followed.frames, "frame", "frames")));
        for (kind, count) in followed.counts.malformed.iter().filter(|(_, count)| **count > 0) {
            messages.detail(format!("{count} malformed packets: {kind}"));
        }
    }
}

impl Followed {
    #[inline]
    fn look_at(&mut self, packet: &Packet<'_>) {
        let Some(ip) = &packet.ip else { return };
        self.cut_packets += u64::from(ip.payload.len() < ip.payload_bytes as usize);
        self.one_sided += u64::from(packet.src_mac.is_some() && packet.dst_mac.is_none());
        self.unowned.look_at(packet, ip);
    }

    /// Says what the way in which the captures were taken leaves out.
    fn report_gaps(&self, messages: impl Say) {
        let packets = self.counts.ip_packets;
        if self.cut_packets > 0 {
            messages.warn(format!(
                "{} of {packets} packets were not captured whole: names, intervals and cipher suites may be missing \
                 (tcpdump -s 0 captures all)",
                self.cut_packets
            ));
        }
        if self.one_sided > 0 {
            messages.warn(format!(
                "{} of {packets} packets do not say which device received them (Linux cooked capture, tcpdump -i any): \
                 devices are seen to send only; capture on one interface, or use --identity ip",
                self.one_sided
            ));
        }
    }

    /// Says which packets belonged to no device, once it is known who the gateway is.
    pub(crate) fn report_unowned(&self, identity: Identity, gateway: Option<MacAddr>, messages: impl Say) {
        self.unowned.report(self.counts.ip_packets, (identity, gateway), messages);
    }

    /// Frames with a fragment that did not complete a datagram.
    pub(crate) const fn fragments_held(&self) -> u64 {
        self.counts.fragments_held
    }

    fn and(mut self, other: Self) -> Self {
        self.captures += other.captures;
        self.frames += other.frames;
        self.cut_packets += other.cut_packets;
        self.one_sided += other.one_sided;
        self.unowned.merge(other.unowned);
        self.problems.extend(other.problems);
        self.counts.merge(&other.counts);
        self
    }

    /// Whether there is a problem with every capture, and none gave a frame that can be decoded.
    fn is_hopeless(&self) -> bool {
        self.frames == self.counts.unsupported_link
            && !self.problems.is_empty()
            && self.problems.len() >= self.captures
    }

    /// Says what could not be read. Fails when nothing at all could be.
    pub(crate) fn report(&self, messages: impl Say) -> anyhow::Result<Outcome> {
        if self.is_hopeless() {
            let all: Vec<String> =
                self.problems.iter().map(|problem| format!("failed to read {problem}")).collect();
            bail!("{}", all.join("\n       "));
        }
        for problem in &self.problems {
            messages.warn(format!("failed to read {problem}"));
        }
        self.report_gaps(messages);
        if self.frames == 0 && self.problems.is_empty() {
            messages.warn("there is no packet in the input");
        }
        Ok(if self.problems.is_empty() { Outcome::Done } else { Outcome::Partial })
    }
}

/// Says what was left out while instances were made.
fn report_build(counts: BuildCounts, messages: &Kept) {
    report_losses(counts.track, counts.losses, messages);
    if counts.words_dropped > 0 {
        let words = counts.words_dropped;
        messages.warn(format!("{words} words were left out of bags: too many distinct ones"));
    }
}

/// Says what caps and gaps left out of flows and messages.
pub(crate) fn report_losses(track: TrackCounts, losses: Losses, messages: impl Say) {
    let lost = [
        (track.late_packets, "packets came after their window was closed, and count in the next"),
        (track.flows_evicted, "flows were closed early, because the flow table was full"),
        (track.device_packets_dropped, "packets of further devices were left out: too many devices"),
        (losses.buffers_dropped, "streams were not read for messages: too many bytes to keep"),
    ];
    for (count, what) in lost.into_iter().filter(|(count, _)| *count > 0) {
        messages.warn(format!("{count} {what}"));
    }
    if losses.streams_given_up > 0 {
        let streams = losses.streams_given_up;
        messages.detail(format!("{streams} streams could not be read on: bytes missing or too long"));
    }
}

/// Who the gateway is, by all frames of captures that can be read twice.
pub(crate) fn find_gateway(inputs: &[Input], labelled: &BTreeSet<MacAddr>) -> Option<MacAddr> {
    let mut votes = GatewayVotes::default();
    follow(inputs, false, None, |packet| votes.observe(packet));
    elect_gateway(&votes.into_counts(), labelled)
}

/// Who the gateway seems to be by the first frames.
pub(crate) fn guess_gateway(inputs: &[Input], labelled: &BTreeSet<MacAddr>) -> Option<MacAddr> {
    let captures = inputs.iter().take(1).map(Input::capture).collect();
    let mut trace = Trace::new(captures, TraceOptions::default());
    let mut votes = GatewayVotes::default();
    for _ in 0..GUESS_FRAMES {
        let Some(packet) = trace.next_packet() else { break };
        votes.observe(&packet);
    }
    elect_gateway(&votes.into_counts(), labelled)
}

/// Hands every packet of a trace to `each`.
pub(crate) fn follow(
    inputs: &[Input],
    sort: bool,
    progress: Option<&Progress>,
    mut each: impl FnMut(&Packet<'_>),
) -> Followed {
    follow_captures(inputs, sort, progress, |_, packet| each(packet))
}

/// Hands every packet of a trace, with the place of its capture among the inputs, to `each`.
pub(crate) fn follow_captures(
    inputs: &[Input],
    sort: bool,
    progress: Option<&Progress>,
    mut each: impl FnMut(usize, &Packet<'_>),
) -> Followed {
    let followed = follow_all(inputs, sort, progress, |capture, _, packet| {
        each(capture, packet);
        Ok::<_, Infallible>(())
    });
    match followed {
        Ok(followed) => followed,
        Err(never) => match never {},
    }
}

/// Hands every frame of a trace, with its packet, to `each`, until that fails.
pub(crate) fn follow_frames<E>(
    inputs: &[Input],
    sort: bool,
    progress: Option<&Progress>,
    mut each: impl FnMut(&Frame<'_>, &Packet<'_>) -> Result<(), E>,
) -> Result<Followed, E> {
    follow_all(inputs, sort, progress, |_, frame, packet| each(frame, packet))
}

fn follow_all<E>(
    inputs: &[Input],
    sort: bool,
    progress: Option<&Progress>,
    mut each: impl FnMut(usize, &Frame<'_>, &Packet<'_>) -> Result<(), E>,
) -> Result<Followed, E> {
    let captures = inputs.iter().map(Input::capture).collect();
    let mut trace = Trace::new(captures, TraceOptions { sort, ..TraceOptions::default() });
    let mut followed = Followed { captures: inputs.len(), ..Followed::default() };
    while let Some((capture, frame, packet)) = trace.next_placed() {
        each(capture, &frame, &packet)?;
        followed.frames += 1;
        followed.look_at(&packet);
        if followed.frames.is_multiple_of(PROGRESS_FRAMES)
            && let Some(progress) = progress
        {
            progress.set(trace.bytes_read());
        }
    }
    followed.problems = trace.problems().to_vec();
    followed.counts = trace.counts().clone();
    Ok(followed)
}

/// The labelled devices that have a MAC address.
pub(crate) fn labelled_macs(labels: &Labels) -> BTreeSet<MacAddr> {
    labels
        .devices()
        .filter_map(|device| match device {
            DeviceId::Mac(mac) => Some(mac),
            DeviceId::Ip(_) => None,
        })
        .collect()
}

/// Bytes of all inputs; `None` when one has no length to see.
pub(crate) fn total_length(inputs: &[Input]) -> Option<u64> {
    inputs.iter().map(Input::length).sum()
}
