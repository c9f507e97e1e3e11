use std::collections::BTreeSet;
use std::sync::OnceLock;

use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, Input, MatchKind, meta};
use regex_syntax::hir::{Class, Hir, HirKind, Look, LookSet};

use super::beginning::Beginning;
use super::bytes::BytePattern;
use super::{first_bytes, text};
use crate::SyntaxError;

/// Bounds on an automaton that is made beforehand, and on the work to make it.
const MOST_NFA_BYTES: usize = 1 << 20;
const MOST_DFA_BYTES: usize = 1 << 20;
const MOST_BUILDING_BYTES: usize = 1 << 22;
/// A pattern that takes no more than this cannot grow too large: it is compiled when a payload first asks for it.
const MOST_DEFERRED_BYTES: usize = 1 << 18;
/// What a state of a compiled pattern takes at most, and a range of bytes in it.
const STATE_BYTES: usize = 64;
const RANGE_BYTES: usize = 16;

/// A pattern on bytes, compiled so that it can decide from the beginning of a payload whether what follows still matters.
///
/// It takes time in proportion to the bytes, whatever the pattern, and does not depend on what was searched before: all
/// threads share one. Few captures speak all protocols, so its states are made when a payload first asks for them.
#[derive(Clone, Debug)]
pub(crate) struct Automaton {
    hir: Hir,
    states: OnceLock<States>,
    anchored: Anchored,
    /// Where the pattern has to stand; it is searched from there on.
    offset: usize,
    /// What a payload with the pattern may begin with.
    beginning: Beginning,
    /// Whether the pattern looks for the payload's end.
    looks_at_end: bool,
}

#[derive(Clone, Debug)]
enum States {
    /// All of them, made beforehand: one step for each byte.
    ModelState { dfa: Box<dense::DFA<Vec<u32>>>, start: StateID },
    /// Too many for that: they are made while searching.
    Lazy { regex: Box<meta::Regex> },
    /// None: the pattern does not compile, which no small one does.
    None,
}

impl Automaton {
    /// Compiles a regular expression.
    pub(crate) fn of_text(pattern: &str) -> Result<Self, SyntaxError> {
        Self::build(text::hir(pattern)?, None, pattern)
    }

    /// Compiles a byte pattern.
    pub(crate) fn of_bytes(pattern: &str) -> Result<Self, SyntaxError> {
        let BytePattern { offset, hir } = BytePattern::parse(pattern)?;
        Self::build(hir, offset, pattern)
    }

    fn build(hir: Hir, offset: Option<usize>, text: &str) -> Result<Self, SyntaxError> {
        let is_anchored = offset.is_some() || hir.properties().look_set_prefix().contains(Look::Start);
        let anchored = if is_anchored { Anchored::Yes } else { Anchored::No };
        let states = if compiled_bytes(&hir) > MOST_DEFERRED_BYTES {
            OnceLock::from(States::compile(&hir, anchored, text)?)
        } else {
            OnceLock::new()
        };
        let looks = hir.properties().look_set();
        let looks_at_end = looks.subtract(LookSet::singleton(Look::Start)) != LookSet::empty();
        let offset = offset.unwrap_or(0);
        let beginning = if is_anchored { first_bytes::beginning(&hir, offset) } else { Beginning::ANY };
        Ok(Self { hir, states, anchored, offset, beginning, looks_at_end })
    }

    /// Whether the pattern is in a payload of which `bytes` are the first, and all if `is_whole`; `None` where the rest
    /// decides.
    pub(crate) fn finds(&self, bytes: &[u8], is_whole: bool) -> Option<bool> {
        let Some(bytes) = bytes.get(self.offset..) else { return is_whole.then_some(false) };
        let may_end = is_whole || !self.looks_at_end;
        let found = match self.states() {
            States::ModelState { dfa, start } => run(dfa, *start, bytes, may_end),
            States::Lazy { regex } => {
                let is_match = || regex.is_match(Input::new(bytes).anchored(self.anchored));
                (may_end && is_match()).then_some(true)
            }
            States::None => None,
        };
        found.or(is_whole.then_some(false))
    }

    /// What a payload with the pattern may begin with.
    pub(crate) const fn beginning(&self) -> Beginning {
        self.beginning
    }

    /// Whether the pattern is in every payload, even in an empty one.
    pub(crate) fn is_in_everything(&self) -> bool {
        self.finds(&[], true) == Some(true)
    }

    /// Whether the pattern is in every payload that is not empty.
    pub(crate) fn is_in_every_byte(&self) -> bool {
        (0..=u8::MAX).all(|byte| self.finds(&[byte], true) == Some(true))
    }

