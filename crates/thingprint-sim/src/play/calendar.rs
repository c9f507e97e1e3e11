use super::beat::Pulse;
use crate::chance::{Chance, hash, mix};
use crate::clock::{HOUR_NS, SECOND_NS};
use crate::home::Trace;
use crate::profile::{HoursSeen, Phase, When};

use std::collections::BTreeMap;

/// The hours in which a device is on, as spans from an hour's beginning to another's.
pub(super) struct Calendar {
    /// Begin and end of each span, in nanoseconds since 1970; in order, apart from each other.
    spans: Vec<(i64, i64)>,
}

impl Calendar {
    /// The calendar of the device of this name. `pulse` is the rhythm that `hours` names, if it names one.
    pub(super) fn new(
        hours: &HoursSeen,
        trace: &Trace,
        pulse: Option<&Pulse>,
        (seed, name): (u64, &str),
    ) -> Self {
        let mut chance = Chance::new(seed, &format!("{name}, hours seen"));
        let start_ns = trace.start_s * SECOND_NS;
        let at = |hour: u32| start_ns + i64::from(hour) * HOUR_NS;
        let spans = match (pulse, hours.spells) {
            (Some(pulse), _) => by_rhythm(hours.seen, trace.hours, |hour| pulse.at(at(hour)), &mut chance),
            (None, spells) => in_spells(hours.seen, trace.hours, spells.unwrap_or(1), &mut chance),
        };
        Self { spans: spans.into_iter().map(|(from, to)| (at(from), at(to))).collect() }
    }

    /// The span that a moment lies in, or the next one; its begin is never before the moment.
    pub(super) fn next(&self, now_ns: i64) -> Option<(i64, i64)> {
        let place = self.spans.partition_point(|(_, end)| *end <= now_ns);
        self.spans.get(place).map(|(start, end)| ((*start).max(now_ns), *end))
    }
}

/// `seen` of `all` hours in runs that are at least an hour apart, cut at random: from the first hour to behind the
/// last of each.
fn in_spells(seen: u32, all: u32, spells: u32, chance: &mut Chance) -> Vec<(u32, u32)> {
    let lengths = shares(seen - spells, spells, chance);
    let gaps = shares(all.saturating_sub(seen + spells - 1), spells + 1, chance);
    let mut from = 0;
    let mut spans = Vec::new();
    for (index, (length, gap)) in lengths.into_iter().zip(gaps).enumerate() {
        from += gap + u32::from(index > 0);
        spans.push((from, from + length + 1));
        from += length + 1;
    }
    spans
}

/// Cuts `whole` into `count` parts of 0 or more, at places drawn at random.
fn shares(whole: u32, count: u32, chance: &mut Chance) -> Vec<u32> {
    let mut cuts: Vec<u32> = (1..count).map(|_| chance.below(whole.saturating_add(1))).collect();
    cuts.push(whole);
    cuts.sort_unstable();
    let mut before = 0;
    cuts.into_iter()
        .map(|cut| {
            let share = cut - before;
            before = cut;
            share
        })
        .collect()
}

/// `seen` of `all` hours, drawn without return by weight (Efraimidis and Spirakis' method: those with the smallest
/// exponential draws), neighbours joined.
fn by_rhythm(seen: u32, all: u32, weigh: impl Fn(u32) -> f64, chance: &mut Chance) -> Vec<(u32, u32)> {
    let mut drawn: Vec<(f64, u32)> =
        (0..all).map(|hour| (chance.exponential(1.0) / weigh(hour), hour)).collect();
    drawn.sort_unstable_by(|(a, first), (b, second)| a.total_cmp(b).then(first.cmp(second)));
    let count = usize::try_from(seen).unwrap_or(usize::MAX).min(drawn.len());
    let mut hours: Vec<u32> = drawn.drain(..count).map(|(_, hour)| hour).collect();
    hours.sort_unstable();
    let mut spans: Vec<(u32, u32)> = Vec::new();
    for hour in hours {
        match spans.last_mut() {
            Some((_, end)) if *end == hour => *end += 1,
            _ => spans.push((hour, hour + 1)),
        }
    }
    spans
}

/// The phases of a device: which of its states hold in which hour.
pub(super) struct Phases {
    shares: BTreeMap<String, f64>,
    /// What tells this device and this simulation from others.
    key: u64,
}

impl Phases {
    pub(super) fn new(phases: &BTreeMap<String, Phase>, (seed, name): (u64, &str)) -> Self {
        let shares = phases.iter().map(|(name, phase)| (name.clone(), phase.share)).collect();
        Self { shares, key: hash(name, mix(seed)) }
    }

