/// The quantile of values by linear interpolation between the closest ranks; `None` without values.
pub(crate) fn quantile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let rank = share.clamp(0.0, 1.0) * last as f64;
    let below = rank.floor();
    let at = |rank: f64| values.get(whole(rank).min(last)).copied();
    let (low, high) = (at(below)?, at(rank.ceil())?);
    Some(low + (high - low) * (rank - below))
}

/// The median of values; `None` without values.
pub(crate) fn median(values: Vec<f64>) -> Option<f64> {
    quantile(values, 0.5)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank, which is not negative")]
fn whole(rank: f64) -> usize {
    rank as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f64], share: f64, expected: Option<f64>) {
        assert_eq!(quantile(values.to_vec(), share), expected, "{values:?} {share}");
    }

    #[test]
    fn ranks_between_values_are_interpolated() {
        check(&[], 0.5, None);
        check(&[7.0], 0.05, Some(7.0));
        check(&[4.0, 0.0, 8.0], 0.5, Some(4.0));
        check(&[4.0, 0.0, 8.0], 0.25, Some(2.0));
        check(&[4.0, 0.0, 8.0], 0.0, Some(0.0));
        check(&[4.0, 0.0, 8.0], 1.0, Some(8.0));
        assert_eq!(median(vec![1.0, 2.0, 4.0, 9.0]), Some(3.0));
    }
}
