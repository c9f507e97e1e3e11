use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use thingprint_flow::Timestamp;
use thingprint_instance::{Bag, BagName, Instance};

use crate::Measure;
use crate::measure::Traffic;
use crate::word_index::WordIndex;

/// Most windows of a device that are learned from: a year of hours. Later windows take the place of the earliest ones.
const MOST_WINDOWS: usize = 8784;
/// What a window takes beside the counts of its words, in bytes.
const WINDOW_BYTES: usize = 512;

/// The windows of a device that become its baseline, with words as numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Learner {
    /// In the order of their starts.
    pub(crate) windows: VecDeque<LearnedWindow>,
    pub(crate) words: BTreeMap<BagName, WordIndex>,
    /// Words for which there was no room.
    pub(crate) words_dropped: u64,
    /// Bytes of the windows.
    window_bytes: usize,
}

/// What is kept of a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LearnedWindow {
    pub(crate) start: Timestamp,
    pub(crate) traffic: Traffic,
    /// The bags that are measured; one that was not extracted is not there.
    pub(crate) bags: BTreeMap<BagName, LearnedBag>,
}

/// The words of a bag in a window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LearnedBag {
    /// Numbers of words with their counts.
    pub(crate) known: Vec<(u32, u64)>,
    /// Counts of the words for which the index had no room.
    pub(crate) unknown: Vec<u64>,
}

impl Learner {
    /// Adds a window.
    pub(crate) fn add(&mut self, instance: &Instance) {
        let start = instance.window_start;
        if self.windows.len() >= MOST_WINDOWS {
            if self.windows.front().is_some_and(|earliest| start < earliest.start) {
                return;
            }
            if let Some(earliest) = self.windows.pop_front() {
                self.window_bytes = self.window_bytes.saturating_sub(earliest.bytes());
            }
        }
        let mut bags = BTreeMap::new();
        for name in instance.bags.evidence().bags() {
            let Some(bag) = instance.bags.get(name) else { continue };
            let learned = self.bag(name, bag);
            if Measure::evidence().has_bag(name) {
                bags.insert(name, learned);
            }
        }
        let window = LearnedWindow { start, traffic: Traffic::of(instance), bags };
        self.window_bytes += window.bytes();
        let at = self.windows.partition_point(|other| other.start <= start);
        self.windows.insert(at, window);
    }

    fn bag(&mut self, name: BagName, bag: &Bag) -> LearnedBag {
        let index = self.words.entry(name).or_default();
        let mut learned = LearnedBag::default();
        for (word, count) in bag {
            match index.add(word) {
                Some(place) => learned.known.push((place, *count)),
                None => learned.unknown.push(*count),
            }
        }
        self.words_dropped += learned.unknown.len() as u64;
        learned
    }

    /// Gives up the earliest windows, until so many bytes are free, and all of them where these do not have so many; returns
    /// how many windows.
    pub(crate) fn give_up(&mut self, excess: usize) -> u64 {
        if excess > self.window_bytes {
            return std::mem::take(self).windows.len() as u64;
        }
        let (enough, mut windows) = (self.window_bytes - excess, 0);
        while self.window_bytes > enough
            && let Some(earliest) = self.windows.pop_front()
        {
            self.window_bytes = self.window_bytes.saturating_sub(earliest.bytes());
            windows += 1;
        }
        windows
    }

    /// Bytes of the windows and words.
    pub(crate) fn bytes(&self) -> usize {
        self.window_bytes + self.words.values().map(WordIndex::bytes).sum::<usize>()
    }
}

impl LearnedWindow {
    fn bytes(&self) -> usize {
        let counts = |bag: &LearnedBag| size_of_val(&*bag.known) + size_of_val(&*bag.unknown);
        WINDOW_BYTES + self.bags.values().map(counts).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use thingprint_instance::{Attributes, Bags, Counts, Spreads};

    use super::*;

    fn window(at: i64) -> Instance {
        let bags: Bags = [
            (BagName::PORTS, Bag::from([("443".to_owned(), 1)])),
            (BagName::DOMAINS, Bag::from([(format!("host{at}.example"), 1)])),
        ]
        .into();
        Instance {
            device: "02:00:00:00:00:01".parse().unwrap(),
            window_start: Timestamp::from_seconds(at * 3600),
            window_s: 3600.0,
            capture: None,
            attributes: Attributes::default(),
            bags,
            counts: Counts::default(),
            spread: Spreads::default(),
        }
    }

    #[test]
    fn the_earliest_windows_make_room_for_later_ones() {
        let most = i64::try_from(MOST_WINDOWS).unwrap();
        let mut learner = Learner::default();
        // The last ones first.
        for at in (0..=most).rev().chain([most + 1]) {
            learner.add(&window(at));
        }
        let starts: Vec<Timestamp> = learner.windows.iter().map(|window| window.start).collect();
        let expected: Vec<Timestamp> = (2..=most + 1).map(|at| Timestamp::from_seconds(at * 3600)).collect();
        assert!(starts == expected, "{:?} to {:?}", starts.first(), starts.last());
        let bytes: usize = learner.windows.iter().map(LearnedWindow::bytes).sum();
        assert_eq!(learner.window_bytes, bytes);
    }

    #[test]
    fn counts_are_kept_of_bags_that_are_measured() {
        let mut learner = Learner::default();
        learner.add(&window(0));
        assert!(learner.windows[0].bags.keys().eq([&BagName::PORTS]), "{:?}", learner.windows);
        assert!(learner.words[&BagName::DOMAINS].has("host0.example"), "changes by day look at all bags");
    }
}
