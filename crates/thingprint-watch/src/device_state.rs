use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use thingprint_flow::Timestamp;

use crate::describe::MOST_ADDRESSES;
use crate::known::KnownWords;
use crate::records::Sighting;
use crate::resume::ResumedDevice;
use crate::verdict::StandingVerdict;

/// How long after its first packet a device may take addresses without news: it asks DHCP for one.
const SETTLING_NS: i64 = 600_000_000_000;
/// Successive windows of a device that make its silence news.
const STEADY_WINDOWS: u64 = 6;
/// Windows without it that are silence.
const SILENT_WINDOWS: i64 = 2;

/// What is remembered of a device.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeviceState {
    pub(crate) verdict: StandingVerdict,
    pub(crate) known: KnownWords,
    pub(crate) presence: Presence,
    addresses: BTreeSet<IpAddr>,
    /// As it was given out last.
    pub(crate) sighting: Option<Sighting>,
    /// The number of the last thing that it said and that was taken into its identity.
    pub(crate) heard: Option<u64>,
    /// When it was given out last, by the clock of the packets.
    pub(crate) published: Option<Timestamp>,
    /// Packets of windows that others formed, up and down, since the reading began.
    pub(crate) collected: (u64, u64),
    /// Whether somebody answered it in this reading.
    pub(crate) is_established: bool,
}

/// In which windows a device was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Presence {
    /// Successive windows up to the last one.
    run: u64,
    /// Start of the last one.
    last: Option<Timestamp>,
    /// Whether its silence was reported.
    is_silent: bool,
}

impl Presence {
    /// The device was there in a window.
    pub(crate) fn see(&mut self, start: Timestamp, window_ns: i64) {
        if self.last == Some(start) {
            // Another piece of it.
            return;
        }
        let follows = self.last.is_some_and(|last| start.nanos_since(last) == window_ns);
        self.run = if follows { self.run + 1 } else { 1 };
        self.last = Some(start);
    }

    /// Whether the device was steady and has been silent for two whole windows up to `closed`, the end of a window; true
    /// once.
    pub(crate) fn falls_silent(&mut self, closed: Timestamp, window_ns: i64, last_seen: Timestamp) -> bool {
        let since = closed.plus_nanos(-SILENT_WINDOWS * window_ns);
        let is_silent = self.run >= STEADY_WINDOWS && last_seen < since;
        let is_news = is_silent && !self.is_silent;
        self.is_silent |= is_silent;
        is_news
    }

    /// Whether a device that was reported silent is seen again; true once.
    pub(crate) const fn comes_back(&mut self) -> bool {
        std::mem::replace(&mut self.is_silent, false)
    }
}

impl DeviceState {
    /// As a device was seen by an earlier reading.
    pub(crate) fn resumed(device: ResumedDevice) -> Self {
        let mut state = Self::default();
        state.know_addresses(&device.sighting.addresses);
        state.verdict = StandingVerdict::resumed(&device.windows, device.standing);
        state.sighting = Some(device.sighting);
        state
    }

    /// Takes in addresses; gives those that are new for a device that had others for a while.
    ///
    /// An IPv6 address of a network in which the device has others is no news: privacy extensions (RFC 8981) change it each
    /// day.
    pub(crate) fn new_addresses(&mut self, sighting: &Sighting) -> Vec<IpAddr> {
        let settled = sighting.last_seen.nanos_since(sighting.first_seen) > SETTLING_NS;
        let mut news = Vec::new();
        for address in &sighting.addresses {
            if self.addresses.contains(address) || self.addresses.len() >= MOST_ADDRESSES {
                continue;
            }
            let is_known = self.addresses.iter().any(|other| is_same_network(*address, *other));
            if settled && !is_known && !self.addresses.is_empty() {
                news.push(*address);
            }
            self.addresses.insert(*address);
        }
        news
    }

    /// These addresses are known from an earlier reading.
    pub(crate) fn know_addresses(&mut self, addresses: &[IpAddr]) {
        self.addresses.extend(addresses.iter().take(MOST_ADDRESSES));
    }
}

/// Whether both are IPv6 addresses with the same first 64 bits.
const fn is_same_network(one: IpAddr, other: IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V6(one), IpAddr::V6(other)) => one.to_bits() >> 64 == other.to_bits() >> 64,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_NS: i64 = 3_600_000_000_000;

    fn hour(at: i64) -> Timestamp {
        Timestamp::from_nanos(at * HOUR_NS)
    }

    #[test]
    fn a_steady_device_falls_silent_once() {
        let mut presence = Presence::default();
        (0..6).for_each(|at| presence.see(hour(at), HOUR_NS));
        let last_seen = hour(6).plus_nanos(-1);
        assert!(!presence.falls_silent(hour(7), HOUR_NS, last_seen));
        assert!(presence.falls_silent(hour(9), HOUR_NS, last_seen));
        assert!(!presence.falls_silent(hour(10), HOUR_NS, last_seen));
        assert!(presence.comes_back());
        assert!(!presence.comes_back());
    }

    #[test]
    fn a_device_that_comes_and_goes_is_never_silent() {
        let mut presence = Presence::default();
        for at in [0, 1, 2, 4, 5, 7] {
            presence.see(hour(at), HOUR_NS);
        }
        assert!(!presence.falls_silent(hour(20), HOUR_NS, hour(8)));
    }
}
