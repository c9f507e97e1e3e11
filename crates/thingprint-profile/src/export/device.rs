use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use thingprint_flow::MacAddr;

use crate::MudProfile;

/// A device that rules are written for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportDevice {
    /// What it is called: a label, or its address. Anybody may have chosen it.
    pub name: String,
    /// Its MAC address; without one, it is known by its IP addresses.
    pub mac: Option<MacAddr>,
    /// Its IP addresses, as far as they are known.
    pub addresses: BTreeSet<IpAddr>,
    /// What it may do.
    pub profile: MudProfile,
    /// Addresses of the names that its profile has, by the DNS answers of captures: what sets hold at first.
    pub answers: BTreeMap<String, BTreeSet<IpAddr>>,
    /// Names of which no DNS answer has an address: their first addresses are those that the device said were of them.
    pub claimed: BTreeSet<String>,
    /// Names that the device said of addresses that no DNS answer gives them: these are not among the first addresses.
    pub contradicted: BTreeSet<String>,
    /// Entries of its profile that allow more than was seen, by name.
    pub widened: BTreeSet<String>,
}

impl ExportDevice {
    /// What devices are put in order by.
    pub(super) fn key(&self) -> (&str, Option<MacAddr>, &BTreeSet<IpAddr>) {
        (&self.name, self.mac, &self.addresses)
    }
}
