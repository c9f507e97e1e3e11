use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Deserialize;

use super::{Amount, LookupPolicy, When};

/// Names asked for without a connection that follows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// When.
    #[serde(default)]
    pub when: When,
    /// Domain names with the weight of each in the choice.
    pub names: BTreeMap<String, f64>,
    /// How many names are asked for together.
    #[serde(default = "one")]
    pub at_once: Amount,
    /// Whether an answer is kept for its time to live.
    #[serde(default = "always")]
    pub asks: LookupPolicy,
}

/// Clock synchronisation, RFC 5905. Exactly one of `names` and `address` says with whom.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ntp {
    /// When.
    #[serde(default)]
    pub when: When,
    /// Domain names with the weight of each in the choice.
    #[serde(default)]
    pub names: BTreeMap<String, f64>,
    /// A fixed address.
    pub address: Option<Ipv4Addr>,
    /// How names are asked for.
    #[serde(default)]
    pub asks: LookupPolicy,
    /// Protocol version, 1 to 4.
    #[serde(default = "version_4")]
    pub version: u8,
    /// Version of the answers, 1 to 4; left out, that of the requests.
    pub answer_version: Option<u8>,
    /// Association mode of the requests: 3 is a client, 1 a peer.
    #[serde(default = "client")]
    pub mode: u8,
    /// Association mode of the answers: 4 is a server, 2 a peer.
    #[serde(default = "server")]
    pub answer_mode: u8,
    /// Whether requests say when they were sent; where they do not, answers have nothing to repeat.
    #[serde(default = "yes")]
    pub stamped: bool,
    /// How many requests are sent each time.
    #[serde(default = "one")]
    pub polls: Amount,
    /// Time between them, in seconds.
    #[serde(default = "two")]
    pub gap_s: Amount,
    /// The probability of an answer.
    #[serde(default = "certain")]
    pub answered: f64,
    /// The device's own port; left out for an ephemeral one.
    pub local_port: Option<u16>,
}

/// SSDP as the device speaks it (`UPnP` Device Architecture 1.1 §1).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ssdp {
    /// When.
    #[serde(default)]
    pub when: When,
    /// What is said.
    pub says: SsdpSays,
    /// Search: the target, like `ssdp:all`.
    pub target: Option<String>,
    /// How many times each message is sent.
    #[serde(default = "one")]
    pub copies: Amount,
    /// IP time to live of the messages.
    #[serde(default = "ssdp_ttl")]
    pub ttl: u8,
    /// Search: the `MAN` header; left out, the one that there should be.
    #[serde(default = "discover")]
    pub man: String,
    /// Announcement: the `NTS` header; left out, `ssdp:alive`.
    #[serde(default = "alive")]
    pub nts: String,
    /// Search: names of the devices of the home that answer, each with a `upnp` table.
    #[serde(default)]
    pub answers: Vec<String>,
}

/// What an SSDP message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SsdpSays {
    /// `M-SEARCH`.
    Search,
    /// `NOTIFY` with `ssdp:alive`, once for each of the root device, the device and its type.
    Alive,
}

/// A device's `UPnP` identity.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upnp {
    /// Unique device name, a UUID; `{id}` stands for the last three octets of the link address.
    pub uuid: String,
    /// Device type, like `urn:lumenhaus-example:device:Bridge:1`.
    pub device_type: String,
    /// The `SERVER` header.
    pub server: String,
    /// Port of the description.
    pub port: u16,
    /// Path of the description.
    pub path: String,
}

/// Multicast DNS as the device speaks it, RFC 6762.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mdns {
    /// When.
    #[serde(default)]
    pub when: When,
    /// What is said.
    pub says: MdnsSays,
    /// The device's own name, without `.local`; `{id}` stands for the last three octets of the link address.
    pub host: String,
    /// Service types, like `_http._tcp`.
    pub services: Vec<String>,
    /// Announcement: port of the services.
    #[serde(default = "port_80")]
    pub port: u16,
}

/// What a multicast DNS message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MdnsSays {
    /// Who offers these services?
    Query,
    /// These services are offered here.
    Announce,
}

/// ICMP echo requests. Exactly one of `names` and `address` says to whom; the gateway is the first address.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ping {
    /// When.
    #[serde(default)]
    pub when: When,
    /// Domain names with the weight of each in the choice.
    #[serde(default)]
    pub names: BTreeMap<String, f64>,
    /// A fixed address.
    pub address: Option<Ipv4Addr>,
    /// How many requests, a second apart.
    #[serde(default = "one")]
    pub count: Amount,
}

fn one() -> Amount {
    Amount::Exactly(1.0)
}

fn two() -> Amount {
    Amount::Exactly(2.0)
}

fn certain() -> f64 {
    1.0
}

fn yes() -> bool {
    true
}

fn client() -> u8 {
    3
}

fn server() -> u8 {
    4
}

/// `UPnP` Device Architecture 1.1 §1.1.2.
fn ssdp_ttl() -> u8 {
    2
}

fn discover() -> String {
    "\"ssdp:discover\"".to_owned()
}

fn alive() -> String {
    "ssdp:alive".to_owned()
}

fn version_4() -> u8 {
    4
}

fn port_80() -> u16 {
    80
}

fn always() -> LookupPolicy {
    LookupPolicy::Always
}