    /// Whether the phases that something is tied to let it happen now.
    pub(super) fn allow(&self, when: &When, now_ns: i64) -> bool {
        let during = when.during.as_ref().is_none_or(|phase| self.holds(phase, now_ns));
        during && !when.unless.as_ref().is_some_and(|phase| self.holds(phase, now_ns))
    }

    fn holds(&self, phase: &str, now_ns: i64) -> bool {
        const STEPS: f64 = (1_u64 << 53) as f64;
        let hour = u64::try_from(now_ns.div_euclid(HOUR_NS)).unwrap_or(0);
        let drawn = mix(hash(phase, self.key) ^ mix(hour));
        let unit = (drawn >> 11) as f64 / STEPS;
        self.shares.get(phase).is_some_and(|share| unit < *share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Rhythm;

    const TRACE: Trace = Trace { start_s: 1_475_244_000, hours: 4368 };

    fn seen(seen: u32, spells: Option<u32>) -> HoursSeen {
        HoursSeen { seen, spells, rhythm: spells.is_none().then(|| "day".to_owned()), keeps_address: false }
    }

    /// Checks that spans are in order, apart, inside the trace, and as many hours as asked for.
    fn check(calendar: &Calendar, hours: u32) {
        let (mut before, mut sum) = (TRACE.start_s * SECOND_NS - 1, 0);
        for (start, end) in &calendar.spans {
            assert!(before < *start && start < end, "{before} {start} {end}");
            assert_eq!((start % HOUR_NS, end % HOUR_NS), (0, 0));
            sum += (end - start) / HOUR_NS;
            before = *end;
        }
        assert!(before <= (TRACE.start_s + i64::from(TRACE.hours) * 3600) * SECOND_NS);
        assert_eq!(sum, i64::from(hours));
    }

    #[test]
    fn a_calendar_has_exactly_the_hours_asked_for() {
        for (hours, spells) in [(1, 1), (13, 13), (486, 60), (2247, 1), (4177, 5), (4367, 2), (4368, 1)] {
            for seed in 0..5 {
                let calendar = Calendar::new(&seen(hours, Some(spells)), &TRACE, None, (seed, "a"));
                assert_eq!(calendar.spans.len(), usize::try_from(spells).unwrap_or(0));
                check(&calendar, hours);
            }
        }
        let mut hours = [0.0; 24];
        hours[9..17].fill(1.0);
        let pulse = Pulse::new(&Rhythm { hours, weekend: 0.5 }, 36_000);
        let calendar = Calendar::new(&seen(200, None), &TRACE, Some(&pulse), (1, "a"));
        check(&calendar, 200);
        let local = |time_ns: i64| (time_ns / HOUR_NS + 10) % 24;
        assert!(calendar.spans.iter().all(|(start, end)| local(*start) >= 9 && local(end - 1) < 17));
    }

    #[test]
    fn calendars_differ_by_name_and_seed_and_repeat() {
        let spans = |seed, name| Calendar::new(&seen(100, Some(20)), &TRACE, None, (seed, name)).spans;
        assert_eq!(spans(1, "a"), spans(1, "a"));
        assert_ne!(spans(1, "a"), spans(2, "a"));
        assert_ne!(spans(1, "a"), spans(1, "b"));
    }

    #[test]
    fn the_next_span_is_the_one_under_way_or_the_one_after() {
        let calendar = Calendar { spans: vec![(10, 20), (30, 40)] };
        let found: Vec<_> = [0, 15, 20, 39, 40].map(|now| calendar.next(now)).into();
        assert_eq!(found, [Some((10, 20)), Some((15, 20)), Some((30, 40)), Some((39, 40)), None]);
    }

    #[test]
    fn a_phase_holds_for_whole_hours_and_its_share_of_them() {
        let phases = Phases::new(&BTreeMap::from([("cloud".to_owned(), Phase { share: 0.28 })]), (7, "doll"));
        let when = When { during: Some("cloud".to_owned()), ..When::default() };
        let not = When { unless: Some("cloud".to_owned()), ..When::default() };
        let mut held = 0;
        for hour in 0..10_000 {
            let now = hour * HOUR_NS;
            let holds = phases.allow(&when, now);
            assert_eq!(holds, phases.allow(&when, now + HOUR_NS - 1));
            assert_eq!(holds, !phases.allow(&not, now));
            held += u32::from(holds);
        }
        assert!((2650..2950).contains(&held), "{held}");
    }
}
