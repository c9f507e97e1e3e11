use std::collections::BTreeMap;

use thingprint_flow::{DeviceIndex, FairCap, MacAddr};

/// Which entries have to go of a list that is too long, where a host stands for each: those of the hosts with most entries, the
/// earlier ones first. `entries` come in the order of time, each with the number of messages that it rests on: a host that was
/// heard again has a share of its own, and hosts that are made up for one message each share like one.
pub(crate) fn surplus<K: Copy>(
    entries: impl Iterator<Item = (K, MacAddr, u64)>,
    most: usize,
) -> Vec<(K, MacAddr)> {
    let (mut cap, mut hosts) = (FairCap::new(most), BTreeMap::new());
    let mut all = Vec::new();
    for (key, host, messages) in entries {
        let next = DeviceIndex::new(u32::try_from(hosts.len()).unwrap_or(u32::MAX));
        let index = *hosts.entry(host).or_insert(next);
        cap.take(index, 1);
        if messages > 1 {
            cap.establish(index);
        }
        all.push((key, host, index));
    }
    let mut owed: BTreeMap<DeviceIndex, usize> = cap.excess().into_iter().collect();
    all.retain(|(_, _, index)| {
        let Some(debt) = owed.get_mut(index).filter(|debt| **debt > 0) else { return false };
        *debt -= 1;
        true
    });
    all.into_iter().map(|(key, host, _)| (key, host)).collect()
}

#[cfg(test)]
mod tests {
    use thingprint_flow::MacAddr;

    use super::surplus;

    #[test]
    fn the_host_with_most_entries_loses_its_earliest() {
        let host = |number| MacAddr::new([2, 0, 0, 0, 0, number]);
        let entries = [(0, 1), (1, 2), (2, 2), (3, 2), (4, 2), (5, 2), (6, 2), (7, 3), (8, 2)];
        let entries = entries.map(|(key, number)| (key, host(number), 2));
        assert_eq!(surplus(entries.into_iter(), 9), []);
        let two = host(2);
        assert_eq!(surplus(entries.into_iter(), 8), [(1, two), (2, two)], "an eighth is free then");
    }

    #[test]
    fn hosts_of_one_message_each_take_no_entry_of_a_host_that_is_heard_again() {
        let host = |number: u16| MacAddr::new([2, 0, 0, 0, number.to_be_bytes()[0], number.to_be_bytes()[1]]);
        let relay = (0..10).map(|key| (key, host(0), 2));
        let made_up = (1..=200).map(|number| (i32::from(number) + 10, host(number), 1));
        let gone = surplus(relay.chain(made_up), 64);
        assert_eq!(gone.len(), 210 - 56);
        assert!(gone.iter().all(|(key, _)| *key >= 10), "{gone:?}");
    }
}
