//! Captures as the field writes them: link addresses, clocks and networks of every kind.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test")]

mod gateways;
mod identity;
mod part_edges;
mod segments;
mod vantage;
mod wire;
