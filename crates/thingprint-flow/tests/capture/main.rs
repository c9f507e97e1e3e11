//! From bytes to packets: formats, link types, headers, fragments, the order of a trace, and hostile bytes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod blocks;
mod clocks;
mod formats;
mod fragments;
mod frame_reader;
mod frames;
mod hostile;
mod ip;
mod links;
mod order;
mod problems;
mod reading;
mod tunnels;
mod writer;
