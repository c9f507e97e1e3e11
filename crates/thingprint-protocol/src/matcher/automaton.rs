use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};
use regex_syntax::hir::{Hir, Look, LookSet};

use super::bytes::BytePattern;
use super::text;
use crate::{Span, SyntaxError};

/// Bounds on an automaton, and on the work to build it.
const MOST_NFA_BYTES: usize = 1 << 20;
const MOST_DFA_BYTES: usize = 1 << 20;
const MOST_BUILDING_BYTES: usize = 1 << 22;

/// A pattern on bytes, compiled so that it can tell from the beginning of a payload whether what follows still matters.
///
/// It takes one step for each byte, whatever the pattern, and is never changed: all threads share one.
#[derive(Clone, Debug)]
pub(crate) struct Automaton {
    dfa: dense::DFA<Vec<u32>>,
    start: StateID,
    /// Where the pattern has to stand; its automaton is searched from there on.
    offset: usize,
    /// Whether the pattern looks for the payload's end.
    looks_at_end: bool,
}

/// The bytes that something may begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FirstBytes([u64; 4]);

impl Automaton {
    /// Compiles a regular expression.
    pub(crate) fn of_text(pattern: &str) -> Result<Self, SyntaxError> {
        Self::build(&text::hir(pattern)?, None, pattern)
    }

    /// Compiles a byte pattern.
    pub(crate) fn of_bytes(pattern: &str) -> Result<Self, SyntaxError> {
        let BytePattern { offset, hir } = BytePattern::parse(pattern)?;
        Self::build(&hir, offset, pattern)
    }

    fn build(hir: &Hir, offset: Option<usize>, text: &str) -> Result<Self, SyntaxError> {
        let too_large = || SyntaxError::new(Span::new(0, text.len()), "a pattern that grows too large");
        let config = thompson::Config::new().utf8(false).nfa_size_limit(Some(MOST_NFA_BYTES));
        let nfa =
            thompson::Compiler::new().configure(config).build_from_hir(hir).map_err(|_| too_large())?;
        let (anchored, kind) = match offset {
            Some(_) => (Anchored::Yes, StartKind::Anchored),
            None => (Anchored::No, StartKind::Unanchored),
        };
        let config = dense::Config::new()
            .start_kind(kind)
            .match_kind(MatchKind::All)
            .dfa_size_limit(Some(MOST_DFA_BYTES))
            .determinize_size_limit(Some(MOST_BUILDING_BYTES));
        let dfa = dense::Builder::new().configure(config).build_from_nfa(&nfa).map_err(|_| too_large())?;
        let start =
            dfa.start_state(&start::Config::new().anchored(anchored)).map_err(|_| too_large())?;
        let looks = hir.properties().look_set();
        let looks_at_end = looks.subtract(LookSet::singleton(Look::Start)) != LookSet::empty();
        Ok(Self { dfa, start, offset: offset.unwrap_or(0), looks_at_end })
    }

    /// Whether the pattern is in a payload of which `bytes` are the first, and all if `is_whole`; `None` where the rest
    /// decides.
    pub(crate) fn finds(&self, bytes: &[u8], is_whole: bool) -> Option<bool> {
        let Some(bytes) = bytes.get(self.offset..) else { return is_whole.then_some(false) };
        let mut state = self.start;
        for &byte in bytes {
            state = self.dfa.next_state(state, byte);
            if self.dfa.is_special_state(state) {
                if self.dfa.is_match_state(state) {
                    return Some(true);
                }
                if self.dfa.is_dead_state(state) {
                    return Some(false);
                }
            }
        }
        // An automaton knows of a match one byte late; at the end of what is there, it is asked for it.
        let may_end = is_whole || !self.looks_at_end;
        if may_end && self.dfa.is_match_state(self.dfa.next_eoi_state(state)) {
            return Some(true);
        }
        is_whole.then_some(false)
    }

    /// The bytes that a payload with the pattern may begin with.
    pub(crate) fn first_bytes(&self) -> FirstBytes {
        let is_possible = |byte: u8| {
            let state = self.dfa.next_state(self.start, byte);
            self.offset > 0 || !self.dfa.is_dead_state(state)
        };
        FirstBytes::of(is_possible)
    }

    /// Whether the pattern is in every payload, even in an empty one.
    pub(crate) fn is_in_everything(&self) -> bool {
        self.finds(&[], true) == Some(true)
    }

    /// Whether the pattern can be in no payload at all.
    pub(crate) fn is_in_nothing(&self) -> bool {
        self.first_bytes() == FirstBytes::NONE && !self.is_in_everything()
    }
}

impl FirstBytes {
    pub(crate) const NONE: Self = Self([0; 4]);
    pub(crate) const ALL: Self = Self([u64::MAX; 4]);

    fn of(is_possible: impl Fn(u8) -> bool) -> Self {
        let mut bits = Self::NONE;
        for byte in (0..=u8::MAX).filter(|&byte| is_possible(byte)) {
            if let Some(word) = bits.0.get_mut(usize::from(byte >> 6)) {
                *word |= 1 << (byte & 63);
            }
        }
        bits
    }

    /// Whether this byte is one of them.
    pub(crate) fn has(self, byte: u8) -> bool {
        self.0.get(usize::from(byte >> 6)).is_some_and(|word| word >> (byte & 63) & 1 == 1)
    }

    /// Bytes that are among both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self::of(|byte| self.has(byte) && other.has(byte))
    }

    /// Bytes that are among either.
    pub(crate) fn or(self, other: Self) -> Self {
        Self::of(|byte| self.has(byte) || other.has(byte))
    }
}
