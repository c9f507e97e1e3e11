use std::collections::{BTreeMap, BTreeSet};

use thingprint_flow::{DeviceIndex, FairCap};

use super::{KnownDevices, MOST_DEVICES};

/// What a device takes in a file beside its name and values, in bytes.
const DEVICE_BYTES: usize = 1024;

impl KnownDevices {
    /// Leaves out what a file has no room for, so that it can be read again; returns how many values each device lost.
    ///
    /// Devices that are not among `known` are what a flood of addresses leaves: they share like one device. Where there are too
    /// many devices, of these the ones go that were seen to show least; where there are too many bytes, those with the most
    /// give up the values that fewest flows show.
    pub fn fit(&mut self, known: &BTreeSet<String>) -> BTreeMap<String, u64> {
        self.fit_within(known, (MOST_DEVICES, Self::MOST_FILE_BYTES / 8 * 7))
    }

    fn fit_within(
        &mut self,
        known: &BTreeSet<String>,
        (most_devices, most_bytes): (usize, usize),
    ) -> BTreeMap<String, u64> {
        let mut lost = BTreeMap::new();
        let mut order: Vec<(u64, String)> =
            self.devices.iter().map(|(name, traits)| (traits.flows(), name.clone())).collect();
        // Who shows least is the one that was silent for longest.
        order.sort_unstable();
        let (mut devices, mut bytes) = (FairCap::new(most_devices), FairCap::new(most_bytes));
        for (number, (_, name)) in (0..).map(DeviceIndex::new).zip(&order) {
            if known.contains(name) {
                devices.establish(number);
                bytes.establish(number);
            }
            devices.take(number, 1);
        }
        let name_of = |number: DeviceIndex| order.get(number.as_usize()).map(|(_, name)| name);
        for name in devices.excess().into_iter().filter_map(|(number, _)| name_of(number)) {
            let values = self.devices.remove(name).map_or(0, |traits| traits.iter().count() as u64);
            lost.insert(name.clone(), values);
        }
        for (number, (_, name)) in (0..).map(DeviceIndex::new).zip(&order) {
            let taken =
                self.devices.get(name).map_or(0, |traits| DEVICE_BYTES + name.len() + traits.file_bytes());
            bytes.take(number, taken);
        }
        for (number, excess) in bytes.excess() {
            let Some(name) = name_of(number) else { continue };
            let Some(traits) = self.devices.get_mut(name) else { continue };
            *lost.entry(name.clone()).or_default() += traits.give_up(excess);
            if traits.is_empty() {
                self.devices.remove(name);
            }
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attribute;
    use crate::fingerprint::Traits;

    fn shows(values: std::ops::Range<usize>, flows: u64) -> Traits {
        let mut traits = Traits::default();
        for value in values {
            traits.add(Attribute::DnsName, format!("{value}.example"), flows);
        }
        traits
    }

    /// A lamp and a lock that are known, and devices that a flood leaves.
    fn flooded(floods: impl Iterator<Item = (String, Traits)>) -> (KnownDevices, BTreeSet<String>) {
        let mut known = KnownDevices::default();
        known.learn("lamp", &shows(0..10, 1)).unwrap();
        known.learn("lock", &shows(5..20, 1)).unwrap();
        let names = known.iter().map(|(name, _)| name.to_owned()).collect();
        floods.for_each(|(name, traits)| known.learn(&name, &traits).unwrap());
        (known, names)
    }

    #[test]
    fn a_file_that_fits_loses_nothing() {
        let (mut devices, known) = flooded(std::iter::once(("flood".to_owned(), shows(0..100, 1))));
        let before = devices.clone();
        assert_eq!((devices.fit(&known), devices == before), (BTreeMap::new(), true));
    }

    #[test]
    fn devices_that_were_known_stay_and_of_the_others_those_that_show_most() {
        let (mut devices, known) =
            flooded((0..30).map(|number| (format!("{number:02}"), shows(0..2, 1 + number % 7))));
        let before = devices.clone();
        let lost = devices.fit_within(&known, (16, usize::MAX));
        assert_eq!((devices.len(), lost.len()), (14, 18), "down to 7/8 of the room");
        assert_eq!(lost.values().sum::<u64>(), 36);
        for name in ["lamp", "lock", "06", "13", "20", "27"] {
            assert_eq!(devices.devices.get(name), before.devices.get(name), "{name}");
        }
    }

    #[test]
    fn the_device_with_most_bytes_gives_up_what_fewest_flows_show() {
        let mut much = shows(0..2000, 1);
        much.join(&shows(1990..2010, 5));
        let (mut devices, known) = flooded(std::iter::once(("flood".to_owned(), much)));
        let before = devices.clone();
        let lost = devices.fit_within(&known, (16, 40_000));
        assert_eq!(lost.keys().collect::<Vec<_>>(), ["flood"]);
        let kept = devices.devices["flood"].iter().count() as u64;
        assert_eq!(kept + lost["flood"], 2010);
        assert!(
            (1990..2010)
                .all(|value| devices.devices["flood"].has(Attribute::DnsName, &format!("{value}.example")))
        );
        assert!(["lamp", "lock"].iter().all(|name| devices.devices.get(*name) == before.devices.get(*name)));
        let text = devices.to_json().unwrap();
        // The bytes of a value are counted as if every character were escaped.
        assert!((10_000..40_000).contains(&text.len()), "{}", text.len());
        assert_eq!(KnownDevices::from_json(&text).unwrap(), devices);
    }
}
