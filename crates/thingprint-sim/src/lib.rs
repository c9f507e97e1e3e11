//! A [`Home`] of device profiles, and a [`Simulation`] that plays it into the frames of a capture.
//!
//! A profile is data: one TOML file for each kind of device says what the device asks, whom it talks to, how often
//! and how much. Playing it gives Ethernet frames in time order, with correct checksums and sequence numbers, one
//! at a time and without ever holding more than what is in flight, so that half a year streams as well as an hour.
//!
//! Same home, options and seed give the same bytes. Every device draws from a stream of randomness of its own, made
//! from the seed and the device's name, so a device that joins the home changes nothing about the others.
//!
//! ```
//! use thingprint_sim::{Simulation, SimulationOptions, home};
//!
//! let options = SimulationOptions { duration_s: 3600, ..SimulationOptions::default() };
//! let mut simulation = Simulation::new(&home()?, options)?;
//! let mut bytes = 0;
//! while let Some(frame) = simulation.next_frame() {
//!     bytes += u64::from(frame.original_bytes);
//! }
//! assert!(bytes > 100_000);
//! # Ok::<(), thingprint_sim::SimError>(())
//! ```
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]

mod attack;
mod attack_traffic;
mod capture;
mod chance;
mod clock;
mod error;
mod home;
mod play;
mod profile;
mod simulation;
mod testbed;
mod unsafe_home;
mod wire;

pub use attack::{
    Attack, AttackKind, DnsTunnel, Exfiltration, PortScan, SsdpReflection, Target, TcpSyn, TelnetScan,
    UdpReflection,
};
pub use attack_traffic::AttackTraffic;
pub use capture::CaptureReader;
pub use error::SimError;
pub use home::{Home, LabelledDevice, Network, Rhythm, Source, Trace, home};
pub use profile::{
    Amount, CertificateFault, CipherList, Connection, Crowd, Dhcp, Ending, Hello, Hex, HostFacts, HoursSeen,
    Kind, Lookup, LookupPolicy, Mac, Mdns, MdnsSays, Ntp, Phase, Ping, PortCrowd, Presence, Profile, Request,
    Speaks, Ssdp, SsdpSays, Stack, Talk, TlsVersion, Unit, Upnp, When,
};
pub use simulation::{Frame, Frames, Simulation, SimulationOptions};
pub use testbed::unsw28;
pub use unsafe_home::unsafe_home;
