use std::collections::BTreeSet;

use serde::Deserialize;

use crate::chance::{hash, mix};

/// What is known of a domain name; whatever is left out follows from a hash of the name, so that two devices that
/// ask for the same name hear the same.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HostFacts {
    /// Time to live of the answer, in seconds.
    pub ttl_s: Option<u32>,
    /// The names that the name stands for, in order; empty for none.
    pub cname: Option<Vec<String>>,
    /// How many addresses the answer lists.
    pub addresses: Option<u8>,
    /// Time from the capture point to the server and back, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// Whether there is no such name.
    pub missing: bool,
}

/// How a device asks for names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookupPolicy {
    /// It keeps an answer for its time to live.
    #[default]
    Cached,
    /// It asks each time.
    Always,
}

/// A crowd of generated domain names, of which the first are asked for most.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crowd {
    /// How many names there are.
    pub count: u32,
    /// The exponent of Zipf's law by which names are chosen; 0 chooses all alike.
    pub zipf: f64,
    /// First labels, like `www`.
    pub hosts: Vec<String>,
    /// Words, of which two make the label that tells one site from another.
    pub words: Vec<String>,
    /// What follows, like `example`.
    pub suffixes: Vec<String>,
}

/// How many names are drawn for each that is wanted, since some come twice.
const TRIES: usize = 16;

impl Crowd {
    /// How many different names the parts can make, at most.
    pub(crate) fn room(&self) -> usize {
        let different = |parts: &[String]| parts.iter().collect::<BTreeSet<_>>().len();
        different(&self.hosts) * different(&self.words).pow(2) * different(&self.suffixes)
    }

    /// The names, each once; always the same for the same parts. Words that run together to the same name leave
    /// fewer than asked for.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut names = Vec::new();
        let wanted = self.room().min(self.count as usize);
        let mut state = hash(&self.words.join(" "), 0);
        for _ in 0..TRIES * wanted {
            if names.len() == wanted {
                break;
            }
            let name = self.name(&mut state);
            if seen.insert(name.clone()) {
                names.push(name);
            }
        }
        names
    }

    fn name(&self, state: &mut u64) -> String {
        let mut pick = |parts: &[String]| {
            *state = mix(*state);
            let place = usize::try_from(*state >> 33).unwrap_or(0) % parts.len().max(1);
            parts.get(place).cloned().unwrap_or_default()
        };
        let host = pick(&self.hosts);
        let site = pick(&self.words) + &pick(&self.words);
        format!("{host}.{site}.{}", pick(&self.suffixes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_crowd_has_as_many_different_names_as_asked_or_as_can_be() {
        let mut crowd = Crowd {
            count: 20,
            zipf: 1.0,
            hosts: parts("www cdn"),
            words: parts("river post north"),
            suffixes: parts("example test"),
        };
        let names = crowd.names();
        assert_eq!(names.len(), 20);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 20);
        assert_eq!(names, crowd.names());
        crowd.count = 1000;
        assert_eq!(crowd.names().len(), 2 * 9 * 2);
    }
}
