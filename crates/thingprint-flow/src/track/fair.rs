use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::device::DeviceIndex;

/// What is freed at once where a cap is exceeded, as a share of it: so that the shares are computed once for many takings.
const FREED_SHARE: usize = 8;
/// As how many devices a crowd counts at most for each of those above it.
const CROWD_TIMES: usize = 2;

/// A cap that devices share fairly.
///
/// Whoever keeps something of a device [takes](Self::take) its size. Where that exceeds the cap, the holder asks for the
/// [`excess`](Self::excess) and lets go of so much. What each device keeps is its max-min fair share (Bertsekas and
/// Gallager, *Data Networks*, §6.5.2): no device gives anything up while another holds more. So a device that floods the
/// network loses what is its own, and none below its share loses anything.
///
/// An address costs nothing to make up, so those of which nobody ever answered count as one device together
/// ([`establish`](Self::establish)). Among these, too, the largest give first, then those that were silent for longest.
///
/// Answers can be made up as well, at a cost of some frames for each address. So devices are in crowds by how often they were
/// answered, to a power of two. A crowd counts as twice the devices above it at most, and none of its devices for more than one
/// above: so the crowd pays as a whole, however large it is, before a device does that was answered more often.
///
/// What a device lost is counted for it ([`lose`](Self::lose)), so that it can be said.
#[derive(Clone, Debug)]
pub struct FairCap {
    limit: usize,
    used: usize,
    shares: Vec<Share>,
    /// Number of takings so far.
    takings: u64,
}

/// What a cap knows of a device.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    used: usize,
    /// Number of the last taking.
    last: u64,
    /// How often it was answered; 0 where it is not established.
    answers: u32,
    lost: u64,
}

/// Devices that were answered about as often.
#[derive(Debug)]
struct Crowd {
    members: Vec<Holder>,
    /// As how many devices they count.
    weight: usize,
    is_established: bool,
}

/// A device with what it holds.
#[derive(Clone, Copy, Debug)]
struct Holder {
    device: DeviceIndex,
    used: usize,
    last: u64,
}

impl FairCap {
    /// A cap of `limit` items or bytes over all devices.
    pub const fn new(limit: usize) -> Self {
        Self { limit, used: 0, shares: Vec::new(), takings: 0 }
    }

    /// What all devices hold now.
    pub const fn used(&self) -> usize {
        self.used
    }

    /// What a device holds now.
    pub fn used_by(&self, device: DeviceIndex) -> usize {
        self.shares.get(device.as_usize()).map_or(0, |share| share.used)
    }

    /// Whether there is more than the cap allows.
    pub const fn is_exceeded(&self) -> bool {
        self.used > self.limit
    }

    /// Counts `amount` more for a device; returns whether that exceeds the cap, and [`excess`](Self::excess) is to be let go.
    #[inline]
    pub fn take(&mut self, device: DeviceIndex, amount: usize) -> bool {
        self.takings += 1;
        let takings = self.takings;
        self.used = self.used.saturating_add(amount);
        let share = self.share_mut(device);
        share.used = share.used.saturating_add(amount);
        share.last = takings;
        self.is_exceeded()
    }

    /// Counts `amount` less for a device.
    #[inline]
    pub fn give_back(&mut self, device: DeviceIndex, amount: usize) {
        let share = self.share_mut(device);
        let amount = amount.min(share.used);
        share.used -= amount;
        self.used -= amount;
    }

    /// A device is established when somebody answered it: from now on it has a share of its own. It is told again with each
    /// flow in which it was answered.
    #[inline]
    pub fn establish(&mut self, device: DeviceIndex) {
        let share = self.share_mut(device);
        share.answers = share.answers.saturating_add(1);
    }

    /// A device is established no more: it is one of many that have a share together.
    #[inline]
    pub(crate) fn demote(&mut self, device: DeviceIndex) {
        self.share_mut(device).answers = 0;
    }

    /// Whether a device is established.
    pub fn is_established(&self, device: DeviceIndex) -> bool {
        self.shares.get(device.as_usize()).is_some_and(|share| share.answers > 0)
    }

    /// Counts what was lost of a device.
    pub fn lose(&mut self, device: DeviceIndex, count: u64) {
        let share = self.share_mut(device);
        share.lost = share.lost.saturating_add(count);
    }

    /// What was lost of a device.
    pub fn lost(&self, device: DeviceIndex) -> u64 {
        self.shares.get(device.as_usize()).map_or(0, |share| share.lost)
    }

    /// Forgets a device whose index is given to another; returns what was lost of it.
    pub fn forget(&mut self, device: DeviceIndex) -> u64 {
        let Some(share) = self.shares.get_mut(device.as_usize()) else { return 0 };
        let Share { used, lost, .. } = std::mem::take(share);
        self.used -= used;
        lost
    }

