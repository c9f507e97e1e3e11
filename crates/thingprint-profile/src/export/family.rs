use std::fmt;
use std::str::FromStr;

/// Where rules for nftables stand: the family of their table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum NftFamily {
    /// `bridge`: in the frames that pass a bridge, with both MAC addresses; also between devices of the network.
    #[default]
    Bridge,
    /// `inet`: in the packets that a router forwards, receives and sends; a packet to a device is known by its IP address.
    Inet,
}

impl NftFamily {
    /// The families by name.
    pub const ALL: [(&str, Self); 2] = [("bridge", Self::Bridge), ("inet", Self::Inet)];

    /// `bridge` or `inet`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Inet => "inet",
        }
    }
}

impl fmt::Display for NftFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for NftFamily {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|(name, _)| *name == text).map(|(_, family)| family);
        found.ok_or_else(|| format!("unknown family '{text}': expected bridge or inet"))
    }
}
