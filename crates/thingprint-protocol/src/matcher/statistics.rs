use thingprint_flow::Timestamp;

use crate::Sender;
use crate::schema::{Condition, Measure, Statistic};

/// A flow is judged by this many packets at most.
const MOST_PACKETS: u16 = 1000;
const NANOS_PER_SECOND: f64 = 1e9;

/// A condition on the packets of a flow, checked, with its place among the tallies.
#[derive(Clone, Debug)]
pub(crate) struct CompiledCondition {
    condition: Condition,
    index: usize,
}

/// Whose packets are tallied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// Those of one side.
    From(Sender),
    /// Those of both.
    Both,
}

/// What is remembered of a flow's packets, for every condition of a set.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    packets: u16,
    /// Times of the last packet of the device, of the peer, and of either.
    last: [Option<Timestamp>; 3],
    /// For each condition, the tally of each view.
    by_condition: Vec<[Tally; 3]>,
}

/// Values of one condition in one view.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: u16,
    within: u16,
    sum: f64,
    least: f64,
    greatest: f64,
}

impl CompiledCondition {
    /// Checks a condition and gives it a place.
    pub(crate) fn new(condition: &Condition, index: usize) -> Result<Self, String> {
        let bounds = [condition.at_least, condition.at_most];
        let is_ordered = |low: f64, high: f64| low <= high;
        if bounds.iter().flatten().any(|bound| !bound.is_finite()) {
            return Err("bounds have to be numbers".to_owned());
        }
        if bounds == [None, None] {
            return Err("a condition without `at-least` and `at-most` says nothing".to_owned());
        }
        if let [Some(low), Some(high)] = bounds
            && !is_ordered(low, high)
        {
            return Err("`at-least` exceeds `at-most`".to_owned());
        }
        if !(1..=MOST_PACKETS).contains(&condition.packets) {
            return Err(format!("`packets` has to be 1 to {MOST_PACKETS}"));
        }
        match (condition.statistic, condition.within) {
            (Statistic::Share, None) => Err("`share` needs `within`".to_owned()),
            (Statistic::Share, Some([low, high])) if !is_ordered(low, high) => {
                Err("`within` ends before it starts".to_owned())
            }
            (Statistic::Share, Some(_)) | (_, None) => Ok(Self { condition: condition.clone(), index }),
            (_, Some(_)) => Err("`within` is for `share` alone".to_owned()),
        }
    }

    /// Whether the condition holds in a view; unknown while the flow has too few packets.
    pub(crate) fn holds(&self, tallies: &Tallies, view: View) -> Option<bool> {
        if tallies.packets < self.condition.packets {
            return None;
        }
        let tally = tallies.by_condition.get(self.index)?.get(view.index())?;
        let Some(value) = tally.value(self.condition.statistic) else { return Some(false) };
        let is_enough = self.condition.at_least.is_none_or(|least| value >= least);
        Some(is_enough && self.condition.at_most.is_none_or(|most| value <= most))
    }

    const fn value_of(&self, size: f64, gap: Option<f64>) -> Option<f64> {
        match self.condition.of {
            Measure::Size => Some(size),
            Measure::Gap => gap,
        }
    }
}

impl Tallies {
    /// Whether every condition is settled.
    pub(crate) fn is_settled(&self, conditions: &[CompiledCondition]) -> bool {
        conditions.iter().all(|compiled| self.packets >= compiled.condition.packets)
    }

    /// Counts a packet with `size` bytes of payload for every condition that is still open.
    pub(crate) fn note(
        &mut self,
        conditions: &[CompiledCondition],
        sender: Sender,
        size: u32,
        time: Option<Timestamp>,
    ) {
        self.by_condition.resize_with(conditions.len(), Default::default);
        for view in [View::From(sender), View::Both] {
            let gap = self.gap(view, time);
            for (compiled, tallies) in conditions.iter().zip(&mut self.by_condition) {
                let value = compiled.value_of(f64::from(size), gap);
                let is_open = self.packets < compiled.condition.packets;
                if let (Some(value), Some(tally), true) = (value, tallies.get_mut(view.index()), is_open) {
                    tally.note(value, compiled.condition.within);
                }
            }
        }
        self.packets = self.packets.saturating_add(1);
    }

    /// Bytes that they take.
    pub(crate) const fn held_bytes(&self) -> usize {
        self.by_condition.capacity() * size_of::<[Tally; 3]>()
    }

    /// Seconds since the latest packet of the view; one that goes back in time has no gap before it, and adds nothing to
    /// the next one.
    fn gap(&mut self, view: View, time: Option<Timestamp>) -> Option<f64> {
        let last = self.last.get_mut(view.index())?;
        let before = std::mem::replace(last, (*last).max(time))?;
        let nanos = u64::try_from(time?.nanos_since(before)).ok()?;
        Some(nanos as f64 / NANOS_PER_SECOND)
    }
}

impl View {
    const fn index(self) -> usize {
        match self {
            Self::From(Sender::Device) => 0,
            Self::From(Sender::Peer) => 1,
            Self::Both => 2,
        }
    }
}

impl Tally {
    fn note(&mut self, value: f64, within: Option<[f64; 2]>) {
        let is_first = self.count == 0;
        self.least = if is_first { value } else { self.least.min(value) };
        self.greatest = if is_first { value } else { self.greatest.max(value) };
        self.sum += value;
        self.count = self.count.saturating_add(1);
        let is_within = within.is_some_and(|[low, high]| (low..=high).contains(&value));
        self.within = self.within.saturating_add(u16::from(is_within));
    }

    fn value(&self, statistic: Statistic) -> Option<f64> {
        let count = f64::from(self.count);
        let of_some = |value: f64| (self.count > 0).then_some(value);
        match statistic {
            Statistic::Count => Some(count),
            Statistic::Mean => of_some(self.sum / count),
            Statistic::Minimum => of_some(self.least),
            Statistic::Maximum => of_some(self.greatest),
            Statistic::Share => of_some(f64::from(self.within) / count),
        }
    }
}
