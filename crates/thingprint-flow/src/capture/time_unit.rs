/// The unit of a pcapng interface's time stamps (draft-ietf-opsawg-pcapng §4.2, `if_tsresol`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeUnit {
    /// So many nanoseconds.
    Nanos(u64),
    /// So many to a nanosecond.
    PerNano(u128),
    /// 2 to the power of minus this, in seconds.
    Binary(u32),
}

impl TimeUnit {
    /// The unit of an interface that names none.
    pub(super) const MICROSECOND: Self = Self::Nanos(1_000);

    /// The unit for an `if_tsresol` octet: a power of 2 when the top bit is set, else of 10.
    pub(super) fn from_resolution(octet: u8) -> Self {
        let power = u32::from(octet & 0x7f);
        if octet & 0x80 != 0 {
            return Self::Binary(power);
        }
        match 9_u32.checked_sub(power) {
            Some(zeros) => Self::Nanos(10_u64.pow(zeros)),
            None => Self::PerNano(10_u128.checked_pow(power - 9).unwrap_or(u128::MAX)),
        }
    }

    /// Nanoseconds in `count` units, rounded down; saturates.
    pub(super) fn nanos(self, count: u64) -> i64 {
        let nanos = match self {
            Self::Nanos(nanos) => u128::from(count) * u128::from(nanos),
            Self::PerNano(units) => u128::from(count) / units,
            Self::Binary(power) => (u128::from(count) * 1_000_000_000) >> power,
        };
        i64::try_from(nanos).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resolution_and_count_gives_a_time() {
        for octet in 0..=u8::MAX {
            let unit = TimeUnit::from_resolution(octet);
            assert_eq!(unit.nanos(0), 0);
            assert!(unit.nanos(1) <= unit.nanos(u64::MAX));
        }
    }

    #[test]
    fn resolutions_are_powers_of_ten_or_two() {
        let cases = [
            (6, 5, 5_000),
            (9, 5, 5),
            (0, 5, 5_000_000_000),
            (11, 599, 5),
            (28, u64::MAX, 1),
            (127, u64::MAX, 0),
        ];
        for (octet, count, nanos) in cases {
            assert_eq!(TimeUnit::from_resolution(octet).nanos(count), nanos, "10^-{octet}");
        }
        let cases = [(0x80, 5, 5_000_000_000), (0x81, 5, 2_500_000_000), (0x9e, 1 << 30, 1_000_000_000)];
        for (octet, count, nanos) in cases {
            assert_eq!(TimeUnit::from_resolution(octet).nanos(count), nanos, "2^-{}", octet & 0x7f);
        }
    }

    #[test]
    fn times_past_the_end_saturate() {
        assert_eq!(TimeUnit::from_resolution(0).nanos(u64::MAX), i64::MAX);
    }
}
