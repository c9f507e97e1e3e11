//! Playing profiles: a [`Device`] turns its script into frames in time order, event by event.
//!
//! An event at some moment only ever plans frames for that moment or later, and a planned frame leaves as soon as
//! no event comes before it. What is held at any time is what single events plan: a handshake, a chunk of a
//! transfer, never a whole one.

mod agenda;
mod attacker;
mod beat;
mod calendar;
mod channel;
mod chores;
mod device;
mod directory;
mod join;
mod nic;
mod outbox;
mod scene;
mod script;
mod session;
mod tcp;
mod udp;
mod world;

pub(crate) use attacker::Attacker;
pub(crate) use device::Device;
pub(crate) use scene::Scene;
pub(crate) use world::World;
