use thingprint_flow::{DevicePacket, NonIp};
use thingprint_protocol::Interest;

use super::NumberTally;
use super::bag::{BagDefinition, BagSource, FrameWords, MessageWords, PacketWords, WordCounter};
use super::number::{NumberDefinition, NumberSource};
use super::observation::{ClosedFlow, SentMessage};
use super::room::Room;
use super::word_tally::WordTally;
use crate::activity::Gap;
use crate::bursts::Bursts;
use crate::options::InstanceOptions;
use crate::{Attributes, Bags, Spreads};

/// What a window takes beside the tallies of its evidence, in bytes: its counts, and its place in a map.
const WINDOW_BYTES: usize = 192;
/// What a bag takes in a window at most beside its words, in bytes: with the places of words by their hashes.
const BAG_BYTES: usize = 80;

/// How the chosen evidence is counted: tallies of numbers and bags stand in the order of this plan, so that nothing is
/// looked up by name while packets come in.
#[derive(Clone, Debug)]
pub(crate) struct EvidencePlan {
    options: InstanceOptions,
    numbers: Box<[&'static NumberDefinition]>,
    bags: Box<[&'static BagDefinition]>,
    /// Places of the bags that are counted from packets, and what counts them.
    of_packets: Box<[(usize, PacketWords)]>,
    /// The same of frames without an IP packet.
    of_frames: Box<[(usize, FrameWords)]>,
    /// The same of messages.
    of_messages: Box<[(usize, MessageWords)]>,
    interest: Interest,
}

/// What the chosen evidence comes to in one window, in the order of the plan.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct EvidenceTally {
    numbers: Box<[NumberTally]>,
    bags: Box<[WordTally]>,
    /// Words for which there was no room.
    pub(crate) words_dropped: u64,
}

impl EvidencePlan {
    /// The plan for the evidence that these options choose.
    pub(crate) fn of(options: InstanceOptions) -> Self {
        let numbers: Box<[_]> = options.evidence.numbers().map(super::Attribute::definition).collect();
        let bags: Box<[_]> = options.evidence.bags().map(super::BagName::definition).collect();
        let wanted = numbers.iter().map(|number| number.interest());
        let wanted = wanted.chain(bags.iter().map(|bag| bag.interest()));
        let interest = wanted.fold(Interest::NONE, Interest::or);
        Self {
            of_packets: counted(&bags, |source| match source {
                BagSource::Traffic { packet, .. } => Some(packet),
                _ => None,
            }),
            of_frames: counted(&bags, |source| match source {
                BagSource::Traffic { frame, .. } => frame,
                _ => None,
            }),
            of_messages: counted(&bags, |source| match source {
                BagSource::Messages { words, .. } => Some(words),
                _ => None,
            }),
            options,
            numbers,
            bags,
            interest,
        }
    }

