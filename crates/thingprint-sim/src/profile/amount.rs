use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::chance::Chance;

/// The quantile 0.9 of the standard normal distribution.
const NORMAL_P90: f64 = 1.281_551_565_544_600_4;

/// A quantity that may differ each time: what TOML says as `60`, `[40, 80]`, `{ median = 60, spread = 0.2 }` or, by two
/// quantiles, `{ median = 60, p90 = 80 }`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// Always the same.
    Exactly(f64),
    /// Any value from the first to the second, all alike.
    Between(f64, f64),
    /// Log-normal: half of the values lie below the median; `spread` is the deviation of the logarithm.
    Around {
        /// The median.
        median: f64,
        /// Standard deviation of the natural logarithm.
        spread: f64,
        /// The most that is ever drawn; infinite when not given.
        most: f64,
    },
}

impl Amount {
    /// One draw.
    pub(crate) fn draw(&self, chance: &mut Chance) -> f64 {
        match *self {
            Self::Exactly(value) => value,
            Self::Between(low, high) => chance.between(low, high),
            Self::Around { median, spread, most } => (median * libm::exp(spread * chance.normal())).min(most),
        }
    }

    /// One draw as a whole number, rounded to the nearest.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a u32 holds")]
    pub(crate) fn draw_count(&self, chance: &mut Chance) -> u32 {
        self.draw(chance).round().clamp(0.0, f64::from(u32::MAX)) as u32
    }

    /// One draw of how many things are planned together: no more than 1,000, so that what is held stays small.
    pub(crate) fn draw_few(&self, chance: &mut Chance) -> u32 {
        self.draw_count(chance).min(1000)
    }

    fn checked(self) -> Result<Self, &'static str> {
        let numbers = match self {
            Self::Exactly(value) => [value, 0.0, 0.0],
            Self::Between(low, high) if low > high => return Err("the first of two numbers is the smaller"),
            Self::Between(low, high) => [low, high, 0.0],
            Self::Around { median, spread, most } => {
                [median, spread, if most.is_infinite() { 0.0 } else { most }]
            }
        };
        if numbers.iter().all(|number| number.is_finite() && *number >= 0.0) {
            Ok(self)
        } else {
            Err("an amount is a number from 0 up")
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let amount = deserializer.deserialize_any(AmountVisitor)?;
        amount.checked().map_err(de::Error::custom)
    }
}

/// Reads the three forms itself: an untagged enum would lose the place of a mistake.
struct AmountVisitor;

impl<'de> Visitor<'de> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, [low, high] or { median, spread, most }")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Amount, E> {
        Ok(Amount::Exactly(value as f64))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Amount, E> {
        Ok(Amount::Exactly(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Amount, A::Error> {
        let mut next =
            |place| seq.next_element::<f64>()?.ok_or_else(|| de::Error::invalid_length(place, &self));
        let (low, high) = (next(0)?, next(1)?);
        if seq.next_element::<f64>()?.is_some() {
            return Err(de::Error::invalid_length(3, &self));
        }
        Ok(Amount::Between(low, high))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Amount, A::Error> {
        let Around { median, spread, p90, most } =
            Around::deserialize(de::value::MapAccessDeserializer::new(map))?;
        let spread = match (spread, p90) {
            (Some(spread), None) => spread,
            (None, Some(p90)) if p90 >= median && median > 0.0 => libm::log(p90 / median) / NORMAL_P90,
            (None, Some(_)) => {
                return Err(de::Error::custom("p90 must be at least the median, and the median above 0"));
            }
            _ => return Err(de::Error::custom("give exactly one of spread and p90 with the median")),
        };
        Ok(Amount::Around { median, spread, most: most.unwrap_or(f64::INFINITY) })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Around {
    median: f64,
    spread: Option<f64>,
    p90: Option<f64>,
    most: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Holder {
        amount: Amount,
    }

    fn read(text: &str) -> Result<Amount, String> {
        toml::from_str::<Holder>(&format!("amount = {text}"))
            .map(|holder| holder.amount)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn each_form_is_read() {
        assert_eq!(read("60"), Ok(Amount::Exactly(60.0)));
        assert_eq!(read("0.5"), Ok(Amount::Exactly(0.5)));
        assert_eq!(read("[1, 2.5]"), Ok(Amount::Between(1.0, 2.5)));
        let around = Amount::Around { median: 9.0, spread: 0.1, most: 20.0 };
        assert_eq!(read("{ median = 9, spread = 0.1, most = 20 }"), Ok(around));
        let Ok(Amount::Around { spread, .. }) = read("{ median = 100, p90 = 1000 }") else {
            panic!("no amount")
        };
        assert!((spread - 1.796_717).abs() < 1e-6, "{spread}");
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for wrong in [
            "-1",
            "nan",
            "[2, 1]",
            "[1]",
            "[1, 2, 3]",
            "'x'",
            "{ median = 1 }",
            "{ median = 2, p90 = 1 }",
            "{ median = 2, p90 = 3, spread = 1 }",
            "{ median = 1, spread = -1 }",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read("{ median = 1, spread = 0, mean = 2 }").unwrap_err().contains("mean"));
    }

    #[test]
    fn draws_lie_where_the_amount_says() {
        let mut chance = Chance::new(3, "amounts");
        let around = Amount::Around { median: 100.0, spread: 0.5, most: 150.0 };
        let draws: Vec<f64> = (0..4001).map(|_| around.draw(&mut chance)).collect();
        assert!(draws.iter().all(|draw| *draw <= 150.0));
        let below = draws.iter().filter(|draw| **draw < 100.0).count();
        assert!((1900..2100).contains(&below), "{below}");
        assert!((0..1000).all(|_| (2.0..3.0).contains(&Amount::Between(2.0, 3.0).draw(&mut chance))));
    }
}
