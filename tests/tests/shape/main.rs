//! The shape of the code: what ARCHITECTURE.md says of who may import whom, where foreign types stay, and what
//! library crates leave to the command.
//!
//! Each rule is a function from text to violations, with a test of its own that it finds one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod code;
mod documents;
mod imports;
mod layout;
mod manifest;
mod purity;
mod tree;
