use thingprint_flow::{DevicePacket, NonIp};
use thingprint_protocol::Interest;

use super::bag::{BagDefinition, BagSource};
use super::number::{NumberDefinition, NumberSource};
use super::observation::{ClosedFlow, SentMessage};
use super::set::EvidenceSet;
use super::{BagTally, NumberTally};
use crate::activity::Gap;
use crate::bursts::Bursts;
use crate::options::InstanceOptions;
use crate::{Attributes, Bags, Spreads};

/// How the chosen evidence is counted: tallies of numbers and bags stand in the order of this plan, so that nothing is
/// looked up by name while packets come in.
#[derive(Clone, Debug)]
pub(crate) struct EvidencePlan {
    set: EvidenceSet,
    numbers: Box<[&'static NumberDefinition]>,
    bags: Box<[&'static BagDefinition]>,
    /// Places of the bags that are counted from packets.
    of_packets: Box<[usize]>,
    interest: Interest,
}

/// What the chosen evidence comes to in one window, in the order of the plan.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct EvidenceTally {
    numbers: Box<[NumberTally]>,
    bags: Box<[BagTally]>,
    /// Words beyond the most that a bag holds.
    pub(crate) words_dropped: u64,
}

impl EvidencePlan {
    /// The plan for a choice of evidence.
    pub(crate) fn of(set: EvidenceSet) -> Self {
        let numbers: Box<[_]> = set.numbers().map(super::Attribute::definition).collect();
        let bags: Box<[_]> = set.bags().map(super::BagName::definition).collect();
        let wanted = numbers.iter().map(|number| number.interest());
        let wanted = wanted.chain(bags.iter().map(|bag| bag.interest()));
        let interest = wanted.fold(Interest::NONE, Interest::or);
        let is_of_packets = |bag: &BagDefinition| matches!(bag.source, BagSource::Traffic { .. });
        let of_packets = (0..bags.len()).filter(|at| is_of_packets(bags[*at])).collect();
        Self { set, numbers, bags, of_packets, interest }
    }

    /// Whether evidence is counted from single packets.
    #[inline]
    pub(crate) const fn wants_packets(&self) -> bool {
        !self.of_packets.is_empty()
    }

    /// The messages that the evidence is counted from.
    pub(crate) const fn interest(&self) -> Interest {
        self.interest
    }

    /// The tally of a window in which nothing was seen.
    pub(crate) fn tally(&self) -> EvidenceTally {
        EvidenceTally {
            numbers: self.numbers.iter().map(|number| number.tally()).collect(),
            bags: self.bags.iter().map(|bag| bag.tally()).collect(),
            words_dropped: 0,
        }
    }

    /// The bursts of a device that sent no query, one for each number that is an interval between bursts; `fresh` is
    /// one of them.
    pub(crate) fn bursts(&self, fresh: &Bursts) -> Box<[Bursts]> {
        self.intervals().map(|_| fresh.clone()).collect()
    }

    /// Places of the numbers that are intervals between bursts, each with what a query is.
    fn intervals(&self) -> impl Iterator<Item = (usize, fn(&SentMessage<'_>) -> bool)> {
        self.numbers.iter().enumerate().filter_map(|(at, number)| match number.source {
            NumberSource::Bursts { is_query, .. } => Some((at, is_query)),
            _ => None,
        })
    }
}

impl EvidenceTally {
    /// Counts a closed flow.
    pub(crate) fn flow(&mut self, flow: &ClosedFlow, plan: &EvidencePlan, options: &InstanceOptions) {
        for (tally, number) in self.numbers.iter_mut().zip(&plan.numbers) {
            tally.flow(number, flow);
        }
        for (tally, bag) in self.bags.iter_mut().zip(&plan.bags) {
            self.words_dropped += tally.flow(bag, flow, options);
        }
    }

