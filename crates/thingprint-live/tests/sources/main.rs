//! Sources read through an intake: streams over TCP, folders of rotated captures, a stand-in for tcpdump, and interfaces.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]

mod captures;
mod folder;
mod interface;
#[cfg(target_os = "linux")]
mod namespace;
mod reading;
mod stream;
