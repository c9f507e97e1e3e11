use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thingprint_flow::Timestamp;
use thingprint_instance::{BagName, Instance};

use crate::change::DayWord;
use crate::{Baseline, ChangeOptions};

/// Most new words of a bag that are followed; an attack on a device makes thousands.
const MOST_FOLLOWED: usize = 4096;
/// What a word takes beside its text, in bytes.
const WORD_BYTES: usize = 64;

/// New words of a device: since when, and in how many windows of the day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct NewWords {
    /// Windows of the day.
    windows: u64,
    bags: BTreeMap<BagName, Followed>,
    /// New words for which there was no room, as often as they came.
    pub(crate) unfollowed: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Followed {
    words: BTreeMap<String, Sighting>,
    bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sighting {
    first_seen: Timestamp,
    /// Windows of the day that did not alarm.
    windows: u64,
}

impl NewWords {
    /// Notes the new words of a window; those of one that alarms do not count as sightings of the day.
    pub(crate) fn note(&mut self, window: &Instance, baseline: &Baseline, alarms: bool) {
        self.windows += 1;
        for name in window.bags.evidence().bags().filter(|name| baseline.has_bag(*name)) {
            let Some(bag) = window.bags.get(name) else { continue };
            let followed = self.bags.entry(name).or_default();
            for (word, _) in baseline.new_words(name, bag) {
                let is_followed = followed.note(word, window.window_start, alarms);
                self.unfollowed += u64::from(!is_followed);
            }
        }
    }

    /// When a new word was first seen; `None` where it is not followed.
    pub(crate) fn first_seen(&self, name: BagName, word: &str) -> Option<Timestamp> {
        Some(self.bags.get(&name)?.words.get(word)?.first_seen)
    }

    /// The day ends: new words that at least half of its windows had, which are followed no more. A bag that is full
    /// gives up the words that no quiet window of the day had.
    pub(crate) fn end_day(&mut self, options: &ChangeOptions) -> Vec<DayWord> {
        let mut lasting = Vec::new();
        let of_windows = std::mem::take(&mut self.windows);
        for (name, followed) in &mut self.bags {
            let Followed { words, bytes } = followed;
            let is_full = words.len() >= MOST_FOLLOWED;
            words.retain(|word, sighting| {
                let windows = std::mem::take(&mut sighting.windows);
                let lasts = windows >= options.day_windows && 2 * windows >= of_windows;
                if lasts {
                    let (bag, word, first_seen) = (*name, word.clone(), sighting.first_seen);
                    lasting.push(DayWord { bag, word, windows, of_windows, first_seen });
                }
                let is_given_up = !lasts && is_full && windows == 0;
                self.unfollowed += u64::from(is_given_up);
                if lasts || is_given_up {
                    *bytes = bytes.saturating_sub(WORD_BYTES + word.len());
                }
                !lasts && !is_given_up
            });
        }
        lasting
    }

    /// Gives up the words that are followed; returns how many.
    pub(crate) fn give_up(&mut self) -> u64 {
        let words = std::mem::take(&mut self.bags).values().map(|followed| followed.words.len() as u64).sum();
        self.unfollowed += words;
        words
    }

    /// Bytes of the words.
    pub(crate) fn bytes(&self) -> usize {
        self.bags.values().map(|followed| followed.bytes).sum()
    }
}

impl Followed {
    /// Notes a word; whether it is followed.
    fn note(&mut self, word: &str, at: Timestamp, alarms: bool) -> bool {
        let windows = u64::from(!alarms);
        if let Some(sighting) = self.words.get_mut(word) {
            sighting.windows += windows;
            return true;
        }
        let has_room = self.words.len() < MOST_FOLLOWED;
        if has_room {
            self.bytes += WORD_BYTES + word.len();
            self.words.insert(word.to_owned(), Sighting { first_seen: at, windows });
        }
        has_room
    }
}
