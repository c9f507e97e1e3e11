//! Matchers of contents, compiled: regular expressions and byte patterns to automata, conditions to tallies.
mod automaton;
mod beginning;
mod bytes;
mod first_bytes;
mod statistics;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use automaton::Automaton;
pub(crate) use beginning::Beginning;
pub(crate) use bytes::BytePattern;
pub(crate) use statistics::{CompiledCondition, Tallies, View};
pub(crate) use text::{hir, searcher};
