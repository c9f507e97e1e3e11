/// What payloads may begin with: for each of their first bytes, the values that it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Beginning([Bytes; Self::PLACES]);

/// A set of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bytes([u64; 4]);

impl Beginning {
    /// Bytes that are looked at.
    pub(crate) const PLACES: usize = 6;
    pub(crate) const ANY: Self = Self([Bytes::ALL; Self::PLACES]);
    pub(crate) const NONE: Self = Self([Bytes::NONE; Self::PLACES]);

    /// Whether the byte at a place may have this value.
    pub(crate) fn admits(&self, place: usize, byte: u8) -> bool {
        self.0.get(place).is_none_or(|bytes| bytes.has(byte))
    }

    /// Leaves only these values at a place.
    pub(crate) fn restrict(&mut self, place: usize, bytes: Bytes) {
        if let Some(known) = self.0.get_mut(place) {
            *known = bytes;
        }
    }

    /// Payloads that may begin like both.
    pub(crate) fn and(self, other: Self) -> Self {
        self.with(other, |one, other| one & other)
    }

    /// Payloads that may begin like either.
    pub(crate) fn or(self, other: Self) -> Self {
        self.with(other, |one, other| one | other)
    }

    fn with(mut self, other: Self, join: fn(u64, u64) -> u64) -> Self {
        for (known, other) in self.0.iter_mut().zip(other.0) {
            for (word, other) in known.0.iter_mut().zip(other.0) {
                *word = join(*word, other);
            }
        }
        self
    }
}

impl Bytes {
    pub(crate) const ALL: Self = Self([u64::MAX; 4]);
    pub(crate) const NONE: Self = Self([0; 4]);

    /// The bytes from one to another.
    pub(crate) fn range(first: u8, last: u8) -> Self {
        let mut bytes = Self::NONE;
        for byte in first..=last {
            if let Some(word) = bytes.0.get_mut(usize::from(byte >> 6)) {
                *word |= 1 << (byte & 63);
            }
        }
        bytes
    }

    /// The bytes of both.
    pub(crate) fn or(mut self, other: Self) -> Self {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
        self
    }

    fn has(self, byte: u8) -> bool {
        self.0.get(usize::from(byte >> 6)).is_some_and(|word| word >> (byte & 63) & 1 == 1)
    }
}
