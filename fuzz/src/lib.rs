//! Checks for fuzz targets: each takes the bytes that a fuzzer makes up, and panics where something does not hold
//! that must hold whatever the bytes are.
//!
//! Seeds for them are made by the example `seeds`, from traffic of the simulated home.
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]
#![allow(clippy::missing_panics_doc, reason = "a check panics, and says so above")]

mod captures;
mod conversation;
mod documents;
mod frames;
mod identities;
mod input;
mod logs;
mod model_files;
mod models;
mod parsers;
mod patterns;
mod quic;
mod records;
mod streams;
mod tables;

pub use captures::captures;
pub use documents::{NEXT_FILE, experiments, fingerprints, homes, mud, policies};
pub use frames::{FrameScript, frames};
pub use identities::identities;
pub use logs::logs;
pub use model_files::{body_of, model_files};
pub use models::models;
pub use parsers::{dhcp, dns, http, ntp, ssdp, tls};
pub use patterns::patterns;
pub use quic::{quic, sealed_initial};
pub use records::{parcel_body, parcels, part_body, parts, stores};
pub use streams::{StreamScript, streams};
pub use tables::{instances, labels};
