use serde::{Deserialize, Serialize};
use thingprint_protocol::Interest;

use super::cost::CollectionCost;
use super::observation::{ClosedFlow, SentMessage};
use crate::Spread;
use crate::options::RateMean;
use crate::stats::{RatioStats, WholeStats};

/// A number: what it is called, and what it is the mean of.
#[derive(Debug)]
pub(crate) struct NumberDefinition {
    /// The name of its column, and of its file.
    pub(crate) name: &'static str,
    /// The name as a heading.
    pub(crate) title: &'static str,
    /// What one value is, for the axis of a figure.
    pub(crate) value: &'static str,
    /// What it is, in a sentence.
    pub(crate) about: &'static str,
    /// The unit of the mean.
    pub(crate) unit: Unit,
    /// What collecting it costs; `None` where the paper does not say.
    pub(crate) cost: Option<CollectionCost>,
    /// Whether the classification paper uses it.
    pub(crate) is_of_paper: bool,
    /// Whether training uses it where nothing else is asked for.
    pub(crate) is_trained_on: bool,
    pub(crate) source: NumberSource,
}

/// Unit of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Seconds, which are counted in nanoseconds.
    Seconds,
    /// Bits a second.
    BitsPerSecond,
}

impl Unit {
    /// The symbol: `B`, `s` or `bit/s`.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Bytes => "B",
            Self::Seconds => "s",
            Self::BitsPerSecond => "bit/s",
        }
    }

    /// How many of what is counted make one unit.
    const fn counted(self) -> f64 {
        match self {
            Self::Bytes | Self::BitsPerSecond => 1.0,
            Self::Seconds => 1e9,
        }
    }
}

/// Where the values of a number come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NumberSource {
    /// A whole number of each closed flow.
    Flows(fn(&ClosedFlow) -> u64),
    /// A ratio of each closed flow that has one: what stands above and what below, and how both make the number.
    FlowRatios { parts: fn(&ClosedFlow) -> Option<(u64, u64)>, ratio: fn(f64, f64) -> f64 },
    /// The gaps between activity that count as sleep, in nanoseconds.
    Gaps,
    /// The times between the starts of bursts of queries that the device sent, in nanoseconds.
    Bursts { interest: Interest, is_query: fn(&SentMessage<'_>) -> bool },
}

/// The values of a number in a window so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum NumberTally {
    /// Whole numbers.
    Whole(WholeStats),
    /// Ratios.
    Ratio(RatioStats),
}

impl NumberDefinition {
    /// A tally without values.
    pub(crate) fn tally(&self) -> NumberTally {
        match self.source {
            NumberSource::FlowRatios { .. } => NumberTally::Ratio(RatioStats::default()),
            NumberSource::Flows(_) | NumberSource::Gaps | NumberSource::Bursts { .. } => {
                NumberTally::Whole(WholeStats::default())
            }
        }
    }

    /// The messages that it is counted from.
    pub(crate) const fn interest(&self) -> Interest {
        match self.source {
            NumberSource::Bursts { interest, .. } => interest,
            _ => Interest::NONE,
        }
    }
}

impl NumberTally {
    /// Forgets all values.
    pub(crate) fn clear(&mut self) {
        match self {
            Self::Whole(stats) => *stats = WholeStats::default(),
            Self::Ratio(stats) => stats.clear(),
        }
    }

    /// Counts a value that is no flow's.
    pub(crate) fn add(&mut self, value: u64) {
        if let Self::Whole(stats) = self {
            stats.add(value);
        }
    }

    /// Counts the value of a closed flow.
    pub(crate) fn flow(&mut self, definition: &NumberDefinition, flow: &ClosedFlow) {
        match (self, definition.source) {
            (Self::Whole(stats), NumberSource::Flows(value)) => stats.add(value(flow)),
            (Self::Ratio(stats), NumberSource::FlowRatios { parts, ratio }) => {
                if let Some((above, below)) = parts(flow) {
                    stats.add(above, below, ratio);
                }
            }
            _ => {}
        }
    }

    /// Adds what another part of the trace saw of the same window.
    pub(crate) fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Whole(mine), Self::Whole(theirs)) => mine.merge(theirs),
            (Self::Ratio(mine), Self::Ratio(theirs)) => mine.merge(theirs),
            // Parts of one recipe have tallies of one form.
            _ => {}
        }
    }

    /// The mean; `None` without values.
    pub(crate) fn mean(&self, definition: &NumberDefinition, mean: RateMean) -> Option<f64> {
        match (self, definition.source) {
            (Self::Whole(stats), _) => stats.mean(definition.unit.counted()),
            (Self::Ratio(stats), NumberSource::FlowRatios { ratio, .. }) => match mean {
                RateMean::Flows => stats.mean(),
                RateMean::Sum => stats.ratio_of_sums(ratio),
            },
            (Self::Ratio(_), _) => None,
        }
    }

    /// The spread; `None` without values.
    pub(crate) fn spread(&self, definition: &NumberDefinition) -> Option<Spread> {
        match self {
            Self::Whole(stats) => stats.spread(definition.unit.counted()),
            Self::Ratio(stats) => stats.spread(),
        }
    }
}
