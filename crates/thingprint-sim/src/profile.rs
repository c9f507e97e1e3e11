mod amount;
mod check;
mod connection;
mod discovery;
mod hello;
mod hours;
mod names;
mod ports;
mod when;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

pub use amount::Amount;
pub use connection::{Connection, Ending, Hex, Request, Speaks, Talk};
pub use discovery::{Lookup, Mdns, MdnsSays, Ntp, Ping, Ssdp, SsdpSays, Upnp};
pub use hello::{CertificateFault, CipherList, Hello, TlsVersion};
pub use hours::{HoursSeen, Phase};
pub use names::{Crowd, HostFacts, LookupPolicy};
pub use ports::PortCrowd;
pub use when::{Presence, When};

pub(crate) use check::{Place, Surroundings, check_against};

/// One kind of device: who it is, when it is on, and everything that it does on the network.
///
/// Read from one TOML file; unknown fields are refused. Tables that are left out do nothing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The file that it was read from, for errors.
    #[serde(skip)]
    pub file: String,
    /// The class that a classifier should find.
    pub label: String,
    /// Whether the class is an `IoT` device.
    pub kind: Kind,
    /// What the device is, for readers.
    pub description: String,
    /// The devices of this kind in the home; at least one.
    #[serde(rename = "unit")]
    pub units: Vec<Unit>,
    /// How the device's network stack behaves.
    #[serde(default)]
    pub stack: Stack,
    /// When the device is on the network.
    #[serde(default)]
    pub presence: Presence,
    /// States that last for whole hours, by name.
    #[serde(default)]
    pub phase: BTreeMap<String, Phase>,
    /// What the device says of itself when it asks for an address.
    #[serde(default)]
    pub dhcp: Dhcp,
    /// What is known of single domain names; the rest follows from a hash of the name.
    #[serde(default)]
    pub hosts: BTreeMap<String, HostFacts>,
    /// Crowds of generated domain names, for devices that talk to hundreds.
    #[serde(default)]
    pub crowd: BTreeMap<String, Crowd>,
    /// The TLS hellos of the device's programs.
    #[serde(default)]
    pub hello: BTreeMap<String, Hello>,
    /// The device's `UPnP` identity, for announcements and answers to searches.
    pub upnp: Option<Upnp>,
    /// Connections, by TCP or UDP.
    #[serde(default)]
    pub connection: Vec<Connection>,
    /// Names asked for without a connection that follows.
    #[serde(default)]
    pub lookup: Vec<Lookup>,
    /// Clock synchronisation.
    #[serde(default)]
    pub ntp: Vec<Ntp>,
    /// SSDP searches and announcements.
    #[serde(default)]
    pub ssdp: Vec<Ssdp>,
    /// Multicast DNS questions and announcements.
    #[serde(default)]
    pub mdns: Vec<Mdns>,
    /// ICMP echo requests.
    #[serde(default)]
    pub ping: Vec<Ping>,
}

/// Whether a device is an `IoT` device, as label files say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A device with one purpose.
    Iot,
    /// A computer for everything.
    NonIot,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Iot => "iot",
            Self::NonIot => "non-iot",
        })
    }
}

/// One device of a kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// The name that peers and the seed know it by; unique in the home.
    pub name: String,
    /// Its link address; unique in the home.
    pub mac: Mac,
    /// The last octet of its IPv4 address, 2 to 254; unique in the home.
    pub host: u8,
}

impl Unit {
    /// A text of the profile with `{id}` replaced by the last three octets of the address, as makers do in names.
    pub(crate) fn fill_in(&self, text: &str) -> String {
        let [.., a, b, c] = self.mac.0;
        text.replace("{id}", &format!("{a:02X}{b:02X}{c:02X}"))
    }
}

/// A link address, read from `70:ee:50:18:34:43`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Mac(pub [u8; 6]);

impl TryFrom<String> for Mac {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fail = || format!("invalid MAC address '{text}': expected six pairs of hexadecimal digits");
        let mut octets = [0; 6];
        let mut parts = text.split(':');
        for octet in &mut octets {
            let part = parts.next().filter(|part| part.len() == 2).ok_or_else(fail)?;
            *octet = u8::from_str_radix(part, 16).map_err(|_| fail())?;
        }
        if parts.next().is_some() || octets[0] & 1 == 1 {
            return Err(fail());
        }
        Ok(Self(octets))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, octet) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{octet:02x}")?;
        }
        Ok(())
    }
}

/// How a device's network stack behaves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stack {
    /// Time to live of the device's packets.
    pub ttl: u8,
    /// Maximum TCP segment size in bytes, 200 to 1460.
    pub mss: u16,
    /// The most bytes of a message that a segment carries at the capture point; left out, `mss`. Captures taken on an
    /// end or on a router with segmentation offload (TSO, GRO) have segments of many times the size that went over the
    /// air. Larger than `mss` and up to 16,384.
    pub offload_bytes: Option<u16>,
    /// TCP receive window in bytes.
    pub window_bytes: u32,
    /// TCP window scale, 0 to 14; left out when the device does not offer one.
    pub window_scale: Option<u8>,
    /// Whether the device speaks IPv6 on its own link.
    pub ipv6: bool,
    /// Whether the device asks for an AAAA record beside each A record.
    pub aaaa: bool,
    /// Whether DNS queries carry an EDNS option.
    pub edns: bool,
    /// Time from the capture point to the device and back, in milliseconds.
    pub lan_ms: Amount,
    /// How long the device believes a link address, in seconds.
    pub arp_s: f64,
}

impl Default for Stack {
    fn default() -> Self {
        Self {
            ttl: 64,
            mss: 1460,
            offload_bytes: None,
            window_bytes: 29_200,
            window_scale: None,
            ipv6: false,
            aaaa: false,
            edns: false,
            lan_ms: Amount::Between(1.0, 5.0),
            arp_s: 300.0,
        }
    }
}

/// What a device says of itself when it asks for an address, RFC 2131 and RFC 2132.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dhcp {
    /// Host name, option 12; `{id}` stands for the last three octets of the link address.
    pub host_name: Option<String>,
    /// Vendor class, option 60.
    pub vendor_class: Option<String>,
    /// Parameter request list, option 55.
    pub parameters: Vec<u8>,
    /// Whether it asks for the address of last time without a discovery (the INIT-REBOOT state of RFC 2131).
    pub remembers: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_address_is_six_pairs_of_digits_and_no_group() {
        let read = |text: &str| Mac::try_from(text.to_owned());
        assert_eq!(read("70:ee:50:18:34:4F"), Ok(Mac([0x70, 0xee, 0x50, 0x18, 0x34, 0x4f])));
        for wrong in [
            "",
            "70:ee:50:18:34",
            "70:ee:50:18:34:43:00",
            "70:ee:50:18:34:4",
            "71:ee:50:18:34:43",
            "zz:ee:50:18:34:43",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
