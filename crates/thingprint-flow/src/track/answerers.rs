use std::collections::BTreeMap;

use crate::DeviceId;

/// Most addresses that are remembered to have answered.
const MOST_ANSWERERS: usize = 4096;

/// The devices that answered those of a tracker, to tell the ones that were heard only once.
///
/// An address that answers once may be made up together with the one that it answers: two frames do for both.
#[derive(Clone, Debug, Default)]
pub(super) struct Answerers {
    heard: BTreeMap<DeviceId, bool>,
}

impl Answerers {
    /// Notes that a device answered; says whether it had answered before.
    pub(super) fn hear(&mut self, device: DeviceId) -> bool {
        if let Some(was_heard) = self.heard.get_mut(&device) {
            *was_heard = true;
            return true;
        }
        if self.heard.len() >= MOST_ANSWERERS {
            self.heard.retain(|_, was_heard| *was_heard);
        }
        // Where all of these answered again, nobody is heard only once.
        if self.heard.len() >= MOST_ANSWERERS {
            return true;
        }
        self.heard.insert(device, false);
        false
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
            assert!(answerers.heard.len() <= MOST_ANSWERERS);
        }
        assert!(answerers.hear(device(0)));
    }
}
