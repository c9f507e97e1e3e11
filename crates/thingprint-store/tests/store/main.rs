//! A store is written, killed, read, pruned, damaged and filled up.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod accounts;
mod forget;
mod instances;
mod keep;
mod kill;
mod open;
mod requests;
mod size;
mod writer;
