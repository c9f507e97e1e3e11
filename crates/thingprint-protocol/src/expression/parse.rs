use super::{Expression, Word};
use crate::{Span, SyntaxError};

/// Longer expressions are nobody's, and the depth bounds the stack that reading them takes.
const MOST_BYTES: usize = 4096;
const MOST_DEPTH: usize = 64;

/// Reads a whole text as one expression.
pub(super) fn parse(text: &str) -> Result<Expression, SyntaxError> {
    if text.len() > MOST_BYTES {
        let reason = format!("an expression of more than {MOST_BYTES} bytes");
        return Err(SyntaxError::new(Span::new(MOST_BYTES, text.len()), reason));
    }
    let mut parser = Parser { text, at: 0, depth: 0 };
    let expression = parser.any_of()?;
    match parser.next_token() {
        None => Ok(expression),
        Some((_, span)) => Err(SyntaxError::new(span, "expected an operator or the end")),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    And,
    Or,
    Not,
    Open,
    Close,
    Word,
    Unknown,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn any_of(&mut self) -> Result<Expression, SyntaxError> {
        let first = self.all_of()?;
        let parts = self.joined(first, Token::Or, Self::all_of)?;
        Ok(single_or(parts, Expression::Or))
    }

    fn all_of(&mut self) -> Result<Expression, SyntaxError> {
        let first = self.one()?;
        let parts = self.joined(first, Token::And, Self::one)?;
        Ok(single_or(parts, Expression::And))
    }

    fn joined(
        &mut self,
        first: Expression,
        operator: Token,
        next: fn(&mut Self) -> Result<Expression, SyntaxError>,
    ) -> Result<Vec<Expression>, SyntaxError> {
        let mut parts = vec![first];
        while self.take(operator) {
            parts.push(next(self)?);
        }
        Ok(parts)
    }

    fn one(&mut self) -> Result<Expression, SyntaxError> {
        let Some((token, span)) = self.next_token() else {
            let end = Span::new(self.text.len(), self.text.len());
            return Err(SyntaxError::new(end, "expected an id, `not` or `(`"));
        };
        self.deepen(span)?;
        self.at = span.end;
        let expression = match token {
            Token::Word => {
                let text = self.text.get(span.start..span.end).unwrap_or_default().to_owned();
                Expression::Is(Word { text, span })
            }
            Token::Not => Expression::Not(Box::new(self.one()?)),
            Token::Open => self.bracketed(span)?,
            _ => return Err(SyntaxError::new(span, "expected an id, `not` or `(`")),
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn bracketed(&mut self, open: Span) -> Result<Expression, SyntaxError> {
        let inner = self.any_of()?;
        if self.take(Token::Close) {
            return Ok(inner);
        }
        Err(match self.next_token() {
            Some((_, span)) => SyntaxError::new(span, "expected an operator or `)`"),
            None => SyntaxError::new(open, "`(` without its `)`"),
        })
    }

    fn deepen(&mut self, span: Span) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(SyntaxError::new(span, format!("nested more than {MOST_DEPTH} deep")));
        }
        Ok(())
    }

    fn take(&mut self, wanted: Token) -> bool {
        match self.next_token() {
            Some((token, span)) if token == wanted => {
                self.at = span.end;
                true
            }
            _ => false,
        }
    }

    /// The token at the reading position, which stays.
    fn next_token(&self) -> Option<(Token, Span)> {
        let rest = self.text.get(self.at..)?;
        let trimmed = rest.trim_start();
        let start = self.at + (rest.len() - trimmed.len());
        let first = trimmed.chars().next()?;
        let word = trimmed.find(|c: char| !is_word(c)).unwrap_or(trimmed.len());
        if word > 0 {
            let token = match trimmed.get(..word).unwrap_or_default() {
                text if text.eq_ignore_ascii_case("and") => Token::And,
                text if text.eq_ignore_ascii_case("or") => Token::Or,
                text if text.eq_ignore_ascii_case("not") => Token::Not,
                _ => Token::Word,
            };
            return Some((token, Span::new(start, start + word)));
        }
        let (token, length) = match first {
            '&' => (Token::And, if trimmed.starts_with("&&") { 2 } else { 1 }),
            '|' => (Token::Or, if trimmed.starts_with("||") { 2 } else { 1 }),
            '!' => (Token::Not, 1),
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            other => (Token::Unknown, other.len_utf8()),
        };
        Some((token, Span::new(start, start + length)))
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

fn single_or(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}
