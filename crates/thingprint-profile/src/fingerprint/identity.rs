use std::collections::BTreeMap;

use super::attribute::Attribute;
use super::known::KnownDevices;
use super::traits::Traits;

/// Scores closer than this are equal: they differ by rounding alone.
const EQUAL_SCORES: f64 = 1e-12;
/// Candidates that are listed.
const MOST_CANDIDATES: usize = 16;

/// Which known device something looks like, and by what.
#[derive(Clone, Debug, PartialEq)]
pub struct Likeness {
    /// The answer.
    pub answer: Answer,
    /// Known devices that share any value, the highest score first, then by name; at most 16.
    pub candidates: Vec<Candidate>,
}

/// Which known device something looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This one: it alone shows some value that was seen, and no other has as high a score.
    Known(String),
    /// These, which all show some value that no other shows, have the same score.
    Tied(Vec<String>),
    /// None: of the values that were seen, none belongs to one known device alone.
    Unknown,
}

/// A known device that shares values with what was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// How likely it is drawn when one of the attributes seen is drawn, then one of its values, then one of the known
    /// devices that show this value, each with the same chance; where none shows it, nobody is drawn. So the scores of
    /// all known devices add up to 1 at most, and a value weighs the more, the fewer share it. Attributes that no
    /// known device shows are left out of the draw.
    pub score: f64,
    /// The values shared, those of fewest devices first.
    pub evidence: Vec<Evidence>,
}

/// A value that was seen and that a known device shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The attribute.
    pub attribute: Attribute,
    /// The value.
    pub value: String,
    /// Known devices that show it; 1 for a value that is unique.
    pub shared_by: usize,
}

/// Looks up which known devices show a value.
#[derive(Clone, Debug)]
pub struct Matcher<'k> {
    names: Vec<&'k str>,
    shown_by: BTreeMap<(Attribute, &'k str), Vec<usize>>,
    attributes: Vec<Attribute>,
}

impl<'k> Matcher<'k> {
    /// A matcher for these devices.
    pub fn new(known: &'k KnownDevices) -> Self {
        let names = known.iter().map(|(name, _)| name).collect();
        let mut shown_by: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, (_, traits)) in known.iter().enumerate() {
            for (attribute, value, _) in traits.iter() {
                shown_by.entry((attribute, value)).or_default().push(index);
            }
        }
        let mut attributes: Vec<Attribute> = shown_by.keys().map(|(attribute, _)| *attribute).collect();
        attributes.dedup();
        Self { names, shown_by, attributes }
    }

    /// Which known device a device or a flow looks like, by what it shows. How often it shows it does not matter.
    pub fn identify(&self, seen: &Traits) -> Likeness {
        let drawn: Vec<Attribute> =
            seen.attributes().filter(|attribute| self.attributes.contains(attribute)).collect();
        let mut found: BTreeMap<usize, (f64, Vec<Evidence>)> = BTreeMap::new();
        for &attribute in &drawn {
            let chance = 1.0 / (drawn.len() as f64 * seen.values(attribute).count() as f64);
            for (value, _) in seen.values(attribute) {
                let Some(devices) = self.shown_by.get(&(attribute, value)) else { continue };
                let shared_by = devices.len();
                for &device in devices {
                    let (score, evidence) = found.entry(device).or_default();
                    *score += chance / shared_by as f64;
                    evidence.push(Evidence { attribute, value: value.to_owned(), shared_by });
                }
            }
        }
        let mut candidates: Vec<Candidate> = found
            .into_iter()
            .filter_map(|(device, (score, mut evidence))| {
                evidence.sort_by_key(|evidence| evidence.shared_by);
                Some(Candidate { name: (*self.names.get(device)?).to_owned(), score, evidence })
            })
            .collect();
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.name.cmp(&b.name)));
        let answer = answer(&candidates);
        candidates.truncate(MOST_CANDIDATES);
        Likeness { answer, candidates }
    }
}

