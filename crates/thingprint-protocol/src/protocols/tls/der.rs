use crate::cursor::Cursor;

/// Tags of universal types (X.680 §8.6).
pub(super) mod tag {
    pub(in crate::protocols::tls) const INTEGER: u8 = 0x02;
    pub(in crate::protocols::tls) const BIT_STRING: u8 = 0x03;
    pub(in crate::protocols::tls) const OCTET_STRING: u8 = 0x04;
    pub(in crate::protocols::tls) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(in crate::protocols::tls) const UTC_TIME: u8 = 0x17;
    pub(in crate::protocols::tls) const GENERALIZED_TIME: u8 = 0x18;
    pub(in crate::protocols::tls) const BMP_STRING: u8 = 0x1e;
    pub(in crate::protocols::tls) const SEQUENCE: u8 = 0x30;
}

/// A value with its tag (X.690 §8.1), of tags below 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) value: &'a [u8],
}

/// Values one after another.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a>(Cursor<'a>);

impl<'a> Elements<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(Cursor::new(bytes))
    }

    /// The bytes of the next value, which has to have this tag.
    pub(super) fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|element| element.tag == tag).map(|element| element.value)
    }

    /// The values inside the next one, which has to have this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<Self> {
        self.value(tag).map(Self::new)
    }

    /// Goes past the next value if it has this tag.
    pub(super) fn skip_if(&mut self, tag: u8) -> bool {
        let mut ahead = self.clone();
        let is_there = ahead.next().is_some_and(|element| element.tag == tag);
        if is_there {
            *self = ahead;
        }
        is_there
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let mut ahead = self.0;
        let tag = ahead.u8()?;
        let length = match ahead.u8()? {
            short @ 0..=0x7f => usize::from(short),
            0x81 => usize::from(ahead.u8()?),
            0x82 => usize::from(ahead.u16()?),
            0x83 => ahead.u24()?,
            _ => return None,
        };
        let value = ahead.take(length)?;
        self.0 = ahead;
        Some(Element { tag, value })
    }
}
