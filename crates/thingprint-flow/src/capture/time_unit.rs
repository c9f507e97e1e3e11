/// The unit of a pcapng interface's time stamps (draft-ietf-opsawg-pcapng §4.2, `if_tsresol`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeUnit {
    /// So many nanoseconds.
    Nanos(u64),
    /// So many to a nanosecond; finer units than 10^-19 s cannot count a nanosecond in 64 bits.
    PerNano(u64),
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
            None => Self::PerNano(10_u64.checked_pow(power - 9).unwrap_or(u64::MAX)),
        }
    }

    /// Nanoseconds in `count` units, rounded down; saturates.
    pub(super) fn nanos(self, count: u64) -> i64 {
        let nanos = match self {
            Self::Nanos(nanos) => u128::from(count) * u128::from(nanos),
            Self::PerNano(units) => u128::from(count / units),
            Self::Binary(power) => (u128::from(count) * 1_000_000_000) >> power,
        };
        i64::try_from(nanos).unwrap_or(i64::MAX)
    }
}
