//! A store is written, killed, read, pruned, damaged and filled up.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
#![allow(
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "hours of a test are few and not negative"
)]
#![allow(clippy::print_stdout, reason = "tests by hand print what they measured")]

mod accounts;
mod flood;
mod forget;
mod instances;
mod keep;
mod kill;
mod open;
mod place;
mod readings;
mod requests;
mod size;
mod writer;
