//! tcpdump as a child: its arguments, what it says, what it counts, and its end.

mod child;
mod counters;
mod lines;
mod link_state;
mod message;
mod minder;

pub(crate) use child::{Tcpdump, check};
