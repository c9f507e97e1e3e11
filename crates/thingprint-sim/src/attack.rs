use std::net::Ipv4Addr;

use serde::Deserialize;

use crate::play::Scene;
use crate::profile::{Mac, Place};
use crate::{Home, SimError};

/// The most packets a second that an attack may have.
const MOST_PER_S: f64 = 1e6;

/// An attack on a device, or through it, for some time.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// The device, by its name in the home. It answers whether or not its profile has it on.
    pub device: String,
    /// What is done.
    pub kind: AttackKind,
    /// When it begins, in seconds since 1970.
    pub start_s: i64,
    /// How long it lasts, in seconds.
    pub duration_s: u32,
    /// Packets that the attacker sends each second, on average; they come at random moments.
    pub packets_per_s: f64,
}

/// The device of an attack as the capture point sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its link address.
    pub mac: Mac,
    /// Its IP address.
    pub ip: Ipv4Addr,
    /// Time to live of its packets.
    pub ttl: u8,
    /// Link address of the gateway that leads to the Internet.
    pub gateway: Mac,
    /// The DNS server that it asks.
    pub resolver: Ipv4Addr,
}

/// Plays an attack packet by packet.
pub(crate) trait Player: Send {
    /// Plans a packet of the attacker, or of the device that the attacker controls, and what comes of it.
    fn strike(&mut self, now: i64, scene: &mut Scene);
}

/// What a kind of attack is, as data.
trait Kind {
    /// The port of the device that it uses, where it uses one.
    fn device_port(&self) -> Option<u16> {
        None
    }

    /// Rejects unsupported values.
    fn check(&self, place: &Place<'_>) -> Result<(), SimError> {
        let _ = place;
        Ok(())
    }

    /// Someone who plays it.
    fn player(&self) -> Box<dyn Player>;
}

/// Lists the kinds of attacks: each line names a type and the module with it.
macro_rules! kinds {
    ($($kind:ident = $module:ident,)+) => {
        $(mod $module;)+
        $(pub use $module::$kind;)+

        /// What an attacker does. A further kind is a file in `attack/` and a line in the list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum AttackKind {
            $(
                #[doc = concat!("See [`", stringify!($kind), "`].")]
                $kind($kind),
            )+
        }

        impl AttackKind {
            fn as_kind(&self) -> &dyn Kind {
                match self {
                    $(Self::$kind(kind) => kind,)+
                }
            }

            /// The name of the kind, like `tcp-syn`.
            pub fn name(&self) -> String {
                match self {
                    $(Self::$kind(_) => stringify!($module).replace('_', "-"),)+
                }
            }
        }
    };
}

kinds! {
    UdpReflection = udp_reflection,
    SsdpReflection = ssdp_reflection,
    TcpSyn = tcp_syn,
    TelnetScan = telnet_scan,
    PortScan = port_scan,
    Exfiltration = exfiltration,
    DnsTunnel = dns_tunnel,
}

impl AttackKind {
    /// The port of the device that it uses; 0 where it uses many, or ports of clients.
    pub(crate) fn device_port(self) -> u16 {
        self.as_kind().device_port().unwrap_or(0)
    }

    /// Someone who plays it.
    pub(crate) fn player(self) -> Box<dyn Player> {
        self.as_kind().player()
    }
}

impl Attack {
    /// Rejects an unsupported attack, as the `index`-th of those given.
    pub(crate) fn check(&self, home: &Home, index: usize) -> Result<(), SimError> {
        let place = Place::top(&home.file).entry("attack", index);
        let known = home.labels().iter().any(|device| device.name == self.device);
        place.field("device").ensure(known, "unknown device: expected the name of a device of the home")?;
        self.check_values(&place)
    }

    /// Rejects unsupported values, whatever the device.
    pub(crate) fn check_values(&self, place: &Place<'_>) -> Result<(), SimError> {
        let rate = self.packets_per_s > 0.0 && self.packets_per_s <= MOST_PER_S;
        place.field("packets_per_s").ensure(rate, "must be above 0 and at most 1000000")?;
        let start = (0..=i64::from(u32::MAX)).contains(&self.start_s);
        place.field("start_s").ensure(start, "exceeds the range of capture timestamps")?;
        self.kind.as_kind().check(place)
    }
}
