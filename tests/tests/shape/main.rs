//! The shape of the repository: which package may depend on which, how long files are and how they are named, and
//! whether documents name what is there.
//!
//! Rules about code itself are lints of clippy: see `clippy.toml` and the lints of the workspace in `Cargo.toml`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod commands;
mod documents;
mod imports;
mod layout;
mod limits;
mod packages;
mod reading;
mod terminal;
mod tree;
