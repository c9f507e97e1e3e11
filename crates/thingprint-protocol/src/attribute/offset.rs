use crate::schema::ByteOrder;
use crate::{Span, SyntaxError};

/// Bounds on an expression: its text, its nesting, and the bytes that one `$` reads.
const MOST_BYTES: usize = 1024;
const MOST_DEPTH: usize = 32;
const MOST_READ_BYTES: u64 = 4;

/// An offset into a payload, computed from numbers and bytes of the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Offset {
    Number(u64),
    /// The first offset of a range.
    From,
    /// Bytes at an offset, as a number.
    Read {
        at: Box<Self>,
        bytes: u64,
        order: ByteOrder,
    },
    Sum(Box<Self>, Box<Self>),
    Difference(Box<Self>, Box<Self>),
    Shift(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

impl Offset {
    /// Reads a whole text as one expression; the word `from` is known where `has_from`.
    pub(super) fn parse(text: &str, has_from: bool) -> Result<Self, SyntaxError> {
        if text.len() > MOST_BYTES {
            let reason = format!("an offset of more than {MOST_BYTES} bytes");
            return Err(SyntaxError::new(Span::new(MOST_BYTES, text.len()), reason));
        }
        let mut parser = Parser { text, at: 0, depth: 0, has_from };
        let offset = parser.sum()?;
        match parser.peek() {
            None => Ok(offset),
            Some(_) => Err(parser.error("expected `+`, `-`, `<`, `|` or the end")),
        }
    }

    /// The offset in a payload; `None` where a byte is missing or a number leaves its bounds.
    pub(super) fn value(&self, payload: &[u8], from: Option<u64>) -> Option<u64> {
        let value = |part: &Self| part.value(payload, from);
        match self {
            Self::Number(number) => Some(*number),
            Self::From => from,
            Self::Read { at, bytes, order } => order.number(read(payload, value(at)?, *bytes)?),
            Self::Sum(left, right) => value(left)?.checked_add(value(right)?),
            Self::Difference(left, right) => value(left)?.checked_sub(value(right)?),
            Self::Shift(left, right) => {
                let bits = u32::try_from(value(right)?).ok().filter(|&bits| bits <= 32)?;
                let shifted = u128::from(value(left)?) << bits;
                u64::try_from(shifted).ok()
            }
            Self::Or(left, right) => Some(value(left)? | value(right)?),
        }
    }
}

fn read(payload: &[u8], at: u64, bytes: u64) -> Option<&[u8]> {
    let start = usize::try_from(at).ok()?;
    let end = start.checked_add(usize::try_from(bytes).ok()?)?;
    payload.get(start..end)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    has_from: bool,
}

impl<'a> Parser<'a> {
    fn sum(&mut self) -> Result<Offset, SyntaxError> {
        let mut left = self.bits()?;
        loop {
            let join = match self.peek() {
                Some('+') => Offset::Sum,
                Some('-') => Offset::Difference,
                _ => return Ok(left),
            };
            self.at += 1;
            left = join(Box::new(left), Box::new(self.bits()?));
        }
    }

    fn bits(&mut self) -> Result<Offset, SyntaxError> {
        let mut left = self.term()?;
        loop {
            let join = match self.peek() {
                Some('<') => Offset::Shift,
                Some('|') => Offset::Or,
                _ => return Ok(left),
            };
            self.at += 1;
            left = join(Box::new(left), Box::new(self.term()?));
        }
    }

    fn term(&mut self) -> Result<Offset, SyntaxError> {
        match self.peek() {
            Some(c) if c.is_ascii_digit() => self.number().map(Offset::Number),
            Some('f') if self.has_from && self.rest().starts_with("from") => {
                self.at += "from".len();
                Ok(Offset::From)
            }
            Some('$') => self.reading(),
            Some('(') => self.bracketed(),
            _ => Err(self.error(if self.has_from {
                "expected a number, `from`, `$(` or `(`"
            } else {
                "expected a number, `$(` or `(`"
            })),
        }
    }

    fn reading(&mut self) -> Result<Offset, SyntaxError> {
        self.at += 1;
        let is_little = self.rest().starts_with("le");
        self.at += if is_little { "le".len() } else { 0 };
        let order = if is_little { ByteOrder::LittleEndian } else { ByteOrder::BigEndian };
        let open = self.open()?;
        let at = Box::new(self.sum()?);
        let mut bytes = 1;
        if self.peek() == Some(',') {
            self.at += 1;
            self.peek();
            let start = self.at;
            bytes = self.number()?;
            if !(1..=MOST_READ_BYTES).contains(&bytes) {
                let span = Span::new(start, self.at);
                return Err(SyntaxError::new(span, format!("expected 1 to {MOST_READ_BYTES} bytes")));
            }
        }
        self.close(open)?;
        Ok(Offset::Read { at, bytes, order })
    }

    fn bracketed(&mut self) -> Result<Offset, SyntaxError> {
        let open = self.open()?;
        let inner = self.sum()?;
        self.close(open)?;
        Ok(inner)
    }

    fn open(&mut self) -> Result<usize, SyntaxError> {
        if self.peek() != Some('(') {
            return Err(self.error("expected `(`"));
        }
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(self.error("nested too deep"));
        }
        self.at += 1;
        Ok(self.at - 1)
    }

    fn close(&mut self, open: usize) -> Result<(), SyntaxError> {
        match self.peek() {
            Some(')') => {
                self.depth -= 1;
                self.at += 1;
                Ok(())
            }
            None => Err(SyntaxError::new(Span::new(open, open + 1), "`(` without its `)`")),
            Some(_) => Err(self.error("expected `+`, `-`, `<`, `|` or `)`")),
        }
    }

    fn number(&mut self) -> Result<u64, SyntaxError> {
        self.peek();
        let digits = self.rest().find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest().len());
        let span = Span::new(self.at, self.at + digits);
        let number: Option<u32> = self.rest().get(..digits).and_then(|text| text.parse().ok());
        self.at += digits;
        number.map(u64::from).ok_or_else(|| SyntaxError::new(span, "expected a number below 2^32"))
    }

    fn peek(&mut self) -> Option<char> {
        let trimmed = self.rest().trim_start();
        self.at = self.text.len() - trimmed.len();
        trimmed.chars().next()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, reason: &str) -> SyntaxError {
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        SyntaxError::new(Span::new(self.at, self.at + length), reason)
    }
}