    /// Counts a message; `bursts` are those of the device.
    pub(crate) fn message(
        &mut self,
        sent: &SentMessage<'_>,
        bursts: &mut [Bursts],
        plan: &EvidencePlan,
        options: &InstanceOptions,
    ) {
        for ((at, is_query), bursts) in plan.intervals().zip(bursts) {
            if is_query(sent)
                && let Some(interval_ns) = bursts.query(sent.packet.time, options.burst_gap_ns)
            {
                self.add_interval(at, interval_ns, options);
            }
        }
        for (tally, bag) in self.bags.iter_mut().zip(&plan.bags) {
            self.words_dropped += tally.message(bag, sent, options);
        }
    }

    /// Counts a packet.
    #[inline]
    pub(crate) fn packet(
        &mut self,
        packet: &DevicePacket<'_, '_>,
        plan: &EvidencePlan,
        options: &InstanceOptions,
    ) {
        for &at in &plan.of_packets {
            if let (Some(tally), Some(bag)) = (self.bags.get_mut(at), plan.bags.get(at)) {
                self.words_dropped += tally.packet(bag, packet, options);
            }
        }
    }

    /// Counts a frame without an IP packet, which went to a group or to one host.
    pub(crate) fn frame(
        &mut self,
        frame: (&NonIp<'_>, bool),
        plan: &EvidencePlan,
        options: &InstanceOptions,
    ) {
        for &at in &plan.of_packets {
            if let (Some(tally), Some(bag)) = (self.bags.get_mut(at), plan.bags.get(at)) {
                self.words_dropped += tally.frame(bag, frame, options);
            }
        }
    }

    /// Counts the time between two bursts of the `nth` number that is such an interval.
    pub(crate) fn interval(
        &mut self,
        nth: usize,
        interval_ns: u64,
        plan: &EvidencePlan,
        options: &InstanceOptions,
    ) {
        if let Some((at, _)) = plan.intervals().nth(nth) {
            self.add_interval(at, interval_ns, options);
        }
    }

    fn add_interval(&mut self, at: usize, interval_ns: u64, options: &InstanceOptions) {
        if interval_ns <= options.max_gap_ns
            && let Some(tally) = self.numbers.get_mut(at)
        {
            tally.add(interval_ns);
        }
    }

    /// Counts a gap between activity, if it is as long as sleep is.
    pub(crate) fn gap(&mut self, (start, end): Gap, plan: &EvidencePlan, options: &InstanceOptions) {
        let gap_ns = u64::try_from(end.nanos_since(start)).unwrap_or(0);
        if !(options.min_gap_ns..=options.max_gap_ns).contains(&gap_ns) {
            return;
        }
        for (tally, number) in self.numbers.iter_mut().zip(&plan.numbers) {
            if matches!(number.source, NumberSource::Gaps) {
                tally.add(gap_ns);
            }
        }
    }

    /// Adds what another part of the trace saw of the same window by the same plan.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.numbers.iter_mut().zip(&other.numbers).for_each(|(mine, theirs)| mine.merge(theirs));
        self.bags.iter_mut().zip(&other.bags).for_each(|(mine, theirs)| mine.merge(theirs));
        self.words_dropped += other.words_dropped;
    }

    /// The numbers that have a value.
    pub(crate) fn attributes(&self, plan: &EvidencePlan, options: &InstanceOptions) -> Attributes {
        let tallies = plan.set.numbers().zip(&plan.numbers).zip(&self.numbers);
        tallies.map(|((name, number), tally)| (name, tally.mean(number, options.rate))).collect()
    }

    /// How the values behind the numbers are spread.
    pub(crate) fn spreads(&self, plan: &EvidencePlan) -> Spreads {
        let tallies = plan.set.numbers().zip(&plan.numbers).zip(&self.numbers);
        tallies.filter_map(|((name, number), tally)| Some((name, tally.spread(number)?))).collect()
    }

    /// The bags.
    pub(crate) fn bags(&self, plan: &EvidencePlan, options: &InstanceOptions) -> Bags {
        let tallies = plan.set.bags().zip(&plan.bags).zip(&self.bags);
        tallies.map(|((name, bag), tally)| (name, tally.bag(bag, options))).collect()
    }
}
