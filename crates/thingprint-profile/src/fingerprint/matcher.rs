use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::attribute::Attribute;
use super::identity::{
    Answer, Candidate, Evidence, KNOWN_COVERAGE, KNOWN_MARGIN, Likeness, MOST_SHARING, SHARED_COVERAGE,
};
use super::known::KnownDevices;
use super::traits::Traits;

/// Scores closer than this are equal: they differ by rounding alone.
const EQUAL_SCORES: f64 = 1e-12;
/// Candidates that are listed.
const MOST_CANDIDATES: usize = 16;
/// Known devices that may share a value which makes them candidates. What more share is everybody's: it adds to the
/// scores of candidates, and to go through all who show it, for each device that does, would take time that grows with
/// the square of the devices.
const MOST_NAMED_BY_VALUE: usize = 64;

/// Looks up which known devices show a value.
///
/// A value takes 24 bytes and 8 for each device that shows it, so that the largest file of fingerprints, of millions of values,
/// takes less here than in the file.
#[derive(Clone, Debug)]
pub struct Matcher<'k> {
    names: Vec<&'k str>,
    /// In order.
    values: Vec<KnownValue<'k>>,
    /// The devices that show each value, as places in `names`, in order.
    devices: Vec<usize>,
}

/// A value that some known device shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct KnownValue<'k> {
    attribute: Attribute,
    value: &'k str,
    /// Where its devices begin; they end where those of the next begin. Until all are known, one device.
    start: u32,
}

/// A value that was seen, and who shows it.
#[derive(Clone, Copy, Debug)]
struct Draw<'m> {
    attribute: Attribute,
    value: &'m str,
    /// How likely it is drawn.
    chance: f64,
    /// The known devices that show it, in order.
    devices: &'m [usize],
}

/// What the values seen say of one known device, but for the values themselves.
#[derive(Clone, Copy, Debug)]
struct Score {
    device: usize,
    /// See [`Candidate::score`].
    chance: f64,
    coverage: f64,
    /// By the value that speaks most for it: whether it is generic, and how many devices share it.
    strongest: (bool, usize),
}

impl<'k> Matcher<'k> {
    /// A matcher for these devices.
    pub fn new(known: &'k KnownDevices) -> Self {
        let names = known.iter().map(|(name, _)| name).collect();
        let shown = (0_u32..).zip(known.iter()).flat_map(|(device, (_, traits))| {
            traits.telling().map(move |(attribute, value)| KnownValue { attribute, value, start: device })
        });
        let mut values: Vec<KnownValue<'k>> = shown.collect();
        values.sort_unstable();
        let devices: Vec<usize> = values.iter().map(|shown| shown.start as usize).collect();
        for (place, shown) in (0_u32..).zip(&mut values) {
            shown.start = place;
        }
        values.dedup_by_key(|shown| (shown.attribute, shown.value));
        values.shrink_to_fit();
        Self { names, values, devices }
    }

    /// The known devices that show a value, in order; `None` where none does.
    fn shown_by(&self, attribute: Attribute, value: &str) -> Option<&[usize]> {
        let key = |shown: &KnownValue<'k>| (shown.attribute, shown.value);
        let at = self.values.binary_search_by(|shown| key(shown).cmp(&(attribute, value))).ok()?;
        let start = self.values.get(at)?.start as usize;
        let end = self.values.get(at + 1).map_or(self.devices.len(), |next| next.start as usize);
        self.devices.get(start..end)
    }

    /// Which known device a device or a flow looks like, by what it shows. How often it shows it does not matter.
    /// Time servers of a known device that has more than 16, or of one that is seen with so many, count as shown by
    /// nobody: addresses from a pool are everybody's. Candidates are the devices that share a value with 63 others at most; what more share adds to their
    /// scores. A device that shares nothing else is none, and the answer takes the highest score that one could have for
    /// the next.
    pub fn identify(&self, seen: &Traits) -> Likeness {
        let draws = self.draws(seen);
        let scores = scores(&draws);
        let most_of_others = draws.iter().filter(|draw| draw.is_common()).map(Draw::share).sum();
        let answer = self.answer(&scores, most_of_others);
        let listed = scores.iter().take(MOST_CANDIDATES);
        let candidates = listed.map(|score| self.candidate(score, &draws)).collect();
        Likeness { answer, candidates }
    }

