use serde::Deserialize;

use super::check::Place;
use crate::SimError;
use crate::chance::{Chance, mix};

/// A crowd of server ports, of which the first are used most, for computers that speak everything.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortCrowd {
    /// How many different ports there are, at most.
    pub count: u32,
    /// The lowest.
    pub low: u16,
    /// The highest.
    pub high: u16,
    /// The probability that a connection goes to one of them instead of to its own `port`.
    pub chance: f64,
    /// How unequal they are: 1 uses all alike, 3 takes half of its draws from an eighth of them.
    #[serde(default = "alike")]
    pub skew: f64,
}

fn alike() -> f64 {
    1.0
}

impl PortCrowd {
    /// A port of the crowd, or none when the connection goes to its own.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below count, which is a u32")]
    pub(crate) fn draw(&self, chance: &mut Chance) -> Option<u16> {
        if !chance.happens(self.chance) {
            return None;
        }
        let rank = (libm::pow(chance.unit(), self.skew) * f64::from(self.count)) as u64;
        let width = u64::from(self.high - self.low) + 1;
        let above = u16::try_from(mix(rank) % width).unwrap_or(0);
        Some(self.low.saturating_add(above))
    }

    pub(super) fn check(&self, place: &Place<'_>) -> Result<(), SimError> {
        place.field("low").ensure((1..=self.high).contains(&self.low), "must be 1 to high")?;
        place.field("count").ensure(self.count > 0, "must not be 0")?;
        place.field("chance").ensure((0.0..=1.0).contains(&self.chance), "must be a probability, 0 to 1")?;
        place.field("skew").ensure((1.0..=10.0).contains(&self.skew), "must be 1 to 10")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ports_lie_in_the_range_and_are_no_more_than_asked_for() {
        let crowd = PortCrowd { count: 50, low: 2000, high: 2999, chance: 1.0, skew: 3.0 };
        let mut chance = Chance::new(1, "ports");
        let ports: Vec<u16> = (0..4000).filter_map(|_| crowd.draw(&mut chance)).collect();
        assert_eq!(ports.len(), 4000);
        assert!(ports.iter().all(|port| (2000..3000).contains(port)));
        let different = ports.iter().collect::<BTreeSet<_>>().len();
        assert!((40..=50).contains(&different), "{different}");
    }

    #[test]
    fn a_connection_keeps_its_own_port_as_often_as_the_profile_says() {
        let crowd = PortCrowd { count: 5, low: 1, high: 65_535, chance: 0.25, skew: 1.0 };
        let mut chance = Chance::new(2, "ports");
        let others = (0..10_000).filter(|_| crowd.draw(&mut chance).is_some()).count();
        assert!((2300..2700).contains(&others), "{others}");
    }
}
