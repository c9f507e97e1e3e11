use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use thingprint_flow::Timestamp;
use thingprint_instance::{BagName, Instance};

use crate::measure::Traffic;
use crate::word_index::WordIndex;

/// Most windows of a device that are learned from: a year of hours. Later windows take the place of the first ones.
const MOST_WINDOWS: usize = 8784;

/// The windows of a device that become its baseline, with words as numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Learner {
    pub(crate) windows: VecDeque<LearnedWindow>,
    pub(crate) words: BTreeMap<BagName, WordIndex>,
    /// Words for which there was no room.
    pub(crate) words_dropped: u64,
}

/// What is kept of a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LearnedWindow {
    pub(crate) start: Timestamp,
    pub(crate) traffic: Traffic,
    /// Numbers of words with their counts; a bag that was not extracted is not there.
    pub(crate) bags: BTreeMap<BagName, Vec<(u32, u64)>>,
}

impl Learner {
    /// Adds a window.
    pub(crate) fn add(&mut self, instance: &Instance) {
        let mut bags = BTreeMap::new();
        for name in instance.bags.evidence().bags() {
            let index = self.words.entry(name).or_default();
            let mut words = Vec::new();
            for (word, count) in instance.bags.get(name).into_iter().flatten() {
                match index.add(word) {
                    Some(place) => words.push((place, *count)),
                    None => self.words_dropped += 1,
                }
            }
            bags.insert(name, words);
        }
        if self.windows.len() >= MOST_WINDOWS {
            self.windows.pop_front();
        }
        self.windows.push_back(LearnedWindow {
            start: instance.window_start,
            traffic: Traffic::of(instance),
            bags,
        });
    }
}
