/// The bytes of a fuzzer, taken from the front; beyond their end everything is 0 or empty, so that every input means
/// something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn u8(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    /// Two bytes, little-endian.
    pub(crate) fn u16(&mut self) -> u16 {
        let low = self.u8();
        u16::from_le_bytes([low, self.u8()])
    }

    /// Up to `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// Two bytes of length, then as many bytes.
    pub(crate) fn vector(&mut self) -> &'a [u8] {
        let length = self.u16();
        self.take(usize::from(length))
    }

    /// What stands before the next 0, which is taken, too.
    pub(crate) fn line(&mut self) -> &'a [u8] {
        let length = self.rest.iter().position(|byte| *byte == 0).unwrap_or(self.rest.len());
        let line = self.take(length);
        self.take(1);
        line
    }

    pub(crate) const fn rest(self) -> &'a [u8] {
        self.rest
    }
}

/// A length and the bytes, as [`Input::vector`] reads them; what is too long is cut.
pub(crate) fn put_vector(bytes: &[u8], to: &mut Vec<u8>) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(&bytes[..usize::from(length)]);
}