/// The answer of candidates that stand in the order of their scores.
fn answer(candidates: &[Candidate]) -> Answer {
    let Some(best) = candidates.first() else { return Answer::Unknown };
    let is_best = |candidate: &&Candidate| best.score - candidate.score <= EQUAL_SCORES;
    let best: Vec<&Candidate> = candidates.iter().take_while(is_best).collect();
    let is_unique = best.iter().all(|candidate| candidate.has_unique_evidence());
    match best.as_slice() {
        _ if !is_unique => Answer::Unknown,
        [one] => Answer::Known(one.name.clone()),
        several => Answer::Tied(several.iter().map(|candidate| candidate.name.clone()).collect()),
    }
}

impl Candidate {
    /// Whether some value that was seen is shown by this known device alone.
    pub fn has_unique_evidence(&self) -> bool {
        self.evidence.iter().any(|evidence| evidence.shared_by == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traits(values: &[(Attribute, &str)]) -> Traits {
        let mut traits = Traits::default();
        for (attribute, value) in values {
            traits.add(*attribute, (*value).to_owned(), 1);
        }
        traits
    }

    fn known() -> KnownDevices {
        let mut known = KnownDevices::default();
        let agent = Attribute::HttpUserAgent;
        known.learn("camera", &traits(&[(Attribute::HttpMethod, "GET"), (agent, "camera/1")]));
        known.learn("lamp", &traits(&[(Attribute::HttpMethod, "GET"), (agent, "lamp/1")]));
        known.learn("lock", &traits(&[(Attribute::HttpMethod, "POST"), (agent, "lamp/1")]));
        known
    }

    fn scores(likeness: &Likeness) -> Vec<(&str, f64)> {
        likeness.candidates.iter().map(|candidate| (candidate.name.as_str(), candidate.score)).collect()
    }

    #[test]
    fn a_score_is_the_chance_of_a_draw() {
        let known = known();
        let seen = traits(&[(Attribute::HttpMethod, "GET"), (Attribute::HttpUserAgent, "camera/1")]);
        let likeness = Matcher::new(&known).identify(&seen);
        assert_eq!(likeness.answer, Answer::Known("camera".to_owned()));
        // Half for the agent, which is its own; half for the method, which two share.
        assert_eq!(scores(&likeness), [("camera", 0.75), ("lamp", 0.25)]);
        let evidence: Vec<(Attribute, usize)> =
            likeness.candidates[0].evidence.iter().map(|it| (it.attribute, it.shared_by)).collect();
        assert_eq!(evidence, [(Attribute::HttpUserAgent, 1), (Attribute::HttpMethod, 2)]);
    }

    #[test]
    fn values_that_nobody_shows_lower_the_score_and_attributes_that_nobody_shows_do_not() {
        let known = known();
        let agent = Attribute::HttpUserAgent;
        let seen = traits(&[(agent, "camera/1"), (agent, "curl"), (Attribute::DnsName, "a.example")]);
        let likeness = Matcher::new(&known).identify(&seen);
        assert_eq!(scores(&likeness), [("camera", 0.5)]);
    }

    #[test]
    fn what_is_shared_names_nobody() {
        let known = known();
        let likeness = Matcher::new(&known).identify(&traits(&[(Attribute::HttpMethod, "GET")]));
        assert_eq!(likeness.answer, Answer::Unknown);
        assert_eq!(scores(&likeness), [("camera", 0.5), ("lamp", 0.5)]);
        let nothing = Matcher::new(&known).identify(&Traits::default());
        assert_eq!((nothing.answer, nothing.candidates.len()), (Answer::Unknown, 0));
    }

    #[test]
    fn equal_scores_are_a_tie() {
        let known = known();
        let seen = traits(&[(Attribute::HttpUserAgent, "camera/1"), (Attribute::HttpMethod, "POST")]);
        let likeness = Matcher::new(&known).identify(&seen);
        assert_eq!(likeness.answer, Answer::Tied(vec!["camera".to_owned(), "lock".to_owned()]));
    }
}
