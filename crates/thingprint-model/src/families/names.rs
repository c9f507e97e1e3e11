use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use thingprint_instance::{Bag, BagName, Instance};

use super::clouds::SHARED;
use crate::joint::{JointParts, Window, scale};
use crate::model::Model;

/// The bags whose words may name a vendor.
const BAGS: [BagName; 2] = [BagName::ORGANISATIONS, BagName::DECLARED];

/// Descriptions of these kinds name a maker: names, types, software. Others, such as the order of header fields, come with
/// the protocol or with a library that many makers use.
const NAMING: [&str; 9] = [
    "http-agent:",
    "http-server:",
    "mdns-name:",
    "mdns-query:",
    "ssdp-agent:",
    "ssdp-nt:",
    "ssdp-server:",
    "ssdp-st:",
    "ssdp-usn:",
];

/// What a family must be ahead of every other to be named, in nats.
const LEAST_NATS: f64 = 2.0;

/// Most words that are shown.
const MOST_WORDS: usize = 3;

/// The family that the names in windows point to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FamilyByNames {
    /// The family.
    pub family: Arc<str>,
    /// How far it is ahead of the next family, in nats.
    pub nats: f64,
    /// The words that speak most for it, the strongest first.
    pub words: Vec<String>,
}

/// A word that counts, by the place of its bag.
type Word = (usize, u32);

/// A word with the group that it points to, which has it most, and by how many nats: those that this group is ahead of the
/// next one. So a word that many have points to nobody, and one that a family's other products lack speaks against nobody.
type Pointing = (Word, usize, f64);

impl Model {
    /// The family that the organisations and descriptions in these windows point to, whatever their class; `None` where
    /// labels gave no families, and where no family is clearly ahead. Domains of shared clouds do not count.
    pub fn family_by_names(&self, windows: &[&Instance]) -> Option<FamilyByNames> {
        let parts = self.joint.as_ref()?;
        let members = self.given_members();
        if members.is_empty() || windows.is_empty() {
            return None;
        }
        // A class without a family competes as a family that cannot be named.
        let mut names: Vec<Option<Arc<str>>> = members.keys().cloned().map(Some).collect();
        let group_of: Vec<usize> = (0..self.classes.len())
            .map(|class| {
                let family = self.given_family(class);
                family.and_then(|family| members.keys().position(|name| name == family)).unwrap_or_else(
                    || {
                        names.push(None);
                        names.len() - 1
                    },
                )
            })
            .collect();
        let words = self.name_weights(parts, windows);
        let with_bag: BTreeMap<usize, Vec<u32>> = words
            .iter()
            .map(|((place, _), _)| (*place, parts.joint.group_sizes(*place, &group_of)))
            .collect();
        let evidence = words.into_iter().filter_map(|((place, word), weight)| {
            let (group, nats) = parts.joint.pointing(place, word, &group_of, with_bag.get(&place)?)?;
            Some(((place, word), group, weight * nats))
        });
        let evidence: Vec<Pointing> = evidence.collect();
        let mut scores = vec![0.0; names.len()];
        for (_, group, nats) in &evidence {
            scores[*group] += nats;
        }
        let (best, ahead) = ahead(&scores)?;
        let family = names.into_iter().nth(best)??;
        let words = || strongest_words(parts, &evidence, best);
        (ahead >= LEAST_NATS).then(|| FamilyByNames { family, nats: ahead, words: words() })
    }

    /// The words that may name a vendor, with what their evidence is multiplied by. All windows together are one bag, since
    /// names are looked up now and then.
    fn name_weights(&self, parts: &JointParts, windows: &[&Instance]) -> Vec<(Word, f64)> {
        let places = self.evidence().bags().enumerate().filter(|(_, bag)| BAGS.contains(bag));
        let places: Vec<usize> = places.map(|(place, _)| place).collect();
        together(windows).map(|all| names_in(parts, &parts.lexicon.window(&all), &places)).unwrap_or_default()
    }
}

/// An instance with the names of all windows; `None` without windows.
fn together(windows: &[&Instance]) -> Option<Instance> {
    let mut all = (*windows.first()?).clone();
    for name in BAGS {
        let mut sums = Bag::new();
        for (word, count) in windows.iter().filter_map(|window| window.bags.get(name)).flatten() {
            let sum = sums.entry(word.clone()).or_default();
            *sum = count.saturating_add(*sum);
        }
        all.bags.insert(name, sums);
    }
    Some(all)
}

/// The words of a window that may name a vendor, with what their evidence is multiplied by.
fn names_in(parts: &JointParts, window: &Window, places: &[usize]) -> Vec<(Word, f64)> {
    let bags = places.iter().filter_map(|&place| Some((place, window.get(place)?.as_ref()?)));
    let words = bags.flat_map(|(place, bag)| {
        let scale = scale(bag);
        bag.tokens.iter().map(move |&(word, weight)| ((place, word), scale * weight))
    });
    let may_name = |&(place, word): &Word| parts.lexicon.word(place, word).is_some_and(is_name);
    words.filter(|(word, _)| may_name(word)).collect()
}

/// Whether a word may name a vendor: a domain that is not shared, or a description that is not of a protocol alone.
fn is_name(word: &str) -> bool {
    let Some((_, text)) = word.split_once(':') else { return SHARED.binary_search(&word).is_err() };
    let is_naming = NAMING.iter().any(|kind| word.starts_with(kind));
    // Service types begin with an underscore; reverse names and types alone name nobody.
    is_naming && !text.is_empty() && !text.starts_with('_') && text.rsplit('.').next() != Some("arpa")
}

/// The group with the most nats, and how far it is ahead of the next one.
fn ahead(nats: &[f64]) -> Option<(usize, f64)> {
    let mut groups: Vec<(f64, usize)> = nats.iter().copied().zip(0..).collect();
    groups.sort_by(|a, b| b.0.total_cmp(&a.0));
    let next = groups.get(1).map_or(0.0, |next| next.0);
    groups.first().map(|&(nats, group)| (group, nats - next))
}

fn strongest_words(parts: &JointParts, evidence: &[Pointing], group: usize) -> Vec<String> {
    let mut words: Vec<&Pointing> =
        evidence.iter().filter(|(_, of, nats)| *of == group && *nats > 0.0).collect();
    words.sort_by(|a, b| b.2.total_cmp(&a.2));
    let text = |(word, ..): &&Pointing| parts.lexicon.word(word.0, word.1).map(str::to_owned);
    words.iter().filter_map(text).take(MOST_WORDS).collect()
}
