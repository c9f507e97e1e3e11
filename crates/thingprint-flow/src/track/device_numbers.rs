use std::collections::BTreeMap;

use super::device::DeviceIndex;
use super::fair::FairCap;
use crate::DeviceId;

/// Numbers of the devices whose flows come together from many flow tables; of so many devices at most.
///
/// Where there are more, addresses that nobody answered are forgotten first, then devices that were not seen for longest. Their
/// numbers are given to others, so whoever keeps anything by number has to forget it as well.
#[derive(Clone, Debug)]
pub struct DeviceNumbers {
    cap: FairCap,
    ids: Vec<DeviceId>,
    numbers: BTreeMap<DeviceId, DeviceIndex>,
    free: Vec<DeviceIndex>,
}

impl DeviceNumbers {
    /// Numbers of so many devices at most, and one at least.
    pub fn new(most: usize) -> Self {
        Self { cap: FairCap::new(most.max(1)), ids: Vec::new(), numbers: BTreeMap::new(), free: Vec::new() }
    }

    /// The number of a device that was seen; adds the devices that are forgotten for it to `forgotten`.
    pub fn see(&mut self, device: DeviceId, forgotten: &mut Vec<(DeviceIndex, DeviceId)>) -> DeviceIndex {
        if let Some(number) = self.numbers.get(&device) {
            self.cap.take(*number, 0);
            return *number;
        }
        let next = || DeviceIndex::new(u32::try_from(self.ids.len()).unwrap_or(u32::MAX));
        let number = self.free.pop().unwrap_or_else(next);
        match self.ids.get_mut(number.as_usize()) {
            Some(id) => *id = device,
            None => self.ids.push(device),
        }
        self.numbers.insert(device, number);
        if self.cap.take(number, 1) {
            self.make_room(number, forgotten);
        }
        number
    }

    /// A device is established when somebody answered it: see [`FairCap::establish`].
    pub fn establish(&mut self, number: DeviceIndex) {
        self.cap.establish(number);
    }

    /// The number of a device.
    pub fn of(&self, device: DeviceId) -> Option<DeviceIndex> {
        self.numbers.get(&device).copied()
    }

    /// The devices by number; a number that nobody has has that of who had it.
    pub fn ids(&self) -> &[DeviceId] {
        &self.ids
    }

    /// The devices with their numbers, in the order of devices.
    pub fn iter(&self) -> impl Iterator<Item = (DeviceId, DeviceIndex)> {
        self.numbers.iter().map(|(device, number)| (*device, *number))
    }

    /// Number of devices.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Forgets devices, but not that which was added last.
    fn make_room(&mut self, last: DeviceIndex, forgotten: &mut Vec<(DeviceIndex, DeviceId)>) {
        for (number, _) in self.cap.excess() {
            let Some(device) = self.ids.get(number.as_usize()).filter(|_| number != last) else { continue };
            self.numbers.remove(device);
            self.cap.forget(number);
            self.free.push(number);
            forgotten.push((number, *device));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::MacAddr;

    fn device(number: u32) -> DeviceId {
        let [a, b, c, d] = number.to_be_bytes();
        DeviceId::Mac(MacAddr::new([2, 0, a, b, c, d]))
    }

    #[test]
    fn who_was_silent_for_longest_is_forgotten_and_its_number_used_again() {
        let (mut numbers, mut forgotten) = (DeviceNumbers::new(8), Vec::new());
        for number in [0, 1, 2, 3, 4, 5, 6, 7, 0] {
            let seen = numbers.see(device(number), &mut forgotten);
            assert_eq!(seen, DeviceIndex::new(number));
        }
        assert_eq!(forgotten, []);
        numbers.see(device(8), &mut forgotten);
        let expected = [1, 2].map(|number| (DeviceIndex::new(number), device(number)));
        assert_eq!((forgotten.as_slice(), numbers.of(device(1))), (&expected[..], None));
        assert_eq!(numbers.see(device(1), &mut forgotten), DeviceIndex::new(2));
        assert_eq!((numbers.len(), numbers.ids().len()), (8, 9));
    }

    #[test]
    fn established_devices_are_forgotten_where_there_are_no_others() {
        let (mut numbers, mut forgotten) = (DeviceNumbers::new(8), Vec::new());
        for number in 0..9 {
            let number = numbers.see(device(number), &mut forgotten);
            numbers.establish(number);
        }
        assert_eq!((forgotten, numbers.len()), (vec![(DeviceIndex::new(0), device(0))], 8));
    }

    proptest! {
        /// However many addresses are made up, devices that were answered keep their numbers.
        #[test]
        fn made_up_addresses_take_no_number_of_devices(made_up in prop::collection::vec(100_u32..4000, 0..2000)) {
            let (mut numbers, mut forgotten) = (DeviceNumbers::new(64), Vec::new());
            for number in 0..20 {
                let number = numbers.see(device(number), &mut forgotten);
                numbers.establish(number);
            }
            for number in made_up {
                let number = numbers.see(device(number), &mut forgotten);
                prop_assert!(number.as_usize() < 65);
                prop_assert!(numbers.len() <= 64);
            }
            for number in 0..20 {
                prop_assert_eq!(numbers.of(device(number)), Some(DeviceIndex::new(number)));
            }
            let given: BTreeSet<DeviceIndex> = numbers.iter().map(|(_, number)| number).collect();
            prop_assert_eq!(given.len(), numbers.len());
        }
    }
}
