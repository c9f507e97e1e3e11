//! Carries what several taps see of one network to one collector.
//!
//! A [`Tap`] cuts the frames of a live reading into [`Parcel`]s, a part of the trace each. A [`Spool`] keeps them on disk
//! until a [`Publisher`] has sent them. A [`Depot`] keeps what arrived on disk before it is acknowledged, and a
//! [`Collector`] joins the parts and says which windows are final.
//!
//! A transport is a file and a line under `transports/`.
#![warn(clippy::indexing_slicing)]

mod collector;
mod depot;
mod durable;
mod error;
mod name;
mod parcel;
mod publisher;
mod shelf;
mod spool;
mod tap;
mod tap_state;
mod transports;

pub use collector::{Collector, Settled, Taken};
pub use depot::Depot;
pub use error::TapsError;
pub use name::Name;
pub use parcel::{Parcel, ParcelHead, ParcelId, RunId};
pub use publisher::{Publisher, PublisherHealth};
pub use shelf::Shelf;
pub use spool::{Kept, Spool};
pub use tap::{Position, Tap, TapOptions};
pub use tap_state::TapState;
pub use transports::{Arrival, Inbox, Outbound, Outgoing, TransportOptions, TransportSpec};
