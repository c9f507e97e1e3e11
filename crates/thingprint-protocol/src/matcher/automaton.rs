use std::collections::BTreeSet;

use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, Input, MatchKind, meta};
use regex_syntax::hir::{Hir, Look, LookSet};

use super::beginning::{Beginning, Bytes};
use super::bytes::BytePattern;
use super::text;
use crate::SyntaxError;

/// Bounds on an automaton that is made beforehand, and on the work to make it.
const MOST_NFA_BYTES: usize = 1 << 20;
const MOST_DFA_BYTES: usize = 1 << 20;
const MOST_BUILDING_BYTES: usize = 1 << 22;
/// States whose next steps are looked at together.
const MOST_STATES_FOLLOWED: usize = 64;

/// A pattern on bytes, compiled so that it can decide from the beginning of a payload whether what follows still matters.
///
/// It takes time in proportion to the bytes, whatever the pattern, and is never changed: all threads share one.
#[derive(Clone, Debug)]
pub(crate) struct Automaton {
    states: States,
    /// Where the pattern has to stand; it is searched from there on.
    offset: usize,
    /// Whether the pattern looks for the payload's end.
    looks_at_end: bool,
}

#[derive(Clone, Debug)]
enum States {
    /// All of them, made beforehand: one step for each byte.
    ModelState { dfa: Box<dense::DFA<Vec<u32>>>, start: StateID },
    /// Too many for that: they are made while searching.
    Lazy { regex: Box<meta::Regex>, anchored: Anchored },
}

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
        let is_anchored = offset.is_some() || hir.properties().look_set_prefix().contains(Look::Start);
        let anchored = if is_anchored { Anchored::Yes } else { Anchored::No };
        let states = match States::known(hir, anchored) {
            Some(states) => states,
            None => States::Lazy { regex: Box::new(text::searcher(hir, text)?), anchored },
        };
        let looks = hir.properties().look_set();
        let looks_at_end = looks.subtract(LookSet::singleton(Look::Start)) != LookSet::empty();
        Ok(Self { states, offset: offset.unwrap_or(0), looks_at_end })
    }

    /// Whether the pattern is in a payload of which `bytes` are the first, and all if `is_whole`; `None` where the rest
    /// decides.
    pub(crate) fn finds(&self, bytes: &[u8], is_whole: bool) -> Option<bool> {
        let Some(bytes) = bytes.get(self.offset..) else { return is_whole.then_some(false) };
        let may_end = is_whole || !self.looks_at_end;
        let found = match &self.states {
            States::ModelState { dfa, start } => run(dfa, *start, bytes, may_end),
            States::Lazy { regex, anchored } => {
                let is_match = || regex.is_match(Input::new(bytes).anchored(*anchored));
                (may_end && is_match()).then_some(true)
            }
        };
        found.or(is_whole.then_some(false))
    }

    /// What a payload with the pattern may begin with.
    pub(crate) fn beginning(&self) -> Beginning {
        match &self.states {
            States::ModelState { dfa, start } => beginning(dfa, *start, self.offset),
            States::Lazy { .. } => Beginning::ANY,
        }
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
        let States::ModelState { dfa, start } = &self.states else { return false };
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
}

impl States {
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

/// Follows all paths of an automaton at once for a few bytes.
fn beginning(dfa: &dense::DFA<Vec<u32>>, start: StateID, offset: usize) -> Beginning {
    let mut beginning = Beginning::ANY;
    if is_match(dfa, start) {
        return beginning;
    }
    let mut states = BTreeSet::from([start]);
    for place in offset..Beginning::PLACES {
        let mut possible = Bytes::NONE;
        let mut nexts = BTreeSet::new();
        for &state in &states {
            for byte in 0..=u8::MAX {
                let next = dfa.next_state(state, byte);
                // A match is known of one byte late, and nothing need follow it.
                if dfa.is_match_state(next) || !dfa.is_dead_state(next) {
                    possible.add(byte);
                    nexts.insert(next);
                }
            }
        }
        beginning.restrict(place, possible);
        // Behind a match, anything may follow; and many states mean many possible bytes.
        let is_free = nexts.iter().any(|&next| is_match(dfa, next));
        if is_free || nexts.len() > MOST_STATES_FOLLOWED {
            break;
        }
        states = nexts;
    }
    beginning
}

/// Whether a state is a match, or is one once the bytes end.
fn is_match(dfa: &dense::DFA<Vec<u32>>, state: StateID) -> bool {
    dfa.is_match_state(state) || dfa.is_match_state(dfa.next_eoi_state(state))
}
