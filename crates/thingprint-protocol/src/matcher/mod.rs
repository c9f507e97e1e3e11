//! Matchers of contents, compiled: regular expressions and byte patterns to automata, conditions to tallies.
mod automaton;
mod bytes;
mod statistics;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use automaton::{Automaton, FirstBytes};
pub(crate) use bytes::BytePattern;
pub(crate) use statistics::{Judge, Tallies, View};
pub(crate) use text::{hir, searcher};
