//! What there is to say of captures that were read.

use anyhow::bail;
use thingprint_audit::report::DoubtfulGateway;
use thingprint_flow::{Gateways, Identity};
use thingprint_instance::InstanceLosses;
use thingprint_pipeline::{ReadSummary, Summary};
use thingprint_protocol::Losses;

use crate::exit::Outcome;
use crate::messages::{Say, counted};
use crate::networks::report_networks;
use crate::reading::Reading;

/// A warning is due when more than one packet of so many belongs to no device.
const WARNING_SHARE: u64 = 10;
/// A note is due when captures are so many days apart.
const FAR_APART_DAYS: i64 = 30;
const DAY_NS: i64 = 86_400_000_000_000;
/// A note is due when so many packets of a hundred are copies.
const NOTED_COPIES_PERCENT: u64 = 1;

impl Reading<'_> {
    /// Says what there is to say of captures of one network that were read, in the same words for every command: what could not
    /// be read, whether they are of several networks after all, who the gateways are and whether that is doubtful, what is missing
    /// in between. What caps left out is said by [`report_left_out`](crate::left_out::report_left_out).
    pub(crate) fn report(&self, summary: &Summary, messages: impl Say) -> anyhow::Result<Outcome> {
        report_networks(self.inputs, &self.gateways, &self.flow.local_nets, messages);
        let outcome = self.report_apart(summary, messages)?;
        report_contradictions(summary, messages);
        self.report_gateways(summary, messages);
        Ok(outcome)
    }

    /// The same of captures of networks that were kept apart.
    pub(crate) fn report_apart(&self, summary: &Summary, messages: impl Say) -> anyhow::Result<Outcome> {
        let outcome = report_read(&summary.read, self.inputs.len(), messages)?;
        report_losses(summary, messages);
        report_late(summary, messages);
        report_unowned(&summary.read, (self.flow.identity, &summary.gateways), messages);
        Ok(outcome)
    }

    /// Says who the gateways are and why.
    fn report_gateways(&self, summary: &Summary, messages: impl Say) {
        if summary.read.identity(self.flow.identity) != Identity::Mac || summary.read.frames == 0 {
            return;
        }
        for (mac, reason) in &summary.gateways.0 {
            messages.fact(format!("the gateway is {mac} ({reason})"));
        }
        if summary.gateways.is_empty() && !self.gateways.is_none && !self.keeps_gateways {
            messages.note(
                "no gateway was seen, since no address passes on traffic from and to the Internet: if one of the devices is the \
                 gateway, name it with --gateway, or it is taken for a device",
            );
        }
        if summary.is_second_reading {
            messages.detail("the gateway is not who it seemed to be at first: everything was read twice");
        }
        for doubt in summary.doubtful_gateways.iter().copied().map(DoubtfulGateway::new) {
            messages.warn(doubt);
        }
    }
}

/// Says what could not be read of so many captures. Fails when nothing at all could be.
fn report_read(read: &ReadSummary, captures: usize, messages: impl Say) -> anyhow::Result<Outcome> {
    let is_hopeless = read.frames == read.counts.unsupported_link
        && !read.problems.is_empty()
        && read.problems.len() >= captures;
    if is_hopeless {
        let all: Vec<String> =
            read.problems.iter().map(|problem| format!("failed to read {problem}")).collect();
        bail!("{}", all.join("\n       "));
    }
    for problem in &read.problems {
        messages.missing(format!("failed to read {problem}"));
    }
    for (link, packets) in &read.counts.unsupported_links {
        let packets = counted(*packets, "packet was", "packets were");
        messages.missing(format!("{packets} not read: link type {link} is not supported"));
    }
    report_gaps(read, messages);
    report_wrapped(read, messages);
    let days = read.silence_ns / DAY_NS;
    if days >= FAR_APART_DAYS {
        messages.note(format!(
            "there is no packet for {days} days: captures of several networks are kept apart by --network-by of extract, devices and flows"
        ));
    }
    report_times(read, messages);
    if read.by_address > 0 {
        messages.note(
            "link addresses do not separate hosts here, since both directions of most conversations have the same ones: \
             devices are identified by their private IP addresses (--identity mac insists on link addresses)",
        );
    }
    if read.frames > 0 {
        for note in read.given_gateways.notes() {
            if note.is_severe { messages.warn(note) } else { messages.note(note) }
        }
    }
    if read.frames == 0 && read.problems.is_empty() {
        messages.warn("there is no packet in the input");
    }
    let is_whole = read.problems.is_empty() && read.counts.unsupported_link == 0;
    Ok(if is_whole { Outcome::Done } else { Outcome::Partial })
}

