use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

/// A block of IP addresses: `inet:ipv4-prefix` and `inet:ipv6-prefix` of RFC 6991.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    address: IpAddr,
    bits: u8,
}

impl Prefix {
    /// The block that an address lies in, by how many leading bits its addresses share; `None` for more bits than an
    /// address has.
    pub fn new(address: IpAddr, bits: u8) -> Option<Self> {
        let address = match address {
            IpAddr::V4(address) => {
                IpAddr::V4((address.to_bits() & u32::try_from(mask(32, bits)?).ok()?).into())
            }
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() & mask(128, bits)?).into()),
        };
        Some(Self { address, bits })
    }

    /// The block of a single address.
    pub const fn host(address: IpAddr) -> Self {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        Self { address, bits }
    }

    /// How many leading bits its addresses share.
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    /// Its first address.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// Whether it is of IPv6.
    pub const fn is_ipv6(&self) -> bool {
        self.address.is_ipv6()
    }

    /// Whether it begins with a multicast address, or is 255.255.255.255.
    pub fn is_group(&self) -> bool {
        self.address.is_multicast() || self.address == IpAddr::V4(Ipv4Addr::BROADCAST)
    }

    /// Whether an address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv6() == self.is_ipv6() && Self::new(address, self.bits) == Some(*self)
    }

    /// The addresses that lie in both: all of one of the blocks, or none.
    pub(crate) fn common(self, other: Self) -> Option<Self> {
        let (wide, narrow) = if self.bits <= other.bits { (self, other) } else { (other, self) };
        wide.contains(narrow.address).then_some(narrow)
    }

    /// These blocks in order, without those that lie in another one of them.
    pub(crate) fn widest(blocks: impl Iterator<Item = Self>) -> Vec<Self> {
        let mut blocks: Vec<Self> = blocks.collect();
        // A block comes behind all that it lies in, and in front of what lies behind them.
        blocks.sort_unstable();
        let mut widest: Vec<Self> = Vec::new();
        for block in blocks {
            if widest.last().is_none_or(|last| last.common(block).is_none()) {
                widest.push(block);
            }
        }
        widest
    }
}

/// The mask that keeps so many leading bits of an address of `width` bits, in the low bits.
fn mask(width: u8, bits: u8) -> Option<u128> {
    let cleared = u32::from(width.checked_sub(bits)?);
    let all = u128::MAX >> (128 - u32::from(width));
    Some(all.checked_shr(cleared).unwrap_or(0).checked_shl(cleared).unwrap_or(0))
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl FromStr for Prefix {
    type Err = ();

    /// Reads `192.0.2.0/24` or `2001:db8::/32`; bits behind the prefix are cleared, as RFC 6991 has it.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = text.split_once('/').ok_or(())?;
        let is_number = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits = bits.parse().ok().filter(|_| is_number).ok_or(())?;
        Self::new(address.parse().map_err(|_| ())?, bits).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_holds_its_addresses() {
        let check = |prefix: &str, address: &str, expected: bool| {
            let prefix: Prefix = prefix.parse().unwrap();
            assert_eq!(prefix.contains(address.parse().unwrap()), expected, "{prefix} {address}");
        };
        check("192.0.2.0/24", "192.0.2.255", true);
        check("192.0.2.0/24", "192.0.3.0", false);
        check("0.0.0.0/0", "203.0.113.9", true);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("8.8.8.8/32", "8.8.8.8", true);
        check("ff00::/8", "ff02::fb", true);
        check("::/0", "2001:db8::1", true);
        check("::/0", "192.0.2.1", false);
        check("ff02::fb/128", "ff02::fc", false);
    }

    #[test]
    fn blocks_lie_within_each_other_or_apart() {
        let blocks =
            |texts: &[&str]| -> Vec<Prefix> { texts.iter().map(|text| text.parse().unwrap()).collect() };
        let given =
            ["10.1.0.0/16", "2001:db8::/32", "10.0.0.0/8", "10.0.0.0/9", "11.0.0.0/8", "10.255.0.1/32"];
        let widest = Prefix::widest(blocks(&given).into_iter());
        assert_eq!(widest, blocks(&["10.0.0.0/8", "11.0.0.0/8", "2001:db8::/32"]));
        let common = |left: &str, right: &str| {
            let found = left.parse::<Prefix>().unwrap().common(right.parse().unwrap());
            found.map(|block| block.to_string())
        };
        assert_eq!(common("10.0.0.0/8", "10.1.0.0/16").as_deref(), Some("10.1.0.0/16"));
        assert_eq!(common("10.1.0.0/16", "10.0.0.0/8").as_deref(), Some("10.1.0.0/16"));
        assert_eq!(common("10.1.0.0/16", "10.2.0.0/16"), None);
        assert_eq!(common("0.0.0.0/0", "2001:db8::/32"), None);
    }

    #[test]
    fn a_prefix_is_written_as_it_is_meant() {
        let check = |text: &str, expected: Option<&str>| {
            let prefix = text.parse::<Prefix>().ok().map(|prefix| prefix.to_string());
            assert_eq!(prefix.as_deref(), expected, "{text}");
        };
        check("192.0.2.77/24", Some("192.0.2.0/24"));
        check("2001:db8:0:0::1/32", Some("2001:db8::/32"));
        check("192.0.2.0/33", None);
        check("192.0.2.0", None);
        check("192.0.2.0/", None);
        check("192.0.2.0/+8", None);
        check("lamp/8", None);
    }
}
