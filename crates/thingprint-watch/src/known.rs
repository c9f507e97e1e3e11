use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thingprint_instance::{BagName, Instance};

use crate::records::EventKind;

/// Windows of a device whose words are learned without a word: the first day of hours. What it does for the first time
/// within them is no news, since everything is.
pub(crate) const LEARNING: u64 = 24;
/// Most words of a bag that are known of a device. Beyond that none is new any more, and the last event says so.
pub(crate) const MOST_WORDS: usize = 2048;
/// Ports from here on are chosen for a connection, as those of media streams are, where a device uses many of them.
const HIGH_PORT: u32 = 10_000;
/// High ports of a device after which further ones are no news.
const MANY_HIGH_PORTS: usize = 16;
/// Most new words that an event names.
const MOST_NAMED: usize = 10;

/// The bags whose new words are news.
const BAGS: [(BagName, EventKind); 2] =
    [(BagName::DOMAINS, EventKind::NewDomain), (BagName::PORTS, EventKind::NewPort)];

/// The words that a device used in earlier windows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct KnownWords {
    windows: u64,
    words: [BTreeSet<String>; BAGS.len()],
}

/// New words of a bag in a window.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewWords {
    pub(crate) kind: EventKind,
    /// The words, the most frequent first; a few of them.
    pub(crate) words: Vec<String>,
    /// How many there are.
    pub(crate) count: usize,
    /// Whether no further ones are remembered.
    pub(crate) is_last: bool,
}

impl KnownWords {
    /// Windows so far that lack nothing much.
    pub(crate) const fn windows(&self) -> u64 {
        self.windows
    }

    /// Takes in a final window, and gives the words that are new since the device is known well enough. A window that lacks
    /// much does not count for that.
    pub(crate) fn push(&mut self, window: &Instance, is_whole: bool) -> Vec<NewWords> {
        let is_learning = self.windows < LEARNING;
        self.windows += u64::from(is_whole);
        let mut news = Vec::new();
        for ((bag, kind), known) in BAGS.into_iter().zip(&mut self.words) {
            let Some(bag) = window.bags.get(bag).filter(|_| known.len() < MOST_WORDS) else { continue };
            let mut new: Vec<(&String, u64)> = bag
                .iter()
                .filter(|(word, _)| !known.contains(*word))
                .map(|(word, count)| (word, *count))
                .collect();
            new.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
            let room = MOST_WORDS - known.len();
            let has_many = known.iter().filter(|word| is_high(word)).count() >= MANY_HIGH_PORTS;
            known.extend(new.iter().take(room).map(|(word, _)| (*word).clone()));
            if kind == EventKind::NewPort && has_many {
                new.retain(|(word, _)| !is_high(word));
            }
            if !is_learning && !new.is_empty() {
                let words = new.iter().take(MOST_NAMED).map(|(word, _)| (*word).clone()).collect();
                news.push(NewWords { kind, words, count: new.len(), is_last: known.len() >= MOST_WORDS });
            }
        }
        news
    }
}

/// Whether a word of ports, such as `443` or `tcp/443`, is one that is chosen for a connection.
fn is_high(word: &str) -> bool {
    let (_, port) = word.rsplit_once('/').unwrap_or(("", word));
    port.parse::<u32>().is_ok_and(|port| port >= HIGH_PORT)
}

#[cfg(test)]
mod tests {
    use thingprint_flow::Timestamp;
    use thingprint_instance::{Attributes, Bag, Bags, Counts, Spreads};

    use super::*;

    fn window(words: &[&str]) -> Instance {
        window_of(BagName::DOMAINS, words)
    }

    fn window_of(name: BagName, words: &[&str]) -> Instance {
        let bag: Bag = words.iter().map(|word| ((*word).to_owned(), 1)).collect();
        Instance {
            device: "02:00:00:00:00:01".parse().unwrap(),
            window_start: Timestamp::from_seconds(0),
            window_s: 3600.0,
            capture: None,
            attributes: Attributes::default(),
            bags: Bags::from([(name, bag)]),
            counts: Counts::default(),
            spread: Spreads::default(),
        }
    }

    #[test]
    fn a_word_is_new_once_and_not_while_the_device_is_new() {
        let mut known = KnownWords::default();
        for _ in 0..LEARNING {
            assert_eq!(known.push(&window(&["a.example"]), true), []);
        }
        assert_eq!(known.push(&window(&["a.example"]), true), []);
        let news = known.push(&window(&["a.example", "c.example", "b.example"]), true);
        assert_eq!(news.len(), 1);
        assert_eq!((news[0].kind, news[0].count), (EventKind::NewDomain, 2));
        assert_eq!(news[0].words, ["b.example", "c.example"]);
        assert_eq!(known.push(&window(&["b.example"]), true), []);
    }

    #[test]
    fn ports_that_are_chosen_for_each_connection_are_no_news() {
        let mut known = KnownWords::default();
        let ports: Vec<String> = (0..20).map(|at| (HIGH_PORT + at * 1000).to_string()).collect();
        let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
        (0..LEARNING).for_each(|_| _ = known.push(&window_of(BagName::PORTS, &ports[..10]), true));
        let news = known.push(&window_of(BagName::PORTS, &ports), true);
        assert_eq!(news[0].count, 10, "few high ports are fixed ones");
        assert_eq!(known.push(&window_of(BagName::PORTS, &["tcp/61234"]), true), []);
        assert_eq!(
            known.push(&window_of(BagName::PORTS, &["tcp/61235", "tcp/23"]), true)[0].words,
            ["tcp/23"]
        );
    }

    #[test]
    fn words_beyond_the_limit_are_said_once() {
        let mut known = KnownWords::default();
        (0..LEARNING).for_each(|_| _ = known.push(&window(&[]), true));
        let many: Vec<String> = (0..MOST_WORDS + 5).map(|at| format!("{at}.example")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let news = known.push(&window(&many), true);
        assert_eq!((news[0].count, news[0].is_last, news[0].words.len()), (MOST_WORDS + 5, true, MOST_NAMED));
        assert_eq!(known.push(&window(&["other.example"]), true), []);
    }
}