    /// What devices have to let go of, each at least so much of what it holds, that the cap has room again; in order of
    /// the devices. Nothing where the cap is not exceeded.
    pub fn excess(&self) -> Vec<(DeviceIndex, usize)> {
        if !self.is_exceeded() {
            return Vec::new();
        }
        let target = self.limit - self.limit / FREED_SHARE;
        let crowds = self.crowds();
        let level = FairLevel::of(crowds.iter().flat_map(Crowd::users).collect(), target);
        let (mut excess, mut alone, mut left) = (Vec::new(), Vec::new(), target);
        for crowd in crowds {
            if crowd.has_own_shares() {
                alone.extend(crowd.members);
                continue;
            }
            let kept = level.kept(crowd.used(), crowd.weight);
            left = left.saturating_sub(kept);
            excess.extend(excess_among(crowd.members, kept));
        }
        let all: usize = alone.iter().map(|holder| holder.used).sum();
        excess.extend(excess_among(alone, all.min(left)));
        excess.sort_unstable();
        excess
    }

    /// The devices that hold anything by how often they were answered, beginning with those that were most often.
    fn crowds(&self) -> Vec<Crowd> {
        let mut members: BTreeMap<Reverse<Option<u32>>, Vec<Holder>> = BTreeMap::new();
        for (device, share) in
            (0..).map(DeviceIndex::new).zip(&self.shares).filter(|(_, share)| share.used > 0)
        {
            let holder = Holder { device, used: share.used, last: share.last };
            members.entry(Reverse(share.answers.checked_ilog2())).or_default().push(holder);
        }
        let (mut crowds, mut above) = (Vec::<Crowd>::new(), 0_usize);
        for (Reverse(answered), members) in members {
            let weight = match (answered, crowds.last()) {
                (None, _) => 1,
                (Some(_), None) => members.len(),
                (Some(_), Some(before)) => before.weight_below(members.len(), above),
            };
            above += weight;
            crowds.push(Crowd { members, weight, is_established: answered.is_some() });
        }
        crowds
    }

    #[inline]
    fn share_mut(&mut self, device: DeviceIndex) -> &mut Share {
        let at = device.as_usize();
        if at >= self.shares.len() {
            self.shares.resize_with(at + 1, Share::default);
        }
        // The line above made room for it.
        #[expect(clippy::indexing_slicing, reason = "the vector was made long enough above")]
        &mut self.shares[at]
    }
}

impl Crowd {
    /// As how many devices so many count, who were answered less often than these, where those above count as `above`.
    fn weight_below(&self, count: usize, above: usize) -> usize {
        let as_before = count.saturating_mul(self.weight) / self.members.len().max(1);
        as_before.min(above.saturating_mul(CROWD_TIMES)).clamp(1, count.max(1))
    }

    /// Whether each counts as one device.
    const fn has_own_shares(&self) -> bool {
        self.is_established && self.weight >= self.members.len()
    }

    fn used(&self) -> usize {
        self.members.iter().map(|holder| holder.used).sum()
    }

    /// What is shared among: each of them, or all of them as one, with as how many devices it counts.
    fn users(&self) -> Vec<(usize, usize)> {
        if self.has_own_shares() {
            return self.members.iter().map(|holder| (holder.used, 1)).collect();
        }
        vec![(self.used(), self.weight)]
    }
}

/// The highest level at which users that keep at most so much for each device that they count as keep `target` together at
/// most.
#[derive(Clone, Copy, Debug)]
struct FairLevel {
    /// What is left for those who use more, and as how many devices they count; `None` where there is enough for all.
    rest: Option<(usize, usize)>,
}

impl FairLevel {
    /// The level for users, each with what it uses and as how many devices it counts.
    fn of(mut users: Vec<(usize, usize)>, target: usize) -> Self {
        users.sort_unstable_by(|a, b| product(a.0, b.1).cmp(&product(b.0, a.1)).then(a.cmp(b)));
        let (mut left, mut weights) = (target, users.iter().map(|(_, weight)| weight).sum::<usize>());
        for (used, weight) in users {
            if product(used, weights) > product(left, weight) {
                return Self { rest: Some((left, weights)) };
            }
            left -= used;
            weights -= weight;
        }
        Self { rest: None }
    }

    /// What a user keeps who counts as so many devices.
    fn kept(self, used: usize, weight: usize) -> usize {
        let Some((left, weights)) = self.rest else { return used };
        let most = product(left, weight) / u128::try_from(weights.max(1)).unwrap_or(u128::MAX);
        used.min(usize::try_from(most).unwrap_or(usize::MAX))
    }
}

