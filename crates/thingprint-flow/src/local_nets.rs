use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ParseOptionError, is_private};

/// The networks whose addresses are inside, in addition to private ones (Zeek calls them local networks).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LocalNets(Vec<LocalNet>);

/// A network in CIDR notation (RFC 4632).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalNet {
    first: IpAddr,
    last: IpAddr,
    prefix_bits: u8,
}

impl LocalNets {
    /// These networks, in whatever order.
    pub fn new(mut nets: Vec<LocalNet>) -> Self {
        nets.sort();
        nets.dedup();
        Self(nets)
    }

    /// Whether an address is one of a host inside: a private or link-local one, or of one of the networks.
    #[inline]
    pub fn is_local(&self, addr: IpAddr) -> bool {
        is_private(addr) || self.contains(addr)
    }

    /// Whether an address belongs to one of the networks.
    #[inline]
    pub fn contains(&self, addr: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(addr))
    }

    /// The networks, in order.
    pub fn iter(&self) -> impl Iterator<Item = &LocalNet> {
        self.0.iter()
    }

    /// Whether an address is the broadcast address of one of the networks (RFC 919 §7).
    pub fn is_broadcast(&self, addr: IpAddr) -> bool {
        self.0.iter().any(|net| addr.is_ipv4() && net.prefix_bits < 31 && net.last == addr)
    }
}

impl fmt::Display for LocalNets {
    /// The networks with commas between.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nets: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&nets.join(","))
    }
}

impl LocalNet {
    /// Its first address.
    pub const fn first(&self) -> IpAddr {
        self.first
    }

    /// How many leading bits its addresses share.
    pub const fn prefix_bits(&self) -> u8 {
        self.prefix_bits
    }

    fn new(addr: IpAddr, prefix_bits: u8) -> Option<Self> {
        let (first, last) = match addr {
            IpAddr::V4(addr) => {
                let hosts = u32::MAX.checked_shr(prefix_bits.into()).unwrap_or(0);
                let first = addr.to_bits() & !hosts;
                (Ipv4Addr::from_bits(first).into(), Ipv4Addr::from_bits(first | hosts).into())
            }
            IpAddr::V6(addr) => {
                let hosts = u128::MAX.checked_shr(prefix_bits.into()).unwrap_or(0);
                let first = addr.to_bits() & !hosts;
                (Ipv6Addr::from_bits(first).into(), Ipv6Addr::from_bits(first | hosts).into())
            }
        };
        let most_bits = if addr.is_ipv4() { 32 } else { 128 };
        (prefix_bits <= most_bits).then_some(Self { first, last, prefix_bits })
    }

    fn contains(&self, addr: IpAddr) -> bool {
        (self.first..=self.last).contains(&addr)
    }
}

impl FromStr for LocalNet {
    type Err = ParseOptionError;

    /// Reads `129.94.0.0/16` or `2001:db8::/32`; an address without a length is a network of one host.
    fn from_str(text: &str) -> Result<Self, ParseOptionError> {
        let fail =
            || ParseOptionError::new(text, "a network: expected an address and a length, like 129.94.0.0/16");
        let (addr, bits) = text.split_once('/').map_or((text, None), |(addr, bits)| (addr, Some(bits)));
        let addr: IpAddr = addr.parse().map_err(|_| fail())?;
        let all_bits = if addr.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(all_bits), str::parse).map_err(|_| fail())?;
        Self::new(addr, bits).ok_or_else(fail)
    }
}

impl fmt::Display for LocalNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix_bits)
    }
}

impl TryFrom<String> for LocalNet {
    type Error = ParseOptionError;

    fn try_from(text: String) -> Result<Self, ParseOptionError> {
        text.parse()
    }
}

impl From<LocalNet> for String {
    fn from(net: LocalNet) -> Self {
        net.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::{LocalNet, LocalNets};

    fn nets(texts: &[&str]) -> LocalNets {
        LocalNets::new(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn a_network_has_the_addresses_of_its_prefix() {
        let nets = nets(&["129.94.0.0/16", "2001:db8::/32", "9.9.9.9"]);
        let check =
            |addr: &str, expected| assert_eq!(nets.is_local(addr.parse().unwrap()), expected, "{addr}");
        check("129.94.255.255", true);
        check("129.95.0.0", false);
        check("129.93.255.255", false);
        check("2001:db8:ffff::1", true);
        check("2001:db9::", false);
        check("9.9.9.9", true);
        check("9.9.9.8", false);
        check("192.168.1.1", true);
        assert!(nets.is_broadcast("129.94.255.255".parse().unwrap()));
        assert!(!nets.is_broadcast("9.9.9.9".parse().unwrap()));
        assert!(!LocalNets::default().is_local("129.94.1.1".parse().unwrap()));
    }

    #[test]
    fn a_network_is_written_by_its_first_address() {
        let check =
            |text: &str, expected: &str| assert_eq!(text.parse::<LocalNet>().unwrap().to_string(), expected);
        check("129.94.3.4/16", "129.94.0.0/16");
        check("10.1.2.3", "10.1.2.3/32");
        check("0.0.0.0/0", "0.0.0.0/0");
        check("2001:db8::5/127", "2001:db8::4/127");
        for wrong in ["129.94.0.0/33", "2001:db8::/129", "129.94/16", "a/8", "1.2.3.4/", "1.2.3.4/-1", ""] {
            assert!(wrong.parse::<LocalNet>().is_err(), "{wrong}");
        }
    }
}
