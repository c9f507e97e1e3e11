//! What caps left out, said by device.

use std::collections::BTreeMap;

use thingprint_flow::{DeviceId, DeviceLosses, LossCounts};

use crate::exit::Outcome;
use crate::messages::{Say, counted};

/// Devices that are named.
const MOST_NAMED: usize = 10;

/// Says what caps left out of a result, which is not whole then.
pub(crate) fn report_left_out(left_out: &DeviceLosses, messages: impl Say) -> Outcome {
    if left_out.is_empty() {
        return Outcome::Done;
    }
    messages.lost(in_words(left_out));
    Outcome::Partial
}

/// What several readings of the same captures left out, all of which reach the caps again: of each kind the larger number.
pub(crate) fn larger_of<'a>(readings: impl IntoIterator<Item = &'a DeviceLosses>) -> DeviceLosses {
    let (mut devices, mut others) = (BTreeMap::<DeviceId, LossCounts>::new(), LossCounts::new());
    for losses in readings {
        for (device, counts) in losses.by_size() {
            raise(devices.entry(device).or_default(), counts);
        }
        raise(&mut others, losses.others());
    }
    let mut all = DeviceLosses::default();
    for (device, counts) in devices {
        for (kind, count) in counts {
            all.add(device, kind, count);
        }
    }
    for (kind, count) in others {
        all.add_other(kind, count);
    }
    all
}

fn raise(counts: &mut LossCounts, others: &LossCounts) {
    for (kind, count) in others {
        let most = counts.entry(kind.clone()).or_default();
        *most = (*most).max(*count);
    }
}

/// A line for all, and one for each device that lost much.
pub(crate) fn in_words(left_out: &DeviceLosses) -> String {
    let devices = left_out.by_size();
    let mut lines =
        vec![format!("caps were reached, and the result lacks {}, of:", list(&left_out.totals()))];
    lines.extend(devices.iter().take(MOST_NAMED).map(|(id, counts)| format!("{id}: {}", list(counts))));
    let rest = devices.get(MOST_NAMED..).unwrap_or_default();
    if !rest.is_empty() {
        let mut counts = LossCounts::new();
        for (kind, count) in rest.iter().flat_map(|(_, counts)| *counts) {
            *counts.entry(kind.clone()).or_default() += count;
        }
        let devices = counted(rest.len() as u64, "further device", "further devices");
        lines.push(format!("{devices}: {}", list(&counts)));
    }
    if !left_out.others().is_empty() {
        lines.push(format!("addresses that nobody answered, and others: {}", list(left_out.others())));
    }
    lines.join("\n")
}

fn list(counts: &LossCounts) -> String {
    let counts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    counts.join(", ")
}

#[cfg(test)]
mod tests {
    use thingprint_flow::{LossKind, MacAddr};

    use super::*;

    #[test]
    fn the_largest_are_named_and_the_rest_is_summed_up() {
        let mut left_out = DeviceLosses::default();
        for number in 0..12 {
            let device = DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, number]));
            left_out.add(device, LossKind::FLOWS, 100 - u64::from(number));
        }
        left_out.add(DeviceId::Mac(MacAddr::new([2, 0, 0, 0, 0, 1])), LossKind::MESSAGES, 5);
        left_out.add_other(LossKind::DEVICES, 7);
        let words = in_words(&left_out);
        let lines: Vec<&str> = words.lines().collect();
        assert_eq!(
            lines.first(),
            Some(&"caps were reached, and the result lacks 7 devices, 1134 flows, 5 messages, of:")
        );
        assert_eq!(lines.get(1), Some(&"02:00:00:00:00:01: 99 flows, 5 messages"));
        assert_eq!(
            lines.get(MOST_NAMED + 1..),
            Some(
                &["2 further devices: 179 flows", "addresses that nobody answered, and others: 7 devices",][..]
            )
        );
    }
}