    /// How instances are formed.
    pub(crate) const fn options(&self) -> &InstanceOptions {
        &self.options
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

    /// What a window takes without words, in bytes, with its place in a map.
    #[inline]
    pub(crate) const fn window_bytes(&self) -> usize {
        WINDOW_BYTES + self.numbers.len() * size_of::<NumberTally>() + self.bags.len() * BAG_BYTES
    }

    /// The tally of a window in which nothing was seen.
    pub(crate) fn tally(&self) -> EvidenceTally {
        EvidenceTally {
            numbers: self.numbers.iter().map(|number| number.tally()).collect(),
            bags: self.bags.iter().map(|_| WordTally::default()).collect(),
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

/// The places of bags, and what counts their words.
fn counted<W>(bags: &[&'static BagDefinition], words: fn(BagSource) -> Option<W>) -> Box<[(usize, W)]> {
    bags.iter().enumerate().filter_map(|(at, bag)| Some((at, words(bag.source)?))).collect()
}

impl EvidenceTally {
    /// Counts a closed flow.
    pub(crate) fn flow(&mut self, flow: &ClosedFlow, plan: &EvidencePlan, room: &mut Room) {
        for (tally, number) in self.numbers.iter_mut().zip(&plan.numbers) {
            tally.flow(number, flow);
        }
        for (tally, bag) in self.bags.iter_mut().zip(&plan.bags) {
            if let BagSource::Flows { word, .. } = bag.source
                && let Some(word) = word(flow, &plan.options)
            {
                tally.number(word, 1, room);
            }
        }
    }

    /// Counts a message; `bursts` are those of the device.
    pub(crate) fn message(
        &mut self,
        sent: &SentMessage<'_>,
        bursts: &mut [Bursts],
        plan: &EvidencePlan,
        room: &mut Room,
    ) {
        for ((at, is_query), bursts) in plan.intervals().zip(bursts) {
            if is_query(sent)
                && let Some(interval_ns) = bursts.query(sent.packet.time, plan.options.burst_gap_ns)
            {
                self.add_interval(at, interval_ns, plan);
            }
        }
        for (at, words) in &plan.of_messages {
            if let Some(tally) = self.bags.get_mut(*at) {
                words(sent, &plan.options, &mut WordCounter::new(tally, room));
            }
        }
    }

    /// Counts a packet.
    #[inline]
    pub(crate) fn packet(&mut self, packet: &DevicePacket<'_, '_>, plan: &EvidencePlan, room: &mut Room) {
        for (at, words) in &plan.of_packets {
            if let Some(tally) = self.bags.get_mut(*at) {
                words(packet, &plan.options, &mut WordCounter::new(tally, room));
            }
        }
    }

    /// Counts a frame without an IP packet, which went to a group or to one host.
    pub(crate) fn frame(
        &mut self,
        (frame, is_to_group): (&NonIp<'_>, bool),
        plan: &EvidencePlan,
        room: &mut Room,
    ) {
        for (at, words) in &plan.of_frames {
            if let Some(tally) = self.bags.get_mut(*at) {
                words(frame, is_to_group, &mut WordCounter::new(tally, room));
            }
        }
    }

    /// Counts the time between two bursts of the `nth` number that is such an interval.
    pub(crate) fn interval(&mut self, nth: usize, interval_ns: u64, plan: &EvidencePlan) {
        if let Some((at, _)) = plan.intervals().nth(nth) {
            self.add_interval(at, interval_ns, plan);
        }
    }

    fn add_interval(&mut self, at: usize, interval_ns: u64, plan: &EvidencePlan) {
        if interval_ns <= plan.options.max_gap_ns
            && let Some(tally) = self.numbers.get_mut(at)
        {
            tally.add(interval_ns);
        }
    }

    /// Counts a gap between activity, if it is as long as sleep is.
    pub(crate) fn gap(&mut self, (start, end): Gap, plan: &EvidencePlan) {
        let gap_ns = u64::try_from(end.nanos_since(start)).unwrap_or(0);
        if !(plan.options.min_gap_ns..=plan.options.max_gap_ns).contains(&gap_ns) {
            return;
        }
        for (tally, number) in self.numbers.iter_mut().zip(&plan.numbers) {
            if matches!(number.source, NumberSource::Gaps) {
                tally.add(gap_ns);
            }
        }
    }

    /// Adds what another part of the trace saw of the same window by the same plan.
    pub(crate) fn merge(&mut self, other: &Self, room: &mut Room) {
        self.numbers.iter_mut().zip(&other.numbers).for_each(|(mine, theirs)| mine.merge(theirs));
        self.bags.iter_mut().zip(&other.bags).for_each(|(mine, theirs)| mine.merge(theirs, room));
        self.words_dropped += other.words_dropped;
    }

    /// Forgets everything, and keeps the memory for a few words.
    pub(crate) fn clear(&mut self) {
        self.numbers.iter_mut().for_each(NumberTally::clear);
        self.bags.iter_mut().for_each(WordTally::clear);
        self.words_dropped = 0;
    }

    /// Bytes of the words.
    pub(crate) fn word_bytes(&self) -> usize {
        self.bags.iter().map(WordTally::bytes).sum()
    }

    /// Bytes of numbers and words.
    pub(crate) fn kept_bytes(&self) -> usize {
        size_of_val(&*self.numbers) + size_of_val(&*self.bags) + self.word_bytes()
    }

    /// Forgets which words texts became; returns the bytes of that.
    pub(crate) fn forget_said(&mut self) -> usize {
        self.bags.iter_mut().map(WordTally::forget_said).sum()
    }

    /// Gives up half of the words of the largest bag; gives their bytes.
    pub(crate) fn give_up_words(&mut self) -> usize {
        let Some(largest) = self.bags.iter_mut().max_by_key(|bag| bag.bytes()) else { return 0 };
        let (bytes, dropped) = largest.give_up_half();
        self.words_dropped += dropped;
        bytes
    }

    /// The numbers that have a value.
    pub(crate) fn attributes(&self, plan: &EvidencePlan) -> Attributes {
        let tallies = plan.options.evidence.numbers().zip(&plan.numbers).zip(&self.numbers);
        tallies.map(|((name, number), tally)| (name, tally.mean(number, plan.options.rate))).collect()
    }

    /// How the values behind the numbers are spread.
    pub(crate) fn spreads(&self, plan: &EvidencePlan) -> Spreads {
        let tallies = plan.options.evidence.numbers().zip(&plan.numbers).zip(&self.numbers);
        tallies.filter_map(|((name, number), tally)| Some((name, tally.spread(number)?))).collect()
    }

    /// The bags, with their words spelled.
    pub(crate) fn into_bags(self, plan: &EvidencePlan) -> Bags {
        let tallies = plan.options.evidence.bags().zip(&plan.bags).zip(self.bags);
        tallies.map(|((name, bag), tally)| (name, bag.bag(tally, &plan.options))).collect()
    }
}