    /// The values seen that known devices show, in the order of attributes and values.
    fn draws<'m>(&'m self, seen: &'m Traits) -> Vec<Draw<'m>> {
        let attributes = seen.attributes().count();
        let mut draws = Vec::new();
        let has_pool = seen.has_pool();
        for attribute in
            seen.attributes().filter(|attribute| !(has_pool && *attribute == Attribute::NtpServer))
        {
            let chance = 1.0 / (attributes as f64 * seen.values(attribute).count() as f64);
            for (value, _) in seen.values(attribute) {
                if let Some(devices) = self.shown_by(attribute, value) {
                    draws.push(Draw { attribute, value, chance, devices });
                }
            }
        }
        draws
    }

    /// The answer of scores that stand in order, where others that show common values alone have this score at most.
    fn answer(&self, scores: &[Score], most_of_others: f64) -> Answer {
        let Some(best) = scores.first() else { return Answer::Unknown };
        let next = scores.get(1).map_or(0.0, |next| next.chance).max(most_of_others);
        let is_clear = best.coverage >= KNOWN_COVERAGE - EQUAL_SCORES
            && best.chance - next >= KNOWN_MARGIN - EQUAL_SCORES;
        let is_equal = |score: f64| best.chance - score <= EQUAL_SCORES;
        let is_common = most_of_others > 0.0 && is_equal(most_of_others);
        let tied: Vec<&Score> = scores.iter().take_while(|other| is_equal(other.chance)).collect();
        match tied.as_slice() {
            _ if is_common || !tied.iter().all(|score| score.is_told()) => Answer::Unknown,
            [one] if is_clear && one.has_naming_evidence() => Answer::Known(self.name(one)),
            [one] => Answer::Resembles(self.name(one)),
            several => Answer::Tied(several.iter().map(|score| self.name(score)).collect()),
        }
    }

    fn name(&self, score: &Score) -> String {
        self.names.get(score.device).copied().unwrap_or_default().to_owned()
    }

    /// A candidate that is listed, with its evidence.
    fn candidate(&self, score: &Score, draws: &[Draw<'_>]) -> Candidate {
        let shown = draws.iter().filter(|draw| draw.is_shown_by(score.device));
        let mut evidence: Vec<Evidence> = shown.map(Draw::evidence).collect();
        evidence.sort_by_key(|evidence| evidence.shared_by);
        Candidate { name: self.name(score), score: score.chance, coverage: score.coverage, evidence }
    }
}

/// The scores of the candidates, the highest first, then in the order of names.
fn scores(draws: &[Draw<'_>]) -> Vec<Score> {
    let mut found: BTreeMap<usize, Score> = BTreeMap::new();
    for device in draws.iter().filter(|draw| !draw.is_common()).flat_map(|draw| draw.devices) {
        found.entry(*device).or_insert_with(|| Score::new(*device));
    }
    for draw in draws {
        if draw.is_common() {
            let sharing = found.values_mut().filter(|score| draw.is_shown_by(score.device));
            sharing.for_each(|score| score.add(draw));
        } else {
            for device in draw.devices {
                found.entry(*device).and_modify(|score| score.add(draw));
            }
        }
    }
    let mut scores: Vec<Score> = found.into_values().collect();
    scores.sort_by(Score::order);
    scores
}

impl Draw<'_> {
    /// Whether so many share it that it makes nobody a candidate.
    const fn is_common(&self) -> bool {
        self.devices.len() > MOST_NAMED_BY_VALUE
    }

    /// Whether it names nobody, even where a single known device shows it.
    fn is_generic(&self) -> bool {
        self.attribute.is_generic_value(self.value)
    }

    /// What it adds to the score of each that shows it.
    fn share(&self) -> f64 {
        self.chance / self.devices.len() as f64
    }

    fn is_shown_by(&self, device: usize) -> bool {
        self.devices.binary_search(&device).is_ok()
    }

    fn evidence(&self) -> Evidence {
        Evidence { attribute: self.attribute, value: self.value.to_owned(), shared_by: self.devices.len() }
    }
}

impl Score {
    const fn new(device: usize) -> Self {
        Self { device, chance: 0.0, coverage: 0.0, strongest: (true, usize::MAX) }
    }

    fn add(&mut self, draw: &Draw<'_>) {
        self.chance += draw.share();
        self.coverage += draw.chance;
        self.strongest = self.strongest.min((draw.is_generic(), draw.devices.len()));
    }

