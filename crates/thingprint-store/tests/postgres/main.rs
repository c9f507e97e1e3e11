//! A store in `PostgreSQL` behaves as one in a file. Where there is no server, files take its place, and that is said.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
#![allow(
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "hours of a test are few and not negative"
)]

#[path = "../store/accounts.rs"]
mod accounts;
#[path = "../store/instances.rs"]
mod instances;
#[path = "../store/keep.rs"]
mod keep;
mod place;
#[path = "../store/readings.rs"]
mod readings;
#[path = "../store/requests.rs"]
mod requests;
mod server;
mod sharing;