/// Says what the way in which the captures were taken leaves out.
fn report_gaps(read: &ReadSummary, messages: impl Say) {
    let packets = read.counts.ip_packets;
    if read.cut_packets > 0 {
        messages.warn(format!(
            "{} of {packets} packets were not captured whole: names, intervals and cipher suites may be missing \
             (tcpdump -s 0 captures all)",
            read.cut_packets
        ));
    }
    if read.one_sided > 0 {
        messages.warn(format!(
            "{} of {packets} packets do not say which device received them (Linux cooked capture, tcpdump -i any): \
             devices are seen to send only; capture on one interface, or use --identity ip",
            read.one_sided
        ));
    }
}

/// Says which packets carry others, and how many are copies.
fn report_wrapped(read: &ReadSummary, messages: impl Say) {
    let tunnels: Vec<String> =
        read.tunnelled.iter().map(|(tunnel, packets)| format!("{tunnel}: {packets}")).collect();
    if !tunnels.is_empty() {
        let tunnels = tunnels.join(", ");
        messages.note(format!("packets carry others ({tunnels}), which --decap opens"));
    }
    let (copies, packets) = read.copies;
    if copies > 0 && copies * 100 >= packets * NOTED_COPIES_PERCENT {
        messages.note(format!(
            "{}% of the first packets were captured more than once within 10 ms; --dedup leaves the copies out",
            copies * 100 / packets.max(1)
        ));
    }
    if read.counts.copies > 0 {
        messages.note(format!("{} left out", counted(read.counts.copies, "copy was", "copies were")));
    }
}

/// Says how many times were not believed.
pub(crate) fn report_wrongly_timed(frames: u64, messages: impl Say) {
    if frames > 0 {
        messages.warn(format!(
            "{} left out: the time is more than 300 s ahead, and the frames that follow do not confirm it (--sort reads \
             them)",
            counted(frames, "frame was", "frames were")
        ));
    }
}

/// Says which times were not believed, and where the clock stepped back.
fn report_times(read: &ReadSummary, messages: impl Say) {
    report_wrongly_timed(read.wrongly_timed, messages);
    for (capture, steps) in &read.steps_back {
        messages.warn(format!(
            "the clock of {capture} steps back by more than 300 s ({}): flows end and windows begin again there; --sort \
             puts the packets in the order of their times",
            counted(*steps, "time", "times")
        ));
    }
}

/// Packets of which one gap in a stream is worth a note.
const FEW_GAPS: u64 = 1000;

/// Says what gaps, and packets that came late, left out of flows and messages.
fn report_losses(summary: &Summary, messages: impl Say) {
    let Summary { counts: track, losses, .. } = summary;
    if track.late_packets > 0 {
        let late = track.late_packets;
        messages.warn(format!("{late} packets came after their window was closed, and count in the next"));
    }
    let incomplete = summary.read.counts.datagrams_expired;
    if incomplete > 0 {
        messages.note(format!(
            "{} never complete",
            counted(incomplete, "datagram in fragments was", "datagrams in fragments were")
        ));
    }
    if let Some(gaps) = gaps_in_words(losses) {
        // A few are in every capture.
        if losses.gaps.saturating_mul(FEW_GAPS) > summary.read.counts.frames {
            messages.note(gaps);
        } else {
            messages.detail(gaps);
        }
    }
    if track.passed_on > 0 {
        messages
            .detail(format!("{} packets that a device received and sent again count once", track.passed_on));
    }
    if losses.streams_given_up > 0 {
        let streams = losses.streams_given_up;
        messages.detail(format!("{streams} streams could not be read on: a message too long"));
    }
}

