use super::names::NameEvidence;
use super::port::PortCondition;
use super::prefix::Prefix;

/// A MUD profile: what a device of some kind has to be allowed (RFC 8520, module ietf-mud).
///
/// It is read by [`Self::from_json`] and written by [`Self::to_json`]; the lists of both policies stand for the names
/// by which the file refers to them.
///
/// ```
/// use thingprint_profile::MudProfile;
///
/// let text = r#"{
///     "ietf-mud:mud": {
///         "mud-version": 1,
///         "mud-url": "https://lamp.example/lamp.json",
///         "last-update": "2024-05-01T00:00:00Z",
///         "is-supported": true
///     }
/// }"#;
/// assert_eq!(MudProfile::from_json(text)?.mud_url, "https://lamp.example/lamp.json");
/// let error = MudProfile::from_json(&text.replace("true", "1")).unwrap_err();
/// assert_eq!(error.to_string(), "ietf-mud:mud.is-supported: expected true or false, found 1");
/// # Ok::<(), thingprint_profile::ProfileError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MudProfile {
    /// Version of the specification: 1.
    pub mud_version: u8,
    /// The URL that a device of this kind gives.
    pub mud_url: String,
    /// When the file was made: a time such as `2024-05-01T00:00:00Z` (`date-and-time` of RFC 6991).
    pub last_update: String,
    /// For how many hours the file is good, 1 to 168; 48 where absent.
    pub cache_validity_h: Option<u8>,
    /// Whether the manufacturer still looks after the device.
    pub is_supported: bool,
    /// Where the file's signature is.
    pub mud_signature: Option<String>,
    /// What the device is, in a few words.
    pub systeminfo: Option<String>,
    /// The manufacturer.
    pub mfg_name: Option<String>,
    /// The model.
    pub model_name: Option<String>,
    /// The firmware.
    pub firmware_rev: Option<String>,
    /// The software.
    pub software_rev: Option<String>,
    /// Where the device is described.
    pub documentation: Option<String>,
    /// Names of the extensions that the file uses.
    pub extensions: Vec<String>,
    /// What the device may send.
    pub from_device: Vec<AccessList>,
    /// What may be sent to the device.
    pub to_device: Vec<AccessList>,
}

/// An ordered list of entries, of which the first that matches decides (RFC 8519, list `acl`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessList {
    /// Its name, which no other list of the file has.
    pub name: String,
    /// What its entries look at, where the file says so.
    pub kind: Option<ListKind>,
    /// The entries.
    pub entries: Vec<Entry>,
}

/// What the entries of a list look at: the identities from `acl-base` of RFC 8519.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListKind {
    /// `ipv4-acl-type`
    Ipv4,
    /// `ipv6-acl-type`
    Ipv6,
    /// `eth-acl-type`; some files write `ethernet-acl-type`, which is read as well.
    Ethernet,
    /// `mixed-eth-ipv4-acl-type`
    EthernetIpv4,
    /// `mixed-eth-ipv6-acl-type`
    EthernetIpv6,
    /// `mixed-eth-ipv4-ipv6-acl-type`
    EthernetIpv4Ipv6,
}

/// One entry of a list (RFC 8519, list `ace`): all of its conditions have to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, which no other entry of the list has.
    pub name: String,
    /// What the address on the other side has to be, told without addresses.
    pub peers: Vec<Peer>,
    /// What the Ethernet header has to be.
    pub ethernet: Option<Ethernet>,
    /// What the IP header has to be.
    pub network: Option<Network>,
    /// What the header after it has to be.
    pub transport: Option<TransportMatch>,
    /// Conditions on what no flow tells, such as `ipv4.dscp`.
    pub unjudged: Vec<String>,
    /// What happens to a packet that matches.
    pub action: Action,
    /// Extension `thingprint:protocol`: the application protocols that were spoken, in order.
    pub protocols: Vec<String>,
    /// Extension `thingprint:name-source`: what tells the name of the host; `None` where the file does not say, or there is
    /// no name.
    pub name_evidence: Option<NameEvidence>,
}

/// Who is on the other side, told without addresses: container `mud` of a match (RFC 8520, module ietf-mud).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// Whoever serves this class, by its URI.
    Controller(String),
    /// Any address of the local networks.
    LocalNetworks,
    /// What was set up as the controller of the device.
    MyController,
    /// Devices whose MUD URL has this host.
    Manufacturer(String),
    /// Devices whose MUD URL has the same host.
    SameManufacturer,
    /// Devices of this MUD URL.
    Model(String),
}

