use regex_automata::meta;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

use crate::{Span, SyntaxError};

/// Bounds on what a pattern may take: text, nesting and compiled size.
const MOST_TEXT_BYTES: usize = 4096;
const MOST_NESTING: u32 = 64;
const MOST_NFA_BYTES: usize = 1 << 20;
const MOST_LAZY_BYTES: usize = 1 << 20;

/// Reads a regular expression on bytes: ASCII classes, and any byte may match.
pub(crate) fn hir(pattern: &str) -> Result<Hir, SyntaxError> {
    if pattern.len() > MOST_TEXT_BYTES {
        let reason = format!("a regular expression of more than {MOST_TEXT_BYTES} bytes");
        return Err(SyntaxError::new(Span::new(MOST_TEXT_BYTES, pattern.len()), reason));
    }
    let mut parser = ParserBuilder::new().unicode(false).utf8(false).nest_limit(MOST_NESTING).build();
    parser.parse(pattern).map_err(|error| placed(&error))
}

fn placed(error: &regex_syntax::Error) -> SyntaxError {
    let (span, reason) = match error {
        regex_syntax::Error::Parse(error) => (*error.span(), error.kind().to_string()),
        regex_syntax::Error::Translate(error) => (*error.span(), error.kind().to_string()),
        other => return SyntaxError::new(Span::new(0, 0), other.to_string()),
    };
    SyntaxError::new(Span::new(span.start.offset, span.end.offset), reason)
}

/// Compiles an expression that was read from `text` so that it reports where it matches: in linear time, within bounded
/// memory.
pub(crate) fn searcher(hir: &Hir, text: &str) -> Result<meta::Regex, SyntaxError> {
    let config = meta::Config::new()
        .utf8_empty(false)
        .nfa_size_limit(Some(MOST_NFA_BYTES))
        .hybrid_cache_capacity(MOST_LAZY_BYTES);
    meta::Builder::new()
        .configure(config)
        .build_from_hir(hir)
        .map_err(|_| SyntaxError::new(Span::new(0, text.len()), "a pattern that grows too large"))
}
