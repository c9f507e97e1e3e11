/// A reading position in bytes from outside; every step past the end is `None`, and then nothing moves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At the start of `bytes`.
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// At offset `at` of `bytes`.
    pub(crate) const fn new_at(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Offset of the next byte.
    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.first_chunk().copied()
    }

    /// The next byte.
    pub(crate) fn u8(&mut self) -> Option<u8> {
        let [byte] = self.array()?;
        Some(byte)
    }

    /// The next two bytes, in network order.
    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next three bytes, in network order, as a length.
    pub(crate) fn u24(&mut self) -> Option<usize> {
        self.array().map(|[high, middle, low]| u32::from_be_bytes([0, high, middle, low]) as usize)
    }

    /// The next four bytes, in network order.
    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next eight bytes, in network order.
    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A vector with a one-byte length before it (RFC 8446 §3.4).
    pub(crate) fn vector8(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.u8()?;
        let vector = ahead.take(usize::from(length))?;
        *self = ahead;
        Some(vector)
    }

    /// A vector with a three-byte length before it.
    pub(crate) fn vector24(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.u24()?;
        let vector = ahead.take(length)?;
        *self = ahead;
        Some(vector)
    }

    /// A vector with a two-byte length before it.
    pub(crate) fn vector16(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.u16()?;
        let vector = ahead.take(usize::from(length))?;
        *self = ahead;
        Some(vector)
    }
}
