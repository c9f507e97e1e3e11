use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::DeviceId;

/// Most devices whose losses are kept apart; of further ones, those that lost least are summed up.
const MOST_DEVICES: usize = 4096;
/// The same of each of the trackers and observers that share the devices among them: four times an even share for 64 of them.
const MOST_DEVICES_OF_A_SHARD: usize = 256;
/// What is summed up at once beyond that, as a share of it.
const FOLDED_SHARE: usize = 8;

/// A kind of thing that a cap leaves out, by its name: a plural in lower case, with `_` between words.
///
/// Whoever has a cap has a kind, so the kinds are not listed here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LossKind(Cow<'static, str>);

impl LossKind {
    /// Flows that were closed early.
    pub const FLOWS: Self = Self::new("flows");
    /// Flows that went on over the edge of a window, and whose other part was not waited for.
    pub const CARRIED_FLOWS: Self = Self::new("carried_flows");
    /// Devices that were forgotten before their time.
    pub const DEVICES: Self = Self::new("devices");
    /// Datagrams that were given up before their fragments were there.
    pub const DATAGRAMS: Self = Self::new("datagrams");
    /// Streams that were not read on for messages.
    pub const STREAMS: Self = Self::new("streams");
    /// Messages that were not kept.
    pub const MESSAGES: Self = Self::new("messages");

    /// The kind with this name.
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The name, as it is a key of JSON.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LossKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replace('_', " "))
    }
}

/// How much was lost, by kind.
pub type LossCounts = BTreeMap<LossKind, u64>;

/// What caps left out, by device and kind.
///
/// It is bounded as well: what made-up addresses lost is one sum, and so is what those of a great many devices lost that lost
/// least. So it can be kept where a flood of addresses is what fills the caps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeviceLosses {
    devices: BTreeMap<DeviceId, LossCounts>,
    others: LossCounts,
    /// Most devices that are kept apart.
    #[serde(skip, default = "most_devices")]
    most: usize,
}

impl Default for DeviceLosses {
    fn default() -> Self {
        Self { devices: BTreeMap::new(), others: LossCounts::new(), most: MOST_DEVICES }
    }
}

/// What was lost counts, and not how much may be kept.
impl PartialEq for DeviceLosses {
    fn eq(&self, other: &Self) -> bool {
        (&self.devices, &self.others) == (&other.devices, &other.others)
    }
}

impl Eq for DeviceLosses {}

const fn most_devices() -> usize {
    MOST_DEVICES
}

impl DeviceLosses {
    /// No losses yet, of a shard: of one of many that share the devices among them, and whose losses are merged.
    #[must_use]
    pub fn of_a_shard() -> Self {
        Self { most: MOST_DEVICES_OF_A_SHARD, ..Self::default() }
    }

    /// Counts what a device lost.
    pub fn add(&mut self, device: DeviceId, kind: LossKind, count: u64) {
        if count == 0 {
            return;
        }
        add(self.devices.entry(device).or_default(), kind, count);
        self.bound();
    }

    /// Counts what addresses lost that are not told apart.
    pub fn add_other(&mut self, kind: LossKind, count: u64) {
        if count > 0 {
            add(&mut self.others, kind, count);
        }
    }

    /// From now on a device is not told apart from others.
    pub fn fold(&mut self, device: DeviceId) {
        if let Some(counts) = self.devices.remove(&device) {
            merge(&mut self.others, counts);
        }
    }

    /// The same without what was lost of a kind.
    #[must_use]
    pub fn without(mut self, kind: &LossKind) -> Self {
        self.devices.retain(|_, counts| {
            counts.remove(kind);
            !counts.is_empty()
        });
        self.others.remove(kind);
        self
    }

    /// Adds what was lost elsewhere.
    pub fn merge(&mut self, other: Self) {
        for (device, counts) in other.devices {
            merge(self.devices.entry(device).or_default(), counts);
        }
        merge(&mut self.others, other.others);
        self.bound();
    }

