use serde::{Deserialize, Serialize};
use thingprint_flow::{DeviceId, DeviceLosses, LossCounts};

use super::text;

/// Devices that are named; what further ones lost is in the sum of others.
const MOST_NAMED: usize = 50;

/// What caps left out since the start, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeftOut {
    /// Of all devices together.
    pub totals: LossCounts,
    /// The devices that lost most, the most first.
    pub devices: Vec<DeviceLeftOut>,
    /// Of further devices, and of addresses that nobody answered.
    pub others: LossCounts,
}

/// What caps left out of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceLeftOut {
    /// The device.
    #[serde(with = "text::device")]
    pub device: DeviceId,
    /// How much, by kind.
    pub counts: LossCounts,
}

impl LeftOut {
    /// What was lost, by the devices that lost most.
    pub fn of(losses: &DeviceLosses) -> Self {
        let mut others = losses.others().clone();
        let devices = losses.by_size();
        for (kind, count) in devices.iter().skip(MOST_NAMED).flat_map(|(_, counts)| *counts) {
            *others.entry(kind.clone()).or_default() += count;
        }
        let named = devices.into_iter().take(MOST_NAMED);
        let named = named.map(|(device, counts)| DeviceLeftOut { device, counts: counts.clone() });
        Self { totals: losses.totals(), devices: named.collect(), others }
    }

    /// How much was lost.
    pub fn total(&self) -> u64 {
        self.totals.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Counts in a few words: `12 flows, 3 messages`.
    pub fn in_words(counts: &LossCounts) -> String {
        let counts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        counts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::{LossKind, MacAddr};

    use super::*;

    #[test]
    fn those_that_lost_most_are_named_and_the_others_are_one_sum() {
        let mut losses = DeviceLosses::default();
        for number in 0..60_u8 {
            let device = DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, number]));
            losses.add(device, LossKind::FLOWS, u64::from(number) + 1);
        }
        losses.add_other(LossKind::DEVICES, 3);
        let left_out = LeftOut::of(&losses);
        assert_eq!(LeftOut::in_words(&left_out.others), "3 devices, 55 flows");
        assert_eq!((left_out.devices.len(), left_out.total()), (50, 1833));
        let json = serde_json::to_value(&left_out).unwrap();
        assert_eq!(json["devices"][0]["device"], "02:00:00:00:00:3b");
        assert_eq!(json["devices"][0]["counts"]["flows"], 60);
        assert_eq!(serde_json::from_value::<LeftOut>(json).unwrap(), left_out);
    }
}
