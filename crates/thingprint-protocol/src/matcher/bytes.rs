use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, Repetition};

use crate::{Span, SyntaxError};

/// Bounds on a pattern: its text, its nesting, how often a part may repeat, and where it may be anchored.
const MOST_TEXT_BYTES: usize = 4096;
const MOST_NESTING: usize = 32;
const MOST_REPEATS: u32 = 1024;
const MOST_OFFSET: u32 = u16::MAX as u32;

/// A pattern on bytes, read from text.
///
/// ```text
/// pattern = [ "@" offset ] sequence
/// sequence = { item [ "{" count [ "," count ] "}" ] }
/// item = byte | byte "-" byte | "[" { byte | byte "-" byte } "]" | "(" sequence { "|" sequence } ")" | "." | "??"
/// ```
///
/// A byte is two hexadecimal digits; `.` and `??` are any byte; blanks between items mean nothing. With an offset, the
/// pattern has to stand there; without one it is searched anywhere.
#[derive(Clone, Debug)]
pub(crate) struct BytePattern {
    /// Where it has to stand.
    pub(crate) offset: Option<usize>,
    /// What has to stand there, never empty.
    pub(crate) hir: Hir,
}

impl BytePattern {
    /// Reads a whole text as one pattern.
    pub(crate) fn parse(text: &str) -> Result<Self, SyntaxError> {
        if text.len() > MOST_TEXT_BYTES {
            let reason = format!("a byte pattern of more than {MOST_TEXT_BYTES} bytes");
            return Err(SyntaxError::new(Span::new(MOST_TEXT_BYTES, text.len()), reason));
        }
        let mut parser = Parser { text, at: 0, depth: 0 };
        let offset = parser.offset()?;
        let hir = parser.sequence()?;
        if parser.peek().is_some() {
            return Err(parser.unexpected());
        }
        Ok(Self { offset, hir })
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn offset(&mut self) -> Result<Option<usize>, SyntaxError> {
        if !self.take('@') {
            return Ok(None);
        }
        let offset = self.number(MOST_OFFSET, "an offset")?;
        if self.rest().starts_with(|c: char| c.is_ascii_hexdigit()) {
            return Err(self.error("expected a blank behind the offset"));
        }
        Ok(usize::try_from(offset).ok())
    }

    /// Items up to what ends a sequence: `|`, `)` or the end.
    fn sequence(&mut self) -> Result<Hir, SyntaxError> {
        let mut items = Vec::new();
        while self.peek().is_some_and(|c| !matches!(c, '|' | ')')) {
            let item = self.item()?;
            items.push(self.repeated(item)?);
        }
        if items.is_empty() {
            return Err(self.error("expected a byte, such as `16` or `00-ff`"));
        }
        Ok(Hir::concat(items))
    }

    fn item(&mut self) -> Result<Hir, SyntaxError> {
        match self.peek() {
            Some('(') => self.group(),
            Some('[') => self.class(),
            Some('.') => {
                self.take('.');
                Ok(class(vec![(0, u8::MAX)]))
            }
            Some('?') => {
                self.take('?');
                if self.rest().starts_with('?') && self.take('?') {
                    Ok(class(vec![(0, u8::MAX)]))
                } else {
                    Err(self.error("expected a second `?`"))
                }
            }
            Some(c) if c.is_ascii_hexdigit() => Ok(class(vec![self.byte_or_range()?])),
            _ => Err(self.unexpected()),
        }
    }

    fn group(&mut self) -> Result<Hir, SyntaxError> {
        let open = self.at;
        self.take('(');
        self.depth += 1;
        if self.depth > MOST_NESTING {
            let reason = format!("nested more than {MOST_NESTING} deep");
            return Err(SyntaxError::new(Span::new(open, open + 1), reason));
        }
        let mut alternatives = vec![self.sequence()?];
        while self.take('|') {
            alternatives.push(self.sequence()?);
        }
        self.depth -= 1;
        if self.take(')') { Ok(Hir::alternation(alternatives)) } else { Err(self.unclosed(open, ")")) }
    }

    fn class(&mut self) -> Result<Hir, SyntaxError> {
        self.peek();
        let open = self.at;
        self.take('[');
        let mut ranges = Vec::new();
        while self.peek().is_some_and(|c| c.is_ascii_hexdigit()) {
            ranges.push(self.byte_or_range()?);
        }
        if !self.take(']') {
            return Err(if self.peek().is_none() { self.unclosed(open, "]") } else { self.unexpected() });
        }
        if ranges.is_empty() {
            return Err(SyntaxError::new(
                Span::new(open, self.at),
                "expected a byte, such as `16` or `00-ff`",
            ));
        }
        Ok(class(ranges))
    }

    fn byte_or_range(&mut self) -> Result<(u8, u8), SyntaxError> {
        self.peek();
        let start = self.at;
        let first = self.byte()?;
        if !self.take('-') {
            return Ok((first, first));
        }
        let last = self.byte()?;
        if last < first {
            return Err(SyntaxError::new(Span::new(start, self.at), "a range that ends before it starts"));
        }
        Ok((first, last))
    }

    fn byte(&mut self) -> Result<u8, SyntaxError> {
        self.peek();
        let digits = self.rest().get(..2).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let byte = byte.ok_or_else(|| self.error("expected two hexadecimal digits"))?;
        self.at += 2;
        Ok(byte)
    }

    fn repeated(&mut self, item: Hir) -> Result<Hir, SyntaxError> {
        if !self.take('{') {
            return Ok(item);
        }
        let start = self.at;
        let least = self.number(MOST_REPEATS, "a count")?;
        let most = if self.take(',') { self.number(MOST_REPEATS, "a count")? } else { least };
        let span = Span::new(start, self.at);
        if !self.take('}') {
            return Err(self.error("expected `}`"));
        }
        if most < least || most == 0 {
            return Err(SyntaxError::new(span, "a repetition that never is"));
        }
        Ok(Hir::repetition(Repetition { min: least, max: Some(most), greedy: true, sub: Box::new(item) }))
    }

    fn number(&mut self, most: u32, what: &str) -> Result<u32, SyntaxError> {
        self.peek();
        let digits = self.rest().find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest().len());
        let span = Span::new(self.at, self.at + digits);
        let number = self.rest().get(..digits).and_then(|text| text.parse().ok());
        self.at += digits;
        number
            .filter(|&number| number <= most)
            .ok_or_else(|| SyntaxError::new(span, format!("expected {what} from 0 to {most}")))
    }

    /// The next character that is not a blank; the reading position moves to it.
    fn peek(&mut self) -> Option<char> {
        let trimmed = self.rest().trim_start();
        self.at = self.text.len() - trimmed.len();
        trimmed.chars().next()
    }

    fn take(&mut self, sign: char) -> bool {
        let is_next = self.peek() == Some(sign);
        if is_next {
            self.at += sign.len_utf8();
        }
        is_next
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn unexpected(&mut self) -> SyntaxError {
        self.peek();
        self.error("expected a byte, a class, a group, `.` or `??`")
    }

    fn unclosed(&mut self, open: usize, close: &str) -> SyntaxError {
        if self.peek().is_none() {
            return SyntaxError::new(Span::new(open, open + 1), format!("expected `{close}` for this"));
        }
        self.unexpected()
    }

    fn error(&self, reason: &str) -> SyntaxError {
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        SyntaxError::new(Span::new(self.at, self.at + length), reason)
    }
}

fn class(ranges: Vec<(u8, u8)>) -> Hir {
    let ranges = ranges.into_iter().map(|(first, last)| ClassBytesRange::new(first, last));
    Hir::class(Class::Bytes(ClassBytes::new(ranges)))
}
