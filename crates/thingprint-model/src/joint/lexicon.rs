use serde::{Deserialize, Serialize};
use thingprint_instance::{Bag, BagName, EvidenceSet, Instance};

use crate::error::FileFault;
use crate::model::MAX_BAGS;
use crate::sequence;
use crate::word_list::WordList;

/// The words of the training instances, a list for each bag that is looked at, in the order of bags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lexicon {
    evidence: EvidenceSet,
    #[serde(deserialize_with = "sequence::at_most::<_, _, MAX_BAGS>")]
    bags: Vec<BagWords>,
}

/// The words of a bag in byte order; a word is known by its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct BagWords(WordList);

/// The bags of a window in the order of a lexicon; `None` where a bag is absent.
pub(crate) type Window = Vec<Option<WindowBag>>;

/// The words of a bag in a window.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WindowBag {
    /// The words that the lexicon has, each with its weight log2(1 + n), in ascending order of places.
    pub(crate) tokens: Vec<(u32, f64)>,
    /// Sum of their weights.
    pub(crate) known_weight: f64,
    /// Sum of the weights of all words, those that the lexicon lacks included.
    pub(crate) weight: f64,
    /// Number of words.
    pub(crate) words: u64,
}

impl Lexicon {
    /// The words of these instances.
    pub(crate) fn of<'a>(
        evidence: EvidenceSet,
        instances: &(impl Iterator<Item = &'a Instance> + Clone),
    ) -> Self {
        let words = |bag| {
            let bags = instances.clone().filter_map(|instance| instance.bags.get(bag));
            BagWords(WordList::of(bags.flat_map(Bag::keys).map(String::as_str)))
        };
        Self { evidence, bags: evidence.bags().map(words).collect() }
    }

    /// A window in the terms of the lexicon.
    pub(crate) fn window(&self, instance: &Instance) -> Window {
        let bags = self.evidence.bags().zip(&self.bags);
        bags.map(|(bag, words)| Some(words.window(instance.bags.get(bag)?))).collect()
    }

    /// How many words each bag has.
    pub(crate) fn words(&self) -> Vec<usize> {
        self.bags.iter().map(|bag| bag.0.len()).collect()
    }

    /// The word at a place of the bag at a place.
    pub(crate) fn word(&self, bag: usize, word: u32) -> Option<&str> {
        self.bags.get(bag)?.0.get(word as usize).map(|word| &**word)
    }

    /// Whether training saw a word in a bag.
    pub(crate) fn has(&self, bag: BagName, word: &str) -> bool {
        let words = self.evidence.bags().zip(&self.bags).find(|(name, _)| *name == bag);
        words.is_some_and(|(_, words)| words.place(word).is_some())
    }

    /// Refuses a loaded lexicon of other bags.
    pub(crate) fn check_loaded(&self, evidence: EvidenceSet) -> Result<(), FileFault> {
        let is_same = self.evidence.bags().eq(evidence.bags());
        if is_same && self.bags.len() == evidence.bags().count() {
            Ok(())
        } else {
            Err(FileFault::Inconsistent("its words do not fit its bags"))
        }
    }
}

impl BagWords {
    fn window(&self, bag: &Bag) -> WindowBag {
        let mut window =
            WindowBag { tokens: Vec::new(), known_weight: 0.0, weight: 0.0, words: bag.len() as u64 };
        for (word, &count) in bag {
            let weight = (1.0 + count as f64).log2();
            window.weight += weight;
            if let Some(place) = self.place(word) {
                window.known_weight += weight;
                window.tokens.push((place, weight));
            }
        }
        window
    }

    fn place(&self, word: &str) -> Option<u32> {
        u32::try_from(self.0.place(word)?).ok()
    }
}