    /// The highest score first, then by name; devices stand in the order of their names.
    fn order(&self, other: &Self) -> Ordering {
        other.chance.total_cmp(&self.chance).then_with(|| self.device.cmp(&other.device))
    }

    /// See [`Candidate::has_naming_evidence`].
    fn has_naming_evidence(&self) -> bool {
        self.strongest == (false, 1)
    }

    /// Whether what it shows says who was seen, where no other has its score.
    fn is_told(&self) -> bool {
        let (is_generic, shared_by) = self.strongest;
        let is_of_few = !is_generic && (2..=MOST_SHARING).contains(&shared_by);
        self.has_naming_evidence() || is_of_few && self.coverage >= SHARED_COVERAGE - EQUAL_SCORES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(values: &[(Attribute, String)]) -> Traits {
        let mut traits = Traits::default();
        for (attribute, value) in values {
            traits.add(*attribute, value.clone(), 1);
        }
        traits
    }

    /// A device of many that ask one time server, with a name of its own or none.
    fn plug(number: usize, is_named: bool) -> Traits {
        let time = (Attribute::NtpServer, "192.0.2.1".to_owned());
        let own = is_named.then(|| (Attribute::DhcpHostName, format!("plug-{number}")));
        shows(&[time].into_iter().chain(own).collect::<Vec<_>>())
    }

    fn plugs(count: usize, is_named: bool) -> KnownDevices {
        let mut known = KnownDevices::default();
        for number in 0..count {
            known.learn(&format!("{number:05}"), &plug(number, is_named)).unwrap();
        }
        known
    }

    #[test]
    fn the_work_for_a_device_does_not_grow_with_those_that_share_a_common_value() {
        let work = |count: usize, is_named| {
            let known = plugs(count, is_named);
            let matcher = Matcher::new(&known);
            let scored = |number| scores(&matcher.draws(&plug(number, is_named))).len();
            (0..count).map(scored).sum::<usize>()
        };
        let few = MOST_NAMED_BY_VALUE;
        assert_eq!(work(few, false), few * few);
        for count in [few + 1, 1000, 4000] {
            assert_eq!((work(count, false), work(count, true)), (0, count));
        }
    }

    #[test]
    fn what_is_kept_of_a_device_is_what_is_listed() {
        let known = plugs(MOST_NAMED_BY_VALUE, false);
        let likeness = Matcher::new(&known).identify(&plug(0, false));
        assert_eq!((likeness.answer, likeness.candidates.len()), (Answer::Unknown, MOST_CANDIDATES));
        assert!(likeness.candidates.capacity() <= MOST_CANDIDATES, "{}", likeness.candidates.capacity());
    }

    #[test]
    fn a_common_value_adds_to_the_scores_of_candidates_and_names_nobody() {
        let known = plugs(100, true);
        let matcher = Matcher::new(&known);
        let likeness = matcher.identify(&plug(7, true));
        assert_eq!(likeness.answer, Answer::Known("00007".to_owned()));
        let [only] = likeness.candidates.as_slice() else { panic!("{likeness:?}") };
        assert!((only.score - 0.505).abs() < 1e-9 && (only.coverage - 1.0).abs() < 1e-9, "{only:?}");
        assert_eq!(only.evidence.iter().map(|it| it.shared_by).collect::<Vec<_>>(), [1, 100]);
        let stranger = matcher.identify(&plug(0, false));
        assert_eq!((stranger.answer, stranger.candidates), (Answer::Unknown, vec![]));
    }

    #[test]
    fn who_shows_less_than_everybody_may_is_not_told() {
        let agent = Attribute::HttpUserAgent;
        let mut known = plugs(100, false);
        known.learn("lamp", &shows(&[(agent, "lamp/0".to_owned())])).unwrap();
        let seen = |agents: usize| {
            let own = (0..agents).map(|n| (agent, format!("lamp/{n}")));
            let time = (Attribute::NtpServer, "192.0.2.1".to_owned());
            Matcher::new(&known).identify(&shows(&own.chain([time]).collect::<Vec<_>>())).answer
        };
        assert_eq!(seen(1), Answer::Known("lamp".to_owned()));
        assert_eq!(seen(2), Answer::Resembles("lamp".to_owned()));
        assert_eq!(seen(100), Answer::Unknown, "a hundredth of half, as each of the others");
    }
}
