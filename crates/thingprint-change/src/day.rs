use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thingprint_flow::Timestamp;
use thingprint_instance::{BagName, Instance};

use crate::change::DayWord;
use crate::{Baseline, ChangeOptions};

/// Most new words of a bag that are followed; an attack on a device makes thousands.
const MOST_FOLLOWED: usize = 4096;

/// New words of a device: since when, and in how many windows of the day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct NewWords {
    bags: BTreeMap<BagName, Followed>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Followed {
    /// Windows of the day in which the bag has any word.
    windows: u64,
    words: BTreeMap<String, Sighting>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sighting {
    first_seen: Timestamp,
    /// Windows of the day.
    windows: u64,
}

impl NewWords {
    /// Notes the new words of a window.
    pub(crate) fn note(&mut self, window: &Instance, baseline: &Baseline) {
        for name in window.bags.evidence().bags().filter(|name| baseline.has_bag(*name)) {
            let Some(bag) = window.bags.get(name).filter(|bag| !bag.is_empty()) else { continue };
            let followed = self.bags.entry(name).or_default();
            followed.windows += 1;
            for (word, _) in baseline.new_words(name, bag) {
                followed.note(word, window.window_start);
            }
        }
    }

    /// When a new word was first seen; `None` where it is not followed.
    pub(crate) fn first_seen(&self, name: BagName, word: &str) -> Option<Timestamp> {
        Some(self.bags.get(&name)?.words.get(word)?.first_seen)
    }

    /// The day ends: new words that at least half of its windows had, which are followed no more.
    pub(crate) fn end_day(&mut self, options: &ChangeOptions) -> Vec<DayWord> {
        let mut lasting = Vec::new();
        for (name, followed) in &mut self.bags {
            let of_windows = std::mem::take(&mut followed.windows);
            followed.words.retain(|word, sighting| {
                let windows = std::mem::take(&mut sighting.windows);
                let lasts = windows >= options.day_windows && 2 * windows >= of_windows;
                if lasts {
                    let (bag, word, first_seen) = (*name, word.clone(), sighting.first_seen);
                    lasting.push(DayWord { bag, word, windows, of_windows, first_seen });
                }
                !lasts
            });
        }
        lasting
    }
}

impl Followed {
    fn note(&mut self, word: &str, at: Timestamp) {
        if let Some(sighting) = self.words.get_mut(word) {
            sighting.windows += 1;
        } else if self.words.len() < MOST_FOLLOWED {
            self.words.insert(word.to_owned(), Sighting { first_seen: at, windows: 1 });
        }
    }
}