    /// Whether nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.devices.is_empty() && self.others.is_empty()
    }

    /// What each device lost, those first that lost most.
    pub fn by_size(&self) -> Vec<(DeviceId, &LossCounts)> {
        let mut devices: Vec<_> = self.devices.iter().map(|(device, counts)| (*device, counts)).collect();
        // The sort is stable: devices that lost alike stay in their order.
        devices.sort_by_key(|(_, counts)| std::cmp::Reverse(sum(counts)));
        devices
    }

    /// What a device lost.
    pub fn of(&self, device: DeviceId) -> Option<&LossCounts> {
        self.devices.get(&device)
    }

    /// What addresses lost that are not told apart: nobody answered them, or others lost more.
    pub const fn others(&self) -> &LossCounts {
        &self.others
    }

    /// What all lost together.
    pub fn totals(&self) -> LossCounts {
        let mut all = self.others.clone();
        for counts in self.devices.values() {
            merge(&mut all, counts.clone());
        }
        all
    }

    fn bound(&mut self) {
        if self.devices.len() <= self.most {
            return;
        }
        let kept = self.most - self.most / FOLDED_SHARE;
        let least: Vec<DeviceId> = self.by_size().into_iter().skip(kept).map(|(device, _)| device).collect();
        for device in least {
            self.fold(device);
        }
    }
}

fn add(counts: &mut LossCounts, kind: LossKind, count: u64) {
    let all = counts.entry(kind).or_default();
    *all = all.saturating_add(count);
}

fn merge(counts: &mut LossCounts, others: LossCounts) {
    for (kind, count) in others {
        add(counts, kind, count);
    }
}

fn sum(counts: &LossCounts) -> u64 {
    counts.values().fold(0, |sum, count| sum.saturating_add(*count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MacAddr;

    fn device(number: u32) -> DeviceId {
        let [a, b, c, d] = number.to_be_bytes();
        DeviceId::Mac(MacAddr::new([2, 0, a, b, c, d]))
    }

    #[test]
    fn losses_add_up_by_device_and_kind_and_the_largest_come_first() {
        let mut losses = DeviceLosses::default();
        losses.add(device(1), LossKind::FLOWS, 2);
        losses.add(device(2), LossKind::MESSAGES, 0);
        assert_eq!(losses.of(device(2)), None, "nothing was lost");
        let mut others = DeviceLosses::default();
        others.add(device(2), LossKind::MESSAGES, 4);
        others.add(device(1), LossKind::FLOWS, 1);
        others.add_other(LossKind::FLOWS, 7);
        losses.merge(others);
        let messages = LossCounts::from([(LossKind::MESSAGES, 4)]);
        let flows = LossCounts::from([(LossKind::FLOWS, 3)]);
        assert_eq!(losses.by_size(), [(device(2), &messages), (device(1), &flows)]);
        assert_eq!(losses.totals(), [(LossKind::FLOWS, 10), (LossKind::MESSAGES, 4)].into());
        let without = losses.clone().without(&LossKind::FLOWS);
        assert_eq!((without.by_size(), without.others().len()), (vec![(device(2), &messages)], 0));
        losses.fold(device(1));
        assert_eq!((losses.of(device(1)), losses.others()[&LossKind::FLOWS]), (None, 10));
    }

    #[test]
    fn a_great_many_devices_are_summed_up_but_for_those_that_lost_most() {
        let mut losses = DeviceLosses::default();
        losses.add(device(0), LossKind::STREAMS, 2);
        for number in 1..=100_000 {
            losses.add(device(number), LossKind::DEVICES, 1);
        }
        assert!(losses.by_size().len() <= MOST_DEVICES);
        assert_eq!(losses.by_size()[0].0, device(0));
        assert_eq!(losses.totals()[&LossKind::DEVICES], 100_000);
        let mut all = DeviceLosses::default();
        for shard in 0..64 {
            let mut losses = DeviceLosses::of_a_shard();
            (0..1000).for_each(|number| losses.add(device(64 * number + shard), LossKind::DEVICES, 1));
            losses.add(device(shard), LossKind::FLOWS, 2);
            assert!(losses.by_size().len() <= MOST_DEVICES_OF_A_SHARD);
            all.merge(losses);
        }
        assert_eq!(all.totals()[&LossKind::DEVICES], 64_000);
        assert!((0..64).all(|shard| all.of(device(shard)).is_some()) && all.by_size().len() > 3000);
    }
}
