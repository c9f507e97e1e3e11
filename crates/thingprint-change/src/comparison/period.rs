use std::collections::BTreeMap;

use thingprint_flow::Timestamp;
use thingprint_instance::Instance;

use super::Aspect;

/// Most bytes of the words of a device in one of the two times.
const MOST_BYTES: usize = 8 << 20;
/// What a word takes beside its text and its windows, in bytes.
const WORD_BYTES: usize = 72;

/// What a device did in one of the two times.
#[derive(Clone, Debug, Default)]
pub(super) struct Period {
    /// Starts of its windows, in any order until [`complete`](Self::complete).
    pub(super) windows: Vec<Timestamp>,
    /// The windows that have each word.
    pub(super) words: BTreeMap<Aspect, BTreeMap<String, Vec<Timestamp>>>,
    /// The windows that have a value of each number.
    pub(super) numbers: BTreeMap<Aspect, Vec<(Timestamp, f64)>>,
    bytes: usize,
    /// Words for which there was no room, as often as they came.
    pub(super) words_dropped: u64,
}

impl Period {
    pub(super) fn add(&mut self, window: &Instance) {
        self.windows.push(window.window_start);
        for (aspect, bag) in Aspect::of_words() {
            let Some(bag) = window.bags.get(bag) else { continue };
            self.words.entry(aspect).or_default();
            for word in bag.keys() {
                self.add_word(aspect, word, window.window_start);
            }
        }
        for (aspect, value) in Aspect::numbers_of(window) {
            self.numbers.entry(aspect).or_default().push((window.window_start, value));
        }
    }

    pub(super) fn add_word(&mut self, aspect: Aspect, word: &str, start: Timestamp) {
        let words = self.words.entry(aspect).or_default();
        if let Some(windows) = words.get_mut(word) {
            if self.bytes < MOST_BYTES {
                self.bytes += size_of::<Timestamp>();
                windows.push(start);
                return;
            }
        } else if self.bytes + word.len() + WORD_BYTES < MOST_BYTES {
            self.bytes += word.len() + WORD_BYTES;
            words.insert(word.to_owned(), vec![start]);
            return;
        }
        self.words_dropped += 1;
    }

    /// Puts everything in the order of time; a window that came in two parts counts once. Where peers are known, a device without
    /// any has had none.
    pub(super) fn complete(&mut self, knows_peers: bool) {
        if knows_peers {
            self.words.entry(Aspect::Peers).or_default();
        }
        self.windows.sort_unstable();
        self.windows.dedup();
        for windows in self.words.values_mut().flat_map(BTreeMap::values_mut) {
            windows.sort_unstable();
            windows.dedup();
        }
        for values in self.numbers.values_mut() {
            values.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        }
    }

    /// The windows before a time, and those from it on.
    pub(super) fn split_at(&self, time: Timestamp) -> [Self; 2] {
        let side = |is_later: bool| {
            let holds = |start: &Timestamp| (*start >= time) == is_later;
            let words = self.words.iter().map(|(aspect, words)| {
                let of_side = words.iter().filter_map(|(word, windows)| {
                    let windows: Vec<Timestamp> =
                        windows.iter().copied().filter(|start| holds(start)).collect();
                    (!windows.is_empty()).then(|| (word.clone(), windows))
                });
                (*aspect, of_side.collect())
            });
            Self {
                windows: self.windows.iter().copied().filter(|start| holds(start)).collect(),
                words: words.collect(),
                ..Self::default()
            }
        };
        [side(false), side(true)]
    }

    /// The window in the middle.
    pub(super) fn middle(&self) -> Option<Timestamp> {
        self.windows.get(self.windows.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use thingprint_instance::BagName;

    use super::*;

    #[test]
    fn words_of_a_period_have_a_cap() {
        let mut period = Period::default();
        let aspect = Aspect::Words(BagName::DOMAINS);
        let long = "x".repeat(MOST_BYTES / 4);
        for at in 0..5 {
            period.add_word(aspect, &format!("{long}{at}"), Timestamp::from_seconds(at));
        }
        assert_eq!((period.words[&aspect].len(), period.words_dropped), (3, 2));
        assert!(period.bytes < MOST_BYTES);
    }
}
