use super::World;
use crate::chance::Chance;
use crate::clock::{DAY_NS, HOUR_NS, SECOND_NS, span_ns};
use crate::home::Rhythm;
use crate::profile::When;

/// The least time from one start of an activity to the next.
const SHORTEST_NS: i64 = 10_000_000;

/// What lies further ahead than a hundred years might as well never happen.
const HORIZON_NS: i64 = 100 * 365 * DAY_NS;

/// How much of the end of an hour, or of a part of it, stays free.
const SLOT_MARGIN_NS: i64 = 60 * SECOND_NS;

/// The seconds of a day.
const DAY_S: f64 = 86_400.0;

/// A rhythm ready for use: how busy the home is at any moment, as a share of its busiest hour.
pub(crate) struct Pulse {
    workday: [f64; 24],
    weekend: f64,
    offset_ns: i64,
    /// The mean over a week.
    mean: f64,
}

impl Pulse {
    pub(super) fn new(rhythm: &Rhythm, utc_offset_s: i32) -> Self {
        let peak = rhythm.hours.iter().copied().fold(0.0, f64::max) * rhythm.weekend.max(1.0);
        let workday = rhythm.hours.map(|weight| weight / peak);
        let mean = workday.iter().sum::<f64>() / 24.0 * (5.0 + 2.0 * rhythm.weekend) / 7.0;
        Self { workday, weekend: rhythm.weekend, offset_ns: i64::from(utc_offset_s) * SECOND_NS, mean }
    }

    /// How busy the home is: 1 in the busiest hour.
    pub(super) fn at(&self, time_ns: i64) -> f64 {
        let local = time_ns.saturating_add(self.offset_ns);
        let hour = usize::try_from(local.rem_euclid(DAY_NS) / (3600 * SECOND_NS)).unwrap_or(0);
        // 1 January 1970 was a Thursday.
        let is_weekend = matches!(local.div_euclid(DAY_NS).rem_euclid(7), 2 | 3);
        let weight = self.workday.get(hour).copied().unwrap_or(0.0);
        if is_weekend { weight * self.weekend } else { weight }
    }
}

impl When {
    /// The first time after `start_ns`.
    pub(super) fn first(&self, start_ns: i64, world: &World, chance: &mut Chance) -> i64 {
        if let (None, Some(hourly)) = (&self.first_s, self.hourly) {
            return in_slot(start_ns, slot_ns(hourly), chance);
        }
        let wait = match (&self.first_s, &self.every_s, self.daily) {
            (Some(first), ..) => first.draw(chance),
            (None, Some(every), _) => every.draw(chance) * chance.unit(),
            (None, None, Some(daily)) => return self.next_random(start_ns, daily, world, chance),
            (None, None, None) => 0.0,
        };
        start_ns.saturating_add(span_ns(wait))
    }

    /// The time after one that came at `now_ns`, where the calendar alone decides.
    pub(super) fn next(&self, now_ns: i64, world: &World, chance: &mut Chance) -> Option<i64> {
        if let Some(every) = &self.every_s {
            let wait = span_ns(every.draw(chance)).max(SHORTEST_NS);
            return Some(now_ns.saturating_add(wait));
        }
        if let Some(hourly) = self.hourly {
            let slot = slot_ns(hourly);
            return Some(in_slot((now_ns.div_euclid(slot) + 1) * slot, slot, chance));
        }
        self.daily.map(|daily| self.next_random(now_ns, daily, world, chance))
    }

    /// Whether it happens when its time has come.
    pub(super) fn happens(&self, now_ns: i64, world: &World, chance: &mut Chance) -> bool {
        let thinned = if self.daily.is_some() { None } else { self.pulse(world) };
        let share = thinned.map_or(1.0, |pulse| pulse.at(now_ns));
        chance.happens(self.chance * share)
    }

    fn next_random(&self, now_ns: i64, daily: f64, world: &World, chance: &mut Chance) -> i64 {
        next_random(now_ns, daily, self.pulse(world), chance)
    }

    fn pulse<'a>(&self, world: &'a World) -> Option<&'a Pulse> {
        self.rhythm.as_ref().and_then(|name| world.pulses.get(name))
    }
}

/// The length of each of `hourly` parts of an hour; what division leaves belongs to the next hour's first.
fn slot_ns(hourly: u32) -> i64 {
    HOUR_NS / i64::from(hourly.max(1))
}

/// A moment between `from_ns` and the end of the slot that it lies in. The end itself stays free, so that what begins
/// in an hour is over in it.
fn in_slot(from_ns: i64, slot_ns: i64, chance: &mut Chance) -> i64 {
    let end_ns = (from_ns.div_euclid(slot_ns) + 1) * slot_ns;
    let room_ns = end_ns - from_ns - SLOT_MARGIN_NS.min(slot_ns / 4);
    from_ns + span_ns(room_ns as f64 / 1e9 * chance.unit())
}

/// The next moment of a Poisson process with `daily` events a day on average, thinned by a pulse (Lewis and
/// Shedler's method: candidates at the busiest hour's rate, kept with the hour's share).
pub(super) fn next_random(now_ns: i64, daily: f64, pulse: Option<&Pulse>, chance: &mut Chance) -> i64 {
    let rate = daily / pulse.map_or(1.0, |pulse| pulse.mean);
    let horizon_ns = now_ns.saturating_add(HORIZON_NS);
    let mut at = now_ns;
    while at < horizon_ns {
        let wait = span_ns(chance.exponential(DAY_S / rate)).max(SHORTEST_NS);
        at = at.saturating_add(wait);
        if chance.happens(pulse.map_or(1.0, |pulse| pulse.at(at))) {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_moments_keep_their_mean_and_their_hours() {
        let mut hours = [0.0; 24];
        hours[7] = 1.0;
        hours[19] = 3.0;
        let pulse = Pulse::new(&Rhythm { hours, weekend: 2.0 }, 3600);
        let mut chance = Chance::new(1, "beat");
        let end_ns = 700 * DAY_NS;
        let (mut at, mut by_hour) = (0, [0_u32; 24]);
        loop {
            at = next_random(at, 4.0, Some(&pulse), &mut chance);
            if at >= end_ns {
                break;
            }
            by_hour[usize::try_from(at.rem_euclid(DAY_NS) / (3600 * SECOND_NS)).unwrap_or(0)] += 1;
        }
        let total: u32 = by_hour.iter().sum();
        assert!((2650..2950).contains(&total), "{total}");
        assert_eq!(by_hour[6] + by_hour[18], total);
        assert!((550..850).contains(&by_hour[6]), "{}", by_hour[6]);
    }

    #[test]
    fn the_weekend_begins_on_saturday() {
        let pulse = Pulse::new(&Rhythm { hours: [1.0; 24], weekend: 0.5 }, 0);
        // 3 January 1970 was a Saturday.
        let share = |day: i64| pulse.at(day * DAY_NS + SECOND_NS);
        let week: Vec<f64> = (0..7).map(share).collect();
        assert_eq!(week, [1.0, 1.0, 0.5, 0.5, 1.0, 1.0, 1.0]);
    }
}
