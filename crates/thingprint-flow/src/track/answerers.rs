use std::collections::{BTreeMap, BTreeSet};

use crate::DeviceId;

/// Most addresses that are remembered to have answered again; and as many that answered once.
const MOST_ANSWERERS: usize = 4096;
/// What is freed at once where there are more of the former, as a share of them.
const FREED_SHARE: usize = 8;

/// The devices that answered those of a tracker, to tell the ones that were heard only once.
///
/// An address that answers once may be made up together with the one that it answers: two frames do for both. So there is
/// room for any number of these, one after the other: each half of them gives way to the next. Of those that answered again,
/// the ones that were silent for longest give way.
#[derive(Clone, Debug, Default)]
pub(super) struct Answerers {
    once: BTreeSet<DeviceId>,
    once_before: BTreeSet<DeviceId>,
    /// With the number of the last answer.
    again: BTreeMap<DeviceId, u64>,
    answers: u64,
}

impl Answerers {
    /// Notes that a device answered; says whether it had answered before.
    pub(super) fn hear(&mut self, device: DeviceId) -> bool {
        self.answers += 1;
        if let Some(last) = self.again.get_mut(&device) {
            *last = self.answers;
            return true;
        }
        if self.once.remove(&device) || self.once_before.remove(&device) {
            self.again.insert(device, self.answers);
            if self.again.len() > MOST_ANSWERERS {
                self.forget_silent();
            }
            return true;
        }
        if self.once.len() >= MOST_ANSWERERS / 2 {
            self.once_before = std::mem::take(&mut self.once);
        }
        self.once.insert(device);
        false
    }

    #[cold]
    fn forget_silent(&mut self) {
        let mut last: Vec<u64> = self.again.values().copied().collect();
        last.sort_unstable();
        let kept_from = last.get(MOST_ANSWERERS / FREED_SHARE).copied().unwrap_or(0);
        self.again.retain(|_, last| *last >= kept_from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MacAddr;

    #[test]
    fn an_answerer_is_known_the_second_time_however_many_are_made_up() {
        let device = |number: u32| {
            let [a, b, c, d] = number.to_be_bytes();
            DeviceId::Mac(MacAddr::new([2, 0, a, b, c, d]))
        };
        let mut answerers = Answerers::default();
        assert!(!answerers.hear(device(0)));
        assert!(answerers.hear(device(0)));
        for number in 1..100_000 {
            assert!(!answerers.hear(device(number)), "{number} was heard once");
            assert!(answerers.once.len() + answerers.once_before.len() <= MOST_ANSWERERS);
        }
        assert!(answerers.hear(device(0)));
    }

    #[test]
    fn addresses_that_answer_again_do_not_make_others_known() {
        let device = |number: u32| {
            let [a, b, c, d] = number.to_be_bytes();
            DeviceId::Mac(MacAddr::new([2, 0, a, b, c, d]))
        };
        let mut answerers = Answerers::default();
        for number in 0..20_000 {
            assert!(!answerers.hear(device(number)) && answerers.hear(device(number)), "{number}");
            assert!(answerers.again.len() <= MOST_ANSWERERS, "{number}");
            // Who goes on to answer stays known.
            assert!(answerers.hear(device(0)));
        }
        assert!(!answerers.hear(device(20_000)));
    }
}