    /// Whether the pattern can be in no payload at all: no state that can be reached is a match.
    pub(crate) fn is_in_nothing(&self) -> bool {
        let States::ModelState { dfa, start } = self.states() else { return false };
        let mut seen = BTreeSet::from([*start]);
        let mut open = vec![*start];
        while let Some(state) = open.pop() {
            let nexts = (0..=u8::MAX).map(|byte| dfa.next_state(state, byte));
            for next in nexts.chain([dfa.next_eoi_state(state)]) {
                if dfa.is_match_state(next) {
                    return false;
                }
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        true
    }

    fn states(&self) -> &States {
        let compile = || States::compile(&self.hir, self.anchored, "").unwrap_or(States::None);
        self.states.get_or_init(compile)
    }
}

impl States {
    /// The automaton of a pattern, which was read from `text`.
    fn compile(hir: &Hir, anchored: Anchored, text: &str) -> Result<Self, SyntaxError> {
        match Self::known(hir, anchored) {
            Some(states) => Ok(states),
            None => Ok(Self::Lazy { regex: Box::new(text::searcher(hir, text)?) }),
        }
    }

    /// The automaton of a pattern, if it is not too large.
    fn known(hir: &Hir, anchored: Anchored) -> Option<Self> {
        let config = thompson::Config::new().utf8(false).nfa_size_limit(Some(MOST_NFA_BYTES));
        let nfa = thompson::Compiler::new().configure(config).build_from_hir(hir).ok()?;
        let kind = match anchored {
            Anchored::No => StartKind::Unanchored,
            _ => StartKind::Anchored,
        };
        let config = dense::Config::new()
            .start_kind(kind)
            .match_kind(MatchKind::All)
            .dfa_size_limit(Some(MOST_DFA_BYTES))
            .determinize_size_limit(Some(MOST_BUILDING_BYTES));
        let dfa = dense::Builder::new().configure(config).build_from_nfa(&nfa).ok()?;
        let start = dfa.start_state(&start::Config::new().anchored(anchored)).ok()?;
        Some(Self::ModelState { dfa: Box::new(dfa), start })
    }
}

/// Runs an automaton over bytes, which may be all that there are.
fn run(dfa: &dense::DFA<Vec<u32>>, start: StateID, bytes: &[u8], may_end: bool) -> Option<bool> {
    let mut state = start;
    for &byte in bytes {
        state = dfa.next_state(state, byte);
        if dfa.is_special_state(state) {
            if dfa.is_match_state(state) {
                return Some(true);
            }
            if dfa.is_dead_state(state) {
                return Some(false);
            }
        }
    }
    // An automaton knows of a match one byte late; at the end of what is there, it is asked for it.
    (may_end && dfa.is_match_state(dfa.next_eoi_state(state))).then_some(true)
}

/// What a pattern takes at most, compiled, before its states are made.
fn compiled_bytes(hir: &Hir) -> usize {
    let bytes = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => STATE_BYTES * literal.0.len(),
        HirKind::Class(Class::Bytes(class)) => RANGE_BYTES * class.ranges().len(),
        // A character is up to four bytes.
        HirKind::Class(Class::Unicode(class)) => 8 * STATE_BYTES * class.ranges().len(),
        HirKind::Capture(capture) => compiled_bytes(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(compiled_bytes).fold(0, usize::saturating_add)
        }
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            compiled_bytes(&repetition.sub).saturating_mul(usize::try_from(times).unwrap_or(usize::MAX))
        }
    };
    bytes.saturating_add(2 * STATE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::{Automaton, States};

    #[test]
    fn states_are_made_when_a_payload_asks_for_them() {
        let automaton = Automaton::of_text("^(?i:GET|PUT) .{1,200}x").unwrap();
        assert!(!automaton.beginning().admits(0, b'a'));
        assert!(automaton.states.get().is_none());
        assert_eq!(automaton.finds(b"get ax", true), Some(true));
        assert!(matches!(automaton.states.get(), Some(States::ModelState { .. })));
    }

    #[test]
    fn what_could_grow_too_large_is_compiled_at_once() {
        let deferred = Automaton::of_text("[^a]{1000}").unwrap();
        assert!(deferred.states.get().is_none());
        assert!(!matches!(deferred.states(), States::None));
        let large = Automaton::of_text("(?:[^ab]{100}){20}").unwrap();
        assert!(large.states.get().is_some());
        // As large as what is put off can be: the bound leaves room.
        for pattern in ["(?:a|b|cd){500}", "(?:(?:a?){25}b?){25}", "(?i)a{1,1000}", "[a-c][^x]{0,1000}$"] {
            let automaton = Automaton::of_text(pattern).unwrap();
            assert!(!matches!(automaton.states(), States::None), "{pattern}");
        }
    }
}