/// A product that has room.
const fn product(a: usize, b: usize) -> u128 {
    a as u128 * b as u128
}

/// The highest level at which holders that keep at most so much keep `target` together at most.
fn fair_level(used: &[usize], target: usize) -> usize {
    FairLevel::of(used.iter().map(|used| (*used, 1)).collect(), target).kept(usize::MAX, 1)
}

/// What each of several holders lets go of, that they keep `target` together at most: the largest first.
pub(crate) fn excess_over(target: usize, used: &[usize]) -> Vec<usize> {
    let level = fair_level(used, target);
    used.iter().map(|used| used.saturating_sub(level)).collect()
}

/// What holders let go of, that they keep `target` together at most: the largest first, and where they all hold alike, those
/// that were silent for longest.
fn excess_among(mut holders: Vec<Holder>, target: usize) -> Vec<(DeviceIndex, usize)> {
    let used: Vec<usize> = holders.iter().map(|holder| holder.used).collect();
    // It is 0 where there are more of them than they may keep: then some keep 1, and others nothing.
    let level = fair_level(&used, target).max(1);
    let mut left: usize = holders.iter().map(|holder| holder.used.min(level)).sum();
    holders.sort_unstable_by_key(|holder| holder.last);
    let mut excess = Vec::new();
    for Holder { device, used, .. } in holders {
        let mut kept = used.min(level);
        let given = kept.min(left.saturating_sub(target));
        kept -= given;
        left -= given;
        if kept < used {
            excess.push((device, used - kept));
        }
    }
    excess
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn device(number: u32) -> DeviceIndex {
        DeviceIndex::new(number)
    }

    /// Lets go of exactly what is asked for.
    fn settle(cap: &mut FairCap) {
        for (device, excess) in cap.excess() {
            cap.give_back(device, excess);
            cap.lose(device, excess as u64);
        }
    }

    #[test]
    fn the_largest_gives_and_nobody_below_its_share_does() {
        let mut cap = FairCap::new(80);
        for number in 0..3 {
            cap.establish(device(number));
        }
        assert!(!cap.take(device(0), 5) && !cap.take(device(1), 20) && cap.excess().is_empty());
        assert!(cap.take(device(2), 60));
        assert_eq!(cap.excess(), [(device(2), 15)], "down to 7/8 of the cap");
        settle(&mut cap);
        assert_eq!((cap.used(), cap.lost(device(2)), cap.lost(device(1))), (70, 15, 0));
        cap.take(device(1), 30);
        assert_eq!(cap.excess(), [(device(1), 18), (device(2), 13)], "two that are alike");
    }

    #[test]
    fn addresses_without_an_answer_are_one_device_together() {
        let mut cap = FairCap::new(80);
        cap.establish(device(0));
        cap.take(device(0), 30);
        let exceeded: Vec<bool> = (1..=51).map(|number| cap.take(device(number), 1)).collect();
        assert!(exceeded.ends_with(&[false, true]));
        let oldest: Vec<_> = (1..=11).map(|number| (device(number), 1)).collect();
        assert_eq!(cap.excess(), oldest, "the oldest");
        let mut cap = FairCap::new(8);
        cap.take(device(1), 1);
        cap.take(device(0), 9);
        assert_eq!(
            cap.excess(),
            [(device(0), 3)],
            "the largest of them, though the other was silent for longer"
        );
    }

    #[test]
    fn a_crowd_counts_as_twice_the_devices_above_it() {
        let mut cap = FairCap::new(80);
        for (number, answers) in [(0, 4), (1, 1), (2, 1), (3, 1), (4, 1)] {
            (0..answers).for_each(|_| cap.establish(device(number)));
            cap.take(device(number), 20);
        }
        // One device that was answered often, and four that count as two: 70 are shared among three, of which the first uses 20.
        // Of 50, each of the four keeps 12.
        let given = |each| (1..=4).map(move |number| (device(number), each));
        assert_eq!(cap.excess(), given(8).collect::<Vec<_>>());
        // Now all use more than their share: 46 of 70 are for the four, of which each keeps 11.
        cap.take(device(0), 30);
        assert_eq!(cap.excess(), [(device(0), 26)].into_iter().chain(given(9)).collect::<Vec<_>>());
    }

    #[test]
    fn of_several_holders_the_largest_let_go() {
        assert_eq!(excess_over(60, &[50, 10, 30]), [25, 0, 5]);
        assert_eq!(excess_over(90, &[50, 10, 30]), [0, 0, 0]);
        assert_eq!(excess_over(1, &[2, 2]), [2, 2], "none of them can keep anything alike");
    }

    #[test]
    fn a_device_whose_index_is_given_away_leaves_nothing() {
        let mut cap = FairCap::new(8);
        cap.establish(device(3));
        cap.take(device(3), 9);
        cap.lose(device(3), 2);
        assert_eq!(
            (cap.forget(device(3)), cap.used(), cap.lost(device(3)), cap.used_by(device(3))),
            (2, 0, 0, 0)
        );
        assert_eq!(cap.forget(device(9)), 0);
    }

    proptest! {
        /// Takings of devices in any order, with a flood of one of them in between: nobody else loses anything, as long
        /// as all others together would have had room beside a fair share of the flood.
        #[test]
        fn a_flood_by_one_device_takes_nothing_of_others(
            takings in prop::collection::vec((1_u32..9, 1_usize..5), 0..60),
            flood in prop::collection::vec(1_usize..200, 1..60),
            established in any::<[bool; 9]>(),
        ) {
            // The flooding device is established or not. The others are: 60 takings of 4 fit beside 7/8 of 480 at most.
            let mut cap = FairCap::new(600);
            (1..9).for_each(|number| cap.establish(device(number)));
            if established[0] {
                cap.establish(device(0));
            }
            let mut taken = [0; 9];
            for at in 0..takings.len().max(flood.len()) {
                if let Some(&(number, amount)) = takings.get(at) {
                    taken[number as usize] += amount;
                    if cap.take(device(number), amount) { settle(&mut cap) }
                }
                if let Some(&amount) = flood.get(at) && cap.take(device(0), amount) {
                    settle(&mut cap);
                }
            }
            let fair = 600 * 7 / 8 / 9;
            for number in 1..9 {
                let kept = cap.used_by(device(number));
                prop_assert!(kept == taken[number as usize] || kept >= fair);
                prop_assert_eq!(kept + usize::try_from(cap.lost(device(number))).unwrap(), taken[number as usize]);
                if taken[number as usize] <= fair {
                    prop_assert_eq!(cap.lost(device(number)), 0);
                }
            }
            prop_assert!(!cap.is_exceeded());
        }

        /// However many addresses are made up, established devices keep what they would have kept beside one of them.
        #[test]
        fn made_up_addresses_take_nothing_of_established_devices(
            used in prop::collection::vec(1_usize..30, 1..9),
            made_up in 1_u32..2000,
        ) {
            let mut cap = FairCap::new(400);
            for (number, used) in (0..).zip(&used) {
                cap.establish(device(number));
                cap.take(device(number), *used);
            }
            for number in 100..100 + made_up {
                if cap.take(device(number), 1) { settle(&mut cap) }
            }
            for (number, used) in (0..).zip(&used) {
                prop_assert_eq!((cap.used_by(device(number)), cap.lost(device(number))), (*used, 0));
            }
            prop_assert!(!cap.is_exceeded());
        }

        /// However many addresses are made up and answered once, devices that were answered more often keep what they have, where
        /// each holds no more than its share of a third.
        #[test]
        fn a_crowd_with_one_answer_each_takes_nothing_of_devices_answered_often(
            used in prop::collection::vec((1_usize..30, 2_u32..100), 1..9),
            made_up in 1_u32..2000,
            each in 1_usize..20,
        ) {
            let mut cap = FairCap::new(1200);
            for (number, (used, answers)) in (0..).zip(&used) {
                (0..*answers).for_each(|_| cap.establish(device(number)));
                cap.take(device(number), *used);
            }
            for number in 100..100 + made_up {
                cap.establish(device(number));
                if cap.take(device(number), each) { settle(&mut cap) }
            }
            for (number, (used, _)) in (0..).zip(&used) {
                prop_assert_eq!((cap.used_by(device(number)), cap.lost(device(number))), (*used, 0));
            }
            prop_assert!(!cap.is_exceeded());
        }

        /// What is asked for is there, makes room, and leaves the cap well used.
        #[test]
        fn the_excess_is_there_and_enough(
            shares in prop::collection::vec((0_usize..300, any::<bool>()), 1..40),
            limit in 0_usize..1000,
        ) {
            let mut cap = FairCap::new(limit);
            for (number, &(used, is_established)) in (0..).zip(&shares) {
                cap.take(device(number), used);
                if is_established { cap.establish(device(number)) }
            }
            let before = cap.used();
            let excess = cap.excess();
            prop_assert_eq!(excess.is_empty(), before <= limit);
            for &(device, excess) in &excess {
                prop_assert!(excess > 0 && excess <= cap.used_by(device));
            }
            settle(&mut cap);
            let target = limit - limit / FREED_SHARE;
            prop_assert!(cap.used() <= target || before <= limit);
            prop_assert!(before <= limit || cap.used() + shares.len() + 1 > target, "{} of {target}", cap.used());
        }
    }
}