/// The gaps in streams, in words. Which streams are read for messages, and how far, depends on what a command looks for: so each
/// has a number of its own, and says so.
fn gaps_in_words(losses: &Losses) -> Option<String> {
    let Losses { gaps, gap_bytes, skipped_bytes, .. } = *losses;
    (gaps > 0).then(|| {
        format!(
            "{} in the TCP streams that are read for messages: the capture lost {}, so that messages there are missing, and {} \
             behind them cannot be read",
            counted(gaps, "gap", "gaps"),
            counted(gap_bytes, "byte", "bytes"),
            counted(skipped_bytes, "byte", "bytes"),
        )
    })
}

/// Says which windows came twice.
pub(crate) fn report_instance_losses(losses: &[InstanceLosses], messages: impl Say) {
    let mut all = InstanceLosses::default();
    for losses in losses {
        all.merge(losses);
    }
    if !all.repeated.is_empty() {
        messages.warn(format!(
            "{} written twice, with {}: the clock stepped back to times whose windows were final; --sort makes one row of \
             each",
            counted(all.repeated.len() as u64, "window was", "windows were"),
            counted(all.repeated.values().sum(), "more row", "more rows")
        ));
    }
}

/// Says which hosts sent DHCP requests of other clients, though they forward nothing.
pub(crate) fn report_contradictions(summary: &Summary, messages: impl Say) {
    for relayed in summary.read.relayed.contradictions(&summary.gateways) {
        let name = relayed.message.host_name.as_deref().map_or_else(String::new, |name| format!(" '{name}'"));
        messages.warn(format!(
            "{} sent a DHCP request of another client, {}{name}, and is no relay: its names count for neither",
            relayed.sender, relayed.client
        ));
    }
}

/// Says which rows came out before it was known that they are of a gateway, and which did not while their device was taken for one.
fn report_late(summary: &Summary, messages: impl Say) {
    if summary.gateway_late > 0 {
        messages.warn(format!(
            "{} of the gateway came out before it was known to be one; name it with --gateway to leave them out",
            counted(summary.gateway_late, "row", "rows")
        ));
    }
    if summary.gateway_early > 0 {
        messages.missing(format!(
            "{} left out, as their device was taken for a gateway for a while: a few packets make one, which somebody may have forged; name \
             the gateway with --gateway, or give the device a label",
            counted(summary.gateway_early, "row was", "rows were")
        ));
    }
}

/// Says how many packets belonged to no device, and why: a warning where they are many.
fn report_unowned(read: &ReadSummary, (identity, gateways): (Identity, &Gateways), messages: impl Say) {
    let by_address =
        "neither of their addresses is private, and devices are identified by private IP addresses here";
    let names: Vec<String> = gateways.0.keys().map(ToString::to_string).collect();
    let by_mac = if names.is_empty() {
        "their MAC addresses are those of a gateway, or not of a single host".to_owned()
    } else {
        let gateways = names.join(", ");
        format!("the gateway {gateways} is not a device (--gateway names another), and neither is a group")
    };
    let (public, others) = read.unowned.counts(read.identity(identity), gateways);
    for (count, why) in [(public, by_address), (others, by_mac.as_str())] {
        if count == 0 {
            continue;
        }
        let text =
            format!("{} to no device: {why}", counted(count, "IP packet belonged", "IP packets belonged"));
        if count.saturating_mul(WARNING_SHARE) > read.counts.ip_packets {
            messages.warn(text);
        } else {
            messages.detail(text);
        }
    }
}

/// Who the gateways are, in a few words.
pub(crate) fn gateways_in_words(gateways: &Gateways) -> String {
    let names: Vec<String> = gateways.0.keys().map(ToString::to_string).collect();
    match names.as_slice() {
        [] => "no gateway was seen".to_owned(),
        [one] => format!("the gateway is {one}"),
        several => format!("the gateways are {}", several.join(", ")),
    }
}
