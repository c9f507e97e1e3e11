//! Numbers out of cells, whatever notation a file has for them.

use thingprint_table::Cell;

/// First whole number that a float may stand for by rounding: 2^53.
const FIRST_INEXACT: f64 = 9_007_199_254_740_992.0;

/// A measure; NaN, which other programs write for absent, is absent.
pub(crate) fn real(cell: &Cell) -> Result<Option<f64>, String> {
    let measure = match cell {
        Cell::Absent => return Ok(None),
        Cell::Real(measure) => *measure,
        Cell::Unsigned(count) => *count as f64,
        Cell::Signed(number) => *number as f64,
        Cell::Text(text) => text.trim().parse().map_err(|_| format!("'{text}' is no number"))?,
        other => return Err(format!("{} is no number", noun(other))),
    };
    if measure.is_infinite() {
        return Err("an infinite number".to_owned());
    }
    Ok(Some(measure).filter(|measure| !measure.is_nan()))
}

/// A count; a float that is one, as programs write that know no absent whole numbers, is taken.
pub(crate) fn count(cell: &Cell) -> Result<Option<u64>, String> {
    match cell {
        Cell::Absent => Ok(None),
        Cell::Unsigned(count) => Ok(Some(*count)),
        Cell::Signed(number) => u64::try_from(*number).map(Some).map_err(|_| format!("{number} is no count")),
        Cell::Real(measure) if measure.is_nan() => Ok(None),
        Cell::Real(measure) => whole(*measure).map(Some).ok_or_else(|| format!("{measure} is no count")),
        Cell::Text(text) => {
            let exact = text.trim().parse().ok();
            let count = exact.or_else(|| text.trim().parse().ok().and_then(whole));
            count.map(Some).ok_or_else(|| format!("'{text}' is no count"))
        }
        other => Err(format!("{} is no count", noun(other))),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be whole, positive and below 2^53"
)]
fn whole(measure: f64) -> Option<u64> {
    let is_whole = measure.fract() == 0.0 && (0.0..FIRST_INEXACT).contains(&measure);
    is_whole.then_some(measure as u64)
}

/// What a cell is, in words, for a message that says that it should be something else.
pub(crate) fn noun(cell: &Cell) -> &'static str {
    match cell {
        Cell::Absent => "nothing",
        Cell::Text(_) => "a text",
        Cell::Unsigned(_) | Cell::Signed(_) | Cell::Real(_) => "a number",
        Cell::Flag(_) => "a truth value",
        Cell::Time(_) => "a time",
        Cell::List(_) => "a list",
        Cell::Bag(_) => "a bag of words",
        Cell::Json(_) => "a JSON document",
        Cell::Prose(_) | Cell::Badges(_) => "a text with emphasis",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact() {
        let check = |cell: Cell, expected: Result<Option<u64>, &str>| {
            assert_eq!(count(&cell), expected.map_err(str::to_owned));
        };
        check("18446744073709551615".into(), Ok(Some(u64::MAX)));
        check("3.0".into(), Ok(Some(3)));
        check(3.0.into(), Ok(Some(3)));
        check(f64::NAN.into(), Ok(None));
        check(Cell::Absent, Ok(None));
        check("3.5".into(), Err("'3.5' is no count"));
        check((-1_i64).into(), Err("-1 is no count"));
        check(9_007_199_254_740_992.0.into(), Err("9007199254740992 is no count"));
        check(true.into(), Err("a truth value is no count"));
    }

    #[test]
    fn measures_are_finite_or_absent() {
        let check = |cell: Cell, expected: Result<Option<f64>, &str>| {
            assert_eq!(real(&cell), expected.map_err(str::to_owned));
        };
        check("1.5e3".into(), Ok(Some(1500.0)));
        check(7_u64.into(), Ok(Some(7.0)));
        check("NaN".into(), Ok(None));
        check(f64::NAN.into(), Ok(None));
        check("much".into(), Err("'much' is no number"));
        check(f64::INFINITY.into(), Err("an infinite number"));
        check(vec!["x".to_owned()].into(), Err("a list is no number"));
    }
}