/// Conditions on the Ethernet header.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ethernet {
    /// Who receives the frame, as written.
    pub destination: Option<String>,
    /// Who sends the frame, as written.
    pub source: Option<String>,
    /// What the frame carries.
    pub ethertype: Option<u16>,
}

/// Conditions on the IP header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// IPv6 instead of IPv4.
    pub is_ipv6: bool,
    /// The IP protocol number.
    pub protocol: Option<u8>,
    /// Addresses of the sender.
    pub source: Option<Prefix>,
    /// Addresses of the receiver.
    pub destination: Option<Prefix>,
    /// Name of the sender (module ietf-acldns).
    pub source_name: Option<String>,
    /// Name of the receiver.
    pub destination_name: Option<String>,
}

/// Conditions on the header after IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TransportMatch {
    /// TCP.
    Tcp {
        /// Port of the sender.
        source: Option<PortCondition>,
        /// Port of the receiver.
        destination: Option<PortCondition>,
        /// Who has to have opened the connection.
        initiated: Option<Direction>,
    },
    /// UDP.
    Udp {
        /// Port of the sender.
        source: Option<PortCondition>,
        /// Port of the receiver.
        destination: Option<PortCondition>,
    },
    /// ICMP, for either version of IP.
    Icmp {
        /// Type of message.
        kind: Option<u8>,
        /// Code of the type.
        code: Option<u8>,
    },
}

/// A direction, as the device sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// From the device.
    FromDevice,
    /// To the device.
    ToDevice,
}

/// What happens to a packet that matches: the identities from `forwarding-action` of RFC 8519.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It passes.
    Accept,
    /// It is thrown away.
    Drop,
    /// It is thrown away, and the sender is told.
    Reject,
}

impl MudProfile {
    /// Name of the extension by which an entry tells the protocols that it is for.
    pub const PROTOCOL_EXTENSION: &str = "thingprint:protocol";

    /// Name of the extension by which an entry tells where the name of its host comes from.
    pub const NAME_SOURCE_EXTENSION: &str = "thingprint:name-source";

    /// The class of name servers.
    pub const DNS_CONTROLLER: &str = "urn:ietf:params:mud:dns";

    /// The class of time servers.
    pub const NTP_CONTROLLER: &str = "urn:ietf:params:mud:ntp";

    /// The class of DHCP servers, which is this project's own: IANA's registry has none (RFC 8520 §17.7). It is a URL,
    /// because a URN would be that of a standard service, and there is nothing to be found at it (RFC 8520 §4.6).
    pub const DHCP_CONTROLLER: &str = "https://github.com/thingprint/thingprint/mud/dhcp";

    /// The class that published profiles use for the router, as if IANA's registry had it.
    pub const GATEWAY_CONTROLLER: &str = "urn:ietf:params:mud:gateway";

    /// What stands for the device's own controller where classes are asked for, although `my-controller` is none.
    pub const MY_CONTROLLER: &str = "my-controller";

    /// The lists of one direction.
    pub fn policy(&self, direction: Direction) -> &[AccessList] {
        match direction {
            Direction::FromDevice => &self.from_device,
            Direction::ToDevice => &self.to_device,
        }
    }
}

impl ListKind {
    pub(super) const ALL: [(&str, Self); 6] = [
        ("ipv4-acl-type", Self::Ipv4),
        ("ipv6-acl-type", Self::Ipv6),
        ("eth-acl-type", Self::Ethernet),
        ("mixed-eth-ipv4-acl-type", Self::EthernetIpv4),
        ("mixed-eth-ipv6-acl-type", Self::EthernetIpv6),
        ("mixed-eth-ipv4-ipv6-acl-type", Self::EthernetIpv4Ipv6),
    ];
}

impl Direction {
    pub(super) const ALL: [(&str, Self); 2] =
        [("from-device", Self::FromDevice), ("to-device", Self::ToDevice)];

    /// `from-device` or `to-device`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FromDevice => "from-device",
            Self::ToDevice => "to-device",
        }
    }
}

impl Action {
    pub(super) const ALL: [(&str, Self); 3] =
        [("accept", Self::Accept), ("drop", Self::Drop), ("reject", Self::Reject)];
}
